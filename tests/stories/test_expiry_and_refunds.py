"""An unclaimed entry expires; an unfilled entry returns its token and its candle (SPEC 4)."""

from __future__ import annotations

import pytest

from services.engine.model.events import EntryReturned
from tests.support.trader import Trader
from wire.types import OrderStatus


@pytest.mark.parametrize(
    ("waited", "is_open"),
    [({"seconds": 29, "microseconds": 999_999}, True), ({"seconds": 30}, False), ({"seconds": 31}, False)],
)
def test_an_entry_that_no_bridge_claims_expires_after_thirty_seconds(waited: dict[str, int], is_open: bool) -> None:
    trader = Trader().with_structure("green").enters("BUY")
    order = trader.order
    trader.later(**waited).ticks()
    assert (trader.order is not None) is is_open
    if not is_open:
        assert trader.ended(order).status is OrderStatus.EXPIRED
        assert trader.alerts == ["entry_expired"]
    assert trader.replays_equal()


@pytest.mark.parametrize(("seconds", "handed"), [(29, 1), (30, 0)])
def test_a_bridge_never_gets_a_stale_entry_even_without_a_clock_tick(seconds: int, handed: int) -> None:
    trader = Trader().goes_silent().with_structure("green").hears().enters("BUY").later(seconds=seconds).claims()
    assert len(trader.handed_over) == handed


def test_a_claimed_entry_does_not_expire() -> None:
    trader = Trader().with_structure("green").enters("BUY").claims().later(seconds=600).ticks()
    assert trader.open_order.status is OrderStatus.CLAIMED


def test_the_time_to_live_is_a_setting() -> None:
    trader = Trader(entry_ttl_seconds=5).with_structure("green").enters("BUY").later(seconds=5).ticks()
    assert trader.order is None


def test_an_exit_never_expires_but_raises_an_alert_after_ten_seconds() -> None:
    trader = Trader().is_long().bricks(6, "green").exits()
    assert trader.later(seconds=9, microseconds=999_999).ticks().alerts == []
    assert trader.later(microseconds=1).ticks().alerts == ["exit_unclaimed"]
    assert trader.later(seconds=3600).ticks().alerts.count("exit_unclaimed") == 1
    assert trader.open_order.status is OrderStatus.PENDING
    assert trader.filled_at(5250).position == 0
    assert trader.replays_equal()


def test_a_claimed_exit_raises_no_alert_that_nobody_took_it() -> None:
    trader = Trader().is_long().bricks(6, "green").exits().claims().later(seconds=14).ticks()
    assert trader.alerts == []


@pytest.mark.parametrize("ends", ["rejected", "cancelled", "expires"])
def test_an_unfilled_entry_returns_token_and_candle(ends: str) -> None:
    trader = Trader(at="09:30:00", assets=("ES", "NQ")).with_structure("green", "NQ").with_structure("green", "ES")
    trader.enters("BUY")
    if ends == "expires":
        trader.later(seconds=30).ticks()
    else:
        getattr(trader, ends)()
    assert trader.gate_for("BUY", asset="ES") is None
    assert trader.gate_for("BUY", asset="NQ") is None
    assert trader.desk.day.trades_taken == 0
    assert trader.told(EntryReturned)[0].candle_returned


@pytest.mark.parametrize(
    ("ordered_at", "candle_returned"),
    [("09:34:29.999999", True), ("09:34:30", False), ("09:34:31", False)],
)
def test_an_entry_that_expires_in_the_next_candle_returns_the_token_alone(
    ordered_at: str, candle_returned: bool
) -> None:
    trader = Trader(at="09:34:00").with_structure("green").at(ordered_at).enters("BUY").later(seconds=30).ticks()
    (event,) = trader.told(EntryReturned)
    assert event.candle_returned is candle_returned
    assert trader.asset.tempo.ready


@pytest.mark.parametrize("status", ["REJECTED", "CANCELLED"])
def test_a_partial_fill_returns_nothing(status: str) -> None:
    trader = Trader(assets=("ES", "NQ")).with_structure("green", "NQ").with_structure("green", "ES").enters("BUY")
    trader.partly_filled(1, 5250).reports(status)
    assert trader.told(EntryReturned) == []
    assert trader.gate_for("BUY", asset="NQ") == "candle_lock"
    assert not trader.asset.tempo.ready
    assert trader.position == 1


def test_the_candle_can_be_used_again_once_by_another_asset() -> None:
    trader = Trader(assets=("ES", "NQ")).with_structure("green", "NQ").with_structure("green", "ES")
    trader.enters("BUY").rejected().enters("BUY", asset="NQ")
    assert trader.refused_by is None
    assert trader.gate_for("BUY", asset="ES") == "candle_lock"


def test_a_rejection_raises_an_alert() -> None:
    trader = Trader().with_structure("green").enters("BUY").rejected("no margin")
    assert trader.alerts == ["order_rejected"]
    assert "no margin" in trader.last_alert.sentence


def test_a_restart_does_not_revive_an_entry_that_went_stale_meanwhile() -> None:
    trader = Trader().with_structure("green").enters("BUY").restarts().later(seconds=30).claims()
    assert trader.handed_over == ()
    assert trader.order is None
