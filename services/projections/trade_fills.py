"""The fills of a trade: every time that contracts of it changed hands, and at which price.

Written beside the commit of the decision, like the gates at the entry (``services/projections/entry_gates.py``).
Those of trades closed before version 5 of the store are what the journal of commands still tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec
from msgspec import Struct

from services.engine.decide import Decision
from services.engine.model.events import OrderReported, TradeClosed, TradeOpened, TradeResized
from services.engine.model.state import Desk
from services.projections.projection import Decided, Projection, decoded
from services.stores.records import Kind, Record, row_id
from services.stores.store import Store
from wire.types import FillKind, Instant, Price, Side, opposite

TRADE_FILLS = Kind("trade_fills", found_by="trade_id")
FOLLOWED_BROKER = "BROKER_FLAT"
PRICE_PLACES = Decimal("0.00000001")


class Fill(Struct, frozen=True):
    """Contracts bought or sold. ``price`` is in the contract's price, ``quantity`` in contracts.

    ``order_id`` is None where the desk followed the broker's position without an order (SPEC 8.4): an ENTRY adopted, an
    EXIT as ``BROKER_FLAT``, a RESIZE of an open trade.
    """

    kind: FillKind
    side: Side
    quantity: int
    price: Price
    order_id: str | None = None


class TradeFill(Struct, frozen=True):
    """A fill, and when the desk heard of it."""

    at: Instant
    fill: Fill


def fill_records(decided: Decided) -> Iterator[Record]:
    """Yield what a decision filled."""
    for place, (trade_id, fill) in enumerate(fills_in(decided.before, decided.decision)):
        yield fill_record(trade_id, row_id(decided.sequence, place), fill, decided.now)


def fills_in(before: Desk, decision: Decision) -> Iterator[tuple[str, Fill]]:
    """Yield what a decision filled, each with its trade's id; ``before`` is the desk it was asked of."""
    for event in decision.events:
        if isinstance(event, OrderReported):
            yield from _reported(before, event)
        elif isinstance(event, TradeOpened) and event.adopted:
            yield event.trade_id, Fill("ENTRY", event.side, event.qty, event.price)
        elif isinstance(event, TradeClosed) and event.reason == FOLLOWED_BROKER:
            yield from _closed_by_broker(before, event)
        elif isinstance(event, TradeResized):
            yield from _resized(before, decision.desk, event)


def _reported(before: Desk, event: OrderReported) -> Iterator[tuple[str, Fill]]:
    """A bridge's report: an ENTRY opens the trade of its own id, any other order is of the trade that stands."""
    order, trade = before.orders.get(event.order_id), before.assets[event.asset].trade
    if order is None or not event.qty or event.price is None:
        return
    fill = Fill(order.kind, order.side, event.qty, event.price, order.id)
    if order.kind == "ENTRY":
        yield order.id, fill
    elif trade is not None:
        yield trade.id, fill


def _closed_by_broker(before: Desk, closed: TradeClosed) -> Iterator[tuple[str, Fill]]:
    """Take out of the average exit what had been filled before; rounding of the average must not show.

    The broker closes only what stood before the snapshot that shows it: the closed trade is the asset's.
    """
    trade = before.assets[closed.asset].trade
    if trade is not None:
        price = (closed.exit_price * closed.size - trade.exit_notional) / trade.quantity
        yield trade.id, Fill("EXIT", opposite(trade.side), trade.quantity, _plain(price))


def _resized(before: Desk, after: Desk, event: TradeResized) -> Iterator[tuple[str, Fill]]:
    was, now = before.assets[event.asset].trade, after.assets[event.asset].trade
    if was is None or now is None:
        return
    if (added := now.entered_quantity - was.entered_quantity) > 0:
        price = (now.entry_notional - was.entry_notional) / added
        yield now.id, Fill("RESIZE", now.side, added, _plain(price))
    elif (taken := now.exited_quantity - was.exited_quantity) > 0:
        price = (now.exit_notional - was.exit_notional) / taken
        yield now.id, Fill("RESIZE", opposite(now.side), taken, _plain(price))


def _plain(price: Price) -> Price:
    rounded = price.quantize(PRICE_PLACES).normalize()
    return rounded if rounded != rounded.to_integral_value() else rounded.quantize(Decimal(1))


def are_whole(fills: Sequence[TradeFill], closed: TradeClosed) -> bool:
    """Tell whether these are all fills of a closed trade: as much in as it was, and as much out again."""
    bought = sum(one.fill.quantity for one in fills if one.fill.side == closed.side)
    return bought == closed.size == sum(one.fill.quantity for one in fills) - bought


# -- as stored ------------------------------------------------------------------------------------------------------


def fill_record(trade_id: str, record_id: str, fill: Fill, at: Instant) -> Record:
    """Return a fill as it is stored."""
    return Record(TRADE_FILLS, record_id, at, msgspec.json.encode(fill), {"trade_id": trade_id})


def fills_of(store: Store, trade_id: str) -> list[TradeFill]:
    """Return the kept fills of a trade as they happened. Raises StoreDown, StoreUnreadable."""
    return [TradeFill(record.at, _read(record)) for record in store.records_with(TRADE_FILLS, trade_id)]


def _read(record: Record) -> Fill:
    return decoded(record, Fill, f"the fill {record.id}")


PROJECTION = Projection(TRADE_FILLS, fill_records)
