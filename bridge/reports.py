"""Broker events become reports to the desk, kept in a durable outbox until the desk accepts them (SPEC 8.3)."""

import threading
from datetime import datetime

import msgspec
import structlog
from msgspec import Struct

from bridge.brokers.broker import (
    BrokerEvent,
    LinkRestored,
    OrderCancelled,
    OrderEvent,
    OrderExecuted,
    OrderRejected,
    OrderWorking,
    PositionChanged,
    UnorderedFill,
)
from bridge.clock import Clock
from bridge.fills import FillOutbox
from bridge.ledger import Ledger
from bridge.orders import OrderRecord
from wire.bridge import ExecutionReport, OrderTicket, ReportExtra, ReportStatus
from wire.encoding import encode

logger = structlog.get_logger(__name__)

LONGEST_REASON = 300
"""Characters of a reason that are sent: the desk refuses longer ones, and a broker's may be longer."""

_body_decoder = msgspec.json.Decoder(ExecutionReport)


class OutgoingReport(Struct, frozen=True):
    """A report that the desk has not acknowledged yet; `number` is its place among all reports of the ledger."""

    number: int
    order_id: str
    report: ExecutionReport


def ended_unsent(status: ReportStatus, reason: str) -> ExecutionReport:
    """Return the report of an order that the broker never had."""
    return ExecutionReport(status, ReportExtra(reason=reason[:LONGEST_REASON]))


class Outbox:
    """The table ``reports`` of the ledger. `wake` is set when there is a report to send."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        """Keep the outbox in `ledger`; unsent reports of an earlier run are due at once."""
        self._ledger = ledger
        self._clock = clock
        self.wake = threading.Event()
        self._drained = threading.Event()
        self.wake.set()

    def put(self, order_id: str, occasion: str, report: ExecutionReport) -> bool:
        """Add a report, at most once per order and `occasion`; joins the caller's transaction."""
        with self._ledger.transaction() as connection:
            added = connection.execute(
                "INSERT OR IGNORE INTO reports (order_id, occasion, body) VALUES (?, ?, ?)",
                (order_id, occasion, encode(report).decode()),
            )
            if added.rowcount == 1:
                self._announce()
            return added.rowcount == 1

    def heads(self) -> list[OutgoingReport]:
        """Return the oldest unsent report of every order; later reports of the order wait for it."""
        rows = self._ledger.rows(
            "SELECT min(number), order_id, body FROM reports WHERE settled_at IS NULL GROUP BY order_id ORDER BY 1"
        )
        return [OutgoingReport(number, order_id, _body_decoder.decode(body)) for number, order_id, body in rows]

    def settle(self, number: int, refusal: str | None = None) -> None:
        """Record that the desk acknowledged a report, or refused it for good with `refusal`."""
        with self._ledger.transaction() as connection:
            connection.execute(
                "UPDATE reports SET settled_at = ?, refusal = ? WHERE number = ?",
                (self._clock().isoformat(), refusal, number),
            )

    def resend(self, order_id: str, settled_before: datetime) -> None:
        """Send an order's reports again: the desk redelivered the order, so it does not have them.

        Reports acknowledged after `settled_before`, the time of the request for orders, are not sent again: the desk
        received them after it had prepared its answer.
        """
        with self._ledger.transaction() as connection:
            lost = connection.execute(
                "UPDATE reports SET settled_at = NULL, refusal = NULL WHERE order_id = ? AND settled_at < ?",
                (order_id, settled_before.isoformat()),
            )
            if lost.rowcount:
                self._announce()

    def wait_until_drained(self, timeout_seconds: float) -> bool:
        """Wait until every report is acknowledged, or the time is up; return False in the second case."""
        return self._drained.wait(timeout_seconds)

    def note_if_drained(self) -> None:
        """Wake the threads that wait for an empty outbox, if it is empty."""
        with self._ledger.at_rest():
            if self._ledger.value("SELECT 1 FROM reports WHERE settled_at IS NULL LIMIT 1") is None:
                self._drained.set()

    def _announce(self) -> None:
        self._drained.clear()
        self.wake.set()


