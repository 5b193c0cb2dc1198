"""Signals are information: levels on the tick grid, a share of all bars, and silence with a reason."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import pytest
from msgspec.structs import replace

from advisor.ml.atr import ATR_BARS
from advisor.ml.bars import Series
from advisor.ml.labels import BARRIER_HORIZON
from advisor.ml.signals import TpModel, is_worth_it, signal_of, volatility_regime, why_silent
from advisor.ml.train import TrainOptions
from tests.advisor.ml.generated import Past, always, market
from tests.advisor.ml.story import Cards, trained
from wire.ml_engine import RrConfig, SignalResponse


@cache
def rising() -> Series:
    return market(4, 12, "15m", drift=always(0.25))


@cache
def given() -> Cards:
    return trained(rising(), TrainOptions(try_model=False))


def signal(rr: RrConfig = "rr_2_1") -> SignalResponse:
    made = given().tp[rr]
    model = TpModel.from_files(made.card, made.files)
    assert model.probe()
    return signal_of(rising(), model, None, "unknown")


def test_levels_lie_on_the_tick_grid_at_the_ratio_that_was_asked() -> None:
    for rr, ratio in (("rr_1_1", 1), ("rr_2_1", 2), ("rr_3_1", 3)):
        given = signal(rr)  # type: ignore[arg-type]
        risk = given.entry_price - given.stop_loss
        assert risk > 0
        assert risk % Decimal("0.25") == given.entry_price % Decimal("0.25") == 0
        assert given.take_profit - given.entry_price == ratio * risk
        assert given.risk_reward_ratio == ratio


def test_the_better_side_is_given_with_the_share_of_all_bars() -> None:
    long, short = TpModel.from_files(given().tp["rr_2_1"].card, given().tp["rr_2_1"].files).table.base_rates
    told = signal()
    assert long > short
    assert told.direction == "long"
    assert abs(float(told.base_rate) - long) < 0.0001
    assert (told.prob_tp_first, told.prob_source) == (told.base_rate, "base_rate")
    assert told.n > 500


def test_the_share_is_that_of_the_trades_as_they_are_drawn() -> None:
    """Every bar's signal, played through the twelve bars that followed: by its own stop and its own target."""
    series = rising()
    made = given().tp["rr_2_1"]
    model = TpModel.from_files(made.card, made.files)
    won = []
    for place in range(ATR_BARS - 1, len(series) - BARRIER_HORIZON):
        if all(series.is_followed(place + bars) for bars in range(BARRIER_HORIZON)):
            told = signal_of(series.until(place + 1).newest(ATR_BARS + 1), model, None, "unknown")
            won.append(target_came_first(told, series, place))
    assert len(won) == told.n
    assert abs(sum(won) / len(won) - float(told.base_rate)) < 0.0001


def target_came_first(told: SignalResponse, series: Series, place: int) -> bool:
    assert told.direction == "long"
    for bar in range(place + 1, place + 1 + BARRIER_HORIZON):
        if series.low[bar] <= told.stop_loss:
            return False
        if series.high[bar] >= told.take_profit:
            return True
    return False


def test_a_base_rate_is_never_actionable_however_high_it_is() -> None:
    told = signal()
    assert told.base_rate > Decimal("0.3334")  # it would pay, had it been a forecast
    assert (told.actionable, told.confidence_score) == (False, Decimal(0))
    silent = why_silent(told)
    assert silent is not None
    assert (silent.symbol, silent.error) == ("ES", "no_skill")
    assert f"{told.base_rate} of {told.n} bars" in silent.detail


def test_the_same_bar_gives_the_same_id_and_the_next_one_another() -> None:
    made = given().tp["rr_2_1"]
    model = TpModel.from_files(made.card, made.files)
    before = signal_of(rising().until(900), model, None, "unknown")
    assert signal().signal_id == signal().signal_id
    assert before.signal_id != signal().signal_id
    assert before.signal_id.startswith("SIG-")


def test_a_market_that_barely_moves_keeps_a_stop_of_a_tick() -> None:
    series = rising()
    quiet = replace(
        series,
        open=[5_000.0] * len(series),
        high=[5_000.01] * len(series),
        low=[5_000.0] * len(series),
        close=[5_000.0] * len(series),
    )
    made = given().tp["rr_2_1"]
    told = signal_of(quiet, TpModel.from_files(made.card, made.files), None, "unknown")
    assert told.entry_price - told.stop_loss == Decimal("0.25")


def test_the_regime_is_the_third_in_which_the_atr_lies() -> None:
    def swelling(past: Past) -> float:
        return 3.0 if past.session.isoformat() >= "2025-02-07" else 1.0

    series = market(1, 4, "15m", spread=swelling)
    assert volatility_regime(series) == "high"
    assert volatility_regime(series.until(100)) == "unknown"


@pytest.mark.parametrize(
    ("chance", "happened", "is_active"),
    [("0.40", "0.40", True), ("0.40", "0.36", False), ("0.36", "0.40", False), ("0.33", "0.33", False)],
)
def test_skill_makes_no_signal_where_a_trade_would_not_pay(chance: str, happened: str, is_active: bool) -> None:
    """At 2 to 1 a tenth of the risk is earned from .367 on, by the model and by what happened."""
    assert is_worth_it(float(chance), Decimal(happened), ratio=2) == is_active


def test_a_chance_that_was_hardly_ever_given_makes_no_signal() -> None:
    assert not is_worth_it(0.9, None, ratio=2)
