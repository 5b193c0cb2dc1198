"""Whatever is asked, told and denied in whatever order, a desk that asks for proof keeps its promises (SPEC 1, 7.2, 8).

``test_decide_machine.py`` holds a second reading of the rules against generation 1. This machine drives today's
with an operator, TradingView, two bridges and a broker whose snapshots say anything, and holds what must be true of
every answer without knowing what the right answer is.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from services.engine.decide import Decision, pass_time
from services.engine.model.bridge_commands import (
    AcceptPosition,
    BookFills,
    BrokerPosition,
    ClaimOrders,
    Execution,
    HearBridge,
    ReportExecution,
    ResolveOrder,
    TakeSnapshot,
)
from services.engine.model.commands import (
    AnyCommand,
    CloseBrick,
    EnterMarket,
    ExitAll,
    ExitPosition,
    NotePrice,
    PlacePreOrder,
    ScaleIn,
    SetLimits,
    SetProtect,
    SwitchEnv,
    TickClock,
    TouchLevel,
)
from services.engine.model.replies import Refusal
from services.engine.model.state import Desk
from services.views.event_rows import event_order, fills_of_event, moves_position
from tests.engine.test_decide_machine import ASSETS, without_alerts, without_prices
from tests.support.builders import CONTRACTS
from tests.support.trader import Trader
from wire.events import EventOrder
from wire.types import OrderStatus, Stream

assets = st.sampled_from(ASSETS)
prices = st.sampled_from([Decimal(5235), Decimal(5249), Decimal(5250), Decimal(5251), Decimal(5265), None])
positions = st.sampled_from([-5, 0, 0, 2, 3, 5, 5])
symbols = st.sampled_from([*(CONTRACTS[asset].symbol for asset in ASSETS), "MESH7", "XYZ"])
rows = st.builds(
    BrokerPosition,
    symbol=symbols,
    position=positions,
    open_pnl=st.none(),
    avg_price=prices,
    last_fill_price=prices,
    asset=st.sampled_from(["ES", "NQ", "CL"]),
)
statuses = st.sampled_from([OrderStatus[name] for name in ("WORKING", "PARTIALLY_FILLED", "FILLED", "CANCELLED")])
COMMANDS: tuple[st.SearchStrategy[AnyCommand], ...] = (
    st.builds(EnterMarket, assets, st.just("SCALP"), st.just("6pt"), st.sampled_from(["BUY", "SELL"]), st.just(True)),
    st.builds(PlacePreOrder, assets, st.just("SCALP"), st.just("6pt"), st.sampled_from(["BUY", "SELL"])),
    st.builds(ExitPosition, assets, st.booleans()),
    st.builds(ExitAll, st.booleans()),
    st.builds(ScaleIn, assets),
    st.builds(SetProtect, assets, st.booleans(), st.sampled_from([Decimal(-2), Decimal("0.5")])),
    st.builds(SetLimits, st.sampled_from([{"max_trades_per_day": Decimal(3)}, {"cooldown_seconds": Decimal(300)}])),
    st.builds(SwitchEnv, st.sampled_from(["DEMO", "LIVE"])),
    st.builds(TouchLevel, assets),
    st.builds(NotePrice, assets, prices),
    st.builds(CloseBrick, assets, st.sampled_from(Stream), st.sampled_from(["green", "red", "neutral"])),
    st.builds(HearBridge, st.booleans()),
    st.builds(
        TakeSnapshot,
        balance=st.sampled_from([None, Decimal(50_000), Decimal(49_500), Decimal(48_000)]),
        positions=st.lists(rows, max_size=4).map(tuple),
        tells_positions=st.booleans(),
    ),
    st.builds(AcceptPosition, symbols, positions, st.just("mine")),
    st.builds(TickClock),
)
ALONE = ("STOP", "LIQUIDATION", "MANUAL", "FLATTEN")
waits = st.sampled_from([0.000001, 0.5, 1, 2, 2, 2, 5, 15, 60, 120, 300, 3600])


def without_refused_bridge(desk: Desk) -> Desk:
    """Leave out what a refused claim is remembered by, so that the operator can take over (SPEC 8.2)."""
    return replace(without_alerts(desk), refused_bridge=None, live=replace(desk.live, refused_heard_at=None))


def without_doubts(desk: Desk) -> Desk:
    """Return the desk without doubts: a report that contradicts is refused, and begins one (SPEC 8.3)."""
    assets = {symbol: replace(asset, doubt=None) for symbol, asset in desk.assets.items()}
    return replace(without_alerts(desk), assets=assets)


MAY_CHANGE = {
    "owner_taken": without_refused_bridge,
    "report_conflict": without_doubts,
    "report_invalid": without_doubts,
}


class ProofMachine(RuleBasedStateMachine):
    """A desk of today's generation and everybody who speaks to it."""

    @initialize(env=st.sampled_from(["DEMO", "LIVE"]), cooldown=st.sampled_from([0, 180]))
    def open(self, env: Any, cooldown: int) -> None:
        self.trader = Trader(assets=ASSETS, env=env, is_heard=False, cooldown_seconds=cooldown, candle_seconds=1)
        self.final: dict[str, OrderStatus] = {}
        self.handed: Counter[tuple[str, str]] = Counter()
        self.known: dict[str, EventOrder] = {}
        self.executed = 0
        for asset in ASSETS:
            self.ask(NotePrice(asset, Decimal(5250)))

    @property
    def desk(self) -> Desk:
        return self.trader.desk

    def ask(self, command: AnyCommand) -> Decision:
        """Have a command decided, and hold the decision against what is promised of every one."""
        before, decided = self.desk, len(self.trader.decisions)
        passed = pass_time(before, self.trader.now)
        again = pass_time(passed.desk, self.trader.now)
        assert again == replace(passed, events=(), orders=()), "time passed twice"
        self.trader.asks(command)
        for decision in self.trader.decisions[decided:]:
            self.known |= {order.id: event_order(order) for order in decision.orders}
            self.tells_every_change(before, decision)
            for order in decision.orders:
                assert self.final.get(order.id, order.status) is order.status, "a final status changed"
                if order.status.is_final:
                    self.final[order.id] = order.status
            if isinstance(decision.answer, Refusal):
                told = MAY_CHANGE.get(decision.answer.code, without_alerts)
                assert told(decision.desk) == told(before), "a refusal changed the desk"
            if not decision.is_durable:
                assert without_prices(decision.desk) == without_prices(before), "a change is in no event"
            before = decision.desk
        return self.trader.decision

    def tells_every_change(self, before: Desk, decision: Decision) -> None:
        """Hold the fills that the decision's events tell of against what became of the positions."""
        told: Counter[str] = Counter()
        for event in decision.events:
            fills = fills_of_event(event, self.known.get(getattr(event, "order_id", "")))
            for fill in fills if moves_position(event) and fills is not None else ():
                told[getattr(event, "asset", "")] += fill.qty if fill.side == "BUY" else -fill.qty
                assert fill.qty > 0
                assert fill.price != 0
        for symbol, asset in decision.desk.assets.items():
            change = asset.position - before.assets[symbol].position
            assert told[symbol] == change, f"{symbol} changed by {change}, the events tell {told[symbol]}"

    @rule(command=st.one_of(*COMMANDS))
    def anything_is_asked(self, command: AnyCommand) -> None:
        self.ask(command)

    @rule(asset=assets, color=st.sampled_from(["green", "red"]))
    def a_token_is_armed_and_an_entry_asked_for(self, asset: str, color: Any) -> None:
        self.ask(NotePrice(asset, Decimal(5250)))
        self.ask(CloseBrick(asset, Stream.MAIN, color))
        self.ask(EnterMarket(asset, "SCALP", "6pt", "BUY" if color == "green" else "SELL", True))

    @rule(seconds=waits, ticks=st.booleans())
    def time_passes(self, seconds: float, ticks: bool) -> None:
        self.trader.now += timedelta(seconds=seconds)
        if ticks:
            self.ask(TickClock())

    @rule(owner=st.sampled_from(["alpha", "beta"]), has_ledger=st.booleans())
    def a_bridge_claims(self, owner: str, has_ledger: bool) -> None:
        answer = self.ask(ClaimOrders(owner, instance=f"ledger of {owner}" if has_ledger else None)).answer
        for handover in getattr(answer, "handovers", ()):
            order = handover.order
            if order.kind == "EXIT":
                continue
            self.handed[order.id, f"{owner} {has_ledger}"] += 1
            takers = {taker for (order_id, taker) in self.handed if order_id == order.id}
            assert len(takers) == 1, "an entry was handed to two bridges"

    @rule(
        which=st.integers(0, 5),
        status=statuses,
        price=prices,
        qty=st.none() | st.integers(1, 7),
        cum_qty=st.none() | st.integers(1, 7),
        exec_id=st.none() | st.sampled_from(["e1", "e2"]),
    )
    def a_bridge_reports(self, which: int, status: OrderStatus, **told: Any) -> None:
        orders = [*self.desk.orders, *self.final]
        if orders:
            price = told.pop("price")
            self.ask(ReportExecution(orders[which % len(orders)], status, price, **told))

    @rule(side=st.sampled_from(["BUY", "SELL"]), qty=st.integers(1, 7), price=prices, kind=st.sampled_from(ALONE))
    def something_is_executed_at_the_broker(self, side: Any, qty: int, price: Decimal | None, kind: Any) -> None:
        self.executed += 1
        name, told = f"x{self.executed}", Decimal(0) if price is None else price
        fill = Execution(name, self.trader.now, CONTRACTS["ES"].symbol, side, qty, told, kind, asset="ES")
        self.ask(BookFills(self.desk.env, "A1", "ledger of alpha", (fill,)))

    @rule(outcome=st.sampled_from(["filled", "not_filled"]), price=prices, qty=st.none() | st.integers(1, 6))
    def the_operator_resolves(self, outcome: Any, price: Decimal | None, qty: int | None) -> None:
        for order_id in list(self.desk.orders)[:1]:
            self.ask(ResolveOrder(order_id, outcome, "seen there", qty, price))

    @rule(position=positions, omits=st.booleans(), times=st.integers(1, 4))
    def the_broker_insists(self, position: int, omits: bool, times: int) -> None:
        for _ in range(times):
            self.trader.now += timedelta(seconds=2)
            held = () if omits else (BrokerPosition(CONTRACTS["ES"].symbol, position, avg_price=Decimal(5250)),)
            self.ask(TakeSnapshot(positions=held, as_of=self.trader.now))

    # -- what always holds ------------------------------------------------------------------------------------

    @invariant()
    def at_most_one_order_in_and_one_out(self) -> None:
        kinds = Counter((order.asset, order.kind == "EXIT") for order in self.desk.orders.values())
        assert not kinds or max(kinds.values()) == 1
        assert not any(order.status.is_final for order in self.desk.orders.values())

    @invariant()
    def no_fill_is_larger_than_its_order_and_no_trade_is_empty(self) -> None:
        for order in self.desk.orders.values():
            assert 0 <= order.filled_qty <= order.qty
        for asset in self.desk.assets.values():
            assert asset.trade is None or asset.trade.quantity > 0

    @invariant()
    def every_order_at_a_bridge_is_either_young_or_of_unknown_fate(self) -> None:
        desk = pass_time(self.desk, self.trader.now).desk
        for order in desk.orders.values():
            if order.is_at_a_bridge and order.moved_at is not None and order.fate_unknown_at is None:
                assert self.trader.now < order.moved_at + timedelta(seconds=desk.rules.fate_seconds)

    def teardown(self) -> None:
        if hasattr(self, "trader"):
            assert self.trader.replays_equal()


ProofMachine.TestCase.settings = settings(
    settings.get_profile("desk"), max_examples=200, stateful_step_count=50, database=None
)
TestProof = pytest.mark.timeout(1800)(ProofMachine.TestCase)
