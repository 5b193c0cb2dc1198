"""API keys: what a program shows instead of a session, to read and nothing else.

The text of a key is shown once and kept nowhere: ``lk_<id>_<secret>``. Stored is a SHA-256 of the secret, which is
256 random bits: nobody guesses those, so a slow hash would only slow down every request.
"""

from __future__ import annotations

import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from hashlib import sha256
from typing import Literal

import msgspec
import structlog
from msgspec import Struct

from services.stores.store import StoredKey, StoreError

Scope = Literal["state:read", "metrics:read"]
SCOPES: Mapping[Scope, str] = {
    "state:read": "the state, its stream and its bricks",
    "metrics:read": "the figures of /metrics",
}
SCHEMA = 1
PREFIX = "lk_"
TOKEN = re.compile(r"lk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
ID_BYTES = 8
SECRET_BYTES = 32
LONGEST_NAME = 64
KEPT_FOR_SECONDS = 2.0  # with a stream's ping, at most 3 s apart, a revoked key is let go within 5 s
ANSWERS_WITHIN_SECONDS = 2.5  # longer than a store's slowest answer: what comes later is an outage
NO_DIGEST = "0" * 64

log = structlog.get_logger(__name__)


class KeyRefused(ValueError):
    """A key that cannot be made; the sentence says why."""


class KeyUnreadable(Exception):
    """What is stored is no key, or one of a newer program."""


class KeysUnknown(Exception):
    """The store has not told its keys since this process began: nobody can say whether one is right."""


class ApiKey(Struct, frozen=True):
    """A key as it is stored, its secret only as ``digest``. ``scopes`` may hold some that a newer program knows."""

    id: str
    name: str
    scopes: tuple[str, ...]
    digest: str
    created_at: datetime
    schema: int


_keys = msgspec.json.Decoder(ApiKey)


def make_key(name: str, scopes: Iterable[str], now: datetime) -> tuple[ApiKey, str]:
    """Return a new key and its text, which nothing can tell again. Raises KeyRefused."""
    name = name.strip()
    scopes = tuple(dict.fromkeys(scopes))
    if not (0 < len(name) <= LONGEST_NAME and name.isprintable()):
        raise KeyRefused(f"the name was {name!r}, it must have 1 to {LONGEST_NAME} printable letters")
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise KeyRefused(f"{', '.join(unknown)} is no scope; these are: {', '.join(SCOPES)}")
    if not scopes:
        raise KeyRefused(f"a key needs a scope; these are: {', '.join(SCOPES)}")
    key_id = secrets.token_hex(ID_BYTES)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    return ApiKey(key_id, name, scopes, _digest(secret), now, SCHEMA), f"{PREFIX}{key_id}_{secret}"


def stored(key: ApiKey) -> StoredKey:
    return StoredKey(key.id, msgspec.json.encode(key))


def read_key(kept: StoredKey) -> ApiKey:
    """Return the key that is stored. Raises KeyUnreadable."""
    try:
        key = _keys.decode(kept.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise KeyUnreadable(f"the API key {kept.id} could not be read: {error}") from error
    if key.schema != SCHEMA or key.id != kept.id:
        raise KeyUnreadable(f"the API key {kept.id} is stored as {key.id} with schema {key.schema}, not {SCHEMA}")
    return key


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


class KeyRing:
    """The keys that hold, as the store told them a moment ago.

    One thread of its own asks the store, and only when somebody shows a key. While the store is down the keys that
    it told last go on to hold. Parameters: how to ask the store, and a clock in seconds.
    """

    def __init__(self, ask: Callable[[], Sequence[StoredKey]], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, ApiKey] | None = None
        self._told_at = float("-inf")
        self._is_down = self._is_closed = False
        self._unreadable: set[str] = set()
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="api-keys")
        self._answer: Future[None] = self._asking.submit(self._load)  # so that an outage later locks nobody out

    def find(self, token: str) -> ApiKey | None:
        """Return the key whose text this is, None when there is none. Raises KeysUnknown.

        A wrong secret and an unknown id take the same time.
        """
        named = TOKEN.fullmatch(token)
        if named is None:
            return None
        key = self._current().get(named[1])
        is_right = hmac.compare_digest(_digest(named[2]), key.digest if key is not None else NO_DIGEST)
        return key if is_right else None

    def holds(self, key: ApiKey) -> bool:
        """Tell whether a key that was found before still is as it was."""
        return self._current().get(key.id) == key

    def close(self) -> None:
        """Ask no more, and wait for the last answer: then the store may be closed. The known keys go on to hold."""
        with self._lock:
            self._is_closed = True
        self._asking.shutdown()

    def _current(self) -> Mapping[str, ApiKey]:
        if self._keys is None or self._is_due():
            self._ask_again()
        if self._keys is None:
            raise KeysUnknown("the API keys cannot be read, the store does not answer")
        return self._keys

    def _is_due(self) -> bool:
        return self._clock() - self._told_at >= KEPT_FOR_SECONDS

    def _ask_again(self) -> None:
        """Have the store asked, once for everybody, and wait for it; in an outage nobody waits."""
        with self._lock:
            if self._is_due() and self._answer.done() and not self._is_closed:
                self._answer = self._asking.submit(self._load)
            answer = self._answer
        if not (self._is_down and self._keys is not None):
            wait([answer], ANSWERS_WITHIN_SECONDS)
        if answer.done():
            answer.result()  # a fault of ours is heard by whoever asked

    def _load(self) -> None:
        begun = self._clock()  # what is revoked while the store answers is heard of with the next question
        try:
            kept = self._ask()
        except StoreError as error:
            if not self._is_down:
                log.warning("API keys could not be read, those known so far go on to hold", error=str(error))
            self._is_down = True
        else:
            if self._is_down:
                log.info("API keys can be read again")
            self._is_down = False
            self._keys = {key.id: key for key in map(self._readable, kept) if key is not None}
        self._told_at = begun

    def _readable(self, kept: StoredKey) -> ApiKey | None:
        """Return the key; one that cannot be read opens nothing, and is told once."""
        try:
            return read_key(kept)
        except KeyUnreadable as error:
            if kept.id not in self._unreadable:
                log.warning("an API key opens nothing", error=str(error))
            self._unreadable.add(kept.id)
            return None
