"""Configuration, decisions and shadow trades in the advisor's file. What was stored survives a power cut (FULL).

A bar of a symbol has one row, whoever comes first: a second decision of it changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import asdict

from advisor.auto.book import TAKES_A_PLACE, Decision, Trade
from advisor.database import SchemaUnknown, open_database
from sidecar.problems import ServiceRefused
from wire.auto_trade import AutoTradeConfig, Result
from wire.encoding import encode

logger = structlog.get_logger(__name__)

KEPT_HOLDS = 10_000
"""HOLDs of a symbol; older ones are deleted. What was more than a HOLD is kept."""

PRUNE_EVERY = 500
WAITING = "result IN ('awaiting', 'proposing')"
"""As the index has it."""

Found = TypeVar("Found")
Row = TypeVar("Row", bound=Struct)
PRUNE = """
    DELETE FROM auto_decisions WHERE number IN (SELECT number FROM (
        SELECT number, row_number() OVER (PARTITION BY symbol ORDER BY number DESC) AS place
        FROM auto_decisions WHERE result IS NULL) WHERE place > ?)"""


class Configured(Struct, frozen=True):
    """The configuration, and since when it is in force in seconds of the epoch."""

    config: AutoTradeConfig
    since: int


class AutoStore:
    """The file; it is opened when it is first needed, and tried again after a failure.

    Every call raises `ServiceRefused` (503 ``not_available``) while the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        """Keep everything at `path`."""
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._since_pruned = 0
        self._is_usable = True
        self.edition = 0
        """Changes with each change of a trade."""

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # -- configuration ------------------------------------------------------------------------------------------

    def configured(self) -> Configured | None:
        """Return the configuration, None before the first."""
        rows = self._read("SELECT body, since FROM auto_config")
        return None if not rows else Configured(msgspec.json.decode(rows[0][0], type=AutoTradeConfig), rows[0][1])

    def configure(self, configured: Configured) -> None:
        """Store the configuration."""
        body = encode(configured.config).decode()
        self._write(
            "INSERT INTO auto_config (id, body, since) VALUES (1, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET body = excluded.body, since = excluded.since",
            (body, configured.since),
        )

    # -- decisions ----------------------------------------------------------------------------------------------

    def add(self, decision: Decision, trade: Trade | None) -> bool:
        """Store a decision and its trade, unless one of that bar is there. Return whether it is new."""
        with self._transaction() as connection:
            is_new = _insert(connection, "auto_decisions", decision) == 1
            if is_new and trade is not None:
                _insert(connection, "auto_trades", trade)
        self.edition += is_new
        self._since_pruned += is_new
        if self._since_pruned >= PRUNE_EVERY:
            self._since_pruned = 0
            self.prune()
        return is_new

    def is_decided(self, symbol: str, bar: int) -> bool:
        """Return whether a bar has its decision."""
        return bool(self._read("SELECT 1 FROM auto_decisions WHERE symbol = ? AND bar = ?", (symbol, bar)))

    def decision(self, name: str) -> Decision | None:
        """Return a decision by its id."""
        return next(self._all(Decision, "auto_decisions", "WHERE id = ?", (name,)), None)

    def decisions(self, limit: int, symbol: str | None = None) -> list[Decision]:
        """Return the newest decisions, newest first."""
        where, values = ("", ()) if symbol is None else ("WHERE symbol = ?", (symbol,))
        return list(self._all(Decision, "auto_decisions", f"{where} ORDER BY number DESC LIMIT ?", (*values, limit)))

    def awaiting(self) -> list[Decision]:
        """Return the decisions that wait to be confirmed, oldest first."""
        where = f"WHERE {WAITING} AND result = 'awaiting' AND confirm_until > 0 ORDER BY confirm_until, number"
        return list(self._all(Decision, "auto_decisions", where))

    def taken(self, since_day: int) -> list[tuple[str, int]]:
        """Return symbol and trade date of the decisions from a trade date on that take one of the day's trades."""
        marks = ", ".join("?" * len(TAKES_A_PLACE))
        where = f"result IN ({marks}) AND day >= ?"  # the marks are ours
        return [
            (symbol, day)
            for symbol, day in self._read(
                f"SELECT symbol, day FROM auto_decisions WHERE result IS NOT NULL AND {where}",  # noqa: S608
                (*sorted(TAKES_A_PLACE), since_day),
            )
        ]

    def end_awaiting(
        self,
        name: str,
        result: Result,
        *,
        trade: Trade | None = None,
        blocked_by: str | None = None,
    ) -> bool:
        """End the wait of a decision in one way, with its trade. Return False when it has ended before."""
        with self._transaction() as connection:
            ended = connection.execute(
                "UPDATE auto_decisions SET result = ?, blocked_by = ? WHERE id = ? AND result = 'awaiting'",
                (result, blocked_by, name),
            ).rowcount
            if ended and trade is not None:
                _insert(connection, "auto_trades", trade)
        self.edition += ended
        return ended == 1

    def settle(
        self,
        name: str,
        result: Literal["proposed", "blocked"],
        *,
        blocked_by: str | None = None,
        proposal: str | None = None,
    ) -> bool:
        """Store what became of a proposal that was asked for. Return False when that was known already.

        An answer may come after the time is over. That it was made counts for more than that it was refused: where it
        was asked for twice at one time, both were answered.
        """
        before = ("proposing", "unknown", "blocked" if result == "proposed" else "unknown")
        return (
            self._write(
                "UPDATE auto_decisions SET result = ?, blocked_by = ?, proposal = ? "
                "WHERE id = ? AND mode = 'proposals' AND proposal IS NULL AND result IN (?, ?, ?)",
                (result, blocked_by, proposal, name, *before),
            )
            == 1
        )

    def wait_again(self, name: str) -> bool:
        """Let a decision wait again whose proposal was asked of nobody. Return False when it had ended meanwhile."""
        return (
            self._write("UPDATE auto_decisions SET result = 'awaiting' WHERE id = ? AND result = 'proposing'", (name,))
            == 1
        )

    def unsettled(self, since: int) -> list[Decision]:
        """Return the decisions of whose proposal nobody knows, whose time was not over at an instant."""
        where = "WHERE mode = 'proposals' AND result IN ('proposing', 'unknown') AND confirm_until > ?"
        return list(self._all(Decision, "auto_decisions", where, (since,)))

    def expire(self, now: int) -> int:
        """End the wait of those whose time is over. Return how many there were.

        Nobody knows of a proposal that was asked for and not answered by then.
        """
        ended = "CASE result WHEN 'awaiting' THEN 'expired' ELSE 'unknown' END"
        return self._write(
            f"UPDATE auto_decisions SET result = {ended} WHERE {WAITING} AND confirm_until <= ?",  # noqa: S608 - ours
            (now,),
        )

    def prune(self) -> None:
        """Delete all but the newest 10,000 HOLDs of each symbol."""
        self._write(PRUNE, (KEPT_HOLDS,))

    # -- trades -------------------------------------------------------------------------------------------------

    def open_trades(self) -> list[Trade]:
        """Return the trades of which not all bars are over, oldest first."""
        return list(self._all(Trade, "auto_trades", "WHERE counted IS NULL ORDER BY entry_from"))

    def trades(self) -> list[Trade]:
        """Return every trade of the book, oldest first."""
        return list(self._all(Trade, "auto_trades", "ORDER BY entry_from, symbol"))

    def trades_of(self, names: Sequence[str]) -> dict[str, Trade]:
        """Return the trades of these decisions."""
        marks = ", ".join("?" * len(names))
        return {one.decision: one for one in self._all(Trade, "auto_trades", f"WHERE decision IN ({marks})", names)}

    def holds_one(self, symbol: str) -> bool:
        """Return whether a trade of the symbol is open."""
        return bool(self._read("SELECT 1 FROM auto_trades WHERE symbol = ? AND result = 'pending'", (symbol,)))

    def update(self, trade: Trade) -> None:
        """Store what became of a trade, with its decision."""
        columns = asdict(trade)
        decision = columns.pop("decision")
        settings = ", ".join(f"{name} = :{name}" for name in columns)
        with self._transaction() as connection:
            connection.execute(
                f"UPDATE auto_trades SET {settings} WHERE decision = :decision",  # noqa: S608 - names of our fields
                {**columns, "decision": decision},
            )
            connection.execute("UPDATE auto_decisions SET result = ? WHERE id = ?", (trade.result, decision))
        self.edition += 1

    # -- the file -----------------------------------------------------------------------------------------------

    def _all(self, shape: type[Row], table: str, rest: str, values: Iterable[Any] = ()) -> Iterator[Row]:
        names = shape.__struct_fields__
        rows = self._read(f"SELECT {', '.join(names)} FROM {table} {rest}", values)  # noqa: S608 - names of our fields
        return (shape(**dict(zip(names, row, strict=True))) for row in rows)

    def _read(self, query: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        return self._use(lambda connection: connection.execute(query, tuple(values)).fetchall())

    def _write(self, query: str, values: Iterable[Any]) -> int:
        return self._use(lambda connection: connection.execute(query, tuple(values)).rowcount)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Give the file within one transaction, which is undone when the block fails."""
        self._write("BEGIN IMMEDIATE", ())
        connection = self._opened()
        try:
            yield connection
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            connection.rollback()
            raise self._unusable(error) from error
        except BaseException:
            connection.rollback()
            raise

    def _use(self, do: Callable[[sqlite3.Connection], Found]) -> Found:
        try:
            found = do(self._opened())
        except (sqlite3.Error, OSError, SchemaUnknown) as error:
            raise self._unusable(error) from error
        self._is_usable = True
        return found

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_database(self._path, "FULL")
        return self._connection

    def _unusable(self, error: Exception) -> ServiceRefused:
        if self._is_usable:
            logger.error("auto-trade waits for its file", file=str(self._path), reason=str(error))
        self._is_usable = False
        return ServiceRefused("not_available", f"the advisor's file cannot be used: {error}")


def _insert(connection: sqlite3.Connection, table: str, row: Struct) -> int:
    """Insert a row unless its key is there. Return how many were inserted."""
    columns = asdict(row)
    names, marks = ", ".join(columns), ", ".join(f":{name}" for name in columns)
    statement = f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608 - our names
    return connection.execute(statement, columns).rowcount
