"""The price book against the second reading, on tapes and on days that hypothesis invents; and its laws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from feeds.prices.book import PriceBook
from feeds.prices.candles import KEPT_CANDLES
from feeds.prices.types import TFC_NAMES, TIMEFRAMES, Alert, Candle, InForce, PriceHeard, Setup, SimultaneousBreak
from services.market.ticks import read_ticks
from tests.data.generated_tapes import GENERATED_TAPES, GeneratedTape, ticks_of
from tests.data.recorded_tapes import EXTRACT, FALL, recorded_tapes
from tests.feeds.prices import second_reading
from tests.feeds.prices.second_reading import Break, Tick, numbered
from tests.feeds.prices.story import ny

RECORDED = [EXTRACT, FALL]
RECORDED += recorded_tapes(
    [
        "us30_ticks_20230628_renkodf",
        "es_1m_2013_lean",
        "es_1m_20200105-20200106_lean",
        "gc_ticks_20131007-20131009_lean",
    ]
).values()
LONGEST_READING = 10_000  # prices of a tape: the second reading is slow
MIDDLE = Decimal(5000)
TICK = Decimal("0.25")
BEGINNINGS = [
    ny("2026-11-18 10:00"),
    ny("2026-11-18 16:40"),  # before the pause
    ny("2026-11-20 16:50"),  # before a weekend
    ny("2026-03-08 18:00"),  # the clocks went forward that morning
    ny("2026-10-30 12:00"),  # before they go back
    ny("2026-11-25 17:30"),  # before Thanksgiving
    ny("2026-12-24 11:00"),  # Christmas
]
PAUSES = st.one_of(st.integers(0, 20), st.integers(30, 1200), st.sampled_from([3600, 14_400, 61_200]))


@st.composite
def tapes(draw: st.DrawFn) -> tuple[Tick, ...]:
    """Invent prices of ES and NQ, seconds to hours apart."""
    at = draw(st.sampled_from(BEGINNINGS))
    prices = {"ES": MIDDLE, "NQ": MIDDLE}
    ticks = []
    for pause, asset, step in draw(
        st.lists(st.tuples(PAUSES, st.sampled_from(["ES", "NQ"]), st.integers(-6, 6)), min_size=40, max_size=120)
    ):
        at += timedelta(seconds=pause)
        prices[asset] += step * TICK
        ticks.append((asset, at, prices[asset]))
    return numbered(ticks)


def heard(tick: Tick) -> PriceHeard:
    return PriceHeard(asset=tick.asset, contract=tick.asset, price=tick.price, at=tick.at, size=1)


def alerts_of(book: PriceBook, ticks: Sequence[Tick]) -> list[Alert]:
    return [alert for tick in ticks for alert in book.hear(heard(tick))]


def as_break(alert: InForce) -> tuple[object, ...]:
    return (
        *(alert.symbol, alert.timeframe, alert.candle_start, alert.direction),
        *(alert.scenario, alert.trigger, alert.price, alert.at),
    )


def in_force(alerts: Sequence[Alert]) -> list[tuple[object, ...]]:
    return [as_break(alert) for alert in alerts if isinstance(alert, InForce)]


def read_again(breaks: Sequence[Break]) -> list[tuple[object, ...]]:
    return [
        (*(one.symbol, one.timeframe, one.start, one.direction), *(one.scenario, one.trigger, one.price, one.at))
        for one in breaks
    ]


def assert_equal_to_the_second_reading(ticks: Sequence[Tick], assets: Sequence[str]) -> list[Alert]:
    book = PriceBook(assets)
    alerts = alerts_of(book, ticks)
    assert in_force(alerts) == read_again(second_reading.breaks_of(ticks))
    for asset in assets:
        own = [tick for tick in ticks if tick.asset == asset]
        setups: set[tuple[object, ...]] = set()
        for timeframe in TIMEFRAMES:
            bars = second_reading.bars_of(own, timeframe)
            candles = book.candles(asset, timeframe, 150)
            assert [_candle(one) for one in candles] == [_bar(one) for one in bars[-150:]]
            setups |= {(timeframe, *one) for one in second_reading.setups_of(own, timeframe)}
            if bars and not bars[-1].is_partial:
                up, down = bars[-1].close > bars[-1].open, bars[-1].close < bars[-1].open
                assert book.tfc(asset)[TFC_NAMES[timeframe]] == ("green" if up else "red" if down else "flat")
        assert {_setup(one) for one in book.setups(asset)} == setups
    return alerts


def _candle(candle: Candle) -> tuple[object, ...]:
    prices = (candle.open, candle.high, candle.low, candle.close)
    return (candle.start, *prices, candle.volume, candle.is_partial, candle.scenario)


def _bar(bar: second_reading.Bar) -> tuple[object, ...]:
    return (bar.start, bar.open, bar.high, bar.low, bar.close, len(bar.ticks), bar.is_partial, bar.scenario)


def _setup(one: Setup) -> tuple[object, ...]:
    return (one.timeframe, one.name, one.direction, one.trigger, one.stop, one.candle_start, one.is_in_force)


@pytest.mark.parametrize("tape", GENERATED_TAPES, ids=lambda tape: tape.name)
def test_a_generated_tape_is_read_alike(tape: GeneratedTape) -> None:
    ticks = numbered((tape.asset, tick.at, tick.price) for tick in ticks_of(tape))
    alerts = assert_equal_to_the_second_reading(ticks, [tape.asset])
    assert len(alerts) > 100


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name.removesuffix(".csv.gz"))
def test_a_recorded_tape_is_read_alike(path: Path) -> None:
    asset = path.name.split("_")[0].upper()
    ticks = numbered((asset, tick.at, tick.price) for tick in islice(read_ticks(path), LONGEST_READING))
    alerts = assert_equal_to_the_second_reading(ticks, [asset])
    assert alerts


@given(tapes())
@settings(max_examples=40, deadline=None)
def test_invented_days_are_read_alike(ticks: tuple[Tick, ...]) -> None:
    alerts = assert_equal_to_the_second_reading(ticks, ["ES", "NQ"])
    together = [
        [(member.symbol, member.timeframe, member.trigger, member.at) for member in alert.members]
        for alert in alerts
        if isinstance(alert, SimultaneousBreak)
    ]
    again = second_reading.simultaneous_of(second_reading.breaks_of(ticks), ["ES", "NQ"])
    assert together == [[(one.symbol, one.timeframe, one.trigger, one.at) for one in group] for group in again]


@given(tapes(), st.sampled_from([("CL", "EURUSD"), ("GC", "XAUUSD"), ("US30", "EURUSD")]))
@settings(max_examples=12, deadline=None)
def test_invented_days_of_other_markets_are_read_alike(ticks: tuple[Tick, ...], assets: tuple[str, str]) -> None:
    named = {"ES": assets[0], "NQ": assets[1]}
    assert_equal_to_the_second_reading([replace(tick, asset=named[tick.asset]) for tick in ticks], assets)


# -- laws --------------------------------------------------------------------------------------------------------


def turned(alert: Alert) -> Alert:
    """Return the alert as it would be in a market upside down."""
    direction = "down" if alert.direction == "up" else "up"
    if isinstance(alert, SimultaneousBreak):
        members = tuple(replace(one, trigger=_turned(one.trigger)) for one in alert.members)
        return replace(alert, direction=direction, members=members)
    scenario = {"2U": "2D", "2D": "2U"}.get(alert.scenario or "", alert.scenario)
    prices = {"trigger": _turned(alert.trigger), "price": _turned(alert.price)}
    return replace(alert, direction=direction, scenario=scenario, **prices)


def _turned(price: Decimal | None) -> Decimal | None:
    return None if price is None else 2 * MIDDLE - price


@given(tapes())
@settings(max_examples=25, deadline=None)
def test_a_market_upside_down_mirrors_everything(ticks: tuple[Tick, ...]) -> None:
    book, mirror = PriceBook(["ES", "NQ"]), PriceBook(["ES", "NQ"])
    alerts = alerts_of(book, ticks)
    mirrored = alerts_of(mirror, [replace(tick, price=2 * MIDDLE - tick.price) for tick in ticks])
    assert [turned(alert) for alert in alerts] == mirrored
    swapped = {"green": "red", "red": "green"}
    for asset in ("ES", "NQ"):
        assert {name: swapped.get(color or "", color) for name, color in book.tfc(asset).items()} == mirror.tfc(asset)
        setups = {(one.timeframe, one.name, one.direction, one.is_in_force) for one in mirror.setups(asset)}
        sides = {"up": "down", "down": "up"}
        assert {
            (one.timeframe, one.name, sides[one.direction], one.is_in_force) for one in book.setups(asset)
        } == setups


@given(tapes(), st.integers(0, 120))
@settings(max_examples=25, deadline=None)
def test_a_prefix_of_the_tape_gives_a_prefix_of_the_alerts(ticks: tuple[Tick, ...], length: int) -> None:
    """Neither what comes later nor who asks in between changes an alert."""
    alerts = alerts_of(PriceBook(["ES", "NQ"]), ticks)
    asked = PriceBook(["ES", "NQ"])
    told: list[Alert] = []
    for tick in ticks[:length]:
        asked.pass_time(tick.at)
        told.extend(asked.hear(heard(tick), tick.at))
        asked.changed_candles()
        asked.setups(tick.asset)
    assert told == alerts[: len(told)]
    assert len(told) == sum(len(alerts_of_one) for alerts_of_one in _each(ticks[:length]))


def _each(ticks: Sequence[Tick]) -> Iterator[tuple[Alert, ...]]:
    book = PriceBook(["ES", "NQ"])
    for tick in ticks:
        yield book.hear(heard(tick))


class Stored:
    """What a restart finds: alerts and candles, as JSON, keyed as the store does."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self._candles: dict[tuple[object, ...], bytes] = {}

    def keep(self, book: PriceBook) -> None:
        for candle in book.changed_candles():
            key = (candle.symbol, candle.contract, candle.source, candle.simulated, candle.timeframe, candle.start)
            self._candles[key] = msgspec.json.encode(candle)

    def start_again(self) -> PriceBook:
        book = PriceBook(["ES", "NQ"])
        candles = [msgspec.json.decode(stored, type=Candle) for stored in self._candles.values()]
        book.restore(self.alerts, candles)
        return book


