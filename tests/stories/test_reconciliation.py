"""Broker and desk disagree: the gate closes at once; if it lasts, the desk takes the broker's position (SPEC 8.4)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.engine.model.bridge_commands import TakeSnapshot
from services.engine.model.commands import TakeOver
from services.engine.model.events import PositionAgreed, PositionDisagreed
from services.engine.model.state import GENERATION
from services.engine.model.trade_events import TradeOpened, TradeResized
from tests.support.trader import Trader


def test_the_first_disagreement_closes_the_gate_and_agreement_opens_it() -> None:
    trader = Trader().with_structure("green").broker_says(position=3)
    assert trader.gate_for("BUY") == "reconcile"
    assert trader.position == 0
    assert trader.broker_says(position=0).gate_for("BUY") is None
    assert (len(trader.told(PositionDisagreed)), len(trader.told(PositionAgreed))) == (1, 1)
    assert trader.replays_equal()


@pytest.mark.parametrize(
    ("apart", "is_flat"),
    [
        ({"seconds": 0}, False),
        ({"seconds": 1, "microseconds": 999_999}, False),
        ({"seconds": 2}, True),
        ({"seconds": 60}, True),
    ],
)
def test_after_two_snapshots_two_seconds_apart_the_brokers_position_counts(
    apart: dict[str, int], is_flat: bool
) -> None:
    trader = Trader().is_long().later(2).broker_says(position=0).later(**apart).broker_says(position=0)
    assert (trader.position == 0) is is_flat
    assert trader.replays_equal()


def test_an_agreement_in_between_restarts_the_wait() -> None:
    trader = Trader().is_long().later(2).broker_says(position=0).later(2).broker_says().later(2).broker_says(position=0)
    assert trader.position == 5


def test_snapshots_that_a_newer_one_has_overtaken_prove_nothing() -> None:
    trader = Trader().is_long().later(6)
    late = [trader.now, trader.now + timedelta(seconds=2)]
    trader.later(10).broker_says()
    for read_then in late:
        trader.later(2).broker_says(position=0, as_of=read_then)
    assert (trader.position, trader.told(PositionDisagreed)) == (5, [])
    assert trader.later(2).broker_says(position=0).later(2).broker_says(position=0).position == 0
    assert trader.replays_equal()


def test_a_bridge_whose_clock_was_ahead_is_heard_again_once_it_is_right() -> None:
    trader = Trader().is_long().later(6)
    trader.broker_says(as_of=trader.now + timedelta(hours=1))
    trader.later(2).broker_says(position=0).later(2).broker_says(position=0)
    assert trader.position == 0


def test_another_disagreement_restarts_the_wait() -> None:
    trader = Trader().is_long().later(2).broker_says(position=0).later(2).broker_says(position=3)
    assert trader.position == 5
    assert trader.later(2).broker_says(position=3).position == 3


@pytest.mark.parametrize("order", ["entry", "exit"])
def test_while_an_order_is_open_nothing_is_compared(order: str) -> None:
    trader = Trader().is_long() if order == "exit" else Trader().with_structure("green").enters("BUY").claims()
    if order == "exit":
        trader.bricks(8, "red").claims()
    before = trader.position
    trader.broker_says(position=2).later(10).broker_says(position=2)
    assert trader.position == before
    assert trader.asset.disagreement is None


def test_an_agreement_while_an_order_is_open_restarts_the_wait_too() -> None:
    trader = Trader().is_long().bricks(6, "green").broker_says(position=0)
    trader.exits().claims().later(2).broker_says(position=5).rejected()
    trader.later(2).broker_says(position=0)
    assert trader.position == 5


def test_a_disagreement_while_an_order_is_open_counts_from_there() -> None:
    trader = Trader().is_long().bricks(6, "green").broker_says(position=0)
    trader.exits().claims().later(5).broker_says(position=0).rejected()
    assert trader.later(1).broker_says(position=0).position == 5
    assert trader.later(1).broker_says(position=0).position == 0


@pytest.mark.parametrize(
    ("broker", "price", "usd"),
    [
        ({"last_fill_price": "5235.25"}, "5235.25", "-368.75"),
        ({}, "5245", "-125.00"),
        ({"avg_price": 5000}, "5245", "-125.00"),
        ({"last_fill_price": -1}, "5245", "-125.00"),
    ],
)
def test_broker_flat_closes_at_the_reported_fill_else_at_the_last_price(
    broker: dict[str, Any], price: str, usd: str
) -> None:
    trader = Trader().is_long(5250).later(2).hears(5245)
    trader.broker_says(position=0, **broker).later(2).broker_says(position=0, **broker)
    (trade,) = trader.trades
    assert (trade.reason, trade.exit_price, trade.pnl_usd) == ("BROKER_FLAT", Decimal(price), Decimal(usd))
    assert trade.exit_ts == trader.now
    assert trader.alerts == ["reconcile"]
    assert trader.bricks(6, "green").gate_for("BUY") == "cooldown"


@pytest.mark.parametrize(
    ("at_first", "then"),
    [("5235", "5235"), ("5249", "5231"), ("5231", "5249")],
    ids=["at the stop", "beyond it when the second reading comes", "beyond it when the first came"],
)
def test_broker_flat_with_a_price_beyond_the_stop_was_stopped_out(at_first: str, then: str) -> None:
    trader = Trader().is_long(5250).hears("5249").later(2).hears(at_first).broker_says(position=0)
    trader.later(1).hears(then).later(1).broker_says(position=0)
    (trade,) = trader.trades
    assert (trade.exit_price, trade.pnl_usd, trade.estimated) == (Decimal(5235), Decimal(-375), True)
    assert trader.replays_equal()


def test_a_short_stopped_out_closes_at_its_stop_too() -> None:
    trader = Trader().is_short(5250).later(2).hears(5270).broker_says(position=0).later(2).broker_says(position=0)
    assert trader.trades[-1].exit_price == 5265


def test_a_price_beyond_the_stop_from_before_the_broker_was_flat_says_nothing() -> None:
    trader = Trader().is_long(5250).hears(5234).later(60).hears(5251)
    trader.broker_says(position=0).later(2).broker_says(position=0)
    assert (trader.trades[-1].exit_price, trader.trades[-1].estimated) == (Decimal(5251), True)


def test_broker_flat_with_no_price_at_all_closes_where_it_opened() -> None:
    trader = Trader().is_long(5250).later(2).broker_says(position=0).later(2).broker_says(position=0)
    assert trader.trades[-1].pnl_usd == 0


def test_a_position_the_desk_does_not_know_is_adopted_with_an_alert() -> None:
    trader = Trader().hears(5245).broker_says(position=-4, avg_price=5250).later(2)
    trader.broker_says(position=-4, avg_price=5250)
    assert (trader.position, trader.trade.entry_price, trader.trade.zone) == (-4, Decimal(5250), "ADOPTED")
    assert (
        trader.protections.points_tp_enabled,
        trader.protections.points_tp_target,
        trader.protections.stop_points,
    ) == (True, Decimal(15), Decimal(15))
    assert trader.told(TradeOpened)[0].adopted
    assert trader.last_alert.level == "critical"
    assert trader.gate_for("BUY") != "reconcile"
    trader.bricks(8, "green").filled_at(5240)
    assert trader.trades[-1].pnl_usd == Decimal(200)
    assert trader.replays_equal()


def test_nothing_is_adopted_without_any_price() -> None:
    trader = Trader().broker_says(position=5).later(2).broker_says(position=5)
    assert trader.position == 0
    assert trader.alerts == ["reconcile"]
    assert trader.with_structure("green").gate_for("BUY") == "reconcile"
    assert trader.hears(5250).later(2).broker_says(position=5).position == 5


def test_a_stop_that_filled_in_part_leaves_the_rest() -> None:
    trader = Trader().is_long(5250).later(2)
    trader.broker_says(position=2, last_fill_price=5235).later(2).broker_says(position=2, last_fill_price=5235)
    assert (trader.position, len(trader.told(TradeResized))) == (2, 1)
    trader.bricks(6, "green").exits().filled_at(5250)
    assert (trader.trades[-1].size, trader.trades[-1].pnl_usd) == (5, Decimal(-225))


def test_a_bigger_position_at_the_broker_is_taken_over() -> None:
    trader = Trader().is_long(5250).later(2).hears(5260).broker_says(position=8).later(2).broker_says(position=8)
    assert (trader.position, trader.trade.entry_price) == (8, Decimal("5253.75"))
    assert trader.desk.day.trades_taken == 1


def test_the_other_side_at_the_broker_closes_the_trade_and_adopts_the_new_one() -> None:
    trader = Trader().is_long(5250).later(2).hears(5245).broker_says(position=-5).later(2).broker_says(position=-5)
    assert trader.trades[-1].reason == "BROKER_FLAT"
    assert (trader.position, trader.trade.zone, trader.trade.entry_price) == (-5, "ADOPTED", Decimal(5245))
    assert trader.gate_for("SELL") == "cooldown"


def test_every_asset_is_compared_separately() -> None:
    trader = Trader(assets=("ES", "NQ")).is_long(asset="ES").turns_to("NQ").with_structure("green")
    trader.at("09:35:00").broker_says(position=3)
    assert trader.gate_for("BUY", asset="NQ") == "reconcile"
    assert trader.desk.assets["ES"].disagreement is None


def test_a_contract_the_broker_omits_three_times_is_flat() -> None:
    trader = Trader().is_long(5250).later(2)
    for _ in range(2):
        trader.asks(TakeSnapshot()).later(2)
    assert trader.position == 5
    assert trader.asks(TakeSnapshot()).position == 0


def test_a_refused_exit_of_a_position_the_stop_has_closed_ends_with_the_reconciliation() -> None:
    trader = Trader().is_long(5250).later(2).hears(5236).bricks(8, "red").rejected("no position")
    trader.broker_says(position=0, last_fill_price=5235).later(1).ticks()
    assert trader.order is None  # the broker may be flat: the next snapshot is awaited
    trader.later(1).broker_says(position=0, last_fill_price=5235)
    assert (trader.position, trader.order, trader.asset.due_exit) == (0, None, None)
    assert trader.trades[-1].exit_price == 5235
    assert trader.replays_equal()


def test_the_disagreement_survives_a_restart() -> None:
    trader = Trader().with_structure("green").broker_says(position=3).restarts()
    assert trader.gate_for("BUY") == "reconcile"


def test_a_reading_from_before_a_restart_is_not_the_first_of_two() -> None:
    trader = Trader().is_long().later(6).broker_says(position=0)
    trader.restarts().asks(TakeOver("desk-2", 2, "1", counts_ids=True, generation=GENERATION))
    trader.later(2).broker_says(position=0)
    assert trader.position == 5
    assert trader.later(2).broker_says(position=0).position == 0
    assert trader.replays_equal()


# -- a broker's list that lags behind its fills -----------------------------------------------------------------------


def looks_for(trader: Trader, seconds: float, position: int) -> Trader:
    """Read the broker's position again and again, as a bridge does that looks at once after a change."""
    until = trader.now + timedelta(seconds=seconds)
    while trader.now < until:
        trader.broker_says(position=position).later(0.35)
    return trader


