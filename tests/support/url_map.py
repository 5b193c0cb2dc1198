"""All routes of the app, without its services."""

from __future__ import annotations

from flask import Flask

from app import BLUEPRINTS
from routes.pages import assets


def app_routes() -> Flask:
    """Return an application with every route and no services; calling a route fails."""
    app = Flask("lockstep", root_path=".", static_folder=None)
    assets.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app
