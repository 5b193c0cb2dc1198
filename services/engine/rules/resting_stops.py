"""Which trades have a protective stop at the broker, as the bridge tells (SPEC 6.7, 8.4). All functions are pure."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from services.engine.model.evidence import RestingStop
from services.engine.model.state import Asset, Desk
from services.engine.model.trade import Trade
from wire.types import Instant, opposite

STOP_IS_DUE_AFTER = timedelta(seconds=5)
ADOPTED_STOP_IS_DUE_AFTER = timedelta(seconds=10)
"""An adopted trade's stop rests only after the bridge was asked to rest it."""


def stop_rests(desk: Desk, trade: Trade) -> bool | None:
    """Return whether the bridge told a resting stop of the trade, None when the bridge tells no stops."""
    stops = desk.live.stops
    if stops is None:
        return None
    return any(covers(stop, trade) for stop in stops)


def covers(stop: RestingStop, trade: Trade) -> bool:
    """Return whether the stop, once reached, takes contracts of the trade out."""
    return stop.symbol == trade.contract.symbol and stop.side == opposite(trade.side)


def stop_wanted(trade: Trade) -> RestingStop:
    """Return the stop that should rest for the trade: its whole quantity, its planned price on a tick."""
    tick = trade.contract.tick_size
    price = (trade.stop_price / tick).quantize(Decimal(1), ROUND_HALF_UP) * tick
    return RestingStop(trade.contract.symbol, opposite(trade.side), trade.quantity, price)


def adopted_without_stop(desk: Desk) -> list[Trade]:
    """Return the adopted trades of the current environment of which no bridge has told that their stop rests."""
    trades = [asset.trade for asset in desk.assets.values() if asset.trade is not None]
    return [
        trade for trade in trades if trade.zone == "ADOPTED" and trade.env == desk.env and not stop_rests(desk, trade)
    ]


def lacks_stop(desk: Desk, asset: Asset, now: Instant) -> bool:
    """Return whether the asset's position has no stop at the broker although it should have one by now.

    A bridge that tells no stops is believed to rest those of its own entries; of an adopted trade it was only asked to.
    """
    trade = asset.trade
    if trade is None:
        return False
    if trade.zone == "ADOPTED":
        return not stop_rests(desk, trade) and now >= trade.opened_at + ADOPTED_STOP_IS_DUE_AFTER
    told_at = desk.live.stops_at
    is_told = stop_rests(desk, trade) is False and told_at is not None and told_at > trade.opened_at
    return is_told and now >= trade.opened_at + STOP_IS_DUE_AFTER
