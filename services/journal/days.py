"""One trading day of the journal, and a month of them (``services/journal/trades.py``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

from services.engine.model.events import EntryAccepted, EntryBlocked
from services.engine.model.trading_day import trading_day_of
from services.journal.statistics import CalendarDay, Figures, blocked_by_gate, calendar_of, figures_of
from services.journal.trades import READ_AT_MOST, JournalTrade, Selection, page_of, span_of
from services.projections.attempts import Attempt, attempts_between
from services.projections.equity import PnlDay, PnlSample, account_day
from services.stores.store import Store
from wire.types import Env, Instant

ATTEMPTS_SHOWN = 200
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


class Override(Struct, frozen=True):
    """An entry that skipped the zone gate, or an attempt to. ``gate`` is the gate that refused the attempt."""

    at: Instant
    asset: str
    direction: str | None
    reason: str | None
    gate: str | None
    order_id: str | None


class JournalDay(Struct, frozen=True):
    """One trading day. ``overrides`` and ``blocked`` come newest first, from the newest 5,000 attempts.

    ``forced_exits`` are those that the operator forced, not those of a program.
    """

    day: date
    figures: Figures
    samples: tuple[PnlSample, ...]
    blocked_by_gate: dict[str, int]
    blocked: list[tuple[Instant, EntryBlocked]]
    overrides: list[Override]
    forced_exits: list[JournalTrade]


class Month(Struct, frozen=True):
    """The trading days of one month. ``is_whole`` is false when there were more trades or attempts than are read."""

    days: list[CalendarDay]
    is_whole: bool


def day_of(store: Store, day: date, roll: str, env: Env | None, samples_after: Instant | None = None) -> JournalDay:
    """Return a trading day, with trades and samples of one environment or both. Raises StoreDown, StoreUnreadable.

    With ``samples_after`` only later samples are included.
    """
    known_until = samples_after or BEFORE_ALL
    trades = page_of(store, Selection(first_day=day, last_day=day, env=env), roll, READ_AT_MOST).trades
    attempts = list(_attempts_of_days(store, day, day, roll))
    return JournalDay(
        day=day,
        figures=figures_of(trades),
        samples=tuple(s for s in _samples_of(store, day).samples if env in (None, s.env) and s.at > known_until),
        blocked_by_gate=blocked_by_gate(event for _, event in attempts),
        blocked=[(at, event) for at, event in attempts if isinstance(event, EntryBlocked)][:ATTEMPTS_SHOWN],
        overrides=_overrides(attempts)[:ATTEMPTS_SHOWN],
        forced_exits=[entry for entry in trades if entry.trade.is_forced_by_operator],
    )


def month_of(store: Store, first: date, roll: str, env: Env | None) -> Month:
    """Return the month that begins on ``first``. Raises StoreDown, StoreUnreadable."""
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    page = page_of(store, Selection(first_day=first, last_day=last, env=env), roll, READ_AT_MOST)
    attempts = list(_attempts_of_days(store, first, last, roll))
    is_whole = page.following is None and len(attempts) < READ_AT_MOST
    return Month(calendar_of(page.trades, attempts, day_by(roll)), is_whole)


def day_by(roll: str) -> Callable[[Instant], date]:
    return lambda at: trading_day_of(at, roll)


def _attempts_of_days(store: Store, first: date, last: date, roll: str) -> Iterable[tuple[Instant, Attempt]]:
    since, until = span_of(first, last, roll)
    attempts = attempts_between(store, since, until, READ_AT_MOST)
    return ((at, event) for at, event in attempts if first <= trading_day_of(at, roll) <= last)


def _overrides(attempts: Iterable[tuple[Instant, Attempt]]) -> list[Override]:
    found = []
    for at, event in attempts:
        if isinstance(event, EntryAccepted):
            found.append(Override(at, event.asset, event.direction, event.override_reason, None, event.order_id))
        elif isinstance(event, EntryBlocked) and event.override:
            found.append(Override(at, event.asset, event.direction, event.override_reason, event.gate, None))
    return found


def _samples_of(store: Store, day: date) -> PnlDay:
    """Return the account's samples of a day. They keep the trading day under which they were stored."""
    return account_day(store, day.isoformat()) or PnlDay(day.isoformat())
