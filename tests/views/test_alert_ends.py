"""Alerts say whether what they tell of is over, and since when, as far as that is known (docs/reference/rules.md)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.desk.manager import StateManager
from services.engine.model.bridge_commands import HearBridge
from services.engine.model.commands import TickClock
from services.engine.model.events import AlertRaised, DayRolled
from services.engine.rules.alert_times import NO_ENDS, ends_after, key_of
from services.stores.codec.documents import read_events
from services.stores.sqlite.store import SqliteStore
from services.views.rows import alert_view
from services.views.state_view import live_document
from tests.desk.test_manager import RULES
from tests.support.desk_process import eventually
from tests.support.stored_trader import StoredTrader
from tests.support.trader import Trader
from wire.state import AlertRow


def alert_of(trader: Trader, *, remembers: bool = True) -> AlertRow:
    """Return the newest alert as it is shown, with what the journal's rows told the process or without."""
    told = [(row.at, event) for row in trader.journal for event in read_events(row.events)]
    ends = ends_after(NO_ENDS, trader.desk, told if remembers else ())
    return alert_view(trader.last_alert, trader.desk, ends)


def overs(trader: Trader, *, remembers: bool = True) -> list[bool | None]:
    """Return whether each alert is over, oldest first."""
    told = [(row.at, event) for row in trader.journal for event in read_events(row.events)]
    ends = ends_after(NO_ENDS, trader.desk, told if remembers else ())
    return [alert_view(alert, trader.desk, ends).over for alert in trader.desk.alerts]


def test_silence_lasts_until_the_feed_is_back_and_the_next_one_is_another() -> None:
    trader = Trader().goes_silent().later(600).ticks()
    assert (alert_of(trader).over, alert_of(trader).over_at) == (False, None)
    trader.later(60).hears().ticks()
    assert (alert_of(trader).over, alert_of(trader).over_at) == (True, trader.now)
    trader.later(600).ticks()
    assert overs(trader) == overs(trader, remembers=False) == [True, False]


def test_each_asset_is_silent_for_itself() -> None:
    trader = Trader(assets=("ES", "NQ")).goes_silent().later(600).ticks().turns_to("NQ").hears().ticks()
    assert {alert.asset: over for alert, over in zip(trader.desk.alerts, overs(trader), strict=True)} == {
        "ES": False,
        "NQ": True,
    }


def test_the_bridge_is_back() -> None:
    trader = Trader().hears_bridge().later(60).ticks()
    assert alert_of(trader).over is False
    trader.later(5).hears_bridge().ticks()
    assert alert_of(trader).over_at == trader.now


def test_after_a_restart_it_is_over_without_a_time_that_nobody_knows() -> None:
    trader = Trader().hears_bridge().later(60).ticks().later(5).hears_bridge().ticks()
    assert (alert_of(trader, remembers=False).over, alert_of(trader, remembers=False).over_at) == (True, None)


def test_an_unclaimed_exit_is_over_when_a_bridge_takes_it() -> None:
    trader = Trader().is_long().bricks(8, "red").later(10).ticks()
    assert alert_of(trader).code == "exit_unclaimed"
    assert overs(trader) == overs(trader, remembers=False) == [False]
    trader.later(3).claims()
    assert (alert_of(trader).over, alert_of(trader).over_at) == (True, trader.now)
    assert overs(trader, remembers=False) == [True]


def test_a_refused_exit_is_over_when_the_trade_is() -> None:
    trader = Trader().is_long().bricks(8, "red").claims().rejected()
    assert alert_of(trader).code == "exit_refused"
    assert alert_of(trader).over is False
    trader.later(2).ticks().claims()
    assert overs(trader) == overs(trader, remembers=False) == [False]
    trader.filled_at(5240)
    assert (alert_of(trader).over, alert_of(trader).over_at) == (True, trader.now)
    trader.later(300).is_long()
    assert alert_of(trader, remembers=False).code == "exit_refused"
    assert overs(trader, remembers=False) == [True]


def test_a_disagreement_is_over_when_the_broker_was_followed() -> None:
    trader = Trader().is_long().later(2).broker_says(position=0).later(2).broker_says(position=0)
    assert alert_of(trader).code == "reconcile"
    assert (alert_of(trader).over, alert_of(trader).over_at) == (True, trader.last_alert.at)


def test_a_disagreement_that_cannot_be_booked_lasts_until_they_agree() -> None:
    trader = Trader().broker_says(position=3).later(2).broker_says(position=3)
    assert "no price is known" in trader.last_alert.sentence
    assert overs(trader) == overs(trader, remembers=False) == [False]
    trader.later(2).broker_says(position=0)
    assert alert_of(trader).over_at == trader.now


def test_which_disagreement_an_older_alert_was_of_is_not_guessed() -> None:
    trader = Trader().is_long().later(2).broker_says(position=0).later(2).broker_says(position=0)
    trader.later(5).broker_says(position=3)
    assert overs(trader) == [True]
    assert overs(trader, remembers=False) == [None]


def test_a_warning_of_the_day_is_over_with_the_day() -> None:
    trader = Trader().broker_says(Decimal(50_000)).loses(Decimal(48_900))
    assert set(overs(trader)) == {False}
    told_today = len(trader.alerts)
    trader.at("18:00:00").ticks()
    assert set(overs(trader)[:told_today]) == set(overs(trader, remembers=False)[:told_today]) == {True}


