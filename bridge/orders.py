"""The bridge's record of its orders: those taken, those sent, those in doubt (SPEC 8.6)."""

from datetime import datetime, timedelta
from typing import Literal

from bridge.brokers.broker import Execution
from bridge.ledger import Ledger
from wire.bridge import MalformedOrder, OrderTicket, decode_order
from wire.encoding import encode
from wire.types import Side

OrderState = Literal["ACCEPTED", "SUBMITTING", "WORKING", "IN_DOUBT", "CLOSED"]


class OrderRecord:
    """The tables ``orders`` and ``executions`` of the ledger.

    State changes are compare-and-set: False means that another thread changed the state first, or that the change
    is not allowed.
    """

    def __init__(self, ledger: Ledger) -> None:
        """Keep the record in `ledger`."""
        self._ledger = ledger

    def accept(self, ticket: OrderTicket, now: datetime) -> bool:
        """Store a new order; False when it is known already, so that a redelivered order is not executed again.

        One that the desk handed out before, but not to this ledger, is in doubt: another process may have sent it.
        """
        return self._insert(ticket.id, encode(ticket).decode(), "IN_DOUBT" if ticket.redelivered else "ACCEPTED", now)

    def accept_malformed(self, order: MalformedOrder, now: datetime) -> bool:
        """Store an unreadable order as closed; False when it is known already."""
        return order.id is not None and self.accept_closed(order.id, now)

    def accept_closed(self, order_id: str, now: datetime) -> bool:
        """Store an order that must never be sent; False when it is known already."""
        return self._insert(order_id, "{}", "CLOSED", now)

    def begin_submission(self, order_id: str, now: datetime) -> bool:
        """Record that the broker is about to be called; False unless the order is accepted and unsent."""
        with self._ledger.transaction() as connection:
            moved = connection.execute(
                "UPDATE orders SET state = 'SUBMITTING', submitted_at = ? WHERE id = ? AND state = 'ACCEPTED'",
                (now.isoformat(), order_id),
            )
            return moved.rowcount == 1

    def move(self, order_id: str, before: OrderState, after: OrderState) -> bool:
        """Change an order's state from `before`; False when it is in another state."""
        with self._ledger.transaction() as connection:
            moved = connection.execute(
                "UPDATE orders SET state = ? WHERE id = ? AND state = ?", (after, order_id, before)
            )
            return moved.rowcount == 1

    def note_working(self, order_id: str) -> None:
        """Record that the broker has the order, unless that is known or the order is final."""
        with self._ledger.transaction() as connection:
            connection.execute("UPDATE orders SET state = 'WORKING' WHERE id = ? AND state <> 'CLOSED'", (order_id,))

    def close(self, order_id: str) -> bool:
        """Record that the order is final; False when it was final already."""
        with self._ledger.transaction() as connection:
            closed = connection.execute(
                "UPDATE orders SET state = 'CLOSED' WHERE id = ? AND state <> 'CLOSED'", (order_id,)
            )
            return closed.rowcount == 1

    def doubt_everything_open(self) -> int:
        """Put every order that is not final in doubt, after a restart; return how many."""
        with self._ledger.transaction() as connection:
            return connection.execute("UPDATE orders SET state = 'IN_DOUBT' WHERE state <> 'CLOSED'").rowcount

    def doubt_everything_sent(self) -> int:
        """Put every order that the broker may have in doubt; unsent orders keep their state."""
        with self._ledger.transaction() as connection:
            return connection.execute("UPDATE orders SET state = 'IN_DOUBT' WHERE state = 'WORKING'").rowcount

    def has_open(self) -> bool:
        """Return whether an order is not final yet."""
        return self._ledger.value("SELECT 1 FROM orders WHERE state <> 'CLOSED' LIMIT 1") is not None

    def in_doubt(self) -> list[OrderTicket]:
        """Return the orders to look up at the broker, oldest first."""
        return self._tickets("state = 'IN_DOUBT'")

    def working_qty(self, contract: str) -> int:
        """Return the contracts that working entries and scale-ins in `contract` may still fill; negative for sells."""
        tickets = self._tickets("state IN ('SUBMITTING', 'WORKING', 'IN_DOUBT')")
        entries = [ticket for ticket in tickets if ticket.contract == contract and not ticket.is_exit]
        return sum(entry.sign * (entry.qty - self.filled_qty(entry.id)) for entry in entries)

    def exiting_qty(self, contract: str, side: Side) -> int:
        """Return the contracts that exits of `side` in `contract` that were sent may still fill."""
        tickets = self._tickets("state IN ('SUBMITTING', 'WORKING', 'IN_DOUBT')")
        exits = [exit for exit in tickets if exit.is_exit and (exit.contract, exit.side) == (contract, side)]
        return sum(max(0, exit.qty - self.filled_qty(exit.id)) for exit in exits)

    def last_fill_at(self, contract: str) -> datetime | None:
        """Return when an order in `contract` filled last, by the broker's clock; None when none did."""
        rows = self._ledger.rows(
            "SELECT ticket, max(at) FROM executions JOIN orders ON orders.id = order_id GROUP BY order_id"
            " ORDER BY max(executions.rowid) DESC LIMIT 50"
        )
        fills = ((decode_order(ticket.encode()), datetime.fromisoformat(at)) for ticket, at in rows)
        return max(
            (at for order, at in fills if isinstance(order, OrderTicket) and order.contract == contract), default=None
        )

    def entries_sent_within_a_minute(self, now: datetime) -> int:
        """Count the entries and scale-ins sent in the last 60 seconds."""
        since = (now - timedelta(seconds=60)).isoformat()
        return sum(not ticket.is_exit for ticket in self._tickets("submitted_at > ?", since))

    def state_of(self, order_id: str) -> OrderState | None:
        """Return the state of an order, None when it was never taken."""
        state: OrderState | None = self._ledger.value("SELECT state FROM orders WHERE id = ?", (order_id,))
        return state

    def ticket_of(self, order_id: str) -> OrderTicket | None:
        """Return the order as the desk handed it out; None when it is unknown or was unreadable."""
        tickets = self._tickets("id = ?", order_id)
        return tickets[0] if tickets else None

    def add_execution(self, order_id: str, execution: Execution) -> bool:
        """Store a fill; False when it is known already."""
        with self._ledger.transaction() as connection:
            added = connection.execute(
                "INSERT OR IGNORE INTO executions (order_id, exec_id, qty, price, at) VALUES (?, ?, ?, ?, ?)",
                (order_id, execution.exec_id, execution.qty, str(execution.price), execution.at.isoformat()),
            )
            return added.rowcount == 1

    def filled_qty(self, order_id: str) -> int:
        """Return how many contracts of the order have filled."""
        return int(self._ledger.value("SELECT coalesce(sum(qty), 0) FROM executions WHERE order_id = ?", (order_id,)))

    def _insert(self, order_id: str, ticket: str, state: OrderState, now: datetime) -> bool:
        with self._ledger.transaction() as connection:
            inserted = connection.execute(
                "INSERT OR IGNORE INTO orders (id, ticket, state, accepted_at) VALUES (?, ?, ?, ?)",
                (order_id, ticket, state, now.isoformat()),
            )
            return inserted.rowcount == 1

    def _tickets(self, condition: str, *parameters: str) -> list[OrderTicket]:
        # `condition` is one of the literals above and never comes from the wire, so this SQL cannot be injected.
        rows = self._ledger.rows(
            f"SELECT ticket FROM orders WHERE {condition} ORDER BY accepted_at, rowid",  # noqa: S608
            parameters,
        )
        orders = (decode_order(row[0].encode()) for row in rows)
        return [order for order in orders if isinstance(order, OrderTicket)]
