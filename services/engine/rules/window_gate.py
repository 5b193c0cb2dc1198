"""The gate ``window``: when the trader does not trade (SPEC 4, 5.9). Its causes are an ordered table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from services.engine.model.state import Asset, Desk
from services.engine.model.trading_day import day_end, minute_of_day, next_week_start
from services.engine.rules.beliefs import result_that_counts
from services.engine.rules.day_clock import minutes_of, opens_within
from services.engine.rules.firm_limits import firm_is_open
from services.engine.rules.flat_time import flat_time_of
from services.engine.rules.session import is_open, session_of
from services.engine.rules.verdicts import OPEN, EntryRequest, Verdict, closed
from services.engine.rules.week import left_of_week, week_of
from wire.types import Instant

Cause = Callable[[Desk, Asset, Instant], Verdict]


def session_is_closed(desk: Desk, asset: Asset, now: Instant) -> Verdict:
    """In LIVE the market's session is closed, or nobody has told when it trades; DEMO only shows it."""
    if desk.env != "LIVE":
        return OPEN
    hours = session_of(desk, asset.symbol, now)
    if hours is None:
        return closed("session_unknown", f"nobody has told when {asset.symbol} trades", asset=asset.symbol)
    if is_open(hours, now):
        return OPEN
    return closed("session_closed", f"{asset.symbol} does not trade now", hours.opens, asset=asset.symbol)


def operator_locked_out(desk: Desk, asset: Asset, now: Instant) -> Verdict:
    """The operator has locked entries; nothing takes that back."""
    lockout = desk.lockout
    if lockout is None or now >= lockout.ends_at:
        return OPEN
    ends = {"session": "the session ends", "day": "the next trading day", "week": "Sunday's open"}[lockout.until]
    return closed(
        "lockout",
        f"you have locked entries until {ends}",
        lockout.ends_at,
        until=lockout.until,
        since=lockout.since,
        ends_at=lockout.ends_at,
    )


def flat_time_has_come(desk: Desk, asset: Asset, now: Instant) -> Verdict:
    """The time to be flat has come (FLAT_BY)."""
    flat_time = flat_time_of(desk, asset.symbol, now)
    if flat_time is None or not flat_time.holds(now):
        return OPEN
    flat_by = desk.rules.flat_by
    return closed("flat_time", f"flat by {flat_by}, until the session ends", flat_time.ends, flat_by=flat_by)


def outside_trading_hours(desk: Desk, asset: Asset, now: Instant) -> Verdict:
    """It is outside the trader's own hours (TRADING_HOURS)."""
    hours = desk.rules.trading_hours
    if hours is None or minute_of_day(now) in minutes_of(hours):
        return OPEN
    opens = opens_within(hours, now.replace(second=0, microsecond=0))
    return closed("outside_hours", f"your hours are {hours} New York", opens, hours=hours)


def just_opened(desk: Desk, asset: Asset, now: Instant) -> Verdict:
    """The session opened a few minutes ago (NO_ENTRY_AFTER_OPEN)."""
    minutes = desk.rules.no_entry_after_open
    hours = session_of(desk, asset.symbol, now)
    if minutes is None or hours is None or not hours.opens <= now < hours.opens + timedelta(minutes=minutes):
        return OPEN
    until = hours.opens + timedelta(minutes=minutes)
    return closed("after_open", f"no entry in the first {minutes} min of a session", until, minutes=minutes)


def closes_soon(desk: Desk, asset: Asset, now: Instant) -> Verdict:
    """The session closes in a few minutes (NO_ENTRY_BEFORE_CLOSE)."""
    minutes = desk.rules.no_entry_before_close
    hours = session_of(desk, asset.symbol, now)
    if minutes is None or hours is None or not hours.closes - timedelta(minutes=minutes) <= now < hours.closes:
        return OPEN
    detail = f"no entry in the last {minutes} min of a session"
    return closed("before_close", detail, hours.closes, minutes=minutes)


def news_is_near(desk: Desk, asset: Asset, now: Instant) -> Verdict:
    """A news time of the operator's file is near, or the file cannot be read (NEWS_FILE)."""
    facts = desk.facts
    near = [news for news in facts.news if news.begins <= now < news.ends]
    if near:
        last = max(near, key=lambda news: news.ends)
        return closed("news", last.title, last.ends, title=last.title)
    if facts.news_fault is not None:
        return closed("news_unknown", facts.news_fault, fault=facts.news_fault)
    return OPEN


