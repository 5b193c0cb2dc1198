"""Sends the tape's prices as ticks beside its webhooks, so that the desk's feeds have a market.

A thread of its own posts them in bundles from a bounded queue: no heartbeat and no brick waits for them, and what the
desk does not take is lost, as with a real feed. They are always marked as simulated: nobody trades at a tape's prices.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import count

import requests

from wire.bridge import Tick, TicksReport
from wire.encoding import encode
from wire.types import Price

PATH = "/api/bridge/ticks"
SECRET_HEADER = "X-Bridge-Secret"  # noqa: S105 - the name of a header, not a secret
EVERY_SECONDS = 0.25
MOST_AT_ONCE = 500
TICKS_QUEUED = 2_000  # at most; the oldest are lost beyond
NOT_ASKED_FOR_SECONDS = 300.0
"""A desk of before knows no such call, and another one may have another secret: it is asked again after so long."""

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0
SECONDS_TO_STOP = 1.0
REFUSED = {404: "knows no ticks", 401: "refuses BRIDGE_HEARTBEAT_SECRET"}


class TickSender:
    """Posts ticks of one asset to the desk at ``url`` while it is started. ``say`` tells the operator of a refusal."""

    def __init__(self, url: str, secret: str, asset: str, run_id: str, say: Callable[[str], None]) -> None:
        self._url = url.rstrip("/") + PATH
        self._asset = asset
        self._run_id = run_id
        self._say = say
        self._numbers = count(1)
        self._queue: deque[Tick] = deque(maxlen=TICKS_QUEUED)
        self._stop = threading.Event()
        self._silent_until = 0.0
        self._is_gapped = False  # ticks were lost since the last bundle that the desk took
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.headers.update({SECRET_HEADER: secret, "Content-Type": "application/json"})
        self._thread = threading.Thread(target=self._run, name="ticks", daemon=True)

    def start(self) -> None:
        """Begin to post what is added."""
        self._thread.start()

    def add(self, price: Price) -> None:
        """Queue a price of now. Never waits."""
        self._is_gapped = self._is_gapped or len(self._queue) == TICKS_QUEUED
        self._queue.append(Tick(ts=datetime.now(UTC), price=price, seq=next(self._numbers)))

    def close(self) -> None:
        """Post what is queued, if the desk takes it quickly, and end."""
        self._stop.set()
        self._thread.join(SECONDS_TO_STOP)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            self.send_queued()
        self.send_queued()
        self._http.close()

    def send_queued(self) -> None:
        """Post one bundle. Without an answer it is lost, and the next one says so."""
        bundle = [self._queue.popleft() for _ in range(min(MOST_AT_ONCE, len(self._queue)))]
        if not bundle:
            return
        is_gapped, self._is_gapped = self._is_gapped, True  # until the desk has taken it
        if time.monotonic() < self._silent_until:
            return
        report = TicksReport(
            symbol=self._asset, ticks=tuple(bundle), instance=self._run_id, simulated=True, gap=is_gapped
        )
        try:
            answer = self._http.post(
                self._url, data=encode(report), timeout=(CONNECT_SECONDS, ANSWER_SECONDS), allow_redirects=False
            )
        except requests.RequestException:
            return
        self._hear(answer)

    def _hear(self, answer: requests.Response) -> None:
        self._is_gapped = answer.status_code != HTTPStatus.OK
        if HTTPStatus.BAD_REQUEST <= answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            self._silent_until = time.monotonic() + NOT_ASKED_FOR_SECONDS
            why = REFUSED.get(answer.status_code, f"answers {answer.status_code}")
            self._say(f"The desk {why}: its feeds hear heartbeats only. The tape goes on.")
