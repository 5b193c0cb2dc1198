"""The fills of a trade: every purchase and sale of its contracts, with the price.

They are stored with the commit of the decision, like the gates at the entry (``services/projections/entry_gates.py``).
Trades closed before version 5 of the store have no stored fills; only the journal shows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec
from msgspec import Struct

from services.engine.decide import Decision
from services.engine.model.events import FillBooked, OrderReported
from services.engine.model.proof_events import OrderFateSettled
from services.engine.model.state import Desk
from services.engine.model.trade_events import TradeClosed, TradeOpened, TradeResized
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
    """A fill, and when the desk recorded it."""

    at: Instant
    fill: Fill


def fill_records(decided: Decided) -> Iterator[Record]:
    """Yield the records of the fills in a decision."""
    for place, (trade_id, fill) in enumerate(fills_in(decided.before, decided.decision)):
        yield fill_record(trade_id, row_id(decided.sequence, place), fill, decided.now)


def fills_in(before: Desk, decision: Decision) -> Iterator[tuple[str, Fill]]:
    """Yield the fills in a decision, each with its trade's id. ``before`` is the desk before the decision."""
    booked = {event.trade_id for event in decision.events if isinstance(event, FillBooked)}
    for event in decision.events:
        if isinstance(event, OrderReported | OrderFateSettled):
            yield from _reported(before, decision.desk, event)
        elif isinstance(event, FillBooked):
            yield from _booked(event)
        elif isinstance(event, TradeOpened) and event.adopted and event.trade_id not in booked:
            yield event.trade_id, Fill("ENTRY", event.side, event.qty, event.price)
        elif isinstance(event, TradeClosed) and event.reason == FOLLOWED_BROKER:
            yield from _closed_by_broker(before, event)
        elif isinstance(event, TradeResized):
            yield from _resized(before, decision.desk, event)


def _booked(event: FillBooked) -> Iterator[tuple[str, Fill]]:
    """Yield the fill that no open order explains, unless it moved no position."""
    if event.trade_id is not None and event.kind is not None:
        yield event.trade_id, Fill(event.kind, event.side, event.qty, event.price, event.order_id)


def _reported(before: Desk, after: Desk, event: OrderReported | OrderFateSettled) -> Iterator[tuple[str, Fill]]:
    """Yield the fill of a bridge's report, or of an order whose fate was settled without one (SPEC 8.1).

    An ENTRY opens a trade or fills the one it opened; others the open one.
    """
    order = before.orders.get(event.order_id)
    trade = before.assets[event.asset].trade
    if order is None or not event.qty or event.price is None:
        return
    fill = Fill(order.kind, order.side, event.qty, event.price, order.id)
    if order.kind == "ENTRY":
        opened = after.assets[event.asset].trade
        yield (order.id if opened is None else opened.id), fill
    elif trade is not None:
        yield trade.id, fill


def _closed_by_broker(before: Desk, closed: TradeClosed) -> Iterator[tuple[str, Fill]]:
    """Yield the fill by which the desk followed a flat broker.

    Its price is computed from the trade's average exit price without the earlier exits, and rounded so that the
    division does not show. The closed trade is the asset's trade of before: a snapshot never closes a newer one.
    """
    trade = before.assets[closed.asset].trade
    if trade is not None:
        price = (closed.exit_price * closed.size - trade.exit_notional) / trade.quantity
        yield trade.id, Fill("EXIT", opposite(trade.side), trade.quantity, _plain(price))


def _resized(before: Desk, after: Desk, event: TradeResized) -> Iterator[tuple[str, Fill]]:
    was = before.assets[event.asset].trade
    now = after.assets[event.asset].trade
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
    """Return whether these are all fills of a closed trade: its whole size was entered and exited again."""
    entered = sum(one.fill.quantity for one in fills if one.fill.side == closed.side)
    return entered == closed.size == sum(one.fill.quantity for one in fills) - entered


# -- as stored ------------------------------------------------------------------------------------------------------


def fill_record(trade_id: str, record_id: str, fill: Fill, at: Instant) -> Record:
    """Return the record of a fill."""
    return Record(TRADE_FILLS, record_id, at, msgspec.json.encode(fill), {"trade_id": trade_id})


def fills_of(store: Store, trade_id: str) -> list[TradeFill]:
    """Return the stored fills of a trade, oldest first. Raises StoreDown, StoreUnreadable."""
    return [TradeFill(record.at, _read(record)) for record in store.records_with(TRADE_FILLS, trade_id)]


def fills_between(store: Store, since: Instant, until: Instant, limit: int) -> list[tuple[str, TradeFill]]:
    """Return the newest fills from ``since`` on and before ``until``, newest first, each with its trade's id.

    Raises StoreDown, StoreUnreadable.
    """
    records = store.newest_records(TRADE_FILLS, limit, since, until)
    return [(str(record.found_by), TradeFill(record.at, _read(record))) for record in records]


def _read(record: Record) -> Fill:
    return decoded(record, Fill, f"the fill {record.id}")


PROJECTION = Projection(TRADE_FILLS, fill_records)
