"""The trading day: its roll, its start equity, and the daily stop (SPEC 5.5, 5.6)."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from services.engine.model.events import DailyStopTriggered, DayEquityNoted, DayRolled, DayWarned
from services.engine.model.state import Day
from services.engine.model.trading_day import WARNING_MARKS, drawdown_pct, trading_day_of
from services.engine.transition import Transition
from wire.types import Usd


def roll_day(transition: Transition) -> None:
    """Begin the new trading day when it is due; never go back to an earlier day."""
    today = trading_day_of(transition.now, transition.desk.rules.day_roll)
    if today <= transition.desk.day.trading_day:
        return
    transition.change_desk(day=Day(trading_day=today), rules=transition.desk.wanted)
    transition.record(DayRolled(today))
    for asset in transition.desk.assets.values():  # prices are judged by their own trading day
        watch = replace(asset.live.watch, low=None, high=None)
        if watch != asset.live.watch:
            transition.put_asset(replace(asset, live=replace(asset.live, watch=watch)))


def note_equity(transition: Transition, balance: Usd) -> None:
    """Apply the account's equity: the first positive one is the day's start, a fall to the limit the daily stop."""
    day = transition.desk.day
    if day.start_equity is None and balance > 0:
        transition.change_desk(day=replace(day, start_equity=balance))
        transition.record(DayEquityNoted(balance))
    check_daily_stop(transition)
    _warn_of_daily_stop(transition)


def _warn_of_daily_stop(transition: Transition) -> None:
    """Raise an alert when the drawdown passes 50, 70 and 85 percent of the daily stop, each once a day."""
    drawdown = drawdown_pct(transition.desk)
    day = transition.desk.day
    if drawdown is None or day.is_stopped:
        return
    limit = transition.desk.rules.daily_stop_limit_pct
    passed = max((mark for mark in WARNING_MARKS if drawdown * 100 >= limit * mark), default=0)
    if passed <= day.warned_pct:
        return
    transition.change_desk(day=replace(day, warned_pct=passed))
    transition.record(DayWarned(passed, drawdown))
    detail = f"drawdown {drawdown:.2f}% of {limit.normalize():f}%"
    transition.alert("daily_warning", detail, facts={"mark_pct": passed, **_facts(drawdown, limit)})


def check_daily_stop(transition: Transition) -> None:
    """Trigger the daily stop at the limit. It then holds until the day rolls (SPEC 5.6)."""
    drawdown = drawdown_pct(transition.desk)
    limit = transition.desk.rules.daily_stop_limit_pct
    if transition.desk.day.is_stopped or drawdown is None or drawdown < limit:
        return
    reason = f"drawdown {drawdown:.2f}% reached the {limit.normalize():f}% limit"
    transition.change_desk(day=replace(transition.desk.day, daily_stop_at=transition.now, daily_stop_reason=reason))
    transition.record(DailyStopTriggered(reason))
    detail = f"{reason}; flattening, no entries until the day rolls"
    transition.alert("daily_stop", detail, facts=_facts(drawdown, limit))


def _facts(drawdown: Decimal, limit: Decimal) -> dict[str, Decimal]:
    return {"drawdown_pct": round(drawdown, 2), "limit_pct": limit}
