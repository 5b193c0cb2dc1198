"""The clock jobs: a ``TickClock`` command each second, the contracts to trade and the news file every minute.

Each second it is also looked for other stores, and the desk is told of the markets' hours and the news where they have
changed.
"""

from __future__ import annotations

import threading
import time

import structlog

from services.desk.manager import StateManager
from services.engine.model.commands import ConfigureDesk, TickClock
from services.ops.config import Config
from services.ops.market_facts import MarketFactsReader, SessionsAfter, sessions_after
from services.ops.store_guard import StoreGuard
from services.stores.store import StoreError

log = structlog.get_logger(__name__)


TICK_SECONDS = 1.0
TICKS_TO_A_ROLL = 60


class ClockJobs:
    """The thread of the jobs. It waits by monotonic time: a clock that is set back delays no tick."""

    def __init__(self, manager: StateManager, config: Config, sessions: SessionsAfter) -> None:
        self._manager = manager
        self._config = config
        self._guard = StoreGuard(config.opened_folder, place_of_store(config)) if config.opened_folder else None
        self._facts = MarketFactsReader(config.news_file, sessions)
        self._stopping = threading.Event()
        self._begin()
        self._thread = threading.Thread(target=self._run, name="clock jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Start no job any more; one that runs is not waited for."""
        self._stopping.set()

    def _run(self) -> None:
        due = time.monotonic() + TICK_SECONDS
        ticks = 0
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            due = max(due + TICK_SECONDS, time.monotonic())  # ticks that were missed are one
            ticks += 1
            try:
                tick(self._manager)
                look_for_other_stores(self._manager, self._guard)
                if ticks % TICKS_TO_A_ROLL == 0:
                    roll_contracts(self._manager, self._config)
                    self._facts.read_file()
                note_sessions(self._manager, self._facts)
            except Exception:
                log.exception("a clock job failed")

    def _begin(self) -> None:
        """Tell the hours before the first second is over: without them LIVE has no session."""
        try:
            self._facts.read_file()
            note_sessions(self._manager, self._facts)
        except Exception:
            log.exception("a clock job failed")


def start_clock_jobs(manager: StateManager, config: Config, sessions: SessionsAfter = sessions_after) -> ClockJobs:
    """Start the jobs. Each submits its command to the one writer, as every caller does."""
    return ClockJobs(manager, config, sessions)


def tick(manager: StateManager) -> None:
    """Submit ``TickClock``, and store prices and a snapshot when they are due. Only the writer does this."""
    try:
        if manager.is_writer:
            manager.submit(TickClock())
            manager.watch_clock()
            manager.keep_observations()
            manager.keep_snapshot_when_due()
    except StoreError as error:
        log.warning("tick was not committed", error=str(error))


def look_for_other_stores(manager: StateManager, guard: StoreGuard | None) -> None:
    """Tell the desk when this machine had opened a newer store today; keep that this one is used."""
    try:
        if guard is not None:
            guard.look(manager)
    except StoreError as error:
        log.warning("what speaks against this store was not committed", error=str(error))


def place_of_store(config: Config) -> str:
    """Return where the desk is kept, in words."""
    return str(config.sqlite_path) if config.store == "sqlite" else f"Firestore {config.google_cloud_project}"


def note_sessions(manager: StateManager, facts: MarketFactsReader) -> None:
    """Tell the desk the markets' hours and the news where they are not what it knows."""
    desk = manager.snapshot.desk
    told = facts.facts_at(desk.assets, manager.now)
    known = desk.facts
    is_news = not set(told.news) <= set(known.news) or any(news.ends <= manager.now for news in known.news)
    if not is_news and (told.sessions, told.news_fault) == (known.sessions, known.news_fault):
        return
    try:
        if manager.is_writer:
            manager.submit(told)
    except StoreError as error:
        log.warning("hours and news were not noted", error=str(error))


def roll_contracts(manager: StateManager, config: Config) -> None:
    """Configure the contracts of the trading day when they changed; an open trade keeps its contract."""
    rules = config.rules_at(manager.now)
    try:
        if manager.is_writer and rules != manager.snapshot.desk.rules:
            manager.submit(ConfigureDesk(rules))
    except StoreError as error:
        log.warning("contracts were not rolled", error=str(error))
