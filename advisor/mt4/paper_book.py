"""The paper account's orders and positions of one symbol in one market, and what a minute does to them (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from advisor.mt4.fills import MINUTE, filled_at, left_at, seen_after
from advisor.mt4.lots import Lot
from wire.minutes import MinuteRow
from wire.mt4 import DealReason, Mt4Action
from wire.types import Side, opposite

MICROSECONDS = 1_000_000
NONE = Decimal(0)


class PaperOrder(Struct, kw_only=True):
    """A resting order. ``next_minute`` is the first minute that was not looked at; times as in the file."""

    ticket: int
    symbol: str
    action: Mt4Action
    volume: Decimal
    price: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None
    comment: str
    placed_at: int
    simulated: bool
    next_minute: int
    was: int = 0
    """``next_minute`` as it was read."""

    @property
    def side(self) -> Side:
        """The direction."""
        return "BUY" if self.action.startswith("BUY") else "SELL"


class PaperPosition(Struct, kw_only=True):
    """A position. ``volume`` is what is still held, 0 once it is closed."""

    ticket: int
    symbol: str
    side: Side
    volume: Decimal
    open_price: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None
    comment: str
    opened_at: int
    simulated: bool
    next_minute: int
    was: tuple[Decimal, int] = (NONE, 0)
    """``volume`` and ``next_minute`` as they were read."""

    def profit_at(self, price: Decimal, volume: Decimal, lot: Lot) -> Decimal:
        """Return what so many lots of it are worth at a price, against its own."""
        distance = price - self.open_price if self.side == "BUY" else self.open_price - price
        return lot.profit(distance, volume)


class Deal(Struct, frozen=True, kw_only=True):
    """A fill."""

    position: int
    symbol: str
    side: Side
    entry: str
    volume: Decimal
    price: Decimal
    profit: Decimal
    reason: DealReason
    at: int
    simulated: bool


def minute_of(at: int) -> int:
    """Return the start of the minute of an instant."""
    return at // MICROSECONDS // MINUTE * MINUTE


def opened(order: PaperOrder, price: Decimal, at: int, next_minute: int) -> PaperPosition:
    """Return the position that a filled order becomes. It has the order's ticket."""
    return PaperPosition(
        ticket=order.ticket,
        symbol=order.symbol,
        side=order.side,
        volume=order.volume,
        open_price=price,
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        comment=order.comment,
        opened_at=at,
        simulated=order.simulated,
        next_minute=next_minute,
    )


def entry_deal(position: PaperPosition, reason: DealReason) -> Deal:
    """Return the fill that opened a position."""
    return Deal(
        position=position.ticket,
        symbol=position.symbol,
        side=position.side,
        entry="in",
        volume=position.volume,
        price=position.open_price,
        profit=NONE,
        reason=reason,
        at=position.opened_at,
        simulated=position.simulated,
    )


def closed(position: PaperPosition, volume: Decimal, price: Decimal, reason: DealReason, at: int, lot: Lot) -> Deal:
    """Take so many lots out of a position, and return the fill."""
    position.volume -= volume
    return Deal(
        position=position.ticket,
        symbol=position.symbol,
        side=opposite(position.side),
        entry="out",
        volume=volume,
        price=price,
        profit=position.profit_at(price, volume, lot),
        reason=reason,
        at=at,
        simulated=position.simulated,
    )


class MinutesPassed:
    """What some minutes did to the orders and positions of a symbol. They change in place; the fills are collected."""

    def __init__(self, orders: Sequence[PaperOrder], positions: Sequence[PaperPosition], lot: Lot) -> None:
        """Begin with what rests and what is open."""
        self.orders = list(orders)
        self.positions = list(positions)
        self.filled: list[PaperOrder] = []
        self.opened: list[PaperPosition] = []
        self.deals: list[Deal] = []
        self.touched: set[int] = set()
        """Orders that a minute has filled which may still be improved: they are filled once it stands."""

        self._lot = lot

    def passes(self, minute: MinuteRow) -> None:
        """Let a closed minute pass: positions first, then orders, because what it fills has had less of it."""
        for position in self.positions:
            if position.volume and position.next_minute <= minute.t:
                self._hold(position, minute)
        for order in tuple(self.orders):
            if order.next_minute <= minute.t:
                self._rest(order, minute)

    def touches(self, minute: MinuteRow) -> None:
        """Let a minute count that may still be improved: a price that it tells was traded, whatever else was.

        What touched a stop-loss has closed the position, and what filled an order has filled it; of the minute in which
        either began nothing is certain.
        """
        for position in self.positions:
            is_later = position.next_minute <= minute.t and position.opened_at <= minute.t * MICROSECONDS
            if position.volume and is_later:
                self._hold(position, minute, by_stop_alone=True)
        for order in self.orders:
            is_later = order.next_minute <= minute.t and order.placed_at <= minute.t * MICROSECONDS
            seen = seen_after(minute, order.placed_at / MICROSECONDS)
            if is_later and filled_at(order.action, order.price, seen) is not None:
                self.touched.add(order.ticket)

    def _hold(self, position: PaperPosition, minute: MinuteRow, *, by_stop_alone: bool = False) -> None:
        seen = seen_after(minute, position.opened_at / MICROSECONDS)
        if by_stop_alone and left_at(position.side, position.stop_loss, None, seen) is None:
            return
        position.next_minute = minute.t + MINUTE
        left = left_at(position.side, position.stop_loss, position.take_profit, seen)
        if left is not None:
            at = position.next_minute * MICROSECONDS
            self.deals.append(closed(position, position.volume, left.price, left.reason, at, self._lot))

    def _rest(self, order: PaperOrder, minute: MinuteRow) -> None:
        seen = seen_after(minute, order.placed_at / MICROSECONDS)
        order.next_minute = minute.t + MINUTE
        price = filled_at(order.action, order.price, seen)
        if price is None:
            return
        position = opened(order, price, order.next_minute * MICROSECONDS, order.next_minute)
        self.orders.remove(order)
        self.filled.append(order)
        self.opened.append(position)
        self.deals.append(entry_deal(position, "limit" if order.action.endswith("LIMIT") else "stop"))
        if order.stop_loss is not None and left_at(order.side, order.stop_loss, None, seen) is not None:
            # in the same minute: nobody knows that it was not after the fill
            at = position.opened_at
            self.deals.append(closed(position, position.volume, order.stop_loss, "stop_loss", at, self._lot))
        if position.volume:
            self.positions.append(position)  # the later minutes of this pass are of it too
