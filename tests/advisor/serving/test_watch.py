"""The bars of what is served are followed: a forecast is kept at the close, and its own bar says whether it held."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from advisor.bars import BarBook, FeedsBars, Window
from advisor.coverage import CoverageBook, Forecast, Outcomes
from advisor.ml.bars import Minute
from advisor.ml.forecast import Held, RangeModel
from advisor.models.engine import MlEngine
from advisor.models.history import History
from advisor.models.places import Slot
from advisor.models.sessions import SessionCounts
from advisor.models.shelf import Shelf
from advisor.models.watch import Watch
from tests.support.advisor_floor import minutes_after, quiet_after_noise
from tests.support.ml_models import ENDS, quiet_model
from wire.ml_engine import MlTimeframe, RrConfig

SLOT = Slot("ETHUSD", "1h")


def an_hour(begins: int, prices: tuple[float, float, float, float]) -> list[Minute]:
    opened, high, low, close = prices
    first = Minute(begins, opened, max(opened, high), min(opened, low), close, 10.0, "provider")
    return [first, *(Minute(t, close, close, close, close, 10.0, "provider") for t in minutes_after(begins))]


class OneModel(Shelf):
    """A table of ETHUSD."""

    model = RangeModel.from_files(*quiet_model())

    def slots(self) -> tuple[Slot, ...]:
        return (SLOT,)

    def range_model(self, symbol: str, timeframe: MlTimeframe) -> RangeModel | None:
        return self.model if (symbol, timeframe) == (SLOT.symbol, SLOT.timeframe) else None

    def tp_model(self, symbol: str, timeframe: MlTimeframe, rr: RrConfig) -> None:
        return None


class Floor(BarBook):
    """Minutes, a clock, and all that follows them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(FeedsBars(None))
        self.now = datetime.fromtimestamp(ENDS + 5, UTC)
        self.rows: list[Minute] = []
        for bar in quiet_after_noise("ETHUSD", ENDS, 14):
            prices = (float(bar.open), float(bar.high), float(bar.low), float(bar.close))
            self.rows.append(Minute(bar.t, *prices, 10.0, "provider"))
        self.coverage = CoverageBook(folder / "advisor.sqlite")
        history, shelf = History(self, lambda: self.now), OneModel(folder)
        self.engine = MlEngine(history, shelf, self.coverage, SessionCounts(FeedsBars(None)))
        self.watch = Watch(history, shelf, self.engine, self.coverage)

    async def window(self, symbol: str) -> Window:
        return Window(self.rows, 1, len(self.rows), 0.0)

    def looks(self) -> Forecast:
        """Look once, and return the forecast of the quantile .8 that waits for its bar."""
        asyncio.run(self.watch.look())
        _, most = self.coverage.open_forecasts(SLOT.symbol, SLOT.timeframe)
        return most

    def trades(self, high: float, low: float, close: float | None = None) -> None:
        """Let the hour pass that the newest forecast is for; it closes where it opened unless that is said."""
        opened = self.rows[-1].c
        hour = an_hour(self.rows[-1].t + 60, (opened, high, low, opened if close is None else close))
        self.rows = [*self.rows, *hour]
        self.now += timedelta(hours=1)

    def stands_still(self, recorded: int) -> None:
        """Let an hour pass in which nothing moves, and of which only the last so many minutes are recorded."""
        price = self.rows[-1].c
        hour = an_hour(self.rows[-1].t + 60, (price, price, price, price))
        self.rows = [*self.rows, *hour[-recorded:]]
        self.now += timedelta(hours=1)

    def held(self) -> Outcomes:
        """Return what held of the quantile .8."""
        return self.coverage.held(SLOT.symbol, SLOT.timeframe, 0.8, self.looks().method)


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    floor = Floor(tmp_path)
    yield floor
    floor.coverage.close()


def test_a_high_between_the_distance_and_the_edge_of_the_band_held_only_as_it_is_drawn(floor: Floor) -> None:
    """Of a close between two ticks the edge lies outside: counting it for the distance would promise too much."""
    between = floor.rows[-1].c // 0.01 * 0.01 + 0.004
    floor.trades(between, between, close=between)
    for number in range(20):
        told = floor.looks()
        assert told.exact_high < told.high
        assert told.exact_low >= told.low
        assert told.high - told.exact_high == pytest.approx(0.01)
        floor.trades((told.exact_high + told.high) / 2, told.exact_low if number % 2 else told.low - 0.01)
    newest = floor.looks()
    outcomes = floor.held()
    assert (outcomes.drawn, outcomes.exact) == (Held(20, 10, 20), Held(0, 10, 20))

    bands = asyncio.run(floor.engine.bands(SLOT.symbol, SLOT.timeframe))
    predicted = asyncio.run(floor.engine.prediction(SLOT.symbol, SLOT.timeframe))
    assert (float(bands.bands[1].held_high or 0), bands.bands[1].n) == (1.0, 20)
    assert predicted.confidence_high == Decimal(0)
    assert predicted.n == 20
    assert float(predicted.close + predicted.delta_high) == pytest.approx(newest.exact_high, abs=1e-9)


def test_a_bar_that_touches_the_band_held_for_the_distance_too(floor: Floor) -> None:
    """Distances are whole ticks: of a close on a tick the band is drawn where the distance ends."""
    told = floor.looks()
    assert (told.exact_high, told.exact_low) == (told.high, told.low)
    floor.trades(told.exact_high, told.exact_low)
    outcomes = floor.held()
    assert outcomes.drawn == outcomes.exact == Held(1, 1, 1)


@pytest.mark.parametrize(("recorded", "counted"), [(29, 1), (30, 3)])
def test_an_hour_of_few_minutes_settles_nothing(floor: Floor, recorded: int, counted: int) -> None:
    """A quiet rest of an hour says nothing of the hour: its forecast neither held nor missed, and none follows it."""
    floor.looks()
    floor.stands_still(recorded)
    asyncio.run(floor.watch.look())
    floor.stands_still(60)
    asyncio.run(floor.watch.look())
    floor.stands_still(60)
    assert floor.held().drawn == Held(counted, counted, counted)
    open_ones = floor.coverage.open_forecasts(SLOT.symbol, SLOT.timeframe)
    assert {one.as_of for one in open_ones} == {int(floor.now.timestamp()) // 3_600 * 3_600}


def test_an_hour_too_late_no_forecast_is_kept(floor: Floor) -> None:
    """What nobody could be told in time is no forecast that could hold."""
    floor.now += timedelta(hours=1, seconds=30)
    asyncio.run(floor.watch.look())
    assert floor.coverage.open_forecasts(SLOT.symbol, SLOT.timeframe) == []
