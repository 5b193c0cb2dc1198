"""Bricks from the bars of a base timeframe: closes only, each bar once, and no gap goes unseen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from services.market.base_bars import BarRefusal, BaseBar, BaseBars, BaseBarsState, base_bar
from services.market.instruments import INSTRUMENTS

ES = INSTRUMENTS["ES"]
OPEN = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)  # a Wednesday morning in New York
FRIDAY = datetime(2026, 3, 6, 21, 59, tzinfo=UTC)  # the last minute before the weekend
SUNDAY = datetime(2026, 3, 8, 22, 0, tzinfo=UTC)  # the first one after it, with the clocks changed that day
MINUTE = timedelta(minutes=1)


def bars(bar_length: timedelta = MINUTE, quiet_bars: int = 0) -> BaseBars:
    return BaseBars(ES, bar_length, quiet_bars=quiet_bars)


def bar(close: int, at: datetime = OPEN, high: int | None = None, low: int | None = None) -> BaseBar:
    """Return a bar that opens and closes at a price in points."""
    top, bottom = close if high is None else high, close if low is None else low
    return base_bar(ES, at, (Decimal(close), Decimal(top), Decimal(bottom), Decimal(close)))


def taken_up(state: BaseBarsState) -> BaseBars:
    built = bars()
    built.restore(state)
    return built


def test_only_the_close_of_a_bar_makes_bricks() -> None:
    built = bars()
    built.feed(bar(5000))
    assert built.feed(bar(5000, OPEN + MINUTE, high=5030, low=4970)).bricks == ()
    closes = [brick.close for brick in built.feed(bar(5002, OPEN + 2 * MINUTE)).bricks]
    assert closes == [5001, 5002]


def test_a_bar_in_ticks_is_rounded_to_the_nearest() -> None:
    taken = base_bar(ES, OPEN, (Decimal("5000.1"), Decimal("5000.49"), Decimal("4999.9"), Decimal("5000.25")))
    assert taken == BaseBar(OPEN, 20_000, 20_002, 20_000, 20_001)


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (bar(5008, OPEN + timedelta(seconds=20)), "misaligned"),
        (bar(5008, OPEN - MINUTE), "late"),
        (bar(5000, OPEN), "repeated"),
        (bar(5008, OPEN), "contradicted"),
        (bar(5008, OPEN + MINUTE, high=5007), "impossible"),
        (bar(5008, OPEN + MINUTE, low=5009), "impossible"),
        (bar(5_000_000, OPEN + MINUTE), "too_far"),
    ],
    ids=["misaligned", "late", "repeated", "contradicted", "high below", "low above", "too far"],
)
def test_a_bar_that_cannot_be_taken_changes_nothing(sent: BaseBar, why: BarRefusal) -> None:
    built = bars()
    built.feed(bar(5000))
    before = built.state
    taken = built.feed(sent)
    assert (taken.refused, taken.bricks) == (why, ())
    assert built.state == before
    assert len(built.feed(bar(5001, OPEN + MINUTE)).bricks) == 1


def test_a_bar_that_is_absent_while_the_market_is_open_is_a_gap() -> None:
    built = bars()
    built.feed(bar(5000))
    taken = built.feed(bar(5013, OPEN + 3 * MINUTE))
    assert (taken.absent, taken.is_gap) == (2, True)
    assert taken.bricks, "the price did move: what protects must hear of it"
    assert {chain.to_settle for chain in built.stack.state.chains} == {3}
    assert not built.feed(bar(5013, OPEN + 4 * MINUTE)).is_gap


def test_bars_in_which_nothing_traded_may_be_expected() -> None:
    built = bars(quiet_bars=2)
    built.feed(bar(5000))
    assert not built.feed(bar(5000, OPEN + 3 * MINUTE)).is_gap
    assert built.feed(bar(5000, OPEN + 7 * MINUTE)).is_gap


def test_the_weekend_is_no_gap_and_its_move_makes_bricks() -> None:
    built = bars()
    built.feed(bar(5000, FRIDAY))
    taken = built.feed(bar(4990, SUNDAY))
    assert not taken.is_gap
    assert taken.absent > 2000
    assert {brick.color for brick in taken.bricks} == {"red"}


@pytest.mark.parametrize(
    ("last", "following"),
    [
        (FRIDAY - MINUTE, SUNDAY),
        (FRIDAY, SUNDAY + MINUTE),
        (FRIDAY, SUNDAY + timedelta(days=2)),
        (FRIDAY, FRIDAY + timedelta(days=60)),
    ],
    ids=["before the close", "after the open", "a whole day", "two months"],
)
def test_what_is_absent_beside_a_weekend_is_a_gap(last: datetime, following: datetime) -> None:
    built = bars()
    built.feed(bar(5000, last))
    assert built.feed(bar(5000, following)).is_gap


def test_a_whole_session_that_is_absent_between_two_breaks_is_a_gap() -> None:
    built = bars()
    built.feed(bar(5000, datetime(2026, 3, 3, 21, 59, tzinfo=UTC)))  # Tuesday's last minute
    assert built.feed(bar(5000, datetime(2026, 3, 4, 23, 0, tzinfo=UTC))).is_gap  # Wednesday evening's first
    assert not bars().feed(bar(5000)).is_gap


def test_a_builder_put_away_goes_on_and_finds_what_passed_meanwhile() -> None:
    kept = bars()
    for minute, close in enumerate((5000, 5012, 5004)):
        kept.feed(bar(close, OPEN + minute * MINUTE))
    stored = msgspec.json.decode(msgspec.json.encode(kept.state), type=BaseBarsState)
    again = taken_up(stored)
    following = bar(4990, OPEN + 3 * MINUTE)
    assert again.feed(following) == kept.feed(following)
    assert again.state == kept.state
    assert taken_up(stored).feed(bar(5004, OPEN + 9 * MINUTE)).is_gap
    assert taken_up(stored).feed(bar(5004, OPEN + 2 * MINUTE)).refused == "repeated"


def test_the_state_of_another_timeframe_is_refused() -> None:
    with pytest.raises(ValueError, match="bars of 60 s"):
        bars(timedelta(seconds=15)).restore(bars().state)


def test_a_market_that_never_closes_has_no_weekend() -> None:
    coin = BaseBars(INSTRUMENTS["BTCUSD"], MINUTE)
    price = (Decimal(60_000),) * 4
    coin.feed(base_bar(INSTRUMENTS["BTCUSD"], FRIDAY, price))
    assert coin.feed(base_bar(INSTRUMENTS["BTCUSD"], SUNDAY, price)).is_gap
