"""Closed trades, each with its initial stop."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct

from services.engine.model.state import Desk
from services.engine.model.trade_events import TradeClosed, closed_trades
from services.projections.projection import Decided, Projection
from services.stores.codec import documents
from services.stores.records import Kind, Record, Scalar
from services.stores.store import Store
from wire.types import Instant

TRADES = Kind("trades", time="closed_at", is_replaced=True)


class ClosedTrade(Struct, frozen=True):
    """A closed trade. ``stop_points`` is the distance of its initial stop, None when unknown."""

    trade: TradeClosed
    stop_points: Decimal | None = None


def trade_records(decided: Decided) -> Iterator[Record]:
    """Yield the trades that a decision closed, and those whose exit it corrected."""
    for trade in closed_trades(decided.decision.events):
        yield trade_record(ClosedTrade(trade, _stop_of(decided.before, trade)))


def _stop_of(before: Desk, closed: TradeClosed) -> Decimal | None:
    """Return the distance of the trade's initial stop in points, None for an adopted trade."""
    asset = before.assets.get(closed.asset)
    trade = asset.trade if asset is not None else None
    if asset is not None and asset.closed_untold is not None and asset.closed_untold.trade.id == closed.id:
        trade = asset.closed_untold.trade
    if trade is None or trade.id != closed.id or trade.zone == "ADOPTED":
        return None
    return trade.protections.stop_points


# -- as stored ------------------------------------------------------------------------------------------------------


def trade_record(closed: ClosedTrade) -> Record:
    """Return the record of a closed trade."""
    trade = closed.trade
    facts: dict[str, Scalar] = {"asset": trade.asset}
    if closed.stop_points is not None:
        facts["stop_points"] = str(closed.stop_points)
    return Record(TRADES, trade.id, trade.exit_ts, documents.write_trade(trade), facts)


def closed_trade(store: Store, trade_id: str) -> ClosedTrade | None:
    """Return a closed trade, None when unknown. This and the next two raise StoreDown, StoreUnreadable."""
    record = store.record(TRADES, trade_id)
    return None if record is None else _read(record)


def last_trades(store: Store, limit: int) -> list[TradeClosed]:
    """Return the newest closed trades, newest first."""
    return [_read(record).trade for record in store.newest_records(TRADES, limit)]


def trades_between(store: Store, since: Instant, until: Instant, limit: int) -> list[ClosedTrade]:
    """Return trades closed from ``since`` on and before ``until``, newest first; equal times by id, descending."""
    return [_read(record) for record in store.newest_records(TRADES, limit, since, until)]


def _read(record: Record) -> ClosedTrade:
    stop_points = record.facts.get("stop_points")
    return ClosedTrade(documents.read_trade(record.body), None if stop_points is None else Decimal(stop_points))


PROJECTION = Projection(TRADES, trade_records, must_not_be_lost=True)
