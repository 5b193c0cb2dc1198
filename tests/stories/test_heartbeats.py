"""TradingView's last heartbeat must be fresh by its own time (SPEC 3, gate 7)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.engine.model.replies import PriceNoted
from tests.support.narrow import known
from tests.support.trader import Trader


def silent_trader() -> Trader:
    """Return a trader with every gate open; no further heartbeat comes."""
    return Trader().with_structure("green").hears(5250).goes_silent()


@pytest.mark.parametrize(
    ("age", "gate"),
    [
        ({"seconds": 599}, None),
        ({"seconds": 599, "microseconds": 999_999}, None),
        ({"seconds": 600}, "heartbeat"),
        ({"seconds": 601}, "heartbeat"),
    ],
)
def test_ten_minutes_of_silence_close_the_gate(age: dict[str, int], gate: str | None) -> None:
    assert silent_trader().later(**age).gate_for("BUY") == gate


def test_the_next_heartbeat_opens_it() -> None:
    trader = silent_trader().later(seconds=3600)
    assert trader.gate_for("BUY") == "heartbeat"
    assert trader.hears().gate_for("BUY") is None


def test_it_is_closed_before_the_first_heartbeat() -> None:
    trader = Trader(is_heard=False).with_structure("green").enters("BUY")
    assert trader.refused_by == "heartbeat"
    assert trader.refusal.sentence == "TRADINGVIEW SILENT — no heartbeat for ES yet"


def test_every_asset_has_its_own_heartbeat() -> None:
    trader = Trader(assets=("ES", "NQ")).with_structure("green", "NQ").with_structure("green", "ES").goes_silent()
    trader.later(seconds=600).turns_to("NQ").hears()
    assert trader.gate_for("BUY", asset="ES") == "heartbeat"
    assert trader.gate_for("BUY", asset="NQ") is None


def test_bricks_are_no_heartbeat() -> None:
    trader = silent_trader().later(seconds=600).bricks(6, "green")
    assert trader.gate_for("BUY") == "heartbeat"


@pytest.mark.parametrize("delay", [599, 600, 900])
def test_delayed_data_leave_the_gate_closed(delay: int) -> None:
    trader = silent_trader().later(seconds=1000)
    trader.hears(5250, sent_at=trader.now - timedelta(seconds=delay))
    assert trader.gate_for("BUY") == (None if delay < 600 else "heartbeat")


def test_an_older_heartbeat_does_not_move_the_time_back() -> None:
    trader = silent_trader()
    heard_at = known(trader.asset.live.last_heartbeat_at)
    trader.later(seconds=5).hears(5260, sent_at=heard_at - timedelta(microseconds=1))
    assert trader.asset.live.last_heartbeat_at == heard_at
    assert trader.asset.live.last_price == 5250


@pytest.mark.parametrize(
    ("ahead", "flagged"),
    [
        (timedelta(seconds=60), False),
        (timedelta(seconds=60, microseconds=1), True),
        (timedelta(days=3650), True),
    ],
)
def test_a_time_more_than_a_minute_ahead_is_replaced_by_the_receipt(ahead: timedelta, flagged: bool) -> None:
    trader = silent_trader().later(seconds=1)
    trader.hears(5251, sent_at=trader.now + ahead)
    assert trader.answered(PriceNoted).flagged is flagged
    assert trader.asset.live.heartbeat_flagged is flagged
    assert trader.asset.live.last_heartbeat_at == (trader.now if flagged else trader.now + ahead)


def test_a_flagged_heartbeat_cannot_keep_the_gate_open_for_years() -> None:
    trader = silent_trader()
    trader.hears(5250, sent_at=trader.now + timedelta(days=365)).later(seconds=600)
    assert trader.gate_for("BUY") == "heartbeat"


def test_a_heartbeat_without_a_time_counts_from_its_receipt() -> None:
    trader = silent_trader().later(seconds=500).hears(5251)
    assert trader.asset.live.last_heartbeat_at == trader.now
    assert trader.later(seconds=599).gate_for("BUY") is None


def test_a_heartbeat_without_a_price_keeps_the_last_one() -> None:
    trader = silent_trader().later(seconds=1).hears()
    assert trader.asset.live.last_price == 5250


def test_replay_sees_heartbeats_that_are_not_journaled_one_by_one() -> None:
    trader = silent_trader()
    rows = len(trader.journal)
    trader.later(seconds=1).hears(5251).later(seconds=1).hears(5252)
    assert len(trader.journal) == rows
    trader.enters("BUY")
    assert trader.replays_equal()


def test_the_age_is_a_setting() -> None:
    trader = Trader(heartbeat_max_age_seconds=5).with_structure("green").hears().goes_silent().later(seconds=5)
    assert trader.gate_for("BUY") == "heartbeat"
