"""Ticks to the desk (``POST /api/bridge/ticks``), by a job of their own: no order, report or heartbeat waits for them.

Only a broker with a market of its own tells ticks. One that hears its prices from the desk sends none back.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import count

import structlog

from bridge.client import DeskClient, RequestRefused
from wire.bridge import Quote, Tick, TicksReport

logger = structlog.get_logger(__name__)

EVERY_SECONDS = 0.25
MOST_AT_ONCE = 500
TICKS_QUEUED = 2_000
"""At most: the oldest are lost beyond."""

NOT_ASKED_FOR_SECONDS = 300.0
"""A desk of before answers 404: it is asked again after so long."""


class TickSender:
    """Collects the quotes of one market and posts them in bundles. ``add`` may be called from any thread."""

    def __init__(
        self,
        desk: DeskClient,
        instance: str,
        simulated: bool | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Send to `desk` as the run `instance`; `simulated` says whether the market is, None when unknown."""
        self._desk = desk
        self._instance = instance
        self._simulated = simulated
        self._monotonic = monotonic
        self._numbers = count(1)
        self._queue: deque[tuple[str, Tick]] = deque(maxlen=TICKS_QUEUED)
        self._gapped: set[str] = set()  # the contracts of which ticks were lost since the last that the desk took
        self._silent_until = 0.0

    def add(self, quote: Quote) -> None:
        """Queue a price. Never waits."""
        tick = Tick(ts=quote.at, price=quote.price, seq=next(self._numbers))
        if len(self._queue) == TICKS_QUEUED:  # the oldest is lost
            self._gapped.add(self._queue[0][0])
        self._queue.append((quote.symbol, tick))

    def run(self) -> bool:
        """Post what is queued, a bundle for each contract; True when something was queued.

        Raises `DeskUnavailable`: the bundle is lost then, as ticks of a moment that has passed. The next one says so.
        """
        bundle = [self._queue.popleft() for _ in range(min(MOST_AT_ONCE, len(self._queue)))]
        symbols = dict.fromkeys(symbol for symbol, _ in bundle)
        gapped_before = set(self._gapped)
        self._gapped.update(symbols)  # until each was taken
        if self._monotonic() >= self._silent_until:
            for symbol in symbols:
                self._post(symbol, tuple(tick for name, tick in bundle if name == symbol), symbol in gapped_before)
        return bool(bundle)

    def rest(self, stop: threading.Event) -> None:
        """Wait for the next bundle."""
        stop.wait(EVERY_SECONDS)

    def _post(self, symbol: str, ticks: tuple[Tick, ...], gap: bool) -> None:
        report = TicksReport(symbol=symbol, ticks=ticks, instance=self._instance, simulated=self._simulated, gap=gap)
        try:
            self._desk.report_ticks(report)
            self._gapped.discard(symbol)
        except RequestRefused as refusal:
            self._silent_until = self._monotonic() + NOT_ASKED_FOR_SECONDS
            logger.warning("the desk takes no ticks", contract=symbol, reason=str(refusal))
