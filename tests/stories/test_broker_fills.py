"""What was executed at the broker is booked once, at its true price and for its true reason (SPEC 8.3)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from services.engine.model.bridge_commands import BookFills, Execution, HearBridge
from services.engine.model.events import FillBooked
from services.engine.model.replies import FillsTaken, OrderTaken
from tests.support.narrow import known
from tests.support.trader import Trader
from wire.types import Env


def fill(trader: Trader, **more: Any) -> Execution:
    """Return the fill of the current asset's stop: 5 sold at 5235, unless ``more`` says otherwise."""
    facts: dict[str, Any] = {"exec_id": "s1", "side": "SELL", "qty": 5, "price": Decimal(5235), "kind": "STOP"}
    asset = {"at": trader.now, "symbol": trader.asset.contract.symbol, "asset": trader.asset.symbol}
    return Execution(**{**asset, **facts, **more})


def sends(trader: Trader, *fills: Execution, env: Env = "DEMO", account: str = "A1") -> Trader:
    return trader.asks(BookFills(env, account, "ledger of bridge", fills))


def taken(trader: Trader) -> tuple[int, int, list[str]]:
    answer = trader.answered(FillsTaken)
    return answer.taken, answer.duplicates, [refused.code for refused in answer.refused]


def long_trader() -> Trader:
    return Trader().hears(5250).is_long(5250)


def entering() -> Trader:
    return Trader().hears(5250).with_structure("green").enters("BUY").claims()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("STOP", "PROTECTIVE_STOP"), ("LIQUIDATION", "LIQUIDATED"), ("MANUAL", "MANUAL"), ("FLATTEN", "FLATTENED")],
)
def test_the_trade_closes_at_the_true_price_for_the_true_reason(kind: str, reason: str) -> None:
    trader = long_trader()
    sends(trader, fill(trader, kind=kind))
    (closed,) = trader.trades
    assert (closed.reason, closed.exit_price, closed.estimated) == (reason, Decimal(5235), False)
    assert taken(trader) == (1, 0, [])
    assert trader.alerts == (["broker_fill"] if kind == "LIQUIDATION" else [])
    assert trader.gate_for("BUY") == "cooldown"
    assert trader.replays_equal()


def test_a_fill_counts_once_also_after_a_restart() -> None:
    trader = long_trader()
    sends(trader, fill(trader, qty=2), fill(trader, qty=2))
    assert (taken(trader), trader.position) == ((1, 1, []), 3)
    sends(trader.restarts(), fill(trader, qty=2))
    assert (taken(trader), trader.position) == ((0, 1, []), 3)


def test_the_same_exec_id_of_another_account_is_another_fill() -> None:
    trader = long_trader()
    sends(trader, fill(trader, qty=2), account="A1")
    sends(trader, fill(trader, qty=1), account="A2")
    assert (taken(trader), trader.position) == ((1, 0, []), 2)


def test_a_snapshot_that_shows_flat_before_the_fill_closes_nothing_yet() -> None:
    trader = long_trader().later(3).broker_says(position=0)
    sends(trader.later(1), fill(trader))
    trader.later(3).broker_says(position=0).later(3).broker_says(position=0)
    (closed,) = trader.trades
    assert (closed.reason, closed.exit_price, trader.alerts) == ("PROTECTIVE_STOP", Decimal(5235), [])
    assert trader.asset.disagreement is None


def test_snapshots_after_the_fill_change_nothing() -> None:
    trader = long_trader()
    sends(trader.later(3), fill(trader))
    trader.later(1).broker_says(position=0).later(3).broker_says(position=0)
    assert ([closed.reason for closed in trader.trades], trader.alerts) == (["PROTECTIVE_STOP"], [])


def test_a_fill_that_comes_after_the_desk_followed_the_broker_opens_nothing() -> None:
    trader = long_trader()
    stopped = fill(trader)
    trader.later(3).broker_says(position=0).later(3).broker_says(position=0)
    assert [closed.reason for closed in trader.trades] == ["BROKER_FLAT"]
    sends(trader.later(2), stopped)
    assert (taken(trader), trader.position) == ((1, 0, []), 0)
    assert [closed.reason for closed in trader.trades] == ["PROTECTIVE_STOP"]
    assert trader.replays_equal()


def test_only_a_fill_of_before_the_desk_followed_the_broker_is_explained_by_it() -> None:
    trader = long_trader().later(3).broker_says(position=0).later(3).broker_says(position=0).later(60)
    sends(trader, fill(trader, at=trader.now - timedelta(seconds=1)))
    assert trader.position == -5


@pytest.mark.parametrize("source", ["level", "structure"])
def test_an_exit_due_while_a_scale_in_of_the_stopped_trade_is_on_its_way_is_latched(source: str) -> None:
    trader = long_trader().hears(5250).bricks(6, "green").scales_in().claims()
    scale_in = trader.open_order
    sends(trader, fill(trader))
    assert (trader.position, trader.open_order.id) == (0, scale_in.id)
    if source == "level":
        assert trader.touches_level().answered(OrderTaken).latched
    else:
        trader.brick(8, "red")
    trader.reports("FILLED", 5234, scale_in, qty=5, exec_id="b1")
    assert (trader.position, trader.exit_source) == (5, source)
    assert trader.replays_equal()