@given(tapes(), st.sets(st.integers(0, 120), max_size=4))
@settings(max_examples=25, deadline=None)
def test_restarts_between_two_prices_change_no_alert(ticks: tuple[Tick, ...], restarts: set[int]) -> None:
    expected = alerts_of(PriceBook(["ES", "NQ"]), ticks)
    stored, book = Stored(), PriceBook(["ES", "NQ"])
    for tick in ticks:
        if tick.place in restarts:
            book = stored.start_again()
        stored.alerts.extend(book.hear(heard(tick)))
        stored.keep(book)
    assert stored.alerts == expected


@given(tapes(), st.integers(1, 120), st.integers(0, 10))
@settings(max_examples=25, deadline=None)
def test_candles_that_were_stored_too_early_make_no_alert_come_twice(
    ticks: tuple[Tick, ...], stopped_at: int, unsaved: int
) -> None:
    """Killed: the alerts are stored, the candles are some prices old. Those prices are not heard again."""
    stored, book = Stored(), PriceBook(["ES", "NQ"])
    for tick in ticks[:stopped_at]:
        stored.alerts.extend(book.hear(heard(tick)))
        if tick.place < stopped_at - unsaved:
            stored.keep(book)
    again = stored.start_again()
    for tick in ticks[:stopped_at][-1:]:
        again.miss(ticks[max(0, tick.place - unsaved)].at, tick.at)
    stored.alerts.extend(alerts_of(again, ticks[stopped_at:]))
    keys = [key[:4] for key in in_force(stored.alerts)]
    assert len(keys) == len(set(keys))


