"""When a candle is told: once, after its period has ended and its last minute was stored, or the wait is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from feeds.bars.store import BarStore
from feeds.bars.types import Bar
from feeds.channels.data_closes import Closes, Pair
from feeds.channels.data_stream import closed_candles
from wire.data_service import DataTimeframe

HALF_PAST_NINE = datetime(2026, 11, 17, 14, 30, tzinfo=UTC)
MINUTES: set[Pair] = {("ES", "1m")}


class Clock:
    """Seconds that pass, a program that hears candles, and the store that they are read from."""

    def __init__(self, folder: Path) -> None:
        self.now = HALF_PAST_NINE
        self.store = BarStore(folder / "bars.sqlite", clock=lambda: self.now.timestamp())
        self.closes = Closes()
        self.told: list[str] = []

    def stores(self, minute: int, close: int = 5000) -> None:
        at = int(HALF_PAST_NINE.timestamp()) + 60 * minute
        price = Decimal(close)
        self.store.put([Bar("ES", at, price, price, price, price, None, "ticks")])

    def passes(self, seconds: int, wanted: set[Pair]) -> list[str]:
        """Let seconds pass and return the candles that were told in them."""
        before = len(self.told)
        for _ in range(seconds):
            self.now += timedelta(seconds=1)
            self.closes.pass_time(self.now, wanted)
            found = closed_candles(self.store, [(one, False) for one in self.closes.awaited], self.now)
            self.closes.settle(found)
            self.told += [
                f"{ended.timeframe} {datetime.fromtimestamp(c.start, UTC):%H:%M} {c.minutes}" for ended, c in found
            ]
        return self.told[before:]


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[Clock]:
    clock = Clock(tmp_path)
    yield clock
    clock.store.close()


def test_a_minute_is_told_as_soon_as_it_is_stored_and_once(clock: Clock) -> None:
    assert clock.passes(62, MINUTES) == []  # it has ended, and nobody has stored it
    clock.stores(0)
    assert clock.passes(1, MINUTES) == ["1m 14:30 1"]
    assert clock.passes(50, MINUTES) == []


def test_a_candle_waits_for_its_last_minute_and_then_takes_what_there_is(clock: Clock) -> None:
    wanted: set[Pair] = {("ES", "5m")}
    for minute in range(4):
        clock.stores(minute)
    assert clock.passes(5 * 60 + 8, wanted) == []
    assert clock.passes(3, wanted) == ["5m 14:30 4"]
    for minute in range(5, 10):
        clock.stores(minute)
    assert clock.passes(5 * 60 - 11, wanted) == ["5m 14:35 5"]


def test_a_period_without_a_trade_has_no_candle_and_delays_no_other(clock: Clock) -> None:
    assert clock.passes(120, MINUTES) == []
    clock.stores(2)
    assert clock.passes(75, MINUTES) == ["1m 14:32 1"]


def test_the_first_candle_is_the_one_in_which_it_was_asked_for(clock: Clock) -> None:
    clock.stores(0)
    clock.passes(90, set())
    clock.stores(1)
    assert clock.passes(40, MINUTES) == ["1m 14:31 1"]


def test_who_has_left_is_told_nothing_after_coming_back(clock: Clock) -> None:
    clock.passes(61, MINUTES)
    clock.passes(1, set())
    clock.stores(0)
    assert clock.passes(8, MINUTES) == []


@pytest.mark.parametrize(
    ("timeframe", "closes"),
    [
        ("1d", "2026-11-17T22:00:00"),  # 17:00 in New York
        ("4h", "2026-11-17T22:00:00"),  # the last four hours are three
        ("1w", "2026-11-20T22:00:00"),
        ("1d", "2026-11-27T18:15:00"),  # the day after Thanksgiving
        ("4h", "2026-11-27T18:15:00"),
    ],
)
def test_a_candle_closes_with_its_market_and_not_when_that_opens_again(
    clock: Clock, timeframe: DataTimeframe, closes: str
) -> None:
    wanted: set[Pair] = {("ES", timeframe)}
    close = datetime.fromisoformat(closes).replace(tzinfo=UTC)
    clock.now = close - timedelta(seconds=20)
    assert clock.passes(10, wanted) == []
    clock.stores(int((close - HALF_PAST_NINE).total_seconds()) // 60 - 3)  # nobody trades in the last two minutes
    assert clock.passes(18, wanted) == []
    assert [one[:2] for one in clock.passes(3, wanted)] == [timeframe]
    clock.now = close + timedelta(minutes=59, seconds=50)
    assert clock.passes(30, wanted) == []


def test_the_day_after_a_close_is_told_at_its_own(clock: Clock) -> None:
    day: set[Pair] = {("ES", "1d")}
    clock.now = datetime(2026, 11, 17, 22, 30, tzinfo=UTC)  # between two days
    clock.stores(7 * 60)
    clock.stores(24 * 60)
    assert clock.passes(1, day) == []
    clock.now = datetime(2026, 11, 17, 22, 59, 50, tzinfo=UTC)
    assert clock.passes(30, day) == []
    clock.now = datetime(2026, 11, 18, 21, 59, 55, tzinfo=UTC)
    assert clock.passes(16, day) == ["1d 23:00 1"]


def test_a_clock_that_is_set_back_delays_no_candle(clock: Clock) -> None:
    clock.now += timedelta(hours=1)
    clock.passes(5, MINUTES)
    clock.now -= timedelta(hours=1)
    clock.stores(0)
    assert clock.passes(60, MINUTES) == ["1m 14:30 1"]
