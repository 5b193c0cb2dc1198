"""The tempo token: one entry per 6pt brick (SPEC 5.7)."""

from __future__ import annotations

import pytest

from services.engine.model.events import TempoArmed
from tests.support.trader import Trader
from wire.types import Color


def test_no_entry_before_the_first_6pt_brick() -> None:
    trader = Trader().with_zone("green", "green").enters("BUY")
    assert trader.refused_by == "tempo"
    assert "no 6pt brick seen yet" in trader.refusal.sentence


@pytest.mark.parametrize("color", ["green", "red"])
def test_a_6pt_brick_of_any_colour_arms_it(color: Color) -> None:
    assert Trader().with_zone("green", "green").bricks(6, color).gate_for("BUY") is None


@pytest.mark.parametrize("points", [1, 2.5, 4, 8, 12])
def test_no_other_size_arms_it(points: float) -> None:
    trader = Trader().with_zone("green", "green").bricks(points, "green", "red", "green")
    assert trader.gate_for("BUY", override=True) == "tempo"


def test_an_entry_uses_it_and_the_next_6pt_brick_arms_it_again() -> None:
    trader = Trader(cooldown_seconds=0).is_long().exits(force=True).filled_at(5250).at("09:35:00")
    assert trader.gate_for("BUY") == "tempo"
    assert trader.bricks(6, "red").gate_for("BUY") is None


@pytest.mark.parametrize(("generation", "is_ready"), [(4, True), (5, False)])
def test_becoming_flat_spends_what_a_brick_during_the_trade_armed(generation: int, is_ready: bool) -> None:
    """The brick that takes a trade out does not pay for the next one. Up to generation 4 it did."""
    trader = Trader(cooldown_seconds=0, generation=generation).is_long(5250).toggles("main_flip").bricks(6, "red")
    assert (trader.exit_source, trader.asset.tempo.ready) == ("main_flip", True)
    trader.filled_at(5248)
    assert (trader.asset.tempo.ready, trader.at("09:35:00").gate_for("BUY")) == (
        is_ready,
        None if is_ready else "tempo",
    )
    assert trader.bricks(6, "red").gate_for("BUY") is None
    assert trader.replays_equal()


def test_a_brick_while_the_entry_is_pending_pays_for_no_other() -> None:
    trader = Trader(cooldown_seconds=0).with_structure("green").enters("BUY").claims().bricks(6, "green")
    assert trader.asset.tempo.ready
    trader.filled_at(5250).exits(force=True).filled_at(5250)
    assert trader.at("09:35:00").gate_for("BUY") == "tempo"


def test_a_position_that_the_broker_closed_spends_it_too() -> None:
    trader = Trader(cooldown_seconds=0).is_long(5250).hears(5250).bricks(6, "green").later(5)
    assert trader.asset.tempo.ready
    trader.broker_says(position=0).later(2).broker_says(position=0)
    assert (trader.position, trader.asset.tempo.ready) == (0, False)


def test_a_neutral_6pt_brick_arms_nothing() -> None:
    trader = Trader().with_zone("green", "green").bricks(6, "neutral")
    assert trader.gate_for("BUY") == "tempo"


def test_it_belongs_to_the_asset() -> None:
    trader = Trader(assets=("ES", "NQ")).with_zone("green", "green", "NQ").bricks(6, "green")
    assert trader.with_zone("green", "green", "ES").gate_for("BUY", asset="ES") == "tempo"
    assert trader.gate_for("BUY", asset="NQ") is None


def test_a_4pt_flip_does_not_arm_after_a_trade_that_saw_no_6pt_brick() -> None:
    trader = Trader(cooldown_seconds=0).bricks(4, "green").is_long().exits(force=True).filled_at(5250)
    trader.at("09:35:00").bricks(4, "red", "green")
    assert trader.gate_for("BUY") == "tempo"


def test_after_a_trade_with_a_6pt_brick_the_desk_may_be_entered_again() -> None:
    trader = Trader(cooldown_seconds=0).bricks(4, "green").trades_once().at("09:35:00").bricks(4, "red")
    assert trader.gate_for("BUY") is None


def test_a_4pt_flip_while_the_next_entry_is_pending_arms_nothing() -> None:
    trader = Trader(cooldown_seconds=0).bricks(4, "green").trades_once().at("09:35:00").bricks(4, "red")
    trader.enters("BUY").claims()
    trader.bricks(4, "green")
    assert not trader.asset.tempo.ready


def test_a_4pt_flip_before_any_trade_arms_nothing() -> None:
    trader = Trader().with_zone("green", "green").bricks(4, "green", "red")
    assert trader.gate_for("BUY") == "tempo"


def test_a_4pt_flip_while_in_the_trade_arms_nothing() -> None:
    trader = Trader(cooldown_seconds=0).bricks(4, "green").is_long().bricks(4, "red", "green")
    trader.exits(force=True).filled_at(5250).at("09:35:00")
    assert trader.gate_for("BUY") == "tempo"


@pytest.mark.parametrize("ends", ["rejected", "cancelled"])
def test_an_entry_that_ended_unfilled_returns_the_token(ends: str) -> None:
    trader = Trader().with_structure("green").enters("BUY")
    assert not trader.asset.tempo.ready
    getattr(trader, ends)()
    assert trader.asset.tempo.ready
    assert trader.gate_for("BUY") is None


@pytest.mark.parametrize("status", ["CANCELLED", "REJECTED"])
def test_an_entry_that_filled_in_part_keeps_it(status: str) -> None:
    trader = Trader().with_structure("green").enters("BUY").partly_filled(1, 5250).reports(status)
    assert trader.position == 1
    assert not trader.asset.tempo.ready


def test_arming_makes_one_event() -> None:
    trader = Trader().with_zone("green", "green").bricks(6, "green", "green", "red")
    assert len(trader.told(TempoArmed)) == 1
