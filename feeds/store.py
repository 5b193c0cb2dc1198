"""The one file of feeds: how far web's events were taken in, alerts, signals and candles (SQLite).

WAL with ``synchronous=NORMAL``: a killed process loses nothing, a power cut at most the last moments, which web's
events tell again. One connection, one thread: the loop's.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import astuple

from wire.named_files import create_private, make_private

MIGRATIONS = Path(__file__).with_name("migrations")
AlertKind = Literal["in_force", "simultaneous_break"]
KEPT_FOR = timedelta(days=30)
MOST_ALERTS = 100_000
CANDLES_OF_A_TIMEFRAME = 1_500
DROP_OLD_CANDLES = """
    DELETE FROM candles WHERE rowid IN (
        SELECT rowid FROM (
            SELECT rowid, row_number() OVER (
                PARTITION BY symbol, contract, source, simulated, timeframe ORDER BY start DESC) AS place FROM candles)
        WHERE place > ?)"""
DROP_CANDLES_BEFORE = "DELETE FROM candles WHERE start < ?"
KEEP_CANDLE = """
    INSERT OR REPLACE INTO candles (symbol, contract, source, simulated, timeframe, start, body)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
CANDLES_KEPT_FOR = timedelta(days=120)
"""Long enough for two closed candles of a week, and for the contract before the last roll."""


class StoreUnusable(Exception):
    """The file cannot be opened; the message is one sentence with the reason."""


class Cursor(Struct, frozen=True):
    """The last event taken in, and the event at which another journal would be noticed."""

    event_id: int
    anchor_id: int
    anchor: str


class StoredAlert(Struct, frozen=True):
    """One alert as it was stored."""

    id: int
    kind: AlertKind
    at: str
    body: str


class StoredCandle(Struct, frozen=True):
    """One candle as it was stored; ``start`` is ISO 8601 in UTC, ``body`` JSON."""

    symbol: str
    contract: str
    source: str
    simulated: int
    timeframe: str
    start: str
    body: str


class FeedsStore:
    """The open file. A second feeds on the same file is refused."""

    def __init__(self, path: Path) -> None:
        """Open `path`, creating it when it is new. Raises `StoreUnusable`."""
        self._depth = 0
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _take_lock(path)
            create_private(path)
            make_private(path)
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._connection.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=2000;"
            )
            self._migrate()
        except (sqlite3.Error, OSError) as error:
            raise StoreUnusable(f"The file {path} of feeds cannot be used: {error}.") from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all or nothing. A transaction inside another one joins the outer one."""
        if self._depth:
            yield self._connection
            return
        self._connection.execute("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk may have ended the transaction already
                self._connection.execute("ROLLBACK")
            raise
        finally:
            self._depth = 0

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Read rows, also those that an open transaction has written."""
        return self._connection.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Close the file and let another process have it."""
        self._connection.close()
        os.close(self._lock)

    # -- web's events -------------------------------------------------------------------------------------------

    def cursor(self) -> Cursor | None:
        """Return how far web's events were taken in, None before the first."""
        found = self.rows("SELECT event_id, anchor_id, anchor FROM cursor")
        return Cursor(*found[0]) if found else None

    def move_cursor(self, cursor: Cursor) -> None:
        """Note that everything up to this event was taken in."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO cursor (one, event_id, anchor_id, anchor) VALUES (1, ?, ?, ?)",
                (cursor.event_id, cursor.anchor_id, cursor.anchor),
            )

    # -- alerts -------------------------------------------------------------------------------------------------

    def add_alert(self, kind: AlertKind, at: datetime, body: str, now: datetime) -> int:
        """Store an alert and return its id: ``max(last + 1, microseconds)``, so that no id ever comes twice."""
        with self.transaction() as connection:
            ((last,),) = self.rows("SELECT coalesce(max(id), 0) FROM alerts")
            number = max(int(last) + 1, int(now.timestamp() * 1_000_000))
            connection.execute(
                "INSERT INTO alerts (id, kind, at, body) VALUES (?, ?, ?, ?)", (number, kind, _iso(at), body)
            )
        return number

    def alerts(self, kind: AlertKind, since_id: int, limit: int) -> list[StoredAlert]:
        """Return alerts with an id above `since_id`, oldest first."""
        sql = "SELECT id, kind, at, body FROM alerts WHERE kind = ? AND id > ? ORDER BY id LIMIT ?"
        return [StoredAlert(*row) for row in self.rows(sql, (kind, since_id, limit))]

    def newest_alerts(self, kind: AlertKind, limit: int) -> list[StoredAlert]:
        """Return the newest alerts, oldest first."""
        sql = "SELECT id, kind, at, body FROM alerts WHERE kind = ? ORDER BY id DESC LIMIT ?"
        return [StoredAlert(*row) for row in reversed(self.rows(sql, (kind, limit)))]

    # -- candles ------------------------------------------------------------------------------------------------

    def keep_candles(self, candles: Iterable[StoredCandle]) -> None:
        """Store candles; one of the same contract, source, timeframe and start is replaced."""
        with self.transaction() as connection:
            connection.executemany(KEEP_CANDLE, map(astuple, candles))

    def candles(self) -> list[StoredCandle]:
        """Return every candle, oldest first."""
        sql = "SELECT symbol, contract, source, simulated, timeframe, start, body FROM candles ORDER BY start"
        return [StoredCandle(*row) for row in self.rows(sql)]

    # -- upkeep -------------------------------------------------------------------------------------------------

    def prune(self, now: datetime) -> int:
        """Delete alerts and signals older than 30 days, what is beyond the bounds, and old candles; return how many.

        The newest alert stays whatever its age: the next id is counted from it.
        """
        before = _iso(now - KEPT_FOR)
        with self.transaction() as connection:
            gone = connection.execute(
                "DELETE FROM alerts WHERE id < (SELECT max(id) FROM alerts)"
                " AND (at < ? OR id <= (SELECT id FROM alerts ORDER BY id DESC LIMIT 1 OFFSET ?))",
                (before, MOST_ALERTS),
            ).rowcount
            gone += connection.execute("DELETE FROM signals WHERE at < ?", (before,)).rowcount
            gone += connection.execute(DROP_OLD_CANDLES, (CANDLES_OF_A_TIMEFRAME,)).rowcount
            gone += connection.execute(DROP_CANDLES_BEFORE, (_iso(now - CANDLES_KEPT_FOR),)).rowcount
        return gone

    def _migrate(self) -> None:
        steps = sorted(MIGRATIONS.glob("[0-9]*.sql"))
        ((schema,),) = self.rows("PRAGMA user_version")
        if schema > len(steps):
            raise StoreUnusable(f"It has schema {schema}, this program knows {len(steps)}: start the newer program")
        for number, step in enumerate(steps[schema:], schema + 1):
            sql = step.read_text("utf-8")
            self._connection.executescript(f"BEGIN IMMEDIATE; {sql} PRAGMA user_version={number}; COMMIT;")


def _take_lock(path: Path) -> int:
    """Take the lock beside the file, which the system releases however the process ends. Raises `StoreUnusable`."""
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StoreUnusable(f"Another feeds is already running on the file {path}.") from None
    return descriptor


def _iso(at: datetime) -> str:
    """Return an instant as text whose order is that of time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
