"""Check a password that somebody typed."""

from __future__ import annotations

from flask import request

from routes.http.errors import Busy
from routes.http.replies import app_services
from services.access.passwords import Wait

SENTENCES = {
    "address": "too many wrong passwords",
    "everywhere": "too many wrong passwords from many addresses",
    "busy": "other passwords are being checked",
}


def is_right(password: str) -> bool:
    """Return whether the password is right, and count the try. Raises Busy when it may not be tried now."""
    services = app_services()
    verdict = services.gatekeeper.check_password(password, request.remote_addr or "unknown")
    if isinstance(verdict, Wait):
        services.metrics.login("busy" if verdict.why == "busy" else "locked_out")
        raise _must_wait(verdict)
    services.metrics.login(verdict)
    return verdict == "right"


def _must_wait(wait: Wait) -> Busy:
    detail = SENTENCES[wait.why]
    sentence = f"{detail}, try again in {wait.seconds} s"
    if wait.why == "busy":
        return Busy(sentence, wait.seconds, "logins_busy", detail=detail)
    return Busy(sentence, wait.seconds, "locked_out", status=429, detail=detail)
