"""Nobody freezes the desk: what the operator, the bridge and TradingView feel of a crowd of anonymous connections."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
from requests.adapters import HTTPAdapter

from serving.limits import PER_ADDRESS_AT_MOST
from tests.support.desk_process import PATIENCE_SECONDS, QUICK, DeskProcess, eventually
from tests.support.own_time import Stopwatch
from tests.support.proxies import running
from tests.support.strangers import LOOPBACK, Strangers

pytestmark = pytest.mark.processes

EXIT_P99_SECONDS = 0.25
WEBHOOK_P99_SECONDS = 0.5
WAKE_P99_SECONDS = 0.25
GROWS_AT_MOST_MIB = 60
CLEAR_WITHIN_SECONDS = 10.0
KEPT_BY_CADDY = 32
"""Connections to the desk that Caddy keeps for the next request; its `keepalive_idle_conns_per_host`."""

MIB = 2**20
STAYS_OPEN = {**QUICK, "CANDLE_SECONDS": "3600"}
"""A rejected entry gives its candle back: the next one need not wait."""

WITH_1024_FILES = (
    "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024)); "
    "from gunicorn.app.wsgiapp import run; sys.argv = ['gunicorn', 'app:app']; run()"
)


class Took(NamedTuple):
    """How long something took, and how much of it our processes stood in the run queue."""

    seconds: float
    queued: float


def p99(took: list[Took]) -> float:
    """Return the own seconds at the 99th of a hundred."""
    own = sorted(max(0.0, one.seconds - one.queued) for one in took)
    return own[min(len(own) - 1, int(len(own) * 0.99))]


def by_the_clock(took: list[Took]) -> str:
    """Return the median and the 99th of a hundred by the clock on the wall, queues and all."""
    walls = sorted(one.seconds * 1000 for one in took)
    return f"p50 {walls[len(walls) // 2]:.1f} p99 {walls[min(len(walls) - 1, int(len(walls) * 0.99))]:.1f} ms"


class FromAddress(HTTPAdapter):
    """Calls from this loopback address: the crowd has others."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, source_address=(self._address, 0))


class DeskInUse:
    """A desk that is used while a crowd stands before it."""

    def __init__(self, desk: DeskProcess) -> None:
        self.desk = desk
        self.operator, self.bridge, self.alerts = desk.operator(), desk.bridge(), desk.tradingview()
        for number, caller in enumerate((self.operator, self.bridge, self.alerts), 101):
            caller.close()
            caller.mount("http://", FromAddress(f"127.0.0.{number}"))
        self.alerts.opens_the_ladder()
        [self.worker] = psutil.Process(desk.spawned.pid).children()
        self.most_memory = 0

    def is_used(self, times: int) -> dict[str, list[Took]]:
        """Exit, take bricks and let the bridge wait, so many times."""
        took: dict[str, list[Took]] = {"exit": [], "webhook": [], "wake": []}
        for number in range(times):
            took["exit"].append(self._timed(lambda: self.operator.post("/api/exit-all", json={"force": True})))
            took["webhook"].append(self._brick_on_a_connection_of_its_own())
            if number % 4 == 0:
                took["wake"].append(self._wake())
            self.most_memory = max(self.most_memory, self.worker.memory_info().rss)
        return took

    def _brick_on_a_connection_of_its_own(self) -> Took:
        self.alerts.close()
        return self._timed(lambda: self.alerts.brick(6, "green"))

    def _wake(self) -> Took:
        """Enter while the bridge waits, and see when it has the order; it rejects the order."""
        handed: list[tuple[float, str]] = []

        def waits() -> None:
            orders = self.bridge.claims(wait=20)
            handed.extend((time.perf_counter(), order["id"]) for order in orders)

        waiting = threading.Thread(target=waits)
        waiting.start()
        time.sleep(0.05)
        watch, began = Stopwatch(self.desk.process), time.perf_counter()
        answer = self.operator.enters(direction="BUY")
        assert answer.status_code == 201, answer.text
        waiting.join(PATIENCE_SECONDS)
        queued = watch.queued
        [(at, order)] = handed
        assert self.bridge.reports(order, "REJECTED").status_code == 200
        return Took(at - began, queued)

    def _timed(self, act: Callable[[], object]) -> Took:
        watch, began = Stopwatch(self.desk.process), time.perf_counter()
        act()
        return Took(time.perf_counter() - began, watch.queued)