def test_a_list_that_lags_behind_the_entry_closes_nothing() -> None:
    """For 2.2 s after the fill the broker's list still says flat; each snapshot has the time at which it was read."""
    trader = looks_for(Trader().is_long(5250), 2.2, position=0)
    assert trader.asset.disagreement is not None
    trader.broker_says(position=5)
    assert (trader.position, trader.order) == (5, None)
    assert trader.desk.assets["ES"].disagreement is None
    assert trader.trades == []
    assert trader.replays_equal()


def test_a_list_that_lags_behind_the_exit_adopts_nothing_and_exits_nothing_again() -> None:
    trader = Trader().is_long(5250).later(10).bricks(8, "red").filled_at(5248)
    looks_for(trader, 2.2, position=5)
    assert (trader.position, trader.order, trader.desk.day.trades_taken) == (0, None, 1)
    trader.broker_says(position=0).later(2).broker_says(position=0)
    assert (trader.position, len(trader.trades), trader.alerts) == (0, 1, [])
    assert trader.replays_equal()


def test_a_list_that_goes_on_saying_so_is_believed() -> None:
    trader = looks_for(Trader().is_long(5250), 4.3, position=0)
    assert trader.trades[-1].reason == "BROKER_FLAT"


def test_an_exit_rule_that_comes_due_meanwhile_waits_for_no_old_list() -> None:
    trader = looks_for(Trader().is_long(5250), 2.2, position=0).broker_says(position=5).bricks(8, "red")
    assert trader.open_order.qty == 5
