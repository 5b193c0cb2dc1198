"""Generation 1: one balance begins the day, and one balance ends it."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.events import DailyStopTriggered, DayEquityNoted
from services.engine.model.trading_day import drawdown_pct
from services.engine.transition import Transition
from wire.types import Usd


def note_start(transition: Transition, balance: Usd) -> None:
    """Note the first positive balance of the day as its start."""
    day = transition.desk.day
    if day.start_equity is None and balance > 0:
        transition.change_desk(day=replace(day, start_equity=balance))
        transition.record(DayEquityNoted(balance))


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
    transition.alert("daily_stop", detail, facts={"drawdown_pct": round(drawdown, 2), "limit_pct": limit})
