"""The operator's sessions: each login has an id of its own, and a log-out ends it for good and everywhere.

The browser holds the session in a signed cookie, so a copy of the cookie is a copy of the session. Therefore every
session that was logged out is remembered until it would have run out by itself: its SHA-256 is in the store, and in
the memory of each process, so that asking costs a request nothing.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Protocol

import structlog
from msgspec import Struct

from services.stores.store import ENDED_SESSIONS_KEPT_FOR, EndedSession, StoreError

SESSION_LASTS = timedelta(hours=24)
LOOK_EVERY_SECONDS = 10.0  # how late another process hears of a log-out; on Firestore a read each, 8,640 a day
CLOCKS_DIFFER_AT_MOST = timedelta(minutes=5)
ID_BYTES = 16
WRITTEN = re.compile(r"([0-9a-f]{32})\.(\d{1,12})", re.ASCII)

log = structlog.get_logger(__name__)


class Session(Struct, frozen=True):
    """One login: a random id, and when it was, in seconds of the epoch."""

    id: str
    began_at: int

    def __str__(self) -> str:
        """Write it as ``read_session`` reads it."""
        return f"{self.id}.{self.began_at}"

    @property
    def digest(self) -> str:
        """What is kept of the id once the session was ended."""
        return sha256(self.id.encode()).hexdigest()


def read_session(written: str) -> Session | None:
    """Return the session that is written there, None when there is none: cookies of before had no id."""
    found = WRITTEN.fullmatch(written)
    return None if found is None else Session(found[1], int(found[2]))


class Shelf(Protocol):
    """What is asked of the store. Both raise StoreError."""

    def ended_sessions(self, since: datetime) -> list[EndedSession]:
        """Return those that were ended from an instant on."""

    def put_ended_session(self, ended: EndedSession) -> None:
        """Keep one."""


class Sessions:
    """Which sessions hold.

    A log-out holds at once in this process and, as soon as the store took it, over a restart; other processes on the
    store hear of it within ``LOOK_EVERY_SECONDS``. While the store is down, what is known goes on to hold, and a
    log-out is stored when it is back. Parameters: the store, and a clock (aware UTC).
    """

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._shelf = shelf
        self._clock = clock
        self._lock = threading.Lock()
        self._ended: Mapping[str, datetime] = {}  # digest → when; replaced, never changed: reading takes no lock
        self._unstored: set[str] = set()
        self._started_at = clock()
        self._heard_at: datetime | None = None
        self._is_down = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sessions", daemon=True)
        self._hear()

    def begin(self) -> Session:
        """Return a new session; it asks the store nothing, so nobody is ever locked out."""
        return Session(secrets.token_hex(ID_BYTES), int(self._clock().timestamp()))

    def holds(self, session: Session) -> bool:
        """Tell whether a session was neither ended nor has run out.

        Until the store has told for the first time, sessions of before this start do not hold: one of them may have
        been ended.
        """
        age = self._clock().timestamp() - session.began_at
        if age >= SESSION_LASTS.total_seconds() or session.digest in self._ended:
            return False
        return self._heard_at is not None or session.began_at >= int(self._started_at.timestamp())

    def end(self, session: Session) -> None:
        """End a session: from now on in this process, and durably unless the store is down. Then it is tried again."""
        with self._lock:
            self._ended = {**self._ended, session.digest: self._clock()}
            self._unstored.add(session.digest)
        self._store_ended()

    def start(self) -> None:
        """Look from time to time, in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Look no more; then the store may be closed. What could not be stored is tried a last time."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        self._store_ended()
        if self._unstored:
            log.error("log-outs were not stored: after a restart those sessions hold again", count=len(self._unstored))

    def look_again(self) -> None:
        """Store what could not be stored, and hear what other processes ended: one turn of the thread."""
        self._store_ended()
        self._hear()

    def _work(self) -> None:
        while not self._closing.wait(LOOK_EVERY_SECONDS):
            try:
                self.look_again()
            except Exception:
                log.exception("ended sessions could not be looked after")

    def _store_ended(self) -> None:
        """Store each session that is not, as ended now: other processes ask only for what is new."""
        for digest in tuple(self._unstored):
            try:
                self._shelf.put_ended_session(EndedSession(digest, self._clock()))
            except StoreError as error:
                log.warning("a log-out is not stored yet, it holds in this process alone", error=str(error))
                return
            except Exception:
                log.exception("a log-out is not stored, by a fault of the program; it holds in this process alone")
                return
            with self._lock:
                self._unstored.discard(digest)

    def _hear(self) -> None:
        """Ask for what was ended since the last time; two machines' clocks differ a little."""
        asked_at = self._clock()
        oldest = asked_at - ENDED_SESSIONS_KEPT_FOR
        try:
            told = self._shelf.ended_sessions(max(oldest, (self._heard_at or oldest) - CLOCKS_DIFFER_AT_MOST))
        except StoreError as error:
            if not self._is_down:
                log.warning("ended sessions could not be read, those known so far stay ended", error=str(error))
            self._is_down = True
            return
        with self._lock:
            known = {**self._ended, **{ended.digest: ended.ended_at for ended in told}}
            self._ended = {digest: at for digest, at in known.items() if at > oldest}
        self._heard_at = asked_at
        self._is_down = False
