"""Whatever programs propose: beside its proposals the desk is the one that it would be without them (SPEC 4).

The same commands are decided on two desks, on one of them with proposals between them. After each of them the two
differ in their proposals only: in no gate, lock, slot, token, cooldown, order, trade, alert and statistic.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.engine.decide import Decision, decide, pass_time
from services.engine.model.bridge_commands import BrokerPosition, ClaimOrders, ReportExecution, TakeSnapshot
from services.engine.model.commands import (
    AnyCommand,
    CloseBrick,
    ConsumeTrade,
    EnterMarket,
    ExitAll,
    ExitPosition,
    NotePrice,
    PlacePreOrder,
    ScaleIn,
    SetLimits,
    SwitchEnv,
)
from services.engine.model.events import AnyEvent, EntryAccepted, EntryBlocked
from services.engine.model.order import Order
from services.engine.model.proposal_commands import DismissProposal, OpenProposal, WithdrawProposal
from services.engine.model.proposal_events import OfProposals
from services.engine.model.state import Desk
from services.engine.rules.gates import ladder
from services.engine.rules.verdicts import EntryRequest
from tests.support.trader import Trader
from wire.types import OrderStatus, Stream

ASSETS = ("ES", "NQ")
MID = {"ES": Decimal(5250), "NQ": Decimal(20_000)}

assets = st.sampled_from(ASSETS)
sides = st.sampled_from(["BUY", "SELL"])
colors = st.sampled_from(["green", "red"])
moments = st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0, 30.0, 180.0, 300.0, 900.0, 30_000.0])
of_the_day = st.one_of(
    st.tuples(st.just("brick"), assets, st.sampled_from(list(Stream)), colors),
    st.tuples(st.just("price"), assets, st.sampled_from([-20, -10, -1, 0, 1, 10, 20])),
    st.tuples(st.just("enter"), assets, sides),
    st.tuples(st.just("preorder"), assets, sides),
    st.tuples(st.just("exit"), assets, st.booleans()),
    st.tuples(st.just("fill"), assets),
    st.tuples(
        st.just("claim"),
    ),
    st.tuples(st.just("scale in"), assets),
    st.tuples(
        st.just("exit all"),
    ),
    st.tuples(
        st.just("consume"),
    ),
    st.tuples(st.just("snapshot"), st.sampled_from([50_000, 49_500, 48_000])),
    st.tuples(st.just("tighten"), st.sampled_from([10, 15])),
    st.tuples(st.just("env"), st.sampled_from(["DEMO", "LIVE"])),
)
of_programs = st.one_of(
    st.tuples(st.just("propose"), assets, sides, st.sampled_from([1, 60, 14_400])),
    st.tuples(st.just("dismiss"), assets),
    st.tuples(st.just("withdraw"), assets),
)
days = st.lists(st.tuples(moments, of_the_day, st.lists(of_programs, max_size=2), st.booleans()), max_size=25)


def command_of(desk: Desk, told: tuple[Any, ...], now: datetime) -> AnyCommand | None:
    """Return the command for what happened; None when there is nothing to do it with."""
    match told:
        case ("brick", asset, stream, color):
            return CloseBrick(asset, stream, color)
        case ("price", asset, off):
            return NotePrice(asset, MID[asset] + off)
        case ("enter", asset, side):
            return EnterMarket(asset, "SCALP", "6pt", side)
        case ("preorder", asset, side):
            return PlacePreOrder(asset, "RUNNER", "9pt", side)
        case ("exit", asset, force):
            return ExitPosition(asset, force)
        case ("claim",):
            return ClaimOrders("bridge", instance="ledger")
        case ("fill", asset):
            order = desk.open_order(asset)
            if order is None or order.status is OrderStatus.PENDING:
                return None
            return ReportExecution(order.id, OrderStatus.FILLED, MID[asset], qty=order.remaining, exec_id=order.id)
        case ("scale in", asset):
            return ScaleIn(asset)
        case ("exit all",):
            return ExitAll()
        case ("consume",):
            return ConsumeTrade()
        case ("snapshot", balance):
            held = tuple(BrokerPosition(asset.contract.symbol, asset.position) for asset in desk.assets.values())
            return TakeSnapshot(balance=Decimal(balance), positions=held, as_of=now)
        case ("tighten", points):
            return SetLimits({"stop_points": Decimal(points)})
        case ("env", env):
            return SwitchEnv(env)
    raise AssertionError(told)


def proposing(desk: Desk, told: tuple[Any, ...], now: datetime) -> AnyCommand:
    """Return what a program, or the operator, does about proposals."""
    asset = told[1]
    known = desk.assets[asset].proposal
    if told[0] == "dismiss":
        return DismissProposal("none" if known is None else known.id)
    if told[0] == "withdraw":
        return WithdrawProposal("none" if known is None else known.id, "auto", "service")
    _, _, side, seconds = told
    away = 10 if side == "BUY" else -10
    until = now + timedelta(seconds=seconds)
    return OpenProposal(asset, side, MID[asset], MID[asset] - away, until, "auto", "a test", "service")


def settled(desk: Desk, command: AnyCommand, now: datetime) -> Decision:
    """Decide a command, and what the next one of the same instant would find: time passes before each of them."""
    decision = decide(desk, command, now)
    passed = pass_time(decision.desk, now)
    return replace(decision, desk=passed.desk, events=(*decision.events, *passed.events))


def without_proposals(desk: Desk) -> Desk:
    """Return the desk as it would be if nobody had ever proposed anything."""
    return replace(
        desk,
        last_proposal=0,
        proposed=None,
        assets={symbol: replace(asset, proposal=None) for symbol, asset in desk.assets.items()},
        orders={order_id: _unnamed(order) for order_id, order in desk.orders.items()},
    )


def _unnamed(order: Order) -> Order:
    return replace(order, proposal=None)


def events_beside(decision: Decision) -> list[AnyEvent]:
    """Return a decision's events without those of proposals and without their names."""
    beside = [event for event in decision.events if not isinstance(event, OfProposals)]
    return [
        replace(event, proposal=None) if isinstance(event, EntryAccepted | EntryBlocked) else event for event in beside
    ]


