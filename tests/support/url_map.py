"""All routes of the app, without its services: their methods and their guards."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import Rule

from app import BLUEPRINTS
from routes.pages import assets
from tests.support.narrow import known, of_type


def app_routes() -> Flask:
    """Return an application with every route and no services; calling a route fails."""
    app = Flask("lockstep", root_path=".", static_folder=None)
    assets.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


def methods_of(rule: Rule) -> set[str]:
    """Return the methods that a route was declared with, without those that Flask adds."""
    return known(rule.methods) - {"HEAD", "OPTIONS"}


def guard_of(view: object) -> str:
    """Return the guard that a view declares."""
    return of_type(str, getattr(view, "__guard__", None))
