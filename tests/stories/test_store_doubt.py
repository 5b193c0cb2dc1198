"""Another store that was opened today knows what this one does not: in LIVE the operator must confirm (SPEC 5.9)."""

from __future__ import annotations

import pytest

from services.engine.model.store_doubts import ConfirmStore, NoteStore, StoreConfirmed, StoreDoubted
from services.engine.rules.alerts import ALERTS
from services.views.state_view import _store_doubt
from tests.support.trader import Trader

OTHER = NoteStore("newer_store", "a1b2", "/var/lib/other.sqlite was used for SIM1 today")


def alert_is_over(trader: Trader) -> bool:
    [alert] = [alert for alert in trader.desk.alerts if alert.code == "store_doubtful"]
    return bool(ALERTS["store_doubtful"].is_over(alert, trader.desk))


def test_in_live_it_closes_gate_account_until_the_operator_confirms() -> None:
    trader = Trader(env="LIVE").with_structure("green").asks(OTHER).enters("BUY")
    assert (trader.refused_by, trader.refusal.title) == ("account", "STORE NOT CONFIRMED")
    assert trader.refusal.detail == OTHER.detail
    assert not alert_is_over(trader)
    trader.asks(ConfirmStore("the other one was a trial"))
    assert trader.told(StoreConfirmed) == [StoreConfirmed("a1b2", "the other one was a trial")]
    assert alert_is_over(trader)
    assert trader.enters("BUY").refused_by is None
    assert trader.replays_equal()


def test_in_demo_it_is_said_and_closes_nothing() -> None:
    trader = Trader().with_structure("green").asks(OTHER)
    assert trader.last_alert.code == "store_doubtful"
    assert trader.enters("BUY").refused_by is None


def test_it_is_noted_once_and_not_again_after_the_confirmation() -> None:
    trader = Trader(env="LIVE").asks(OTHER).asks(OTHER).asks(ConfirmStore("mine")).asks(OTHER)
    assert len(trader.told(StoreDoubted)) == 1
    assert trader.with_structure("green").enters("BUY").refused_by is None
    assert trader.asks(NoteStore("newer_store", "c3d4", "a third one")).gate_for("BUY") is not None


def test_there_must_be_something_to_confirm() -> None:
    assert Trader().asks(ConfirmStore("mine")).refused_by == "store_known"
    assert Trader().asks(OTHER).asks(ConfirmStore("mine")).asks(ConfirmStore("mine")).refused_by == "store_known"


def test_a_restart_does_not_confirm_it_and_the_next_trading_day_ends_it() -> None:
    trader = Trader(env="LIVE").asks(OTHER).restarts().with_structure("green")
    assert trader.gate_for("BUY") == "account"
    trader.at("18:00:00").ticks().with_structure("green")
    assert (trader.gate_for("BUY"), alert_is_over(trader)) == (None, True)
    assert trader.asks(OTHER).gate_for("BUY") == "account"


@pytest.mark.parametrize("env", ["DEMO", "LIVE"])
def test_exits_need_no_confirmation(env: str) -> None:
    trader = Trader(env=env).is_long(5250).asks(OTHER).exits(force=True)  # type: ignore[arg-type]
    assert (trader.refused_by, trader.exit_source) == (None, "manual")


def test_the_state_says_what_is_to_be_confirmed() -> None:
    trader = Trader().asks(OTHER)
    shown = _store_doubt(trader.desk)
    assert shown is not None
    assert (shown.code, shown.detail, shown.since) == ("newer_store", OTHER.detail, trader.now)
    assert _store_doubt(trader.asks(ConfirmStore("mine")).desk) is None
