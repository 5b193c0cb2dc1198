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
from tests.lying.heard import Heard, Reading, is_proof, nth_apart
from tests.lying.plan import plan_of
from tests.lying.true_day import true_day
from tests.lying.world import World

AGREES_WITHIN, ENDS_WITHIN, STOPS_WITHIN = timedelta(seconds=10), timedelta(seconds=120), timedelta(seconds=15)
FLAT_WITHIN = timedelta(seconds=80)
FATE, STEP = timedelta(seconds=60), timedelta(seconds=2.5)
MAY_DIFFER = Decimal("0.75")  # SPEC 5.6: two ways of knowing the result agree within a quarter of the larger loss


class Violation(Exception):
    """An invariant did not hold. Its text says which one, in which world, and what happened before."""


@dataclass(frozen=True)
class NotYet:
    """A rule that is not built: ``invariant`` is not asked in worlds with one of ``faults``."""

    invariant: str
    rule: str
    faults: frozenset[str]


NOT_YET: tuple[NotYet, ...] = ()


class Watch:
    """Judges one world. ``looks`` after every step; ``finishes`` at the end."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._differs_since: datetime | None = None
        self._differs: tuple[int, int] = (0, 0)
        self._mismatch_seen = False
        self._judged_readings = 0
        self._loss_since: datetime | None = None
        self._has_estimates = False
        self._left = ""
        self._foreign: dict[str, list[datetime]] = {}
        self._stops: list[tuple[datetime, set[tuple[str, int, Decimal]]]] = []
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
            self._notes_estimates(heard.event)
            self._follows_on_proof(heard)
            self._stops_for_a_reason(heard.event)
            self._price_lies_take_nothing_out(heard.event)
        self._loss_stops_the_day()
        self._stops_rest()
        if world.broker.sent_twice:
            self._fails("nothing is executed twice", str(world.broker.sent_twice))

    def finishes(self) -> None:
        """Check what holds at the end of a world: desk and broker hold the same, and nothing is in doubt for ever."""
        world = self.world
        held, position = world.desk.es.position, world.broker.position()
        if held != position and world.now <= self._agrees_by():
            return  # the broker's position has changed so late that the world ends before the desk must know
        if held != position:
            self._fails("the desk's position becomes the broker's", f"at the end desk {held}, broker {position}")
        doubt = world.desk.es.doubt
        if (doubt is not None and doubt.until is None) or world.desk.es.disagreement is not None:
            self._fails("every doubt ends", f"{doubt}, {world.desk.es.disagreement}")

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
        if world.now > self._agrees_by():
            since = self._differs_since
            self._fails("the desk's position becomes the broker's", f"desk {desk}, broker {broker} since {since}")

    def _agrees_by(self) -> datetime:
        """Return until when the desk's position may still differ: 10 s or three readings, whichever is later."""
        world = self.world
        since = max(self._differs_since or world.now, world.healthy_from)
        third = nth_apart([reading.at for reading in world.readings if reading.at > since and reading.speaks], 3)
        return max(since + AGREES_WITHIN, third or world.now) + timedelta(seconds=1.2)

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
        self._foreign_positions_close_gates(world.readings[self._judged_readings :])
        self._judged_readings = len(world.readings)
        filled_at = world.desk.es.last_fill_at
        is_old = filled_at is not None and world.readings and filled_at >= world.readings[-1].at
        if desk == broker or is_old or is_proof(world.readings, desk):
            self._mismatch_seen = False
        if self._mismatch_seen and not self._closed_gates() & {"pending_order", "reconcile", "daily_stop"}:
            self._fails("no gate is open while broker and desk differ", f"desk {desk}, broker {broker}")

    def _foreign_positions_close_gates(self, readings: list[Reading]) -> None:
        """A contract that the desk does not trade keeps the gates closed until three readings have left it out."""
        world = self.world
        for reading in readings:
            if not reading.speaks:
                continue
            for symbol, omitted_at in list(self._foreign.items()):
                omitted_at.append(reading.at)
                if nth_apart(omitted_at, 3) is not None:
                    del self._foreign[symbol]
            self._foreign |= {symbol: [] for symbol in reading.foreign}
        held = {symbol for symbol in self._foreign if world.broker.position(symbol)}
        if held and "reconcile" not in self._closed_gates():
            self._fails("no gate is open while the broker holds what the desk does not know", f"{held}")

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
        is_filled = heard.channel in ("report", "fill")
        followed = (
            (isinstance(event, TradeClosed) and event.reason == "BROKER_FLAT")
            or isinstance(event, TradeResized)
            or (isinstance(event, TradeOpened) and event.adopted and not is_filled)
            or (isinstance(event, OrderFateSettled) and event.by == "broker" and event.qty > 0)
        )
        readings = self.world.readings[: heard.readings]
        if followed and not is_proof(readings):
            said = [(reading.at, reading.position) for reading in readings[-6:]]
            self._fails("nothing is closed on one reading", f"{type(event).__name__} after {said}")

    # -- money ----------------------------------------------------------------------------------------------------

    def _loss_stops_the_day(self) -> None:
        world, day = self.world, true_day(self.world)
        if day.loss < day.limit or not day.starts_true or not world.is_healthy:
            self._loss_since = None
        elif self._loss_since is None:
            self._loss_since = world.now
        stopped_at = world.desk.desk.day.daily_stop_at
        if self._loss_since and stopped_at is None and world.now > self._loss_since + STOPS_WITHIN:
            self._fails("a real loss stops the day", f"lost {day.loss} of {day.limit}")
        is_heard = world.now > world.healthy_from + STOPS_WITHIN and world.desk.desk.day.start_equity is not None
        if is_heard and not day.starts_true and not self._closed_gates() & {"account", "daily_stop"}:
            self._fails("a day with a false start takes no entry", f"limit {day.limit}")
        if stopped_at is not None:
            self._goes_flat(stopped_at)

    def _goes_flat(self, stopped_at: datetime) -> None:
        """After the daily stop an exit is always on its way while something is held, and soon nothing is."""
        world = self.world
        es, desk = world.desk.es, world.desk.desk
        if es.trade is not None and es.due_exit is None and desk.open_exit("ES") is None:
            self._fails("a stopped day ends flat", f"the desk holds {es.position} and no exit is on its way")
        if world.now > max(stopped_at, world.healthy_from) + FLAT_WITHIN and world.broker.position():
            self._fails("a stopped day ends flat", f"the broker holds {world.broker.position()}")

    def _stops_for_a_reason(self, event: AnyEvent) -> None:
        """The loss that stops the day was real, and no lie.

        The desk's books stop it, too, while the balance agrees with them within a quarter (SPEC 5.6). They are exact
        when every fill was reported with its price, the desk holds what the broker holds, and nothing else moves the
        account; after a position was taken over from snapshots they are not. Where the start is false, too, as of two
        accounts on one bridge that names neither, the limit is less than an estimate may be off.
        """
        if not isinstance(event, DailyStopTriggered) or self.world.prices.has_believed_a_lie:
            return
        day = true_day(self.world)
        is_inexact = self._has_estimates or self._moves_without_the_desk()
        if is_inexact and not day.starts_true:
            return
        needed = day.limit * MAY_DIFFER if is_inexact else day.limit
        if day.largest_loss < needed:
            self._fails("nothing else stops the day", f"{event.reason}, lost at most {day.largest_loss}")

    def _moves_without_the_desk(self) -> bool:
        """Return whether the account holds, or has held, what the desk's books do not have."""
        world = self.world
        is_foreign = any(symbol != TRADED and held.last_fill is not None for symbol, held in world.broker.held.items())
        return is_foreign or world.desk.es.position != world.broker.position()

    def _notes_estimates(self, event: AnyEvent) -> None:
        if isinstance(event, TradeClosed):
            is_estimate = event.estimated or event.reason == "BROKER_FLAT"
        elif isinstance(event, TradeOpened):
            is_estimate = event.adopted
        elif isinstance(event, OrderFateSettled):
            is_estimate = event.qty > 0
        else:
            is_estimate = isinstance(event, TradeResized)
        self._has_estimates = self._has_estimates or is_estimate

    def _price_lies_take_nothing_out(self, event: AnyEvent) -> None:
        """A points target that fires is near: the true price is at most 8 points from it, or two prices agreed."""
        world, trade = self.world, self.world.desk.es.trade
        if not isinstance(event, OrderQueued) or event.source != "points_tp" or trade is None:
            return
        is_again, self._left = self._left == trade.id, trade.id  # a refused exit is tried again at any price
        if world.prices.believes_a_lie or is_again:
            return
        held = world.broker.held.get(TRADED)
        entered_at = held.average if held is not None and held.position * trade.sign > 0 else trade.entry_price
        points = (world.broker.price - entered_at) * trade.sign
        if points < trade.protections.points_tp_target - 8:
            self._fails("no lie about the price takes a trade out", f"{points} points, {event.source}")

    def _stops_rest(self) -> None:
        """What the desk calls a resting stop rested when the newest snapshot was read. Only our bridge tells stops."""
        world = self.world
        resting = {
            (symbol, abs(held.position), held.stop)
            for symbol, held in world.broker.held.items()
            if held.stop is not None
        }
        self._stops.append((world.now, resting))
        live = world.desk.desk.live
        if live.stops is None or live.stops_at is None:
            return
        heard = [r.as_of for r in world.readings if r.speaks and r.as_of is not None and r.at > world.started_at]
        newest = max(heard, default=live.stops_at)
        if live.stops_at < newest:
            self._fails("a stop that is told rests", f"told at {live.stops_at}, the newest reading is of {newest}")
        rested = [stop for at, stops in self._stops if abs(at - live.stops_at) < STEP for stop in stops]
        for told in live.stops:
            if not any(told.qty == qty and abs(told.price - price) < 1 for _, qty, price in rested):
                self._fails("a stop that is told rests", f"{told} at {live.stops_at}, but {rested}")


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
