"""8pt and 12pt bricks decide the direction of entries; an override skips that gate alone (SPEC 2, 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from services.engine.model.events import EntryAccepted, EntryBlocked
from tests.support.trader import Trader
from wire.types import Color, Side, TradeMode


@pytest.mark.parametrize(
    ("high", "macro", "direction", "gate"),
    [
        ("green", "green", "BUY", None),
        ("green", "green", None, None),
        ("green", "green", "SELL", "zone"),
        ("red", "red", "SELL", None),
        ("red", "red", None, None),
        ("red", "red", "BUY", "zone"),
        ("green", "red", "BUY", None),
        ("green", "red", "SELL", None),
        ("green", "red", None, "zone"),
        ("red", "green", "BUY", None),
        ("red", "green", "SELL", None),
        ("red", "green", None, "zone"),
        ("neutral", "green", "BUY", "zone"),
        ("green", "neutral", "BUY", "zone"),
        ("neutral", "neutral", "BUY", "zone"),
        ("neutral", "neutral", None, "zone"),
    ],
)
def test_the_zone_decides_the_direction(high: Color, macro: Color, direction: Side | None, gate: str | None) -> None:
    trader = Trader().bricks(6, "green").with_zone(high, macro)
    assert trader.gate_for(direction) == gate


@pytest.mark.parametrize(("color", "side"), [("green", "BUY"), ("red", "SELL")])
def test_without_a_direction_a_normal_zone_gives_its_own(color: Color, side: Side) -> None:
    trader = Trader().with_structure(color).enters()
    assert trader.open_order.side == side
    assert trader.filled_at(5250).trade.zone == "NORMAL"


@pytest.mark.parametrize(
    ("high", "macro"),
    [("green", "green"), ("red", "red"), ("green", "red"), ("neutral", "green"), ("neutral", "neutral")],
)
@pytest.mark.parametrize("direction", ["BUY", "SELL"])
def test_an_override_with_direction_skips_the_zone(high: Color, macro: Color, direction: Side) -> None:
    trader = Trader().bricks(6, "green").with_zone(high, macro)
    assert trader.enters(direction, override=True).refused_by is None
    assert trader.open_order.side == direction


def test_an_override_is_journaled_with_order_and_trade() -> None:
    trader = Trader().with_structure("green").enters("SELL", override=True)
    (accepted,) = trader.told(EntryAccepted)
    assert accepted.override
    trader.filled_at(5250).bricks(6, "red").exits().filled_at(5249)
    assert trader.trades[-1].override
    assert trader.replays_equal()


def test_a_refused_override_is_journaled_as_one() -> None:
    trader = Trader().with_zone("green", "green").enters("SELL", override=True)
    (blocked,) = trader.told(EntryBlocked)
    assert blocked.override


@pytest.mark.parametrize(
    ("closes", "gate"),
    [
        (lambda trader: trader.trades_once().bricks(6, "green").at("09:40:00").loses(1), "daily_stop"),
        (lambda trader: trader.trades_once().bricks(6, "green"), "cooldown"),
        (lambda trader: trader.is_long(asset="NQ").turns_to("ES"), "candle_lock"),
        (lambda trader: trader.enters("BUY").claims().at("09:35:00"), "pending_order"),
        (lambda trader: trader.is_long().at("09:35:00"), "position"),
        (lambda trader: trader.exits(), None),
        (lambda trader: trader.goes_silent().at("09:41:10"), "heartbeat"),
        (lambda trader: trader.bricks(2.5, "red"), "two_half_filter"),
        (lambda trader: trader.broker_says(position=3), "reconcile"),
    ],
)
def test_an_override_skips_only_the_zone(closes: Callable[..., Any], gate: str | None) -> None:
    trader = Trader(assets=("ES", "NQ"), two_half_filter=True, entry_ttl_seconds=1)
    trader.with_structure("green", "ES").broker_says(balance=50_000)
    closes(trader)
    assert trader.gate_for("BUY", asset="ES", override=True) == gate


@pytest.mark.parametrize(("high", "macro"), [("green", "green"), ("green", "red"), ("neutral", "green")])
def test_an_override_without_direction_is_refused(high: Color, macro: Color) -> None:
    trader = Trader().bricks(6, "green").with_zone(high, macro)
    assert trader.enters(None, override=True).refused_by is not None


@pytest.mark.parametrize("mode", ["SCALP", "RUNNER"])
@pytest.mark.parametrize(("macro", "is_on"), [("green", False), ("red", True)])
def test_the_6pt_flip_exit_is_on_by_default_only_for_free_zone_entries(
    macro: Color, is_on: bool, mode: TradeMode
) -> None:
    trader = Trader().bricks(6, "green").with_zone("green", macro).enters("BUY", mode=mode).filled_at(5250)
    assert trader.protections.main_flip_exit_enabled is is_on


def test_an_override_in_a_free_zone_is_still_a_free_zone_entry() -> None:
    trader = Trader().in_free_zone().enters("BUY", override=True).filled_at(5250)
    assert trader.protections.main_flip_exit_enabled


def test_the_zone_of_the_entry_stays_with_the_trade() -> None:
    trader = Trader().in_free_zone().enters("BUY").filled_at(5250).bricks(12, "green")
    assert trader.trade.zone == "FREE"
    assert trader.bricks(6, "red").exit_source == "main_flip"
