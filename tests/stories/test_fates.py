"""Every order ends: by a report, by the broker's positions, or by the operator (SPEC 7.2, 8.1, 8.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from services.engine.model.bridge_commands import BrokerPosition, ResolveOrder, TakeSnapshot
from services.engine.model.events import PositionDisagreed
from services.engine.model.proof_events import CancelAsked, OrderFateSettled, OrderFateUnknown
from tests.support.narrow import known
from tests.support.trader import Trader
from wire.types import OrderStatus


def trader_with_silent_entry(**settings: Any) -> Trader:
    """Return a trader whose entry of 5 a bridge has claimed and never reports on."""
    return Trader(**settings).hears(5250).with_structure("green").enters("BUY").claims()


def trader_with_lost_entry(**settings: Any) -> Trader:
    return trader_with_silent_entry(**settings).later(60).ticks()


def snapshots(trader: Trader, count: int, **broker: Any) -> Trader:
    """Take snapshots 2 s apart in which the broker says the same of the current asset."""
    for _ in range(count):
        trader.later(2).broker_says(**broker)
    return trader


# -- silence --------------------------------------------------------------------------------------------------


def test_a_claimed_order_without_a_report_raises_an_alert_after_15_s() -> None:
    trader = trader_with_silent_entry()
    assert trader.later(14).ticks().alerts == []
    assert trader.later(1).ticks().later(20).ticks().alerts == ["order_unreported"]


def test_a_report_in_time_raises_none() -> None:
    trader = trader_with_silent_entry().reports("WORKING")
    assert trader.later(30).ticks().alerts == []


def test_after_60_s_its_fate_is_unknown_and_the_gate_says_so() -> None:
    trader = trader_with_silent_entry()
    assert trader.later(59).ticks().open_order.fate_unknown_at is None
    trader.later(1).ticks()
    assert trader.open_order.fate_unknown_at == trader.now
    assert len(trader.told(OrderFateUnknown)) == 1
    trader.bricks(6, "green").scales_in()
    assert trader.alerts == ["order_unreported", "order_fate_unknown"]


@pytest.mark.parametrize("status", ["WORKING", "PARTIALLY_FILLED"])
def test_an_order_that_only_works_is_lost_60_s_after_its_last_report(status: str) -> None:
    trader = trader_with_silent_entry().later(50)
    trader.reports("WORKING") if status == "WORKING" else trader.partly_filled(2, 5250)
    assert trader.later(59).ticks().open_order.fate_unknown_at is None
    assert trader.later(1).ticks().open_order.fate_unknown_at is not None


def test_a_late_report_is_believed_and_the_fate_is_known_again() -> None:
    trader = trader_with_lost_entry().filled_at(5250.25)
    assert (trader.position, trader.order) == (5, None)
    assert trader.replays_equal()


def test_the_fate_survives_a_restart() -> None:
    trader = trader_with_lost_entry().restarts()
    assert trader.open_order.fate_unknown_at is not None


# -- the broker's word ----------------------------------------------------------------------------------------


def test_three_snapshots_that_show_the_position_fill_the_order_at_the_brokers_average() -> None:
    trader = snapshots(trader_with_lost_entry(), 2, position=5, avg_price=5250.25)
    assert trader.order is not None
    snapshots(trader, 1, position=5, avg_price=5250.25)
    assert (trader.position, trader.trade.entry_price) == (5, Decimal("5250.25"))
    assert trader.desk.orders == {}
    assert trader.told(OrderFateSettled)[-1].by == "broker"
    assert trader.desk.day.trades_taken == 1
    assert trader.replays_equal()


def test_three_snapshots_that_show_a_part_fill_that_part_and_cancel_the_rest() -> None:
    trader = trader_with_lost_entry()
    order = trader.order
    snapshots(trader, 3, position=2, avg_price=Decimal(5250))
    assert trader.position == 2
    assert trader.ended(order).status is OrderStatus.CANCELLED
    assert trader.ended(order).filled_qty == 2


def test_three_snapshots_without_the_position_expire_an_entry_and_give_its_token_back() -> None:
    trader = trader_with_lost_entry()
    order = trader.order
    snapshots(trader, 3, position=0)
    assert trader.ended(order).status is OrderStatus.EXPIRED
    assert trader.ended(order).reason == "never seen at the broker"
    assert trader.asset.tempo.ready


def test_a_position_that_the_order_cannot_explain_is_followed() -> None:
    trader = trader_with_lost_entry()
    order = trader.order
    snapshots(trader, 3, position=-3, avg_price=Decimal(5250))
    assert trader.ended(order).status is OrderStatus.CANCELLED
    snapshots(trader, 2, position=-3, avg_price=Decimal(5250))
    assert trader.position == -3


def test_snapshots_from_before_its_fate_was_unknown_do_not_count() -> None:
    trader = snapshots(trader_with_silent_entry().later(50), 4, position=5, avg_price=Decimal(5250))
    trader.later(4).ticks()
    assert snapshots(trader, 2, position=5, avg_price=Decimal(5250)).order is not None
    assert snapshots(trader, 1, position=5, avg_price=Decimal(5250)).position == 5


@pytest.mark.parametrize("positions", [(5, 0, 5), (0, 5, 5)])
def test_snapshots_that_disagree_decide_nothing(positions: tuple[int, ...]) -> None:
    trader = trader_with_lost_entry()
    for position in positions:
        snapshots(trader, 1, position=position, avg_price=Decimal(5250))
    assert trader.order is not None


def test_a_snapshot_without_positions_decides_nothing() -> None:
    trader = trader_with_lost_entry()
    for _ in range(5):
        trader.later(2).asks(TakeSnapshot(tells_positions=False, as_of=trader.now))
    assert trader.order is not None


def test_an_exit_that_was_never_executed_is_handed_out_again() -> None:
    trader = Trader().is_long(5250).bricks(6, "green").exits().claims(has_ledger=False)
    assert trader.claims(has_ledger=False).handed_over == ()  # once: it may be on its way to the broker
    snapshots(trader.later(60).ticks(), 3)
    (handover,) = trader.claims(has_ledger=False).handed_over
    assert handover.redelivered
    assert trader.open_order.fate_unknown_at is None
    trader.filled_at(5251)
    assert (trader.position, trader.order) == (0, None)
    assert trader.replays_equal()


@pytest.mark.parametrize("source", ["exit_all", "manual"])
def test_the_rest_of_an_exit_that_has_filled_in_part_is_not_handed_out_again(source: str) -> None:
    trader = Trader().is_long(5250).bricks(6, "green")
    trader.exits() if source == "manual" else trader.exits_all()
    first = trader.claims().order
    trader.partly_filled(2, 5251).later(60).ticks()
    snapshots(trader, 3, position=3)
    assert (trader.ended(first).status, trader.ended(first).filled_qty) == (OrderStatus.CANCELLED, 2)
    assert trader.exit_source == (None if source == "manual" else "exit_all")
    assert all(handover.order.id != known(first).id for handover in trader.claims().handed_over)
    assert trader.replays_equal()


def test_an_exit_whose_position_is_gone_is_filled_at_the_brokers_last_fill() -> None:
    trader = Trader().is_long(5250).bricks(6, "green").exits().claims()
    snapshots(trader.later(60).ticks(), 3, position=0, last_fill_price=5252)
    assert (trader.position, trader.order) == (0, None)
    assert trader.trades[-1].exit_price == 5252


def test_no_entry_passes_while_the_fate_is_unknown_and_two_minutes_after_it_ended_so() -> None:
    trader = trader_with_lost_entry()
    snapshots(trader, 3, position=0)
    assert trader.gate_for("BUY") == "reconcile"
    assert trader.later(119).ticks().gate_for("BUY", override=True) == "reconcile"
    assert trader.later(1).ticks().asset.doubt is None


def test_an_order_is_settled_although_broker_and_desk_disagree_already() -> None:
    trader = snapshots(Trader().is_long(5250).later(3), 1, position=2)
    assert trader.asset.disagreement is not None
    trader.exits(force=True).claims()
    snapshots(trader.later(60).ticks(), 4, position=0, last_fill_price=5251)
    assert (trader.position, trader.order) == (0, None)
    assert len(trader.told(PositionDisagreed)) == 2
    assert trader.replays_equal()


def test_the_position_settles_no_entry_while_the_exit_beside_it_may_still_be_reported() -> None:
    trader = trader_with_silent_entry().partly_filled(2, 5250)
    entry = known(trader.desk.open_entry("ES"))
    trader.later(5).exits(force=True).claims()
    trader.later(55).ticks().broker_says(position=2)  # 2 more of the entry and the exit have filled, nobody told it
    snapshots(trader, 2, position=2)
    assert {order.fate_unknown_at is None for order in trader.desk.orders.values()} == {True, False}
    assert entry.id in trader.desk.orders
    snapshots(trader.later(1).ticks(), 4, position=2)
    assert trader.ended(entry).status is OrderStatus.CANCELLED
    assert (trader.position, trader.desk.orders) == (2, {})
    assert trader.replays_equal()


def test_a_snapshot_that_no_fill_has_explained_counts_when_the_order_has_ended() -> None:
    trader = trader_with_silent_entry().later(3).broker_says(position=5)
    assert trader.asset.disagreement is None
    trader.reports("CANCELLED")
    assert trader.order is None
    assert trader.gate_for("BUY") == "reconcile"
    assert trader.later(2).broker_says(position=0).gate_for("BUY") is None


def omits_it(trader: Trader, seconds: float = 2) -> Trader:
    """Take a snapshot whose list does not name the current asset's contract."""
    return trader.later(seconds).asks(TakeSnapshot(tells_positions=True, as_of=trader.now))


