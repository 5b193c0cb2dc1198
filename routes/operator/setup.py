"""The webhook secret, shown after the operator typed the password again."""

from __future__ import annotations

import time

from flask import Response, request

from routes.http.describing import answers
from routes.http.errors import AccessDenied, too_many_passwords
from routes.http.parsing import OperatorBody, accepts
from routes.http.replies import app_services, fresh, reply
from routes.operator import operator_calls
from wire.answers import SecretAnswer

setup = operator_calls("setup", __name__)


class PasswordBody(OperatorBody):
    password: str


@setup.post("/api/setup/webhook-secret")
@answers(SecretAnswer, errors=(401, 403, 429))
@accepts(PasswordBody)
def show_webhook_secret(body: PasswordBody) -> Response:
    """Return the webhook secret to an operator who types the password again; without a password it is never shown."""
    gatekeeper = app_services().gatekeeper
    address = request.remote_addr or "unknown"
    if gatekeeper.is_open:
        raise AccessDenied("the secret is shown only where a DASHBOARD_PASSWORD is set", 403)
    wait = gatekeeper.seconds_locked_out(address, time.time())
    if wait is not None:
        raise too_many_passwords(wait)
    if not gatekeeper.admits(body.password, address):
        raise AccessDenied("the password is wrong", 403)
    return fresh(reply(SecretAnswer(secret=app_services().config.tv_webhook_secret)))
