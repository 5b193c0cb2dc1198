"""``WS :8080/ws/consensus``: the weighted vote of each asset's brick colours, on change and every 5 s.

It is the only kind of message: while web is away it says HOLD and ``degraded``. Contract:
docs/reference/contracts/local-feeds.md; the arithmetic is in ``feeds/prices/consensus.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import asdict, replace

from feeds.desk import DeskPicture
from feeds.hub import Part
from feeds.prices.consensus import ConsensusView, StackColor, consensus_of
from sidecar.keys import KeyDoor
from sidecar.local_sockets import LocalChannel, LocalClient
from sidecar.mailbox import Letter
from sidecar.use import Use
from wire.encoding import encode
from wire.local_feeds import ConsensusComponent, ConsensusMessage
from wire.tradingview import STREAMS

REPEAT_SECONDS = 5
NEVER_HEARD = consensus_of("", {}, None, (), is_up=False)
"""What is said before web was ever heard: nobody knows its assets then, so ``symbol`` is null."""


class ConsensusChannel(LocalChannel, Part):
    """The readers of the consensus, and the newest vote for each asset."""

    def __init__(
        self,
        use: Use,
        keys: KeyDoor | None,
        desk: DeskPicture,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(use, "states:read", keys)
        self._desk = desk
        self._clock = clock
        self._sent: dict[str, ConsensusView] = {}
        self._seconds = 0

    def on_desk(self, desk: DeskPicture) -> None:
        """Send what has changed."""
        if not self.clients:
            return
        now = self._clock()
        for view in self._views(now):
            if without_ages(view) != self._sent.get(view.symbol):
                self._send(view, now)

    def on_second(self, now: datetime) -> None:
        """Send every vote each 5 s."""
        self._seconds += 1
        if self._seconds % REPEAT_SECONDS == 0:
            for view in self._views(now):
                self._send(view, now)

    def welcome(self, client: LocalClient) -> None:
        """Send every vote."""
        now = self._clock()
        for view in self._views(now):
            client.send(_letter(view, now))

    def _send(self, view: ConsensusView, now: datetime) -> None:
        self._sent[view.symbol] = without_ages(view)
        self.send_to_all(_letter(view, now))

    def _views(self, now: datetime) -> list[ConsensusView]:
        views = [view_of(symbol, self._desk, now) for symbol in self._desk.assets()]
        return views or [NEVER_HEARD]


def view_of(symbol: str, desk: DeskPicture, now: datetime) -> ConsensusView:
    """Return the vote for an asset as the desk's state stands."""
    asset = desk.asset(symbol) or {}
    stacks = {row.points: stack_of(asset, row.state_name, now) for row in STREAMS}
    return consensus_of(symbol, stacks, asset.get("zone_type"), blocking_gates(asset), desk.is_up)


def stack_of(asset: dict[str, Any], name: str, now: datetime) -> StackColor:
    """Return the colour of one brick size: ``name`` is what its fields begin with in the state."""
    told_at = asset.get(f"{name}_ts")
    age = None if told_at is None else max(0.0, round((now - datetime.fromisoformat(told_at)).total_seconds(), 1))
    return StackColor(asset.get(f"{name}_color"), age, asset.get(f"{name}_stale") is True)


def blocking_gates(asset: dict[str, Any]) -> tuple[str, ...]:
    """Return the gates that would refuse a market entry now, in the order in which they are asked."""
    ladder = asset.get("ladder") or ()
    return tuple(rung["gate"] for rung in ladder if rung["state"] == "closed" and "market" in rung["binds"])


def without_ages(view: ConsensusView) -> ConsensusView:
    """Return the view without what only time changes."""
    return replace(view, components=tuple(replace(one, age_s=None) for one in view.components))


def _letter(view: ConsensusView, now: datetime) -> Letter:
    components = tuple(
        ConsensusComponent(
            size=one.size,
            color=one.color,
            weight=one.weight,
            age_s=None if one.age_s is None else Decimal(str(one.age_s)),
        )
        for one in view.components
    )
    said = {**asdict(view), "symbol": view.symbol or None, "components": components}
    return Letter("consensus", encode(ConsensusMessage(**said, ts=now)), view.symbol)