@given(tapes(), st.lists(st.tuples(st.integers(0, 120), st.integers(-600, 600)), max_size=6))
@settings(max_examples=25, deadline=None)
def test_prices_out_of_order_break_each_trigger_once_at_most(
    ticks: tuple[Tick, ...], delays: list[tuple[int, int]]
) -> None:
    """Late, early and interrupted: whatever the order, highs hold all prices and no alert comes twice."""
    late = dict(delays)
    book = PriceBook(["ES", "NQ"])
    alerts: list[Alert] = []
    for tick in ticks:
        moved = replace(tick, at=tick.at + timedelta(seconds=late.get(tick.place, 0)))
        alerts.extend(book.hear(heard(moved)))
        if tick.place in late:
            book.miss(None, moved.at)
    keys = [key[:4] for key in in_force(alerts)]
    assert len(keys) == len(set(keys))
    for asset in ("ES", "NQ"):
        for timeframe in TIMEFRAMES:
            candles = book.candles(asset, timeframe, 500)
            starts = [candle.start for candle in candles]
            assert starts == sorted(set(starts))
            assert all(one.low <= min(one.open, one.close) <= max(one.open, one.close) <= one.high for one in candles)
            assert all(one.start < one.end for one in candles)


def test_memory_does_not_grow_with_the_days() -> None:
    book = PriceBook(["ES"])
    kept = []
    for month in range(3):
        for quarter in range(90 * 24 * 4):
            at = ny("2026-01-04 18:00") + timedelta(days=90 * month, minutes=15 * quarter)
            book.hear(PriceHeard(asset="ES", contract="ES", price=MIDDLE + quarter % 5, at=at, size=1, seq=quarter))
        kept.append({timeframe: len(book.candles("ES", timeframe, 10**6)) for timeframe in TIMEFRAMES})
    assert max(kept[2].values()) <= KEPT_CANDLES + 1, "the closed ones and the forming one"
    assert min(kept[1][timeframe] for timeframe in ("1m", "15m", "30m", "60m", "4h")) >= KEPT_CANDLES
