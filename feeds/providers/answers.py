"""Bars out of the rows of an answer: only those that can be bars, of minutes that were asked for."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

from feeds.bars.rows import FIRST_T, LARGEST_PRICE, LARGEST_VOLUME, LAST_T
from feeds.bars.types import MINUTE, Bar
from feeds.providers.provider import Reporting
from services.market.instruments import can_trade_at
from wire.types import Price


class AnsweredBar(Struct, frozen=True):
    """One row of an answer, whatever the server calls its fields. ``seconds`` is the start, perhaps no whole second."""

    seconds: Decimal
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Decimal | None


def sound_bars(
    symbol: str, rows: Iterable[AnsweredBar], from_t: int, until_t: int, place: str, left_out: Reporting
) -> list[Bar]:
    """Return the bars in their order. What cannot be a bar is reported, what was not asked is not."""
    found = []
    for row in rows:
        reason = _why_unsound(symbol, row)
        if reason is not None:
            left_out.leave_out(place, None, f"the bar at {row.seconds} {reason}")
            continue
        t = int(row.seconds)
        if from_t <= t < until_t:
            whole = int(row.volume) if row.volume is not None and row.volume == int(row.volume) else row.volume
            found.append(Bar(symbol, t, row.open, row.high, row.low, row.close, whole, "provider"))
    return sorted(found, key=lambda bar: bar.t)


def _why_unsound(symbol: str, row: AnsweredBar) -> str | None:
    """Return why a row cannot be a bar, None for a good one."""
    numbers = (row.seconds, row.open, row.high, row.low, row.close)
    if not all(number.is_finite() for number in numbers):
        return "had a price that is no number"
    if row.seconds % MINUTE or not FIRST_T <= row.seconds < LAST_T:
        return "did not begin with a minute of the years 2000 to 2099"
    if not (row.low <= row.open <= row.high and row.low <= row.close <= row.high):
        return f"had its open or close outside {row.low} to {row.high}"
    if not can_trade_at(symbol, row.low) or max(abs(row.low), abs(row.high)) > LARGEST_PRICE:
        return f"had the prices {row.low} to {row.high}"
    if row.volume is not None and not (row.volume.is_finite() and 0 <= row.volume <= LARGEST_VOLUME):
        return f"had the volume {row.volume}"
    return None
