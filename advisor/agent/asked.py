"""What the tools are asked: an asset in any spelling, a day in words. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, timedelta

from advisor.agent.sources import NothingThere, ToolRefused
from advisor.agent.wording import WEEKDAYS, day_words
from services.market.instruments import INSTRUMENTS, resolve_asset

ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
SATURDAY = 5
LONGEST_QUOTE = 40


def asset_named(text: str, known: Collection[str] = tuple(INSTRUMENTS)) -> str:
    """Return the asset that a spelling names: ``ES`` for ``CME_MINI:ES1!``. Raises `ToolRefused`."""
    found = resolve_asset(text.strip(), known)
    if found is None:
        sentence = f"{text.strip()[:LONGEST_QUOTE]!r} is none of {', '.join(known) or 'no assets'}"
        raise ToolRefused("unknown_symbol", sentence)
    return found


def asset_of_desk(text: str, assets: Collection[str]) -> str:
    """Return the desk's asset that a spelling names. Raises `ToolRefused`, for another desk's asset `NothingThere`."""
    if resolve_asset(text.strip(), assets) is None and resolve_asset(text.strip(), INSTRUMENTS) is not None:
        sentence = f"this desk does not trade {asset_named(text)}: it trades {', '.join(assets) or 'nothing'}"
        raise NothingThere("not_traded_here", sentence)
    return asset_named(text, assets)


def day_named(text: str | None, today: date) -> date:
    """Return a trading day up to `today`: ``today``, ``yesterday``, a weekday, or ``2026-11-17``.

    Yesterday is the trading day before, so Friday on a Monday; a weekday is the last one, today included. Raises
    `ToolRefused`, for a day on which the desk does not trade, or not yet, `NothingThere`.
    """
    spelled = (text or "today").strip().lower()
    if spelled == "today":
        return today
    if spelled == "yesterday":
        return _weekday_before(today)
    if spelled.capitalize() in WEEKDAYS:
        back = (today.weekday() - WEEKDAYS.index(spelled.capitalize())) % 7
        return _trading_day(today - timedelta(days=back), today)
    if not ISO_DAY.fullmatch(spelled):
        raise _no_day(spelled)
    try:
        day = date.fromisoformat(spelled)
    except ValueError:
        raise _no_day(spelled) from None
    return _trading_day(day, today)


def _weekday_before(day: date) -> date:
    before = day - timedelta(days=1)
    while before.weekday() >= SATURDAY:
        before -= timedelta(days=1)
    return before


def _trading_day(day: date, today: date) -> date:
    if day.weekday() >= SATURDAY:
        raise NothingThere("no_trading_day", f"{day_words(day)} is no trading day")
    if not date(2000, 1, 1) <= day <= today:
        raise NothingThere("no_trading_day", f"{day_words(day)} is no trading day up to {day_words(today)}")
    return day


def _no_day(text: str) -> ToolRefused:
    said = f"{text[:LONGEST_QUOTE]!r} is no day: today, yesterday, a weekday, or a date like 2026-11-17"
    return ToolRefused("invalid_arguments", said)
