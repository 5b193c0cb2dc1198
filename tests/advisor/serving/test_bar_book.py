"""Minutes are followed: what is new comes, what was replaced or filled in later too, and nothing is kept twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from advisor.bars import RELOAD_SECONDS, BarBook, BarsAway, FeedsBars
from advisor.ml.bars import Minute
from wire.minutes import LONGEST_PAGE, StoredSymbol

FIRST = 1_790_000_040 // 60 * 60


class Feeds(FeedsBars):
    """Feeds with the minutes of a dictionary. It counts what is read."""

    def __init__(self) -> None:
        super().__init__(None)
        self.rows: dict[int, float] = {}
        self.loads = 0
        self.tails = 0
        self.pages = 0
        self.is_away = False

    def has(self, places: range, close: float = 100.0) -> None:
        self.rows |= {FIRST + 60 * place: close for place in places}

    def ordered(self) -> list[Minute]:
        return [Minute(t, close, close, close, close, None, "provider") for t, close in sorted(self.rows.items())]

    async def stored(self) -> dict[str, StoredSymbol]:
        if self.is_away:
            raise BarsAway("feeds is away")
        if not self.rows:
            return {}
        first, last = min(self.rows), max(self.rows)
        return {"ES": StoredSymbol(symbol="ES", simulated=False, rows=len(self.rows), first_t=first, last_t=last)}

    async def newest(self, symbol: str, before: int | None = None) -> list[Minute]:
        self.loads += 1
        return [minute for minute in self.ordered() if before is None or minute.t < before][-LONGEST_PAGE:]

    async def after(self, symbol: str, t: int) -> AsyncIterator[list[Minute]]:
        self.tails += 1
        following = [minute for minute in self.ordered() if minute.t > t]
        for begins in range(0, max(len(following), 1), LONGEST_PAGE):
            self.pages += 1
            yield following[begins : begins + LONGEST_PAGE]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def held(book: BarBook) -> list[Minute]:
    return asyncio.run(book.window("ES")).minutes


def test_new_minutes_come_without_reading_the_old_ones_again() -> None:
    feeds = Feeds()
    feeds.has(range(200))
    book = BarBook(feeds)
    assert len(held(book)) == 200
    feeds.has(range(200, 203))
    asyncio.run(book.follow())
    assert held(book) == feeds.ordered()
    asyncio.run(book.follow())
    assert (feeds.loads, feeds.tails) == (1, 1)


def test_a_minute_of_the_last_hour_that_a_better_source_replaced_is_read_again() -> None:
    feeds = Feeds()
    feeds.has(range(200))
    book = BarBook(feeds)
    edition = asyncio.run(book.window("ES")).edition
    feeds.has(range(190, 195), close=200.0)
    feeds.has(range(200, 201))
    asyncio.run(book.follow())
    assert held(book) == feeds.ordered()
    assert asyncio.run(book.window("ES")).edition != edition


def test_a_sync_of_the_past_is_noticed_by_the_count() -> None:
    feeds = Feeds()
    feeds.has(range(500, 700))
    book = BarBook(feeds)
    held(book)
    feeds.has(range(300))
    asyncio.run(book.follow())
    assert held(book) == feeds.ordered()
    assert feeds.loads == 2


def test_what_changed_without_a_trace_is_there_an_hour_later() -> None:
    feeds, clock = Feeds(), Clock()
    feeds.has(range(200))
    book = BarBook(feeds, clock)
    held(book)
    feeds.has(range(10), close=50.0)
    asyncio.run(book.follow())
    assert held(book) != feeds.ordered()
    clock.now += RELOAD_SECONDS + 1
    asyncio.run(book.follow())
    assert held(book) == feeds.ordered()


def test_the_window_stays_bounded() -> None:
    feeds = Feeds()
    feeds.has(range(LONGEST_PAGE + 50))
    book = BarBook(feeds)
    feeds.has(range(LONGEST_PAGE + 50, LONGEST_PAGE + 80))
    held(book)
    asyncio.run(book.follow())
    assert len(held(book)) == LONGEST_PAGE
    assert held(book)[-1].t == max(feeds.rows)


@pytest.mark.parametrize("gone", [0, 4 * LONGEST_PAGE], ids=["a sync of months", "while the past was deleted"])
def test_when_more_is_new_than_a_window_holds_only_the_newest_is_read(gone: int) -> None:
    """Gathering months of minutes to keep a week of them took many times the memory of all windows."""
    feeds = Feeds()
    feeds.has(range(-gone, 200))
    book = BarBook(feeds)
    held(book)
    feeds.rows = {t: close for t, close in feeds.rows.items() if t >= FIRST}
    feeds.has(range(200, 200 + 4 * LONGEST_PAGE))
    asyncio.run(book.follow())
    assert held(book) == feeds.ordered()[-LONGEST_PAGE:]
    assert feeds.loads == 2
    assert feeds.pages <= 2


def test_away_feeds_is_an_error_once_nothing_is_held_and_else_none() -> None:
    feeds = Feeds()
    feeds.has(range(100))
    book = BarBook(feeds)
    assert len(held(book)) == 100
    feeds.is_away = True
    with pytest.raises(BarsAway):
        asyncio.run(book.follow())
    assert not book.is_up
    assert len(held(book)) == 100
    with pytest.raises(BarsAway):
        asyncio.run(book.window("NQ"))


def test_bars_that_take_long_to_read_are_read_to_the_end_though_nobody_waits() -> None:
    class Slow(Feeds):
        async def newest(self, symbol: str, before: int | None = None) -> list[Minute]:
            await going_on.wait()
            return await super().newest(symbol, before)

    going_on = asyncio.Event()
    feeds = Slow()
    feeds.has(range(100))

    async def story() -> None:
        book = BarBook(feeds, patience_seconds=0.01)
        with pytest.raises(BarsAway, match="are being read"):
            await book.window("ES")
        going_on.set()
        await asyncio.sleep(0)
        while feeds.loads == 0:
            await asyncio.sleep(0.001)
        assert len((await book.window("ES")).minutes) == 100
        assert feeds.loads == 1

    asyncio.run(asyncio.wait_for(story(), 30))


def test_a_store_that_was_deleted_leaves_no_bars_of_before() -> None:
    feeds = Feeds()
    feeds.has(range(100))
    book = BarBook(feeds)
    held(book)
    feeds.rows.clear()
    asyncio.run(book.follow())
    assert held(book) == []
