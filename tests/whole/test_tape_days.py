"""Full days on tapes: a random operator with every control, a moody broker, and promises that always hold.

Everything runs on the tape's own clock, without HTTP: prices become bricks, the operator clicks by seeded dice,
and a broker of a few lines fills at the last price, sometimes late, in parts or not at all. What must hold is
asked after every single decision, from SPEC and not from the engine's own tables.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from services.desk.commit_batch import CommitBatch
from services.engine.decide import Decision, open_desk
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
    ToggleExit,
    TouchLevel,
)
from services.engine.model.events import EntryAccepted, TradeConsumed
from services.engine.model.order import Order
from services.engine.model.replies import Done, OrdersHandedOver, Refusal
from services.engine.model.settings import Rules
from services.engine.model.state import Asset, Desk
from services.engine.model.trade_events import TradeClosed, TradeOpened
from services.history.differences import desk_differences
from services.market.instruments import instrument_for
from services.market.renko import RenkoStack
from services.market.ticks import Tick, read_ticks
from tests.data.generated_tapes import GAPPED, GENERATED_TAPES, TRENDING, VOLATILE, ticks_of
from tests.data.recorded_tapes import recorded_tapes
from tests.support.builders import AGAINST, NEW_YORK, TOGGLES
from tests.support.narrow import of_type
from tests.support.trader import ID_KEY, replay
from wire.tradingview import STREAM_POINTS
from wire.types import Contract, OrderStatus, Side, SizeMode, Stream, TradeMode

RECORDED = recorded_tapes(("us30_ticks_20230628_renkodf", "es_1m_2013_lean"))
TAPES = {tape.name: tape.asset for tape in (VOLATILE, GAPPED, TRENDING)}
TAPES |= {name: name.split("_")[0].upper() for name in RECORDED}
GENERATED = {tape.name: tape for tape in GENERATED_TAPES}
STREAMS = {points: stream for stream, points in STREAM_POINTS.items()}
START_BALANCES = {"US30": (50_000, 6_000, 3_000), "ES": (50_000, 12_000, 25_000)}  # small ones lose the day
FLAT_WITHIN = timedelta(minutes=3)  # after the daily stop, with a broker that refuses now and then
UNIT = Decimal(1)  # smaller than the usual one of US30: so that a short tape has bricks enough
ROUNDED = Decimal("1e-20")  # points: an average price of thirds has no last digit
LONGEST_WAIT = timedelta(seconds=60)  # of tape time stepped through while something is open

pytestmark = pytest.mark.timeout(300)


@lru_cache(maxsize=2)
def prices_of(name: str) -> tuple[Tick, ...]:
    """Return the ticks of a tape, generated or recorded."""
    return ticks_of(GENERATED[name]) if name in GENERATED else tuple(read_ticks(RECORDED[name]))


# -- the broker -----------------------------------------------------------------------------------------------
MODES: tuple[TradeMode, ...] = ("SCALP", "RUNNER")
SIZES: tuple[SizeMode, ...] = ("6pt", "9pt")
SIDES: tuple[Side | None, ...] = ("BUY", "SELL", None)


class Fill(Struct):
    """What the broker will do with an order, and when."""

    order: Order
    at: datetime
    qty: int
    is_last: bool


class Broker:
    """Fills at the last price, rests a protective stop, and keeps books of its own to the cent."""

    def __init__(self, contract: Contract, balance: int, dice: random.Random) -> None:
        self.contract, self.dice = contract, dice
        self.balance = self.start_balance = Decimal(balance)
        self.position = 0
        self.cost = Decimal(0)
        self.stop: Decimal | None = None
        self.last_fill: Decimal | None = None
        self.working: list[Fill] = []
        self.reports: list[tuple[datetime, ReportExecution]] = []
        self.known: set[str] = set()
        self.done: Counter[str] = Counter()

    def take(self, order: Order, now: datetime) -> None:
        """Accept an order from the bridge; its fate is thrown at once."""
        if order.id in self.known:
            return
        self.known.add(order.id)
        at = now + timedelta(seconds=self.dice.choice([0, 0.3, 1, 4, 9]))
        fate = self.dice.random()
        if fate < 0.08:
            self._report(at, order, OrderStatus.REJECTED, reason="no margin")
        elif fate < 0.25 and order.qty > 1:
            first = self.dice.randrange(1, order.qty)
            self.working.append(Fill(order, at, first, is_last=False))
            self.working.append(Fill(order, at + timedelta(seconds=2), order.qty - first, is_last=True))
        else:
            if fate < 0.4:
                self._report(now, order, OrderStatus.WORKING)
            self.working.append(Fill(order, at, order.qty, is_last=True))

    def work(self, price: Decimal, now: datetime) -> None:
        """Fill what is due at the last price; a stop that is touched fires first."""
        sign = 1 if self.position > 0 else -1
        if self.stop is not None and sign * (price - self.stop) <= 0:
            self._fire_stop(price, now)
        due = [fill for fill in self.working if fill.at <= now]
        for fill in due:
            if fill in self.working:
                self.working.remove(fill)
                self._execute(fill, price, now)

    def _execute(self, fill: Fill, price: Decimal, now: datetime) -> None:
        order = fill.order
        if order.kind != "ENTRY" and not self.position:
            self._cancel_rest(order)
            self._report(now, order, OrderStatus.REJECTED, reason="no position")
            return
        self._trade(fill.qty if order.side == "BUY" else -fill.qty, price)
        if order.kind == "ENTRY" and self.stop is None and order.stop_points is not None:
            distance = order.stop_points * self.contract.point
            self.stop = price - distance if order.side == "BUY" else price + distance
        status = OrderStatus.FILLED if fill.is_last else OrderStatus.PARTIALLY_FILLED
        self.done[order.kind] += 1
        self._report(now, order, status, fill_price=price, qty=fill.qty, exec_id=f"{order.id}-{fill.is_last}")

    def _fire_stop(self, price: Decimal, now: datetime) -> None:
        self.done["stop"] += 1
        self._trade(-self.position, price)
        for order in {fill.order.id: fill.order for fill in self.working if fill.order.kind != "EXIT"}.values():
            self._cancel_rest(order)
            self._report(now + timedelta(seconds=1), order, OrderStatus.CANCELLED, reason="stopped out")

    def _cancel_rest(self, order: Order) -> None:
        self.working = [fill for fill in self.working if fill.order.id != order.id]

    def _trade(self, change: int, price: Decimal) -> None:
        value = self.contract.usd_per_price
        before = self.position
        self.position += change
        self.cost += change * price * value
        self.last_fill = price
        assert before == 0 or abs(self.position) > abs(before) or self.position * before >= 0, "sold through zero"
        if self.position == 0:
            self.balance -= self.cost
            self.cost, self.stop = Decimal(0), None

    def _report(self, at: datetime, order: Order, status: OrderStatus, **more: Any) -> None:
        is_slow = self.dice.random() < 0.2
        earliest = max((known for known, report in self.reports if report.order_id == order.id), default=at)
        self.reports.append((max(earliest, at + timedelta(seconds=1.5 * is_slow)), self._said(order, status, more)))

    @staticmethod
    def _said(order: Order, status: OrderStatus, more: dict[str, Any]) -> ReportExecution:
        return ReportExecution(order.id, status, **more)

    def open_pnl(self, price: Decimal) -> Decimal:
        value = self.contract.usd_per_price
        return self.position * price * value - self.cost

    def snapshot(self, price: Decimal) -> TakeSnapshot:
        open_pnl = self.open_pnl(price)
        held = BrokerPosition(self.contract.symbol, self.position, open_pnl, last_fill_price=self.last_fill)
        return TakeSnapshot(unrealized=open_pnl, balance=self.balance + open_pnl, positions=(held,))


# -- the day --------------------------------------------------------------------------------------------------


class TapeDay:
    """One run of a tape: market, operator, bridge and the promises."""

    def __init__(self, tape: str, seed: int) -> None:
        asset = TAPES[tape]
        self.symbol, self.dice = asset, random.Random(f"{asset}-{seed}")
        self.ticks = prices_of(tape)
        self.now = self.ticks[0].at
        instrument = instrument_for(asset)
        contract = instrument.contract(self.now.date(), "micro", UNIT)
        self.bricks = RenkoStack(instrument, UNIT)
        self.broker = Broker(contract, START_BALANCES[asset][seed % 3], self.dice)
        self.opening = open_desk(ID_KEY, Rules(contracts={asset: contract}), self.now)
        self.ended: dict[str, Order] = {}
        self.sheet = CommitBatch(self.opening, self.opening, {}, self.ended.get)
        self.price = self.ticks[0].price
        self.next_snapshot = self.next_poll = self.next_click = self.now
        self.owed: str | None = None
        self.last_candle: datetime | None = None
        self.cooled_at = self.now
        self.slots: Counter[Any] = Counter()
        self.reasons: Counter[str] = Counter()
        self.told: Counter[str] = Counter()
        self.used: Counter[str] = Counter()
        self.ask(ConfigureDesk(self.opening.rules))

    @property
    def desk(self) -> Desk:
        return self.sheet.desk

    @property
    def asset(self) -> Asset:
        return self.desk.assets[self.symbol]

    def play(self) -> TapeDay:
        """Play the whole tape, then let the operator leave."""
        for tick in self.ticks:
            self._until(tick.at)
            self._closes_at(tick)
        self.next_click = self.now + timedelta(days=1)
        for _ in range(200):
            self.ask(ExitAll(force=True))
            self._until(self.now + timedelta(seconds=10), work=True)
        return self

    def _until(self, then: datetime, work: bool = False) -> None:
        """Let the clock run; while something is open or waits it is looked at every few seconds."""
        until = min(then, self.now + LONGEST_WAIT)
        while self.now < until:
            is_busy = work or self.asset.position or self.desk.orders or self.broker.position or self.broker.reports
            step = self.dice.choice([2, 2.5, 4, 5]) if is_busy else 20
            self.now = min(until, self.now + timedelta(seconds=step))
            self._bridge_turn()
        self.now = then

    def _closes_at(self, tick: Tick) -> None:
        self.price = tick.price
        self.broker.work(self.price, self.now)
        self.ask(NotePrice(self.symbol, self.price))
        for brick in self.bricks.feed(self.price):
            self.ask(CloseBrick(self.symbol, STREAMS[brick.points], brick.color, close=brick.close))
        if self.now >= self.next_click:
            self.next_click = self.now + timedelta(seconds=self.dice.choice([1, 5, 20, 60]))
            self._operator_clicks()
        self._bridge_turn()

    def _bridge_turn(self) -> None:
        self.broker.work(self.price, self.now)
        if self.now >= self.next_poll:
            away = 45 if self.dice.random() < 0.01 else self.dice.choice([1, 2, 3])
            self.next_poll = self.now + timedelta(seconds=away)
            answer = self.ask(ClaimOrders("bridge")).answer
            assert isinstance(answer, OrdersHandedOver)
            for handover in answer.handovers:
                self.broker.take(handover.order, self.now)
        due = [(at, report) for at, report in self.broker.reports if at <= self.now]
        for entry in due:
            self.broker.reports.remove(entry)
            self._report(entry[1])
        if self.now >= self.next_snapshot:
            self.next_snapshot = self.now + timedelta(seconds=self.dice.choice([2, 3, 5]))
            self.ask(HearBridge(ts_connected=True))
            self.ask(self.broker.snapshot(self.price))

    def _report(self, report: ReportExecution) -> None:
        answer = self.ask(report).answer
        assert not isinstance(answer, Refusal), f"{report} was answered {answer}"
        if self.dice.random() < 0.1:
            assert of_type(Done, self.ask(report).answer).duplicate

    # -- the operator -----------------------------------------------------------------------------------------

    def _operator_clicks(self) -> None:
        command = self.dice.choice([*self._clicks()])
        if not isinstance(self.ask(command).answer, Refusal):
            self.used[type(command).__name__] += 1

    def _clicks(self) -> Iterator[AnyCommand]:
        """Yield what the operator might do now; what is likelier comes several times."""
        roll, symbol = self.dice.random(), self.symbol
        mode, size = self.dice.choice(MODES), self.dice.choice(SIZES)
        side = self.dice.choice(SIDES)
        if self.asset.trade is None:
            override = side is not None and roll < 0.3
            yield from [EnterMarket(symbol, mode, size, side, override)] * 4
            yield PlacePreOrder(symbol, mode, size, side, override)
            yield PlaceIntent(symbol)
            withdrawals: list[AnyCommand] = [CancelPreOrder(symbol), CancelIntent(symbol)]
            yield self.dice.choice(withdrawals)
        else:
            yield from [ScaleIn(symbol)] * 2
            if roll < 0.4:
                yield SetProtect(symbol, roll < 0.3, self.dice.choice([None, Decimal(-2), Decimal("0.5")]))
            yield SetPointsTarget(symbol, roll < 0.9, Decimal(self.dice.choice([3, 8, 15, 200])))
            yield SetSignalTarget(symbol, roll < 0.6, self.dice.choice([None, 1, 2, 3]), roll > 0.9)
            yield from [ToggleExit(symbol, name) for name in TOGGLES.values() if self.dice.random() < 0.4]
            if self.dice.random() < 0.15:
                yield ExitPosition(symbol, force=roll < 0.3)
            else:
                yield PlaceIntent(symbol)
        if roll < 0.01:
            seldom: list[AnyCommand] = [ExitAll(force=True), ConsumeTrade(), TouchLevel(symbol)]
            yield self.dice.choice(seldom)
            yield SetLimits({"max_trades_per_day": Decimal(self.dice.choice([4, 5, 6, 7]))})
            yield SetLimits({"cooldown_seconds": Decimal(self.dice.choice([120, 180, 240]))})
            yield SetLimits({"daily_stop_limit_pct": Decimal(self.dice.choice(["1.5", "2", "2.5"]))})

    # -- the promises -----------------------------------------------------------------------------------------

    def ask(self, command: AnyCommand) -> Decision:
        before = self.desk
        decisions = self.sheet.decide(command, self.now)
        for decision in decisions:
            for order in decision.orders:
                assert order.id not in self.ended or self.ended[order.id].status is order.status
                assert 0 <= order.filled_qty <= order.qty
                if order.status.is_final:
                    self.ended[order.id] = order
            for event in decision.events:
                self._hear(event)
        assert len(self.desk.orders) <= 1
        self._no_due_exit_is_lost(command, before)
        self._the_lost_day_is_flat()
        return decisions[-1]

    def _hear(self, event: Any) -> None:
        self.told[type(event).__name__] += 1
        day = self.desk.day.trading_day
        match event:
            case EntryAccepted():
                candle = self._candle()
                assert candle != self.last_candle or self._came_back(), "a second entry in the candle"
                assert self.now >= self.cooled_at, "an entry in the cooldown"
                assert self.slots[day] < self.desk.rules.max_trades_per_day, "an entry beyond the limit"
                assert not self.desk.day.is_stopped, "an entry on a lost day"
                self.last_candle = candle
            case TradeOpened() | TradeConsumed():
                assert not getattr(event, "adopted", False), "the broker held what the desk did not know"
                self.slots[day] += 1
            case TradeClosed():
                self.cooled_at = self.now + timedelta(seconds=self.desk.rules.cooldown_seconds)
                self.reasons[event.reason] += 1
                assert event.mae_points <= 0 <= event.mfe_points
                worst, best = event.mae_points - ROUNDED, event.mfe_points + ROUNDED
                assert worst <= event.pnl_points <= best or event.reason == "BROKER_FLAT"

    def _candle(self) -> datetime:
        local = self.now.astimezone(NEW_YORK)
        return local.replace(minute=local.minute - local.minute % 5, second=0, microsecond=0)

    def _came_back(self) -> bool:
        """Tell whether the last entry came back unfilled, which gives its candle back."""
        ended = [order for order in self.ended.values() if order.kind == "ENTRY"]
        return bool(ended) and ended[-1].filled_qty == 0

    def _no_due_exit_is_lost(self, command: AnyCommand, before: Desk) -> None:
        trade = self.asset.trade
        if trade is None:
            self.owed = None
            return
        held = before.assets[self.symbol].trade if self.symbol in before.assets else None
        due = held is not None and held.id == trade.id and self._is_due(command)
        self.owed = self.owed or (type(command).__name__ if due else None)
        order = self.desk.open_order(self.symbol)
        is_leaving = self.asset.due_exit is not None or (order is not None and order.kind == "EXIT")
        assert self.owed is None or is_leaving, f"an exit that came due with {self.owed} was lost"
        if order is not None and order.kind == "EXIT":
            assert order.remaining == trade.quantity

    def _is_due(self, command: AnyCommand) -> bool:
        """Read SPEC 7.1 on the open trade, for what the command said."""
        trade, points = self.asset.trade, self.asset.live.open_points
        is_brick = isinstance(command, CloseBrick) and command.stream is not Stream.ONE
        if trade is None or not (is_brick or isinstance(command, NotePrice | TakeSnapshot | TouchLevel)):
            return False
        stream = command.stream if isinstance(command, CloseBrick) else None
        against = isinstance(command, CloseBrick) and command.color == AGAINST[trade.side]
        protections = trade.protections
        return (
            self.desk.day.is_stopped
            or isinstance(command, TouchLevel)
            or (protections.points_tp_enabled and points is not None and points >= protections.points_tp_target)
            or (protections.protect_enabled and points is not None and points <= protections.protect_threshold_points)
            or (protections.four_pt_invalidation_enabled and stream is Stream.FOUR and against)
            or (
                protections.tp_armed and protections.tp_count >= protections.tp_target and not trade.initial_exit_locked
            )
            or (protections.main_flip_exit_enabled and stream is Stream.MAIN and against)
            or (protections.high_next_bar_exit_enabled and stream is Stream.HIGH)
            or (stream is Stream.HIGH and against)
        )

    def _the_lost_day_is_flat(self) -> None:
        stopped_at = self.desk.day.daily_stop_at
        if stopped_at is not None and self.now > stopped_at + FLAT_WITHIN:
            assert self.asset.position == 0, "held after the daily stop"
            assert self.broker.position == 0

    # -- the end ----------------------------------------------------------------------------------------------

    def books_agree(self) -> None:
        """The desk is flat, and won or lost what the broker says, to the cent."""
        assert (self.asset.position, self.broker.position, len(self.desk.orders)) == (0, 0, 0)
        won = sum((trade.pnl_usd for trade in self.sheet.trades), Decimal(0))
        assert won == self.broker.balance - self.broker.start_balance

    def replays_equal(self) -> None:
        self.ask(KeepObservations())
        again = replay(self.opening, iter(self.sheet.rows))
        assert again.orders == self.desk.orders
        assert list(desk_differences(again, self.desk, "the desk")) == []


RUNS = [(tape, seed) for tape in TAPES for seed in range(5)]


@pytest.mark.parametrize(("tape", "seed"), RUNS)
def test_a_tape_is_played_to_the_end_and_the_books_agree(tape: str, seed: int) -> None:
    day = TapeDay(tape, seed).play()
    day.books_agree()
    assert len(day.sheet.trades) >= 3, "the operator hardly traded: this run shows nothing"
    if seed % 3 == 2:
        day.replays_equal()


EVERY_CONTROL = {
    *("EnterMarket", "PlacePreOrder", "CancelPreOrder", "PlaceIntent", "CancelIntent", "ScaleIn", "ExitPosition"),
    *("SetProtect", "SetPointsTarget", "SetSignalTarget", "ToggleExit", "SetLimits", "ConsumeTrade"),
}


SHOWN = [(("gapped", 4), ("volatile", 1))]
SHOWN += [(("es_1m_2013_lean", 1), ("us30_ticks_20230628_renkodf", 5))] if RECORDED else []


@pytest.mark.parametrize("runs", SHOWN, ids=["generated", "recorded"][: len(SHOWN)])
def test_the_days_show_what_they_are_meant_to_show(runs: tuple[Any, ...]) -> None:
    days = [TapeDay(tape, seed).play() for tape, seed in runs]
    used = sum((day.used for day in days), Counter())
    reasons = sum((day.reasons for day in days), Counter())
    told = sum((day.told for day in days), Counter())
    assert set(used) >= EVERY_CONTROL
    assert len(reasons) >= 6, reasons
    assert set(told) >= {"DailyStopTriggered", "DayWarned", "ExitLatched", "EntryReturned", "ScaleInUnlocked"}
    assert any(day.broker.done["SCALE_IN"] for day in days)


@pytest.mark.soak
@pytest.mark.skipif("'soak' not in config.getoption('markexpr')", reason="run by make soak")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("tape", TAPES)
@pytest.mark.parametrize("seed", range(10, 40))
def test_many_operators_on_the_same_tape(tape: str, seed: int) -> None:
    day = TapeDay(tape, seed).play()
    day.books_agree()
    day.replays_equal()


def test_a_tape_is_the_same_day_every_time() -> None:
    one, other = (TapeDay("gapped", 5) for _ in range(2))
    for day in (one, other):
        day.ticks = day.ticks[:1500]
        day.play()
    assert replace(one.desk, live=other.desk.live) == other.desk
    assert [row.events for row in one.sheet.rows] == [row.events for row in other.sheet.rows]
