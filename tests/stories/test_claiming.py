"""An order is handed to exactly one bridge (SPEC 8.1, 8.2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from services.engine.decide import decide
from services.engine.model.bridge_commands import BrokerPosition, TakeSnapshot
from services.engine.model.commands import EnterMarket, TakeOver
from services.engine.model.events import OrderClaimed
from services.engine.model.replies import OrderTaken
from services.engine.steps.orders import is_claimable
from services.engine.transition import Transition
from tests.support.narrow import known, of_type
from tests.support.trader import Trader
from wire.types import OrderStatus

FOUR = ("ES", "NQ", "YM", "EURUSD")


def trader_with_entry() -> Trader:
    return Trader().with_structure("green").enters("BUY")


def trader_with_exit() -> Trader:
    """Return a trader with a queued exit. The bridge that filled the entry has not been heard for a minute."""
    return Trader().is_long().bricks(6, "green").later(seconds=60).exits()


def test_a_pending_order_is_handed_over_and_claimed() -> None:
    trader = trader_with_entry().claims("alpha")
    ((order, redelivered),) = [(handover.order, handover.redelivered) for handover in trader.handed_over]
    assert (order.status, order.owner, redelivered) == (OrderStatus.CLAIMED, "alpha", False)
    assert trader.order == order
    assert trader.told(OrderClaimed)[0].owner == "alpha"
    assert trader.replays_equal()


@pytest.mark.parametrize("makes", [trader_with_entry, trader_with_exit])
def test_the_same_owner_gets_it_again_marked_as_redelivered(makes: Callable[..., Any]) -> None:
    trader = makes().claims("alpha").claims("alpha")
    assert [handover.redelivered for handover in trader.handed_over] == [True]
    assert trader.events == ()


@pytest.mark.parametrize("makes", [trader_with_entry, trader_with_exit])
def test_another_owner_gets_nothing_while_the_lease_lasts(makes: Callable[..., Any]) -> None:
    trader = makes().claims("alpha").later(seconds=59, microseconds=999_999).claims("beta")
    assert trader.refused_by == "owner_taken"
    assert trader.order.owner == "alpha"


@pytest.mark.parametrize(("makes", "handed"), [(trader_with_entry, 0), (trader_with_exit, 1)])
@pytest.mark.parametrize("seconds", [60, 61, 3600])
def test_after_the_lease_ends_another_owner_gets_an_exit_but_never_an_entry(
    makes: Callable[..., Any], handed: int, seconds: int
) -> None:
    trader = makes().claims("alpha").later(seconds=seconds).claims("beta")
    assert len(trader.handed_over) == handed
    assert trader.order.owner == ("beta" if handed else "alpha")


def test_a_taken_over_exit_has_a_lease_of_its_own() -> None:
    trader = trader_with_exit().claims("alpha").later(seconds=60).claims("beta")
    assert trader.later(seconds=59).claims("alpha").refused_by == "owner_taken"
    assert len(trader.later(seconds=1).claims("alpha").handed_over) == 1


@pytest.mark.parametrize("status", ["WORKING", "PARTIALLY_FILLED"])
def test_a_reported_order_is_not_handed_out(status: str) -> None:
    trader = trader_with_exit().claims("alpha").reports(status, 5250, qty=1, exec_id="one")
    assert trader.later(seconds=3600).claims("alpha").handed_over == ()
    assert trader.later(seconds=60).claims("beta").handed_over == ()


def test_a_final_order_is_not_handed_out() -> None:
    assert trader_with_entry().filled_at(5250).claims().handed_over == ()


def test_the_limit_leaves_the_rest_in_the_queue() -> None:
    trader = Trader(assets=("ES", "NQ")).is_long(asset="ES").at("09:35:00").is_long(18_000, asset="NQ")
    trader.exits_all(force=True).claims("alpha", limit=1, has_ledger=False)
    assert [handover.order.asset for handover in trader.handed_over] == ["ES"]
    trader.claims("beta", has_ledger=False)
    assert [handover.order.asset for handover in trader.handed_over] == ["NQ"]


@pytest.mark.parametrize(("early", "claimable"), [(1, True), (0, False), (-1, False)])
def test_a_waiting_bridge_is_not_woken_for_a_stale_entry(early: int, claimable: bool) -> None:
    trader = trader_with_entry()
    order = trader.open_order
    now = known(order.expires_at) - timedelta(microseconds=early)
    assert is_claimable(trader.desk, order, "alpha", "its ledger", now) is claimable


def test_the_claim_survives_a_restart() -> None:
    trader = trader_with_exit().claims("alpha").restarts().claims("beta")
    assert trader.refused_by == "owner_taken"
    assert [handover.redelivered for handover in trader.claims("alpha").handed_over] == [True]


def test_ids_sort_by_time_and_have_distinct_suffixes() -> None:
    trader = Trader(entry_ttl_seconds=1).with_structure("green")
    orders = []
    for _ in range(40):
        orders.append(trader.enters("BUY").open_order)
        trader.later(seconds=1).ticks()
    ids = [order.id for order in orders]
    assert ids == sorted(ids)
    assert len({order_id[16:] for order_id in ids}) == 40
    assert all(len(order_id) == 32 for order_id in ids)


def trader_with_positions() -> Trader:
    """Return a trader with a long position in four assets."""
    trader = Trader(assets=FOUR)
    for asset in FOUR:
        trader.turns_to(asset).adopts(2)
    return trader


def test_ids_of_one_millisecond_sort_by_creation() -> None:
    trader = trader_with_positions().exits_all(force=True)
    orders = list(trader.desk.orders.values())
    assert [order.asset for order in orders] == list(FOUR)
    assert len({order.created_at for order in orders}) == 1
    assert sorted(orders, key=lambda order: order.id) == orders
    assert len({order.id[16:] for order in orders}) == 4
    assert trader.replays_equal()


def test_ids_sort_by_creation_when_the_clock_goes_back() -> None:
    trader = trader_with_positions()
    orders = []
    for asset in FOUR:
        orders.append(trader.exits(asset, force=True).open_order)
        trader.later(seconds=-1)
    assert sorted(orders, key=lambda order: order.id) == orders


def test_more_ids_than_a_millisecond_can_count_still_sort_by_creation() -> None:
    trader = trader_with_positions()
    turn = Transition(trader.desk, trader.now)
    ids = [turn.new_id() for _ in range(2**16 + 2)]
    assert sorted(set(ids)) == ids
    assert int(ids[-1][:12], 16) == int(ids[0][:12], 16) + 1


def test_open_orders_keep_their_order_over_a_restart() -> None:
    trader = trader_with_positions().exits_all(force=True)
    before = list(trader.desk.orders.values())
    assert list(trader.restarts().desk.orders.values()) == before


def test_a_program_without_the_counter_that_takes_over_is_replayed_with_its_own_ids() -> None:
    trader = trader_with_positions().later(seconds=1).exits("ES", force=True).asks(TakeOver("web-old", 2, "0.6.0"))
    counted, plain = trader.open_order, trader.exits("NQ", force=True).open_order
    assert trader.desk.last_stamp is None
    trader.asks(TakeOver("web-new", 3, "0.7.0", counts_ids=True)).exits("YM", force=True)
    assert (counted.id[12:16], trader.open_order.id[12:16]) == ("0000", "0000")
    assert plain.id[12:16] != "0000"
    assert trader.replays_equal()


def test_ids_of_another_desk_differ() -> None:
    trader = Trader().with_structure("green")
    other = replace(trader.desk, id_key="a1" * 32)
    command = EnterMarket("ES", "SCALP", "6pt", "BUY")
    answers = (decide(desk, command, trader.now).answer for desk in (trader.desk, other))
    mine, theirs = (known(of_type(OrderTaken, answer).order).id for answer in answers)
    assert mine[:12] == theirs[:12]
    assert mine[12:] != theirs[12:]


def test_a_snapshot_of_a_contract_that_is_not_traded_opens_no_trade() -> None:
    trader = Trader().asks(TakeSnapshot(positions=(BrokerPosition("CLZ6", 3),)))
    assert trader.position == 0
    assert [held.symbol for held in trader.desk.foreign] == ["CLZ6"]
