"""The bridge's reports count once, in any order, and never change a final order (SPEC 8.1, 8.3)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.desk.manager import StateManager
from services.engine.model.bridge_commands import ReportExecution
from services.engine.model.commands import AnyCommand, CloseBrick, EnterMarket, NotePrice
from services.engine.model.events import OrderReported
from services.engine.model.replies import LateFillTaken, OrderTaken
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


def test_a_final_status_wins_over_a_repeated_execution() -> None:
    trader = entering().reports("PARTIALLY_FILLED", 5250, qty=2, exec_id="e1")
    order = trader.order
    trader.reports("FILLED", 5250, qty=2, exec_id="e1")
    assert (trader.position, trader.order) == (2, None)
    assert trader.ended(order).status == "FILLED"
    assert trader.replays_equal()


@pytest.mark.parametrize("fill", [{"qty": 3, "cum_qty": 5}, {"cum_qty": 5}, {"qty": 5}, {}])
def test_what_the_last_report_says_of_the_whole_order_wins_over_a_repeated_execution(fill: dict[str, Any]) -> None:
    trader = entering().reports("PARTIALLY_FILLED", 5250, qty=2, exec_id="e1")
    trader.reports("FILLED", 5255, exec_id="e1", **fill)
    assert (trader.position, trader.order) == (5, None)
    assert trader.trade.entry_price == 5253


def test_cum_qty_wins_over_a_repeated_execution_of_a_partial_fill() -> None:
    trader = entering().reports("PARTIALLY_FILLED", 5250, qty=2, cum_qty=2, exec_id="e1")
    trader.reports("PARTIALLY_FILLED", 5250, qty=2, cum_qty=4, exec_id="e1")
    assert (trader.position, trader.open_order.status) == (4, "PARTIALLY_FILLED")


@pytest.mark.parametrize("status", ["REJECTED", "CANCELLED"])
def test_the_end_of_the_rest_wins_over_a_repeated_execution(status: str) -> None:
    trader = entering().reports("PARTIALLY_FILLED", 5250, qty=2, exec_id="e1")
    trader.reports(status, 5250, exec_id="e1", cum_qty=3)
    assert (trader.position, trader.order) == (3, None)


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
    elif other == "FILLED":  # its fill counts, its status does not
        assert (trader.alerts[-1], trader.position) == ("late_fill", position + 5)
        position = trader.position
    else:
        assert trader.refused_by == "report_conflict"
        assert trader.alerts[-1] == "report_conflict"
    assert trader.ended(order).status == final
    assert trader.position == position


def test_what_only_contradicts_is_refused_with_one_alert_that_counts() -> None:
    trader = entering()
    order = trader.order
    trader.reports("FILLED", 5250, order, qty=5, exec_id="e1")
    for _ in range(3):
        trader.reports("REJECTED", order=order)
        assert trader.refused_by == "report_conflict"
    assert trader.alerts == ["report_conflict"]
    assert "3 times" in trader.last_alert.sentence
    assert (trader.position, known(trader.asset.doubt).code) == (5, "contradicted")
    assert trader.replays_equal()


def test_a_fill_in_the_step_in_which_its_entry_expires_is_late(tmp_path: Path) -> None:
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
    assert isinstance(answer, LateFillTaken)


def test_a_report_from_before_a_restart_is_still_a_duplicate() -> None:
    trader = entering()
    order = trader.order
    trader.reports("FILLED", 5250, order).restarts().reports("FILLED", 5250, order)
    assert trader.is_duplicate


def test_a_report_on_an_unknown_order_is_refused() -> None:
    trader = Trader().asks(ReportExecution("0" * 32, OrderStatus.FILLED))
    assert trader.refused_by == "unknown_order"
    trader.asks(ReportExecution("0" * 32, OrderStatus.FILLED))
    assert (trader.alerts, trader.position) == (["report_refused"], 0)


@pytest.mark.parametrize("report", [{"qty": 0}, {"cum_qty": 0}])
def test_filled_without_a_fill_is_refused_with_an_alert(report: dict[str, Any]) -> None:
    trader = entering().reports("FILLED", 5250, **report)
    assert trader.refused_by == "report_invalid"
    assert (trader.alerts, trader.position) == (["report_refused"], 0)


# -- names ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ({"symbol": "MNQZ6"}, "wrong_symbol"),
        ({"symbol": "MESH7"}, "wrong_symbol"),
        ({"symbol": "?"}, "wrong_symbol"),
        ({"side": "SELL"}, "wrong_side"),
    ],
)
def test_a_report_that_names_another_contract_or_side_is_booked_and_doubted(named: dict[str, Any], code: str) -> None:
    trader = entering().reports("FILLED", 5250, qty=5, exec_id="e1", **named)
    assert trader.position == 5
    assert (trader.alerts, trader.last_alert.level) == ([code], "critical")
    assert known(trader.asset.doubt).code == code
    trader.later(3).broker_says(position=5)
    assert trader.asset.doubt is None
    assert trader.replays_equal()


def test_a_repeated_report_that_names_another_contract_raises_no_second_alert() -> None:
    trader = entering()
    for _ in range(2):
        trader.reports("PARTIALLY_FILLED", 5250, qty=2, exec_id="e1", symbol="MNQZ6")
    assert (trader.position, trader.alerts) == (2, ["wrong_symbol"])


def test_the_commission_of_the_fills_is_kept() -> None:
    trader = entering()
    order = trader.order
    trader.reports("PARTIALLY_FILLED", 5250, qty=2, exec_id="e1", commission=Decimal("1.24"))
    trader.reports("FILLED", 5250, order, qty=3, exec_id="e2", commission=Decimal("1.86"))
    assert (trader.ended(order).commission, trader.trade.costs) == (Decimal("3.10"), Decimal("3.10"))


# -- prices ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("price", [None, 0, -1])
@pytest.mark.parametrize("status", ["FILLED", "PARTIALLY_FILLED", "CANCELLED", "REJECTED"])
def test_a_fill_without_a_price_counts_at_the_last_price_until_the_brokers_average_is_heard(
    status: str, price: int | None
) -> None:
    trader = Trader().hears(5251).with_structure("green").enters("BUY").claims()
    trader.reports(status, price, cum_qty=5, exec_id="e1")
    assert (trader.position, trader.trade.entry_price, trader.trade.estimated) == (5, Decimal(5251), True)
    assert (trader.alerts[0], known(trader.asset.doubt).code) == ("fill_without_price", "unpriced_fill")
    trader.later(3).broker_says(position=5, avg_price=Decimal("5250.25"))
    assert (trader.trade.entry_price, trader.trade.estimated) == (Decimal("5250.25"), False)
    assert trader.asset.doubt is None
    assert trader.replays_equal()


def test_crude_oil_may_fill_below_zero() -> None:
    trader = Trader(assets=("CL",)).hears(-37).with_structure("green").enters("BUY").claims()
    trader.reports("FILLED", "-37.63", cum_qty=5, exec_id="e1")
    assert (trader.trade.entry_price, trader.trade.estimated) == (Decimal("-37.63"), False)


def test_an_exit_without_a_price_closes_at_the_last_price_and_says_so() -> None:
    trader = Trader().hears(5250).is_long(5250).bricks(6, "green").hears(5254).exits().claims()
    trader.reports("FILLED", 0, qty=5, exec_id="x1")
    (closed,) = trader.trades
    assert (closed.exit_price, closed.estimated) == (Decimal(5254), True)


@pytest.mark.parametrize("avg_price", [0, -1, None])
def test_an_average_of_zero_corrects_nothing(avg_price: int | None) -> None:
    trader = Trader().hears(5251).with_structure("green").enters("BUY").claims().reports("FILLED", qty=5, exec_id="e1")
    trader.later(3).broker_says(position=5, avg_price=avg_price)
    assert (trader.trade.entry_price, trader.trade.estimated) == (Decimal(5251), True)


@pytest.mark.parametrize(("status", "fill"), [("FILLED", {"qty": 5}), ("FILLED", {}), ("PARTIALLY_FILLED", {"qty": 2})])
def test_without_any_price_the_brokers_position_books_the_fill(status: str, fill: dict[str, Any]) -> None:
    trader = entering().reports(status, **fill)
    assert trader.refused_by == "report_invalid"
    assert (trader.alerts, trader.position) == (["fill_without_price"], 0)
    assert known(trader.asset.doubt).code == "unpriced_fill"
    trader.later(60).ticks()
    for _ in range(3):
        trader.later(2).broker_says(position=5, avg_price=5250)
    assert (trader.position, trader.trade.entry_price) == (5, Decimal(5250))


# -- what the journal and the order keep ----------------------------------------------------------------------


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
