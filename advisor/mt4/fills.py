"""When a resting order is filled, and when a stop-loss or a take-profit closes a position, by minutes alone (pure).

Nobody knows the path within a minute, so what is worse for the account is taken: a limit and a take-profit are filled
only when the price went beyond them, never better than their price; a stop is filled at its price or, after a gap, at
the open behind it; with both in one minute the stop-loss comes first; in the minute in which a resting order is filled
a take-profit does not count.

Of the minute in which something began, its close alone is certain to lie after the beginning: it stands for the minute.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from wire.minutes import MinuteRow
from wire.mt4 import Mt4Action
from wire.types import Side

MINUTE = 60
Exit = Literal["stop_loss", "take_profit"]


class Seen(Struct, frozen=True):
    """The prices of a minute that count."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


class Left(Struct, frozen=True):
    """A position was closed at a price by its own stop or target."""

    price: Decimal
    reason: Exit


def seen_after(minute: MinuteRow, began_at: float) -> Seen:
    """Return what of a minute lies after an instant (seconds of the epoch)."""
    if minute.t < began_at:
        return Seen(minute.c, minute.c, minute.c, minute.c)
    return Seen(minute.o, minute.h, minute.l, minute.c)


def filled_at(action: Mt4Action, price: Decimal, seen: Seen) -> Decimal | None:
    """Return the price at which a resting order is filled, None when it is not."""
    match action:
        case "BUY_LIMIT":
            return price if seen.low < price else None
        case "SELL_LIMIT":
            return price if seen.high > price else None
        case "BUY_STOP":
            return max(price, seen.open) if seen.high >= price else None
        case "SELL_STOP":
            return min(price, seen.open) if seen.low <= price else None
        case _:
            raise ValueError(f"{action} does not rest")


def left_at(side: Side, stop_loss: Decimal | None, take_profit: Decimal | None, seen: Seen) -> Left | None:
    """Return how a position is closed by its stop-loss or its take-profit, None when it is not."""
    is_long = side == "BUY"
    if stop_loss is not None:
        if is_long and seen.low <= stop_loss:
            return Left(min(stop_loss, seen.open), "stop_loss")
        if not is_long and seen.high >= stop_loss:
            return Left(max(stop_loss, seen.open), "stop_loss")
    if take_profit is not None:
        went_beyond = seen.high > take_profit if is_long else seen.low < take_profit
        if went_beyond:
            return Left(take_profit, "take_profit")
    return None
