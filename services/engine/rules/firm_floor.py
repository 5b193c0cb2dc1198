"""The losses that end a day: the trader's own limit, and those of a firm less the buffer (SPEC 5.6, 5.9).

All functions are pure, all amounts USD. A limit is counted from a result of the day: 0, or the day's highest where a
drawdown follows every balance.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from services.engine.model.firm import Firm, FirmMark, TrailingDrawdown
from services.engine.model.state import Desk
from wire.types import Usd

ZERO = Decimal(0)

LimitOf = Literal["daily_stop", "daily_loss", "trailing_drawdown"]


class LossLimit(Struct, frozen=True):
    """A loss of ``usd`` counted from the day's result ``high`` ends the day. ``of`` is whose limit it is."""

    of: LimitOf
    usd: Usd
    high: Usd = ZERO

    @property
    def result(self) -> Usd:
        """The result of the day at which the limit is reached."""
        return self.high - self.usd


class LimitReached(Struct, frozen=True):
    """Which ways reach the nearest limit now. ``loss`` is the largest of their losses, counted as the limit counts.

    ``by_balance`` is not denied by the broker's own figures; ``is_proven`` when another way agrees with it. ``limit``
    is None while the day's start is unknown.
    """

    by_balance: bool
    is_proven: bool
    by_books: bool
    loss: Usd
    limit: LossLimit | None = None


def firm_in_force(desk: Desk) -> Firm | None:
    """Return the firm whose rules are kept now; earlier generations kept none."""
    return desk.rules.firm if desk.generation > 4 else None


def nearest_limit(desk: Desk, start: Usd) -> LossLimit:
    """Return the limit that the day's result reaches first.

    An account that began the day at or below the firm's floor has no loss of today that could reach it: nothing is
    flattened for it, but ``left_of_firm`` leaves nothing.
    """
    own = LossLimit("daily_stop", start * desk.rules.daily_stop_limit_pct / 100)
    return max((own, *(limit for limit in firm_limits(desk, start) if limit.usd > 0)), key=lambda limit: limit.result)


def firm_limits(desk: Desk, start: Usd) -> list[LossLimit]:
    """Return the firm's loss limits less the buffer, as limits of a day that began with ``start``."""
    firm = firm_in_force(desk)
    if firm is None:
        return []
    limits = []
    if firm.daily_loss is not None:
        limits.append(LossLimit("daily_loss", firm.daily_loss - buffer_of(desk, firm.daily_loss)))
    floor = floor_of(desk, firm)
    if firm.drawdown is not None and floor is not None:
        high = _high_of_today(desk, firm.drawdown, start)
        room = start + high - floor - buffer_of(desk, firm.drawdown.amount)
        limits.append(LossLimit("trailing_drawdown", room, high))
    return limits


def buffer_of(desk: Desk, amount: Usd) -> Usd:
    """Return by how much earlier than the firm's limit the desk ends the day."""
    return amount * desk.rules.firm_buffer_pct / 100


def floor_of(desk: Desk, firm: Firm) -> Usd | None:
    """Return the lowest balance that the firm allows now; None without a drawdown rule.

    Before the first balance it is the one from which it begins: higher balances that the desk has not seen would lift
    it.
    """
    drawdown, begins = firm.drawdown, firm.start_balance
    if drawdown is None or begins is None:
        return None
    mark = mark_of(desk)
    if mark is None:
        return begins - drawdown.amount
    seen = mark.day_ends if drawdown.follows == "end_of_day" else mark.highest
    floor = max(begins, seen) - drawdown.amount
    return floor if drawdown.stops_at is None else min(floor, begins + drawdown.stops_at)


def _high_of_today(desk: Desk, drawdown: TrailingDrawdown, start: Usd) -> Usd:
    """Return the day's highest result where every balance lifts the floor, else 0."""
    mark = mark_of(desk)
    if mark is None or drawdown.follows == "end_of_day":
        return ZERO
    return max(mark.highest_today - start, ZERO)


# -- what the desk has seen of the account -------------------------------------------------------------------------


def mark_of(desk: Desk) -> FirmMark | None:
    """Return what the desk has seen of the account of the current environment."""
    return desk.live.firm_marks.get(mark_key(desk.env, account_named(desk)))


def account_named(desk: Desk) -> str | None:
    """Return whose balance is believed, None while it has no name."""
    believed = desk.live.beliefs.believed
    return None if believed is None else believed.account


def mark_key(env: str, account: str | None) -> str:
    return f"{env} {account or ''}"
