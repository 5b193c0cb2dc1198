"""What is told a thousand times stands once in the list of alerts, and pushes nothing out of it (SPEC 8.3)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.engine.model.alert import Alert
from services.engine.model.bridge_commands import ReportExecution
from services.engine.model.state import ALERTS_KEPT
from services.engine.rules.alert_list import STORM, within
from tests.support.narrow import known
from tests.support.trader import Trader
from wire.types import OrderStatus


def an_entry_at_a_bridge() -> Trader:
    return Trader().with_structure("green").hears(5250).enters("BUY").claims()


# -- storms ---------------------------------------------------------------------------------------------------------


def test_a_thousand_conflicting_reports_are_one_alert_with_a_count() -> None:
    trader = an_entry_at_a_bridge()
    order = trader.open_order
    trader.reports("FILLED", 5250, order, qty=5, exec_id="e1")
    for number in range(1000):
        trader.reports(("CANCELLED", "REJECTED")[number % 2], order=order)
    assert trader.alerts == ["report_conflict"]
    facts = {"order_id": order.id, "status": "FILLED", "reported": "REJECTED", "count": 1000}
    assert trader.last_alert.facts == facts
    assert trader.replays_equal()


def test_reports_of_a_thousand_unknown_orders_push_nothing_out() -> None:
    """A bridge with another desk's ledger reports what this one never ordered."""
    trader = an_entry_at_a_bridge().later(16).ticks()
    assert trader.alerts == ["order_unreported"]
    for number in range(1000):
        trader.asks(ReportExecution(f"order-{number}", OrderStatus.CANCELLED))
    assert trader.alerts == ["order_unreported", *["report_refused"] * STORM]
    last = trader.last_alert.facts
    assert isinstance(last, dict)
    assert (last["order_id"], last["count"]) == ("order-999", 1000 - STORM + 1)
    assert trader.replays_equal()


def listed(trader: Trader, *codes: str) -> list[str]:
    """Return the codes that stay when alerts of these codes are raised, one after the other."""
    alerts = trader.desk.alerts
    for number, code in enumerate(codes):
        at = trader.now + timedelta(seconds=number)
        alerts = within(ALERTS_KEPT, (*alerts, Alert(at, code, "critical", code)), trader.desk)
    return [alert.code for alert in alerts]


def test_what_lasts_and_what_is_rare_stays_in_the_list() -> None:
    trader = an_entry_at_a_bridge().later(16).ticks()
    kept = listed(trader, "overfill", *["order_rejected"] * 100, "late_fill", *["order_rejected"] * 100)
    assert len(kept) == ALERTS_KEPT
    assert [code for code in kept if code != "order_rejected"] == ["order_unreported", "overfill", "late_fill"]


def test_what_is_over_goes_first() -> None:
    trader = an_entry_at_a_bridge().later(16).ticks().reports("WORKING")
    kept = listed(trader, *["order_rejected"] * ALERTS_KEPT)
    assert kept == ["order_rejected"] * ALERTS_KEPT


def test_the_newest_alert_is_listed_whatever_else_lasts() -> None:
    trader = an_entry_at_a_bridge().later(16).ticks()
    lasting = trader.desk.alerts[0]
    alerts = within(ALERTS_KEPT, (*[lasting] * ALERTS_KEPT, Alert(trader.now, "overfill", "critical", "")), trader.desk)
    assert (len(alerts), alerts[-1].code) == (ALERTS_KEPT, "overfill")


# -- parts that nothing names ------------------------------------------------------------------------------------------


def test_a_part_that_nothing_names_counts_once_when_it_is_sent_again() -> None:
    """The bridge's answer was lost, so its outbox sends the report again."""
    trader = an_entry_at_a_bridge().reports("PARTIALLY_FILLED", 5250, qty=2)
    trader.later(12).reports("PARTIALLY_FILLED", 5250, qty=2)
    assert (trader.position, trader.is_duplicate) == (2, True)
    assert trader.alerts == ["report_repeated"]
    assert known(trader.asset.doubt).code == "repeated_fill"
    trader.later(1).reports("PARTIALLY_FILLED", 5250, qty=2)
    assert (trader.position, trader.alerts) == (2, ["report_repeated"])
    assert trader.replays_equal()


@pytest.mark.parametrize(
    ("seconds", "price", "more"),
    [
        (15, 5250, {"qty": 2}),
        (1, 5250.25, {"qty": 2}),
        (1, 5250, {"qty": 1}),
        (1, 5250, {"qty": 2, "exec_id": "e2"}),
        (1, 5250, {"qty": 2, "cum_qty": 4}),
    ],
    ids=["later than a bridge repeats", "another price", "another size", "named", "cumulative"],
)
def test_what_differs_is_another_part(seconds: float, price: float, more: dict[str, Any]) -> None:
    trader = an_entry_at_a_bridge().reports("PARTIALLY_FILLED", 5250, qty=2)
    trader.later(seconds).reports("PARTIALLY_FILLED", price, **more)
    assert trader.position in (3, 4)
    assert trader.alerts == []


def test_two_equal_parts_that_were_two_are_found_by_the_brokers_position() -> None:
    trader = an_entry_at_a_bridge()
    for _ in range(2):
        trader.later(1).reports("PARTIALLY_FILLED", 5250, qty=2)
    trader.reports("CANCELLED").later(3)
    assert (trader.position, known(trader.asset.doubt).code) == (2, "repeated_fill")
    trader.broker_says(position=4).later(2).broker_says(position=4)
    assert (trader.position, trader.asset.doubt) == (4, None)
    assert trader.replays_equal()


# -- a final status without a quantity ------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [{"qty": 0}, {"qty": 0, "cum_qty": 0}, {"qty": 0, "cum_qty": 2}])
def test_filled_with_no_quantity_ends_a_part_filled_order_with_what_was_filled(more: dict[str, int]) -> None:
    trader = an_entry_at_a_bridge()
    order = trader.open_order
    trader.reports("PARTIALLY_FILLED", 5250, order, qty=2, exec_id="e1").later(1).reports("FILLED", None, order, **more)
    ended = trader.ended(order)
    assert (ended.status, ended.filled_qty, trader.position) == (OrderStatus.FILLED, 2, 2)
    assert trader.order is None
    assert trader.trade.entry_price == Decimal(5250)
    trader.later(1).reports("FILLED", None, order, **more)
    assert (trader.is_duplicate, trader.position) == (True, 2)
    assert trader.replays_equal()


def test_filled_with_no_quantity_and_no_part_before_says_nothing() -> None:
    trader = an_entry_at_a_bridge().reports("FILLED", 5250, qty=0)
    assert (trader.refused_by, trader.position, trader.alerts) == ("report_invalid", 0, ["report_refused"])
    assert trader.open_order.status is OrderStatus.CLAIMED