def test_a_daily_stop_that_still_flattens_is_not_over_with_the_day() -> None:
    trader = Trader(at="17:58:00").is_long()
    trader.broker_says(Decimal(50_000), position=5).loses(Decimal(48_900), position=5).claims().rejected()
    stop = [alert.code for alert in trader.desk.alerts].index("daily_stop")
    trader.at("18:00:00").ticks()
    assert overs(trader)[stop] is overs(trader, remembers=False)[stop] is False
    trader.later(5).ticks().claims().filled_at(5240)
    assert overs(trader)[stop] is overs(trader, remembers=False)[stop] is True


def test_limits_that_wait_are_over_with_the_day() -> None:
    trader = Trader().restarts(max_trades_per_day=20)
    assert alert_of(trader).code == "limits_pending"
    assert overs(trader) == overs(trader, remembers=False) == [False]
    trader.at("18:00:00").ticks()
    assert overs(trader)[0] is overs(trader, remembers=False)[0] is True


def test_an_alert_of_the_moment_of_an_end_is_not_ended_by_what_came_before_it() -> None:
    trader = Trader().restarts(max_trades_per_day=20)
    alert = trader.last_alert
    raised, rolled = (trader.now, AlertRaised(alert)), (trader.now, DayRolled(date(2026, 11, 17)))
    assert ends_after(NO_ENDS, trader.desk, [rolled, raised]) == NO_ENDS
    assert ends_after(NO_ENDS, trader.desk, [raised, rolled]) == NO_ENDS  # the looser value still waits
    now_none_waits = trader.at("18:00:00").ticks().desk
    assert ends_after(NO_ENDS, now_none_waits, [raised, rolled]) == {key_of(alert): rolled[0]}


def test_an_unclaimed_exit_of_later_keeps_no_older_alert_alive() -> None:
    trader = Trader().is_long().bricks(8, "red").later(10).ticks().claims().filled_at(5240)
    assert overs(trader, remembers=False)[-1] is True
    trader.later(600).hears().bricks(8, "green").bricks(12, "green").bricks(6, "green").is_long().exits(force=True)
    assert [order.kind for order in trader.desk.orders.values()] == ["EXIT"]
    assert overs(trader, remembers=False)[0] is True


def test_what_happened_and_does_not_last_is_never_over() -> None:
    trader = Trader().with_structure("green").enters("BUY").claims().rejected().later(60).ticks()
    assert alert_of(trader).code == "order_rejected"
    assert (alert_of(trader).over, alert_of(trader).over_at) == (None, None)


# -- who remembers ---------------------------------------------------------------------------------------------------


class Clock:
    """The clock of two processes, moved by hand."""

    def __init__(self, now: Any) -> None:
        self.now = now

    def __call__(self) -> Any:
        return self.now


def shown(manager: StateManager) -> AlertRow:
    document = live_document(manager.snapshot, manager.now)
    return document.alerts[0]


def test_writer_and_standby_tell_the_same_end(tmp_path: Path) -> None:
    clock = Clock(Trader().now)
    writer = StateManager(SqliteStore(tmp_path / "desk"), lambda now: RULES, clock)
    standby = StateManager(SqliteStore(tmp_path / "desk"), lambda now: RULES, clock)
    try:
        writer.submit(HearBridge(ts_connected=True))
        clock.now += timedelta(seconds=60)
        writer.submit(TickClock())
        assert shown(writer).over is False
        eventually(lambda: standby.snapshot.desk.alerts)
        clock.now += timedelta(seconds=4)
        writer.submit(HearBridge(ts_connected=True))
        writer.submit(TickClock())
        assert (shown(writer).over, shown(writer).over_at) == (True, clock.now)
        eventually(lambda: shown(standby).over)
        assert shown(standby) == shown(writer)
    finally:
        standby.stop()
        writer.stop()


def test_what_ended_before_a_take_over_is_told_by_who_took_over(tmp_path: Path) -> None:
    clock = Clock(Trader().now)
    writer = StateManager(SqliteStore(tmp_path / "desk"), lambda now: RULES, clock)
    standby = StateManager(SqliteStore(tmp_path / "desk"), lambda now: RULES, clock)
    writer.submit(HearBridge(ts_connected=True))
    clock.now += timedelta(seconds=60)
    writer.submit(TickClock())
    clock.now += timedelta(seconds=4)
    writer.submit(HearBridge(ts_connected=True))
    writer.submit(TickClock())
    ended_at = clock.now
    try:
        eventually(lambda: standby.snapshot.desk.alerts and shown(standby).over)
        writer.stop()
        clock.now += timedelta(seconds=2)
        eventually(lambda: standby.is_writer)
        assert (shown(standby).over, shown(standby).over_at) == (True, ended_at)
    finally:
        standby.stop()


def test_an_end_that_cannot_be_told_costs_a_word_and_no_exit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise KeyError("a fault of ours")

    trader = StoredTrader(tmp_path / "desk.sqlite", at="09:31:10").is_long(5250).bricks(6, "green")
    monkeypatch.setattr("services.desk.committed.ends_after", fails)
    trader.bricks(8, "red").claims().filled_at(5240)
    assert (trader.asset.trade, [one.reason for one in trader.trades_closed]) == (None, ["structure"])
    trader.stops()
