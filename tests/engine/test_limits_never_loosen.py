"""No sequence of changed limits, restarts and rolled days loosens a limit earlier than SPEC 5.8 lets it.

A second reading of the rule, which shares no code with the engine: what is in force at an instant is the tightest of
all that was in force, except what was asked for at least 8 h before the trading day that has begun since.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.builders import NEW_YORK
from tests.support.trader import Trader

NUMBERS = {
    "max_trades_per_day": (-1, (3, 6, 9)),
    "cooldown_seconds": (1, (60, 180, 400)),
    "daily_stop_limit_pct": (-1, (Decimal(1), Decimal(2), Decimal(4))),
    "loss_streak": (-1, (None, 2, 4)),
    "weekly_loss_usd": (-1, (None, Decimal(500), Decimal(900))),
    "no_entry_after_open": (1, (None, 5, 30)),
}
"""By limit: the sign of the direction that protects more, and values."""
CLOCKS = (None, "12:00", "15:55", "20:00")
HOURS = (None, "09:30-16:00", "10:00-12:00,14:00-15:00", "none")
NAMES = (*NUMBERS, "flat_by", "trading_hours")

value_of = {
    **{name: st.sampled_from(values) for name, (_, values) in NUMBERS.items()},
    "flat_by": st.sampled_from(CLOCKS),
    "trading_hours": st.sampled_from(HOURS),
}
change = st.sampled_from(NAMES).flatmap(lambda name: st.tuples(st.just(name), value_of[name]))
step = st.one_of(
    st.tuples(st.just("asks"), change),
    st.tuples(st.just("restarts"), change),
    st.tuples(st.just("waits"), st.sampled_from((60, 1_800, 14_400, 28_800, 43_200, 100_000))),
)


def minutes(hours: str | None) -> set[int]:
    """Return the minutes of the day that the hours let."""
    if hours is None:
        return set(range(1440))
    let: set[int] = set()
    for part in () if hours == "none" else hours.split(","):
        begin, end = (int(at[:2]) * 60 + int(at[3:]) for at in part.split("-"))
        let |= set(range(begin, end))
    return let


def is_looser(name: str, one: Any, other: Any) -> bool:
    """Return whether ``one`` lets anything that ``other`` forbids."""
    if name == "trading_hours":
        return not minutes(one) <= minutes(other)
    if one is None or other is None:
        return one is None and other is not None
    if name == "flat_by":  # counted from the roll at 18:00
        return (int(one[:2]) - 18) % 24 * 60 + int(one[3:]) > (int(other[:2]) - 18) % 24 * 60 + int(other[3:])
    sign, _ = NUMBERS[name]
    return bool(sign * (one - other) < 0)


def day_begin(at: datetime) -> datetime:
    """Return the last begin of a trading day: 18:00 from Sunday to Thursday."""
    local = at.astimezone(NEW_YORK)
    begin = datetime.combine(local.date(), datetime.min.time(), NEW_YORK).replace(hour=18)
    while begin > local or begin.weekday() in (4, 5):
        day: date = begin.date() - timedelta(days=1)
        begin = datetime.combine(day, datetime.min.time(), NEW_YORK).replace(hour=18)
    return begin


class Judge:
    """Remembers when each value was asked for, and judges what is in force."""

    def __init__(self, trader: Trader) -> None:
        self.trader = trader
        self.asked: list[tuple[datetime, str, Any]] = []
        self.before = {name: getattr(trader.desk.rules, name) for name in NAMES}

    def looks(self) -> None:
        rules, now = self.trader.desk.rules, self.trader.now
        for name in NAMES:
            held, was = getattr(rules, name), self.before[name]
            if is_looser(name, held, was):
                asks = [at for at, asked, value in self.asked if asked == name and value == held]
                assert asks, f"{name} became {held} and nobody had asked for it"
                assert min(asks) + timedelta(hours=8) <= day_begin(now), f"{name}: {was} -> {held} too early"
            self.before[name] = held


@settings(max_examples=150)
@given(st.lists(step, min_size=1, max_size=25))
def test_nothing_loosens_a_limit_before_a_trading_day_that_was_eight_hours_away(steps: list[Any]) -> None:
    trader = Trader(at="09:31:10")
    judge = Judge(trader)
    for kind, what in steps:
        if kind == "waits":
            trader.later(what).ticks()
        else:
            name, value = what
            judge.asked.append((trader.now, name, value))
            if kind == "restarts":
                trader.restarts(**{name: value})
            else:
                trader.changes_limit(name, value)
        judge.looks()
    assert trader.replays_equal()
