"""Whatever is asked in whatever order, the desk's promises hold (SPEC 4, 5, 7, 8).

A hypothesis state machine drives ``decide`` over three assets with everything a market, a trader and a broken
bridge can do. Beside it runs ``Shadow``, a second and much simpler reading of SPEC: it learns from commands and
from what was told, computes the gates by itself and never calls ``gates.py``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from services.engine.answers import ExitsTaken, OrdersHandedOver, OrderTaken, Refusal
from services.engine.commands import (
    AnyCommand,
    BrokerPosition,
    ClaimOrders,
    CloseBrick,
    EnterMarket,
    ExitAll,
    ExitPosition,
    HearBridge,
    NotePrice,
    ReportExecution,
    TakeSnapshot,
    TickClock,
    TouchLevel,
)
from services.engine.decide import Decision, decide
from services.engine.events import (
    DayRolled,
    EntryAccepted,
    OrderEnded,
    OrderQueued,
    OrderReported,
    TradeClosed,
    TradeOpened,
    TradeResized,
)
from services.engine.order import Order
from services.engine.state import AssetLive, Desk, DeskLive
from services.engine.words import OrderStatus, Stream
from tests.builders import CONTRACTS, NEW_YORK
from tests.trader import Trader

ASSETS = ("ES", "NQ", "YM")
SIGN = {"BUY": 1, "SELL": -1}
AGAINST = {"BUY": "red", "SELL": "green"}
STARTS = (
    ("2026-11-17", "09:31:10"),
    ("2026-11-17", "17:58:00"),
    ("2026-03-06", "17:50:00"),  # the last hours before the clocks go forward
    ("2026-11-01", "00:58:00"),  # the hour that comes twice is near
)

assets = st.sampled_from(ASSETS)
colors = st.sampled_from(["green", "red"])
sides = st.sampled_from(["BUY", "SELL"])
owners = st.sampled_from(["alpha", "beta"])
moments = st.sampled_from([0.000001, 0.5, 1, 1, 2, 2, 5, 10, 29.999999, 30, 60, 179, 180, 300, 599, 600, 3600, 90_000])
prices = st.sampled_from([5235, 5249, 5250, 5251, 5264, 5265, 5300])


class Shadow:
    """The gates as SPEC 4 and 5 read, kept beside the desk."""

    def __init__(self, max_trades: int, filters: bool, live: bool, now: datetime) -> None:
        self.max_trades, self.filters, self.is_live = max_trades, filters, live
        self.day = self.trading_day(now)
        self.start_equity: Decimal | None = None
        self.is_stopped = False
        self.trades_taken = 0
        self.cooldown_until: datetime | None = None
        self.candle: tuple[Any, ...] | None = None
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

    @staticmethod
    def candle_of(now: datetime) -> tuple[Any, ...]:
        local = now.astimezone(NEW_YORK)
        return (local.date(), local.hour, local.fold, local.minute // 5)

    # -- what it learns ---------------------------------------------------------------------------------------

    def roll(self, now: datetime) -> bool:
        if (today := self.trading_day(now)) <= self.day:
            return False
        self.day, self.start_equity, self.is_stopped, self.trades_taken = today, None, False, 0
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
                case EntryAccepted():
                    self.token[event.asset] = self.flip_may_rearm[event.asset] = False
                    self.candle = self.candle_of(now)
                case TradeOpened(adopted=True):
                    self.position[event.asset] = SIGN[event.side] * event.qty
                    self.fresh_main[event.asset] = 0
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
            self.fresh_main[asset] = 0
        if self.position[asset] == 0:
            self._flat(asset, now)

    def _flat(self, asset: str, now: datetime) -> None:
        self.position[asset] = 0
        self.flip_may_rearm[asset] = self.fresh_main[asset] > 0
        self.cooldown_until = now + timedelta(seconds=180)

    def _give_back(self, event: OrderEnded, now: datetime) -> None:
        self.token[event.asset] = True
        created = datetime.fromtimestamp(int(event.order_id[:12], 16) / 1000, UTC)
        if self.candle == self.candle_of(created) == self.candle_of(now):
            self.candle = None

    def see_brick(self, asset: str, stream: Stream, color: str) -> None:
        before = self.colors.get((asset, stream), "neutral")
        self.colors[asset, stream] = color
        if stream is Stream.MAIN:
            self.token[asset] = True
            self.fresh_main[asset] += 1
        is_flip = stream is Stream.FOUR and {before, color} == {"green", "red"}
        if is_flip and self.position[asset] == 0 and self.flip_may_rearm[asset]:
            self.token[asset] = True

    def see_balance(self, balance: Decimal) -> None:
        self.start_equity = self.start_equity or balance
        if (self.start_equity - balance) * 100 >= 2 * self.start_equity:
            self.is_stopped = True

    def see_positions(self, held: dict[str, int], decision: Decision, now: datetime, open_before: set[str]) -> None:
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

    def direction(self, asset: str, asked: str | None) -> str | None:
        high, macro = (self.colors.get((asset, stream)) for stream in (Stream.HIGH, Stream.MACRO))
        structure = {("green", "green"): "BUY", ("red", "red"): "SELL"}.get((high, macro))
        return asked or structure

    def closed_gates(self, asset: str, asked: str | None, override: bool, now: datetime) -> list[str]:
        high, macro = (self.colors.get((asset, stream)) for stream in (Stream.HIGH, Stream.MACRO))
        direction = self.direction(asset, asked)
        no_zone = high is None or macro is None
        against = high == macro and AGAINST.get(direction or "") == high
        undecided = high != macro and asked is None
        heard = self.heard.get(asset)
        bridge_is_late = self.bridge_at is None or now - self.bridge_at >= timedelta(seconds=30)
        two_half = self.colors.get((asset, Stream.TWO_HALF))
        closed = {
            "daily_stop": self.is_stopped,
            "trade_limit": self.trades_taken >= self.max_trades,
            "cooldown": self.cooldown_until is not None and now < self.cooldown_until,
            "candle_lock": self.candle == self.candle_of(now),
            "pending_order": asset in self.open,
            "position": self.position[asset] != 0,
            "heartbeat": heard is None or now - heard >= timedelta(minutes=10),
            "tempo": not self.token[asset],
            "zone": not override and (no_zone or against or undecided),
            "two_half_filter": self.filters and direction is not None and two_half == AGAINST[direction],
            "reconcile": asset in self.disagreement,
            "bridge": self.is_live and (bridge_is_late or not self.bridge_connected),
        }
        return [gate for gate, is_closed in closed.items() if is_closed]


class DeskMachine(RuleBasedStateMachine):
    """Everything that can be asked, in any order; the invariants are in ``ask`` and at the end."""

    @initialize(start=st.sampled_from(STARTS), live=st.booleans(), filters=st.booleans(), limit=st.integers(1, 4))
    def open(self, start, live, filters, limit):
        self.trader = Trader(
            on=start[0],
            at=start[1],
            assets=ASSETS,
            env="LIVE" if live else "DEMO",
            is_heard=False,
            max_trades_per_day=limit,
            two_half_filter=filters,
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
    def time_passes(self, seconds, ticks):
        self.trader.now += timedelta(seconds=seconds)
        if ticks:
            self.ask(TickClock())

    @rule()
    def next_candle_begins(self):
        into = timedelta(seconds=self.now.timestamp() % 300)
        self.trader.now = self.now.replace(microsecond=0) + timedelta(seconds=300 - int(into.total_seconds()))

    @rule()
    def program_restarts(self):
        self.ask(TickClock())
        self.trader.restarts()

    # -- the market -------------------------------------------------------------------------------------------

    @rule(asset=assets, stream=st.sampled_from(Stream), color=colors, timed=st.booleans())
    def brick_closes(self, asset, stream, color, timed):
        self.count += 1
        bar_at = self.now if timed else None
        brick = CloseBrick(asset, stream, color, bar_id=f"brick-{self.count}", bar_at=bar_at)
        self._apply(brick)
        if stream is not Stream.ONE:
            self.sent.append(brick)

    @rule(asset=assets, high=colors, macro=colors)
    def zone_forms(self, asset, high, macro):
        for stream, color in ((Stream.MACRO, macro), (Stream.HIGH, high), (Stream.MAIN, high)):
            self._apply(CloseBrick(asset, stream, color))

    def _apply(self, brick: CloseBrick) -> None:
        if brick.bar_at is not None:
            self.newest[brick.asset, brick.stream] = brick.bar_at
        decision = self.ask(brick)
        assert not decision.answer.duplicate
        assert not decision.answer.stale
        if brick.stream is not Stream.ONE:
            self.shadow.see_brick(brick.asset, brick.stream, brick.color)

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(0, 10**6))
    def brick_is_sent_again(self, which):
        assert self.ask(self.sent[which % len(self.sent)]).answer.duplicate

    @precondition(lambda self: any(self.shadow.position.values()))
    @rule(stream=st.sampled_from([Stream.FOUR, Stream.MAIN, Stream.HIGH]), asset=assets)
    def market_turns(self, stream, asset):
        """Close a brick against what is held."""
        if position := self.shadow.position[asset]:
            self._apply(CloseBrick(asset, stream, AGAINST["BUY" if position > 0 else "SELL"]))

    @precondition(lambda self: self.newest)
    @rule(which=st.integers(0, 10**6), color=colors)
    def brick_comes_late(self, which, color):
        (asset, stream), newest = list(self.newest.items())[which % len(self.newest)]
        self.count += 1
        late = CloseBrick(asset, stream, color, f"late-{self.count}", newest - timedelta(microseconds=1))
        assert self.ask(late).answer.stale

    @rule(asset=assets, price=st.none() | prices, delay=st.sampled_from([None, 0, 1, 700, -30, -90]))
    def price_is_heard(self, asset, price, delay):
        sent_at = None if delay is None else self.now - timedelta(seconds=delay)
        self.ask(NotePrice(asset, None if price is None else Decimal(price), sent_at))
        heard = self.now if sent_at is None or sent_at > self.now + timedelta(seconds=60) else sent_at
        self.shadow.heard[asset] = max(heard, self.shadow.heard.get(asset, heard))

    @rule(asset=assets)
    def level_is_touched(self, asset):
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
    def operator_enters(self, asset, direction, override, mode, size):
        command = EnterMarket(asset, mode, size, direction, override and direction is not None)
        unpolled = decide(self.desk, command, self.now).answer
        self.ask(TickClock())
        gates = self.shadow.closed_gates(asset, direction, command.override, self.now)
        answer = self.ask(command).answer
        assert answer == unpolled, "the answer depended on somebody having polled"
        assert (answer.gate if isinstance(answer, Refusal) else None) == (gates[0] if gates else None)
        if isinstance(answer, Refusal):
            assert [rung.gate for rung in answer.ladder if not rung.is_open] == gates
        else:
            assert answer.order.side == self.shadow.direction(asset, direction)

    @rule(
        asset=assets,
        high=colors,
        macro=colors,
        mode=st.sampled_from(["SCALP", "RUNNER"]),
        calm=st.booleans(),
        fills=st.integers(0, 5),
    )
    def operator_enters_a_living_market(self, asset, high, macro, mode, calm, fills):
        """Take away what refuses most entries: silence, structure and, when calm, the last candle and cooldown."""
        if calm:
            self.trader.now += timedelta(seconds=300)
        self.bridge_is_heard(connected=True)
        self.price_is_heard(asset, price=5250, delay=None)
        self.zone_forms(asset, high, macro)
        direction = {"green": "BUY", "red": "SELL"}[high]
        self.operator_enters(asset, direction, override=False, mode=mode, size="6pt")
        order = self.desk.open_order(asset)
        if fills and order is not None and fills <= order.remaining:
            self._fill(order, 5250, None if fills == order.qty else fills)

    @rule(asset=assets, force=st.booleans())
    def operator_exits(self, asset, force):
        self.ask(ExitPosition(asset, force))

    @rule(force=st.booleans())
    def operator_exits_all(self, force):
        answer = self.ask(ExitAll(force)).answer
        assert isinstance(answer, ExitsTaken)
        assert not (force and answer.skipped)
        skipped = {skip.asset for skip in answer.skipped}
        self.flattening |= {asset for asset in ASSETS if self.shadow.position[asset] and asset not in skipped}
        self.flattening |= set(answer.latched)

    # -- the bridge -------------------------------------------------------------------------------------------

    @rule(owner=owners, limit=st.integers(1, 3))
    def bridge_claims(self, owner, limit):
        answer = self.ask(ClaimOrders(owner, limit)).answer
        assert isinstance(answer, OrdersHandedOver)
        assert len(answer.handovers) <= limit
        for handover in answer.handovers:
            assert (handover.order.owner, handover.order.status) == (owner, OrderStatus.CLAIMED)
            if handover.order.kind == "ENTRY":
                assert self.owner_of_entry.setdefault(handover.order.id, owner) == owner

    @precondition(lambda self: self.shadow.open)
    @rule(which=st.integers(0, 2), price=prices, qty=st.none() | st.integers(1, 5))
    def order_fills(self, which, price, qty):
        orders = list(self.desk.orders.values())
        if not orders:
            return
        self._fill(orders[which % len(orders)], price, qty)

    def _fill(self, order: Order, price: int, qty: int | None) -> None:
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
    def bridge_reports_anything(self, which, status, price, qty, cum_qty, exec_id):
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
            assert again.answer.duplicate, "the same execution counted twice"

    @precondition(lambda self: self.shadow.disagreement)
    @rule(seconds=st.sampled_from([1.999999, 2, 5]))
    def broker_keeps_disagreeing(self, seconds):
        lies = {asset: position for asset, (position, _) in self.shadow.disagreement.items()}
        self.trader.now += timedelta(seconds=seconds)
        self.snapshot_comes(balance=None, lies=lies, open_pnl=None)

    @precondition(lambda self: self.shadow.open)
    @rule(which=st.integers(0, 2), status=st.sampled_from(["REJECTED", "CANCELLED"]))
    def broker_refuses(self, which, status):
        orders = list(self.desk.orders.values())
        if orders:
            self.ask(ReportExecution(orders[which % len(orders)].id, OrderStatus(status), reason="halted"))

    @rule(
        balance=st.none() | st.sampled_from(["50000", "49500", "49000.01", "49000", "51000"]),
        lies=st.just({}) | st.dictionaries(assets, st.sampled_from([-5, 0, 3, 5]), max_size=2),
        open_pnl=st.none() | st.sampled_from([-125, 0, 374, 375]),
    )
    def snapshot_comes(self, balance, lies, open_pnl):
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
    def bridge_is_heard(self, connected):
        self.ask(HearBridge(ts_connected=connected))
        self.shadow.bridge_at, self.shadow.bridge_connected = self.now, connected

    # -- what always holds ------------------------------------------------------------------------------------

    @invariant()
    def one_open_order_per_asset(self):
        symbols = [order.asset for order in self.desk.orders.values()]
        assert len(symbols) == len(set(symbols))
        assert set(symbols) == set(self.shadow.open)
        assert not any(order.status.is_final for order in self.desk.orders.values())

    @invariant()
    def position_is_the_sum_of_fills(self):
        for symbol, asset in self.desk.assets.items():
            assert asset.position == self.shadow.position[symbol]
            assert asset.trade is None or asset.trade.quantity > 0
            exit_order = self.desk.open_order(symbol)
            if exit_order is not None and exit_order.kind == "EXIT":
                assert exit_order.remaining == abs(asset.position)

    @invariant()
    def counters_agree(self):
        assert self.desk.day.trades_taken == self.shadow.trades_taken
        assert self.desk.day.is_stopped == self.shadow.is_stopped
        assert self.desk.day.trading_day == self.shadow.day

    @invariant()
    def no_exit_is_forgotten(self):
        self.flattening = {a for a in self.flattening if self.shadow.position[a] or a in self.shadow.open}
        if self.shadow.is_stopped:
            self.flattening |= {asset for asset in ASSETS if self.shadow.position[asset]}
        for symbol in self.flattening:
            order, due = self.desk.open_order(symbol), self.desk.assets[symbol].due_exit
            assert due is not None or (order is not None and order.kind == "EXIT"), f"{symbol} is left alone"

    def teardown(self):
        if hasattr(self, "trader"):
            assert self.trader.replays_equal()


def without_alerts(desk: Desk) -> Desk:
    return replace(desk, alerts=(), sequence=0)


def without_prices(desk: Desk) -> Desk:
    assets = {symbol: replace(asset, live=AssetLive()) for symbol, asset in desk.assets.items()}
    return replace(desk, assets=assets, live=DeskLive(), sequence=0)


DeskMachine.TestCase.settings = settings(
    settings.get_profile("desk"), max_examples=600, stateful_step_count=50, database=None
)
TestDesk = DeskMachine.TestCase
