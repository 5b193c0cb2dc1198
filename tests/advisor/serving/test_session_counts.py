"""Why there is no model: how many sessions are recorded, counted once for all who ask."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from advisor.bars import BarsAway, FeedsBars
from advisor.ml.bars import Minute, Series, series_of
from advisor.models import sessions
from advisor.models.places import TIMEFRAMES
from advisor.models.sessions import HOLDS_SECONDS, LOOKS_SECONDS, MUCH_CHANGED, SessionCounts
from wire.candles import BarSource
from wire.minutes import LONGEST_PAGE, StoredSymbol
from wire.ml_engine import MlTimeframe

MONDAY = datetime(2026, 11, 2, 14, 30, tzinfo=UTC)


class Feeds(FeedsBars):
    """Feeds with some minutes of ES."""

    def __init__(self, minutes: list[Minute]) -> None:
        super().__init__(None)
        self.minutes = minutes
        self.asked = 0
        self.is_away = False

    async def stored(self) -> dict[str, StoredSymbol]:
        if self.is_away:
            raise BarsAway("feeds is away")
        rows = len(self.minutes)
        return {"ES": StoredSymbol(symbol="ES", simulated=False, rows=rows, first_t=0, last_t=0)} if rows else {}

    async def newest(self, symbol: str, before: int | None = None) -> list[Minute]:
        self.asked += 1
        return [minute for minute in self.minutes if before is None or minute.t < before][-LONGEST_PAGE:]


def days(count: int, every: int = 1, source: BarSource = "ticks") -> list[Minute]:
    """Return six hours on each of so many weekdays, a few days apart."""
    found: list[Minute] = []
    day = MONDAY
    while len(found) < count * 360:
        if day.weekday() < 5:
            begins = int(day.timestamp())
            found += [Minute(begins + 60 * n, 100.0, 101.0, 99.0, 100.0, 1.0, source) for n in range(360)]
        day += timedelta(days=every)
    return found


def said(feeds: Feeds) -> str:
    return asyncio.run(SessionCounts(feeds, patience_seconds=60.0).sentence("ES", "15m"))


@pytest.mark.parametrize(
    ("minutes", "sentence"),
    [
        ([], "ES 15m: 0 of 10 sessions: no bars of a real market"),
        (days(3), "ES 15m: 3 of 10 sessions"),
        (days(3, source="sampled"), "ES 15m: 0 of 10 sessions"),
        (days(9, every=7), "ES 15m: 9 of 10 sessions"),  # two months apart
        (days(30), "ES 15m: 10 sessions or more are recorded, and no model has been trained yet"),
    ],
    ids=["none", "three", "sampled", "rare", "enough"],
)
def test_it_is_said_how_many_sessions_there_are(minutes: list[Minute], sentence: str) -> None:
    assert said(Feeds(minutes)) == sentence


def test_pages_are_read_back_until_there_are_enough() -> None:
    feeds = Feeds([*days(12), *days_of_samples(LONGEST_PAGE)])
    assert said(feeds).startswith("ES 15m: 10 sessions or more")
    assert feeds.asked == 2


def days_of_samples(count: int) -> list[Minute]:
    begins = int((MONDAY + timedelta(days=60)).timestamp())
    return [Minute(begins + 60 * n, 100.0, 100.0, 100.0, 100.0, None, "sampled") for n in range(count)]


def test_many_who_ask_at_once_cost_one_count_until_much_has_changed() -> None:
    feeds = Feeds(days(3))
    now = [0.0]
    counts = SessionCounts(feeds, lambda: now[0])

    async def story() -> None:
        told = await asyncio.gather(*(counts.sentence("ES", one) for one in ("1m", "5m", "15m", "30m", "1h")))
        assert set(told) == {f"ES {one}: 3 of 10 sessions" for one in ("1m", "5m", "15m", "30m", "1h")}
        assert feeds.asked == 1
        feeds.minutes = days(4)[: 3 * 360 + MUCH_CHANGED - 1]
        now[0] += LOOKS_SECONDS + 1
        assert await counts.sentence("ES", "5m") == "ES 5m: 3 of 10 sessions"
        assert feeds.asked == 1  # too little is new
        feeds.minutes = days(4)
        now[0] += LOOKS_SECONDS + 1
        assert await counts.sentence("ES", "5m") == "ES 5m: 4 of 10 sessions"
        assert feeds.asked == 2
        now[0] += HOLDS_SECONDS + 1
        await counts.sentence("ES", "5m")
        assert feeds.asked == 3

    asyncio.run(story())


def test_each_page_is_counted_once_and_a_session_across_two_pages_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting all pages again with each further one took seconds, in which the advisor answered nobody."""
    counted: list[int] = []

    def counting(symbol: str, timeframe: MlTimeframe, minutes: Sequence[Minute]) -> Series:
        assert threading.current_thread() is not threading.main_thread()
        counted.append(len(minutes))
        return series_of(symbol, timeframe, minutes)

    monkeypatch.setattr(sessions, "series_of", counting)
    feeds = Feeds([*days(9), *days_of_samples(2 * LONGEST_PAGE - 100)])  # a page begins within the last session
    assert said(feeds) == "ES 15m: 9 of 10 sessions"
    assert sum(counted) == len(TIMEFRAMES) * len(feeds.minutes)


