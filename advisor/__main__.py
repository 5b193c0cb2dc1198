"""Starts the advisor: ``python -m advisor``. With ``models …`` it trains, lists, shows and switches models."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # structlog and httpx load rich where it is installed, LightGBM pandas and pyarrow: 66 MiB that nothing here uses.
    sys.modules.update(dict.fromkeys(("rich", "pandas", "pyarrow")))  # type: ignore[arg-type]

import asyncio

import structlog
import uvloop

from advisor.assembly import Advisor
from advisor.config import AdvisorConfig
from advisor.database import FileTaken, take_lock
from advisor.models.commands import run_models
from sidecar.logs import set_up_logging
from sidecar.program import SECONDS_FOR_LAST_LINES, allow_many_files, stop_on_signals
from sidecar.settings import SettingsInvalid

logger = structlog.get_logger("advisor")
MODELS = "models"
WRONG_WORDS = 2


def main(words: list[str]) -> int:
    """Run until SIGTERM or SIGINT. Return the exit code: 0 after a stop, 1 when the advisor cannot start."""
    if words[:1] == [MODELS]:
        return run_models(words[1:])
    if words:
        sys.stderr.write(f"python -m advisor, or python -m advisor {MODELS} train|list|card|use\n")
        return WRONG_WORDS
    log = set_up_logging()
    allow_many_files()
    try:
        config = AdvisorConfig.from_env()
        take_lock(config.path)  # held until the process ends
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(config))
    except (SettingsInvalid, FileTaken) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    logger.info("the advisor stopped")
    log.drain(SECONDS_FOR_LAST_LINES)
    return 0


async def run(config: AdvisorConfig) -> None:
    """Build the advisor and run it until a signal comes."""
    advisor = Advisor(config)
    stop_on_signals(advisor.stop)
    logger.info("the advisor started", desk=config.lockstep_url, feeds=config.feeds_url, models=str(config.models_path))
    if config.service_secret is None:
        logger.warning("web and feeds will refuse the advisor: SERVICE_SECRET is not set", setting="SERVICE_SECRET")
    await advisor.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
