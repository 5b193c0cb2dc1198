"""Minutes as feeds hear them: whole ticks, TradingView's bars, samples; late, doubled and missing ones."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations
from typing import Literal

import pytest

from feeds.bars.minute_book import GRACE, KEPT, Market, MinuteBook
from feeds.bars.types import Bar
from tests.feeds.bars.market import T0
from wire.stream import BarHeard

ES = Market("ES", simulated=False)
LATER = T0 + 3600.0


class Listener:
    """Somebody at whose clock it is some seconds after `T0`."""

    def __init__(self) -> None:
        self.book = MinuteBook()

    def tick(self, second: float, price: str, size: int | None = 1, market: Market = ES) -> None:
        self.book.hear_tick(market, Decimal(price), T0 + second, size, T0 + second)

    def sample(self, second: float, price: str, heard: float | None = None) -> None:
        now = T0 + (second if heard is None else heard)
        self.book.hear_sample(ES, Decimal(price), T0 + second, now)

    def bar(
        self,
        second: int,
        prices: str,
        volume: int | None = 5,
        base: Literal["15S", "1"] = "15S",
        heard: float | None = None,
    ) -> None:
        opened, high, low, closed = (Decimal(price) for price in prices.split())
        bar = BarHeard(
            asset="ES",
            symbol="CME_MINI:ES1!",
            base=base,
            started_at=datetime.fromtimestamp(T0 + second, UTC),
            open=opened,
            high=high,
            low=low,
            close=closed,
            volume=None if volume is None else Decimal(volume),
            simulated=False,
        )
        self.book.hear_bar(bar, T0 + (second + 15 if heard is None else heard))

    def due(self, second: float) -> list[Bar]:
        return self.book.due(T0 + second)


@pytest.fixture
def feeds() -> Listener:
    return Listener()


def prices(bar: Bar) -> str:
    return f"{bar.open} {bar.high} {bar.low} {bar.close}"


# -- ticks -----------------------------------------------------------------------------------------------------------


def test_the_minute_in_which_listening_began_is_sampled_the_next_one_has_every_tick(feeds: Listener) -> None:
    feeds.tick(30, "5000")
    for second, price in ((61, "5001"), (62, "5003"), (90, "4999"), (119, "5002")):
        feeds.tick(second, price, size=2)
    first, second_ = feeds.due(130)
    assert (first.source, first.volume, first.t) == ("sampled", None, T0)
    assert (second_.source, second_.volume, second_.t) == ("ticks", 8, T0 + 60)
    assert prices(second_) == "5001 5003 4999 5002"


def test_a_tick_of_unknown_size_makes_the_volume_unknown(feeds: Listener) -> None:
    feeds.tick(0, "5000")
    feeds.tick(1, "5001", size=None)
    feeds.tick(2, "5001")
    [bar] = feeds.due(70)
    assert (bar.source, bar.volume) == ("ticks", None)


def test_ticks_that_come_in_disorder_make_the_minute_of_their_times(feeds: Listener) -> None:
    feeds.tick(0, "4990")
    for second, price in ((70, "5002"), (65, "5000"), (118, "5005"), (80, "5001")):
        feeds.book.hear_tick(ES, Decimal(price), T0 + second, 1, T0 + 119)
    assert prices(feeds.due(130)[-1]) == "5000 5005 5000 5005"


def test_a_gap_of_the_stream_leaves_samples_and_later_minutes_are_whole_again(feeds: Listener) -> None:
    feeds.tick(0, "5000")
    feeds.tick(61, "5001")
    feeds.book.miss(T0 + 70, T0 + 125)
    feeds.tick(130, "5002")
    feeds.tick(190, "5003")
    assert [(bar.t - T0, bar.source) for bar in feeds.due(300)] == [
        (0, "ticks"),
        (60, "sampled"),
        (120, "sampled"),
        (180, "ticks"),
    ]


def test_without_a_time_a_gap_began_at_the_last_tick(feeds: Listener) -> None:
    feeds.tick(0, "5000")
    feeds.tick(59, "5000")
    feeds.tick(61, "5001")
    feeds.book.miss(None, T0 + 90)
    assert [bar.source for bar in feeds.due(130)] == ["ticks", "sampled"]


def test_ticks_that_a_sender_lost_concern_its_market_alone(feeds: Listener) -> None:
    nasdaq = Market("NQ", simulated=False)
    for market in (ES, nasdaq):
        feeds.tick(0, "5000", market=market)
        feeds.tick(61, "5001", market=market)
    feeds.book.doubt(ES, None, T0 + 130)
    for market in (ES, nasdaq):
        feeds.tick(131, "5001", market=market)
    found = {(bar.symbol, bar.t - T0): bar.source for bar in feeds.due(200)}
    assert [found["ES", second] for second in (0, 60, 120)] == ["ticks", "sampled", "sampled"]
    assert [found["NQ", second] for second in (0, 60, 120)] == ["ticks", "ticks", "ticks"]


def test_simulated_ticks_are_no_real_ones(feeds: Listener) -> None:
    feeds.tick(0, "5000")
    feeds.tick(1, "9000", market=Market("ES", simulated=True))
    real, simulated = sorted(feeds.due(70), key=lambda bar: bar.open)
    assert (real.source, prices(real)) == ("ticks", "5000 5000 5000 5000")
    assert (simulated.source, prices(simulated)) == ("simulated", "9000 9000 9000 9000")


# -- TradingView's bars ----------------------------------------------------------------------------------------------

QUARTERS = ((0, "1 3 1 2"), (15, "2 2 1 1"), (30, "1 5 1 4"), (45, "4 4 2 3"))


@pytest.mark.parametrize("order", list(permutations(QUARTERS)))
def test_four_bars_of_15_s_are_a_minute_in_whatever_order_they_come(
    feeds: Listener, order: tuple[tuple[int, str], ...]
) -> None:
    for second, told in order:
        feeds.bar(second, told, heard=63)
        feeds.bar(second, told, heard=64)  # and again
    [bar] = feeds.due(65)
    assert (bar.source, bar.volume, prices(bar)) == ("heartbeat", 20, "1 5 1 3")


@pytest.mark.parametrize("missing", range(4))
def test_with_a_bar_missing_the_minute_is_sampled_and_its_volume_unknown(feeds: Listener, missing: int) -> None:
    for second, told in QUARTERS[:missing] + QUARTERS[missing + 1 :]:
        feeds.bar(second, told)
    [bar] = feeds.due(70)
    assert (bar.source, bar.volume) == ("sampled", None)
    feeds.bar(*QUARTERS[missing], heard=100)
    [mended] = feeds.due(101)
    assert (mended.source, mended.volume, prices(mended)) == ("heartbeat", 20, "1 5 1 3")
    assert feeds.due(102) == []


def test_a_bar_that_contradicts_the_first_one_changes_nothing(feeds: Listener) -> None:
    feeds.bar(0, "1 3 1 2", base="1")
    feeds.bar(0, "7 9 7 8", base="1")
    [bar] = feeds.due(66)
    assert prices(bar) == "1 3 1 2"


def test_a_bar_of_a_minute_outranks_quarters_and_samples_and_whole_ticks_outrank_it(feeds: Listener) -> None:
    feeds.sample(5, "2")
    feeds.bar(15, "2 2 1 1")
    feeds.bar(0, "1 6 1 3", base="1")
    [bar] = feeds.due(70)
    assert (bar.source, prices(bar)) == ("heartbeat", "1 6 1 3")
    feeds.tick(60, "2")
    feeds.tick(70, "4")
    feeds.bar(60, "2 9 2 4", base="1", heard=125)
    [ticked] = feeds.due(130)
    assert (ticked.source, prices(ticked)) == ("ticks", "2 4 2 4")


def test_a_volume_that_was_not_told_is_unknown(feeds: Listener) -> None:
    feeds.bar(0, "1 3 1 2", volume=None, base="1")
    assert feeds.due(70)[0].volume is None


# -- samples, and when -----------------------------------------------------------------------------------------------


def test_prices_alone_are_samples(feeds: Listener) -> None:
    for second, price in ((3, "5000"), (20, "5004"), (40, "4998"), (55, "5001")):
        feeds.sample(second, price)
    [bar] = feeds.due(66)
    assert (bar.source, bar.volume, prices(bar)) == ("sampled", None, "5000 5004 4998 5001")


def test_a_minute_waits_for_its_last_messages_and_is_told_once(feeds: Listener) -> None:
    feeds.sample(3, "5000")
    assert feeds.due(60 + GRACE - 1) == []
    assert len(feeds.due(60 + GRACE)) == 1
    assert feeds.due(60 + GRACE + 1) == []


def test_a_minute_without_a_price_is_absent(feeds: Listener) -> None:
    feeds.sample(3, "5000")
    feeds.sample(200, "5001")
    assert [bar.t - T0 for bar in feeds.due(300)] == [0, 180]


def test_prices_of_long_ago_and_of_the_future_are_left_out_and_nothing_is_kept_for_ever(feeds: Listener) -> None:
    feeds.sample(0, "5000", heard=KEPT + 60)
    feeds.sample(600, "5000", heard=0)
    assert feeds.due(10_000) == []
    for second in range(0, 7200, 20):
        feeds.sample(second, "5000")
        feeds.due(second)
    assert len(feeds.book) < KEPT // 60 + 5
