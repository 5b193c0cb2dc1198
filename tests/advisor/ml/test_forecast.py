"""The usual range of the next bar: on the tick grid, around the last close, with what held."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from functools import cache

import msgspec
import pytest

from advisor.ml.bars import Series
from advisor.ml.forecast import Held, NoForecast, RangeModel
from advisor.ml.range_walk import RangeWalk
from advisor.ml.scores import range_loss
from advisor.ml.train import TrainOptions
from advisor.ml.walk import sessions_of
from tests.advisor.ml.generated import busy_hours, market
from tests.advisor.ml.story import Cards, trained
from tests.support.paths import REPOSITORY
from wire.ml_engine import ModelCard

TABLE_ONLY = TrainOptions(try_model=False)


@cache
def busy() -> Series:
    return market(1, 30, "15m", spread=busy_hours)


@cache
def given() -> Cards:
    return trained(busy(), TABLE_ONLY)


@cache
def model() -> RangeModel:
    return RangeModel.from_files(given().range.card, given().range.files)


def test_busy_hours_are_served_by_hours_and_even_ones_flat() -> None:
    assert given().range.card.verdict == "hour"
    assert trained(market(1, 30, "15m"), TABLE_ONLY).range.card.verdict == "flat"


def test_an_even_market_is_answered_flat_at_every_hour() -> None:
    even = market(1, 12, "15m")
    made = trained(even, TABLE_ONLY).range
    flat = RangeModel.from_files(made.card, made.files)
    assert flat.probe()
    assert made.card.verdict == flat.predict(even).method == "flat"
    for length in range(500, 592, 4):
        outlook = flat.outlook(even.until(length))
        assert outlook.high[1] == round(flat.table.flat[1] * outlook.atr / 0.25) * 0.25


def test_the_card_says_what_it_is_made_of() -> None:
    card = given().range.card
    assert card.id == "ES-15m-range-20261130T221000Z"
    assert (card.data.sessions, card.data.rows, card.data.sources) == (30, len(busy()), {"ticks": len(busy())})
    assert (card.horizon, card.rr, card.libraries) == (1, None, {})
    assert "purge 1 and embargo 1 bars" in card.protocol
    assert len(card.probe) == 3
    assert model().probe()
    assert list(card.files) == ["table.json"]
    assert [made.card.id for made in given().tp.values()][1] == "ES-15m-tp_first-rr_2_1-20261130T221000Z"


def test_a_card_of_before_that_does_not_say_what_ended_inside_is_read() -> None:
    made = given().range
    stored = msgspec.to_builtins(made.card)
    assert set(stored.pop("inside")) == set(stored["coverage"])
    card = msgspec.convert(stored, ModelCard)
    assert card.inside == {}
    assert RangeModel.from_files(card, made.files).probe()


def test_what_a_card_judges_is_what_is_told() -> None:
    """The loss of the last session is that of the distances that were told in it, in whole ticks."""
    series = busy()
    sessions = sessions_of(series)
    begins = sessions[-1].begins
    made = trained(series.until(begins - 1), TABLE_ONLY).range  # so far the walk had learned
    told = RangeModel.from_files(made.card, made.files)
    losses = RangeWalk(series, sessions, with_model=False).losses[-1]
    summed, n = 0.0, 0
    for index in range(begins, sessions[-1].ends - 1):
        outlook = told.outlook(series.until(index + 1))
        close, unit = series.close[index], outlook.atr
        up, down = (max(series.high[index + 1] - close, 0) / unit, max(close - series.low[index + 1], 0) / unit)
        assert all(distance % 0.25 == 0 for distance in (*outlook.high, *outlook.low))
        (up_half, up_most), (down_half, down_most) = outlook.high, outlook.low
        summed += range_loss((up_half / unit, up_most / unit, down_half / unit, down_most / unit), up, down)
        n += 1
    assert n == losses.n
    assert summed == pytest.approx(losses.hour)


def test_the_range_is_wider_before_a_busy_hour() -> None:
    series = busy()
    table = model().table
    assert table.moves(9)[1] > 1.5 * table.moves(20)[1]
    before_nine = max(
        index for index, hour in enumerate(series.next_hour) if hour == 9 and series.next_hour[index - 1] == 8
    )
    outlook = model().outlook(series.until(before_nine + 1))
    assert outlook.high[1] == round(table.moves(9)[1] * outlook.atr / 0.25) * 0.25


def test_bands_lie_on_the_tick_grid_where_the_distances_end() -> None:
    series = busy()
    for length in range(500, 560):
        past = series.until(length)
        outlook, bands = model().outlook(past), model().bands(past)
        assert bands.as_of == past.ends_at(length - 1)
        assert bands.valid_until - bands.as_of == timedelta(minutes=15)
        assert bands.close == Decimal(str(past.close[-1]))
        assert [band.quantile for band in bands.bands] == [Decimal("0.5"), Decimal("0.8")]
        for place, band in enumerate(bands.bands):
            assert band.high % Decimal("0.25") == band.low % Decimal("0.25") == 0
            assert float(band.high) == outlook.close + outlook.high[place]
            assert float(band.low) == outlook.close - outlook.low[place]
        assert bands.bands[0].high <= bands.bands[1].high
        assert bands.bands[0].low >= bands.bands[1].low


def test_what_held_is_said_from_twenty_outcomes_on() -> None:
    few = model().bands(busy(), {0.8: Held(high=17, low=15, n=19)}).bands[1]
    assert (few.held_high, few.held_low, few.n) == (None, None, 19)
    many = model().predict(busy(), held=Held(high=400, low=390, n=500))
    assert (many.confidence_high, many.confidence_low, many.n) == (Decimal("0.8"), Decimal("0.78"), 500)
    assert model().predict(busy()).confidence_high is None


def test_a_prediction_says_distances_of_its_quantile() -> None:
    half, most = model().predict(busy(), 0.5), model().predict(busy())
    assert (half.quantile, most.quantile, most.horizon, most.method) == (Decimal("0.5"), Decimal("0.8"), "15m", "hour")
    assert 0 < half.delta_high < most.delta_high
    with pytest.raises(ValueError, match=r"0\.9"):
        model().predict(busy(), 0.9)


def test_without_fourteen_bars_that_moved_there_is_no_forecast() -> None:
    with pytest.raises(NoForecast):
        model().bands(busy().until(13))
    assert model().bands(busy().until(14)).method == "hour"
    with pytest.raises(NoForecast):
        model().bands(busy().until(0))


def test_more_history_changes_no_forecast() -> None:
    assert model().bands(busy()) == model().bands(busy().newest(200))


def test_forecasts_need_no_numpy() -> None:
    modules = "train, forecast, signals, amd"
    program = (
        f"from advisor.ml import {modules}; import sys; sys.exit('numpy' in sys.modules or 'lightgbm' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, check=False).returncode == 0
