"""The webhook secret, shown after the operator typed the password again."""

from __future__ import annotations

from flask import Response

from routes.http.describing import answers
from routes.http.errors import AccessDenied
from routes.http.parsing import OperatorBody, accepts
from routes.http.passwords import is_right
from routes.http.replies import app_services, fresh, reply
from routes.operator import operator_calls
from wire.answers import SecretAnswer

setup = operator_calls("setup", __name__)


class PasswordBody(OperatorBody):
    password: str


@setup.post("/api/setup/webhook-secret")
@answers(SecretAnswer, errors=(401, 403, 429, 503))
@accepts(PasswordBody)
def show_webhook_secret(body: PasswordBody) -> Response:
    """Return the webhook secret to an operator who types the password again; without a password it is never shown."""
    if app_services().gatekeeper.is_open:
        raise AccessDenied("the secret is shown only where a DASHBOARD_PASSWORD is set", 403)
    if not is_right(body.password):
        raise AccessDenied("the password is wrong", 403)
    return fresh(reply(SecretAnswer(secret=app_services().config.tv_webhook_secret)))
