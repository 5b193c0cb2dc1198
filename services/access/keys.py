"""API keys: a program sends one instead of a session. A key allows reading only.

The text of a key is ``lk_<id>_<secret>``. It is shown once and never stored; only a SHA-256 of the secret is stored.
The secret has 256 random bits and cannot be guessed, so a slow hash would only slow down every request.
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

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from services.stores.store import StoredKey, StoreError
from wire.keys import KEY_PREFIX, SCOPES

SCHEMA = 2
FIRST_SCHEMA = 1  # its keys have no account: each is an account of its own
TOKEN = re.compile(r"lk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
ID_BYTES = 8
SECRET_BYTES = 32
LONGEST_NAME = 64
MOST_KEYS = 200  # each is read with every look at the store
ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
KEPT_FOR_SECONDS = 2.0  # a stream checks its key at each ping, every 3 s: a revoked key ends within 5 s
KEPT_FOR_A_CHECK = 0.5  # feeds asks for its sockets' keys each second: a revoked one ends them within 2 s
ANSWERS_WITHIN_SECONDS = 2.5  # longer than a store's slowest answer; a later one counts as an outage
NEW_KEY_SECONDS = 0.1  # an unknown key may have been made since: a shell uses it as soon as it is printed
LOOKS_FOR_NEW_KEYS = 10  # so many at once; each comes again after `LOOK_RETURNS_SECONDS`, whoever sends invented keys
LOOK_RETURNS_SECONDS = 5.0
NO_DIGEST = "0" * 64

log = structlog.get_logger(__name__)


class KeyRefused(ValueError):
    """A key cannot be made. The sentence says why."""


class KeyUnreadable(Exception):
    """The stored data is not a key, or is one of a newer program."""


class KeysUnknown(Exception):
    """The keys were never read from the store since this process began, so no key can be checked."""


class ApiKey(Struct, frozen=True):
    """A stored key, with its secret only as ``digest``. ``scopes`` may include some that only a newer program knows.

    ``account`` says which keys are of one caller, empty in a stored key of the first schema.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    digest: str
    created_at: datetime
    schema: int
    account: str = ""

    def opens_any(self, scopes: Iterable[str]) -> bool:
        """Return whether the key has one of these scopes."""
        return not set(scopes).isdisjoint(self.scopes)


_keys = msgspec.json.Decoder(ApiKey)


def make_key(name: str, scopes: Iterable[str], now: datetime, account: str | None = None) -> tuple[ApiKey, str]:
    """Return a new key and its text, which cannot be recovered later. Raises KeyRefused.

    Without an ``account`` the key is an account of its own, which has the key's id.
    """
    name = name.strip()
    scopes = tuple(dict.fromkeys(scopes))
    if not (0 < len(name) <= LONGEST_NAME and name.isprintable()):
        raise KeyRefused(f"the name was {name!r}, it must have 1 to {LONGEST_NAME} printable letters")
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise KeyRefused(f"{', '.join(unknown)} is no scope; these are: {', '.join(SCOPES)}")
    if not scopes:
        raise KeyRefused(f"a key needs a scope; these are: {', '.join(SCOPES)}")
    if account is not None and not ACCOUNT.fullmatch(account):
        raise KeyRefused(f"the account was {account!r:.80}, it must have 1 to 64 letters, digits, dots or hyphens")
    key_id = secrets.token_hex(ID_BYTES)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    key = ApiKey(key_id, name, scopes, _digest(secret), now, SCHEMA, account or key_id)
    return key, f"{KEY_PREFIX}{key_id}_{secret}"


def stored(key: ApiKey) -> StoredKey:
    return StoredKey(key.id, msgspec.json.encode(key))


