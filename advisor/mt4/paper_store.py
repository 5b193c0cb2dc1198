"""The paper account in the advisor's file: balance, orders, positions, fills. What was stored is stored (FULL)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from advisor.mt4.file import Mt4File
from advisor.mt4.paper_book import Deal, MinutesPassed, PaperOrder, PaperPosition
from advisor.mt4.requests import RequestBook, keep_answered
from sidecar.problems import RETRY_SECONDS, ServiceRefused

ORDER = ""
"""The kind of the names of orders."""

Row = TypeVar("Row", bound=Struct)
ORDERS = "ticket, symbol, action, volume, price, stop_loss, take_profit, comment, placed_at, simulated, next_minute"
POSITIONS = (
    "ticket, symbol, side, volume, open_price, stop_loss, take_profit, comment, opened_at, simulated, next_minute"
)
DEALS = "position, symbol, side, entry, volume, price, profit, reason, at, simulated"


class PaperStore:
    """The tables of the paper account. Every call raises `ServiceRefused` (503) while the file cannot be used."""

    def __init__(self, file: Mt4File) -> None:
        """Keep the account in `file`."""
        self._file = file

    # -- reading ------------------------------------------------------------------------------------------------

    def balance(self) -> Decimal:
        """Return the balance."""
        with self._file.reading() as file:
            ((text,),) = file.execute("SELECT balance FROM mt4_account").fetchall()
        return Decimal(text)

    def orders(self, symbol: str | None = None, simulated: bool | None = None) -> list[PaperOrder]:
        """Return what rests, oldest first."""
        with self._file.reading() as file:
            rows = file.execute(f"SELECT {ORDERS} FROM mt4_orders WHERE state = 'resting' ORDER BY ticket")  # noqa: S608
            found = _read(rows, ORDERS, PaperOrder)
        for one in found:
            one.was = one.next_minute
        return [one for one in found if symbol in (None, one.symbol) and simulated in (None, one.simulated)]

    def positions(self, symbol: str | None = None, simulated: bool | None = None) -> list[PaperPosition]:
        """Return what is open, oldest first."""
        with self._file.reading() as file:
            rows = file.execute(f"SELECT {POSITIONS} FROM mt4_positions WHERE is_open = 1 ORDER BY ticket")  # noqa: S608
            found = _read(rows, POSITIONS, PaperPosition)
        for one in found:
            one.was = one.volume, one.next_minute
        return [one for one in found if symbol in (None, one.symbol) and simulated in (None, one.simulated)]

    def deals(self, limit: int) -> list[tuple[int, Deal]]:
        """Return the newest fills with their numbers, oldest of them first."""
        with self._file.reading() as file:
            rows = file.execute(
                f"SELECT number, {DEALS} FROM mt4_deals ORDER BY number DESC LIMIT ?",  # noqa: S608
                (limit,),
            ).fetchall()
        return [(int(row[0]), _read([row[1:]], DEALS, Deal)[0]) for row in reversed(rows)]

    def answered(self, name: str, kind: str = ORDER) -> tuple[str, str] | None:
        """Return what a caller's own name of an order asked for and was answered, None for a new one."""
        kept = RequestBook(self._file, kind).find(name)
        return None if kept is None else (kept.request, kept.answer)

    # -- changing: one transaction for each act -----------------------------------------------------------------

    @contextmanager
    def changing(self) -> Iterator[PaperChange]:
        """Change the account: all of it is stored, or nothing."""
        with self._file.writing() as file:
            yield PaperChange(file)


class PaperChange:
    """One change of the account, within its transaction."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file

    def ticket(self) -> int:
        """Return the next number of an order."""
        ((ticket,),) = self._file.execute(
            "UPDATE mt4_account SET next_ticket = next_ticket + 1 RETURNING next_ticket - 1"
        ).fetchall()
        return int(ticket)

    def rests(self, order: PaperOrder) -> None:
        """Store a resting order."""
        self._add("mt4_orders", ORDERS, order, "state", "resting")

    def opens(self, position: PaperPosition, deal: Deal) -> None:
        """Store a new position and the fill that opened it."""
        self._add("mt4_positions", POSITIONS, position, "is_open", int(position.volume > 0))
        self.fills(deal)

    def closes(self, position: PaperPosition, deal: Deal) -> None:
        """Store what a fill left of a position."""
        self._hold(position)
        self.fills(deal)

    def fills(self, deal: Deal) -> None:
        """Store a fill, and what it made or lost in the balance."""
        self._add("mt4_deals", DEALS, deal)
        if deal.profit:
            ((balance,),) = self._file.execute("SELECT balance FROM mt4_account").fetchall()
            self._file.execute("UPDATE mt4_account SET balance = ?", (str(Decimal(balance) + deal.profit),))

    def ends(self, order: PaperOrder, state: str) -> None:
        """Note that an order rests no more. Raises `ServiceRefused` when it is not as it was read."""
        self._of_order("state = ?", state, order)

    def passed(self, passed: MinutesPassed, seen: Sequence[PaperOrder]) -> None:
        """Store what minutes did; `seen` are the orders that rested before."""
        for order in passed.filled:
            self.ends(order, "filled")
        for position in passed.opened:
            self._add("mt4_positions", POSITIONS, position, "is_open", int(position.volume > 0))
        for deal in passed.deals:
            self.fills(deal)
        for position in passed.positions:
            if position not in passed.opened:
                self._hold(position)
        for order in seen:
            if order not in passed.filled:
                self._of_order("next_minute = ?", order.next_minute, order)

    def _of_order(self, change: str, value: Any, order: PaperOrder) -> None:
        statement = f"UPDATE mt4_orders SET {change} WHERE ticket = ? AND state = 'resting' AND next_minute = ?"  # noqa: S608
        self._one(statement, (value,), (order.ticket, order.was))

    def answers(self, name: str, request: str, answer: str, kind: str = ORDER) -> None:
        """Store the answer to a caller's own name, of an order by itself."""
        keep_answered(self._file, kind, name, request, answer)

    def _hold(self, position: PaperPosition) -> None:
        """Store what is left of a position. Raises `ServiceRefused` when it is not as it was read."""
        volume, next_minute = position.was
        self._one(
            "UPDATE mt4_positions SET volume = ?, next_minute = ?, is_open = ?"
            " WHERE ticket = ? AND is_open = 1 AND volume = ? AND next_minute = ?",
            (str(position.volume), position.next_minute, int(position.volume > 0)),
            (position.ticket, str(volume), next_minute),
        )

    def _one(self, statement: str, values: tuple[Any, ...], was: tuple[Any, ...]) -> None:
        """Change the one row that is as it was read. Another program may have changed it: then nothing is stored."""
        if self._file.execute(statement, (*values, *was)).rowcount != 1:
            raise ServiceRefused("not_available", "the account was changed meanwhile: ask again", RETRY_SECONDS)

    def _add(self, table: str, columns: str, row: Struct, *more: Any) -> None:
        """Insert a struct; `more` is the name of one further column and its value."""
        extra, values = (f", {more[0]}", more[1:]) if more else ("", ())
        stored = [_stored(getattr(row, name)) for name in columns.split(", ")]
        marks = ", ".join("?" * (len(stored) + len(values)))
        self._file.execute(f"INSERT INTO {table} ({columns}{extra}) VALUES ({marks})", (*stored, *values))  # noqa: S608


def _stored(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def _read(rows: Any, columns: str, shape: type[Row]) -> list[Row]:
    names = columns.split(", ")
    return [msgspec.convert(dict(zip(names, row, strict=True)), shape, strict=False) for row in rows]
