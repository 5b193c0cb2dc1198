"""Fills that no order of the desk caused, kept in the ledger until the desk has them (SPEC 8.3)."""

import threading

import msgspec

from bridge.brokers.broker import UnorderedFill
from bridge.clock import Clock
from bridge.ledger import Ledger
from wire.bridge import BrokerFill
from wire.encoding import encode

MOST_FILLS = 200
"""The desk takes no more in one report."""

_fill_decoder = msgspec.json.Decoder(BrokerFill)


class FillOutbox:
    """The table ``broker_fills`` of the ledger. `wake` is set when there is a fill to send."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        """Keep the fills in `ledger`; unsent fills of an earlier run are due at once."""
        self._ledger = ledger
        self._clock = clock
        self.wake = threading.Event()
        self.wake.set()

    def put(self, fill: UnorderedFill) -> None:
        """Add a fill, once per execution; joins the caller's transaction."""
        told = BrokerFill(
            exec_id=fill.execution.exec_id,
            ts=fill.execution.at,
            symbol=fill.contract,
            side=fill.side,
            qty=fill.execution.qty,
            price=fill.execution.price,
            kind=fill.kind,
            commission=fill.commission,
        )
        with self._ledger.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO broker_fills (exec_id, body) VALUES (?, ?)",
                (told.exec_id, encode(told).decode()),
            )
        self.wake.set()

    def unsent(self) -> tuple[BrokerFill, ...]:
        """Return the oldest fills that the desk does not have, as many as one report may hold."""
        rows = self._ledger.rows(
            "SELECT body FROM broker_fills WHERE settled_at IS NULL ORDER BY number LIMIT ?", (MOST_FILLS,)
        )
        return tuple(_fill_decoder.decode(body) for (body,) in rows)

    def settle(self, fill: BrokerFill, refusal: str | None = None) -> None:
        """Record that the desk has the fill, or refused it for good with `refusal`."""
        with self._ledger.transaction() as connection:
            connection.execute(
                "UPDATE broker_fills SET settled_at = ?, refusal = ? WHERE exec_id = ?",
                (self._clock().isoformat(), refusal, fill.exec_id),
            )
