"""Which of two firms' rules are tighter: they hold at once, looser ones wait for the next trading day (SPEC 5.9)."""

from __future__ import annotations

from datetime import time
from decimal import Decimal

from msgspec.structs import replace

from services.engine.model.firm import Firm, ScalingStep, TrailingDrawdown
from services.engine.model.trading_day import CME_ROLL

MINUTES_OF_A_DAY = 24 * 60


def tighter_firm(in_force: Firm | None, wanted: Firm | None) -> Firm | None:
    """Return the firm to keep today: the wanted one with every rule of today that it would loosen.

    None is no firm, the loosest. Rules of two start balances, and hours that only overlap, cannot be compared: today's
    stay.
    """
    if in_force is None or wanted is None:
        return in_force or wanted
    flat_by, opens_at = _hours(in_force, wanted)
    merged = replace(
        wanted,
        start_balance=in_force.start_balance if in_force.start_balance is not None else wanted.start_balance,
        daily_loss=_least(in_force.daily_loss, wanted.daily_loss),
        drawdown=_drawdown(in_force, wanted),
        scaling=_scaling(_plan_of_today(in_force, wanted), wanted.scaling),
        micros_count_full=in_force.micros_count_full or wanted.micros_count_full,
        flat_by=flat_by,
        opens_at=opens_at,
        consistency_pct=_least(in_force.consistency_pct, wanted.consistency_pct),
    )
    return wanted if merged == wanted else replace(merged, name=in_force.name, account=in_force.account)


def _least(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)


def _drawdown(in_force: Firm, wanted: Firm) -> TrailingDrawdown | None:
    one, other = in_force.drawdown, wanted.drawdown
    if other is None or (in_force.start_balance is not None and in_force.start_balance != wanted.start_balance):
        return one
    if one is None:
        return other
    never_stops = one.stops_at is None or other.stops_at is None
    return TrailingDrawdown(
        amount=min(one.amount, other.amount),
        follows="real_time" if "real_time" in (one.follows, other.follows) else "end_of_day",
        stops_at=None if never_stops else max(one.stops_at or Decimal(0), other.stops_at or Decimal(0)),
    )


# -- contracts -----------------------------------------------------------------------------------------------------


def _plan_of_today(in_force: Firm, wanted: Firm) -> tuple[ScalingStep, ...]:
    """Return today's plan: only its first step where no start balance is known, but the wanted firm has one."""
    knows_nothing = in_force.start_balance is None and wanted.start_balance is not None
    return in_force.scaling[:1] if knows_nothing else in_force.scaling


def _scaling(one: tuple[ScalingStep, ...], other: tuple[ScalingStep, ...]) -> tuple[ScalingStep, ...]:
    """Return the plan that allows at every profit no more than either; an absent plan allows any."""
    if not one or not other:
        return one or other
    profits = sorted({step.profit for step in (*one, *other)})
    least = [min(_allowed(one, profit), _allowed(other, profit)) for profit in profits]
    for plan in (other, one):
        if [_allowed(plan, profit) for profit in profits] == least:
            return plan
    return tuple([ScalingStep(profit, contracts) for profit, contracts in zip(profits, least, strict=True)])


def _allowed(plan: tuple[ScalingStep, ...], profit: Decimal) -> Decimal:
    """Return what a plan allows just above a profit; below its first step, what that one allows."""
    reached = [step for step in plan if step.profit <= profit]
    return (reached[-1] if reached else plan[0]).contracts


# -- hours ---------------------------------------------------------------------------------------------------------


def _hours(in_force: Firm, wanted: Firm) -> tuple[str | None, str | None]:
    """Return flat time and opening of the firm whose closed hours hold the other's; today's where neither does."""
    if in_force.flat_by is None or wanted.flat_by is None:
        kept = wanted if in_force.flat_by is None else in_force
        return kept.flat_by, kept.opens_at
    kept = wanted if _covers(wanted, in_force) else in_force
    return kept.flat_by, kept.opens_at


def _covers(one: Firm, other: Firm) -> bool:
    """Return whether one's closed hours hold the other's, on every day of the week."""
    flat, opens, other_flat, other_opens = (*_closed(one), *_closed(other))
    is_weekend_covered = flat <= other_flat and (opens <= flat, opens) >= (other_opens <= other_flat, other_opens)
    return is_weekend_covered and _minutes(flat, opens) >= _minutes(other_flat, other_opens)


def _closed(firm: Firm) -> tuple[int, int]:
    return _minute(firm.flat_by or CME_ROLL), _minute(firm.opens_at or CME_ROLL)


def _minute(clock: str) -> int:
    at = time.fromisoformat(clock)
    return at.hour * 60 + at.minute


def _minutes(flat: int, opens: int) -> set[int]:
    """Return the minutes of a day that lie between the flat time and the opening."""
    return set(range(flat, opens)) if flat < opens else {*range(flat, MINUTES_OF_A_DAY), *range(opens)}
