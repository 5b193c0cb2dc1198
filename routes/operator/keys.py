"""API keys: the operator makes, lists and revokes them. A key's text is shown once, in the answer that makes it."""

from __future__ import annotations

from typing import Annotated

import structlog
from flask import Response
from pydantic import Field

from routes.http.describing import answers
from routes.http.errors import AccessDenied, InvalidRequest, error_answer
from routes.http.parsing import OperatorBody, accepts
from routes.http.passwords import is_right
from routes.http.replies import app_services, fresh, reply
from routes.operator import operator_calls
from services.access.keys import LONGEST_NAME, MOST_KEYS, ApiKey, KeyRefused, KeyUnreadable, make_key, read_key, stored
from services.stores.store import StoredKey
from wire.answers import OkAnswer
from wire.keys import SCOPES, KeyMade, KeyRow, KeysAnswer, Scope

keys = operator_calls("keys", __name__)

LONGEST_ID = 64
log = structlog.get_logger(__name__)


class KeyBody(OperatorBody):
    """A new key: its name, what it opens, whose it is, and the operator's password where one is set."""

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, examples=["wall display"])]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(SCOPES), examples=[["state:read"]])]
    account: Annotated[str, Field(max_length=LONGEST_NAME)] | None = None
    password: str | None = None


class NothingMore(OperatorBody):
    """An empty body."""


@keys.get("/api/keys")
@answers(KeysAnswer, errors=(503,))
def list_keys() -> Response:
    """Return the keys that hold, oldest first, without their secrets."""
    read = {one.id: _readable(one) for one in app_services().manager.store.api_keys()}
    oldest_first = sorted([key for key in read.values() if key is not None], key=lambda key: (key.created_at, key.id))
    unreadable = tuple(key_id for key_id, key in read.items() if key is None)
    return fresh(reply(KeysAnswer(keys=tuple(map(key_row, oldest_first)), unreadable=unreadable)))


@keys.post("/api/keys")
@answers(KeyMade, status=201, errors=(401, 403, 429, 503))
@accepts(KeyBody)
def make(body: KeyBody) -> Response:
    """Make a key and return its text, this once. Where a password is set it must be typed again.

    When no answer comes, the list shows whether a key was made: revoke it and make another one.
    """
    services = app_services()
    if not services.gatekeeper.is_open and not is_right(body.password or ""):
        raise AccessDenied("the password is wrong", 403)
    store = services.manager.store
    if len(store.api_keys()) >= MOST_KEYS:
        raise InvalidRequest("", f"there are {MOST_KEYS} keys, revoke one first")
    try:
        key, token = make_key(body.name, body.scopes, services.manager.now, body.account or None)
    except KeyRefused as error:
        raise InvalidRequest("", str(error)) from error
    store.put_api_key(stored(key))
    services.gatekeeper.keys.read_again()
    log.info("an API key was made", key=key.id, name=key.name, account=key.account, scopes=key.scopes)
    return fresh(reply(KeyMade(key=key_row(key), token=token), 201))


@keys.post("/api/keys/<key_id>/revoke")
@answers(OkAnswer, errors=(404,))
@accepts(NothingMore, may_be_empty=True)
def revoke(body: NothingMore, key_id: str) -> Response:
    """Revoke a key. This process knows it at once, every other on the store within seconds."""
    key_id = key_id[:LONGEST_ID]
    was_there = app_services().manager.store.revoke_api_key(key_id)
    app_services().gatekeeper.keys.read_again()
    if not was_there:
        return error_answer(f"there is no key {key_id}", 404, "not_found")
    log.info("an API key was revoked", key=key_id)
    return fresh(reply(OkAnswer()))


def key_row(key: ApiKey) -> KeyRow:
    """Return a key as the operator sees it."""
    return KeyRow(id=key.id, name=key.name, account=key.account, scopes=key.scopes, created_at=key.created_at)


def _readable(kept: StoredKey) -> ApiKey | None:
    try:
        return read_key(kept)
    except KeyUnreadable:
        return None
