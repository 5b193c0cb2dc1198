"""The pages: login, desk, log."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, make_response, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from routes.guards import guarded_by
from routes.replies import house, whole_state
from services.broadcast import encode

pages = Blueprint("pages", __name__)


@pages.get("/login")
@guarded_by("public")
def show_login() -> Response:
    """Show the login form."""
    return make_response(render_template("login.html", open_mode=house().gatekeeper.is_open))


@pages.get("/")
@guarded_by("public")
def show_dashboard() -> AnyResponse:
    """Show the desk, drawn once on the server and live from the stream; strangers are sent to log in."""
    is_open = house().gatekeeper.is_open
    if not (is_open or current_user.is_authenticated):
        return redirect(url_for("pages.show_login"), 303)
    return page_of("dashboard.html", open_mode=is_open)


@pages.get("/log")
@guarded_by("public")
def show_log() -> AnyResponse:
    """Show alerts, dead letters and what was heard; strangers are sent to log in."""
    if not (house().gatekeeper.is_open or current_user.is_authenticated):
        return redirect(url_for("pages.show_login"), 303)
    return page_of("log.html")


def page_of(template: str, **more: object) -> Response:
    """Draw a page of the desk with the state as of now; nobody keeps a copy."""
    state = msgspec.json.decode(encode(whole_state()))
    page = make_response(render_template(template, state=state, **more))
    page.headers["Cache-Control"] = "no-store"
    return page
