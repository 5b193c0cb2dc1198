"""The pages: desk, log, journal, portfolio, the models of the advisor, the review of a day, the programs' status."""

from __future__ import annotations

from datetime import date
from typing import get_args

import msgspec
from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from routes.http.errors import AccessDenied, Busy
from routes.http.guards import guarded_by
from routes.http.replies import AppServices, app_services, whole_state
from routes.pages.auth import open_session
from routes.readers.what_if import first_day
from services.stores.store import StoreError
from wire.encoding import encode
from wire.program import ProgramName

pages = Blueprint("pages", __name__)

JOURNAL_COLUMNS = (  # columns of the table of trades: name, title, CSS classes
    ("closed", "Closed", ""),
    ("asset", "Asset", ""),
    ("side", "Side", ""),
    ("entry", "Entry", "number roomy"),
    ("exit", "Exit", "number roomy"),
    ("points", "Points", "number"),
    ("usd", "USD", "number"),
    ("r", "R", "number roomy"),
    ("worst", "Worst", "number wide"),
    ("best", "Best", "number wide"),
    ("held", "Held", "number wide"),
    ("mode", "Mode", "wide"),
    ("reason", "Taken out by", "roomy"),
    ("tags", "Note, tags", "roomy"),
)


@pages.get("/login")
@guarded_by("public")
def show_login() -> Response:
    """Show the login form."""
    return _login_page()


@pages.post("/login")
@guarded_by("public")
def log_in_by_form() -> AnyResponse:
    """Take the form as a browser sends it by itself, without the page's script or before it runs."""
    password = request.form.get("password")
    if password is None and not app_services().gatekeeper.is_open:
        return _login_page("a password is needed", 400)
    try:
        open_session(password or "")
    except (AccessDenied, Busy) as refusal:
        return _login_page(str(refusal), refusal.status)
    return redirect(url_for("pages.show_dashboard"), 303)


def _login_page(answer: str = "", status: int = 200) -> Response:
    is_open = app_services().gatekeeper.is_open
    return make_response(render_template("pages/login.html", open_mode=is_open, answer=answer), status)


@pages.get("/")
@guarded_by("public")
def show_dashboard() -> AnyResponse:
    """Show the desk, rendered by the server and updated from the stream; without a session redirect to the login."""
    is_open = app_services().gatekeeper.is_open
    if not (is_open or current_user.is_authenticated):
        return redirect(url_for("pages.show_login"), 303)
    return page_of("pages/dashboard.html", open_mode=is_open)


@pages.get("/log")
@guarded_by("public")
def show_log() -> AnyResponse:
    """Show alerts, dead letters and received messages; without a session redirect to the login."""
    is_open = app_services().gatekeeper.is_open
    if not (is_open or current_user.is_authenticated):
        return redirect(url_for("pages.show_login"), 303)
    return page_of("pages/log.html", open_mode=is_open)


@pages.get("/journal")
@guarded_by("public")
def show_journal() -> AnyResponse:
    """Show the trader's journal, rendered in the browser; without a session redirect to the login."""
    if not (app_services().gatekeeper.is_open or current_user.is_authenticated):
        return redirect(url_for("pages.show_login"), 303)
    desk = app_services().manager.snapshot.desk
    ticks = {symbol: float(asset.contract.tick_size) for symbol, asset in desk.assets.items()}
    assets = [(symbol, symbol) for symbol in desk.assets]
    page = make_response(
        render_template("pages/journal.html", desk=desk, ticks=ticks, assets=assets, columns=JOURNAL_COLUMNS)
    )
    page.headers["Cache-Control"] = "no-store"
    return page


@pages.get("/portfolio")
@guarded_by("public")
def show_portfolio() -> AnyResponse:
    """Show what every account holds, rendered in the browser; without a session redirect to the login."""
    if not (app_services().gatekeeper.is_open or current_user.is_authenticated):
        return redirect(url_for("pages.show_login"), 303)
    return _without_state("pages/portfolio.html")


@pages.get("/models")
@guarded_by("public")
def show_models() -> AnyResponse:
    """Show the advisor's model cards, rendered in the browser; without a session redirect to the login."""
    if not (app_services().gatekeeper.is_open or current_user.is_authenticated):
        return redirect(url_for("pages.show_login"), 303)
    return _without_state("pages/models.html")


@pages.get("/review")
@guarded_by("public")
def show_review() -> AnyResponse:
    """Show the review of a trading day, rendered in the browser; without a session redirect to the login."""
    if not (app_services().gatekeeper.is_open or current_user.is_authenticated):
        return redirect(url_for("pages.show_login"), 303)
    services = app_services()
    today = services.manager.snapshot.desk.day.trading_day
    return _without_state("pages/review.html", day=today, first_day=_first_day(services))


@pages.get("/status")
@guarded_by("public")
def show_status() -> AnyResponse:
    """Show how the programs of the desk are; without a session redirect to the login."""
    if not (app_services().gatekeeper.is_open or current_user.is_authenticated):
        return redirect(url_for("pages.show_login"), 303)
    return _without_state("pages/status.html", programs=get_args(ProgramName))


def _first_day(services: AppServices) -> date | None:
    """Return the first day that may be decided again; None when that cannot be said now, or none may."""
    if not services.what_if.is_possible:
        return None
    try:
        return first_day(services)
    except StoreError:
        return None


def _without_state(template: str, **more: object) -> Response:
    page = make_response(render_template(template, **more))
    page.headers["Cache-Control"] = "no-store"
    return page


def page_of(template: str, **more: object) -> Response:
    """Render a page of the desk with the state as of now; browsers must not store it."""
    state = msgspec.json.decode(encode(whole_state()))
    page = make_response(render_template(template, state=state, **more))
    page.headers["Cache-Control"] = "no-store"
    return page
