"""The levels of an open trade, read from the state document: entry, stop, target."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from wire.local_feeds import TelemetryLevels
from wire.types import Price, Side


def price_of(told: Any) -> Price | None:
    """Return a number of the document as a price, None when there is none."""
    return None if told is None else Decimal(str(told))


def away_from(entry: Price, side: Side, points: Decimal | None, point_size: Price) -> Price | None:
    """Return the price so many points from the entry in favour of the side; negative points lie against it."""
    if points is None:
        return None
    return entry + (points if side == "BUY" else -points) * point_size


def target_of(asset: dict[str, Any]) -> Price | None:
    """Return the price of the take-profit of the open trade, None when it is off or the asset is flat."""
    trade = asset.get("trade")
    points = price_of(asset.get("points_tp_target"))
    entry = price_of(asset.get("avg_price"))
    if trade is None or entry is None or asset.get("points_tp_enabled") is not True:
        return None
    return away_from(entry, trade["side"], points, Decimal(str(asset["point_size"])))


def levels_of(asset: dict[str, Any]) -> TelemetryLevels:
    """Return the levels of an asset."""
    return TelemetryLevels(
        position=asset.get("position"),
        entry=price_of(asset.get("avg_price")),
        stop_loss=price_of(asset.get("stop_loss_price")),
        target=target_of(asset),
    )
