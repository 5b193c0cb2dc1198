"""Sends the outbox: each order's reports in sequence, repeated until the desk acknowledges them (SPEC 8.3)."""

import time
from collections.abc import Callable

import structlog

from bridge.client import DeskClient, DeskUnavailable, RequestRefused
from bridge.jobs import FailureLog
from bridge.reports import Outbox, OutgoingReport

logger = structlog.get_logger(__name__)


class ReportSender:
    """Sends due reports, one per call; after a failure only the reports of that order wait."""

    def __init__(self, desk: DeskClient, outbox: Outbox, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Send `outbox` to `desk`; `monotonic` seconds measure the waits."""
        self._desk = desk
        self._outbox = outbox
        self._monotonic = monotonic
        self._failures: dict[str, FailureLog] = {}
        self._due: dict[str, float] = {}

    def run(self) -> bool:
        """Send the oldest report that is due; False when there is none."""
        self._outbox.wake.clear()
        now = self._monotonic()
        for outgoing in self._outbox.heads():
            if self._due.get(outgoing.order_id, now) <= now:
                self._send(outgoing)
                return True
        self._outbox.note_if_drained()
        return False

    def rest(self, found_work: bool) -> None:
        """Wait for a new report, or until a failed one is due again."""
        if found_work:
            return
        soonest = min(self._due.values(), default=self._monotonic() + 1.0)
        self._outbox.wake.wait(min(1.0, max(0.0, soonest - self._monotonic())))

    def _send(self, outgoing: OutgoingReport) -> None:
        try:
            self._desk.report(outgoing.order_id, outgoing.report)
        except DeskUnavailable as error:
            failures = self._failures.setdefault(outgoing.order_id, FailureLog(f"report {outgoing.order_id}"))
            self._due[outgoing.order_id] = self._monotonic() + failures.record_failure(error)
            return
        except RequestRefused as refusal:
            self._alert(outgoing, refusal)
            self._outbox.settle(outgoing.number, refusal=str(refusal))
        else:
            self._outbox.settle(outgoing.number)
        self._forget_failures(outgoing.order_id)

    def _alert(self, outgoing: OutgoingReport, refusal: RequestRefused) -> None:
        logger.error(
            "the desk refuses a report for good",
            alert=True,
            order=outgoing.order_id,
            status=outgoing.report.status,
            refusal=str(refusal),
        )

    def _forget_failures(self, order_id: str) -> None:
        self._due.pop(order_id, None)
        if failures := self._failures.pop(order_id, None):
            failures.record_success()
