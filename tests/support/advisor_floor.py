"""A real advisor beside a real feeds that has bars, both over TCP. There is no web: neither needs it for ranges."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import requests

from advisor.channels.ml_openapi import ml_document
from feeds.bars.store import BarStore
from feeds.bars.types import Bar
from tests.support.desk_process import PATIENCE_SECONDS, SERVICE_SECRET, eventually
from tests.support.feeds_process import FeedsProcess
from tests.support.local_clients import Listener
from tests.support.ports import free_port
from tests.support.processes import Child
from tests.support.service_document import ServiceDocument

HOUR = 3_600
CENT = Decimal("0.01")
TRADED = Decimal(10)
SERVED = ServiceDocument(ml_document())


class AdvisorProcess(Child):
    """One ``python -m advisor`` on free ports, with files of its own."""

    program = "advisor"

    def __init__(self, folder: Path, feeds_url: str, web_url: str | None = None, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.models = folder / "models"
        self.database = folder / "advisor.sqlite"
        self.ml_port, self.agent_port = free_port(), free_port()
        while self.agent_port == self.ml_port:  # the first one is free again
            self.agent_port = free_port()
        own = {
            "LOCKSTEP_URL": web_url or f"http://127.0.0.1:{free_port()}",
            "FEEDS_URL": feeds_url,
            "SERVICE_SECRET": SERVICE_SECRET,
            "ADVISOR_PATH": str(self.database),
            "MODELS_PATH": str(self.models),
            "ADVISOR_HOST": "127.0.0.1",
            "ML_PORT": str(self.ml_port),
            "AGENT_PORT": str(self.agent_port),
            "ONE_PORT": "0",
            "CORS_ORIGINS": "",
            "LOCAL_FEEDS_REQUIRE_KEY": "0",
            "MODELS_NIGHTLY": "0",
            "AGENT_PROVIDER": "rules",
        }
        super().__init__(["-m", self.program], {**own, **settings}, folder / "advisor.log")

    def start(self) -> Self:
        """Start it and wait until it answers."""
        process = self.spawn()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            assert process.poll() is None, f"the advisor ended at its start: {self.log()}"
            assert time.monotonic() < deadline, f"the advisor did not answer: {self.log()}"
            with suppress(requests.RequestException):
                self.health()
                return self
            time.sleep(0.03)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.kill()
            raise

    def __exit__(self, *_: object) -> None:
        self.kill()

    # -- what it says -------------------------------------------------------------------------------------------

    def url(self, scheme: str = "http") -> str:
        """Return the address of the ML engine, without a path."""
        return f"{scheme}://127.0.0.1:{self.ml_port}"

    def get(self, path: str, **query: Any) -> requests.Response:
        """Read something of the ML engine; its document must name all of the answer."""
        return SERVED.documented(requests.get(self.url() + path, params=query, timeout=PATIENCE_SECONDS))

    def post(self, path: str, body: Any = None, **query: Any) -> requests.Response:
        """Ask something of the ML engine."""
        url = self.url() + path
        return SERVED.documented(requests.post(url, json=body, params=query, timeout=PATIENCE_SECONDS))

    def health(self) -> dict[str, Any]:
        """Return the answer of ``/health``."""
        answer = requests.get(self.url() + "/health", timeout=PATIENCE_SECONDS)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def listens(self, *headers: str) -> Listener:
        """Connect a program to the socket of signals."""
        return Listener(self.url("ws") + "/ws/signals", *headers)

    # -- its models ---------------------------------------------------------------------------------------------

    def runs(self, *words: str, within: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run ``python -m advisor models …`` with the settings of this advisor."""
        child = Child(["-m", self.program, "models", *words], self.settings, self.log_path.with_suffix(".cli"))
        child.log_path.unlink(missing_ok=True)
        code = child.spawn().wait(within)
        return subprocess.CompletedProcess(words, code, child.log())

    def slot(self, symbol: str, timeframe: str, target: str = "range") -> Path:
        """Return the folder of a slot."""
        return self.models / symbol / timeframe / target

    def card(self, symbol: str, timeframe: str, target: str = "range") -> dict[str, Any]:
        """Return the card that ``current`` leads to."""
        card: dict[str, Any] = json.loads((self.slot(symbol, timeframe, target) / "current" / "card.json").read_text())
        return card

    def serves(self, *ids: str) -> Self:
        """Wait until these models answer."""
        eventually(lambda: set(ids) <= set(self.health()["models"]))
        return self


class AdvisorFloor:
    """Feeds with bars, and an advisor that reads them."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.feeds = FeedsProcess(f"http://127.0.0.1:{free_port()}", folder / "feeds", ("market",))
        self.bars_path = folder / "feeds" / "bars.sqlite"
        self.advisor = AdvisorProcess(folder / "advisor", self.feeds.url(), **settings)

    def __enter__(self) -> Self:
        self.feeds.start()
        self.advisor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.advisor.kill()
        self.feeds.kill()

    def stores(self, bars: Iterable[Bar]) -> int:
        """Store bars as a sync does."""
        with closing(BarStore(self.bars_path)) as store:
            return store.put(bars)


def the_hour(lasts_seconds: float = 0.0) -> int:
    """Return the start of the current hour. One that does not last so long any more is waited out."""
    left = HOUR - time.time() % HOUR
    if left < lasts_seconds:
        time.sleep(left + 1)
    return int(time.time()) // HOUR * HOUR


def hourly(symbol: str, t: int, prices: Sequence[float]) -> list[Bar]:
    """Return an hour as its minutes: the first one has its open, high, low and close, the others stand at its close."""
    opened, high, low, close = (Decimal(str(price)).quantize(CENT) for price in prices)
    first = Bar(symbol, t, opened, high, low, close, TRADED, "provider")
    return [first, *(Bar(symbol, at, close, close, close, close, TRADED, "provider") for at in minutes_after(t))]


def minutes_after(t: int) -> range:
    """Return the starts of the minutes of an hour, without the first."""
    return range(t + 60, t + HOUR, 60)


def tides(symbol: str, ends: int, days: int, seed: int = 3) -> list[Bar]:
    """Return the minutes of hours that rise for half of a day and fall for the other half: a planted edge.

    The last six of them rise, and by the pattern six more would.
    """
    chance = random.Random(seed)
    price, count = 50_000.0, days * 24
    bars: list[Bar] = []
    for number in range(count):
        rises = (number - count + 6) % 24 < 12
        close = price + (60 if rises else -60) + chance.gauss(0, 30)
        high, low = max(price, close) + abs(chance.gauss(0, 10)), min(price, close) - abs(chance.gauss(0, 10))
        bars += hourly(symbol, ends - (count - number) * HOUR, (price, high, low, close))
        price = close
    return bars


def quiet_after_noise(symbol: str, ends: int, days: int, seed: int = 5) -> list[Bar]:
    """Return the minutes of hours that wander, and then stand still for the last fourteen."""
    chance = random.Random(seed)
    price, count = 3_000.0, days * 24
    bars: list[Bar] = []
    for number in range(count):
        width = 1.0 if number >= count - 14 else 20.0
        close = 3_000.0 + chance.uniform(-width, width) if number >= count - 14 else price + chance.gauss(0, 8)
        price = 3_000.0 if number == count - 15 else price
        high, low = max(price, close) + chance.uniform(0, width / 2), min(price, close) - chance.uniform(0, width / 2)
        bars += hourly(symbol, ends - (count - number) * HOUR, (price, high, low, close))
        price = close
    return bars
