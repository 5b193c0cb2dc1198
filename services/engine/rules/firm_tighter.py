"""Which of two firms' rules are tighter: they hold at once, looser ones wait for the next trading day (SPEC 5.9)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from msgspec.structs import replace

from services.engine.model.firm import Firm, ScalingStep, TrailingDrawdown

ValueT = TypeVar("ValueT")


def tighter_firm(in_force: Firm | None, wanted: Firm | None) -> Firm | None:
    """Return the firm to keep today: the wanted one with every rule of today that it would loosen.

    None is no firm, the loosest. Two drawdowns that begin with different balances cannot be compared: today's stays.
    """
    if in_force is None or wanted is None:
        return in_force or wanted
    merged = replace(
        wanted,
        start_balance=in_force.start_balance if in_force.start_balance is not None else wanted.start_balance,
        daily_loss=_least(in_force.daily_loss, wanted.daily_loss),
        drawdown=_drawdown(in_force, wanted),
        scaling=_scaling(in_force.scaling, wanted.scaling),
        micros_count_full=in_force.micros_count_full or wanted.micros_count_full,
        flat_by=_one(min, in_force.flat_by, wanted.flat_by),
        opens_at=_one(max, in_force.opens_at, wanted.opens_at),
        consistency_pct=_least(in_force.consistency_pct, wanted.consistency_pct),
    )
    return wanted if merged == wanted else replace(merged, name=in_force.name, account=in_force.account)


def _one(choose: Callable[[ValueT, ValueT], ValueT], one: ValueT | None, other: ValueT | None) -> ValueT | None:
    if one is None or other is None:
        return one if other is None else other
    return choose(one, other)


def _least(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return _one(min, one, other)


def _drawdown(in_force: Firm, wanted: Firm) -> TrailingDrawdown | None:
    one, other = in_force.drawdown, wanted.drawdown
    if one is None or other is None:
        return other if one is None else one
    if in_force.start_balance != wanted.start_balance:
        return one
    never_stops = one.stops_at is None or other.stops_at is None
    return TrailingDrawdown(
        amount=min(one.amount, other.amount),
        follows="real_time" if "real_time" in (one.follows, other.follows) else "end_of_day",
        stops_at=None if never_stops else max(one.stops_at or Decimal(0), other.stops_at or Decimal(0)),
    )


def _scaling(one: tuple[ScalingStep, ...], other: tuple[ScalingStep, ...]) -> tuple[ScalingStep, ...]:
    """Return the plan that allows at every profit no more than either; an absent plan allows any."""
    if not one or not other:
        return one or other
    profits = sorted({step.profit for step in (*one, *other)})
    plan: list[ScalingStep] = []
    for profit in profits:
        contracts = min(_allowed(one, profit), _allowed(other, profit))
        if not plan or plan[-1].contracts != contracts:
            plan.append(ScalingStep(profit, contracts))
    return tuple(plan)


def _allowed(plan: tuple[ScalingStep, ...], profit: Decimal) -> Decimal:
    """Return what a plan allows just above a profit; below its first step, what that one allows."""
    reached = [step for step in plan if step.profit <= profit]
    return (reached[-1] if reached else plan[0]).contracts
