"""The file of bars (SQLite): one row a minute of each symbol, from the source that knows it best.

WAL with ``synchronous=NORMAL``: a killed process leaves whole minutes, and loses at most the batch it was writing. A
program may open the file several times and beside other programs: each store is one connection, for one thread at a
time.
"""

from __future__ import annotations

import ctypes
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from feeds.bars.resample import Span, candles_of
from feeds.bars.rows import COLUMNS, Row, bars_of, best_of_each, row_of
from feeds.bars.types import Bar, BarCandle, SymbolRow, timeframe_named
from wire.named_files import create_private, make_private

MIGRATIONS = Path(__file__).with_name("migrations")
BATCH = 2_000
"""Bars of one transaction: a few milliseconds, for which another writer waits."""

BUSY_MILLISECONDS = 5_000
END_OF_TIME = 2**62
TABLES = {False: "bars", True: "simulated_bars"}
ADD = {
    simulated: f"INSERT INTO {table} ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) "  # noqa: S608
    for simulated, table in TABLES.items()
}
KEEP_KNOWN = "ON CONFLICT DO NOTHING"
REPLACE_KNOWN = """
    ON CONFLICT (symbol, t) DO UPDATE SET
        open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
        volume = excluded.volume, source = excluded.source
    WHERE excluded.source < source OR (excluded.source = source
        AND (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume)
            IS NOT (open, high, low, close, volume))"""
COUNT = """
    INSERT INTO symbols (symbol, simulated, rows) VALUES (?, ?, ?)
    ON CONFLICT (symbol, simulated) DO UPDATE SET rows = rows + excluded.rows"""


class BarsUnusable(Exception):
    """The file cannot be opened; the message is one sentence with the reason."""


class BarStore:
    """The open file. Close it when it is done with, or `leave_open` one that has lost its name."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Open `path`, creating it when it is new; `clock` says which candles have ended. Raises `BarsUnusable`."""
        self._clock = clock
        self._path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            create_private(path)
            make_private(path)
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
            self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
            self._migrate()
            self._file = os.stat(path)
        except (sqlite3.Error, OSError) as error:
            raise BarsUnusable(f"The file {path} of bars cannot be used: {error}.") from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def leave_open(self) -> None:
        """Leave the connection to the end of the process: closing it would delete the log of another file by name."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._connection))

    def has_its_name(self) -> bool:
        """Return whether the path still names the open file: SQLite goes on with one that was deleted or replaced."""
        try:
            return os.path.samestat(os.stat(self._path), self._file)
        except OSError:
            return False

    # -- writing ------------------------------------------------------------------------------------------------

    def put(self, bars: Iterable[Bar]) -> int:
        """Store bars and return how many rows were added or changed; the same bars again change 0.

        Of one minute the source with the lower rank wins; one of equal rank replaces what is different. They are stored
        in batches of whole minutes. Raises BarRefused for a bar that cannot be one: the batches before it are stored.
        """
        changed = 0
        waiting = iter(bars)
        while batch := [row_of(bar) for bar in islice(waiting, BATCH)]:
            with self._transaction():
                for (symbol, simulated), rows in best_of_each(batch).items():
                    changed += self._put(symbol, simulated, rows)
        return changed

    def _put(self, symbol: str, simulated: bool, rows: list[Row]) -> int:
        """Add the rows whose minutes are new, then replace those of known minutes; return how many of both."""
        added = self._connection.executemany(ADD[simulated] + KEEP_KNOWN, rows).rowcount
        if added:
            self._connection.execute(COUNT, (symbol, simulated, added))
        if added == len(rows):
            return added
        return added + self._connection.executemany(ADD[simulated] + REPLACE_KNOWN, rows).rowcount

    # -- reading ------------------------------------------------------------------------------------------------

    def minutes(
        self, symbol: str, start: int | None, end: int | None, limit: int, *, simulated: bool = False
    ) -> list[Bar]:
        """Return bars from `start` until just before `end`, ascending: with `start` the first, without the newest."""
        order = "ASC" if start is not None else "DESC"
        rows = self._connection.execute(
            f"SELECT {', '.join(COLUMNS)} FROM {TABLES[simulated]} WHERE symbol = ? AND t >= ? AND t < ?"  # noqa: S608
            f" ORDER BY t {order} LIMIT ?",
            (symbol, start or 0, END_OF_TIME if end is None else end, max(limit, 0)),
        ).fetchall()
        return bars_of(rows if start is not None else reversed(rows))

    def candles(
        self,
        symbol: str,
        timeframe: str,
        start: int | None,
        end: int | None,
        limit: int,
        *,
        simulated: bool = False,
    ) -> list[BarCandle]:
        """Return candles that begin from `start` until just before `end`, ascending, chosen as by `minutes`.

        Periods without a bar have no candle. Raises UnknownTimeframe and, for a symbol that is in no table of
        instruments, UnknownInstrument.
        """
        span = Span(symbol, start, END_OF_TIME if end is None else end, limit)
        return candles_of(self._connection, TABLES[simulated], span, timeframe_named(timeframe), self._clock())

    def symbols(self) -> list[SymbolRow]:
        """Return what is stored of each symbol, real and simulated, by name."""
        counted = self._connection.execute("SELECT symbol, simulated, rows FROM symbols ORDER BY symbol, simulated")
        return [
            SymbolRow(symbol, rows, *self._ends_of(symbol, bool(simulated)), bool(simulated))
            for symbol, simulated, rows in counted.fetchall()
        ]

    def last(self, symbol: str, *, simulated: bool = False) -> Bar | None:
        """Return the newest bar of a symbol, None without one."""
        newest = self.minutes(symbol, None, None, 1, simulated=simulated)
        return newest[0] if newest else None

    def _ends_of(self, symbol: str, simulated: bool) -> tuple[int, int]:
        ends = f"SELECT (SELECT min(t) FROM {TABLES[simulated]} WHERE symbol = ?1), max(t) FROM {TABLES[simulated]}"  # noqa: S608
        first, last = self._connection.execute(f"{ends} WHERE symbol = ?1", (symbol,)).fetchone()
        return int(first), int(last)

    # -- the file -----------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Write all or nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk may have ended the transaction already
                self._connection.execute("ROLLBACK")
            raise

    def _migrate(self) -> None:
        steps = sorted(MIGRATIONS.glob("[0-9]*.sql"))
        if self._schema() == len(steps):
            return
        with self._transaction():  # another program may open the new file in this moment
            schema = self._schema()
            if schema > len(steps):
                raise BarsUnusable(f"It has schema {schema}, this program knows {len(steps)}: start the newer program")
            for step in steps[schema:]:
                for statement in statements_of(step.read_text("utf-8")):
                    self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version={len(steps)}")

    def _schema(self) -> int:
        ((schema,),) = self._connection.execute("PRAGMA user_version").fetchall()
        return int(schema)


def statements_of(script: str) -> Iterator[str]:
    """Yield the statements of a script one by one: `executescript` would end the transaction that it is in."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
