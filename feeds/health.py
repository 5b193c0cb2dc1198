"""How feeds are: which ports listen, who is connected, when something was last sent, whether web is heard."""

from __future__ import annotations

import time
from collections.abc import Mapping

from feeds.desk import DeskPicture
from sidecar.use import Use
from wire.feeds_health import FeedsHealth, FeedsPort, FeedsWeb
from wire.program import VERSION


class Checkup:
    """The state of all feeds, for ``/health`` and the metrics."""

    def __init__(self, ports: Mapping[str, int], desk: DeskPicture) -> None:
        """Begin with every feed off; `ports` names the feeds, and the port of each or 0."""
        self._uses = {name: Use(name, port) for name, port in ports.items()}
        self._desk = desk
        self._began = time.monotonic()
        self.cursor: int | None = None
        self.facts_asked_at: float | None = None
        """When the committed events were last asked for with success, by ``time.monotonic``."""

    def use_of(self, name: str) -> Use:
        """Return the use of one feed. Raises KeyError for a name that is none."""
        return self._uses[name]

    def uses(self) -> tuple[Use, ...]:
        """Return the use of every feed."""
        return tuple(self._uses.values())

    def is_degraded(self) -> bool:
        """Return whether a port is taken or web is away."""
        return not self._desk.is_up or any(use.state == "taken" for use in self._uses.values())

    def facts_lag_s(self) -> float | None:
        """Return how many seconds ago committed events were last read, None before the first time."""
        return None if self.facts_asked_at is None else round(time.monotonic() - self.facts_asked_at, 1)

    def report(self) -> FeedsHealth:
        """Return the answer of ``/health``."""
        desk = self._desk
        return FeedsHealth(
            status="degraded" if self.is_degraded() else "ok",
            uptime_s=int(time.monotonic() - self._began),
            web=FeedsWeb(is_up=desk.is_up, since=desk.since, why=desk.why, desk=desk.mark),
            ports=tuple(_port(use) for use in self._uses.values()),
            cursor=self.cursor,
            facts_lag_s=self.facts_lag_s(),
            version=VERSION,
        )


def _port(use: Use) -> FeedsPort:
    return FeedsPort(
        name=use.name,
        port=use.port,
        state=use.state,
        clients=use.clients,
        sent=use.sent,
        last_sent_at=use.last_sent_at,
    )
