"""The story language: a trader with a desk, a bridge, and a clock that only the story moves.

A story reaches every state by commands alone, and every decision is journaled as the writer does, so that a story can
end with ``trader.replays_equal()``. By default TradingView's heartbeat (and in LIVE the bridge's) stays fresh, and the
broker holds the same positions as the desk.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Literal, Self, TypeVar

from msgspec.structs import replace

from services.desk.commit_batch import CommitBatch
from services.engine.decide import Decision, decide, open_desk
from services.engine.model.alert import Alert
from services.engine.model.bridge_commands import BrokerPosition, ClaimOrders, HearBridge, ReportExecution, TakeSnapshot
from services.engine.model.commands import (
    AnyCommand,
    CancelIntent,
    CancelPreOrder,
    CloseBrick,
    ConfigureDesk,
    ConsumeTrade,
    EnterMarket,
    ExitAll,
    ExitPosition,
    KeepObservations,
    NotePrice,
    PlaceIntent,
    PlacePreOrder,
    ScaleIn,
    SetLimits,
    SetPointsTarget,
    SetProtect,
    SetSignalTarget,
    SwitchEnv,
    TickClock,
    ToggleExit,
    TouchLevel,
)
from services.engine.model.events import AnyEvent
from services.engine.model.ladder import Rung
from services.engine.model.order import Order
from services.engine.model.proposal import Proposal
from services.engine.model.proposal_commands import DismissProposal, OpenProposal, WithdrawProposal
from services.engine.model.replies import BrickTaken, Handover, OrdersHandedOver, Refusal, Reply
from services.engine.model.settings import RULE_SETTING
from services.engine.model.state import GENERATION, Asset, Desk, DueExit, Intent, PreOrder
from services.engine.model.ticks import HearTicks, ToldTick
from services.engine.model.trade import Protections, Trade
from services.engine.model.trade_events import TradeClosed
from services.engine.model.window import LockoutUntil, NewsTime
from services.engine.model.window_commands import LockOut, NoteSessions
from services.engine.rules.roll_week import watched
from services.history.differences import desk_differences
from services.ops.market_facts import sessions_after
from services.stores.codec import documents
from services.stores.records import Kind, Record
from services.stores.store import Head, JournalRow, Stored
from tests.support.builders import (
    AGAINST,
    NEW_YORK,
    STREAM_OF_POINTS,
    TOGGLES,
    TUESDAY,
    WITH,
    always_open,
    exactly,
    new_york,
    rules_for,
)
from tests.support.narrow import known, of_type
from wire.types import Color, Env, OrderStatus, Proposer, Side, SizeMode, TradeMode

KindT = TypeVar("KindT")
ID_KEY = "5e" * 32
OF_THE_SNAPSHOT = ("realized", "unrealized", "env", "account", "as_of")
KEEP_ALIVE_EVERY = timedelta(seconds=20)


class Trader:
    """An operator, TradingView and a bridge in one person, at a desk of its own.

    ``at`` and ``on`` are New York time and date; ``settings`` are the operator's rules. Methods that act return the
    trader, so that calls can be chained; the asset named last is the current one. ``generation`` is that of the rules.
    """

    _first_balance: Decimal | None = None

    def __init__(
        self,
        at: str = "09:31:10",
        on: str = TUESDAY,
        assets: tuple[str, ...] = ("ES",),
        env: Literal["DEMO", "LIVE"] = "DEMO",
        is_heard: bool = True,
        generation: int = GENERATION,
        **settings: object,
    ) -> None:
        self.now = new_york(on, at)
        self.asset_in_hand = assets[0]
        self._is_heard = self._bridge_is_heard = is_heard
        self._executions = count(1)
        self._tick_numbers = count(1)
        # A story opens its desk in an environment: switching needs a bridge that is heard already.
        # Nobody takes it over in a story, so its ids are counted from the beginning.
        opening = open_desk(ID_KEY, rules_for(*assets, **settings), self.now)
        self.opening = replace(opening, env=env, last_stamp=0, generation=generation)
        self._sheets = [CommitBatch(self.opening, self.opening, {}, self._recall)]
        self.decisions: list[Decision] = []
        self.answer: Reply | Refusal | None = None
        self.asks(ConfigureDesk(self.opening.rules))
        self._keep_alive()

    # -- the clock --------------------------------------------------------------------------------------------

    def at(self, clock: str, on: str | None = None) -> Self:
        """Set the New York time to ``clock``, today or on another day."""
        day = on or self.now.astimezone(NEW_YORK).date().isoformat()
        return self._move_to(new_york(day, clock))

    def later(self, seconds: float = 0, microseconds: int = 0) -> Self:
        return self._move_to(self.now + timedelta(seconds=seconds, microseconds=microseconds))

    def ticks(self) -> Self:
        """Submit ``TickClock``, as the clock job does."""
        return self.asks(TickClock())

    def _move_to(self, moment: datetime) -> Self:
        self.now = moment
        self._keep_alive()
        return self

    def _keep_alive(self) -> None:
        for symbol, asset in self.desk.assets.items():
            heard_at = asset.live.last_heartbeat_at
            if self._is_heard and (heard_at is None or self.now >= heard_at + KEEP_ALIVE_EVERY):
                self._asks_aside(NotePrice(symbol))
        self._learns_that_markets_are_open()
        heard_at = self.desk.live.bridge_heartbeat_at
        in_live = self._bridge_is_heard and self.desk.env == "LIVE"
        if in_live and (heard_at is None or self.now >= heard_at + KEEP_ALIVE_EVERY):
            self._asks_aside(HearBridge(ts_connected=True, envs=("DEMO", "LIVE")))
            balance = self.desk.live.equity or self._first_balance or Decimal(50_000)
            self._asks_aside(TakeSnapshot(balance=balance, tells_positions=False))

    def _learns_that_markets_are_open(self, env: Env | None = None) -> None:
        """In LIVE a desk that was told no hours of a market opens no entry; a story trades at any hour."""
        if (env or self.desk.env) == "LIVE" and self.desk.generation > 4 and not self.desk.facts.sessions:
            self._asks_aside(NoteSessions(always_open(self.desk.assets, self.now)))

    def goes_silent(self) -> Self:
        """Stop TradingView's heartbeats for every asset."""
        self._is_heard = False
        return self

    def loses_bridge(self) -> Self:
        """Stop the bridge's heartbeats."""
        self._bridge_is_heard = False
        return self

    # -- TradingView ------------------------------------------------------------------------------------------

    def with_structure(self, color: Color, asset: str | None = None) -> Self:
        """Close 8pt, 12pt and 6pt bricks so that every gate is open for that direction."""
        return self.with_zone(color, color, asset).bricks(6, color)

    def with_zone(self, high: Color, macro: Color, asset: str | None = None) -> Self:
        return self.brick(12, macro, asset=asset).brick(8, high)

    def in_free_zone(self) -> Self:
        """Close 8pt and 12pt bricks of different colours, and arm the tempo."""
        return self.with_zone("green", "red").bricks(6, "green")

    def bricks(self, points: float, *colors: Color) -> Self:
        for color in colors:
            self.brick(points, color)
        return self

    def brick(self, points: float, color: Color, asset: str | None = None, **more: Any) -> Self:
        """Close one brick of that size. ``more``: bar_id, bar_at, close. Without them every brick is new."""
        symbol = self._takes_in_hand(asset)
        if "close" in more:
            more["close"] = exactly(more["close"])
        return self.asks(CloseBrick(symbol, STREAM_OF_POINTS[points], color, **more))

    def hears(self, price: object = None, sent_at: datetime | None = None) -> Self:
        """Receive TradingView's heartbeat."""
        return self.asks(NotePrice(self.asset_in_hand, exactly(price), sent_at))

    def hears_ticks(self, *prices: object, **more: Any) -> Self:
        """Hear ticks of the contract whose price counts, all of now. ``more``: contract, seq, at, instance, gap."""
        contract = more.pop("contract", watched(self.asset).symbol)
        first = more.pop("seq", None)
        at = more.pop("at", self.now)
        numbers = self._tick_numbers if first is None else count(first)
        told = tuple(ToldTick(at, known(exactly(price)), next(numbers)) for price in prices)
        return self.asks(HearTicks(self.asset_in_hand, contract, told, **{"instance": "a bridge", **more}))

    def touches_level(self, asset: str | None = None) -> Self:
        return self.asks(TouchLevel(self._takes_in_hand(asset)))

    # -- the operator -----------------------------------------------------------------------------------------

    def enters(
        self,
        direction: Side | None = None,
        asset: str | None = None,
        mode: TradeMode = "SCALP",
        size: SizeMode = "6pt",
        override: bool = False,
        reason: str | None = None,
        proposal: str | None = None,
    ) -> Self:
        symbol = self._takes_in_hand(asset)
        return self.asks(EnterMarket(symbol, mode, size, direction, override, reason, proposal))

    def exits(self, asset: str | None = None, force: bool = False) -> Self:
        return self.asks(ExitPosition(self._takes_in_hand(asset), force))

    def exits_all(self, force: bool = False) -> Self:
        return self.asks(ExitAll(force))

    def preorders(
        self,
        direction: Side | None = None,
        asset: str | None = None,
        mode: TradeMode = "SCALP",
        size: SizeMode = "6pt",
        override: bool = False,
        reason: str | None = None,
    ) -> Self:
        return self.asks(PlacePreOrder(self._takes_in_hand(asset), mode, size, direction, override, reason))

    def cancels_preorder(self, asset: str | None = None) -> Self:
        return self.asks(CancelPreOrder(self._takes_in_hand(asset)))

    def intends(self, asset: str | None = None) -> Self:
        return self.asks(PlaceIntent(self._takes_in_hand(asset)))

    def cancels_intent(self, asset: str | None = None) -> Self:
        return self.asks(CancelIntent(self._takes_in_hand(asset)))

    def scales_in(self, asset: str | None = None) -> Self:
        return self.asks(ScaleIn(self._takes_in_hand(asset)))

    def protects(self, threshold: object = None, enabled: bool = True) -> Self:
        return self.asks(SetProtect(self.asset_in_hand, enabled, exactly(threshold)))

    def targets(self, points: object = None, enabled: bool = True) -> Self:
        return self.asks(SetPointsTarget(self.asset_in_hand, enabled, exactly(points)))

    def signals(self, toggle: bool = False, target: int | None = None, reset: bool = False) -> Self:
        return self.asks(SetSignalTarget(self.asset_in_hand, toggle, target, reset))

    def toggles(self, rule: Literal["high_next_bar", "main_flip", "four_pt_invalidation"]) -> Self:
        return self.asks(ToggleExit(self.asset_in_hand, TOGGLES[rule]))

    def consumes_trade(self) -> Self:
        return self.asks(ConsumeTrade())

    def hears_proposal(
        self, direction: Side = "BUY", asset: str | None = None, valid_for: float = 900, **more: Any
    ) -> Self:
        """Hear a program's proposal: at 5250, 10 points to the stop, 20 to the target. ``more``: its other fields."""
        sign = 1 if direction == "BUY" else -1
        entry, stop = more.pop("entry", 5250), more.pop("stop", 5250 - sign * 10)
        target = more.pop("target", 5250 + sign * 20)
        proposed = OpenProposal(
            self._takes_in_hand(asset),
            direction,
            known(exactly(entry)),
            known(exactly(stop)),
            more.pop("valid_until", self.now + timedelta(seconds=valid_for)),
            **{"source": "auto", "reason": "range break", "proposer": "service", **more},
            target=exactly(target),
        )
        return self.asks(proposed)

    def clicks_proposal(self, direction: Side | None = None, **terms: Any) -> Self:
        """Click the asset's open proposal."""
        proposal = self.proposal
        return self.enters(direction or proposal.direction, proposal=proposal.id, **terms)

    def dismisses(self, proposal: str | None = None) -> Self:
        return self.asks(DismissProposal(proposal or self.proposal.id))

    def withdraws(self, proposal: str, source: str = "auto", proposer: Proposer = "service") -> Self:
        return self.asks(WithdrawProposal(proposal, source, proposer))

    def switches_to(self, env: Literal["DEMO", "LIVE"]) -> Self:
        self._learns_that_markets_are_open(env)
        return self.asks(SwitchEnv(env))

    def limits(self, **limits: object) -> Self:
        """Change limits in the page. Times and hours of a day are texts; ``confirm`` is the held button."""
        confirm = bool(limits.pop("confirm", False))
        words: dict[str, str | None] = {
            name: value for name, value in limits.items() if isinstance(value, str) and ":" in value
        }
        numbers = {n: None if v is None else Decimal(str(v)) for n, v in limits.items() if n not in words}
        return self.asks(SetLimits(numbers, words, confirm))

    def changes_limit(self, name: str, value: object) -> Self:
        """Change one limit in the page; None turns it off."""
        if RULE_SETTING[name].is_text:
            return self.asks(SetLimits({}, {name: None if value is None else str(value)}))
        return self.asks(SetLimits({name: exactly(value)}))

    def locks_out(self, until: LockoutUntil) -> Self:
        """Lock entries, by the held button."""
        return self.asks(LockOut(until))

    def learns_hours(self, *news: NewsTime, fault: str | None = None, on: str | None = None) -> Self:
        """Learn the sessions of the real calendars from here on (or from ``on``), and news times."""
        since = self.now if on is None else new_york(on, "00:00")
        sessions = {symbol: sessions_after(symbol, since) for symbol in self.desk.assets}
        return self.asks(NoteSessions(sessions, tuple(news), fault))

    def turns_to(self, asset: str) -> Self:
        """Make another asset the current one."""
        self._takes_in_hand(asset)
        return self

    # -- the bridge -------------------------------------------------------------------------------------------

    def claims(self, owner: str = "bridge", limit: int = 20, *, has_ledger: bool = True) -> Self:
        """Claim as a bridge with a ledger of its own, or as one that knows only the contract and has no instance."""
        return self.asks(ClaimOrders(owner, limit, f"ledger of {owner}" if has_ledger else None))

    def reports(self, status: str, price: object = None, order: Order | None = None, **more: Any) -> Self:
        """Report on the asset's open order, or on any order. ``more``: qty, cum_qty, exec_id, reason, symbol, side."""
        order = order or self.order
        assert order is not None, f"no order of {self.asset_in_hand} is open"
        return self.asks(ReportExecution(order.id, OrderStatus(status), exactly(price), **more))

    def filled_at(self, price: object, asset: str | None = None) -> Self:
        """Claim the open order and fill it completely."""
        self._takes_in_hand(asset)
        order = self._claimed_order()
        return self.reports("FILLED", price, order, qty=order.qty, exec_id=self._execution())

    def partly_filled(self, qty: int, price: object) -> Self:
        return self.reports("PARTIALLY_FILLED", price, self._claimed_order(), qty=qty, exec_id=self._execution())

    def rejected(self, reason: str = "no margin") -> Self:
        return self.reports("REJECTED", order=self._claimed_order(), reason=reason)

    def cancelled(self, reason: str = "cancelled at the broker") -> Self:
        return self.reports("CANCELLED", order=self._claimed_order(), reason=reason)

    def broker_says(self, balance: object = None, **broker: Any) -> Self:
        """Take a snapshot in which the broker holds the desk's positions, except for the current asset.

        ``broker``: position, open_pnl, last_fill_price, avg_price of the current asset; realized, env, account, as_of
        of the snapshot. Unless told otherwise the broker's realized result moves with the balance.
        """
        amount = exactly(balance)
        if amount is not None and self._first_balance is None:
            self._first_balance = amount
        moved = None if amount is None or self._first_balance is None else amount - self._first_balance
        told = {"realized": moved, "as_of": self.now, **{n: broker.pop(n) for n in OF_THE_SNAPSHOT if n in broker}}
        told["realized"] = exactly(told["realized"])
        positions = tuple(self._broker_position(asset, broker) for asset in self.desk.assets.values())
        return self.asks(TakeSnapshot(balance=amount, positions=positions, **told))

    def loses(self, balance: object, **broker: Any) -> Self:
        """Hear the same balance twice, 2 s apart: one reading proves nothing (SPEC 5.6)."""
        return self.broker_says(balance, **broker).later(2).broker_says(balance, **broker)

    def hears_bridge(self, connected: bool = True, **told: Any) -> Self:
        """Hear the heartbeat of a bridge that executes DEMO and LIVE. ``told``: envs, account, kill_switch."""
        return self.asks(HearBridge(ts_connected=connected, **{"envs": ("DEMO", "LIVE"), **told}))

    def _broker_position(self, asset: Asset, broker: dict[str, Any]) -> BrokerPosition:
        contract = asset.trade.contract if asset.trade else asset.contract
        if asset.symbol != self.asset_in_hand:
            return BrokerPosition(contract.symbol, asset.position)
        position = broker.get("position", asset.position)
        prices = {name: exactly(broker.get(name)) for name in ("open_pnl", "avg_price", "last_fill_price")}
        return BrokerPosition(contract.symbol, position, **prices)  # type: ignore[arg-type]

    def _claimed_order(self) -> Order:
        if self.order is not None and self.order.status is OrderStatus.PENDING:
            self._asks_aside(ClaimOrders("bridge", instance="ledger of bridge"))
        assert self.order is not None, f"no order of {self.asset_in_hand} is open"
        return self.order

    def _execution(self) -> str:
        return f"exec-{next(self._executions)}"

    # -- whole trades -----------------------------------------------------------------------------------------

    def is_long(self, price: object = 5250.25, asset: str | None = None, **terms: Any) -> Self:
        """Hold a long SCALP of 5 from ``price``, with the initial exit lock still on."""
        return self.with_structure("green", asset).enters("BUY", **terms).filled_at(price)

    def is_short(self, price: object = 5250.25, asset: str | None = None, **terms: Any) -> Self:
        return self.with_structure("red", asset).enters("SELL", **terms).filled_at(price)

    def trades_once(self, asset: str | None = None) -> Self:
        """Open a trade and close it at its entry price."""
        return self.is_long(5250, asset).bricks(6, "green").exits().filled_at(5250)

    def adopts(self, position: int, price: object = 5250) -> Self:
        """Report a position at the broker that the desk does not know twice, so that the desk adopts it."""
        self.hears(price).broker_says(position=position, avg_price=price)
        return self.later(seconds=2).broker_says(position=position, avg_price=price)

    def brick_against(self, points: float) -> Self:
        """Close a brick against the open trade."""
        return self.brick(points, AGAINST[self.trade.side])

    def brick_with(self, points: float) -> Self:
        return self.brick(points, WITH[self.trade.side])

    def unlocks_management(self) -> Self:
        return self.brick_against(2.5)

    # -- results ----------------------------------------------------------------------------------------------

    @property
    def desk(self) -> Desk:
        return self._sheets[-1].desk

    @property
    def asset(self) -> Asset:
        return self.desk.assets[self.asset_in_hand]

    @property
    def trade(self) -> Trade:
        assert self.asset.trade is not None, f"{self.asset_in_hand} is flat"
        return self.asset.trade

    @property
    def protections(self) -> Protections:
        return self.trade.protections

    @property
    def position(self) -> int:
        return self.asset.position

    @property
    def order(self) -> Order | None:
        """The open order of the current asset."""
        return self.desk.open_order(self.asset_in_hand)

    @property
    def open_order(self) -> Order:
        """The open order of the current asset, where there must be one."""
        return known(self.order)

    @property
    def due_exit(self) -> DueExit:
        """The exit of the current asset that is due, where there must be one."""
        return known(self.asset.due_exit)

    @property
    def preorder(self) -> PreOrder:
        """The last pre-order of the current asset, where there must be one."""
        return known(self.asset.preorder)

    @property
    def proposal(self) -> Proposal:
        """The open proposal of the current asset, where there must be one."""
        return known(self.asset.proposal)

    @property
    def intent(self) -> Intent:
        """The last intent of the current asset, where there must be one."""
        return known(self.asset.intent)

    @property
    def exit_source(self) -> str | None:
        """The rule of the open exit order, None without one."""
        return self.order.source if self.order is not None and self.order.kind == "EXIT" else None

    def ended(self, order: Order | None) -> Order:
        """Return an order in its final state."""
        assert order is not None, "there was no order"
        ended = self._recall(order.id)
        assert ended is not None, f"order {order.id} is still open"
        return ended

    @property
    def trades(self) -> list[TradeClosed]:
        """The closed trades, oldest first, each in its latest form."""
        return list({trade.id: trade for sheet in self._sheets for trade in sheet.trades}.values())

    @property
    def alerts(self) -> list[str]:
        """The codes of all alerts in the desk's list, oldest first."""
        return [alert.code for alert in self.desk.alerts]

    @property
    def last_alert(self) -> Alert:
        return self.desk.alerts[-1]

    @property
    def decision(self) -> Decision:
        return self.decisions[-1]

    @property
    def events(self) -> tuple[AnyEvent, ...]:
        """The events of the last command."""
        return self.decision.events

    def told(self, kind: type[KindT]) -> list[KindT]:
        """All events of one kind since the story began."""
        return [event for decision in self.decisions for event in decision.events if isinstance(event, kind)]

    @property
    def refused_by(self) -> str | None:
        """The gate that refused the last command, or the code of another refusal, or None."""
        if not isinstance(self.answer, Refusal):
            return None
        return self.answer.gate or self.answer.code

    @property
    def refusal(self) -> Refusal:
        assert isinstance(self.answer, Refusal), f"not refused: {self.answer}"
        return self.answer

    @property
    def rungs(self) -> dict[str, Rung]:
        """The rungs of the last refused entry, by gate."""
        return {rung.gate: rung for rung in self.refusal.ladder}

    def answered(self, kind: type[KindT]) -> KindT:
        """The answer to the last command, where it must be of that kind."""
        return of_type(kind, self.answer)

    @property
    def brick_answer(self) -> BrickTaken:
        return self.answered(BrickTaken)

    @property
    def is_duplicate(self) -> bool:
        return bool(getattr(self.answer, "duplicate", False))

    @property
    def handed_over(self) -> tuple[Handover, ...]:
        return self.answered(OrdersHandedOver).handovers

    def gate_for(self, direction: Side | None = None, asset: str | None = None, override: bool = False) -> str | None:
        """Return the gate that would refuse an entry now, None when it would be accepted. Submits nothing."""
        command = EnterMarket(asset or self.asset_in_hand, "SCALP", "6pt", direction, override)
        answer = decide(self.desk, command, self.now).answer
        return (answer.gate or answer.code) if isinstance(answer, Refusal) else None

    @property
    def may_enter(self) -> bool:
        return self.gate_for("BUY") is None or self.gate_for("SELL") is None

    # -- the journal ------------------------------------------------------------------------------------------

    def asks(self, command: AnyCommand) -> Self:
        """Decide a command and journal it."""
        self.answer = self._asks_aside(command).answer
        return self

    def _asks_aside(self, command: AnyCommand) -> Decision:
        decisions = self._sheets[-1].decide(command, self.now)
        self.decisions += decisions
        return decisions[-1]

    def _recall(self, order_id: str) -> Order | None:
        changed = (order for decision in reversed(self.decisions) for order in decision.orders)
        return next((order for order in changed if order.id == order_id), None)

    def restarts(self, **settings: object) -> Self:
        """Load the desk again from its stored form; ``settings`` are new in the environment."""
        self._asks_aside(KeepObservations())
        desk = documents.read_desk(_stored(self.desk))
        self._sheets.append(CommitBatch(desk, desk, {}, self._recall))
        return self.asks(ConfigureDesk(replace(desk.configured, **settings)))

    def is_killed(self) -> Self:
        """Start again from what the last durable decision has stored: what was only observed since is gone."""
        durable = next(decision.desk for decision in reversed(self.decisions) if decision.is_durable)
        desk = documents.read_desk(_stored(durable))
        self._sheets.append(CommitBatch(desk, desk, {}, self._recall))
        return self

    @property
    def records(self) -> list[Record]:
        """Return what projections recorded; of records that replace each other the last one since a start."""
        return [record for sheet in self._sheets for record in sheet.records]

    def records_of(self, kind: Kind) -> list[Record]:
        """The records of one kind since the program was started last."""
        return self._sheets[-1].records_of(kind)

    @property
    def journal(self) -> list[JournalRow]:
        return [row for sheet in self._sheets for row in sheet.rows]

    def replays_equal(self) -> bool:
        """Return whether a replay of the journal from the first desk gives the stored documents."""
        self._asks_aside(KeepObservations())
        replayed = replay(self.opening, iter(self.journal))
        assert replayed.orders == self.desk.orders
        assert list(desk_differences(replayed, self.desk, "the desk")) == []
        return True

    def _takes_in_hand(self, asset: str | None) -> str:
        self.asset_in_hand = asset or self.asset_in_hand
        return self.asset_in_hand


def replay(opening: Desk, rows: Iterator[JournalRow]) -> Desk:
    """Decide every journaled command again, with the prices and ages that the writer had before it."""
    desk = opening
    for row in rows:
        if row.observed is not None:
            desk = documents.with_observations(desk, documents.read_observed(row.observed))
        decision = decide(desk, documents.read_command(row.command), row.at)
        again = documents.write_events(decision.events)
        assert again == row.events, f"row {row.sequence} {row.kind} replayed otherwise"
        desk = replace(decision.desk, sequence=row.sequence)
    return desk


def _stored(desk: Desk) -> Stored:
    orders = [documents.write_order(desk.orders[name]) for name in sorted(desk.orders)]  # as a store returns them
    return Stored(Head(desk.sequence, 1, 1, "", "1"), documents.desk_documents(desk), orders)
