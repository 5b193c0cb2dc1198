"""Starts the bridge: ``python -m bridge --broker paper``."""

import signal
import sys
from types import FrameType

import structlog

from bridge.assembly import Bridge
from bridge.config import EARLIER_LEDGER, SettingsInvalid, settings_from
from bridge.ledger import InstanceLock, Ledger, LedgerUnusable
from bridge.logs import set_up_logging

logger = structlog.get_logger("bridge")

SECONDS_FOR_LAST_LINES = 0.2


def main(arguments: list[str]) -> int:
    """Run until SIGTERM or SIGINT. Return the exit code: 0 after a stop, 1 when the bridge cannot start."""
    log = set_up_logging()
    try:
        settings = settings_from(arguments)
        lock = InstanceLock(settings.ledger_path)
        bridge = Bridge(settings, Ledger(settings.ledger_path))
    except (SettingsInvalid, LedgerUnusable) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _stop_on_signals(bridge)
    ledger = str(settings.ledger_path)
    logger.info("bridge started", broker=settings.broker, desk=settings.desk_url, owner=settings.owner, ledger=ledger)
    if settings.ledger_path == EARLIER_LEDGER:
        logger.warning("`git clean` deletes this ledger: stop the bridge and move it", setting="BRIDGE_LEDGER_PATH")
    bridge.run()
    lock.release()
    logger.info("bridge stopped")
    log.drain(SECONDS_FOR_LAST_LINES)
    return 0


def _stop_on_signals(bridge: Bridge) -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        bridge.stop.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