def test_a_stop_that_fires_in_parts_closes_with_its_last_contract() -> None:
    trader = long_trader()
    sends(trader, fill(trader, qty=2), fill(trader, qty=3, exec_id="s2", price=Decimal(5230)))
    (closed,) = trader.trades
    assert (closed.exit_price, closed.size) == (Decimal(5232), 5)


def test_a_purchase_by_hand_is_taken_over_with_an_alert() -> None:
    trader = Trader().hears(5250)
    sends(trader, fill(trader, side="BUY", kind="MANUAL", price=Decimal(5250)))
    assert (trader.position, trader.alerts, trader.desk.day.trades_taken) == (5, ["broker_fill"], 1)
    assert known(trader.asset.doubt).code == "broker_fill"
    assert trader.protections.points_tp_enabled


def test_a_stop_beside_an_exit_opens_what_the_broker_then_holds() -> None:
    trader = long_trader().bricks(6, "green").exits().filled_at(5251)
    sends(trader, fill(trader))
    assert (trader.position, trader.alerts) == (-5, ["broker_fill"])


def test_an_unclaimed_exit_is_withdrawn_when_the_stop_has_closed_the_trade() -> None:
    trader = long_trader().bricks(6, "green").exits()
    sends(trader, fill(trader))
    assert (trader.order, trader.asset.due_exit, trader.position) == (None, None, 0)


# -- fills of the desk's orders -------------------------------------------------------------------------------


@pytest.mark.parametrize("names_order", [True, False])
def test_a_fill_that_its_report_has_booked_is_a_duplicate(names_order: bool) -> None:
    trader = entering()
    order = trader.open_order
    trader.reports("PARTIALLY_FILLED", 5250, order, qty=5, exec_id="e1")
    bought = fill(trader, exec_id="e1", side="BUY", kind="MANUAL", price=Decimal(5250))
    sends(trader, replace(bought, kind="ORDER", order_id=order.id) if names_order else bought)
    assert (taken(trader), trader.position) == ((0, 1, []), 5)


def test_a_report_that_its_fill_has_booked_is_a_duplicate() -> None:
    trader = entering()
    order = trader.open_order
    sends(trader, fill(trader, exec_id="e1", side="BUY", qty=2, kind="ORDER", order_id=order.id))
    assert (trader.position, trader.open_order.status) == (2, "PARTIALLY_FILLED")
    trader.reports("PARTIALLY_FILLED", 5250, order, qty=2, exec_id="e1")
    assert (trader.is_duplicate, trader.position) == (True, 2)
    trader.reports("FILLED", 5250, order, qty=3, exec_id="e2")
    assert (trader.position, trader.order) == (5, None)


def test_a_report_without_an_exec_id_is_not_booked_again_by_its_fill() -> None:
    trader = entering()
    order = trader.open_order
    trader.reports("FILLED", 5250, order, qty=5)
    sends(trader, fill(trader, exec_id="e1", side="BUY", kind="ORDER", order_id=order.id))
    assert (taken(trader), trader.position) == ((0, 1, []), 5)


def test_a_fill_of_an_order_that_it_does_not_name_belongs_to_the_open_one() -> None:
    trader = entering()
    sends(trader, fill(trader, side="BUY", kind="ORDER", price=Decimal(5250)))
    assert (trader.position, trader.order, trader.alerts) == (5, None, [])


def test_a_late_fill_may_come_this_way_too() -> None:
    trader = entering()
    order = trader.open_order
    trader.cancelled()
    late = fill(trader, exec_id="e1", side="BUY", kind="ORDER", order_id=order.id, price=Decimal(5250))
    trader.asks(BookFills("DEMO", "A1", "ledger of bridge", (late,)))
    assert (taken(trader), trader.position, trader.alerts) == ((1, 0, []), 5, ["late_fill"])


# -- what is not booked ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"order_id": "0" * 32}, "unknown_order"),
        ({"kind": "ORDER"}, "unknown_order"),
        ({"symbol": "XYZ", "asset": UNSET}, "unknown_asset"),
        ({"symbol": "MNQZ6", "asset": "NQ"}, "unknown_asset"),
        ({"symbol": "MESH7"}, "other_contract"),
    ],
)
def test_a_fill_that_cannot_be_booked_is_refused_with_one_alert_that_counts(more: dict[str, Any], code: str) -> None:
    trader = long_trader()
    for _ in range(2):
        sends(trader, fill(trader, **more))
        assert taken(trader) == (0, 0, [code])
    assert (trader.position, trader.alerts) == (5, ["fill_refused"])
    assert "2 times" in trader.last_alert.sentence


def test_a_fill_of_another_account_is_refused() -> None:
    trader = long_trader().asks(HearBridge(ts_connected=True, account="A1"))
    sends(trader, fill(trader), account="A2")
    assert (taken(trader), trader.position) == ((0, 0, ["other_account"]), 5)


def test_a_fill_of_the_other_environment_is_journaled_and_alerted_only() -> None:
    trader = long_trader()
    sends(trader, fill(trader), env="LIVE")
    assert (taken(trader), trader.position, trader.alerts) == ((1, 0, []), 5, ["broker_fill"])
    assert [booked.trade_id for booked in trader.told(FillBooked)] == [None]
    assert trader.asset.doubt is None


def test_a_price_of_zero_is_unknown() -> None:
    trader = long_trader().hears(5236)
    sends(trader, fill(trader, price=Decimal(0)))
    (closed,) = trader.trades
    assert (closed.exit_price, closed.estimated) == (Decimal(5236), True)
