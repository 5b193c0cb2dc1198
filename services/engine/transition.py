"""One decision in the making: the desk so far, the time, and what has happened.

A ``Transition`` lives for one call of ``decide`` and never leaves it, so the decision stays a pure function.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from services.engine.model.events import AlertRaised, AnyEvent
from services.engine.model.order import Order
from services.engine.model.state import ALERTS_KEPT, AlertLevel, Asset, Desk
from services.engine.model.wording import facts_of
from services.engine.rules.alerts import new_alert
from wire.types import Instant

COUNTER_BITS = 16  # of an id, behind its milliseconds


class Transition:
    """Collects one decision's changes of the desk in the order in which they happen."""

    __slots__ = ("desk", "events", "now", "orders")

    def __init__(self, desk: Desk, now: Instant) -> None:
        self.desk = desk
        self.now = now
        self.events: list[AnyEvent] = []
        self.orders: dict[str, Order] = {}

    def record(self, event: AnyEvent) -> None:
        """Record what happened; a decision with an event is committed."""
        self.events.append(event)

    def change_desk(self, **changes: Any) -> None:
        """Replace these fields of the desk."""
        self.desk = replace(self.desk, **changes)

    def asset(self, symbol: str) -> Asset:
        return self.desk.assets[symbol]

    def put_asset(self, asset: Asset) -> Asset:
        """Put the changed asset on the desk."""
        self.desk = replace(self.desk, assets={**self.desk.assets, asset.symbol: asset})
        return asset

    def put_order(self, order: Order) -> Order:
        """Put the changed order on the desk, or take it off once it is final."""
        orders = {**self.desk.orders, order.id: order}
        if order.status.is_final:
            del orders[order.id]
        self.desk = replace(self.desk, orders=orders)
        self.orders[order.id] = order
        return order

    def new_id(self) -> str:
        """Return a new id that sorts by creation and cannot be guessed (SPEC 8.1).

        48 bits of milliseconds, 16 of a counter within the millisecond, 64 of a hash that is keyed with the desk's
        secret: the same desk asked again gives the same id, as replay needs. A counter that is full, or a clock that
        went back, borrows the next millisecond.
        """
        issued = self.desk.issued + 1
        secret = blake2b(issued.to_bytes(8), key=bytes.fromhex(self.desk.id_key), digest_size=10).hexdigest()
        milliseconds = int(self.now.timestamp() * 1000)
        if self.desk.last_stamp is None:  # rows of a program without the counter must recompute to its ids
            self.desk = replace(self.desk, issued=issued)
            return f"{milliseconds:012x}{secret}"
        stamp = max(milliseconds << COUNTER_BITS, self.desk.last_stamp + 1)
        self.desk = replace(self.desk, issued=issued, last_stamp=stamp)
        return f"{stamp:016x}{secret[:16]}"

    def alert(
        self,
        code: str,
        detail: str,
        asset: str | None = None,
        facts: Mapping[str, object] = MappingProxyType({}),
        level: AlertLevel | None = None,
    ) -> None:
        """Raise an alert: kept on the desk's bounded list and in the journal. Its row has title and usual level."""
        alert = new_alert(self.now, code, detail, asset, facts_of(facts), level)
        self.desk = replace(self.desk, alerts=(*self.desk.alerts, alert)[-ALERTS_KEPT:])
        self.record(AlertRaised(alert))
