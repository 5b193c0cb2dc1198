"""The clock jobs: a ``TickClock`` command every second, and a check of the contracts to trade every minute."""

from __future__ import annotations

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from services.desk.manager import StateManager
from services.engine.model.commands import ConfigureDesk, TickClock
from services.ops.config import Config
from services.stores.store import StoreError

log = structlog.get_logger(__name__)


def start_clock_jobs(manager: StateManager, config: Config) -> BackgroundScheduler:
    """Start the jobs. Each submits its command to the one writer, as every caller does."""
    scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
    scheduler.add_job(lambda: tick(manager), "interval", seconds=1)
    scheduler.add_job(lambda: roll_contracts(manager, config), "interval", seconds=60)
    scheduler.start()
    return scheduler


def tick(manager: StateManager) -> None:
    """Submit ``TickClock``, and store prices and a snapshot when they are due. Only the writer does this."""
    try:
        if manager.is_writer:
            manager.submit(TickClock())
            manager.keep_observations()
            manager.keep_snapshot_when_due()
    except StoreError as error:
        log.warning("tick was not committed", error=str(error))


def roll_contracts(manager: StateManager, config: Config) -> None:
    """Configure the contracts of the trading day when they changed; an open trade keeps its contract."""
    rules = config.rules_at(manager.now)
    try:
        if manager.is_writer and rules != manager.snapshot.desk.rules:
            manager.submit(ConfigureDesk(rules))
    except StoreError as error:
        log.warning("contracts were not rolled", error=str(error))