def test_one_snapshot_that_leaves_the_contract_out_does_not_end_a_disagreement() -> None:
    trader = snapshots(Trader().hears(5250).with_structure("green"), 1, position=5)
    assert omits_it(trader).gate_for("BUY") == "reconcile"
    assert omits_it(trader).gate_for("BUY") == "reconcile"
    assert omits_it(trader).asset.disagreement is None
    assert trader.replays_equal()


def test_nor_does_it_take_back_what_was_listed_while_the_order_was_on_its_way() -> None:
    trader = omits_it(trader_with_silent_entry().later(3).broker_says(position=5), 1).reports("REJECTED")
    assert trader.gate_for("BUY") == "reconcile"
    assert omits_it(trader).gate_for("BUY") == "reconcile"
    assert known(trader.asset.disagreement).broker_position == 5
    assert omits_it(trader).gate_for("BUY") == "reconcile"
    assert omits_it(trader).gate_for("BUY") is None
    assert (trader.position, trader.replays_equal()) == (0, True)


def test_readings_around_one_that_leaves_it_out_are_no_two_in_a_row() -> None:
    trader = trader_with_silent_entry().touches_level().later(6).ticks().broker_says(position=5)
    trader = omits_it(trader).later(2).broker_says(position=5)
    assert (trader.position, trader.told(OrderFateSettled)) == (0, [])
    trader.later(2).broker_says(position=5)
    assert (trader.position, len(trader.told(OrderFateSettled))) == (5, 1)


