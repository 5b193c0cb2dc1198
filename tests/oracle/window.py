"""The gate ``window``, read from SPEC 5.9: its causes in their order, the lockout, and the time to be flat."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from tests.oracle.week import (
    ONE_DAY,
    ROLL,
    is_at_or_after,
    left_of_week,
    minute_of,
    new_york,
    next_day,
    next_week,
    session,
)

if TYPE_CHECKING:
    from tests.oracle.gates import Ask
    from tests.oracle.model import Oracle

AN_HOUR, FIVE_MINUTES = timedelta(hours=1), timedelta(minutes=5)


def lockout(oracle: Oracle, now: datetime) -> bool:
    return oracle.locked_out_until is not None and not is_at_or_after(now, oracle.locked_out_until)


def lockout_ends(oracle: Oracle, until: str, now: datetime) -> datetime:
    """``session`` is the next close before which the market is open for an hour; where none is known, as ``day``."""
    if until == "week":
        return next_week(now)
    if until == "day" or not oracle.knows_sessions:
        return next_day(now)
    opens, closes = session(now)
    if (closes - max(opens, now)) < AN_HOUR:
        closes = session(closes + ONE_DAY / 24)[1]
    return closes


def flat_time(oracle: Oracle, now: datetime) -> bool:
    """From FLAT_BY until the session, where none is known the trading day, ends."""
    clock = oracle.rules["flat_by"]
    if clock is None:
        return False
    day_ends = new_york(oracle.day.name, ROLL)
    opens, ends = session(now) if oracle.knows_sessions else (None, day_ends)
    begins = new_york(ends.date(), time.fromisoformat(clock))
    if is_at_or_after(begins, ends):
        begins = new_york(ends.date() - ONE_DAY, time.fromisoformat(clock))
    if opens is not None and not is_at_or_after(begins, opens):
        begins = ends - FIVE_MINUTES
    return is_at_or_after(now, begins) and not is_at_or_after(now, ends)


def outside_hours(oracle: Oracle, now: datetime) -> bool:
    hours = oracle.rules["trading_hours"]
    return hours is not None and minute_of(now) not in hours


def after_open(oracle: Oracle, now: datetime) -> bool:
    minutes = oracle.rules["no_entry_after_open"]
    if minutes is None or not oracle.knows_sessions:
        return False
    opens, _ = session(now)
    return is_at_or_after(now, opens) and now - opens < timedelta(minutes=minutes)


def before_close(oracle: Oracle, now: datetime) -> bool:
    minutes = oracle.rules["no_entry_before_close"]
    return minutes is not None and oracle.knows_sessions and session(now)[1] - now <= timedelta(minutes=minutes)


def news(oracle: Oracle, now: datetime) -> bool:
    return any(begins <= now < ends for begins, ends in oracle.news)


def _runs(begun: datetime | None, ends: datetime | None, lasts: timedelta | None, now: datetime) -> bool:
    """A pause that began with its own length, or the one of the rules in force where that is longer."""
    until = [ends] if ends is not None else []
    if begun is not None and lasts is not None:
        until.append(begun + lasts)
    return bool(until) and now < max(until)


def loss_streak(oracle: Oracle, now: datetime) -> bool:
    losses, most = oracle.losses, oracle.rules["loss_streak"]
    is_streak = most is not None and losses.count >= most
    pause = timedelta(minutes=oracle.rules["loss_pause_minutes"]) if is_streak else None
    return _runs(losses.last_at, losses.streak_until, pause, now)


def cooldown_after_loss(oracle: Oracle, now: datetime) -> bool:
    seconds = oracle.rules["cooldown_after_loss"]
    pause = None if seconds is None else timedelta(seconds=seconds)
    return _runs(oracle.losses.last_at, oracle.losses.cooldown_until, pause, now)


def weekly_loss(oracle: Oracle, now: datetime) -> bool:
    left = left_of_week(oracle)
    return left is not None and left <= 0


def weekly_trades(oracle: Oracle, now: datetime) -> bool:
    most = oracle.rules["max_trades_per_week"]
    return most is not None and oracle.week.entries + oracle.on_their_way >= most


def give_back(oracle: Oracle, now: datetime) -> bool:
    most = oracle.rules["give_back_usd"]
    return most is not None and oracle.day.best - oracle.result >= most


def profit_lock(oracle: Oracle, now: datetime) -> bool:
    most = oracle.rules["profit_lock_usd"]
    return most is not None and oracle.day.best >= most


CAUSES: tuple[tuple[str, Callable[[Oracle, datetime], bool]], ...] = (  # in the order of SPEC 5.9; LIVE's session apart
    ("lockout", lockout),
    ("flat_time", flat_time),
    ("outside_hours", outside_hours),
    ("after_open", after_open),
    ("before_close", before_close),
    ("news", news),
    ("loss_streak", loss_streak),
    ("cooldown_after_loss", cooldown_after_loss),
    ("weekly_loss", weekly_loss),
    ("weekly_trades", weekly_trades),
    ("give_back", give_back),
    ("profit_lock", profit_lock),
)


def cause(oracle: Oracle, now: datetime) -> str | None:
    """Return the first cause that closes."""
    return next((name for name, closes in CAUSES if closes(oracle, now)), None)


def window(oracle: Oracle, ask: Ask, now: datetime) -> bool:
    return cause(oracle, now) is not None
