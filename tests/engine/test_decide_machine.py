"""Whatever is asked in whatever order, the desk's promises hold (SPEC 4, 5, 7, 8).

A hypothesis state machine drives ``decide`` over three assets with everything a market, a trader and a broken
bridge can do. Beside it runs ``Shadow``, a second and much simpler reading of SPEC: it learns from commands and
from what was told, computes the gates by itself and never calls ``gates.py``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec.structs import replace

from services.engine.decide import Decision, decide, pass_time
from services.engine.model.bridge_commands import BrokerPosition, ClaimOrders, HearBridge, ReportExecution, TakeSnapshot
from services.engine.model.commands import (
    AnyCommand,
    CancelIntent,
    CancelPreOrder,
    CloseBrick,
    ConsumeTrade,
    EnterMarket,
    ExitAll,
    ExitPosition,
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
    ToggledExit,
    ToggleExit,
    TouchLevel,
)
from services.engine.model.events import (
    DayRolled,
    EntryAccepted,
    OrderEnded,
    OrderQueued,
    OrderReported,
    PreOrderEnded,
)
from services.engine.model.order import Order
from services.engine.model.replies import BrickTaken, Done, ExitsTaken, OrdersHandedOver, OrderTaken, Refusal
from services.engine.model.state import AssetLive, Desk, DeskLive
from services.engine.model.trade_events import TradeClosed, TradeOpened, TradeResized
from tests.support.builders import AGAINST, CONTRACTS, NEW_YORK, TOGGLES, WITH
from tests.support.narrow import known, of_type
from tests.support.trader import Trader
from wire.types import Color, Env, OrderStatus, Side, SizeMode, Stream, TradeMode

ASSETS = ("ES", "NQ", "YM")
SIGN = {"BUY": 1, "SELL": -1}
STARTS = (
    ("2026-11-17", "09:31:10"),
    ("2026-11-17", "17:58:00"),
    ("2026-03-06", "17:50:00"),  # the last hours before the clocks go forward
    ("2026-11-01", "00:58:00"),  # the hour that comes twice is near
)

PREORDER_ASKS = ("daily_stop", "trade_limit", "cooldown", "candle_lock", "pending_order", "position", "heartbeat")
INTENT_ASKS = ("daily_stop", "trade_limit", "cooldown", "pending_order", "position", "heartbeat")
SCALE_IN_ASKS = ("daily_stop", "pending_order", "heartbeat", "reconcile", "bridge")
TIGHTER = {  # which way is tighter, and values to choose from; candles lie inside each other
    "max_trades_per_day": (min, (1, 2, 3, 6)),
    "daily_stop_limit_pct": (min, (Decimal("0.5"), Decimal(1), Decimal(2), Decimal(3))),
    "cooldown_seconds": (max, (0, 60, 180, 600)),
    "candle_seconds": (max, (60, 300, 900)),
    "heartbeat_max_age_seconds": (min, (300, 600, 900)),
    "bridge_max_age_seconds": (min, (10, 30, 60)),
    "two_half_filter": (max, (False, True)),
}

assets = st.sampled_from(ASSETS)
colors = st.sampled_from(["green", "red"])
sides = st.sampled_from(["BUY", "SELL"])
owners = st.sampled_from(["alpha", "beta"])
moments = st.sampled_from([0.000001, 0.5, 1, 1, 2, 2, 5, 10, 29.999999, 30, 60, 179, 180, 300, 599, 600, 3600, 90_000])
prices = st.sampled_from([5235, 5249, 5250, 5251, 5264, 5265, 5300])


some_limits = st.dictionaries(st.sampled_from(sorted(TIGHTER)), st.integers(0, 3), min_size=1, max_size=3).map(
    lambda chosen: {name: TIGHTER[name][1][which % len(TIGHTER[name][1])] for name, which in chosen.items()}
)


class Shadow:
    """The gates as SPEC 4 and 5 read, kept beside the desk."""

    def __init__(self, max_trades: int, filters: bool, live: bool, now: datetime) -> None:
        self.rules: dict[str, Any] = {
            "max_trades_per_day": max_trades,
            "daily_stop_limit_pct": Decimal(2),
            "cooldown_seconds": 180,
            "candle_seconds": 300,
            "heartbeat_max_age_seconds": 600,
            "bridge_max_age_seconds": 30,
            "two_half_filter": filters,
        }
        self.wanted, self.configured = dict(self.rules), dict(self.rules)
        self.is_live = live
        self.day = self.trading_day(now)
        self.start_equity: Decimal | None = None
        self.other_start_equity: Decimal | None = None
        self.equity: Decimal | None = None
        self.intent: dict[str, str] = {}
        self.preorder: dict[str, tuple[str, bool]] = {}
        self.scale_in: dict[str, str] = {}
        self.protections: dict[str, dict[str, Any]] = {}
        self.fresh_high = dict.fromkeys(ASSETS, 0)
        self.entry_zone: dict[str, str] = {}
        self.entry_mode: dict[str, str] = {}
        self.is_stopped = False
        self.trades_taken = 0
        self.cooldown_until: datetime | None = None
        self.candle: datetime | None = None
        self.bridge_at: datetime | None = None
        self.bridge_connected = False
        self.heard: dict[str, datetime] = {}
        self.position = dict.fromkeys(ASSETS, 0)
        self.open: dict[str, Any] = {}
        self.orders: dict[str, Any] = {}
        self.colors: dict[tuple[str, Stream], str] = {}
        self.token = dict.fromkeys(ASSETS, False)
        self.fresh_main = dict.fromkeys(ASSETS, 0)
        self.flip_may_rearm = dict.fromkeys(ASSETS, False)
        self.disagreement: dict[str, tuple[int, datetime]] = {}

    @staticmethod
    def trading_day(now: datetime) -> Any:
        """Return New York's date six hours later, and Monday's for a weekend."""
        local = now.astimezone(NEW_YORK).replace(tzinfo=None) + timedelta(hours=6)
        return (local + timedelta(days={5: 2, 6: 1}.get(local.weekday(), 0))).date()

    def candle_of(self, now: datetime) -> tuple[Any, ...]:
        local = now.astimezone(NEW_YORK)
        return (local.date(), local.hour, local.fold, local.minute // (self.rules["candle_seconds"] // 60))

    def wants(self, limits: dict[str, Any]) -> None:
        """Tighten at once; what is looser waits for the roll."""
        self.wanted |= limits
        for name, value in self.wanted.items():
            self.rules[name] = TIGHTER[name][0](self.rules[name], value)
        self._weigh_the_day()

    def is_configured(self, settings: dict[str, Any]) -> None:
        """A restart: only what the environment changed is wanted anew."""
        self.wants({name: value for name, value in settings.items() if self.configured[name] != value})
        self.configured |= settings

    def switches_account(self) -> None:
        """Each environment's account has its own start of the day; the new one's equity is not known yet."""
        self.is_live = not self.is_live
        self.start_equity, self.other_start_equity = self.other_start_equity, self.start_equity
        self.equity = None

    # -- what it learns ---------------------------------------------------------------------------------------

    def roll(self, now: datetime) -> bool:
        if (today := self.trading_day(now)) <= self.day:
            return False
        self.day, self.start_equity, self.is_stopped, self.trades_taken = today, None, False, 0
        self.other_start_equity = None
        self.rules = dict(self.wanted)
        return True

    def learn(self, decision: Decision, now: datetime) -> None:
        rolled = self.roll(now)
        assert rolled == any(isinstance(event, DayRolled) for event in decision.events)
        for event in decision.events:
            match event:
                case OrderQueued():
                    assert event.asset not in self.open, "a second open order"
                    self.open[event.asset] = self.orders[event.order_id] = event
                case OrderReported(qty=qty) if qty:
                    self._fill(self.orders[event.order_id], qty, now)
                case OrderEnded():
                    assert self.open.pop(event.asset).order_id == event.order_id
                    if event.kind == "ENTRY" and event.filled_qty == 0:
                        self._give_back(event, now)
                    elif event.kind == "SCALE_IN" and event.filled_qty == 0:
                        self.scale_in[event.asset] = "available"
                case EntryAccepted():
                    self.token[event.asset] = self.flip_may_rearm[event.asset] = False
                    self.candle = now
                    self.entry_zone[event.asset] = self._zone(event.asset)
                    if self.intent.get(event.asset) in ("WAITING", "READY"):
                        self.intent[event.asset] = "USED"
                    self.preorder.pop(event.asset, None)
                case TradeOpened(adopted=True):
                    self.position[event.asset] = SIGN[event.side] * event.qty
                    self._open(event.asset, "SCALP", "ADOPTED")
                case TradeResized():
                    sign = 1 if self.position[event.asset] > 0 else -1
                    self.position[event.asset] = sign * event.quantity
                case TradeClosed(reason="BROKER_FLAT"):
                    self._flat(event.asset, now)

    def _fill(self, order: Any, qty: int, now: datetime) -> None:
        asset, before = order.asset, self.position[order.asset]
        self.position[asset] += SIGN[order.side] * qty
        if before == 0:
            self.trades_taken += 1
            self._open(asset, self.entry_mode[asset], self.entry_zone[asset])
        if self.position[asset] == 0:
            self._flat(asset, now)

    def _open(self, asset: str, mode: str, zone: str) -> None:
        self.fresh_main[asset] = self.fresh_high[asset] = 0
        self.scale_in[asset] = "locked"
        self.protections[asset] = {
            "points_tp_enabled": mode == "SCALP",
            "points_tp_target": Decimal(15),
            "protect_enabled": False,
            "protect_threshold_points": Decimal(-2),
            "tp_armed": False,
            "tp_target": 3,
            "tp_count": 0,
            "high_next_bar_exit_enabled": False,
            "main_flip_exit_enabled": zone == "FREE",
            "four_pt_invalidation_enabled": False,
        }

    def _flat(self, asset: str, now: datetime) -> None:
        self.position[asset] = 0
        self.scale_in.pop(asset)
        self.protections.pop(asset)
        self.flip_may_rearm[asset] = self.fresh_main[asset] > 0
        self.cooldown_until = now + timedelta(seconds=self.rules["cooldown_seconds"])

    def _give_back(self, event: OrderEnded, now: datetime) -> None:
        self.token[event.asset] = True
        created = datetime.fromtimestamp(int(event.order_id[:12], 16) / 1000, UTC)
        used = self.candle and self.candle_of(self.candle)
        if used == self.candle_of(created) == self.candle_of(now):
            self.candle = None

    def see_brick(self, asset: str, stream: Stream, color: str) -> None:
        before = self.colors.get((asset, stream), "neutral")
        self.colors[asset, stream] = color
        if stream is Stream.MAIN:
            self.token[asset] = True
            self.fresh_main[asset] += 1
            if self.intent.get(asset) in ("WAITING", "READY"):
                self.intent[asset] = "READY" if self.intent[asset] == "WAITING" else "EXPIRED"
        elif stream is Stream.HIGH:
            self.fresh_high[asset] += 1
        is_flip = stream is Stream.FOUR and {before, color} == {"green", "red"}
        if is_flip and self.position[asset] == 0 and self.flip_may_rearm[asset]:
            self.token[asset] = True
        if self.position[asset]:
            self._see_brick_in_trade(asset, stream, is_flip, color == WITH[self.side(asset)])

    def _see_brick_in_trade(self, asset: str, stream: Stream, is_flip: bool, is_with: bool) -> None:
        unlocks = (stream is Stream.MAIN and is_with) or (is_flip and not is_with)
        if unlocks and self.scale_in[asset] == "locked":
            self.scale_in[asset] = "available"
        protections = self.protections[asset]
        if stream is Stream.MAIN and not is_with and protections["tp_armed"]:
            protections["tp_count"] += 1

    def side(self, asset: str) -> str:
        return "BUY" if self.position[asset] > 0 else "SELL"

    def exit_of_brick(self, asset: str, stream: Stream, color: str) -> bool:
        """Tell whether a brick makes an exit due, price and day apart (SPEC 7.1)."""
        if not self.position[asset]:
            return False
        armed, against = self.protections[asset], color == AGAINST[self.side(asset)]
        return (
            (stream is Stream.FOUR and against and armed["four_pt_invalidation_enabled"])
            or (armed["tp_armed"] and armed["tp_count"] >= armed["tp_target"] and self.fresh_main[asset] > 0)
            or (stream is Stream.MAIN and against and armed["main_flip_exit_enabled"])
            or (stream is Stream.HIGH and (against or armed["high_next_bar_exit_enabled"]))
        )

    def is_managed(self, asset: str) -> bool:
        """Tell whether the management lock holds (SPEC 6.2)."""
        return self.colors.get((asset, Stream.TWO_HALF)) != AGAINST[self.side(asset)]

    def see_balance(self, balance: Decimal) -> None:
        self.start_equity, self.equity = self.start_equity or balance, balance
        self._weigh_the_day()

    def _weigh_the_day(self) -> None:
        if self.start_equity is None or self.equity is None:
            return
        if (self.start_equity - self.equity) * 100 >= self.rules["daily_stop_limit_pct"] * self.start_equity:
            self.is_stopped = True

    def see_positions(
        self, held: dict[str, tuple[int, int]], decision: Decision, now: datetime, open_before: set[str]
    ) -> None:
        followed = {
            event.asset
            for event in decision.events
            if isinstance(event, TradeResized)
            or (isinstance(event, TradeOpened) and event.adopted)
            or (isinstance(event, TradeClosed) and event.reason == "BROKER_FLAT")
        }
        for asset, (position, before) in held.items():
            if position == before:
                assert asset not in followed
                self.disagreement.pop(asset, None)
            elif asset in open_before:
                assert asset not in followed, "followed the broker while an order was open"
                if asset in self.disagreement:
                    self.disagreement[asset] = (position, now)
            elif asset in followed:
                broker, since = self.disagreement.pop(asset)
                assert broker == position, "followed another disagreement"
                assert now >= since + timedelta(seconds=2), "followed too soon"
                assert self.position[asset] == position
            elif self.disagreement.get(asset, (None,))[0] != position:
                self.disagreement[asset] = (position, now)

    # -- what it says -----------------------------------------------------------------------------------------

    def _zone(self, asset: str) -> str:
        high, macro = (self.colors.get((asset, stream)) for stream in (Stream.HIGH, Stream.MACRO))
        return "NONE" if high is None or macro is None else "NORMAL" if high == macro else "FREE"

    def what_waits(self, asset: str) -> bool:
        return asset in self.preorder or self.intent.get(asset) in ("WAITING", "READY")

    def refusal_of(self, asks: tuple[str, ...], asset: str, now: datetime) -> str | None:
        """Return the first closed gate of a subset; none of those with a direction is ever in one."""
        closed = self.closed_gates(asset, None, False, now)
        return next((gate for gate in closed if gate in asks), None)

    def refusal_of_env(self, env: str, now: datetime) -> str | None:
        if (env == "LIVE") == self.is_live:
            return None
        waits = any(self.what_waits(asset) for asset in ASSETS)
        if waits or self.open or self.disagreement or any(self.position.values()):
            return "not_flat"
        return "bridge_down" if env == "LIVE" and self._bridge_is_late(now) else None

    def _bridge_is_late(self, now: datetime) -> bool:
        age = timedelta(seconds=self.rules["bridge_max_age_seconds"])
        return self.bridge_at is None or now - self.bridge_at >= age or not self.bridge_connected

    def direction(self, asset: str, asked: str | None) -> str | None:
        high, macro = (self.colors.get((asset, stream)) for stream in (Stream.HIGH, Stream.MACRO))
        structure = {"green": "BUY", "red": "SELL"}.get(high or "") if high == macro else None
        return asked or structure

    def closed_gates(self, asset: str, asked: str | None, override: bool, now: datetime) -> list[str]:
        high, macro = (self.colors.get((asset, stream)) for stream in (Stream.HIGH, Stream.MACRO))
        direction = self.direction(asset, asked)
        no_zone = high is None or macro is None
        against = high == macro and AGAINST.get(direction or "") == high
        undecided = high != macro and asked is None
        heard = self.heard.get(asset)
        heartbeat_age = timedelta(seconds=self.rules["heartbeat_max_age_seconds"])
        two_half = self.colors.get((asset, Stream.TWO_HALF))
        closed = {
            "daily_stop": self.is_stopped,
            "trade_limit": self.trades_taken >= self.rules["max_trades_per_day"],
            "cooldown": self.cooldown_until is not None and now < self.cooldown_until,
            "candle_lock": self.candle is not None and self.candle_of(self.candle) == self.candle_of(now),
            "pending_order": asset in self.open,
            "position": self.position[asset] != 0,
            "heartbeat": heard is None or now - heard >= heartbeat_age,
            "tempo": not self.token[asset],
            "zone": not override and (no_zone or against or undecided),
            "two_half_filter": self.rules["two_half_filter"] and two_half == AGAINST.get(direction or "", "none"),
            "reconcile": asset in self.disagreement,
            "bridge": self.is_live and self._bridge_is_late(now),
        }
        return [gate for gate, is_closed in closed.items() if is_closed]


class DeskMachine(RuleBasedStateMachine):
    """Everything that can be asked, in any order; the invariants are in ``ask`` and at the end."""

    @initialize(start=st.sampled_from(STARTS), live=st.booleans(), filters=st.booleans(), limit=st.integers(1, 4))
    def open(self, start: tuple[str, str], live: bool, filters: bool, limit: int) -> None:
        self.trader = Trader(
            on=start[0],
            at=start[1],
            assets=ASSETS,
            env="LIVE" if live else "DEMO",
            is_heard=False,
            max_trades_per_day=limit,
            two_half_filter=filters,
            generation=1,
        )
        self.shadow = Shadow(limit, filters, live, self.now)
        self.final: dict[str, OrderStatus] = {}
        self.flattening: set[str] = set()
        self.owner_of_entry: dict[str, str] = {}
        self.sent: list[CloseBrick] = []
        self.newest: dict[tuple[str, Stream], datetime] = {}
        self.count = 0

    @property
    def now(self) -> datetime:
        return self.trader.now

    @property
    def desk(self) -> Desk:
        return self.trader.desk

    def ask(self, command: AnyCommand) -> Decision:
        """Have a command decided, and hold the decision against every promise."""
        before, decided = self.desk, len(self.trader.decisions)
        passed = pass_time(before, self.now)
        assert pass_time(passed.desk, self.now) == replace(passed, events=(), orders=()), "time passed twice"
        self.trader.asks(command)
        for decision in self.trader.decisions[decided:]:
            self.shadow.learn(decision, self.now)
            self._check_final_orders(decision)
            if isinstance(decision.answer, Refusal):
                assert without_alerts(decision.desk) == without_alerts(before), "a refusal changed the desk"
            if not decision.is_durable:
                assert without_prices(decision.desk) == without_prices(before), "a change was not told"
            before = decision.desk
        for symbol, asset in self.desk.assets.items():
            due = asset.due_exit
            if due is not None and self.desk.open_order(symbol) is None:
                assert due.retry_at is not None, "a due exit waits for nothing"
                assert self.now < due.retry_at, "a due exit was not pursued in its time"
        return self.trader.decision

    def _check_final_orders(self, decision: Decision) -> None:
        for order in decision.orders:
            assert self.final.get(order.id, order.status) is order.status, "a final status changed"
            if order.status.is_final:
                self.final[order.id] = order.status
            assert 0 <= order.filled_qty <= order.qty

    # -- time -------------------------------------------------------------------------------------------------

    @rule(seconds=moments, ticks=st.booleans())
    def time_passes(self, seconds: float, ticks: bool) -> None:
        self.trader.now += timedelta(seconds=seconds)
        if ticks:
            self.ask(TickClock())

    @rule()
    def next_candle_begins(self) -> None:
        into = timedelta(seconds=self.now.timestamp() % 300)
        self.trader.now = self.now.replace(microsecond=0) + timedelta(seconds=300 - int(into.total_seconds()))

    @rule(settings=st.just({}) | some_limits)
    def program_restarts(self, settings: dict[str, Any]) -> None:
        """Start again, perhaps with another environment. A candle is not resized under an entry on its way."""
        self.ask(TickClock())
        if any(order.kind == "ENTRY" for order in self.shadow.open.values()):
            settings = {name: value for name, value in settings.items() if name != "candle_seconds"}
        decided = len(self.trader.decisions)
        self.trader.restarts(**settings)
        self.shadow.is_configured(settings)
        for decision in self.trader.decisions[decided:]:
            self.shadow.learn(decision, self.now)
            self._check_final_orders(decision)
        self.ask(TickClock())

    # -- the market -------------------------------------------------------------------------------------------

    @rule(asset=assets, stream=st.sampled_from(Stream), color=colors, timed=st.booleans())
    def brick_closes(self, asset: str, stream: Stream, color: Color, timed: bool) -> None:
        self.count += 1
        bar_at = self.now if timed else None
        brick = CloseBrick(asset, stream, color, bar_id=f"brick-{self.count}", bar_at=bar_at)
        self._apply(brick)
        if stream is not Stream.ONE:
            self.sent.append(brick)

    @rule(asset=assets, high=colors, macro=colors)
    def zone_forms(self, asset: str, high: Color, macro: Color) -> None:
        for stream, color in ((Stream.MACRO, macro), (Stream.HIGH, high), (Stream.MAIN, high)):
            self._apply(CloseBrick(asset, stream, color))

    def _apply(self, brick: CloseBrick) -> None:
        self.ask(TickClock())
        asset, stream, color = brick.asset, brick.stream, brick.color
        if brick.bar_at is not None:
            self.newest[asset, stream] = brick.bar_at
        if stream is not Stream.ONE:
            self.shadow.see_brick(asset, stream, color)
        is_due = self.shadow.exit_of_brick(asset, stream, color)
        preorder = self.shadow.preorder.get(asset) if stream is Stream.MAIN else None
        fires = preorder is not None and color == WITH[preorder[0]] and not self._closed_for(asset, preorder)
        decision = self.ask(brick)
        answer = of_type(BrickTaken, decision.answer)
        assert not answer.duplicate
        assert not answer.stale
        if preorder is not None:
            (ended,) = [event for event in decision.events if isinstance(event, PreOrderEnded)]
            assert ended.fired is fires, f"pre-order ended with {ended.reason}"
            assert fires or ended.reason
            self.shadow.preorder.pop(asset, None)
        if is_due:
            self._must_be_leaving(asset)

    def _closed_for(self, asset: str, preorder: tuple[str, bool]) -> list[str]:
        return self.shadow.closed_gates(asset, preorder[0], preorder[1], self.now)

    def _must_be_leaving(self, asset: str) -> None:
        order = self.desk.open_order(asset)
        is_leaving = self.desk.assets[asset].due_exit is not None or (order is not None and order.kind == "EXIT")
        assert is_leaving, f"an exit of {asset} that came due was lost"

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(0, 10**6))
    def brick_is_sent_again(self, which: int) -> None:
        assert of_type(BrickTaken, self.ask(self.sent[which % len(self.sent)]).answer).duplicate

    @precondition(lambda self: any(self.shadow.position.values()))
    @rule(stream=st.sampled_from([Stream.FOUR, Stream.MAIN, Stream.HIGH]), asset=assets)
    def market_turns(self, stream: Stream, asset: str) -> None:
        """Close a brick against what is held."""
        if position := self.shadow.position[asset]:
            self._apply(CloseBrick(asset, stream, AGAINST["BUY" if position > 0 else "SELL"]))

    @precondition(lambda self: self.newest)
    @rule(which=st.integers(0, 10**6), color=colors)
    def brick_comes_late(self, which: int, color: Color) -> None:
        (asset, stream), newest = list(self.newest.items())[which % len(self.newest)]
        self.count += 1
        late = CloseBrick(asset, stream, color, f"late-{self.count}", newest - timedelta(microseconds=1))
        assert of_type(BrickTaken, self.ask(late).answer).stale

    @rule(asset=assets, price=st.none() | prices, delay=st.sampled_from([None, 0, 1, 700, -30, -90]))
    def price_is_heard(self, asset: str, price: float | None, delay: float | None) -> None:
        sent_at = None if delay is None else self.now - timedelta(seconds=delay)
        self.ask(NotePrice(asset, None if price is None else Decimal(price), sent_at))
        heard = self.now if sent_at is None or sent_at > self.now + timedelta(seconds=60) else sent_at
        self.shadow.heard[asset] = max(heard, self.shadow.heard.get(asset, heard))

    @rule(asset=assets)
    def level_is_touched(self, asset: str) -> None:
        answer = self.ask(TouchLevel(asset)).answer
        assert isinstance(answer, OrderTaken)
        assert (answer.ignored == "no_position") == (self.shadow.position[asset] == 0)

    # -- the operator -----------------------------------------------------------------------------------------

    @rule(
        asset=assets,
        direction=st.none() | sides,
        override=st.booleans(),
        mode=st.sampled_from(["SCALP", "RUNNER"]),
        size=st.sampled_from(["6pt", "9pt"]),
    )
    def operator_enters(
        self, asset: str, direction: Side | None, override: bool, mode: TradeMode, size: SizeMode
    ) -> None:
        command = EnterMarket(asset, mode, size, direction, override and direction is not None)
        unpolled = decide(self.desk, command, self.now).answer
        self.ask(TickClock())
        gates = self.shadow.closed_gates(asset, direction, command.override, self.now)
        if not gates:
            self.shadow.entry_mode[asset] = mode
        answer = self.ask(command).answer
        assert answer == unpolled, "the answer depended on somebody having polled"
        assert (answer.gate if isinstance(answer, Refusal) else None) == (gates[0] if gates else None)
        if isinstance(answer, Refusal):
            assert [rung.gate for rung in answer.ladder if not rung.is_open] == gates
        else:
            assert known(of_type(OrderTaken, answer).order).side == self.shadow.direction(asset, direction)

    @rule(
        asset=assets,
        high=colors,
        macro=colors,
        mode=st.sampled_from(["SCALP", "RUNNER"]),
        calm=st.booleans(),
        fills=st.integers(0, 5),
    )
    def operator_enters_a_living_market(
        self, asset: str, high: Color, macro: Color, mode: TradeMode, calm: bool, fills: int
    ) -> None:
        """Take away what refuses most entries: silence, structure and, when calm, the last candle and cooldown."""
        if calm:
            self.trader.now += timedelta(seconds=300)
        self.bridge_is_heard(connected=True)
        self.price_is_heard(asset, price=5250, delay=None)
        self.zone_forms(asset, high, macro)
        direction: Side = "BUY" if high == "green" else "SELL"
        self.operator_enters(asset, direction, override=False, mode=mode, size="6pt")
        order = self.desk.open_order(asset)
        if fills and order is not None and fills <= order.remaining:
            self._fill(order, 5250, None if fills == order.qty else fills)

    @rule(asset=assets, force=st.booleans())
    def operator_exits(self, asset: str, force: bool) -> None:
        self.ask(ExitPosition(asset, force))

    @rule(force=st.booleans())
    def operator_exits_all(self, force: bool) -> None:
        answer = self.ask(ExitAll(force)).answer
        self.shadow.preorder.clear()
        assert isinstance(answer, ExitsTaken)
        assert not (force and answer.skipped)
        skipped = {skip.asset for skip in answer.skipped}
        self.flattening |= {asset for asset in ASSETS if self.shadow.position[asset] and asset not in skipped}
        self.flattening |= set(answer.latched)

    @rule(
        asset=assets,
        direction=st.none() | sides,
        override=st.booleans(),
        mode=st.sampled_from(["SCALP", "RUNNER"]),
        calm=st.booleans(),
    )
    def operator_places_preorder(
        self, asset: str, direction: Side | None, override: bool, mode: TradeMode, calm: bool
    ) -> None:
        if calm:
            self.trader.now += timedelta(seconds=300)
            self.bridge_is_heard(connected=True)
            self.price_is_heard(asset, price=5250, delay=None)
        self.ask(TickClock())
        side = direction or (None if override else self.shadow.direction(asset, None))
        gate = self.shadow.refusal_of(PREORDER_ASKS, asset, self.now)
        expected = "direction_required" if side is None else gate
        if expected is None and self.shadow.what_waits(asset):
            expected = "already_waiting"
        self._is_answered(PlacePreOrder(asset, mode, "6pt", direction, override), expected)
        if expected is None and side is not None:
            self.shadow.preorder[asset] = (side, override)
            self.shadow.entry_mode[asset] = mode

    @rule(asset=assets)
    def operator_intends(self, asset: str) -> None:
        self.ask(TickClock())
        expected = self.shadow.refusal_of(INTENT_ASKS, asset, self.now)
        if expected is None and self.shadow.what_waits(asset):
            expected = "already_waiting"
        self._is_answered(PlaceIntent(asset), expected)
        if expected is None:
            self.shadow.intent[asset] = "WAITING"

    @rule(asset=assets)
    def operator_cancels_what_waits(self, asset: str) -> None:
        self.ask(TickClock())
        self._is_answered(CancelPreOrder(asset), None if asset in self.shadow.preorder else "nothing_waiting")
        self.shadow.preorder.pop(asset, None)
        waits = self.shadow.intent.get(asset) in ("WAITING", "READY")
        self._is_answered(CancelIntent(asset), None if waits else "nothing_waiting")
        if waits:
            self.shadow.intent[asset] = "CANCELLED"

    @rule(asset=assets)
    def operator_scales_in(self, asset: str) -> None:
        self.ask(TickClock())
        expected = self.shadow.refusal_of(SCALE_IN_ASKS, asset, self.now)
        if not self.shadow.position[asset]:
            expected = "nothing_to_manage"
        elif expected is None and self.shadow.scale_in[asset] != "available":
            expected = "scale_in_unavailable"
        answer = self._is_answered(ScaleIn(asset), expected)
        if expected is None:
            self.shadow.scale_in[asset] = "used"
            assert (answer.order.side, answer.order.kind) == (self.shadow.side(asset), "SCALE_IN")

    @precondition(lambda self: "available" in self.shadow.scale_in.values())
    @rule(fills=st.integers(0, 5))
    def operator_scales_in_a_living_market(self, fills: int) -> None:
        asset = next(asset for asset, status in self.shadow.scale_in.items() if status == "available")
        self.bridge_is_heard(connected=True)
        self.price_is_heard(asset, price=5250, delay=None)
        self.operator_scales_in(asset)
        order = self.desk.open_order(asset)
        if fills and order is not None and order.kind == "SCALE_IN":
            self._fill(order, 5251, None if fills == order.qty else fills)

    @precondition(lambda self: any(self.shadow.position.values()))
    @rule(
        asset=assets,
        threshold=st.none() | st.sampled_from(["-2", "0.5", "0"]),
        enabled=st.booleans(),
        aim=st.none() | st.sampled_from(["0", "0.25", "15", "200", "200.25"]),
        unlocks=st.booleans(),
    )
    def operator_protects(
        self, asset: str, threshold: str | None, enabled: bool, aim: str | None, unlocks: bool
    ) -> None:
        held = bool(self.shadow.position[asset])
        if held and unlocks:
            self._apply(CloseBrick(asset, Stream.TWO_HALF, AGAINST[self.shadow.side(asset)]))
        expected = None if held else "nothing_to_manage"
        locked = "management_locked" if held and self.shadow.is_managed(asset) else None
        wrong = "setting_invalid" if threshold == "0" else None
        points = None if threshold is None else Decimal(threshold)
        refused = expected or wrong or locked
        self._is_answered(SetProtect(asset, enabled, points), refused)
        if refused is None:
            self._protects(asset, protect_enabled=enabled, protect_threshold_points=points)
        wrong = "setting_invalid" if aim in ("0", "200.25") else None
        points = None if aim is None else Decimal(aim)
        refused = expected or wrong or locked
        self._is_answered(SetPointsTarget(asset, enabled, points), refused)
        if refused is None:
            self._protects(asset, points_tp_enabled=enabled, points_tp_target=points)

    def _protects(self, asset: str, **settings: Any) -> None:
        self.shadow.protections[asset] |= {name: value for name, value in settings.items() if value is not None}

    @precondition(lambda self: any(self.shadow.position.values()))
    @rule(asset=assets, toggle=st.booleans(), aim=st.none() | st.sampled_from([0, 1, 2, 50, 51]), reset=st.booleans())
    def operator_arms_signals(self, asset: str, toggle: bool, aim: int | None, reset: bool) -> None:
        armed = self.shadow.protections.get(asset)
        arms = armed is not None and toggle and not armed["tp_armed"]
        expected = None
        if armed is None:
            expected = "nothing_to_manage"
        elif aim in (0, 51):
            expected = "setting_invalid"
        elif arms and self.shadow.fresh_main[asset] and self.shadow.is_managed(asset):
            expected = "management_locked"
        self._is_answered(SetSignalTarget(asset, toggle, aim, reset), expected)
        if armed is not None and expected is None:
            armed["tp_armed"] ^= toggle
            armed["tp_target"] = aim or armed["tp_target"]
            armed["tp_count"] = 0 if arms or reset else armed["tp_count"]

    @precondition(lambda self: any(self.shadow.position.values()))
    @rule(asset=assets, name=st.sampled_from(sorted(TOGGLES.values())))
    def operator_toggles_an_exit(self, asset: str, name: ToggledExit) -> None:
        armed = self.shadow.protections.get(asset)
        expected = None
        if armed is None:
            expected = "nothing_to_manage"
        elif name == "high_next_bar_exit_enabled" and not armed[name]:
            restricted = self.shadow.fresh_high[asset] and self.shadow.is_managed(asset)
            expected = "management_locked" if restricted else None
        self._is_answered(ToggleExit(asset, name), expected)
        if armed is not None and expected is None:
            armed[name] = not armed[name]

    @rule()
    def operator_consumes_a_trade(self) -> None:
        self.ask(TickClock())
        is_left = self.shadow.trades_taken < self.shadow.rules["max_trades_per_day"]
        self._is_answered(ConsumeTrade(), None if is_left else "no_trade_left")
        self.shadow.trades_taken += is_left

    @rule(env=st.sampled_from(["DEMO", "LIVE"]))
    def operator_switches_env(self, env: Env) -> None:
        self.ask(TickClock())
        expected = self.shadow.refusal_of_env(env, self.now)
        self._is_answered(SwitchEnv(env), expected)
        if expected is None and self.shadow.is_live is not (env == "LIVE"):
            self.shadow.switches_account()

    @rule(limits=some_limits)
    def operator_sets_limits(self, limits: dict[str, Any]) -> None:
        """Change limits; a lowered daily stop is weighed at once, and flattens with the next second."""
        self.ask(TickClock())
        if any(order.kind == "ENTRY" for order in self.shadow.open.values()):
            limits.pop("candle_seconds", None)
        if not limits:
            return
        self._is_answered(SetLimits({name: Decimal(value) for name, value in limits.items()}), None)
        self.shadow.wants(limits)
        self.ask(TickClock())

    def _is_answered(self, command: AnyCommand, expected: str | None) -> Any:
        """Have it decided, and hold the gate or the code of its refusal against what the shadow says."""
        answer = self.ask(command).answer
        refused_by = (answer.gate or answer.code) if isinstance(answer, Refusal) else None
        assert refused_by == expected, f"{command} was answered {answer}"
        return answer

    # -- the bridge -------------------------------------------------------------------------------------------

    @rule(owner=owners, limit=st.integers(1, 3))
    def bridge_claims(self, owner: str, limit: int) -> None:
        answer = self.ask(ClaimOrders(owner, limit)).answer
        assert isinstance(answer, OrdersHandedOver)
        assert len(answer.handovers) <= limit
        for handover in answer.handovers:
            assert (handover.order.owner, handover.order.status) == (owner, OrderStatus.CLAIMED)
            if handover.order.kind == "ENTRY":
                assert self.owner_of_entry.setdefault(handover.order.id, owner) == owner

    @precondition(lambda self: self.shadow.open)
    @rule(which=st.integers(0, 2), price=prices, qty=st.none() | st.integers(1, 5))
    def order_fills(self, which: int, price: float, qty: int | None) -> None:
        orders = list(self.desk.orders.values())
        if not orders:
            return
        self._fill(orders[which % len(orders)], price, qty)

    def _fill(self, order: Order, price: float, qty: int | None) -> None:
        self.count += 1
        status = OrderStatus.FILLED if qty is None else OrderStatus.PARTIALLY_FILLED
        self.ask(ReportExecution(order.id, status, Decimal(price), qty, exec_id=f"exec-{self.count}"))

    @precondition(lambda self: self.shadow.orders)
    @rule(
        which=st.integers(0, 10**6),
        status=st.sampled_from(["WORKING", "PARTIALLY_FILLED", "FILLED", "REJECTED", "CANCELLED"]),
        price=st.none() | prices,
        qty=st.none() | st.integers(1, 7),
        cum_qty=st.none() | st.integers(1, 7),
        exec_id=st.none() | st.sampled_from(["e1", "e2", "e3"]),
    )
    def bridge_reports_anything(
        self,
        which: int,
        status: str,
        price: float | None,
        qty: int | None,
        cum_qty: int | None,
        exec_id: str | None,
    ) -> None:
        ids = [*self.shadow.orders, "0" * 32]
        report = ReportExecution(
            ids[-1 - which % min(len(ids), 5)],
            OrderStatus(status),
            None if price is None else Decimal(price),
            qty,
            exec_id,
            cum_qty,
        )
        self.ask(report)
        again = self.ask(report)
        if exec_id is not None and not isinstance(again.answer, Refusal):
            assert of_type(Done, again.answer).duplicate, "the same execution counted twice"

    @precondition(lambda self: self.shadow.disagreement)
    @rule(seconds=st.sampled_from([1.999999, 2, 5]))
    def broker_keeps_disagreeing(self, seconds: float) -> None:
        lies = {asset: position for asset, (position, _) in self.shadow.disagreement.items()}
        self.trader.now += timedelta(seconds=seconds)
        self.snapshot_comes(balance=None, lies=lies, open_pnl=None)

    @precondition(lambda self: self.shadow.open)
    @rule(which=st.integers(0, 2), status=st.sampled_from(["REJECTED", "CANCELLED"]))
    def broker_refuses(self, which: int, status: str) -> None:
        orders = list(self.desk.orders.values())
        if orders:
            self.ask(ReportExecution(orders[which % len(orders)].id, OrderStatus(status), reason="halted"))

    @rule(
        balance=st.none() | st.sampled_from(["50000", "49500", "49000.01", "49000", "51000"]),
        lies=st.just({}) | st.dictionaries(assets, st.sampled_from([-5, 0, 3, 5]), max_size=2),
        open_pnl=st.none() | st.sampled_from([-125, 0, 374, 375]),
    )
    def snapshot_comes(self, balance: str | None, lies: dict[str, int], open_pnl: int | None) -> None:
        self.ask(TickClock())
        held = {asset: (lies.get(asset, self.shadow.position[asset]), self.shadow.position[asset]) for asset in ASSETS}
        positions = tuple(
            BrokerPosition(
                CONTRACTS[asset].symbol,
                position,
                None if open_pnl is None else Decimal(open_pnl),
            )
            for asset, (position, _) in held.items()
        )
        open_before = set(self.shadow.open)
        amount = None if balance is None else Decimal(balance)
        decision = self.ask(TakeSnapshot(balance=amount, positions=positions))
        if amount is not None:
            self.shadow.see_balance(amount)
        self.shadow.see_positions(held, decision, self.now, open_before)

    @rule(connected=st.booleans())
    def bridge_is_heard(self, connected: bool) -> None:
        self.ask(HearBridge(ts_connected=connected))
        self.shadow.bridge_at, self.shadow.bridge_connected = self.now, connected

    # -- what always holds ------------------------------------------------------------------------------------

    @invariant()
    def one_open_order_per_asset(self) -> None:
        symbols = [order.asset for order in self.desk.orders.values()]
        assert len(symbols) == len(set(symbols))
        assert set(symbols) == set(self.shadow.open)
        assert not any(order.status.is_final for order in self.desk.orders.values())

    @invariant()
    def position_is_the_sum_of_fills(self) -> None:
        for symbol, asset in self.desk.assets.items():
            assert asset.position == self.shadow.position[symbol]
            assert asset.trade is None or asset.trade.quantity > 0
            exit_order = self.desk.open_order(symbol)
            if exit_order is not None and exit_order.kind == "EXIT":
                assert exit_order.remaining == abs(asset.position)

    @invariant()
    def counters_agree(self) -> None:
        assert self.desk.day.trades_taken == self.shadow.trades_taken
        assert self.desk.day.is_stopped == self.shadow.is_stopped
        assert self.desk.day.trading_day == self.shadow.day

    @invariant()
    def limits_hold_both_ways(self) -> None:
        for name in TIGHTER:
            assert getattr(self.desk.rules, name) == self.shadow.rules[name], f"{name} in force"
            assert getattr(self.desk.wanted, name) == self.shadow.wanted[name], f"{name} wanted"

    @invariant()
    def what_waits_agrees(self) -> None:
        for symbol, asset in self.desk.assets.items():
            assert (asset.intent.status if asset.intent else None) == self.shadow.intent.get(symbol)
            waits = asset.preorder is not None and asset.preorder.is_active
            assert waits == (symbol in self.shadow.preorder)

    @invariant()
    def the_trade_is_protected_as_told(self) -> None:
        for symbol, asset in self.desk.assets.items():
            trade = asset.trade
            if trade is None:
                assert symbol not in self.shadow.protections
                continue
            for name, value in self.shadow.protections[symbol].items():
                assert getattr(trade.protections, name) == value, f"{symbol} {name}"
            status = "used" if trade.scale_in_used else "available" if trade.scale_in_available else "locked"
            assert status == self.shadow.scale_in[symbol]
            assert trade.initial_exit_locked == (trade.zone != "ADOPTED" and not self.shadow.fresh_main[symbol])

    @invariant()
    def no_exit_is_forgotten(self) -> None:
        self.flattening = {a for a in self.flattening if self.shadow.position[a] or a in self.shadow.open}
        if self.shadow.is_stopped:
            self.flattening |= {asset for asset in ASSETS if self.shadow.position[asset]}
        for symbol in self.flattening:
            order, due = self.desk.open_order(symbol), self.desk.assets[symbol].due_exit
            assert due is not None or (order is not None and order.kind == "EXIT"), f"{symbol} is left alone"

    def teardown(self) -> None:
        if hasattr(self, "trader"):
            assert self.trader.replays_equal()


def without_alerts(desk: Desk) -> Desk:
    return replace(desk, alerts=(), sequence=0)


def without_prices(desk: Desk) -> Desk:
    assets = {symbol: replace(asset, live=AssetLive()) for symbol, asset in desk.assets.items()}
    return replace(desk, assets=assets, live=DeskLive(), sequence=0)


DeskMachine.TestCase.settings = settings(
    settings.get_profile("desk"), max_examples=400, stateful_step_count=50, database=None
)
TestDesk = pytest.mark.timeout(1800)(DeskMachine.TestCase)  # 400 stories, which a busy machine tells slowly


@pytest.mark.soak
def test_many_more_stories() -> None:
    at_length = settings(settings.get_profile("desk"), max_examples=5_000, stateful_step_count=50, database=None)
    run_state_machine_as_test(DeskMachine, settings=at_length)
