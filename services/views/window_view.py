"""The window of the state document: lockout, flat time, the week, news, and the session of each market (SPEC 5.9)."""

from __future__ import annotations

from services.engine.model.state import Desk
from services.engine.model.times import seconds_until
from services.engine.model.trading_day import week_start
from services.engine.model.window import NewsTime
from services.engine.rules.flat_time import next_flat_time
from services.engine.rules.session import is_open, session_of
from services.engine.rules.week import left_of_week, week_of, week_result
from services.views.rows import Fields
from wire.types import Instant
from wire.window import WindowState


def window_view(desk: Desk, now: Instant) -> WindowState:
    """Return what the gate ``window`` looks at, beside each market's own session."""
    lockout = desk.lockout if desk.lockout is not None and now < desk.lockout.ends_at else None
    flat_time = next_flat_time(desk, now)
    week = week_of(desk, now)
    news = _next_news(desk, now)
    return WindowState(
        lockout_until=None if lockout is None else lockout.until,
        lockout_ends_ts=None if lockout is None else lockout.ends_at,
        flat_by_ts=None if flat_time is None else flat_time.begins,
        flat_until_ts=None if flat_time is None else flat_time.ends,
        flat_by_remaining_s=None if flat_time is None else seconds_until(flat_time.begins, now),
        week_began_ts=week.begins or week_start(now, desk.rules.day_roll),
        week_net_usd=week_result(desk, now),
        week_left_usd=left_of_week(desk, now),
        trades_this_week=week.entries,
        day_best_usd=desk.live.best_result,
        losses_in_a_row=desk.losses.count,
        news_title=None if news is None else news.title,
        news_from_ts=None if news is None else news.begins,
        news_until_ts=None if news is None else news.ends,
        news_fault=desk.facts.news_fault,
    )


def _next_news(desk: Desk, now: Instant) -> NewsTime | None:
    return min([news for news in desk.facts.news if now < news.ends], key=lambda news: news.begins, default=None)


def session_view(desk: Desk, symbol: str, now: Instant) -> Fields:
    """Return whether the asset's market trades, and the session that runs or comes next."""
    hours = session_of(desk, symbol, now)
    return {
        "session_open": None if hours is None else is_open(hours, now),
        "session_opens_ts": None if hours is None else hours.opens,
        "session_closes_ts": None if hours is None else hours.closes,
    }