def test_what_was_listed_before_the_order_was_filled_says_nothing_after_it() -> None:
    trader = trader_with_silent_entry().later(3).broker_says(position=3).reports("FILLED", 5250, qty=5)
    assert omits_it(trader, 3).asset.disagreement is not None  # by this reading, not by the one before
    assert known(trader.asset.disagreement).broker_position == 0
    assert trader.later(2).broker_says().asset.disagreement is None


def test_nor_does_it_end_a_doubt() -> None:
    trader = snapshots(resolve(trader_with_lost_entry(), "not_filled"), 1, position=5)
    assert omits_it(trader).asset.doubt is not None
    assert omits_it(omits_it(trader)).asset.doubt is None


@pytest.mark.parametrize("position", [-5, 10])
def test_three_snapshots_that_contradict_a_lost_entry_are_proof_of_what_the_broker_holds(position: int) -> None:
    trader = snapshots(trader_with_lost_entry(), 2, position=position)
    assert (trader.position, trader.open_order.status) == (0, OrderStatus.CLAIMED)
    trader = snapshots(trader, 1, position=position)
    assert (trader.position, trader.desk.orders) == (position, {})
    assert trader.gate_for("BUY") is not None


# -- the operator's word --------------------------------------------------------------------------------------


def resolve(trader: Trader, outcome: Any, **more: Any) -> Trader:
    return trader.asks(ResolveOrder(trader.open_order.id, outcome, "the platform shows it", **more))


def test_the_operator_resolves_a_fill_and_reconcile_stays_closed_until_a_snapshot_agrees() -> None:
    trader = trader_with_lost_entry()
    resolve(trader, "filled", price=Decimal(5250))
    assert (trader.position, trader.order) == (5, None)
    assert known(trader.asset.doubt).code == "resolved"
    assert trader.later(600).ticks().asset.doubt is not None
    assert trader.broker_says(position=5).asset.doubt is None
    assert trader.replays_equal()


def test_the_operator_resolves_that_nothing_was_filled() -> None:
    trader = trader_with_lost_entry()
    order = trader.order
    resolve(trader, "not_filled")
    assert trader.ended(order).status is OrderStatus.CANCELLED
    assert trader.gate_for("BUY") == "reconcile"


def test_an_order_whose_fate_is_not_unknown_is_not_resolved_by_hand() -> None:
    trader = trader_with_silent_entry()
    assert resolve(trader, "not_filled").refused_by == "fate_known"
    assert trader.order is not None


@pytest.mark.parametrize("qty", [0, 6, -1])
def test_more_than_the_rest_of_the_order_is_not_resolved(qty: int) -> None:
    trader = trader_with_lost_entry()
    assert resolve(trader, "filled", qty=qty, price=Decimal(5250)).refused_by == "report_invalid"
    assert trader.position == 0


# -- an exit waits for nobody ---------------------------------------------------------------------------------


def test_a_forced_exit_waits_five_seconds_for_a_claimed_entry_then_its_rest_is_asked_back() -> None:
    trader = trader_with_silent_entry().partly_filled(2, 5250)
    trader.later(1).exits(force=True)
    assert trader.exit_source is None
    trader.later(4).ticks()
    leaving = known(trader.desk.open_exit("ES"))
    assert (leaving.qty, leaving.source, leaving.position) == (2, "manual", 2)
    assert [event.order_id for event in trader.told(CancelAsked)] == [known(trader.desk.open_entry("ES")).id]
    assert trader.replays_equal()