def lost_in_a_row(desk: Desk, asset: Asset, now: Instant) -> Verdict:
    """So many trades in a row have lost that entries pause (LOSS_STREAK)."""
    losses, rules = desk.losses, desk.rules
    until = losses.streak_until
    if rules.loss_streak is not None and losses.last_at is not None and losses.count >= rules.loss_streak:
        until = _later(until, losses.last_at + timedelta(minutes=rules.loss_pause_minutes))
    if until is None or now >= until:
        return OPEN
    return closed("loss_streak", f"{losses.count} losing trades in a row", until, count=losses.count)


def lost_just_now(desk: Desk, asset: Asset, now: Instant) -> Verdict:
    """The last trade has lost a short while ago (COOLDOWN_AFTER_LOSS)."""
    losses, seconds = desk.losses, desk.rules.cooldown_after_loss
    until = losses.cooldown_until
    if seconds is not None and losses.last_at is not None:
        until = _later(until, losses.last_at + timedelta(seconds=seconds))
    if until is None or now >= until:
        return OPEN
    return closed("cooldown_after_loss", "a trade has lost", until)


def _later(known: Instant | None, other: Instant) -> Instant:
    return other if known is None else max(known, other)


def week_has_lost(desk: Desk, asset: Asset, now: Instant) -> Verdict:
    """The week has lost what it may (WEEKLY_LOSS_PCT, WEEKLY_LOSS_USD)."""
    left = left_of_week(desk, now)
    if left is None or left > 0:
        return OPEN
    return closed("weekly_loss", "the week has lost what it may", _next_week(desk, now), left=left)


def week_is_used_up(desk: Desk, asset: Asset, now: Instant) -> Verdict:
    """The week's entries are used up (MAX_TRADES_PER_WEEK); one on its way counts as used."""
    limit = desk.rules.max_trades_per_week
    if limit is None:
        return OPEN
    on_their_way = sum(order.kind == "ENTRY" and not order.filled_qty for order in desk.orders.values())
    taken = week_of(desk, now).entries
    if taken + on_their_way < limit:
        return OPEN
    detail = f"{taken + on_their_way} of {limit} trades taken this week"
    return closed("weekly_trades", detail, _next_week(desk, now), taken=taken, limit=limit, on_their_way=on_their_way)


def _next_week(desk: Desk, now: Instant) -> Instant:
    return next_week_start(now, desk.rules.day_roll, timedelta(microseconds=1))


def too_much_given_back(desk: Desk, asset: Asset, now: Instant) -> Verdict:
    """The day's result lies too far below its best (GIVE_BACK_USD)."""
    limit = desk.rules.give_back_usd
    if limit is None:
        return OPEN
    best, result = desk.live.best_result, result_that_counts(desk)
    if best - result < limit:
        return OPEN
    detail = f"{best - result:.2f} USD of the day's best {best:.2f} USD given back"
    return closed("give_back", detail, _next_day(desk), best=best, result=result, limit=limit)


def profit_is_locked(desk: Desk, asset: Asset, now: Instant) -> Verdict:
    """The day's result has reached what the trader wanted of it (PROFIT_LOCK_USD)."""
    limit = desk.rules.profit_lock_usd
    if limit is None or desk.live.best_result < limit:
        return OPEN
    best = desk.live.best_result
    return closed("profit_lock", f"the day has made {best:.2f} USD", _next_day(desk), best=best, limit=limit)


def _next_day(desk: Desk) -> Instant:
    return day_end(desk.day.trading_day, desk.rules.day_roll)


CAUSES: tuple[Cause, ...] = (  # order = precedence
    session_is_closed,
    operator_locked_out,
    flat_time_has_come,
    firm_is_open,
    outside_trading_hours,
    just_opened,
    closes_soon,
    news_is_near,
    lost_in_a_row,
    lost_just_now,
    week_has_lost,
    week_is_used_up,
    too_much_given_back,
    profit_is_locked,
)


def window_is_open(desk: Desk, entry: EntryRequest, now: Instant) -> Verdict:
    """Close outside the session, the trader's hours and limits, in a pause and during a lockout."""
    if desk.generation < 5:
        return OPEN
    verdicts = (cause(desk, entry.asset, now) for cause in CAUSES)
    return next((verdict for verdict in verdicts if not verdict.is_open), OPEN)
