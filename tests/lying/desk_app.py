"""The desk of a world: the real application, one for all worlds of a process, with a store and a writer of each world.

Messages go through the real routes. Time passes only when the world moves ``clock.now``; the clock
jobs of the application do not run on the world's desk.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import structlog
from flask import Flask
from msgspec.structs import replace

from app import create_app
from routes.http.replies import AppServices
from services.desk.commit_batch import MaintenanceWrite, Submission
from services.desk.manager import StateManager
from services.engine.model.commands import SwitchEnv, TickClock
from services.engine.model.events import AnyEvent
from services.engine.model.state import Asset, Desk
from services.engine.model.window_commands import NoteSessions
from services.history.replay import replay_history
from services.history.source import History
from services.live.activity import ActivityLog
from services.ops.config import Config
from services.stores.codec.committed_events import CommittedEvent
from services.stores.sqlite.reader import SqliteReader
from services.stores.sqlite.store import SqliteStore
from services.stores.store import JournalRow, Store
from tests.support.builders import TUESDAY, always_open, new_york
from wire.types import Env, Instant

SETTINGS = {
    "TV_WEBHOOK_SECRET": "a-webhook-secret",
    "BRIDGE_HEARTBEAT_SECRET": "a-bridge-secret",
    "FLASK_SECRET_KEY": "a-flask-secret",
    "ASSETS": "ES",
    "CANDLE_SECONDS": "10",
    "COOLDOWN_SECONDS": "5",
    "MAX_TRADES_PER_DAY": "1000",
    "OLD_BRIDGE_LIVE": "yes",
    "LOG_LEVEL": "ERROR",
}
REQUEST: dict[str, Any] = {  # of WSGI; a client of the tests would take more time than the desk
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "127.0.0.1",
    "SCRIPT_NAME": "",
    "HTTP_HOST": "localhost",
    "HTTP_X_BRIDGE_SECRET": SETTINGS["BRIDGE_HEARTBEAT_SECRET"],
    "CONTENT_TYPE": "application/json",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}


class Clock:
    """The desk's clock, moved by the world alone."""

    def __init__(self) -> None:
        self.now: datetime = new_york(TUESDAY, "09:31:10")

    def __call__(self) -> Instant:
        return self.now


class Ear:
    """Keeps the committed events until the world has judged them."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []

    def on_commit(self, rows: Sequence[JournalRow], events: Sequence[CommittedEvent], desk: Desk) -> None:
        self.events += [committed.event for committed in events]

    def taken(self) -> list[AnyEvent]:
        events, self.events = self.events, []
        return events


class OwnThreadManager(StateManager):
    """A manager whose writer works on the caller's thread, so that a world does not wait for another thread's turn."""

    def __init__(self, path: Path, config: Config, clock: Clock, ear: Ear) -> None:
        super().__init__(SqliteStore(path), config.rules_at, clock, subscribers=(ear,))
        self.finish()
        self._writer.open()

    def _put(self, item: Submission | MaintenanceWrite) -> None:
        if item.future.set_running_or_notify_cancel():
            self._writer._leadership.keep()
            self._writer._serve([item])

    def stop(self) -> None:
        """Release the desk and close the store."""
        self._writer._leadership.let_go()
        self._store.close()


@cache
def shared_app() -> Flask:
    """Build the application once. Its own desk stands still; each world puts its own in the place."""
    folder = tempfile.mkdtemp(prefix="lying-")
    app = create_app(Config.from_env({**SETTINGS, "SQLITE_PATH": f"{folder}/first.sqlite"}), Clock())
    app.extensions["lockstep.close"]()
    silence()
    return app


def silence() -> None:
    """Let nothing below a critical line into the log of this process."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


class DeskApp:
    """One world's desk. ``close`` it at the end."""

    def __init__(self, clock: Clock, folder: Path) -> None:
        self.clock, self.path = clock, folder / "desk.sqlite"
        self.ear = Ear()
        self._app = shared_app()
        self._starts()

    def _starts(self) -> None:
        app = shared_app()
        first: AppServices = app.extensions.setdefault("lying.first", app.extensions["lockstep"])
        self.manager = OwnThreadManager(self.path, first.config, self.clock, self.ear)
        app.extensions["lockstep"] = replace(first, manager=self.manager, activity=ActivityLog())

    def restarts(self) -> None:
        """Stop the program and start it again on the same file."""
        self.close()
        self._starts()

    def close(self) -> None:
        self.manager.stop()

    def calls(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send a message; return status and body of the answer."""
        text = b"" if body is None else json.dumps(body).encode()
        location, _, query = path.partition("?")
        environ = REQUEST | {"REQUEST_METHOD": method, "PATH_INFO": location, "QUERY_STRING": query}
        environ |= {"wsgi.input": BytesIO(text), "CONTENT_LENGTH": str(len(text))}
        told: list[str] = []

        def starts(status: str, headers: Any, failure: Any = None) -> Callable[[bytes], object]:
            told.append(status)
            return bytes

        answer = b"".join(self._app.wsgi_app(environ, starts))
        return int(told[0].split()[0]), json.loads(answer) if answer else None

    def ticks(self) -> None:
        self.manager.submit(TickClock())

    def switches(self, env: Env) -> None:
        self.manager.submit(NoteSessions(always_open(self.desk.assets, self.manager.now)))
        self.manager.submit(SwitchEnv(env))

    @property
    def desk(self) -> Desk:
        return self.manager.snapshot.desk

    @property
    def es(self) -> Asset:
        return self.desk.assets["ES"]

    def in_flight(self, fate: timedelta) -> bool:
        """Return whether a bridge holds an order and may still report on it."""
        return any(
            order.is_at_a_bridge and order.fate_unknown_at is None and self.clock.now < (order.moved_at or now) + fate
            for now in (self.clock.now,)
            for order in self.desk.open_orders("ES")
        )

    def replays_equal(self) -> bool:
        """Decide the world's journal again and compare. Call it when the desk is closed."""
        reader = SqliteReader(self.path)
        try:
            return replay_history(History(cast(Store, reader), None)).is_equal
        finally:
            reader.close()
