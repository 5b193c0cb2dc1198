"""The clockwork: the desk hears every second that time has passed, and each minute which contracts to trade."""

from __future__ import annotations

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from services.desk.manager import StateManager
from services.engine.model.commands import ConfigureDesk, TickClock
from services.ops.config import Config
from services.stores.store import StoreError

log = structlog.get_logger(__name__)


def start_clockwork(manager: StateManager, config: Config) -> BackgroundScheduler:
    """Start the jobs; each is a command like any other and goes through the one writer."""
    scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
    scheduler.add_job(lambda: tick(manager), "interval", seconds=1)
    scheduler.add_job(lambda: roll_contracts(manager, config), "interval", seconds=60)
    scheduler.start()
    return scheduler


def tick(manager: StateManager) -> None:
    """Let time pass on the desk and keep prices now and then. A store that is down is said by the writer."""
    try:
        if manager.is_writer:
            manager.submit(TickClock())
            manager.keep_observations()
            manager.keep_snapshot_when_due()
    except StoreError as error:
        log.warning("tick was not committed", error=str(error))


def roll_contracts(manager: StateManager, config: Config) -> None:
    """Trade the contracts of the day: an open trade stays on the contract it was opened on."""
    rules = config.rules_at(manager.now)
    try:
        if manager.is_writer and rules != manager.snapshot.desk.rules:
            manager.submit(ConfigureDesk(rules))
    except StoreError as error:
        log.warning("contracts were not rolled", error=str(error))
