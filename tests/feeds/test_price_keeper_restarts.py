"""The keeper of the price book: what is heard becomes alerts with ids, and a restart neither loses nor repeats one."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feeds.desk import DeskPicture
from feeds.price_keeper import PriceKeeper, read_alert
from feeds.prices.types import Alert, InForce
from feeds.store import FeedsStore
from services.market.renko import BrickColor
from services.market.session import NEW_YORK
from tests.feeds.prices.story import ny
from wire.bridge import QuoteEvent
from wire.stream import BrickHeard

SIZES = ("one_renko", "two_half_renko", "renko", "main_renko", "high_renko", "macro_renko")


class Feeds:
    """A keeper on a file, with a clock of its own."""

    def __init__(self, path: Path, at: str = "10:00") -> None:
        self.store = FeedsStore(path)
        self.now = ny(at)
        self.told: list[tuple[int, Alert]] = []
        self.keeper = PriceKeeper(self.store, lambda: self.now)
        self.keeper.sinks.append(lambda number, alert: self.told.append((number, alert)))
        self.desk = DeskPicture()
        self.desk.take({"assets": {"ES": {}}})
        self.desk.came()
        self.keeper.on_desk(self.desk)

    def hears(self, price: str, at: str, **fields: Any) -> None:
        """Hear a tick of ES at the moment of its own time."""
        self.now = max(self.now, ny(at))
        fields = {"symbol": "MESZ6", "asset": "ES", "source": "ticks", "simulated": False, "size": 1, **fields}
        self.keeper.on_quote(QuoteEvent(price=Decimal(price), ts=ny(at), **fields))

    def candle(self, *prices: str, minute: int) -> None:
        """Hear one minute."""
        for count, price in enumerate(prices):
            self.hears(price, f"10:{minute:02d}:{10 * count:02d}")

    @property
    def stored(self) -> list[Alert]:
        """All alerts of the file."""
        return [read_alert(row) for row in self.store.newest_alerts("in_force", 1_000)]


def test_an_alert_is_stored_before_it_is_told_and_its_id_grows(tmp_path: Path) -> None:
    feeds = Feeds(tmp_path / "feeds.sqlite")
    for minute, prices in enumerate([("5000",), ("5001", "5003"), ("5004", "5000")]):
        feeds.candle(*prices, minute=minute)
    assert [alert for _, alert in feeds.told] == feeds.stored
    numbers = [number for number, _ in feeds.told]
    assert len(numbers) == 2
    assert numbers == sorted(set(numbers))


def test_a_restart_repeats_no_alert_and_goes_on_with_the_ids(tmp_path: Path) -> None:
    before = Feeds(tmp_path / "feeds.sqlite")
    for minute, prices in enumerate([("5000",), ("5001", "5003"), ("5004",)]):
        before.candle(*prices, minute=minute)
    before.store.close()
    after = Feeds(tmp_path / "feeds.sqlite", "10:02:20")
    after.hears("5005", "10:02:30")
    assert after.told == []
    after.hears("5000", "10:02:40")
    ((number, alert),) = after.told
    assert isinstance(alert, InForce)
    assert (alert.direction, alert.scenario) == ("down", "3"), "both sides were broken, restart or not"
    assert number > before.told[-1][0]


def test_after_a_restart_candles_of_before_are_there_and_the_open_one_is_marked(tmp_path: Path) -> None:
    before = Feeds(tmp_path / "feeds.sqlite")
    for minute, prices in enumerate([("5000",), ("5001", "5003"), ("5002",)]):
        before.candle(*prices, minute=minute)
    before.keeper.on_second(before.now)
    before.store.close()
    after = Feeds(tmp_path / "feeds.sqlite", "10:02:20")
    assert after.keeper.book is not None
    candles = after.keeper.book.candles("ES", "1m", 10)
    assert [(candle.close, candle.is_partial) for candle in candles] == [
        (Decimal(5000), True),
        (Decimal(5003), False),
        (Decimal(5002), True),
    ]


def test_an_interrupted_stream_marks_what_may_lack_prices(tmp_path: Path) -> None:
    feeds = Feeds(tmp_path / "feeds.sqlite")
    for minute, prices in enumerate([("5000",), ("5001", "5003"), ("5002",)]):
        feeds.candle(*prices, minute=minute)
    feeds.keeper.on_gap(ny("10:02:10"), ny("10:02:15"))
    feeds.hears("5010", "10:03:00")
    assert feeds.told == [], "the candle of 10:02 may have been higher"


def partial_minutes(feeds: Feeds) -> list[bool]:
    """Say of the minutes whether they may lack prices, the oldest first."""
    assert feeds.keeper.book is not None
    return [candle.is_partial for candle in feeds.keeper.book.candles("ES", "1m", 10)]


def test_a_price_that_was_lost_just_before_the_stream_fell_silent_makes_its_minute_partial(tmp_path: Path) -> None:
    """The last thing heard is a ping, seconds after the last price: what was between may be lost with the stream."""
    feeds = Feeds(tmp_path / "feeds.sqlite")
    for minute, prices in enumerate([("5000",), ("5001", "5003"), ("5002",)]):
        feeds.candle(*prices, minute=minute)
    feeds.keeper.on_gap(ny("10:03:05"), ny("10:03:10"))
    feeds.hears("5010", "10:03:15")
    assert partial_minutes(feeds) == [True, False, True, True]
    assert feeds.told == []


def test_ticks_that_their_sender_lost_make_the_minutes_before_the_next_one_partial(tmp_path: Path) -> None:
    feeds = Feeds(tmp_path / "feeds.sqlite")
    for minute, prices in enumerate([("5000",), ("5001",), ("5002",)]):
        feeds.candle(*prices, minute=minute)
    feeds.hears("5003", "10:03:05", after_gap=True)
    assert partial_minutes(feeds) == [True, False, True, True]


def test_ticks_that_web_lost_make_the_minute_partial(tmp_path: Path) -> None:
    feeds = Feeds(tmp_path / "feeds.sqlite")
    for minute, prices in enumerate([("5000",), ("5001",), ("5002",)]):
        feeds.candle(*prices, minute=minute)
    feeds.now = ny("10:02:30")
    feeds.keeper.on_ticks_missed()
    assert partial_minutes(feeds) == [True, False, True]


def test_a_price_without_a_time_is_heard_now_and_one_without_an_asset_is_not(tmp_path: Path) -> None:
    feeds = Feeds(tmp_path / "feeds.sqlite")
    assert feeds.keeper.book is not None
    feeds.keeper.on_quote(QuoteEvent(symbol="MESZ6", price=Decimal(5000)))
    assert feeds.keeper.book.last("ES") is None
    feeds.keeper.on_quote(QuoteEvent(symbol="MESZ6", price=Decimal(5000), asset="ES"))
    last = feeds.keeper.book.last("ES")
    assert last is not None
    assert (last.at, last.source) == (feeds.now, "heartbeat"), "what nobody calls a tick is a sample"


def test_the_colours_of_the_state_are_known_before_a_brick_comes(tmp_path: Path) -> None:
    feeds = Feeds(tmp_path / "feeds.sqlite")
    assert feeds.keeper.book is not None
    stacks = {f"{name}_color": "red" for name in SIZES} | {f"{name}_ts": "2026-11-18T14:00:00Z" for name in SIZES}
    feeds.desk.take({"assets": {"ES": {**stacks, "macro_renko_color": "neutral"}}})
    feeds.keeper.on_desk(feeds.desk)
    tfc = feeds.keeper.book.tfc("ES")
    assert [tfc[size] for size in ("R1", "R2.5", "R4", "R6", "R8", "R12")] == ["red"] * 5 + [None]


def test_a_stack_that_turns_is_told_once(tmp_path: Path) -> None:
    feeds = Feeds(tmp_path / "feeds.sqlite")
    turns: tuple[tuple[BrickColor, str], ...] = (("red", "10:00"), ("green", "10:05"))
    for color, at in turns:
        for size in (Decimal(1), Decimal(4), Decimal(8)):
            brick = BrickHeard(n=1, ts=ny(at), color=color, open=Decimal(5000), close=None, asset="ES", size=size)
            feeds.keeper.on_brick(brick)
            feeds.keeper.on_brick(brick)
    ((_, alert),) = feeds.told
    assert not isinstance(alert, InForce)
    assert [member.trigger for member in alert.members] == [Decimal(5000)] * 3
    assert feeds.keeper.told == {"in_force": 0, "simultaneous_break": 1}


def test_other_assets_begin_another_book_with_the_same_candles(tmp_path: Path) -> None:
    feeds = Feeds(tmp_path / "feeds.sqlite")
    feeds.candle("5000", "5001", minute=0)
    feeds.desk.take({"assets": {"ES": {}, "NQ": {}}})
    feeds.keeper.on_desk(feeds.desk)
    assert feeds.keeper.book is not None
    assert feeds.keeper.book.candles("ES", "1m", 1)[0].close == 5001


def test_a_stored_alert_that_nobody_can_read_is_left_out(tmp_path: Path) -> None:
    feeds = Feeds(tmp_path / "feeds.sqlite")
    feeds.store.add_alert("in_force", feeds.now, '{"from": "a later program"}', feeds.now)
    feeds.candle("5000", minute=0)
    feeds.store.close()
    assert Feeds(tmp_path / "feeds.sqlite").keeper.book is not None


@given(
    st.lists(st.tuples(st.integers(1, 90), st.integers(-6, 6)), min_size=20, max_size=50),
    st.sets(st.integers(0, 50), max_size=5),
    st.booleans(),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_killed_at_any_price_no_alert_is_lost_or_told_twice(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int]], kills: set[int], is_saved: bool
) -> None:
    """Killed: whatever the file has is all there is. What was told stands in it, each break once."""
    path = tmp_path_factory.mktemp("killed") / "feeds.sqlite"
    feeds = Feeds(path)
    told: list[tuple[int, Alert]] = []
    at: datetime = ny("10:00")
    price = Decimal(5000)
    for place, (pause, step) in enumerate(steps):
        if place in kills:
            if is_saved:
                feeds.keeper.on_second(at)
            told.extend(feeds.told)
            feeds.store.close()
            feeds = Feeds(path, f"{at.astimezone(NEW_YORK):%H:%M:%S}")
        at += timedelta(seconds=pause)
        price += step * Decimal("0.25")
        feeds.now = at
        feeds.keeper.on_quote(
            QuoteEvent(symbol="MESZ6", asset="ES", price=price, ts=at, source="ticks", simulated=False, size=1)
        )
    told.extend(feeds.told)
    assert [alert for _, alert in told] == feeds.stored
    keys = [(alert.timeframe, alert.candle_start, alert.direction) for _, alert in told if isinstance(alert, InForce)]
    assert len(keys) == len(set(keys))
    assert [number for number, _ in told] == sorted({number for number, _ in told})
    feeds.store.close()
