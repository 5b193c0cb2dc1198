"""The bridge's reports count once, in any order, and never change a final order (SPEC 8.1, 8.3)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.desk.manager import StateManager
from services.engine.model.commands import AnyCommand, CloseBrick, EnterMarket, NotePrice, ReportExecution
from services.engine.model.events import OrderReported
from services.engine.model.replies import OrderTaken, Refusal
from services.stores.sqlite.store import SqliteStore
from tests.support.narrow import known, of_type
from tests.support.trader import Trader
from wire.types import OrderStatus, Stream


def entering() -> Trader:
    return Trader().with_structure("green").enters("BUY").claims()


def test_an_order_goes_from_claimed_to_filled() -> None:
    trader = entering()
    statuses = [trader.open_order.status]
    for status, qty in [("WORKING", None), ("PARTIALLY_FILLED", 2)]:
        trader.reports(status, 5250, qty=qty, exec_id=f"{status}{qty}")
        statuses.append(trader.open_order.status)
    order = trader.order
    trader.reports("FILLED", 5250, qty=3, exec_id="last")
    statuses.append(trader.ended(order).status)
    assert statuses == ["CLAIMED", "WORKING", "PARTIALLY_FILLED", "FILLED"]
    assert trader.replays_equal()


@pytest.mark.parametrize("status", ["WORKING", "FILLED", "REJECTED", "CANCELLED"])
def test_a_repeated_report_changes_nothing(status: str) -> None:
    trader = entering()
    order = trader.order
    trader.reports(status, 5250, order, qty=5, exec_id="e1")
    before = trader.desk
    trader.reports(status, 5250, order, qty=5, exec_id="e1")
    assert trader.is_duplicate
    assert trader.decision.desk == before
    assert trader.events == ()


def test_a_repeated_final_status_without_exec_id_changes_nothing() -> None:
    trader = entering()
    order = trader.order
    trader.reports("FILLED", 5250, order).reports("FILLED", 5260, order)
    assert trader.is_duplicate
    assert (trader.position, trader.trade.entry_price) == (5, Decimal(5250))


def test_an_execution_counts_once() -> None:
    trader = entering()
    for _ in range(3):
        trader.reports("PARTIALLY_FILLED", 5250, qty=2, exec_id="e1")
    assert (trader.position, trader.is_duplicate) == (2, True)


def test_the_same_fill_reported_by_cum_qty_counts_once() -> None:
    trader = entering()
    for exec_id in ("e1", "e2"):
        trader.reports("PARTIALLY_FILLED", 5250, qty=2, cum_qty=2, exec_id=exec_id)
    assert (trader.position, trader.is_duplicate) == (2, True)


@pytest.mark.parametrize("status", ["FILLED", "REJECTED", "CANCELLED"])
def test_a_known_execution_is_a_duplicate_when_the_order_is_final(status: str) -> None:
    trader = entering().reports("PARTIALLY_FILLED", 5250, qty=2, exec_id="e1")
    order = trader.order
    trader.reports("CANCELLED").reports(status, 5250, order, qty=2, exec_id="e1")
    assert trader.is_duplicate
    assert (trader.position, trader.alerts) == (2, [])


def test_a_known_execution_does_not_end_an_open_order() -> None:
    trader = entering().reports("PARTIALLY_FILLED", 5250, qty=2, exec_id="e1")
    trader.reports("FILLED", 5250, qty=2, exec_id="e1")
    assert trader.is_duplicate
    assert trader.order is not None


@pytest.mark.parametrize(
    ("fill", "position"),
    [
        ({}, 5),
        ({"qty": 5}, 5),
        ({"cum_qty": 5}, 5),
        ({"qty": 5, "cum_qty": 5}, 5),
        ({"qty": 3}, 5),
        ({"qty": 3, "cum_qty": 5}, 5),
    ],
)
def test_the_last_report_may_hold_its_own_quantity_or_the_total(fill: dict[str, Any], position: int) -> None:
    trader = entering().reports("PARTIALLY_FILLED", 5250, qty=2, cum_qty=2, exec_id="e1")
    trader.reports("FILLED", 5255, exec_id="e2", **fill)
    assert trader.position == position
    assert trader.trade.entry_price == 5253


def test_filled_may_arrive_before_its_partial_fill() -> None:
    trader = entering()
    order = trader.order
    trader.reports("FILLED", 5250, qty=3, cum_qty=5, exec_id="e2")
    trader.reports("PARTIALLY_FILLED", 5250, order, qty=2, cum_qty=2, exec_id="e1")
    assert trader.is_duplicate
    assert (trader.position, trader.alerts) == (5, [])


def test_working_may_arrive_after_a_fill() -> None:
    trader = entering().reports("PARTIALLY_FILLED", 5250, qty=2, exec_id="e1").reports("WORKING")
    assert trader.is_duplicate
    assert trader.open_order.status == "PARTIALLY_FILLED"
    order = trader.order
    assert trader.reports("FILLED", 5250, qty=3, exec_id="e2").reports("WORKING", order=order).is_duplicate


@pytest.mark.parametrize(
    ("fill", "what"),
    [({"qty": 6}, "at once"), ({"cum_qty": 6}, "by the sum"), ({"qty": 6, "cum_qty": 6}, "by both")],
)
@pytest.mark.parametrize("status", ["PARTIALLY_FILLED", "FILLED"])
def test_more_than_was_ordered_is_refused_with_an_alert(status: str, fill: dict[str, Any], what: str) -> None:
    trader = entering().reports(status, 5250, exec_id="e1", **fill)
    assert trader.refused_by == "report_conflict"
    assert trader.alerts == ["overfill"]
    assert (trader.position, trader.open_order.filled_qty) == (0, 0)
    assert trader.replays_equal()


def test_more_than_what_remained_is_refused() -> None:
    trader = entering().partly_filled(3, 5250).reports("PARTIALLY_FILLED", 5250, qty=3, exec_id="too much")
    assert trader.refused_by == "report_conflict"
    assert trader.position == 3


@pytest.mark.parametrize("final", ["FILLED", "REJECTED", "CANCELLED"])
@pytest.mark.parametrize("other", ["FILLED", "REJECTED", "CANCELLED"])
def test_a_final_status_never_changes(final: str, other: str) -> None:
    trader = entering()
    order = trader.order
    trader.reports(final, 5250, order)
    position = trader.position
    trader.reports(other, 5250, order, exec_id="later")
    if other == final:
        assert trader.is_duplicate
    else:
        assert trader.refused_by == "report_conflict"
        assert trader.alerts[-1] == "report_conflict"
    assert trader.ended(order).status == final
    assert trader.position == position


@pytest.mark.parametrize("status", ["FILLED", "PARTIALLY_FILLED"])
@pytest.mark.parametrize("ends", ["REJECTED", "CANCELLED", "EXPIRED"])
def test_a_fill_after_the_end_raises_a_conflict_alert_and_changes_nothing(ends: str, status: str) -> None:
    trader = Trader().with_structure("green").enters("BUY")
    order = trader.order
    if ends == "EXPIRED":
        trader.later(seconds=30).ticks()
    else:
        trader.reports(ends)
    trader.reports(status, 5250, order, qty=5, exec_id="late")
    assert trader.refused_by == "report_conflict"
    assert trader.alerts[-1] == "report_conflict"
    assert trader.position == 0
    assert trader.replays_equal()


def test_a_fill_in_the_step_in_which_its_entry_expires_is_a_conflict(tmp_path: Path) -> None:
    trader = Trader()
    clock = [trader.now]
    manager = StateManager(SqliteStore(tmp_path / "desk.sqlite"), lambda now: trader.desk.rules, lambda: clock[0])
    bricks = [CloseBrick("ES", stream, "green") for stream in (Stream.MACRO, Stream.HIGH, Stream.MAIN)]
    commands: tuple[AnyCommand, ...] = (NotePrice("ES"), *bricks)
    for command in commands:
        manager.submit(command)
    order = known(of_type(OrderTaken, manager.submit(EnterMarket("ES", "SCALP", "6pt", "BUY")).answer).order)
    clock[0] += timedelta(seconds=30)
    answer = manager.submit(ReportExecution(order.id, OrderStatus.FILLED, Decimal(5250), 5, "late")).answer
    manager.stop()
    assert of_type(Refusal, answer).code == "report_conflict"


def test_a_report_from_before_a_restart_is_still_a_duplicate() -> None:
    trader = entering()
    order = trader.order
    trader.reports("FILLED", 5250, order).restarts().reports("FILLED", 5250, order)
    assert trader.is_duplicate


def test_a_report_on_an_unknown_order_is_refused() -> None:
    trader = Trader().asks(ReportExecution("0" * 32, OrderStatus.FILLED))
    assert trader.refused_by == "unknown_order"
    assert trader.events == ()


@pytest.mark.parametrize(
    ("status", "report"),
    [
        ("FILLED", {"qty": 5}),
        ("FILLED", {}),
        ("PARTIALLY_FILLED", {"qty": 2}),
        ("FILLED", {"price": 5250, "symbol": "MNQZ6"}),
        ("FILLED", {"price": 5250, "side": "SELL"}),
        ("WORKING", {"side": "SELL"}),
    ],
)
def test_an_invalid_report_is_refused_and_changes_nothing(status: str, report: dict[str, Any]) -> None:
    trader = entering()
    before = trader.desk
    trader.reports(status, **report)
    assert trader.refused_by == "report_invalid"
    assert trader.decision.desk == before


@pytest.mark.parametrize("report", [{"qty": 0}, {"cum_qty": 0}])
def test_filled_without_a_fill_is_refused(report: dict[str, Any]) -> None:
    trader = entering().reports("FILLED", 5250, **report)
    assert trader.refused_by == "report_invalid"


def test_the_journal_holds_what_a_report_filled() -> None:
    trader = entering().partly_filled(2, "5250.25")
    (report,) = trader.told(OrderReported)
    assert (report.qty, str(report.price), report.status) == (2, "5250.25", "PARTIALLY_FILLED")


def test_an_order_keeps_its_filled_quantity_and_price() -> None:
    trader = entering().partly_filled(2, 5250)
    order = trader.order
    trader.partly_filled(3, 5252)
    ended = trader.ended(order)
    assert (ended.filled_qty, ended.remaining, ended.filled_notional) == (5, 0, Decimal(2 * 5250 + 3 * 5252))
    assert len(ended.exec_ids) == 2


def test_an_exit_filled_in_parts_closes_with_the_last_contract() -> None:
    trader = Trader().is_long().bricks(6, "green").exits()
    trader.partly_filled(4, 5251)
    assert (trader.position, len(trader.trades)) == (1, 0)
    trader.partly_filled(1, 5251)
    assert (trader.position, trader.order, len(trader.trades)) == (0, None, 1)
    assert trader.gate_for("BUY") == "cooldown"


def test_an_order_is_filled_with_its_last_contract_whatever_the_reports_status() -> None:
    trader = entering().partly_filled(2, 5250)
    order = trader.order
    trader.partly_filled(3, 5250)
    assert trader.ended(order).status == "FILLED"
    trader.reports("FILLED", order=order)
    assert (trader.is_duplicate, trader.position) == (True, 5)


def test_a_short_trade_mirrors_a_long_one() -> None:
    trader = Trader().is_short(5250)
    assert trader.position == -5
    trader.bricks(6, "red").exits()
    assert (trader.open_order.side, trader.open_order.qty) == ("BUY", 5)
    assert trader.partly_filled(2, 5249).position == -3
