"""A program proposes an entry, the operator's click makes it, the desk decides as always (SPEC 4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

import pytest
from msgspec.structs import replace

from services.engine.model.commands import ExitPosition
from services.engine.model.events import EntryAccepted, EntryBlocked, OrderQueued
from services.engine.model.proposal import ProposedSize
from services.engine.model.proposal_events import ProposalEnded, ProposalOpened
from services.engine.model.replies import OrderTaken, ProposalTaken
from services.engine.rules import proposals as rules
from tests.stories.test_gates import LADDER, trader_with_gates_closed_from
from tests.support.builders import CONTRACTS
from tests.support.narrow import known
from tests.support.trader import Trader
from wire.types import Side


def ending_of(trader: Trader) -> ProposalEnded:
    (ended,) = trader.told(ProposalEnded)
    return ended


def proposed(**settings: Any) -> Trader:
    """Return a trader whose gates are open for a BUY, and who sees a proposal of it."""
    return Trader(**settings).with_structure("green").hears(5250).hears_proposal()


# -- opening --------------------------------------------------------------------------------------------------


def test_a_proposal_says_what_the_desk_would_enter_and_what_it_would_risk() -> None:
    trader = proposed()
    size = trader.answered(ProposalTaken).size  # 5 contracts, 10 points, 5 USD a point; at the broker rests the desk's
    assert size == ProposedSize(5, Decimal(10), Decimal(250), desk_stop_points=Decimal(15), desk_risk_usd=Decimal(375))
    (opened,) = trader.told(ProposalOpened)
    assert (opened.proposal, opened.price, opened.quantity) == (trader.proposal.id, Decimal(5250), 5)
    assert trader.replays_equal()


def test_risk_is_counted_in_the_points_of_the_asset() -> None:
    trader = Trader(assets=("NQ",)).hears_proposal(entry=20_000, stop=19_960, target=20_080)
    size = trader.answered(ProposalTaken).size  # a point of NQ is 4.00, which is worth 8 USD
    assert size == ProposedSize(5, Decimal(10), Decimal(400), desk_stop_points=Decimal(15), desk_risk_usd=Decimal(600))


def test_gates_are_not_asked_before_the_click() -> None:
    trader = trader_with_gates_closed_from("daily_stop").hears_proposal()
    assert trader.refused_by is None
    assert trader.clicks_proposal().refused_by == "daily_stop"


def test_an_asset_has_one_open_proposal() -> None:
    trader = proposed(assets=("ES", "NQ"))
    first = trader.proposal
    trader.hears_proposal("SELL", source="other")
    assert trader.refused_by == "proposal_open"
    assert trader.refusal.facts["proposal"] == first.id
    assert trader.refusal.facts["valid_until"] == f"{first.valid_until:%Y-%m-%dT%H:%M:%S}Z"
    assert (trader.proposal, trader.decision.events) == (first, ())
    assert trader.hears_proposal(asset="NQ", entry=20_000, stop=19_960, target=None).refused_by is None


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("entry", {"entry": "5250.10"}),
        ("entry", {"entry": 0, "stop": -10}),
        ("stop", {"stop": "5240.3"}),
        ("stop", {"stop": 5250}),
        ("stop", {"stop": 5250.25}),
        ("target", {"target": "5270.1"}),
        ("target", {"target": 5250}),
        ("target", {"target": 5249}),
        ("valid_until", {"valid_for": 0}),
        ("valid_until", {"valid_for": -60}),
        ("valid_until", {"valid_for": 4 * 3600 + 0.001}),
    ],
)
def test_a_field_that_cannot_be_is_named_and_nothing_changes(field: str, more: dict[str, Any]) -> None:
    trader = Trader()
    before = trader.desk
    trader.hears_proposal("BUY", **more)
    assert (trader.refused_by, trader.refusal.facts["field"]) == ("proposal_invalid", field)
    assert trader.desk == before


@pytest.mark.parametrize(("stop", "target"), [(5240, 5230), (5260, 5270)])
def test_stop_and_target_of_a_sell_lie_the_other_way(stop: int, target: int) -> None:
    trader = Trader().hears_proposal("SELL", stop=stop, target=target)
    assert trader.refused_by == "proposal_invalid"
    assert Trader().hears_proposal("SELL", stop=5260, target=5230).refused_by is None


def test_crude_oil_may_be_proposed_below_zero() -> None:
    trader = Trader(assets=("CL",)).hears_proposal(entry="-1.00", stop="-1.20", target=None)
    assert trader.refused_by is None


@pytest.mark.parametrize(("stop", "refused_by"), [(5235, None), ("5234.75", "stop_too_wide")])
def test_a_stop_further_away_than_the_desk_s_own_is_refused(stop: object, refused_by: str | None) -> None:
    trader = Trader().hears_proposal(stop=stop)
    assert trader.refused_by == refused_by
    if refused_by:
        assert trader.refusal.facts == {"stop_points": 15.25, "desk_stop_points": 15}


def test_a_proposal_of_four_hours_is_the_longest() -> None:
    assert Trader().hears_proposal(valid_for=4 * 3600).refused_by is None


def test_an_asset_that_is_not_traded_is_unknown() -> None:
    assert Trader().hears_proposal(asset="NQ").refused_by == "unknown_asset"


def test_a_day_sees_only_so_many_proposals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "PROPOSALS_A_DAY", 2)
    trader = proposed().dismisses().hears_proposal().dismisses().hears_proposal()
    assert (trader.refused_by, trader.decision.events) == ("too_many_proposals", ())
    assert trader.enters("BUY").refused_by is None  # the operator is not counted
    assert trader.at("18:00:01").hears_proposal().refused_by is None
    assert trader.replays_equal()


# -- the click ------------------------------------------------------------------------------------------------


def test_a_click_enters_as_any_other_and_names_the_proposal() -> None:
    trader = proposed()
    proposal = trader.proposal
    trader.clicks_proposal()
    (accepted,) = trader.told(EntryAccepted)
    assert accepted.proposal == trader.open_order.proposal == proposal.id
    assert ending_of(trader) == ProposalEnded("ES", proposal.id, "TAKEN", order_id=trader.open_order.id)
    assert trader.asset.proposal is None
    assert trader.filled_at(5250).trade.protections.stop_points == 15  # the desk's own stop, not the proposed one
    assert trader.replays_equal()


@pytest.mark.parametrize("gate", LADDER)
def test_every_gate_refuses_a_click_on_a_proposal(gate: str) -> None:
    side: Side = "SELL" if LADDER.index(gate) <= LADDER.index("zone") else "BUY"
    trader = trader_with_gates_closed_from(gate).hears_proposal(side)
    proposal = trader.proposal
    trader.clicks_proposal()
    assert trader.refused_by == gate
    assert trader.told(EntryBlocked)[-1].proposal == proposal.id
    assert trader.told(ProposalEnded)[-1] == ProposalEnded(proposal.asset, proposal.id, "REFUSED", gate=gate)
    assert trader.asset.proposal is None
    assert trader.replays_equal()


def test_a_refused_click_ends_the_proposal_for_good() -> None:
    trader = Trader().hears_proposal()
    proposal = trader.proposal
    trader.clicks_proposal().with_structure("green").enters("BUY", proposal=proposal.id)
    assert trader.refused_by == "proposal_over"
    assert trader.decision.events == ()
    assert trader.enters("BUY").refused_by is None  # without the proposal the desk is free


def test_a_proposal_is_not_taken_twice() -> None:
    trader = proposed()
    proposal = trader.proposal
    trader.clicks_proposal().enters("BUY", proposal=proposal.id)
    assert trader.refused_by == "proposal_over"


@pytest.mark.parametrize("direction", ["SELL", None])
def test_a_click_for_another_direction_is_no_click_on_the_proposal(direction: Side | None) -> None:
    trader = proposed().in_free_zone()
    trader.enters(direction, proposal=trader.proposal.id)
    assert trader.refused_by == "proposal_other"
    assert (trader.order, trader.proposal.direction, trader.decision.events) == (None, "BUY", ())


def test_a_click_for_another_asset_is_no_click_on_the_proposal() -> None:
    trader = proposed(assets=("ES", "NQ"))
    proposal = trader.proposal
    trader.with_structure("green", "NQ").enters("BUY", "NQ", proposal=proposal.id)
    assert trader.refused_by == "proposal_other"
    assert trader.turns_to("ES").proposal == proposal


def test_a_click_on_nothing_is_over() -> None:
    assert Trader().with_structure("green").enters("BUY", proposal="no such id").refused_by == "proposal_over"


# -- the end --------------------------------------------------------------------------------------------------


def test_a_proposal_expires_by_the_passing_of_time_alone() -> None:
    trader = proposed()
    proposal = trader.proposal
    trader.later(900, microseconds=-1).ticks()
    assert trader.asset.proposal == proposal
    trader.later(microseconds=1).ticks()
    assert ending_of(trader) == ProposalEnded("ES", proposal.id, "EXPIRED")
    assert trader.replays_equal()


def test_a_click_in_the_instant_of_its_end_comes_too_late() -> None:
    trader = proposed()
    proposal = trader.proposal
    trader.later(900).enters("BUY", proposal=proposal.id)
    assert trader.refused_by == "proposal_over"
    assert ending_of(trader).status == "EXPIRED"
    assert trader.order is None


def test_the_next_proposal_may_come_when_one_is_over() -> None:
    trader = proposed()
    first = trader.proposal
    assert trader.later(900).hears_proposal().refused_by is None
    assert trader.proposal.id > first.id


def test_the_operator_dismisses_a_proposal() -> None:
    trader = proposed()
    proposal = trader.proposal
    trader.dismisses(proposal.id)
    assert ending_of(trader) == ProposalEnded("ES", proposal.id, "DISMISSED")
    assert trader.dismisses(proposal.id).refused_by == "proposal_over"
    assert trader.replays_equal()


def test_its_program_withdraws_a_proposal() -> None:
    trader = proposed()
    proposal = trader.proposal
    assert trader.withdraws(proposal.id, source="other").refused_by == "proposal_other"
    assert trader.withdraws(proposal.id, proposer="key").refused_by == "proposal_other"
    assert trader.withdraws(proposal.id).refused_by is None
    assert ending_of(trader) == ProposalEnded("ES", proposal.id, "WITHDRAWN", why="proposer")
    assert trader.withdraws(proposal.id).refused_by == "proposal_over"
    assert trader.replays_equal()


def test_a_proposal_does_not_follow_to_the_other_environment() -> None:
    trader = proposed(assets=("ES", "NQ")).hears_proposal(asset="NQ", entry=20_000, stop=19_960, target=None)
    trader.hears_bridge().switches_to("LIVE")
    assert trader.desk.env == "LIVE"  # an open proposal does not stand in the way
    assert [(ended.asset, ended.why) for ended in trader.told(ProposalEnded)] == [
        ("ES", "env_switched"),
        ("NQ", "env_switched"),
    ]
    assert trader.replays_equal()


def test_a_proposal_ends_with_its_asset() -> None:
    trader = proposed(assets=("ES", "NQ"))
    proposal = trader.proposal
    trader.restarts(contracts={"NQ": CONTRACTS["NQ"]})
    assert "ES" not in trader.desk.assets
    assert ending_of(trader) == ProposalEnded("ES", proposal.id, "WITHDRAWN", why="asset_gone")
    assert trader.replays_equal()


def test_a_proposal_ends_when_its_asset_is_only_kept_for_a_position() -> None:
    trader = proposed(assets=("ES", "NQ")).enters("BUY").filled_at(5250)
    trader.restarts(contracts={"NQ": CONTRACTS["NQ"]})
    assert trader.asset.proposal is None
    assert ending_of(trader).why == "asset_gone"


@pytest.mark.parametrize(
    ("changed", "ends"),
    [
        ({"symbol": "MESH7"}, True),
        ({"unit": Decimal("0.5")}, True),
        ({}, False),
    ],
)
def test_a_proposal_ends_when_its_prices_are_of_another_contract(changed: dict[str, Any], ends: bool) -> None:
    trader = proposed()
    trader.restarts(contracts={"ES": replace(CONTRACTS["ES"], **changed)})
    assert (trader.asset.proposal is None) is ends
    assert [ended.why for ended in trader.told(ProposalEnded)] == ["contract_changed"] * ends
    assert trader.replays_equal()


def test_a_proposal_survives_a_restart() -> None:
    trader = proposed()
    proposal = trader.proposal
    assert trader.restarts().proposal == proposal
    assert trader.clicks_proposal().open_order.proposal == proposal.id
    assert trader.replays_equal()


# -- what it does not change ----------------------------------------------------------------------------------


def test_a_proposal_leaves_every_number_of_an_order_as_it_was() -> None:
    without = Trader().with_structure("green").hears(5250).enters("BUY").filled_at(5250)
    having = proposed().dismisses().hears_proposal().enters("BUY").filled_at(5250)
    assert having.trade == without.trade
    assert having.trade.id == without.trade.id
    assert known(having.asset.proposal).created_at == having.now


def test_an_entry_beside_a_proposal_leaves_it_open() -> None:
    trader = proposed().enters("BUY")
    assert trader.proposal.direction == "BUY"
    assert trader.clicks_proposal().refused_by == "candle_lock"


def test_a_tighter_rule_counts_at_once() -> None:
    trader = proposed().limits(stop_points=8)
    assert trader.hears_proposal(asset="ES").refused_by == "proposal_open"
    trader.later(900).hears_proposal()
    assert trader.refused_by == "stop_too_wide"


def test_a_proposal_is_open_for_as_long_as_it_says() -> None:
    trader = proposed()
    assert trader.proposal.valid_until == trader.now + timedelta(seconds=900)


def test_one_source_has_an_hour_and_leaves_the_day_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "PROPOSALS_AN_HOUR", 2)
    trader = Trader()
    for _ in range(2):
        trader.hears_proposal(source="wild").dismisses()
    assert trader.hears_proposal(source="wild").refused_by == "too_many_proposals"
    assert trader.refusal.facts == {"limit": 2, "source": "wild"}
    assert trader.hears_proposal(source="wild", proposer="key").dismisses().refused_by is None
    assert trader.hears_proposal(source="calm").dismisses().refused_by is None
    assert trader.at("10:00:00").hears_proposal(source="wild").refused_by is None
    assert trader.restarts().replays_equal()


def test_a_key_that_renames_itself_is_one_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "PROPOSALS_AN_HOUR", 2)
    trader = Trader()
    for name in ("a0", "a1"):
        trader.hears_proposal(source=name, proposer="key", key="k-1").dismisses()
    assert trader.hears_proposal(source="a2", proposer="key", key="k-1").refused_by == "too_many_proposals"
    assert trader.refusal.sentence.endswith("this API key has opened 2 this hour")
    assert trader.hears_proposal(source="a0", proposer="key", key="k-2").dismisses().refused_by is None
    assert trader.restarts().replays_equal()


def test_keys_leave_a_part_of_the_day_to_the_desks_own_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "PROPOSALS_BY_KEYS", 2)
    trader = Trader().hears_proposal().dismisses()
    for number in range(2):
        trader.hears_proposal(proposer="key", key=f"k-{number}").dismisses()
    assert trader.hears_proposal(proposer="key", key="k-3").refused_by == "too_many_proposals"
    assert trader.refusal.facts == {"limit": 2}
    assert trader.hears_proposal().dismisses().refused_by is None
    assert trader.restarts().replays_equal()
    assert trader.at("18:00:01").hears_proposal(proposer="key", key="k-3").refused_by is None
    assert rules.PROPOSALS_BY_KEYS < rules.PROPOSALS_A_DAY


# -- a forced exit of a program --------------------------------------------------------------------------------


def test_an_exit_that_a_program_forces_is_journaled_as_its_own() -> None:
    trader = Trader().is_long().asks(ExitPosition("ES", force=True, by="service"))
    queued = trader.told(OrderQueued)[-1]
    assert (queued.kind, queued.forced, queued.by) == ("EXIT", True, "service")
    assert trader.replays_equal()


def program_exits(trader: Trader, trade: str | None = None) -> Trader:
    return trader.asks(ExitPosition("ES", force=True, by="service", trade=trade))


def exits_of(trader: Trader) -> list[tuple[bool, str | None]]:
    return [(event.forced, event.by) for event in trader.told(OrderQueued) if event.kind == "EXIT"]


def test_an_exit_that_waited_for_the_rest_of_an_entry_still_names_the_program() -> None:
    trader = program_exits(Trader().with_structure("green").enters("BUY").claims().partly_filled(2, 5250))
    assert exits_of(trader) == []
    trader.reports("FILLED", 5250, qty=3, exec_id="the rest")
    assert exits_of(trader) == [(True, "service")]


def test_an_exit_of_the_trade_before_leaves_the_next_one_alone() -> None:
    trader = Trader().is_long()
    before = trader.trade.id
    program_exits(trader, before).filled_at(5250).at("09:40:00").is_long()
    held = trader.desk
    assert program_exits(trader, before).refused_by == "other_trade"
    assert (trader.decision.events, trader.desk) == ((), held)
    assert (trader.refusal.facts["asset"], trader.refusal.facts["trade"]) == ("ES", trader.trade.id)
    assert program_exits(trader, trader.trade.id).refused_by is None
    assert trader.exit_source == "manual"
    assert program_exits(trader, trader.trade.id).answered(OrderTaken).already_pending
    assert trader.replays_equal()


def test_an_exit_that_names_a_trade_cancels_no_entry_of_the_operator_either() -> None:
    trader = Trader().with_structure("green").enters("BUY")
    assert trader.asks(ExitPosition("ES", force=True, trade="an earlier one")).refused_by == "other_trade"
    assert trader.open_order.kind == "ENTRY"


@pytest.mark.parametrize("is_claimed", [False, True])
def test_a_program_s_exit_leaves_an_entry_that_is_on_its_way(is_claimed: bool) -> None:
    trader = Trader().with_structure("green").enters("BUY")
    if is_claimed:
        trader.claims()
    before = trader.desk
    assert program_exits(trader).refused_by == "nothing_to_exit"
    assert trader.desk == before
    assert trader.filled_at(5250).exit_source is None


def test_a_program_s_forced_exit_is_no_rule_that_the_operator_broke() -> None:
    by_program = program_exits(Trader().is_long()).filled_at(5250).trades[-1]
    assert (by_program.forced_exit, by_program.exit_by, by_program.is_forced_by_operator) == (True, "service", False)
    by_hand = Trader().is_long().exits(force=True).filled_at(5250).trades[-1]
    assert (by_hand.forced_exit, by_hand.exit_by, by_hand.is_forced_by_operator) == (True, None, True)


def test_whoever_broke_the_lock_first_has_broken_it() -> None:
    trader = Trader().is_long().exits(force=True).rejected()  # tried again in a second
    assert program_exits(trader).filled_at(5250).trades[-1].is_forced_by_operator
    assert exits_of(trader) == [(True, None), (True, None)]
    other = program_exits(Trader().is_long()).rejected().exits(force=True).filled_at(5250)
    assert not other.trades[-1].is_forced_by_operator


def test_an_exit_of_the_operator_that_waits_stays_the_operator_s() -> None:
    trader = Trader().with_structure("green").enters("BUY").claims().partly_filled(2, 5250).exits(force=True)
    program_exits(trader).reports("FILLED", 5250, qty=3, exec_id="the rest")
    assert exits_of(trader) == [(True, None)]


def half_filled() -> Trader:
    """An entry whose rest is on its way: every exit waits for it."""
    return Trader().with_structure("green").enters("BUY").claims().partly_filled(2, 5250)


def rest_comes(trader: Trader) -> Trader:
    return trader.reports("FILLED", 5250, qty=3, exec_id="the rest")


def whose_break(trader: Trader) -> tuple[bool, str | None, bool]:
    trade = trader.filled_at(5251).trades[-1]
    assert trader.replays_equal()
    return trade.forced_exit, trade.exit_by, trade.is_forced_by_operator


def exits_all(trader: Trader) -> Trader:
    return trader.exits_all(force=True)


def structure_turns(trader: Trader) -> Trader:
    return trader.bricks(8, "red")


@pytest.mark.parametrize("outranks", [exits_all, structure_turns])
@pytest.mark.parametrize("by", ["service", None])
def test_a_break_that_waits_stays_whose_it_is_when_an_exit_outranks_it(
    outranks: Callable[[Trader], Trader], by: Literal["service"] | None
) -> None:
    trader = half_filled().exits(force=True) if by is None else program_exits(half_filled())
    rest_comes(outranks(trader))
    assert exits_of(trader) == [(True, by)]
    assert whose_break(trader) == (True, by, by is None)


def test_in_earlier_generations_an_exit_that_outranks_a_forced_one_forgets_the_break() -> None:
    trader = Trader(generation=3).with_structure("green").enters("BUY").claims().partly_filled(2, 5250)
    rest_comes(structure_turns(trader.exits(force=True)))
    assert exits_of(trader) == [(False, None)]


def test_a_program_that_forces_while_a_rule_s_exit_waits_has_broken_the_lock() -> None:
    trader = program_exits(structure_turns(half_filled()))
    assert exits_of(rest_comes(trader)) == [(True, "service")]
    assert whose_break(trader) == (True, "service", False)


def test_a_program_s_break_stays_the_program_s_though_its_exit_is_cancelled_and_the_operator_exits() -> None:
    trader = program_exits(Trader().is_long()).claims().cancelled()
    assert trader.exits(force=True).open_order.by is None
    assert whose_break(trader.claims()) == (True, "service", False)


def test_the_operator_s_break_stays_the_operator_s_though_a_program_exits_after_it() -> None:
    trader = program_exits(Trader().is_long().exits(force=True).claims().cancelled())
    assert whose_break(trader.claims()) == (True, None, True)


def test_a_program_s_exit_that_was_refused_is_tried_again_as_the_program_s() -> None:
    trader = program_exits(Trader().is_long()).rejected().later(seconds=1).ticks()
    assert exits_of(trader) == [(True, "service"), (True, "service")]
    assert trader.open_order.by == "service"
    assert trader.filled_at(5250).trades[-1].exit_by == "service"
    assert trader.replays_equal()


def test_while_another_contract_is_held_no_price_of_the_proposed_one_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    trader = Trader().is_long(5250).bricks(6, "green")
    later = replace(CONTRACTS["ES"], symbol="MESH7")
    monkeypatch.setitem(CONTRACTS, "ES", later)
    trader.restarts(contracts={"ES": later}).hears(5250).hears_proposal()
    (opened,) = trader.told(ProposalOpened)
    assert (trader.trade.contract.symbol, opened.contract, opened.price) == ("MESZ6", "MESH7", None)


def test_the_operator_s_own_exit_names_no_program() -> None:
    queued = Trader().is_long().exits(force=True).told(OrderQueued)[-1]
    assert (queued.forced, queued.by) == (True, None)
