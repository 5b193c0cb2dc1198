"""On a market without any edge no model is earned, and no signal is active (the long proof is ``make ml-proof``)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from advisor.ml.forecast import RangeModel
from advisor.ml.signals import TpModel, signal_of, why_silent
from tests.advisor.ml.generated import market
from tests.advisor.ml.story import trained


@pytest.mark.parametrize("seed", range(4))
def test_a_random_walk_earns_no_model(seed: int) -> None:
    walked = market(seed, 61, "1h")
    given = trained(walked)
    assert {card.verdict for card in given.cards} <= {"flat", "hour"}
    assert "which does not suffice" in given.range.card.why  # a model was tried
    target = TpModel.from_files(given.tp["rr_2_1"].card, given.tp["rr_2_1"].files)
    forecast = RangeModel.from_files(given.range.card, given.range.files).predict(walked)
    signal = signal_of(walked, target, forecast, "unknown")
    assert not signal.actionable
    assert (signal.prob_source, signal.confidence_score) == ("base_rate", Decimal(0))
    assert signal.prob_tp_first == signal.base_rate
    silent = why_silent(signal)
    assert silent is not None
    assert silent.error == "no_skill"
