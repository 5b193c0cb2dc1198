"""Sends the fills that no order of the desk caused, until the desk has them (SPEC 8.3)."""

import structlog

from bridge.brokers.broker import Broker
from bridge.client import DeskClient, RequestRefused
from bridge.fills import FillOutbox
from wire.bridge import FillsReport

logger = structlog.get_logger(__name__)

NO_SUCH_CALL = frozenset({404, 405, 501})
"""Answers of a desk that does not take fills: the snapshots tell it what happened."""


class FillSender:
    """Sends the outbox of fills in reports; a failed one is repeated."""

    def __init__(self, desk: DeskClient, fills: FillOutbox, broker: Broker, instance: str) -> None:
        """Send `fills` to `desk` as those of the account of `broker`, from the ledger `instance`."""
        self._desk = desk
        self._fills = fills
        self._broker = broker
        self._instance = instance

    def run(self) -> bool:
        """Send the oldest fills; False when there are none. Raises `DeskUnavailable`."""
        self._fills.wake.clear()
        unsent = self._fills.unsent()
        if not unsent:
            return False
        report = FillsReport(instance=self._instance, env=self._broker.env, account=self._broker.account, fills=unsent)
        for fill, refusal in zip(unsent, self._send(report), strict=True):
            self._fills.settle(fill, refusal)
        return True

    def rest(self, found_work: bool) -> None:
        """Wait for a fill."""
        if not found_work:
            self._fills.wake.wait(1.0)

    def _send(self, report: FillsReport) -> list[str | None]:
        """Send the report and return the desk's refusal of each fill, None for one that it took or knew."""
        try:
            answer = self._desk.report_fills(report)
        except RequestRefused as refusal:
            is_old = refusal.status in NO_SUCH_CALL
            (logger.info if is_old else logger.error)("the desk takes no fills", alert=not is_old, refusal=str(refusal))
            return [str(refusal)] * len(report.fills)
        codes = {refused.exec_id: refused.code for refused in answer.refused}
        for exec_id, code in codes.items():
            logger.error("the desk refuses a fill for good", alert=True, exec_id=exec_id, code=code)
        return [codes.get(fill.exec_id) for fill in report.fills]
