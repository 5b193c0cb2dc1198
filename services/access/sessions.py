"""The operator's sessions: each login has its own id, and a log-out ends the session in every process.

The browser holds the session in a signed cookie, so a copy of the cookie is a copy of the session. Therefore every
ended session is remembered until it would have expired: its SHA-256 is in the store and in the memory of each process,
so a request needs no read from the store.
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
LOOK_EVERY_SECONDS = 10.0  # another process notices a log-out within it; on Firestore this costs 8,640 reads a day
CLOCKS_DIFFER_AT_MOST = timedelta(minutes=5)
ID_BYTES = 16
WRITTEN = re.compile(r"([0-9a-f]{32})\.(\d{1,12})", re.ASCII)

log = structlog.get_logger(__name__)


class Session(Struct, frozen=True):
    """One login: a random id, and its time in seconds since the epoch."""

    id: str
    began_at: int

    def __str__(self) -> str:
        """Return the text that ``read_session`` reads."""
        return f"{self.id}.{self.began_at}"

    @property
    def digest(self) -> str:
        """The digest of the id, which is stored when the session ends."""
        return sha256(self.id.encode()).hexdigest()


def read_session(written: str) -> Session | None:
    """Read a session, None when the text is none. Cookies of older programs had no id."""
    found = WRITTEN.fullmatch(written)
    return None if found is None else Session(found[1], int(found[2]))


class SessionStore(Protocol):
    """The part of the store that sessions need. Both methods raise StoreError."""

    def ended_sessions(self, since: datetime) -> list[EndedSession]:
        """Return the sessions that ended from an instant on."""

    def put_ended_session(self, ended: EndedSession) -> None:
        """Store an ended session."""


class Sessions:
    """Decides which sessions are valid.

    A log-out takes effect at once in this process. Once stored it survives a restart, and other processes notice it
    within ``LOOK_EVERY_SECONDS``. While the store is down the known log-outs stay in effect, and new ones are stored
    when it is back. Parameters: the store, and a clock (aware UTC).
    """

    def __init__(self, store: SessionStore, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        # Digest → end. The mapping is replaced and never changed, so reading it needs no lock.
        self._ended: Mapping[str, datetime] = {}
        self._unstored: set[str] = set()
        self._started_at = clock()
        self._read_at: datetime | None = None
        self._is_down = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sessions", daemon=True)
        self._read_ended()

    def begin(self) -> Session:
        """Return a new session. This needs no store, so a login works during an outage too."""
        return Session(secrets.token_hex(ID_BYTES), int(self._clock().timestamp()))

    def holds(self, session: Session) -> bool:
        """Return whether a session is valid: neither ended nor expired.

        Until the ended sessions were read for the first time, sessions from before this start are not valid, because
        one of them may have been ended.
        """
        age = self._clock().timestamp() - session.began_at
        if age >= SESSION_LASTS.total_seconds() or session.digest in self._ended:
            return False
        return self._read_at is not None or session.began_at >= int(self._started_at.timestamp())

    def end(self, session: Session) -> None:
        """End a session in this process and store that. While the store is down, storing is tried again later."""
        with self._lock:
            self._ended = {**self._ended, session.digest: self._clock()}
            self._unstored.add(session.digest)
        self._store_ended()

    def start(self) -> None:
        """Start the thread that reads the ended sessions every ``LOOK_EVERY_SECONDS``."""
        self._thread.start()

    def close(self) -> None:
        """Stop the thread, and try a last time to store log-outs. Then the store may be closed."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        self._store_ended()
        if self._unstored:
            log.error("log-outs were not stored: after a restart those sessions hold again", count=len(self._unstored))

    def look_again(self) -> None:
        """Store pending log-outs, and read those of other processes. The thread calls this periodically."""
        self._store_ended()
        self._read_ended()

    def _work(self) -> None:
        while not self._closing.wait(LOOK_EVERY_SECONDS):
            try:
                self.look_again()
            except Exception:
                log.exception("ended sessions could not be looked after")

    def _store_ended(self) -> None:
        """Store each pending log-out with the current time, because other processes read only recent ones."""
        for digest in tuple(self._unstored):
            try:
                self._store.put_ended_session(EndedSession(digest, self._clock()))
            except StoreError as error:
                log.warning("a log-out is not stored yet, it holds in this process alone", error=str(error))
                return
            except Exception:
                log.exception("a log-out is not stored, by a fault of the program; it holds in this process alone")
                return
            with self._lock:
                self._unstored.discard(digest)

    def _read_ended(self) -> None:
        """Read the sessions that ended since the last read, with a margin because two machines' clocks differ."""
        asked_at = self._clock()
        oldest = asked_at - ENDED_SESSIONS_KEPT_FOR
        try:
            found = self._store.ended_sessions(max(oldest, (self._read_at or oldest) - CLOCKS_DIFFER_AT_MOST))
        except StoreError as error:
            if not self._is_down:
                log.warning("ended sessions could not be read, those known so far stay ended", error=str(error))
            self._is_down = True
            return
        with self._lock:
            known = {**self._ended, **{ended.digest: ended.ended_at for ended in found}}
            self._ended = {digest: at for digest, at in known.items() if at > oldest}
        self._read_at = asked_at
        self._is_down = False
