"""The trading day: when it rolls, what it started with, when it is over for the operator (SPEC 5.5, 5.6)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.events import DailyStopTriggered, DayEquityNoted, DayRolled, DayWarned
from services.engine.model.state import Day
from services.engine.model.trading_day import WARNING_MARKS, drawdown_pct, trading_day_of
from services.engine.transition import Turn
from wire.types import Usd


def roll_day(turn: Turn) -> None:
    """Begin the new trading day when its time has come; it never goes back to an earlier one."""
    today = trading_day_of(turn.now, turn.desk.rules.day_roll)
    if today <= turn.desk.day.trading_day:
        return
    turn.desk = replace(turn.desk, day=Day(trading_day=today), rules=turn.desk.wanted)
    turn.tell(DayRolled(today))


def note_equity(turn: Turn, balance: Usd) -> None:
    """Take the account's equity: the first of the day is its start, a deep enough fall its end."""
    day = turn.desk.day
    if day.start_equity is None and balance > 0:
        turn.desk = replace(turn.desk, day=replace(day, start_equity=balance))
        turn.tell(DayEquityNoted(balance))
    check_daily_stop(turn)
    _warn_of_daily_stop(turn)


def _warn_of_daily_stop(turn: Turn) -> None:
    """Tell when 50, 70 and 85 percent of the daily stop are used, each once a day."""
    drawdown, day = drawdown_pct(turn.desk), turn.desk.day
    if drawdown is None or day.is_stopped:
        return
    limit = turn.desk.rules.daily_stop_limit_pct
    passed = max((mark for mark in WARNING_MARKS if drawdown * 100 >= limit * mark), default=0)
    if passed <= day.warned_pct:
        return
    turn.desk = replace(turn.desk, day=replace(day, warned_pct=passed))
    turn.tell(DayWarned(passed, drawdown))
    sentence = f"{passed} % OF THE DAILY STOP — drawdown {drawdown:.2f}% of {limit.normalize():f}%"
    turn.alert("daily_warning", "warning", sentence)


def check_daily_stop(turn: Turn) -> None:
    """Trigger the daily stop at the limit; once triggered it stays for the day (SPEC 5.6)."""
    drawdown, limit = drawdown_pct(turn.desk), turn.desk.rules.daily_stop_limit_pct
    if turn.desk.day.is_stopped or drawdown is None or drawdown < limit:
        return
    reason = f"drawdown {drawdown:.2f}% reached the {limit.normalize():f}% limit"
    turn.desk = replace(turn.desk, day=replace(turn.desk.day, daily_stop_at=turn.now, daily_stop_reason=reason))
    turn.tell(DailyStopTriggered(reason))
    turn.alert("daily_stop", "critical", f"DAILY STOP — {reason}; flattening, no entries until the day rolls")
