"""Candles made of stored minutes: equal to a second implementation on every kind of week, and page by page."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from feeds.bars.store import BarStore
from feeds.bars.types import Bar, BarCandle, UnknownTimeframe
from services.market.instruments import UnknownInstrument
from tests.feeds.bars.market import T0, at, bar, walk
from tests.feeds.bars.second_candles import Day, Made, Minute, candles, days_of
from wire.candles import CANDLE_TIMEFRAMES

NOW = at("2027-06-01T12:00")
WEEKS = {  # the Monday of a week that is read together with the one before
    "the clocks go forward": date(2026, 3, 9),
    "Good Friday": date(2026, 4, 6),
    "the clocks go back": date(2026, 11, 2),
    "Thanksgiving": date(2026, 11, 23),
    "Christmas": date(2026, 12, 28),
}
KINDS = {"ES": "cme", "EURUSD": "fx", "BTCUSD": "crypto"}
EVERY = 6  # of six minutes one is stored, and all of them around the edges of a session


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BarStore]:
    store = BarStore(tmp_path / "bars.sqlite", clock=lambda: NOW)
    yield store
    store.close()


def all_of(store: BarStore, timeframe: str, symbol: str = "ES") -> list[BarCandle]:
    return store.candles(symbol, timeframe, None, None, 100_000)


# -- the second implementation ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("week", WEEKS)
@pytest.mark.parametrize("symbol", KINDS)
def test_candles_equal_those_of_a_second_implementation(store: BarStore, symbol: str, week: str) -> None:
    days = days_of(KINDS[symbol], WEEKS[week] - timedelta(days=14), WEEKS[week] + timedelta(days=4))
    bars = with_holes(walk(symbol, starts_of(days, WEEKS[week] - timedelta(days=7))))
    assert store.put(bars) == len(bars)
    minutes = [Minute(one.t, one.open, one.high, one.low, one.close, whole(one)) for one in bars]
    for timeframe in CANDLE_TIMEFRAMES:
        found = [told(candle) for candle in all_of(store, timeframe, symbol)]
        assert found == candles(minutes, timeframe, days), timeframe


def starts_of(days: list[Day], first: date) -> list[int]:
    """Return starts of minutes in which the market trades, from a date on."""
    starts = []
    for on, _, opens, closes in days:
        if on >= first and opens is not None and closes is not None:
            edge = 3 * 60
            starts += [
                t for t in range(opens, closes, 60) if not t // 60 % EVERY or t < opens + edge or t >= closes - edge
            ]
    return starts


def with_holes(bars: list[Bar]) -> list[Bar]:
    """Leave out some minutes, an hour and more here and there, and some volumes."""
    chance = random.Random(7)
    kept, skip = [], 0
    for one in bars:
        skip = chance.randint(5, 80) if chance.random() < 0.005 else max(0, skip - 1)
        if not skip and chance.random() > 0.05:
            kept.append(replace(one, volume=None) if chance.random() < 0.002 else one)
    return kept


def whole(one: Bar) -> int | None:
    return None if one.volume is None else int(one.volume)


def told(candle: BarCandle) -> Made:
    volume = None if candle.volume is None else int(candle.volume)
    return Made(candle.start, candle.open, candle.high, candle.low, candle.close, volume, candle.minutes)


# -- by hand ---------------------------------------------------------------------------------------------------------


def test_mondays_candle_begins_on_sunday_evening_and_ends_with_its_session(store: BarStore) -> None:
    sunday, monday = at("2026-11-22T18:00-05:00"), at("2026-11-23T16:59-05:00")
    store.put(walk("ES", [sunday, monday]))
    [day] = all_of(store, "1d")
    assert (day.start, day.end) == (sunday, at("2026-11-23T17:00-05:00"))
    [week] = all_of(store, "1w")
    assert (week.start, week.end) == (sunday, at("2026-11-27T13:15-05:00"))  # the day after Thanksgiving


def test_the_last_four_hours_of_a_day_at_cme_are_three(store: BarStore) -> None:
    store.put(walk("ES", [at("2026-11-20T13:59-05:00"), at("2026-11-20T14:00-05:00"), at("2026-11-20T16:59-05:00")]))
    ends = [(candle.start, candle.end, candle.minutes) for candle in all_of(store, "4h")]
    two, five = at("2026-11-20T14:00-05:00"), at("2026-11-20T17:00-05:00")
    assert ends == [(at("2026-11-20T10:00-05:00"), two, 1), (two, five, 2)]


def test_a_currency_rolls_at_five_while_cme_pauses(store: BarStore) -> None:
    minutes = [at("2026-11-19T16:59-05:00"), at("2026-11-19T17:00-05:00")]
    store.put(walk("EURUSD", minutes))
    assert [candle.start for candle in all_of(store, "1d", "EURUSD")] == [at("2026-11-18T17:00-05:00"), minutes[1]]


def test_a_gap_stays_a_gap(store: BarStore) -> None:
    store.put([bar(0), bar(45), bar(46)])
    assert [candle.start - T0 for candle in all_of(store, "15m")] == [0, 45 * 60]


def test_a_candle_is_closed_once_its_period_has_ended(tmp_path: Path) -> None:
    now = T0
    store = BarStore(tmp_path / "bars.sqlite", clock=lambda: now)
    store.put([bar(0)])
    for now, is_closed in ((T0 + 299, False), (T0 + 300, True)):  # noqa: B007 - the clock reads it
        assert [candle.is_closed for candle in all_of(store, "5m")] == [is_closed]
    store.close()


def test_a_volume_that_is_unknown_in_one_minute_is_unknown_and_the_least_certain_source_is_named(
    store: BarStore,
) -> None:
    store.put([bar(0, source="ticks"), bar(1, source="ticks"), bar(5, source="sampled", volume=None)])
    first, second = all_of(store, "5m")
    assert (first.volume, first.source, first.minutes) == (20, "ticks", 2)
    assert (second.volume, second.source) == (None, "sampled")
    [both] = all_of(store, "1h")
    assert (both.volume, both.source) == (None, "sampled")


def test_sixty_minutes_are_an_hour_and_nothing_else_is_guessed(store: BarStore) -> None:
    store.put([bar(0)])
    assert all_of(store, "60m") == all_of(store, "1h")
    for wrong in ("2h", "1H", "", "1d "):
        with pytest.raises(UnknownTimeframe, match="must be one of 1m"):
            all_of(store, wrong)
    with pytest.raises(UnknownInstrument):
        all_of(store, "1d", "AAPL")


# -- page by page ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BarStore]:
    """Three weeks of ES with holes, and a day half a year before them."""
    store = BarStore(tmp_path_factory.mktemp("filled") / "bars.sqlite", clock=lambda: NOW)
    days = days_of("cme", date(2026, 10, 19), date(2026, 11, 13))
    store.put(with_holes(walk("ES", [T0 - 180 * 86_400 + 60 * minute for minute in range(300)])))
    store.put(with_holes(walk("ES", starts_of(days, date(2026, 10, 26)))))
    yield store
    store.close()


@pytest.mark.parametrize("timeframe", CANDLE_TIMEFRAMES[2:])
@pytest.mark.parametrize("limit", [1, 7, 100])
def test_pages_back_and_forth_are_the_whole(filled: BarStore, timeframe: str, limit: int) -> None:
    everything = all_of(filled, timeframe)
    back: list[BarCandle] = []
    while page := filled.candles("ES", timeframe, None, back[0].start if back else None, limit):
        assert len(page) <= limit
        back = page + back
    forth: list[BarCandle] = []
    while page := filled.candles("ES", timeframe, forth[-1].start + 1 if forth else 0, None, limit):
        assert len(page) <= limit
        forth += page
    assert back == everything
    assert forth == everything


@pytest.mark.parametrize("timeframe", CANDLE_TIMEFRAMES)
def test_a_span_holds_the_candles_that_begin_in_it(filled: BarStore, timeframe: str) -> None:
    everything = all_of(filled, timeframe)
    chance = random.Random(timeframe)
    for _ in range(12):
        start, end = sorted(
            chance.sample([candle.start for candle in everything], 2) if len(everything) > 1 else (0, 1)
        )
        start, end = start + chance.choice((-1, 0, 1)), end + chance.choice((-1, 0, 1))
        inside = [candle for candle in everything if start <= candle.start < end]
        assert filled.candles("ES", timeframe, start, end, 100_000) == inside
        before = [candle for candle in everything if candle.start < end]
        assert filled.candles("ES", timeframe, None, end, 3) == before[-3:]


def test_nothing_before_the_first_and_nothing_after_the_last(filled: BarStore) -> None:
    for timeframe in CANDLE_TIMEFRAMES:
        assert filled.candles("ES", timeframe, None, all_of(filled, timeframe)[0].start, 5) == []
        assert filled.candles("ES", timeframe, NOW, None, 5) == []
        assert filled.candles("ES", timeframe, None, None, 0) == []
        assert filled.candles("NQ", timeframe, None, None, 5) == []
