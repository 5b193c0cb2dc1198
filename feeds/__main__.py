"""Starts feeds: ``python -m feeds``."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # structlog and httpx load rich where it is installed: 4 MiB for coloured tracebacks, and feeds' lines are JSON.
    sys.modules["rich"] = None  # type: ignore[assignment]

import asyncio
from collections.abc import Callable

import structlog
import uvloop

from feeds.assembly import Feeds
from feeds.config import FeedsConfig
from feeds.store import StoreUnusable
from sidecar.logs import set_up_logging
from sidecar.program import SECONDS_FOR_LAST_LINES, allow_many_files, stop_on_signals
from sidecar.settings import SettingsInvalid

logger = structlog.get_logger("feeds")


def main(build: Callable[[FeedsConfig], Feeds] = Feeds) -> int:
    """Run until SIGTERM or SIGINT. Return the exit code: 0 after a stop, 1 when feeds cannot start."""
    log = set_up_logging()
    allow_many_files()
    try:
        config = FeedsConfig.from_env()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(config, build))
    except (SettingsInvalid, StoreUnusable) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    logger.info("feeds stopped")
    log.drain(SECONDS_FOR_LAST_LINES)
    return 0


async def run(config: FeedsConfig, build: Callable[[FeedsConfig], Feeds]) -> None:
    """Build feeds and run them until a signal comes. Raises `StoreUnusable`."""
    feeds = build(config)
    stop_on_signals(feeds.stop)
    logger.info("feeds started", desk=config.lockstep_url, file=str(config.path))
    if config.service_secret is None:
        logger.warning("web will refuse feeds: SERVICE_SECRET is not set", setting="SERVICE_SECRET")
    await feeds.run()


if __name__ == "__main__":
    sys.exit(main())
