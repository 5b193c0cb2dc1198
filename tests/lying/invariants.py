"""What must hold in every world, checked after each second of it.

``NOT_YET`` names the rules that the program does not keep yet: a world in which one of the row's faults may happen is
not judged by the row's invariant. A row disappears with the rule's mark "not yet built" in docs/reference/rules.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from services.engine.model.events import AnyEvent, DailyStopTriggered, OrderQueued
from services.engine.model.proof_events import OrderFateSettled
from services.engine.model.trade_events import TradeClosed, TradeOpened, TradeResized
from services.engine.rules.gates import ladder
from services.engine.rules.verdicts import EntryRequest
from tests.lying.broker import TRADED
from tests.lying.plan import plan_of
from tests.lying.world import Heard, Reading, World

AGREES_WITHIN, ENDS_WITHIN, STOPS_WITHIN = timedelta(seconds=10), timedelta(seconds=120), timedelta(seconds=15)
FLAT_WITHIN = timedelta(seconds=130)
APART, FATE = timedelta(seconds=2), timedelta(seconds=60)
LIMIT = Decimal("0.02")


class Violation(Exception):
    """An invariant did not hold. Its text says which one, in which world, and what happened before."""


@dataclass(frozen=True)
class NotYet:
    """A rule that is not built: ``invariant`` is not asked in worlds with one of ``faults``."""

    invariant: str
    rule: str
    faults: frozenset[str]


TWO_LIES_AGREE = "3: a second lying price confirms the first, and a fill without a price is counted at it"
NOT_YET: tuple[NotYet, ...] = (
    NotYet("no lie about the price takes a trade out", TWO_LIES_AGREE, frozenset({"price_times_ten"})),
)


class Watch:
    """Judges one world. ``looks`` after every step; ``finishes`` at the end."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._differs_since: datetime | None = None
        self._differs: tuple[int, int] = (0, 0)
        self._mismatch_seen = False
        self._judged_readings = 0
        self._loss_since: datetime | None = None
        self._stops: list[tuple[datetime, frozenset[tuple[str, int, Decimal]]]] = []
        self._suspended = {row.invariant for row in NOT_YET if row.faults & world.plan.names}

    def looks(self) -> None:
        """Check every invariant. Raises Violation."""
        world = self.world
        events, world.events = world.events, []
        if world.worst_status >= 500:
            self._fails("no message is answered 500", f"status {world.worst_status}")
        self._positions_agree()
        self._orders_end()
        self._gates_are_closed()
        for heard in events:
            self._follows_on_proof(heard)
            self._stops_for_a_reason(heard.event)
            self._price_lies_take_nothing_out(heard.event)
        self._loss_stops_the_day()
        self._stops_rest()
        if world.broker.sent_twice:
            self._fails("nothing is executed twice", str(world.broker.sent_twice))

    def finishes(self) -> None:
        """Check what holds at the end of a world: desk and broker hold the same, and nothing is open."""
        world = self.world
        held, position = world.desk.es.position, world.broker.position()
        if held != position:
            self._fails("the desk's position becomes the broker's", f"at the end desk {held}, broker {position}")

    def _fails(self, invariant: str, detail: str) -> None:
        if invariant in self._suspended:
            return
        world = self.world
        story = "\n".join(world.story[-90:])
        plan = world.plan
        faults = ", ".join(f"{name} {plan.chances.get(name, '')}" for name in sorted(plan.names))
        kind = f"{type(world.bridge).__name__}, {plan.env}, {faults}, broker {plan.manner}"
        raise Violation(f"seed {plan.seed}: {invariant}: {detail}\n{kind}\n{story}")

    # -- position and orders --------------------------------------------------------------------------------------

    def _positions_agree(self) -> None:
        world = self.world
        desk, broker = world.desk.es.position, world.broker.position()
        if desk == broker or (desk, broker) != self._differs or not world.is_healthy or world.desk.in_flight(FATE):
            self._differs, self._differs_since = (desk, broker), None if desk == broker else world.now
            return
        since = max(self._differs_since or world.now, world.healthy_from)
        heard = [reading.at for reading in world.readings if reading.at > since]
        third = _nth_apart(heard, 4 if world.desk.desk.env == "LIVE" else 3)
        deadline = max(since + AGREES_WITHIN, third or world.now) + timedelta(seconds=1.2)
        if world.now > deadline:
            self._fails("the desk's position becomes the broker's", f"desk {desk}, broker {broker} since {since}")

    def _orders_end(self) -> None:
        world = self.world
        for order in world.desk.desk.open_orders("ES"):
            if world.is_healthy and world.now > max(order.created_at, world.healthy_from) + ENDS_WITHIN:
                self._fails("every order is final within 120 s", f"{order.kind} {order.status} {order.id}")

    def _gates_are_closed(self) -> None:
        """A true reading that differs from the desk keeps the gates closed until both agree, or a reading lies.

        A fill that is reported afterwards may explain the difference: then the next reading tells.
        """
        world = self.world
        desk, broker = world.desk.es.position, world.broker.position()
        for reading in world.readings[self._judged_readings :]:
            if reading.position is None:
                continue
            if reading.position == broker and reading.is_listed:
                self._mismatch_seen = True
            elif reading.position == desk and reading.is_listed:
                self._mismatch_seen = False  # somebody says that all is well
        self._judged_readings = len(world.readings)
        filled_at = world.desk.es.last_fill_at
        is_old = filled_at is not None and world.readings and filled_at >= world.readings[-1].at
        if desk == broker or is_old or _is_proof(world.readings, desk):
            self._mismatch_seen = False
        if self._mismatch_seen and not self._closed_gates() & {"pending_order", "reconcile", "daily_stop"}:
            self._fails("no gate is open while broker and desk differ", f"desk {desk}, broker {broker}")

    def _closed_gates(self) -> set[str]:
        desk = self.world.desk
        request = EntryRequest(desk.es, "BUY", override=True, is_attempt=True)
        return {rung.gate for rung in ladder(desk.desk, request, self.world.now) if not rung.is_open}

    # -- proof ----------------------------------------------------------------------------------------------------

    def _follows_on_proof(self, heard: Heard) -> None:
        """What the desk follows in the broker's positions was proven by the readings heard until then.

        A fill that is reported always counts (SPEC 8.1): one of a scale-in while the asset is flat opens an adopted
        trade, and nothing is followed.
        """
        event = heard.event
        is_filled = heard.channel == "report"
        followed = (
            (isinstance(event, TradeClosed) and event.reason == "BROKER_FLAT")
            or isinstance(event, TradeResized)
            or (isinstance(event, TradeOpened) and event.adopted and not is_filled)
            or (isinstance(event, OrderFateSettled) and event.by == "broker" and event.qty > 0)
        )
        readings = self.world.readings[: heard.readings]
        if followed and not _is_proof(readings):
            said = [(reading.at, reading.position) for reading in readings[-6:]]
            self._fails("nothing is closed on one reading", f"{type(event).__name__} after {said}")

    # -- money ----------------------------------------------------------------------------------------------------

    def _loss_stops_the_day(self) -> None:
        world = self.world
        start = world.desk.desk.day.start_equity
        lost = start is not None and world.broker.equity <= start * (1 - LIMIT)
        if not lost or not world.is_healthy:
            self._loss_since = None
        elif self._loss_since is None:
            self._loss_since = world.now
        stopped_at = world.desk.desk.day.daily_stop_at
        if self._loss_since and stopped_at is None and world.now > self._loss_since + STOPS_WITHIN:
            self._fails("a real loss stops the day", f"equity {world.broker.equity} of {start}")
        if stopped_at and world.now > max(stopped_at, world.healthy_from) + FLAT_WITHIN and world.broker.position():
            self._fails("a stopped day ends flat", f"the broker holds {world.broker.position()}")

    def _stops_for_a_reason(self, event: AnyEvent) -> None:
        world = self.world
        start = world.desk.desk.day.start_equity
        if isinstance(event, DailyStopTriggered) and start and world.broker.lowest_equity > start * (1 - LIMIT):
            self._fails("nothing else stops the day", f"{event.reason}, lowest equity {world.broker.lowest_equity}")

    def _price_lies_take_nothing_out(self, event: AnyEvent) -> None:
        """A points target that fires is near: the true price is at most 8 points from it."""
        world, trade = self.world, self.world.desk.es.trade
        if not isinstance(event, OrderQueued) or event.source != "points_tp" or trade is None:
            return
        points = (world.broker.price - trade.entry_price) * trade.sign
        if points < trade.protections.points_tp_target - 8:
            self._fails("no lie about the price takes a trade out", f"{points} points, {event.source}")

    def _stops_rest(self) -> None:
        """What the desk calls a resting stop has rested within the last 6 s of a healthy world."""
        world = self.world
        resting = frozenset(
            (symbol, abs(held.position), held.stop)
            for symbol, held in world.broker.held.items()
            if held.stop is not None
        )
        self._stops = [(at, stops) for at, stops in self._stops if at > world.now - timedelta(seconds=6)]
        self._stops.append((world.now, resting))
        live = world.desk.desk.live
        if not world.is_healthy or live.stops is None or live.stops_at is None:
            return
        rested = {stop for _, stops in self._stops for stop in stops if stop[0] == TRADED}
        for told in live.stops:
            near = any(told.qty == qty and abs(told.price - price) < 1 for _, qty, price in rested)
            if told.symbol == TRADED and not near and live.stops_at > world.now - timedelta(seconds=4):
                self._fails("a stop that is told rests", f"{told}, but {rested}")


def plays(seed: int, folder: Path, faults: Iterable[str] | None = None) -> World:
    """Play a world from its beginning to its end and return it. Raises Violation."""
    world = World(plan_of(seed, faults), folder)
    watch = Watch(world)
    try:
        while not world.is_over:
            world.step()
            watch.looks()
        watch.finishes()
    finally:
        world.desk.close()
    return world


def _is_proof(readings: list[Reading], position: int | None = None) -> bool:
    """Return whether the newest readings agree often enough, far enough apart (SPEC 8.4)."""
    run: list[Reading] = []
    for reading in reversed([reading for reading in readings if reading.position is not None]):
        if run and reading.position != run[0].position:
            break
        run.append(reading)
    if not run or (position is not None and run[0].position != position):
        return False
    needed = 2 if any(reading.is_listed for reading in run) else 3
    return _nth_apart([reading.at for reading in reversed(run)], needed) is not None


def _nth_apart(times: list[datetime], needed: int) -> datetime | None:
    """Return when the ``needed``-th of the times came, counting only those 2 s after the last that counted."""
    counted: datetime | None = None
    found = 0
    for at in times:
        if counted is None or at >= counted + APART:
            counted, found = at, found + 1
        if found == needed:
            return at
    return None
