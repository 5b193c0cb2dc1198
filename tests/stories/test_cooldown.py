"""No entry for three minutes after any position closed (SPEC 5.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from services.engine.model.events import CooldownStarted
from tests.support.trader import Trader


@pytest.mark.parametrize(
    ("clock", "gate"),
    [
        ("09:38:59", "cooldown"),
        ("09:38:59.999999", "cooldown"),
        ("09:39:00", None),
        ("09:39:00.000001", None),
    ],
)
def test_it_lasts_180_seconds_from_the_fill_that_made_the_asset_flat(clock: str, gate: str | None) -> None:
    trader = Trader(at="09:31:00").is_long().bricks(6, "green").exits()
    trader.at("09:36:00").filled_at(5252).bricks(6, "green")
    assert trader.at(clock).gate_for("BUY") == gate


def test_it_holds_for_every_asset() -> None:
    trader = Trader(assets=("ES", "NQ")).with_structure("green", "NQ").trades_once("ES")
    assert trader.at("09:34:09").gate_for("BUY", asset="NQ") == "cooldown"


def test_a_later_close_starts_the_cooldown_again() -> None:
    trader = Trader(at="09:31:00", assets=("ES", "NQ")).is_long(asset="ES")
    trader.at("09:35:00").is_long(18_000, asset="NQ")
    trader.at("09:36:00").brick(6, "green", asset="ES").exits().filled_at(5250)
    trader.at("09:37:00").brick(6, "green", asset="NQ").exits().filled_at(18_000)
    trader.bricks(6, "green")
    assert trader.at("09:39:59").gate_for("BUY") == "cooldown"
    assert trader.at("09:40:00").gate_for("BUY") is None


WAYS_TO_BE_CLOSED = [
    ("manual", lambda trader: trader.bricks(6, "green").exits().filled_at(5250)),
    ("manual", lambda trader: trader.exits(force=True).filled_at(5250)),
    ("exit_all", lambda trader: trader.exits_all(force=True).filled_at(5250)),
    ("structure", lambda trader: trader.bricks(8, "red").filled_at(5250)),
    ("level", lambda trader: trader.touches_level().filled_at(5250)),
    ("points_tp", lambda trader: trader.hears(5300).filled_at(5250)),
    ("BROKER_FLAT", lambda trader: trader.later(2).broker_says(position=0).later(2).broker_says(position=0)),
]


@pytest.mark.parametrize(("reason", "closes"), WAYS_TO_BE_CLOSED)
def test_every_way_of_closing_starts_it(reason: str, closes: Callable[..., Any]) -> None:
    trader = Trader().is_long()
    closes(trader)
    assert trader.position == 0
    assert trader.trades[-1].reason == reason
    (started,) = trader.told(CooldownStarted)
    assert (started.until - trader.now).total_seconds() == 180
    assert trader.bricks(8, "green").bricks(6, "green").gate_for("BUY") == "cooldown"
    assert trader.replays_equal()


def test_a_partial_exit_starts_no_cooldown() -> None:
    trader = Trader().is_long().bricks(6, "green").exits().partly_filled(4, 5252)
    assert trader.told(CooldownStarted) == []
    trader.reports("FILLED", 5252, cum_qty=5, exec_id="the rest")
    assert len(trader.told(CooldownStarted)) == 1


@pytest.mark.parametrize("ends", ["rejected", "cancelled"])
def test_an_entry_that_never_filled_starts_no_cooldown(ends: str) -> None:
    trader = Trader().with_structure("green").enters("BUY")
    getattr(trader, ends)()
    assert trader.gate_for("BUY") is None


def test_the_sentence_counts_down() -> None:
    trader = Trader().trades_once().later(seconds=57).bricks(6, "green").enters("BUY")
    assert trader.refusal.sentence == "POST-EXIT COOLDOWN ACTIVE (02:03 remaining)"
    assert trader.refusal.retry_after_s == 123


def test_a_restart_and_a_new_day_keep_it() -> None:
    trader = Trader(at="17:58:30").trades_once().restarts().at("18:01:29").ticks()
    assert trader.desk.day.trading_day.isoformat() == "2026-11-18"
    assert trader.bricks(6, "green").gate_for("BUY") == "cooldown"
    assert trader.at("18:01:30").gate_for("BUY") is None
