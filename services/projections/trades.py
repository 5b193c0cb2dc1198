"""Closed trades, each with its initial stop and its target."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct

from services.engine.model.state import Desk
from services.engine.model.trade import Trade
from services.engine.model.trade_events import TradeClosed, closed_trades
from services.projections.projection import Decided, Projection
from services.stores.codec import documents
from services.stores.records import Kind, Record, Scalar
from services.stores.store import Store
from wire.types import Instant

TRADES = Kind("trades", time="closed_at", is_replaced=True)


class ClosedTrade(Struct, frozen=True):
    """A closed trade. ``stop_points`` is the distance of its initial stop, None when unknown.

    ``target_points`` is the take-profit that was on when it closed, None when it was off, and in older records.
    """

    trade: TradeClosed
    stop_points: Decimal | None = None
    target_points: Decimal | None = None


def trade_records(decided: Decided) -> Iterator[Record]:
    """Yield the trades that a decision closed, and those whose exit it corrected."""
    for trade in closed_trades(decided.decision.events):
        held = _held_before(decided.before, trade)
        yield trade_record(ClosedTrade(trade, _stop_of(held), _target_of(held)))


def _held_before(before: Desk, closed: TradeClosed) -> Trade | None:
    """Return the trade as it was before the decision that closed it."""
    asset = before.assets.get(closed.asset)
    trade = asset.trade if asset is not None else None
    if asset is not None and asset.closed_untold is not None and asset.closed_untold.trade.id == closed.id:
        trade = asset.closed_untold.trade
    return trade if trade is not None and trade.id == closed.id else None


def _stop_of(held: Trade | None) -> Decimal | None:
    """Return the distance of the trade's initial stop in points, None for an adopted trade."""
    return None if held is None or held.zone == "ADOPTED" else held.protections.stop_points


def _target_of(held: Trade | None) -> Decimal | None:
    """Return the points of the trade's take-profit (SPEC 6.1), None when it was off."""
    if held is None or not held.protections.points_tp_enabled:
        return None
    return held.protections.points_tp_target


# -- as stored ------------------------------------------------------------------------------------------------------


def trade_record(closed: ClosedTrade) -> Record:
    """Return the record of a closed trade."""
    trade = closed.trade
    facts: dict[str, Scalar] = {"asset": trade.asset}
    for name in ("stop_points", "target_points"):
        points: Decimal | None = getattr(closed, name)
        if points is not None:
            facts[name] = str(points)
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


def trades_by_id(store: Store, first_id: str, last_id: str) -> list[ClosedTrade]:
    """Return the closed trades with ids between these two, both included. Raises StoreDown, StoreUnreadable."""
    return [_read(record) for record in store.records_by_id(TRADES, first_id, last_id)]


def _read(record: Record) -> ClosedTrade:
    told = (record.facts.get("stop_points"), record.facts.get("target_points"))
    stop_points, target_points = (None if points is None else Decimal(points) for points in told)
    return ClosedTrade(documents.read_trade(record.body), stop_points, target_points)


PROJECTION = Projection(TRADES, trade_records, must_not_be_lost=True)
