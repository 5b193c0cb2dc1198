"""The paper broker's books in the ledger: its orders, its fills, its holdings."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import Struct

from bridge.brokers.broker import Execution, OrderStanding
from bridge.brokers.holding import Holding
from bridge.ledger import Ledger
from wire.bridge import OrderTicket, decode_order, encode

STOP_TAG = "STOP"
"""Client tag of fills that no order of the desk stands behind."""

PaperStatus = Literal["WORKING", "FILLED", "REJECTED", "CANCELLED"]

_holding_encoder = msgspec.json.Encoder()
_holding_decoder = msgspec.json.Decoder(Holding)


class RestingOrder(Struct, frozen=True):
    """A market order that waits for a price, and since when."""

    ticket: OrderTicket
    placed_at: datetime


class PaperBooks:
    """Reads and writes the ``paper_*`` tables; writing joins the broker's transaction."""

    def __init__(self, ledger: Ledger) -> None:
        """Keep the books in `ledger`."""
        self._ledger = ledger

    def place(self, ticket: OrderTicket, placed_at: datetime) -> None:
        """Take an order in; raises `sqlite3.IntegrityError` when its tag was used before."""
        with self._ledger.transaction() as connection:
            connection.execute(
                "INSERT INTO paper_orders (client_tag, ticket, status, placed_at) VALUES (?, ?, 'WORKING', ?)",
                (ticket.id, encode(ticket).decode(), placed_at.isoformat()),
            )

    def finish(self, client_tag: str, status: PaperStatus, reason: str | None = None) -> None:
        """Write the end of an order down."""
        with self._ledger.transaction() as connection:
            connection.execute(
                "UPDATE paper_orders SET status = ?, reason = ? WHERE client_tag = ?",
                (status, reason, client_tag),
            )

    def add_fill(self, client_tag: str, contract: str, signed_qty: int, price: Decimal, at: datetime) -> Execution:
        """Write a fill down and give it its identity."""
        with self._ledger.transaction() as connection:
            number = connection.execute(
                "INSERT INTO paper_executions (client_tag, contract, signed_qty, price, at) VALUES (?, ?, ?, ?, ?)",
                (client_tag, contract, signed_qty, str(price), at.isoformat()),
            ).lastrowid
        return _execution(client_tag, number, signed_qty, price, at)

    def keep(self, held: Holding) -> None:
        """Write a holding down as it is now."""
        with self._ledger.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO paper_holdings (contract, holding) VALUES (?, ?)",
                (held.contract, _holding_encoder.encode(held).decode()),
            )

    def holdings(self) -> dict[str, Holding]:
        """Give every contract ever traded, by its symbol."""
        rows = self._ledger.rows("SELECT contract, holding FROM paper_holdings ORDER BY contract")
        return {contract: _holding_decoder.decode(holding) for contract, holding in rows}

    def resting(self) -> list[RestingOrder]:
        """List the orders that wait for a price, oldest first."""
        rows = self._ledger.rows(
            "SELECT ticket, placed_at FROM paper_orders WHERE status = 'WORKING' ORDER BY placed_at, rowid"
        )
        orders = ((decode_order(ticket.encode()), datetime.fromisoformat(at)) for ticket, at in rows)
        return [RestingOrder(ticket, at) for ticket, at in orders if isinstance(ticket, OrderTicket)]

    def standing(self, client_tag: str) -> OrderStanding | None:
        """Find an order by its tag."""
        rows = self._ledger.rows("SELECT status, reason FROM paper_orders WHERE client_tag = ?", (client_tag,))
        if not rows:
            return None
        status, reason = rows[0]
        return OrderStanding(status=status, reason=reason, executions=self._executions(client_tag))

    def _executions(self, client_tag: str) -> tuple[Execution, ...]:
        rows = self._ledger.rows(
            "SELECT number, signed_qty, price, at FROM paper_executions WHERE client_tag = ? ORDER BY number",
            (client_tag,),
        )
        return tuple(
            _execution(client_tag, number, signed_qty, Decimal(price), datetime.fromisoformat(at))
            for number, signed_qty, price, at in rows
        )


def _execution(client_tag: str, number: int | None, signed_qty: int, price: Decimal, at: datetime) -> Execution:
    exec_id = f"paper-{client_tag}-{number}"
    return Execution(exec_id=exec_id, qty=abs(signed_qty), price=price, at=at)
