"""Takes orders from the desk and submits each to the broker exactly once (SPEC 8.6)."""

import threading
import time
from collections.abc import Callable

import structlog

from bridge import limits
from bridge.brokers.broker import (
    Broker,
    BrokerOrder,
    BrokerUnavailable,
    OrderCancelled,
    OrderExecuted,
    OrderRefused,
    OrderRejected,
    OrderWorking,
)
from bridge.client import DeskClient
from bridge.clock import Clock
from bridge.ledger import LedgerLost
from bridge.limits import Exposure, HardLimits
from bridge.orders import OrderRecord
from bridge.reports import Outbox, Reporter, ended_unsent
from wire.bridge import MalformedOrder, OrderTicket, StopToRest

TAKEN_BACK = "taken back by the desk"

logger = structlog.get_logger(__name__)

BUSY_DESK_SECONDS = 0.5
"""Longest wait for the outbox before the next poll: the desk hands out an order again until it has its report."""

CALM_SECONDS = 0.5
"""Least time between two polls without new orders, in case the desk answers without waiting."""


class Worker:
    """Polls the desk, executes orders and resolves doubts; `poll` and `resolve_doubts` may run in different threads."""

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
        is_time_known: Callable[[], bool] = lambda: True,
    ) -> None:
        """Keep the objects to work with; nothing is sent before `recover`.

        `clock` is the desk's. Before that is known the age of an order of an earlier run is not: an entry waits.
        """
        self._desk = desk
        self._broker = broker
        self._orders = orders
        self._outbox = outbox
        self._reporter = reporter
        self._limits = hard_limits
        self._clock = clock
        self._is_time_known = is_time_known
        self._asked_for_seconds = 0.0
        self._asked_back: frozenset[str] = frozenset()

    def recover(self) -> None:
        """Put every open order of an earlier run in doubt, so that it is looked up and not sent twice."""
        doubtful = self._orders.doubt_everything_open()
        if doubtful:
            logger.info("orders of an earlier run are looked up at the broker", orders=doubtful)
            self._reporter.doubt_arose.set()

    def poll(self) -> bool:
        """Claim orders from the desk and execute the new ones, exits first; True when there were new ones."""
        asked_at = self._clock()
        started = time.monotonic()
        handed = self._desk.pending_orders()
        self._asked_for_seconds = time.monotonic() - started
        self._asked_back = frozenset(handed.cancels)
        orders = handed.orders
        orders.sort(key=lambda order: not (isinstance(order, OrderTicket) and order.is_exit))
        new = [self._take(order) for order in orders]
        for order, is_new in zip(orders, new, strict=True):
            if order.id is not None and not is_new:
                self._outbox.resend(order.id, settled_before=asked_at)
        for order_id in handed.cancels:
            self._take_back(order_id)
        for stop in handed.stops:
            self._rest(stop)
        return any(new)

    def rest_after_poll(self, found_work: bool, stop: threading.Event) -> None:
        """Let the outbox empty before the next poll, and keep polls from running in a tight loop."""
        self._outbox.wait_until_drained(BUSY_DESK_SECONDS)
        if not found_work and self._asked_for_seconds < CALM_SECONDS:
            stop.wait(CALM_SECONDS)

    def resolve_doubts(self) -> bool:
        """Let the broker do what time makes due, then look up every order in doubt; True when one was resolved."""
        self._reporter.doubt_arose.clear()
        self._broker.on_clock(self._clock())
        resolved = [self._resolve(ticket) for ticket in self._orders.in_doubt()]
        return any(resolved)

    def _take(self, order: OrderTicket | MalformedOrder) -> bool:
        if isinstance(order, MalformedOrder):
            return self._take_malformed(order)
        if self._accept(order):
            if order.redelivered:
                logger.warning("order was handed out before: it is looked up at the broker first", order=order.id)
                self._reporter.doubt_arose.set()
            else:
                self._execute(order)
            return True
        # Stored by an earlier poll that failed before `begin_submission`.
        if self._orders.state_of(order.id) == "ACCEPTED":
            self._execute(order)
        return False

    def _accept(self, order: OrderTicket) -> bool:
        """Write the order down; True when it is new. One that cannot be written is refused at once and never sent."""
        try:
            return self._orders.accept(order, self._clock())
        except LedgerLost as loss:
            if not order.redelivered and self._orders.state_of(order.id) is None:
                self._desk.report(order.id, ended_unsent("REJECTED", str(loss)))
            return False

    def _take_malformed(self, order: MalformedOrder) -> bool:
        logger.error("order cannot be read", alert=True, order=order.id, reason=order.reason)
        if order.id is None or not self._orders.accept_malformed(order, self._clock()):
            return False
        self._reporter.end_without_ticket(order.id, "REJECTED", order.reason)
        return True

    def _execute(self, ticket: OrderTicket) -> None:
        """Submit an unsent order, unless the desk asks it back, a hard limit refuses it or it has expired."""
        if ticket.id in self._asked_back:
            self._reporter.refuse_unsent(ticket, "CANCELLED", TAKEN_BACK)
        elif reason := self._limit_refusal(ticket):
            self._reporter.refuse_unsent(ticket, "REJECTED", reason)
        elif ticket.has_expired(self._clock()):
            self._reporter.refuse_unsent(ticket, "CANCELLED", "expired before submit")
        elif reason := self._exit_refusal(ticket):
            logger.error("exit refused", alert=True, order=ticket.id, reason=reason)
            self._reporter.refuse_unsent(ticket, "REJECTED", reason)
            self._reporter.position_changed.set()
        elif self._orders.begin_submission(ticket.id, self._clock()):
            self._submit(ticket)

    def _take_back(self, order_id: str) -> None:
        """Take back the unfilled part of an order; the desk asks again until the order has ended (SPEC 7.2)."""
        state = self._orders.state_of(order_id)
        ticket = self._orders.ticket_of(order_id)
        if state is None:
            self._end_unknown(order_id)
        elif state == "ACCEPTED" and ticket is not None:
            self._reporter.refuse_unsent(ticket, "CANCELLED", TAKEN_BACK)
        elif state == "WORKING":
            self._cancel_at_broker(order_id)

    def _end_unknown(self, order_id: str) -> None:
        """End an order that this ledger never had, when the broker never had it either; else cancel its rest there."""
        try:
            found = self._broker.look_up(order_id)
        except BrokerUnavailable:
            return
        if found is not None:
            self._cancel_at_broker(order_id)
        elif self._orders.accept_closed(order_id, self._clock()):
            self._reporter.end_without_ticket(order_id, "CANCELLED", TAKEN_BACK)

    def _cancel_at_broker(self, order_id: str) -> None:
        try:
            self._broker.cancel(order_id, TAKEN_BACK)
        except BrokerUnavailable:
            logger.warning("order cannot be taken back now", order=order_id)

    def _rest(self, stop: StopToRest) -> None:
        try:
            self._broker.rest_stop(stop)
        except BrokerUnavailable:
            logger.warning("stop cannot be rested now", alert=True, contract=stop.contract)

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

    def _exit_refusal(self, ticket: OrderTicket) -> str | None:
        """Return why the exit would close more than the account holds, None when it does not or nobody knows.

        The desk is told at once what the account holds. A list that is older than the last fill says nothing: it lags.
        """
        if not ticket.is_exit:
            return None
        try:
            statement = self._broker.statement()
        except BrokerUnavailable:
            return None
        filled_at = self._orders.last_fill_at(ticket.contract)
        if filled_at is not None and statement.as_of < filled_at:
            return None
        position = statement.position_in(ticket.contract)
        return limits.exit_refusal(ticket, position, self._orders.exiting_qty(ticket.contract, ticket.side))

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
            # A timeout, a lost link or any fault: the broker may have the order, so look it up and never send it again.
            logger.exception("fate of the order unknown", alert=True, order=ticket.id)
            self._orders.move(ticket.id, "SUBMITTING", "IN_DOUBT")
            self._reporter.doubt_arose.set()
        else:
            self._orders.move(ticket.id, "SUBMITTING", "WORKING")

    def _resolve(self, ticket: OrderTicket) -> bool:
        """Ask the broker for an order in doubt; False when the broker cannot answer yet."""
        try:
            found = self._broker.look_up(ticket.id)
        except BrokerUnavailable:
            return False
        if found is not None:
            return self._adopt(ticket, found)
        if not ticket.is_exit and not self._is_time_known():
            return False
        if self._orders.move(ticket.id, "IN_DOUBT", "ACCEPTED"):
            logger.info("the broker never had the order", order=ticket.id)
            self._execute(ticket)
        return True

    def _adopt(self, ticket: OrderTicket, found: BrokerOrder) -> bool:
        """Process the order's events from the broker's answer; events that are known already change nothing."""
        logger.info("order found at the broker", order=ticket.id, status=found.status)
        if found.status == "FILLED" and sum(fill.qty for fill in found.executions) < ticket.qty:
            return False  # the broker does not show all fills yet
        notice = self._reporter.on_broker_event
        if found.status != "REJECTED":
            notice(OrderWorking(ticket.id))
        for execution in found.executions:
            notice(OrderExecuted(ticket.id, execution))
        if found.status == "REJECTED":
            notice(OrderRejected(ticket.id, found.reason or "rejected by the broker"))
        elif found.status == "CANCELLED":
            notice(OrderCancelled(ticket.id, found.reason or "cancelled at the broker"))
        return True