def holds_against(desk: DeskProcess, strangers: Strangers, times: int) -> str:
    """Use the desk with the crowd before it, and see that nobody feels it; return the measured figures."""
    in_use = DeskInUse(desk)
    in_use.is_used(5)
    files, memory = in_use.worker.num_fds(), in_use.worker.memory_info().rss
    with strangers:
        part = 3 if desk.proxy_port is None else 12  # a proxy passes on what has begun its body, and no other halves
        eventually(lambda: in_use.worker.num_fds() > files + min(strangers.count, PER_ADDRESS_AT_MOST) / part)
        took = in_use.is_used(times)
    grown = (in_use.most_memory - memory) / MIB
    opened = strangers.opened
    left = Stopwatch(desk.process)
    eventually(lambda: in_use.worker.num_fds() <= files + 5 + (0 if desk.proxy_port is None else KEPT_BY_CADDY))
    cleared = left.seconds
    measured = {act: by_the_clock(of_act) for act, of_act in took.items()}
    figures = f"{measured}, +{grown:.1f} MiB, {opened} opened, clear after {cleared:.1f} s"
    assert p99(took["exit"]) <= EXIT_P99_SECONDS, figures
    assert p99(took["webhook"]) <= WEBHOOK_P99_SECONDS, figures
    assert p99(took["wake"]) <= WAKE_P99_SECONDS, figures
    assert grown <= GROWS_AT_MOST_MIB, figures
    assert cleared <= CLEAR_WITHIN_SECONDS, figures
    assert desk.stranger().get("/healthz").status_code == 200
    return figures


@pytest.mark.parametrize("addresses", [1, 8])
def test_300_anonymous_connections_are_not_felt(tmp_path: Path, addresses: int) -> None:
    with DeskProcess(tmp_path, **STAYS_OPEN) as desk:
        holds_against(desk, Strangers(desk.port, 300, LOOPBACK[:addresses]), times=40)


@contextmanager
def behind_caddy(desk: DeskProcess) -> Iterator[int]:
    """Run the documented Caddy block before the desk; give the port where it listens."""
    if shutil.which("caddy") is None:
        pytest.skip("caddy is not installed: apt-get install caddy")
    desk.settings["TRUSTED_PROXIES"] = "1"
    with desk, running("caddy", desk.folder, desk):
        assert desk.proxy_port is not None
        yield desk.proxy_port


@contextmanager
def reached_directly(desk: DeskProcess) -> Iterator[int]:
    """Run the desk; give its port."""
    with desk:
        yield desk.port


def test_300_anonymous_connections_to_caddy_are_not_felt(tmp_path: Path) -> None:
    desk = DeskProcess(tmp_path, **STAYS_OPEN)
    with behind_caddy(desk) as port:
        holds_against(desk, Strangers(port, 300, LOOPBACK[:8]), times=40)


@pytest.mark.soak
@pytest.mark.parametrize("addresses", [1, 64])
@pytest.mark.parametrize("files", ["as the system allows", "1024"])
@pytest.mark.parametrize("reached", [reached_directly, behind_caddy])
def test_2000_anonymous_connections_are_not_felt(
    tmp_path: Path, addresses: int, files: str, reached: Callable[[DeskProcess], AbstractContextManager[int]]
) -> None:
    desk = DeskProcess(tmp_path, **STAYS_OPEN)
    if files == "1024":
        desk.arguments = ["-c", WITH_1024_FILES]
    with reached(desk) as port:
        figures = holds_against(desk, Strangers(port, 2000, LOOPBACK[:addresses]), times=300)
    print(f"\n2,000 from {addresses}, {files} files, {reached.__name__}: {figures}")
