"""Which bars are closed, whole and recent. A moment too early or a day too late there is no range."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from advisor.bars import BarBook, BarsAway, FeedsBars, Window
from advisor.ml.bars import Minute
from advisor.models.history import MOST_BARS, History, closed_until, is_old
from sidecar.problems import ServiceRefused
from wire.candles import BarSource
from wire.minutes import LONGEST_PAGE

NOON = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)  # a Tuesday; the market of futures is open
QUARTER = timedelta(minutes=15)
FRIDAY_CLOSE = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)


def minutes(until: datetime, count: int = 120, source: BarSource = "provider") -> list[Minute]:
    end = int(until.timestamp())
    return [Minute(end - 60 * (count - n), 100.0, 101.0, 99.0, 100.5, 1.0, source) for n in range(count)]


class Stored(BarBook):
    """Minutes that are there already."""

    def __init__(self, rows: list[Minute]) -> None:
        super().__init__(FeedsBars(None))
        self.rows = rows

    async def window(self, symbol: str) -> Window:
        return Window(self.rows, 1, len(self.rows), 0.0)


def history(rows: list[Minute], now: datetime) -> History:
    return History(Stored(rows), lambda: now)


@pytest.mark.parametrize(
    ("last_minute_ends", "now", "closed_at"),
    [
        (NOON, NOON + timedelta(seconds=1), NOON),  # its last minute is there
        (NOON - timedelta(minutes=1), NOON + timedelta(seconds=1), NOON - QUARTER),  # it may still come
        (NOON - timedelta(minutes=1), NOON + timedelta(seconds=10), NOON),  # it had no trade
        (NOON + timedelta(minutes=3), NOON + timedelta(minutes=3), NOON),  # the next one runs
    ],
)
def test_a_bar_is_closed_when_its_last_minute_is_there_or_can_no_longer_come(
    last_minute_ends: datetime, now: datetime, closed_at: datetime
) -> None:
    assert closed_until(minutes(last_minute_ends), 900, now) == int(closed_at.timestamp())


def test_the_newest_series_ends_with_the_last_closed_bar_and_is_made_once() -> None:
    told = history(minutes(NOON + timedelta(minutes=7)), NOON + timedelta(minutes=7))
    first = asyncio.run(told.recent("ES", "15m"))
    assert first.ends_at(len(first) - 1) == NOON
    assert asyncio.run(told.recent("ES", "15m")) is first


def test_a_window_that_begins_within_a_bar_begins_with_the_next_one() -> None:
    """The first minutes of the oldest bar are not held: its high may have been in them."""
    rows = minutes(NOON, LONGEST_PAGE)
    assert rows[0].t % 900
    series = asyncio.run(history(rows, NOON).recent("ES", "15m"))
    assert series.starts[0] == next(row.t for row in rows if row.t % 900 == 0)
    quick = asyncio.run(history(rows, NOON).recent("ES", "1m"))
    assert (len(quick), quick.ends_at(len(quick) - 1)) == (MOST_BARS, NOON)


@pytest.mark.parametrize(
    ("ended", "now", "old"),
    [
        (NOON, NOON + 2 * QUARTER, False),
        (NOON, NOON + 2 * QUARTER + timedelta(seconds=1), True),
        (FRIDAY_CLOSE, FRIDAY_CLOSE + timedelta(hours=40), False),  # the weekend does not count
        (FRIDAY_CLOSE, datetime(2026, 11, 22, 23, 29, tzinfo=UTC), False),  # half an hour of Sunday's session
        (FRIDAY_CLOSE, datetime(2026, 11, 22, 23, 31, tzinfo=UTC), True),
        (FRIDAY_CLOSE - timedelta(hours=2), FRIDAY_CLOSE + timedelta(hours=1), True),  # it fell silent before the close
        (datetime(2024, 11, 18, 21, 0, tzinfo=UTC), FRIDAY_CLOSE + timedelta(hours=40), True),  # recorded days
    ],
)
def test_a_bar_is_old_after_two_bars_of_trading_time(ended: datetime, now: datetime, old: bool) -> None:
    assert is_old("ES", ended, QUARTER, now) is old


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "no_bars"),
        (minutes(NOON, source="simulated"), "no_bars"),
        (minutes(NOON, source="sampled"), "no_bars"),
        (minutes(NOON - timedelta(days=1)), "stale"),
        (minutes(NOON - timedelta(days=700)), "stale"),
        ([*minutes(NOON), *minutes(NOON)], "no_bars"),  # twice: nobody knows which is true
    ],
    ids=["none", "simulated", "sampled", "old", "of another year", "twice"],
)
def test_what_is_no_current_market_is_refused(rows: list[Minute], code: str) -> None:
    with pytest.raises(ServiceRefused) as refused:
        asyncio.run(history(rows, NOON + timedelta(seconds=30)).recent("ES", "15m"))
    assert refused.value.code == code


def test_a_feeds_that_is_away_is_said() -> None:
    told = History(BarBook(FeedsBars(None)), lambda: NOON)
    with pytest.raises(ServiceRefused, match="feeds is off") as refused:
        asyncio.run(told.recent("ES", "15m"))
    assert refused.value.code == "no_bars"
    assert isinstance(refused.value.__cause__, BarsAway)


@pytest.mark.parametrize(
    ("closed", "now", "code"),
    [
        (NOON, NOON + QUARTER, None),  # the bar that it is for has just ended, its last minute may be on its way
        (NOON, NOON + QUARTER + timedelta(seconds=15), None),
        (NOON, NOON + QUARTER + timedelta(seconds=16), "the newest forecast was until 2026-11-24 18:15 UTC"),
        (NOON, NOON + 2 * QUARTER, "no bar came"),  # feeds fell silent within trade
        (FRIDAY_CLOSE, FRIDAY_CLOSE + timedelta(seconds=30), "the market closed at 2026-11-20 22:00 UTC"),
        (FRIDAY_CLOSE, FRIDAY_CLOSE + timedelta(hours=40), "the market closed"),  # over the weekend
        (FRIDAY_CLOSE, datetime(2026, 11, 22, 23, 5, tzinfo=UTC), "the market closed"),  # the first bar of Sunday runs
    ],
)
def test_what_is_told_of_the_next_bar_counts_until_that_bar_is_over(
    closed: datetime, now: datetime, code: str | None
) -> None:
    """A range of Friday's last bar on Sunday would look like one of the bar that runs."""
    told = history(minutes(closed), now)
    assert asyncio.run(told.recent("ES", "15m"))  # a phase looks back
    if code is None:
        assert asyncio.run(told.current("ES", "15m")).ends_at(7) == closed
        return
    with pytest.raises(ServiceRefused, match=code) as refused:
        asyncio.run(told.current("ES", "15m"))
    assert refused.value.code == "stale"
