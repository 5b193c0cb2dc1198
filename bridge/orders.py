"""The bridge's record of its orders: what was taken, what was sent, what is in doubt (SPEC 8.6)."""

from datetime import datetime, timedelta
from typing import Literal

from bridge.brokers.broker import Execution
from bridge.ledger import Ledger
from wire.bridge import MalformedOrder, OrderTicket, decode_order, encode

OrderState = Literal["ACCEPTED", "SUBMITTING", "WORKING", "IN_DOUBT", "CLOSED"]


class OrderRecord:
    """The ``orders`` and ``executions`` of the ledger.

    Moves are compare-and-set: a move that answers False was made by somebody else first, or must not be made.
    """

    def __init__(self, ledger: Ledger) -> None:
        """Keep the record in `ledger`."""
        self._ledger = ledger

    def accept(self, ticket: OrderTicket, now: datetime) -> bool:
        """Write a new order down; False when it is known already, so a redelivery is not executed again."""
        return self._insert(ticket.id, encode(ticket).decode(), "ACCEPTED", now)

    def accept_malformed(self, order: MalformedOrder, now: datetime) -> bool:
        """Write down that an unreadable order was taken and is closed; False when that is known already."""
        return order.id is not None and self._insert(order.id, "{}", "CLOSED", now)

    def begin_submission(self, order_id: str, now: datetime) -> bool:
        """Note that the broker is about to be called; False unless the order is ours and unsent."""
        with self._ledger.transaction() as connection:
            moved = connection.execute(
                "UPDATE orders SET state = 'SUBMITTING', submitted_at = ? WHERE id = ? AND state = 'ACCEPTED'",
                (now.isoformat(), order_id),
            )
            return moved.rowcount == 1

    def move(self, order_id: str, before: OrderState, after: OrderState) -> bool:
        """Move an order on from `before`; False when it is not there any more."""
        with self._ledger.transaction() as connection:
            moved = connection.execute(
                "UPDATE orders SET state = ? WHERE id = ? AND state = ?", (after, order_id, before)
            )
            return moved.rowcount == 1

    def note_working(self, order_id: str) -> None:
        """Note that the broker has the order, unless that is known or the order is final."""
        with self._ledger.transaction() as connection:
            connection.execute("UPDATE orders SET state = 'WORKING' WHERE id = ? AND state <> 'CLOSED'", (order_id,))

    def close(self, order_id: str) -> bool:
        """Note that the order is final; False when it was before."""
        with self._ledger.transaction() as connection:
            closed = connection.execute(
                "UPDATE orders SET state = 'CLOSED' WHERE id = ? AND state <> 'CLOSED'", (order_id,)
            )
            return closed.rowcount == 1

    def doubt_everything_open(self) -> int:
        """Put every order that is not final in doubt: after a restart, or when the broker's link was down."""
        with self._ledger.transaction() as connection:
            return connection.execute("UPDATE orders SET state = 'IN_DOUBT' WHERE state <> 'CLOSED'").rowcount

    def doubt_everything_sent(self) -> int:
        """Put every order that the broker may have in doubt; those still unsent stay as they are."""
        with self._ledger.transaction() as connection:
            return connection.execute("UPDATE orders SET state = 'IN_DOUBT' WHERE state = 'WORKING'").rowcount

    def in_doubt(self) -> list[OrderTicket]:
        """List the orders whose fate has to be looked up, oldest first."""
        return self._tickets("state = 'IN_DOUBT'")

    def working_qty(self, contract: str) -> int:
        """Sum what entries and scale-ins in `contract` may still add to the position; negative sells."""
        tickets = self._tickets("state IN ('SUBMITTING', 'WORKING', 'IN_DOUBT')")
        entries = [ticket for ticket in tickets if ticket.contract == contract and not ticket.is_exit]
        return sum(entry.sign * (entry.qty - self.filled_qty(entry.id)) for entry in entries)

    def entries_sent_within_a_minute(self, now: datetime) -> int:
        """Count the entries and scale-ins sent in the last 60 seconds."""
        since = (now - timedelta(seconds=60)).isoformat()
        return sum(not ticket.is_exit for ticket in self._tickets("submitted_at > ?", since))

    def state_of(self, order_id: str) -> OrderState | None:
        """Give the state of an order, None when it was never taken."""
        state: OrderState | None = self._ledger.value("SELECT state FROM orders WHERE id = ?", (order_id,))
        return state

    def ticket_of(self, order_id: str) -> OrderTicket | None:
        """Give the order as the desk handed it out; None when it is unknown or was unreadable."""
        tickets = self._tickets("id = ?", order_id)
        return tickets[0] if tickets else None

    def add_execution(self, order_id: str, execution: Execution) -> bool:
        """Write a fill down; False when it is known already."""
        with self._ledger.transaction() as connection:
            added = connection.execute(
                "INSERT OR IGNORE INTO executions (order_id, exec_id, qty, price, at) VALUES (?, ?, ?, ?, ?)",
                (order_id, execution.exec_id, execution.qty, str(execution.price), execution.at.isoformat()),
            )
            return added.rowcount == 1

    def filled_qty(self, order_id: str) -> int:
        """Sum the contracts of the order that have filled."""
        return int(self._ledger.value("SELECT coalesce(sum(qty), 0) FROM executions WHERE order_id = ?", (order_id,)))

    def _insert(self, order_id: str, ticket: str, state: OrderState, now: datetime) -> bool:
        with self._ledger.transaction() as connection:
            inserted = connection.execute(
                "INSERT OR IGNORE INTO orders (id, ticket, state, accepted_at) VALUES (?, ?, ?, ?)",
                (order_id, ticket, state, now.isoformat()),
            )
            return inserted.rowcount == 1

    def _tickets(self, condition: str, *parameters: str) -> list[OrderTicket]:
        # `condition` is one of the literals above, never anything that came over the wire.
        rows = self._ledger.rows(
            f"SELECT ticket FROM orders WHERE {condition} ORDER BY accepted_at, rowid",  # noqa: S608
            parameters,
        )
        orders = (decode_order(row[0].encode()) for row in rows)
        return [order for order in orders if isinstance(order, OrderTicket)]
