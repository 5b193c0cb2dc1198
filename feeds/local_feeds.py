"""The local feeds: consensus, telemetry, journal, engine signals. They listen on loopback, whatever FEEDS_HOST says."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from feeds.channels.consensus import ConsensusChannel
from feeds.channels.health import health_route
from feeds.channels.journal import JournalFeed, show_fault
from feeds.channels.signals import SignalChannel
from feeds.channels.telemetry import TelemetryChannel
from feeds.config import FeedsConfig
from feeds.desk import DeskPicture
from feeds.health import Checkup
from feeds.hub import Hears
from feeds.store import FeedsStore
from sidecar.keys import KeyDoor
from sidecar.listen import LOOPBACKS, Listener
from sidecar.local_guard import LocalGuard
from sidecar.use import Use
from sidecar.web import WebClient


class LocalFeeds:
    """The local feeds, and what they need of the others."""

    def __init__(
        self,
        config: FeedsConfig,
        checkup: Checkup,
        desk: DeskPicture,
        web: WebClient,
        store: FeedsStore,
        keys: KeyDoor,
    ) -> None:
        """Build them; a feed whose port is 0 takes in facts, too, and nobody can listen to it."""
        self._checkup = checkup
        self._cors_origins = config.cors_origins
        self._ping_seconds = config.ping_seconds
        asked = keys if config.require_key else None
        self._consensus = ConsensusChannel(checkup.use_of("consensus"), asked, desk)
        self._telemetry = TelemetryChannel(checkup.use_of("telemetry"), asked, desk, web)
        self._journal = JournalFeed(checkup.use_of("journal"), asked, web)
        self._signals = SignalChannel(checkup.use_of("signals"), asked, store)

    @property
    def parts(self) -> tuple[Hears, ...]:
        """What hears the desk."""
        return (self._consensus, self._telemetry, self._signals)

    def listeners(self) -> tuple[Listener, ...]:
        """Return one listener for each feed."""
        return (
            self._listener("consensus", self._consensus.route("/ws/consensus")),
            self._listener("telemetry", self._telemetry.route("/{path:path}")),
            self._listener("journal", *self._journal.routes()),
            self._listener("signals", self._signals.route("/connect")),
        )

    def running(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """Return what runs beside the listeners."""
        return (self._telemetry.run(),)

    def _listener(self, name: str, *routes: BaseRoute) -> Listener:
        use: Use = self._checkup.use_of(name)
        faults: Any = {HTTPException: show_fault, Exception: show_fault}
        app = Starlette(routes=[health_route(self._checkup), *routes], exception_handlers=faults)
        return Listener(use, LOOPBACKS, LocalGuard(app, use.port, self._cors_origins), self._ping_seconds)
