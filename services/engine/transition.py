"""The working copy of one decision: the desk so far, the time, and the events so far.

A ``Transition`` exists only during one call of ``decide``, so the decision stays a pure function.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

from msgspec import UnsetType
from msgspec.structs import replace

from services.engine.model.alert import AlertLevel
from services.engine.model.events import AlertCounted, AlertRaised, AnyEvent
from services.engine.model.order import Order
from services.engine.model.state import ALERTS_KEPT, Asset, Desk
from services.engine.model.wording import facts_of
from services.engine.rules.alert_list import STORM, within
from services.engine.rules.alerts import new_alert
from wire.types import Instant

COUNTER_BITS = 16  # an id is 48 bits of milliseconds, then this counter, then 64 bits of hash


class Transition:
    """Collects the changes that one decision makes to the desk, in the order in which they happen."""

    __slots__ = ("desk", "events", "now", "orders")

    def __init__(self, desk: Desk, now: Instant) -> None:
        self.desk = desk
        self.now = now
        self.events: list[AnyEvent] = []
        self.orders: dict[str, Order] = {}

    def record(self, event: AnyEvent) -> None:
        """Record an event. A decision with at least one event is committed."""
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
        """Put the changed order on the desk; remove it from the desk once it is final."""
        orders = {**self.desk.orders, order.id: order}
        if order.status.is_final:
            del orders[order.id]
        self.desk = replace(self.desk, orders=orders)
        self.orders[order.id] = order
        return order

    def new_id(self) -> str:
        """Return a new id that sorts by creation and cannot be guessed (SPEC 8.1).

        It has 48 bits of milliseconds, 16 bits of a counter within the millisecond, and 64 bits of a hash that is keyed
        with the desk's secret. The same desk gives the same id again; replay depends on that. When the counter is full
        or the clock went back, the id takes the next millisecond.
        """
        issued = self.desk.issued + 1
        secret = blake2b(issued.to_bytes(8), key=bytes.fromhex(self.desk.id_key), digest_size=10).hexdigest()
        milliseconds = int(self.now.timestamp() * 1000)
        if self.desk.last_stamp is None:  # replay of rows written before the counter must give their old ids
            self.desk = replace(self.desk, issued=issued)
            return f"{milliseconds:012x}{secret}"
        stamp = max(milliseconds << COUNTER_BITS, self.desk.last_stamp + 1)
        self.desk = replace(self.desk, issued=issued, last_stamp=stamp)
        return f"{stamp:016x}{secret[:16]}"

    def new_proposal_id(self) -> str:
        """Return a new id of a proposal, made like ``new_id`` from a counter of its own.

        So the orders of a desk have the ids that they would have had without its proposals.
        """
        stamp = max(int(self.now.timestamp() * 1000) << COUNTER_BITS, self.desk.last_proposal + 1)
        self.desk = replace(self.desk, last_proposal=stamp)
        key = bytes.fromhex(self.desk.id_key)
        secret = blake2b(stamp.to_bytes(8), key=key, digest_size=8, person=b"proposal").hexdigest()
        return f"{stamp:016x}{secret}"

    def names(self, estimated: bool) -> bool:
        """Return ``estimated`` for an event's field of that name; earlier generations did not write it."""
        return estimated and self.desk.generation > 2

    def alert(
        self,
        code: str,
        detail: str,
        asset: str | None = None,
        facts: Mapping[str, object] = MappingProxyType({}),
        level: AlertLevel | None = None,
    ) -> None:
        """Raise an alert: add it to the desk's bounded list and to the journal.

        Title and usual level come from the row of ``code`` in ``rules/alerts.py``.
        """
        alert = new_alert(self.now, code, detail, asset, facts_of(facts), level)
        listed = (*self.desk.alerts, alert)
        if self.desk.generation == 1:
            self.desk = replace(self.desk, alerts=listed[-ALERTS_KEPT:])
        else:
            self.desk = replace(self.desk, alerts=within(ALERTS_KEPT, listed, self.desk))
        self.record(AlertRaised(alert))

    def alert_again(self, code: str, detail: str, asset: str | None, facts: Mapping[str, object], same: str) -> None:
        """Raise an alert, or count it in the listed one of this code whose fact ``same`` is equal.

        A storm of them, each with another fact, is counted in the last one.
        """
        place = self._counted_in(code, facts_of(facts).get(same), same)
        if place is None:
            self.alert(code, detail, asset, facts)
            return
        known = self.desk.alerts[place]
        count = 1 if isinstance(known.facts, UnsetType) else int(known.facts.get("count", 1)) + 1
        counted = facts_of({**facts, "count": count})
        again = new_alert(known.at, code, f"{detail} ({count} times)", asset, counted, None)
        self.desk = replace(self.desk, alerts=(*self.desk.alerts[:place], again, *self.desk.alerts[place + 1 :]))
        self.record(AlertCounted(code, count, asset))

    def _counted_in(self, code: str, fact: object, same: str) -> int | None:
        """Return the place of the listed alert in which another one counts, None when it is one of its own."""
        alike = [
            (place, known.facts.get(same))
            for place, known in enumerate(self.desk.alerts)
            if known.code == code and not isinstance(known.facts, UnsetType)
        ]
        equal = next((place for place, told in alike if told == fact), None)
        if equal is not None or self.desk.generation == 1 or len(alike) < STORM:
            return equal
        return alike[-1][0]