def test_symbols_are_counted_one_after_the_other() -> None:
    class Careful(Feeds):
        reading = 0

        async def newest(self, symbol: str, before: int | None = None) -> list[Minute]:
            self.reading += 1
            assert self.reading == 1, "two symbols at once"
            await asyncio.sleep(0)
            page = await super().newest(symbol, before)
            self.reading -= 1
            return page

        async def stored(self) -> dict[str, StoredSymbol]:
            row = StoredSymbol(symbol="ES", simulated=False, rows=len(self.minutes), first_t=0, last_t=0)
            return {"ES": row, "NQ": row}

    async def story() -> None:
        counts = SessionCounts(Careful(days(3)), patience_seconds=30)
        told = await asyncio.gather(counts.sentence("ES", "5m"), counts.sentence("NQ", "5m"))
        assert list(told) == ["ES 5m: 3 of 10 sessions", "NQ 5m: 3 of 10 sessions"]

    asyncio.run(story())


def test_who_asks_waits_no_longer_than_it_has_time_and_the_count_goes_on() -> None:
    class Slow(Feeds):
        async def newest(self, symbol: str, before: int | None = None) -> list[Minute]:
            await going_on.wait()
            return await super().newest(symbol, before)

    going_on = asyncio.Event()
    feeds = Slow(days(3))

    async def story() -> None:
        counts = SessionCounts(feeds, patience_seconds=0.01)
        assert (await counts.sentence("ES", "5m")).endswith("its sessions are being counted: ask again")
        going_on.set()
        while (told := await counts.sentence("ES", "5m")) != "ES 5m: 3 of 10 sessions":
            assert told.endswith("ask again")
        assert feeds.asked == 1

    asyncio.run(asyncio.wait_for(story(), 30))


def test_a_count_that_fails_when_nobody_waits_is_told_to_the_next() -> None:
    class Fails(Feeds):
        async def newest(self, symbol: str, before: int | None = None) -> list[Minute]:
            await going_on.wait()
            raise BarsAway("feeds does not answer")

    going_on = asyncio.Event()

    async def story() -> None:
        counts = SessionCounts(Fails(days(3)), patience_seconds=0.01)
        assert (await counts.sentence("ES", "5m")).endswith("ask again")
        going_on.set()
        while (told := await counts.sentence("ES", "5m")).endswith("ask again"):
            pass
        assert told.endswith("feeds does not answer")

    asyncio.run(asyncio.wait_for(story(), 30))


def test_while_feeds_is_away_no_number_is_said() -> None:
    feeds = Feeds(days(3))
    feeds.is_away = True
    assert said(feeds) == "ES 15m: there is no model, and no bars to count sessions of: feeds is away"
