"""Everything at once on one desk: streams that open and close, orders, states and webhooks. No call waits for ever."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import desk_process
from tests.support.desk_process import QUICK, DeskProcess

pytestmark = pytest.mark.processes

LONGEST_CALL_SECONDS = 15
"""A desk whose locks wait for each other never answers; one on a busy machine is only slow."""

LISTENS_SECONDS = 0.1
BUSY = {**QUICK, "ENTRY_TTL_SECONDS": "1"}
BRICKS = (1, 4, 6, 8, 12)
STREAMS, OPERATORS = 3, 2
GOOD = {("stream", 200), ("state", 200), ("price", 200), ("brick", 200), ("order", 201), ("exit", 200)}
REFUSED = ("order", 409)


class Rush:
    """Callers who do not rest until the time is over, or until one of them has failed."""

    def __init__(self, desk: DeskProcess, seconds: float) -> None:
        self.desk = desk
        self.ends_at = time.monotonic() + seconds
        self.has_failed = threading.Event()
        self.answered: Counter[tuple[str, int]] = Counter()

    def listens(self) -> None:
        """Open a stream, read a little of it and close it, as a page does that is loaded anew."""
        operator = self.desk.operator()
        dice = random.Random()
        for _ in self._rounds():
            packing = {"Accept-Encoding": dice.choice(("gzip", "identity"))}
            with operator.get("/api/stream", stream=True, headers=packing) as stream:
                self._notes("stream", stream.status_code)
                until = time.monotonic() + dice.uniform(0, LISTENS_SECONDS)
                for _ in stream.iter_content(512):
                    if time.monotonic() > until:
                        break

    def trades(self) -> None:
        """Enter, read the state and leave; an entry is refused while the other operator's is open."""
        operator = self.desk.operator()
        for _ in self._rounds():
            self._notes("order", operator.enters(direction="BUY", entry_override=True).status_code)
            self._notes("state", operator.get("/api/state").status_code)
            self._notes("exit", operator.post("/api/exit-all", json={"force": True}).status_code)

    def alerts(self) -> None:
        """Tell of prices and bricks as TradingView does."""
        alerts = self.desk.tradingview()
        dice = random.Random()
        for number in self._rounds():
            self._notes("price", alerts.heartbeat(5250.25 + number % 2 / 4).status_code)
            self._notes("brick", alerts.brick(dice.choice(BRICKS), "green").status_code)

    def runs(self) -> None:
        """Let all of them call at once. Raises what the first of them could not take."""
        deeds: list[Callable[[], None]] = [*[self.listens] * STREAMS, *[self.trades] * OPERATORS, self.alerts]
        with ThreadPoolExecutor(len(deeds)) as callers:
            for called in [callers.submit(self._until_it_fails, deed) for deed in deeds]:
                called.result()

    def _until_it_fails(self, deed: Callable[[], None]) -> None:
        try:
            deed()
        except BaseException:
            self.has_failed.set()
            raise

    def _rounds(self) -> Iterator[int]:
        number = 0
        while number == 0 or (time.monotonic() < self.ends_at and not self.has_failed.is_set()):
            yield number
            number += 1

    def _notes(self, call: str, status: int) -> None:
        self.answered[call, status] += 1


@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=[pytest.mark.soak, pytest.mark.timeout(300)])])
def test_no_call_waits_while_all_call_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    with DeskProcess(tmp_path, **BUSY) as desk:
        monkeypatch.setattr(desk_process, "PATIENCE_SECONDS", LONGEST_CALL_SECONDS)
        rush = Rush(desk, seconds)
        rush.runs()
        print(dict(rush.answered))
        assert set(rush.answered) - {REFUSED} == GOOD
        assert desk.operator().state()["assets"]["ES"]["last_price"] in (5250.25, 5250.5)
        assert "Traceback" not in desk.log()
