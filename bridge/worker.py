"""Takes orders from the desk and has the broker execute them, each exactly once (SPEC 8.6)."""

import threading
import time

import structlog

from bridge import limits
from bridge.brokers.broker import (
    Broker,
    BrokerUnavailable,
    OrderCancelled,
    OrderExecuted,
    OrderRefused,
    OrderRejected,
    OrderStanding,
    OrderWorking,
)
from bridge.client import DeskClient
from bridge.clock import Clock
from bridge.limits import Exposure, HardLimits
from bridge.orders import OrderRecord
from bridge.reports import Outbox, Reporter
from wire.bridge import MalformedOrder, OrderTicket

logger = structlog.get_logger(__name__)

BUSY_DESK_SECONDS = 0.5
"""How long the next ask waits for reports to arrive: until then the desk hands the same orders out again."""

CALM_SECONDS = 0.5
"""The least time between two asks that bring nothing new, should the desk answer without waiting."""


class Worker:
    """Polls, executes and resolves doubts; `poll_turn` and `doubt_turn` may run in different threads."""

    def __init__(
        self,
        *,
        desk: DeskClient,
        broker: Broker,
        orders: OrderRecord,
        outbox: Outbox,
        reporter: Reporter,
        hard_limits: HardLimits,
        clock: Clock,
    ) -> None:
        """Put the parts together; nothing happens before `recover`."""
        self._desk = desk
        self._broker = broker
        self._orders = orders
        self._outbox = outbox
        self._reporter = reporter
        self._limits = hard_limits
        self._clock = clock
        self._asked_for_seconds = 0.0

    def recover(self) -> None:
        """Put every open order of an earlier run in doubt, so that it is looked up before anything is sent."""
        doubtful = self._orders.doubt_everything_open()
        if doubtful:
            logger.info("orders of an earlier run are looked up at the broker", orders=doubtful)
            self._reporter.doubt_arose.set()

    def poll_turn(self) -> bool:
        """Ask the desk for orders and execute the new ones, exits first; True when there were new ones."""
        asked_at = self._clock()
        started = time.monotonic()
        orders = self._desk.pending_orders()
        self._asked_for_seconds = time.monotonic() - started
        orders.sort(key=lambda order: not (isinstance(order, OrderTicket) and order.is_exit))
        new = [self._take(order) for order in orders]
        for order, is_new in zip(orders, new, strict=True):
            if order.id is not None and not is_new:
                self._outbox.resend(order.id, settled_before=asked_at)
        return any(new)

    def rest_after_poll(self, found_work: bool, stop: threading.Event) -> None:
        """Let the reports get ahead of the next ask, and never ask in a tight loop."""
        self._outbox.wait_until_drained(BUSY_DESK_SECONDS)
        if not found_work and self._asked_for_seconds < CALM_SECONDS:
            stop.wait(CALM_SECONDS)

    def doubt_turn(self) -> bool:
        """Do what is due by time alone, then look up every order in doubt; True when one was resolved."""
        self._reporter.doubt_arose.clear()
        self._broker.on_clock(self._clock())
        resolved = [self._resolve(ticket) for ticket in self._orders.in_doubt()]
        return any(resolved)

    def _take(self, order: OrderTicket | MalformedOrder) -> bool:
        if isinstance(order, MalformedOrder):
            return self._take_malformed(order)
        if self._orders.accept(order, self._clock()):
            self._execute(order)
            return True
        if self._orders.state_of(order.id) == "ACCEPTED":  # taken before, but the ledger failed half-way
            self._execute(order)
        return False

    def _take_malformed(self, order: MalformedOrder) -> bool:
        logger.error("order cannot be read", alert=True, order=order.id, reason=order.reason)
        if order.id is None or not self._orders.accept_malformed(order, self._clock()):
            return False
        self._reporter.refuse_malformed(order.id, order.reason)
        return True

    def _execute(self, ticket: OrderTicket) -> None:
        """Send an order of ours that was never sent, unless it is too late or too much."""
        if reason := self._limit_refusal(ticket):
            self._reporter.refuse_unsent(ticket, "REJECTED", reason)
        elif ticket.has_expired(self._clock()):
            self._reporter.refuse_unsent(ticket, "CANCELLED", "expired before submit")
        elif self._orders.begin_submission(ticket.id, self._clock()):
            self._submit(ticket)

    def _limit_refusal(self, ticket: OrderTicket) -> str | None:
        if ticket.is_exit:
            return None
        try:
            position = self._broker.statement().position_in(ticket.contract)
        except BrokerUnavailable:
            return "the position at the broker is unknown"
        exposure = Exposure(
            position=position,
            working_qty=self._orders.working_qty(ticket.contract),
            entries_in_last_minute=self._orders.entries_sent_within_a_minute(self._clock()),
        )
        return limits.refusal(self._limits, ticket, exposure)

    def _submit(self, ticket: OrderTicket) -> None:
        logger.info(
            "order to the broker",
            order=ticket.id,
            kind=ticket.kind,
            side=ticket.side,
            qty=ticket.qty,
            contract=ticket.contract,
        )
        try:
            self._broker.submit(ticket)
        except OrderRefused as refusal:
            self._reporter.on_broker_event(OrderRejected(ticket.id, str(refusal)))
        except Exception:
            # Timeouts, lost links, anything: the order may be at the broker, so it is looked up, not sent again.
            logger.exception("fate of the order unknown", alert=True, order=ticket.id)
            self._orders.move(ticket.id, "SUBMITTING", "IN_DOUBT")
            self._reporter.doubt_arose.set()
        else:
            self._orders.move(ticket.id, "SUBMITTING", "WORKING")

    def _resolve(self, ticket: OrderTicket) -> bool:
        """Ask the broker what became of an order; False when it cannot tell yet."""
        try:
            standing = self._broker.look_up(ticket.id)
        except BrokerUnavailable:
            return False
        if standing is not None:
            return self._adopt(ticket, standing)
        if self._orders.move(ticket.id, "IN_DOUBT", "ACCEPTED"):
            logger.info("the broker never had the order", order=ticket.id)
            self._execute(ticket)
        return True

    def _adopt(self, ticket: OrderTicket, standing: OrderStanding) -> bool:
        """Catch up on the events that were missed; those that were not missed change nothing."""
        logger.info("order found at the broker", order=ticket.id, status=standing.status)
        if standing.status == "FILLED" and sum(fill.qty for fill in standing.executions) < ticket.qty:
            return False  # its fills are not all visible yet
        notice = self._reporter.on_broker_event
        if standing.status != "REJECTED":
            notice(OrderWorking(ticket.id))
        for execution in standing.executions:
            notice(OrderExecuted(ticket.id, execution))
        if standing.status == "REJECTED":
            notice(OrderRejected(ticket.id, standing.reason or "rejected by the broker"))
        elif standing.status == "CANCELLED":
            notice(OrderCancelled(ticket.id, standing.reason or "cancelled at the broker"))
        return True
