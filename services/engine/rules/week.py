"""The week's books: net results and entries since Sunday's roll, and what they leave (SPEC 5.9). All are pure."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from services.engine.model.state import Desk
from services.engine.model.trading_day import week_start
from services.engine.model.window import Week
from services.engine.rules.beliefs import open_result, start_of
from wire.types import Instant, Usd

ZERO = Decimal(0)
SAME_WEEK = timedelta(days=2)
"""A changed roll of the day moves the week's begin by less than this; that begins no new week."""


def week_of(desk: Desk, now: Instant) -> Week:
    """Return the running week; a new one has no entries and no results."""
    begins = week_start(now, desk.rules.day_roll)
    known = desk.week
    if known.begins is None or begins > known.begins + SAME_WEEK:
        return Week(begins)
    return known


def week_result(desk: Desk, now: Instant) -> Usd:
    """Return the week's net result of the environment traded: closed trades, and what the open ones show."""
    closed = week_of(desk, now).net_usd.get(desk.env, ZERO)
    return closed + sum((open_result(asset) for asset in desk.assets.values()), ZERO)


def week_limit(desk: Desk, now: Instant) -> Usd | None:
    """Return the loss that ends the week's entries; None while none is set, or a percentage has nothing to refer to."""
    rules = desk.rules
    start = week_of(desk, now).started_with.get(desk.env) or start_of(desk)
    limits = [] if rules.weekly_loss_usd is None else [rules.weekly_loss_usd]
    if rules.weekly_loss_pct is not None and start is not None:
        limits.append(start * rules.weekly_loss_pct / 100)
    return min(limits, default=None)


def left_of_week(desk: Desk, now: Instant) -> Usd | None:
    """Return what the week may still lose, 0 and below when it is used up; None without a weekly limit."""
    limit = week_limit(desk, now)
    return None if limit is None else limit + week_result(desk, now)
