"""Threads that take turns: one function per turn, and rules for when the next one comes."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bridge.client import DeskUnavailable, RequestRefused, SecretRefused

logger = structlog.get_logger(__name__)

FIRST_BACKOFF_SECONDS = 0.25
LONGEST_BACKOFF_SECONDS = 5.0
SECRET_BACKOFF_SECONDS = 30.0

_dice = random.SystemRandom()

Turn = Callable[[], bool]
"""Does one piece of work; True when it found some."""


def backoff_seconds(failures: int, longest: float = LONGEST_BACKOFF_SECONDS) -> float:
    """Give the wait after the nth failure in a row: doubling, bounded by `longest`, with jitter."""
    ceiling = min(longest, FIRST_BACKOFF_SECONDS * 2.0 ** min(failures - 1, 16))
    return ceiling * _dice.uniform(0.5, 1.0)


@dataclass(frozen=True)
class Job:
    """A `turn` and what to do between two of them.

    `rest` is called with the answer of the last turn and waits as long as there is nothing to do; it must
    return soon once `stop` is set.
    """

    name: str
    turn: Turn
    rest: Callable[[bool], object]


class Troubles:
    """Failures in a row, said once when they begin, again when their kind changes, and once when they end."""

    def __init__(self, job_name: str) -> None:
        """Speak for the job `job_name`."""
        self._job = job_name
        self._said: str | None = None
        self.failures = 0

    def over(self) -> None:
        """Note a success."""
        if self._said is not None:
            logger.info("desk reachable again", job=self._job, after_failures=self.failures)
        self._said, self.failures = None, 0

    def note(self, error: Exception) -> float:
        """Note a failure and give the seconds to wait before the next attempt."""
        self.failures += 1
        sentence = str(error)
        if sentence != self._said:
            loud = isinstance(error, SecretRefused | RequestRefused)
            (logger.error if loud else logger.warning)(sentence, job=self._job, alert=loud)
            self._said = sentence
        longest = SECRET_BACKOFF_SECONDS if isinstance(error, SecretRefused) else LONGEST_BACKOFF_SECONDS
        return backoff_seconds(self.failures, longest)


def keep_turning(job: Job, stop: threading.Event) -> None:
    """Take turns until `stop` is set. No failure ends the loop: the next turn starts from what is durable."""
    troubles = Troubles(job.name)
    while not stop.is_set():
        try:
            found_work = job.turn()
        except (DeskUnavailable, RequestRefused) as error:
            stop.wait(troubles.note(error))
        except Exception as error:
            if stop.is_set():
                return
            logger.exception("turn failed", job=job.name, alert=True)
            stop.wait(troubles.note(error))
        else:
            troubles.over()
            job.rest(found_work)
