"""One entry per 5-minute candle, whatever the asset (SPEC 5.1)."""

from __future__ import annotations

import pytest

from services.engine.model.events import EntryReturned
from tests.support.trader import Trader


def test_no_second_entry_in_the_same_candle() -> None:
    trader = Trader(at="09:31:10").with_structure("green")
    trader.enters("BUY").filled_at(5250.25).bricks(6, "green").exits().filled_at(5252.00)
    trader.at("09:34:59").bricks(6, "green").enters("BUY")
    assert trader.refused_by == "candle_lock"
    trader.at("09:35:00")
    assert trader.may_enter
    assert trader.replays_equal()


def two_assets_before_the_candle() -> Trader:
    return Trader(at="09:29:59", assets=("ES", "NQ")).with_structure("green", "ES").with_structure("green", "NQ")


@pytest.mark.parametrize(
    ("clock", "gate"),
    [
        ("09:34:59.999999", "candle_lock"),
        ("09:35:00", None),
        ("09:35:00.000001", None),
    ],
)
@pytest.mark.parametrize("entry_at", ["09:30:00", "09:32:17.5", "09:34:59.999999"])
def test_the_lock_ends_with_the_candle_not_after_five_minutes(entry_at: str, clock: str, gate: str | None) -> None:
    trader = two_assets_before_the_candle().at(entry_at).enters("BUY", asset="ES").claims()
    assert trader.at(clock).gate_for("BUY", asset="NQ") == gate


@pytest.mark.parametrize("entry_at", ["09:30:00", "09:32:17.5", "09:34:59.999999"])
def test_the_lock_begins_with_the_entry_not_with_its_candle(entry_at: str) -> None:
    trader = two_assets_before_the_candle().at("09:30:00")
    assert trader.gate_for("BUY", asset="NQ") is None
    trader.at(entry_at).enters("BUY", asset="ES").claims()
    assert trader.gate_for("BUY", asset="NQ") == "candle_lock"


def test_the_lock_holds_for_every_asset() -> None:
    trader = Trader(assets=("ES", "NQ")).with_structure("green", "NQ").with_structure("green", "ES")
    trader.enters("BUY").enters("BUY", asset="NQ")
    assert trader.refused_by == "candle_lock"


def test_the_sentence_shows_the_countdown_in_the_contracts_format() -> None:
    trader = Trader(at="09:30:37", assets=("ES", "NQ")).with_structure("green", "NQ").with_structure("green", "ES")
    trader.enters("BUY").enters("BUY", asset="NQ")
    assert trader.refusal.sentence == "5 MIN LOCK ACTIVE — one trade already used this candle (04:23 remaining)"
    assert trader.refusal.retry_after_s == 263


def test_a_started_second_counts_as_a_whole_one() -> None:
    trader = Trader(at="09:34:58.500001", assets=("ES", "NQ"))
    trader.with_structure("green", "NQ").with_structure("green", "ES").enters("BUY").enters("BUY", asset="NQ")
    assert trader.refusal.retry_after_s == 2
    assert "(00:02 remaining)" in trader.refusal.sentence


@pytest.mark.parametrize("before", ["2026-03-08", "2026-11-01"])
@pytest.mark.parametrize("hour", ["00", "03", "18"])
def test_candles_follow_new_yorks_time_on_both_days_of_the_clock_change(before: str, hour: str) -> None:
    trader = Trader(at=f"{hour}:33:00", on=before, assets=("ES", "NQ"))
    trader.with_structure("green", "NQ").with_structure("green", "ES").enters("BUY").claims()
    assert trader.at(f"{hour}:34:59.999999").gate_for("BUY", asset="NQ") == "candle_lock"
    assert trader.at(f"{hour}:35:00").gate_for("BUY", asset="NQ") is None


def test_the_repeated_hour_of_the_clock_change_has_candles_of_its_own() -> None:
    trader = Trader(at="01:32:00", on="2026-11-01", assets=("ES", "NQ"))  # New York's clock goes back at 02:00
    trader.with_structure("green", "NQ").with_structure("green", "ES").enters("BUY").claims()
    assert trader.later(seconds=120).gate_for("BUY", asset="NQ") == "candle_lock"
    assert trader.later(seconds=3600).gate_for("BUY", asset="NQ") is None


def test_the_candle_length_is_a_setting() -> None:
    trader = Trader(at="09:31:10", assets=("ES", "NQ"), candle_seconds=60)
    trader.with_structure("green", "NQ").with_structure("green", "ES").enters("BUY").claims()
    assert trader.at("09:31:59").gate_for("BUY", asset="NQ") == "candle_lock"
    assert trader.at("09:32:00").gate_for("BUY", asset="NQ") is None


@pytest.mark.parametrize(
    ("clock", "returned"),
    [("09:34:59.999999", True), ("09:35:00", False)],
)
def test_a_rejected_entry_frees_its_candle_only_while_the_candle_lasts(clock: str, returned: bool) -> None:
    trader = Trader(at="09:34:50", assets=("ES", "NQ")).with_structure("green", "NQ").with_structure("green", "ES")
    trader.enters("BUY").claims().at(clock).rejected()
    (event,) = trader.told(EntryReturned)
    assert event.candle_returned is returned
    assert trader.gate_for("BUY", asset="NQ") is None


def test_a_late_rejection_does_not_free_the_candle_of_another_entry() -> None:
    trader = Trader(at="09:34:50", assets=("ES", "NQ", "YM"))
    for asset in ("YM", "NQ", "ES"):
        trader.with_structure("green", asset)
    trader.enters("BUY").claims().at("09:35:05").enters("BUY", asset="NQ").claims()
    trader.turns_to("ES").rejected()
    assert trader.gate_for("BUY", asset="YM") == "candle_lock"
    assert trader.turns_to("NQ").rejected().gate_for("BUY", asset="YM") is None


def test_a_restart_keeps_the_lock() -> None:
    trader = Trader(assets=("ES", "NQ")).with_structure("green", "NQ").is_long(asset="ES").restarts()
    assert trader.gate_for("BUY", asset="NQ") == "candle_lock"
    assert trader.at("09:35:00").gate_for("BUY", asset="NQ") is None