def named_click(desk: Desk, command: AnyCommand, now: datetime) -> AnyCommand:
    """Return an entry as a click on the open proposal of its asset and direction, where there is one."""
    if not isinstance(command, EnterMarket):
        return command
    known = desk.assets[command.asset].proposal
    if known is None or known.direction != command.direction or known.valid_until <= now:
        return command
    return replace(command, proposal=known.id)


@settings(max_examples=120)
@given(days)
def test_beside_its_proposals_a_desk_is_the_one_without_them(day: list[Any]) -> None:
    trader = Trader(assets=ASSETS).with_structure("green").hears(5250)
    alone = beside = trader.desk
    now = trader.now
    for seconds, told, programs, clicks in day:
        now += timedelta(seconds=seconds)
        command = command_of(alone, told, now)
        if command is None:
            continue
        first = settled(alone, command, now)
        second = settled(beside, named_click(beside, command, now) if clicks else command, now)
        alone, beside = first.desk, second.desk
        assert second.answer == first.answer or _is_same_but_named(first.answer, second.answer)
        assert events_beside(second) == list(first.events)
        for one in programs:
            after = settled(beside, proposing(beside, one, now), now)
            assert events_beside(after) == []
            beside = after.desk
        assert without_proposals(beside) == alone
        for symbol, asset in beside.assets.items():
            assert asset.proposal is None or now < asset.proposal.valid_until
            plain = alone.assets[symbol]
            for side in ("BUY", "SELL"):
                having = ladder(beside, EntryRequest(asset, side, is_attempt=True), now)
                assert having == ladder(alone, EntryRequest(plain, side, is_attempt=True), now)


def _is_same_but_named(first: Any, second: Any) -> bool:
    """Tell whether two answers differ only in the proposal that the order names."""
    return bool(replace(second, order=_unnamed(second.order)) == first)
