"""Sample the MT4 account's equity: MT4 tells what it is, not what it was, so the desk must have asked in time.

A thread of its own asks, so that nobody waits for it: no order, no webhook and no job of the clock. Only the process
that holds the desk samples. While the advisor is away nothing is sampled, and nothing is made up.
"""

from __future__ import annotations

import threading

import structlog

from services.desk.manager import StateManager
from services.ops.advisor_calls import ANSWER, Addresses, AdvisorAway
from services.ops.beside_call import Away, call
from services.portfolio.mt4 import STATUS_PATH
from services.portfolio.mt4_course import mt4_day_record, sample_of
from services.stores.store import StoreError
from wire.keys import SERVICE_HEADER

EVERY_SECONDS = 60.0  # the samples themselves are five minutes apart: one that could not be had is tried again soon
OK = 200

log = structlog.get_logger(__name__)


class Mt4Samples:
    """The thread that samples. Without an address of the agent it ends at once."""

    def __init__(self, manager: StateManager, addresses: Addresses, every_seconds: float = EVERY_SECONDS) -> None:
        """Sample at the agent's address, as often as ``every_seconds`` says."""
        self._manager = manager
        self._addresses = addresses
        self._every_seconds = every_seconds
        self._stopping = threading.Event()
        if addresses.agent is not None:
            threading.Thread(target=self._run, name="mt4 samples", daemon=True).start()

    def stop(self) -> None:
        """Sample no more; a question that is under way is not waited for."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_seconds):
            try:
                if self._manager.is_writer:
                    self._sample()
            except Exception:
                log.exception("the MT4 account was not sampled")

    def _sample(self) -> None:
        try:
            url, secret = self._addresses.of("agent")
            answered = call(url, STATUS_PATH, ANSWER, {SERVICE_HEADER: secret})
        except (AdvisorAway, Away) as away:
            log.debug("the MT4 account was not sampled", reason=str(away))
            return
        if answered.status == OK:
            self._keep(answered.body)

    def _keep(self, status: bytes) -> None:
        try:
            sample = sample_of(status, self._manager.now)
            record = None if sample is None else mt4_day_record(self._manager.store, sample)
            if record is not None:
                self._manager.keep_records([record])
        except ValueError as error:
            log.warning("the MT4 account's status cannot be read", error=str(error))
        except StoreError as error:
            log.warning("a sample of the MT4 account was not stored", error=str(error))
