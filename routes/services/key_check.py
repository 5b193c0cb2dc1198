"""What an API key opens, for the programs beside web that callers show it to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from flask import Response
from pydantic import Field

from routes.http.describing import answers
from routes.http.errors import Busy
from routes.http.parsing import OperatorBody, accepts
from routes.http.replies import app_services, fresh, reply
from routes.services import service_calls
from services.access.keys import KEPT_FOR_A_CHECK, KeysUnknown
from wire.keys import KeyCheck, KeyChecks

key_check = service_calls("key_check", __name__)

LONGEST_TOKEN = 200
MOST_TOKENS = 200  # as many as fit into a body
ASK_AGAIN_SECONDS = 1


class TokenBody(OperatorBody):
    """The text of a key as its caller sent it."""

    token: Annotated[str, Field(max_length=LONGEST_TOKEN)]


class TokensBody(OperatorBody):
    """The texts of several keys."""

    tokens: Annotated[list[Annotated[str, Field(max_length=LONGEST_TOKEN)]], Field(max_length=MOST_TOKENS)]


@key_check.post("/api/keys/check")
@answers(KeyCheck)
@accepts(TokenBody)
def check_key(body: TokenBody) -> Response:
    """Return whether a key is valid, its account and its scopes. A revoked one is known here within a second."""
    return fresh(reply(_check(body.token)))


@key_check.post("/api/keys/checks")
@answers(KeyChecks)
@accepts(TokensBody)
def check_keys(body: TokensBody) -> Response:
    """Return the same for several keys at once, in their order: for who asks each second about many open sockets.

    Without a key it only says whether anything has changed: an answer of the same ``edition`` would be the same.
    """
    with _busy_while_unknown():
        edition = app_services().gatekeeper.keys.edition(KEPT_FOR_A_CHECK)  # before the keys, which may be newer
    return fresh(reply(KeyChecks(keys=tuple(map(_check, body.tokens)), edition=edition)))


def _check(token: str) -> KeyCheck:
    """Return what a key opens. Raises Busy while the keys were never read."""
    with _busy_while_unknown():
        key = app_services().gatekeeper.keys.find(token.strip(), KEPT_FOR_A_CHECK)
    if key is None:
        return KeyCheck(active=False)
    return KeyCheck(active=True, id=key.id, account=key.account, scopes=key.scopes)


@contextmanager
def _busy_while_unknown() -> Iterator[None]:
    try:
        yield
    except KeysUnknown as error:
        raise Busy(str(error), ASK_AGAIN_SECONDS, "store_down") from error