class Reporter:
    """The broker's listener: stores each event and its report in one transaction."""

    def __init__(self, ledger: Ledger, orders: OrderRecord, outbox: Outbox, fills: FillOutbox) -> None:
        """Write to `orders`, `outbox` and `fills`, which are all in `ledger`."""
        self._ledger = ledger
        self._orders = orders
        self._outbox = outbox
        self._fills = fills
        self.position_changed = threading.Event()
        self.doubt_arose = threading.Event()

    def on_broker_event(self, event: BrokerEvent) -> None:
        """Store `event` durably; a repeated one changes nothing."""
        match event:
            case PositionChanged():
                self.position_changed.set()
            case UnorderedFill():
                self._fills.put(event)
            case LinkRestored():
                self._orders.doubt_everything_sent()
                self.doubt_arose.set()
            case _:
                self._note_order_event(event)

    def refuse_unsent(self, ticket: OrderTicket, status: ReportStatus, reason: str) -> bool:
        """Close an unsent order as REJECTED or CANCELLED; False when it was sent meanwhile."""
        with self._ledger.transaction():
            if not self._orders.move(ticket.id, "ACCEPTED", "CLOSED"):
                return False
            self._put_end(ticket, status, reason)
        logger.warning("order not sent", order=ticket.id, kind=ticket.kind, status=status, reason=reason)
        return True

    def end_without_ticket(self, order_id: str, status: ReportStatus, reason: str) -> None:
        """Report the end of an order that this ledger cannot read or never had."""
        self._outbox.put(order_id, "end", ended_unsent(status, reason))

    def _note_order_event(self, event: OrderEvent) -> None:
        ticket = self._orders.ticket_of(event.client_tag)
        if ticket is None:
            logger.warning("broker event for an order that is not ours", order=event.client_tag)
            return
        with self._ledger.transaction():
            match event:
                case OrderWorking():
                    self._note_working(ticket)
                case OrderExecuted():
                    self._note_execution(ticket, event)
                case OrderRejected(reason=reason):
                    self._note_end(ticket, "REJECTED", reason)
                case OrderCancelled(reason=reason):
                    self._note_end(ticket, "CANCELLED", reason)

    def _note_working(self, ticket: OrderTicket) -> None:
        self._orders.note_working(ticket.id)
        if self._orders.state_of(ticket.id) == "WORKING":
            extra = ReportExtra(symbol=ticket.contract, side=ticket.side)
            self._outbox.put(ticket.id, "working", ExecutionReport("WORKING", extra))

    def _note_execution(self, ticket: OrderTicket, event: OrderExecuted) -> None:
        if not self._orders.add_execution(ticket.id, event.execution):
            return
        self._note_working(ticket)
        filled = self._orders.filled_qty(ticket.id)
        status: ReportStatus = "FILLED" if filled >= ticket.qty else "PARTIALLY_FILLED"
        extra = ReportExtra(
            symbol=ticket.contract,
            side=ticket.side,
            fill_price=event.execution.price,
            qty=event.execution.qty,
            cum_qty=filled,
            exec_id=event.execution.exec_id,
        )
        logger.info("order filled", order=ticket.id, status=status, qty=extra.qty, price=str(extra.fill_price))
        self._outbox.put(ticket.id, f"execution {event.execution.exec_id}", ExecutionReport(status, extra))
        if status == "FILLED":
            self._orders.close(ticket.id)

    def _note_end(self, ticket: OrderTicket, status: ReportStatus, reason: str) -> None:
        if self._orders.close(ticket.id):
            logger.warning("order ended", order=ticket.id, status=status, reason=reason)
            self._put_end(ticket, status, reason)

    def _put_end(self, ticket: OrderTicket, status: ReportStatus, reason: str) -> None:
        filled = self._orders.filled_qty(ticket.id)
        extra = ReportExtra(symbol=ticket.contract, side=ticket.side, cum_qty=filled, reason=reason[:LONGEST_REASON])
        self._outbox.put(ticket.id, "end", ExecutionReport(status, extra))