def read_key(kept: StoredKey) -> ApiKey:
    """Read a stored key, of this schema or of the one before. Raises KeyUnreadable."""
    try:
        key = _keys.decode(kept.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise KeyUnreadable(f"the API key {kept.id} could not be read: {error}") from error
    if key.schema not in (FIRST_SCHEMA, SCHEMA) or key.id != kept.id:
        raise KeyUnreadable(f"the API key {kept.id} is stored as {key.id} with schema {key.schema}, not {SCHEMA}")
    return key if key.account else replace(key, account=key.id)


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _edition_of(kept: Sequence[StoredKey]) -> str:
    bodies = sha256()
    for one in sorted(kept, key=lambda stored_key: stored_key.id):
        bodies.update(sha256(one.id.encode()).digest() + sha256(one.body).digest())
    return bodies.hexdigest()


class KeyRing:
    """The valid keys, as read from the store at most ``KEPT_FOR_SECONDS`` ago.

    A thread of its own reads the store, and only when a caller sends a key. While the store is down the last known keys
    stay valid. Parameters: a function that reads the keys from the store, and a clock in seconds.
    """

    def __init__(self, ask: Callable[[], Sequence[StoredKey]], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, ApiKey] | None = None
        self._edition = ""
        self._read_at = self._changed_at = float("-inf")
        self._looks_left = float(LOOKS_FOR_NEW_KEYS)
        self._looks_counted_at = clock()
        self._is_down = self._is_closed = False
        self._unreadable: set[str] = set()
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="api-keys")
        self._answer: Future[None] = self._asking.submit(self._load)  # now, so that a later outage refuses no key

    def find(self, token: str, kept_for_seconds: float = KEPT_FOR_SECONDS) -> ApiKey | None:
        """Return the key with this text as it was known so long ago at most, None when there is none.

        Raises KeysUnknown.
        A wrong secret and an unknown id are compared alike. For an unknown id the store is read once more, as often as
        ``LOOKS_FOR_NEW_KEYS`` allows: the key may have been made just now, by another process.
        """
        named = TOKEN.fullmatch(token)
        if named is None:
            return None
        key = self._current(kept_for_seconds).get(named[1])
        if key is None and self._may_look_for_new():
            key = self._current(NEW_KEY_SECONDS).get(named[1])
        is_right = hmac.compare_digest(_digest(named[2]), key.digest if key is not None else NO_DIGEST)
        return key if is_right else None

    def holds(self, key: ApiKey) -> bool:
        """Return whether a key that was found before is still valid and unchanged."""
        return self._current().get(key.id) == key

    def edition(self, kept_for_seconds: float = KEPT_FOR_SECONDS) -> str:
        """Return a name of all stored keys as they are: it is another one once one was made, changed or revoked.

        It is the same in every process. Raises KeysUnknown.
        """
        self._current(kept_for_seconds)
        return self._edition

    def still_holds(self, key: ApiKey) -> bool:
        """Return the same as `holds`, as far as it is known now: never wait for the store, only have it read again."""
        with self._lock:
            self._read_when_due()
        return self._keys is not None and self._keys.get(key.id) == key

    def read_again(self) -> None:
        """Have the next caller read the store: a key was made or revoked by this process."""
        self._changed_at = self._clock()

    def close(self) -> None:
        """Stop reading, and wait for the last answer. Then the store may be closed. The known keys stay valid."""
        with self._lock:
            self._is_closed = True
        self._asking.shutdown()

    def _may_look_for_new(self) -> bool:
        with self._lock:
            now = self._clock()
            returned = (now - self._looks_counted_at) / LOOK_RETURNS_SECONDS
            self._looks_left = min(float(LOOKS_FOR_NEW_KEYS), self._looks_left + returned)
            self._looks_counted_at = now
            if self._looks_left < 1 or not (self._answer.done() and self._is_due(NEW_KEY_SECONDS)):
                return False
            self._looks_left -= 1
            return True

    def _current(self, kept_for_seconds: float = KEPT_FOR_SECONDS) -> Mapping[str, ApiKey]:
        if self._keys is None or self._is_due(kept_for_seconds):
            self._ask_again(kept_for_seconds)
        if self._keys is None:
            raise KeysUnknown("the API keys cannot be read, the store does not answer")
        return self._keys

    def _is_due(self, kept_for_seconds: float = KEPT_FOR_SECONDS) -> bool:
        return self._read_at <= self._changed_at or self._clock() - self._read_at >= kept_for_seconds

    def _ask_again(self, kept_for_seconds: float) -> None:
        """Start one read for all callers, and wait for it. During an outage do not wait if keys are known."""
        with self._lock:
            self._read_when_due(kept_for_seconds)
            answer = self._answer
        if not (self._is_down and self._keys is not None):
            wait([answer], ANSWERS_WITHIN_SECONDS)
        if answer.done():
            answer.result()  # raises a bug's exception in the caller

    def _read_when_due(self, kept_for_seconds: float = KEPT_FOR_SECONDS) -> None:
        if self._is_due(kept_for_seconds) and self._answer.done() and not self._is_closed:
            self._answer = self._asking.submit(self._load)

    def _load(self) -> None:
        begun = self._clock()  # the time before the read: a key revoked during it is noticed by the next one
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
            edition = _edition_of(kept)
            if edition != self._edition:
                self._keys = {key.id: key for key in map(self._readable, kept) if key is not None}
                self._edition = edition
        self._read_at = begun

    def _readable(self, kept: StoredKey) -> ApiKey | None:
        """Return the key, None for an unreadable one. Each unreadable key is logged once."""
        try:
            return read_key(kept)
        except KeyUnreadable as error:
            if kept.id not in self._unreadable:
                log.warning("an API key opens nothing", error=str(error))
            self._unreadable.add(kept.id)
            return None
