"""Jobs of the bridge: a thread repeats a piece of work, rests between two runs, and backs off after a failure."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bridge.client import DeskUnavailable, RequestRefused, SecretRefused
from bridge.ledger import LedgerLost

logger = structlog.get_logger(__name__)

FIRST_BACKOFF_SECONDS = 0.25
LONGEST_BACKOFF_SECONDS = 5.0
SECRET_BACKOFF_SECONDS = 30.0

_dice = random.SystemRandom()

Work = Callable[[], bool]
"""Does one piece of work; returns True when there was some."""


def backoff_seconds(failures: int, longest: float = LONGEST_BACKOFF_SECONDS) -> float:
    """Return the seconds to wait after the nth failure in a row: doubled each time up to `longest`, with jitter."""
    ceiling = min(longest, FIRST_BACKOFF_SECONDS * 2.0 ** min(failures - 1, 16))
    return ceiling * _dice.uniform(0.5, 1.0)


@dataclass(frozen=True)
class Job:
    """A piece of work to repeat, and the rest between two runs.

    `rest` is called with the result of the last run and waits while there is nothing to do; it must return soon after
    `stop` is set.
    """

    name: str
    run: Work
    rest: Callable[[bool], object]


class FailureLog:
    """Logs failures in a row once when they begin, again when their message changes, and once when they end."""

    def __init__(self, job_name: str) -> None:
        """Log failures of the job `job_name`."""
        self._job = job_name
        self._logged: str | None = None
        self.failures = 0

    def record_success(self) -> None:
        """Record a success."""
        if self._logged is not None:
            logger.info("desk reachable again", job=self._job, after_failures=self.failures)
        self._logged = None
        self.failures = 0

    def record_failure(self, error: Exception) -> float:
        """Record a failure and return the seconds to wait before the next attempt."""
        self.failures += 1
        sentence = str(error)
        if sentence != self._logged:
            loud = isinstance(error, SecretRefused | RequestRefused | LedgerLost)
            (logger.error if loud else logger.warning)(sentence, job=self._job, alert=loud)
            self._logged = sentence
        longest = SECRET_BACKOFF_SECONDS if isinstance(error, SecretRefused) else LONGEST_BACKOFF_SECONDS
        return backoff_seconds(self.failures, longest)


def repeat(job: Job, stop: threading.Event) -> None:
    """Repeat the job until `stop` is set. No failure ends the loop: the next run starts from the ledger."""
    failures = FailureLog(job.name)
    while not stop.is_set():
        try:
            found_work = job.run()
        except (DeskUnavailable, RequestRefused, LedgerLost) as error:
            stop.wait(failures.record_failure(error))
        except Exception as error:
            if stop.is_set():
                return
            logger.exception("turn failed", job=job.name, alert=True)
            stop.wait(failures.record_failure(error))
        else:
            failures.record_success()
            job.rest(found_work)
