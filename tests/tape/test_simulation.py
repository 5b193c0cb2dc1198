"""The simulated market: the same seed is the same tape, and it moves fast enough to watch."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import islice, pairwise, takewhile

import pytest

from services.market.instruments import INSTRUMENTS, UnknownInstrument
from services.market.renko import Renko
from tape.simulation import SESSION_START, START_PRICES, simulate


def test_one_seed_is_one_tape() -> None:
    assert list(islice(simulate("ES", 1), 2000)) == list(islice(simulate("ES", 1), 2000))
    assert list(islice(simulate("ES", 1), 2000)) != list(islice(simulate("ES", 2), 2000))


@pytest.mark.parametrize("asset", INSTRUMENTS)
def test_prices_are_on_the_grid_and_near_the_start_and_time_goes_on(asset: str) -> None:
    ticks = list(islice(simulate(asset, 3), 20_000))
    assert ticks[0].price == START_PRICES[asset]
    assert {tick.price % INSTRUMENTS[asset].tick_size for tick in ticks} == {0}
    assert all(abs(tick.price / START_PRICES[asset] - 1) < Decimal("0.2") for tick in ticks)
    assert all(before.at <= after.at for before, after in pairwise(ticks))


@pytest.mark.parametrize("seed", range(4))
def test_a_6pt_brick_of_es_closes_every_20_to_60_seconds(seed: int) -> None:
    hour = SESSION_START + timedelta(hours=1)
    renko = Renko(INSTRUMENTS["ES"], Decimal(6))
    ticks = list(takewhile(lambda tick: tick.at < hour, simulate("ES", seed)))
    bricks = sum(len(renko.feed(tick.price)) for tick in ticks)
    assert 20 <= 3600 / bricks <= 60
    assert 2 <= len(ticks) / 3600 <= 10  # ticks a second


def test_a_start_price_of_ones_own() -> None:
    assert next(simulate("ES", 1, Decimal("6000.25"))).price == Decimal("6000.25")


def test_an_unknown_asset_is_refused_at_once() -> None:
    with pytest.raises(UnknownInstrument):
        simulate("DOGE", 1)
