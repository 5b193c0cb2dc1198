"""All routes of the house, without the house behind them."""

from __future__ import annotations

from flask import Flask

from app import BLUEPRINTS
from routes.pages import assets


def house_routes() -> Flask:
    """Return an application that has every route and answers none."""
    app = Flask("lockstep", root_path=".", static_folder=None)
    assets.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app
