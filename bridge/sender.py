"""Sends the outbox: in order per order, again and again until the desk has heard it (SPEC 8.3)."""

import time
from collections.abc import Callable

import structlog

from bridge.client import DeskClient, DeskUnavailable, RequestRefused
from bridge.jobs import Troubles
from bridge.reports import Outbox, OutgoingReport

logger = structlog.get_logger(__name__)


class ReportSender:
    """Sends what is due, one report per turn; an order whose report fails waits, the others do not."""

    def __init__(self, desk: DeskClient, outbox: Outbox, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Send `outbox` to `desk`; waits are measured in `monotonic` seconds."""
        self._desk = desk
        self._outbox = outbox
        self._monotonic = monotonic
        self._troubles: dict[str, Troubles] = {}
        self._due: dict[str, float] = {}

    def turn(self) -> bool:
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
        """Wait for the next report, or for the next attempt at an old one."""
        if found_work:
            return
        soonest = min(self._due.values(), default=self._monotonic() + 1.0)
        self._outbox.wake.wait(min(1.0, max(0.0, soonest - self._monotonic())))

    def _send(self, outgoing: OutgoingReport) -> None:
        try:
            self._desk.report(outgoing.order_id, outgoing.report)
        except DeskUnavailable as error:
            troubles = self._troubles.setdefault(outgoing.order_id, Troubles(f"report {outgoing.order_id}"))
            self._due[outgoing.order_id] = self._monotonic() + troubles.note(error)
            return
        except RequestRefused as refusal:
            self._alert(outgoing, refusal)
            self._outbox.settle(outgoing.number, refusal=str(refusal))
        else:
            self._outbox.settle(outgoing.number)
        self._forget_troubles(outgoing.order_id)

    def _alert(self, outgoing: OutgoingReport, refusal: RequestRefused) -> None:
        logger.error(
            "the desk refuses a report for good",
            alert=True,
            order=outgoing.order_id,
            status=outgoing.report.status,
            refusal=str(refusal),
        )

    def _forget_troubles(self, order_id: str) -> None:
        self._due.pop(order_id, None)
        if troubles := self._troubles.pop(order_id, None):
            troubles.over()
