"""Whatever is lost, doubled, late or out of order: no minute says more than was heard, and the best source stays."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from feeds.bars.minute_book import Market, MinuteBook
from feeds.bars.store import BarStore
from feeds.bars.types import MINUTE, RANKS, Bar
from tests.feeds.bars.market import T0, bar
from wire.candles import BarSource
from wire.stream import BarHeard

ES = Market("ES", simulated=False)
MINUTES = 40
Prices = list[Decimal]


def tape(chance: random.Random) -> dict[int, Prices]:
    """Return the prices of each second of some minutes; in some seconds nothing is traded."""
    price, seconds = Decimal(5000), {}
    for second in range(MINUTES * MINUTE):
        price += chance.choice((-1, 0, 1)) * Decimal("0.25")
        seconds[second] = [price] * chance.choice((0, 1, 1, 2))
    return seconds


def minute_of(seconds: dict[int, Prices], start: int, length: int = MINUTE) -> Prices:
    return [price for second in range(start, start + length) for price in seconds[second]]


def quarter(seconds: dict[int, Prices], start: int) -> BarHeard:
    prices = minute_of(seconds, start, 15)
    return BarHeard(
        asset="ES",
        symbol="ES",
        base="15S",
        started_at=datetime.fromtimestamp(T0 + start, UTC),
        open=prices[0],
        high=max(prices),
        low=min(prices),
        close=prices[-1],
        volume=Decimal(len(prices)),
        simulated=False,
    )


def claims(found: Bar, prices: Prices) -> bool:
    """Return whether a minute says what was traded in it."""
    whole = (prices[0], max(prices), min(prices), prices[-1])
    return (found.open, found.high, found.low, found.close) == whole and found.volume == len(prices)


def is_within(found: Bar, prices: Prices) -> bool:
    """Return whether a minute says no price that was not traded, and no volume."""
    return {found.open, found.high, found.low, found.close} <= set(prices) and found.volume is None


@pytest.mark.parametrize("seed", range(8))
def test_bars_that_are_lost_doubled_late_and_out_of_order(seed: int) -> None:
    chance = random.Random(seed)
    seconds, book, bars = tape(chance), MinuteBook(), list[Bar]()
    due = [  # when a bar comes, and which; some never, some twice
        (start + 15 + chance.choice((0, 1, 3, 3, 40, 200)), start)
        for start in range(0, MINUTES * MINUTE, 15)
        for _ in range(chance.choice((0, 1, 1, 1, 1, 1, 2)))
    ]
    heard = Counter(start // MINUTE for start in {start for _, start in due})
    for now in range(MINUTES * MINUTE + 600):
        for _, start in [one for one in due if one[0] == now]:
            book.hear_bar(quarter(seconds, start), T0 + now)
        bars += book.due(T0 + now)
    last = {one.t: one for one in bars}
    for number in range(MINUTES):
        prices, found = minute_of(seconds, number * MINUTE), last.get(T0 + number * MINUTE)
        source = None if found is None else found.source
        assert source == {0: None, 4: "heartbeat"}.get(heard[number], "sampled")
        assert found is None or (claims if source == "heartbeat" else is_within)(found, prices)


@pytest.mark.parametrize("seed", range(8))
def test_ticks_of_a_stream_that_breaks_now_and_then(seed: int) -> None:
    chance = random.Random(seed)
    seconds, book, bars = tape(chance), MinuteBook(), list[Bar]()
    lost = {second for begin in chance.sample(range(MINUTES * MINUTE), 9) for second in range(begin, begin + 25)}
    was_lost = False
    for now in range(MINUTES * MINUTE + 600):
        if now in lost:
            was_lost = True
        elif now in seconds:
            if was_lost:
                book.miss(None, T0 + now)
                was_lost = False
            for price in seconds[now]:
                book.hear_tick(ES, price, T0 + now, 1, T0 + now)
        bars += book.due(T0 + now)
    last = {one.t: one for one in bars}
    ticked = 0
    for number in range(1, MINUTES):
        start = number * MINUTE
        found, prices = last.get(T0 + start), minute_of(seconds, start)
        if found is not None and found.source == "ticks":
            assert not lost & set(range(start, start + MINUTE))
            assert claims(found, prices)
            ticked += 1
        elif found is not None:
            assert is_within(found, prices)
    assert ticked > MINUTES // 2


@pytest.mark.parametrize("seed", range(5))
def test_the_store_equals_a_table_that_keeps_the_best_of_each_minute(tmp_path: Path, seed: int) -> None:
    chance, table = random.Random(seed), dict[tuple[int, bool], Bar]()
    store = BarStore(tmp_path / "bars.sqlite")
    sources: list[BarSource] = list(RANKS)
    for _ in range(60):
        batch = [
            bar(chance.randrange(30), str(5000 + chance.randrange(4)), chance.choice(sources))
            for _ in range(chance.randrange(12))
        ]
        before = dict(table)
        for one in batch:
            key = (one.t, one.source == "simulated")
            if key not in table or RANKS[one.source] <= RANKS[table[key].source]:
                table[key] = one
        assert store.put(batch) == sum(before.get(key) != one for key, one in table.items())
    for simulated in (False, True):
        kept = [one for (_, is_simulated), one in sorted(table.items()) if is_simulated is simulated]
        assert store.minutes("ES", None, None, 100, simulated=simulated) == kept
    assert sum(row.rows for row in store.symbols()) == len(table)
    store.close()
