"""The operator's session: log in, log out, status (contract: Auth)."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_login import current_user, login_user, logout_user

from routes.http.describing import answers
from routes.http.errors import AccessDenied
from routes.http.guards import guarded_by
from routes.http.parsing import OperatorBody, accepts
from routes.http.passwords import is_right
from routes.http.replies import app_services, reply
from services.access.sessions import Session
from wire.answers import OkAnswer, SessionAnswer

auth = Blueprint("auth", __name__)


class LoginBody(OperatorBody):
    password: str = ""


@auth.post("/api/login")
@guarded_by("public")
@answers(OkAnswer, errors=(401, 429, 503))
@accepts(LoginBody)
def log_in(body: LoginBody) -> Response:
    """Open a session; too many wrong passwords lock their address out for a while, and in the end every new address."""
    open_session(body.password)
    return reply(OkAnswer())


@auth.post("/api/logout")
@guarded_by("public")
@answers(OkAnswer)
def log_out() -> Response:
    """End the session; copies of its cookie become invalid. Without a session this changes nothing."""
    session = _session()
    logout_user()
    _end(session)
    return reply(OkAnswer())


@auth.get("/api/auth/status")
@guarded_by("public")
@answers(SessionAnswer)
def show_status() -> Response:
    """Return whether a session is open and whether a password is needed."""
    is_open = app_services().gatekeeper.is_open
    authenticated = is_open or bool(current_user.is_authenticated)
    return reply(SessionAnswer(authenticated=authenticated, password_required=not is_open))


def open_session(password: str) -> None:
    """Open a session for the caller. Raises AccessDenied for a wrong password, Busy when none may be tried now."""
    if not is_right(password):
        raise AccessDenied("the password is wrong")
    _end(_session())  # its cookie is about to be replaced, so the old session could not be logged out later
    login_user(app_services().gatekeeper.new_operator())


def _session() -> Session | None:
    session: Session | None = current_user.session if current_user.is_authenticated else None
    return session


def _end(session: Session | None) -> None:
    """End a session. Without a password store nothing: a session then protects nothing, and strangers call this."""
    if session is not None and not app_services().gatekeeper.is_open:
        app_services().gatekeeper.sessions.end(session)