def test_what_still_fills_of_that_entry_is_taken_out_too() -> None:
    trader = trader_with_silent_entry().partly_filled(2, 5250)
    trader.later(5).exits_all(force=True)
    entry, leaving = trader.desk.open_entry("ES"), trader.desk.open_exit("ES")
    trader.reports("FILLED", 5250, leaving, qty=2, exec_id="out")
    assert trader.position == 0
    trader.reports("FILLED", 5251, entry, cum_qty=5, exec_id="late")
    assert (trader.position, known(trader.desk.open_exit("ES")).qty) == (3, 3)
    assert trader.replays_equal()


def test_each_trade_of_an_entry_that_fills_in_two_has_its_own_id() -> None:
    trader = trader_with_silent_entry().partly_filled(2, 5250)
    trader.later(5).exits_all(force=True)
    entry = trader.desk.open_entry("ES")
    trader.reports("FILLED", 5250, trader.desk.open_exit("ES"), qty=2, exec_id="out")
    trader.reports("FILLED", 5251, entry, cum_qty=5, exec_id="late").claims()
    trader.reports("FILLED", 5252, trader.desk.open_exit("ES"), qty=3, exec_id="out too")
    assert [trade.size for trade in trader.trades] == [2, 3]
    assert trader.trades[0].id != trader.trades[1].id
    assert trader.replays_equal()


def test_a_scale_in_that_fills_after_its_trade_has_closed_is_taken_out_too() -> None:
    trader = Trader().is_long(5250).bricks(6, "green").hears(5250).scales_in().claims()
    scale_in = trader.desk.open_entry("ES")
    trader.later(5).exits(force=True).claims()
    trader.reports("FILLED", 5251, trader.desk.open_exit("ES"), qty=5, exec_id="out")
    assert trader.position == 0
    trader.reports("FILLED", 5251, scale_in, exec_id="late")
    assert (trader.position, known(trader.desk.open_exit("ES")).qty) == (known(scale_in).qty, known(scale_in).qty)
    assert trader.replays_equal()


def test_an_unreported_entry_that_the_broker_shows_is_booked_and_taken_out_by_the_daily_stop() -> None:
    trader = trader_with_silent_entry().broker_says(balance=50_000)
    trader.later(5).broker_says(balance=48_900, position=5, avg_price=Decimal(5250))
    snapshots(trader, 2, balance=48_900, position=5, avg_price=Decimal(5250))
    assert (trader.position, known(trader.desk.open_exit("ES")).qty) == (5, 5)


def test_an_automatic_exit_waits_for_the_next_snapshot_when_the_newest_shows_the_broker_flat() -> None:
    trader = Trader().is_long(5250).later(3).broker_says(position=0).bricks(8, "red")
    assert trader.order is None
    trader.later(2).broker_says(position=0, last_fill_price=5235)
    assert (trader.position, trader.order, trader.asset.due_exit) == (0, None, None)


def test_it_waits_no_longer_than_five_seconds() -> None:
    trader = Trader().is_long(5250).later(3).broker_says(position=0).bricks(8, "red").later(6).ticks()
    assert trader.exit_source == "structure"


def test_an_unclaimed_exit_is_taken_back_when_the_broker_is_flat() -> None:
    trader = Trader().is_long(5250).bricks(6, "green").exits()
    order = trader.order
    snapshots(trader, 2, position=0, last_fill_price=5235)
    assert trader.ended(order).reason == "flat at the broker"
    assert (trader.position, trader.desk.orders) == (0, {})


def test_an_unclaimed_exit_is_cut_to_what_the_broker_holds() -> None:
    trader = Trader().is_long(5250).bricks(6, "green").exits()
    snapshots(trader, 2, position=2)
    assert (trader.position, trader.open_order.qty) == (2, 2)


# -- who may claim again --------------------------------------------------------------------------------------


def test_an_expired_entry_is_never_handed_out_again() -> None:
    trader = trader_with_silent_entry()
    assert trader.later(29).claims().handed_over[0].redelivered
    assert trader.later(1).claims().handed_over == ()


def test_another_process_gets_no_exit_whose_contract_the_broker_shows_flat() -> None:
    trader = Trader().is_long(5250).bricks(6, "green").later(60).exits().claims("alpha")
    trader.later(59).broker_says(position=0).later(1)
    assert trader.claims("beta").handed_over == ()
    positions = (BrokerPosition("MESZ6", 5),)
    assert trader.asks(TakeSnapshot(positions=positions, as_of=trader.now)).claims("beta").handed_over != ()
