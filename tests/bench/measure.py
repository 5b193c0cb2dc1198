"""Each measurement of the table, as a function that returns its rows."""

from __future__ import annotations

import json
import multiprocessing
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import psutil

from services.config import Config
from services.engine.commands import AnyCommand, CloseBrick, ConfigureDesk, EnterMarket, NotePrice, TickClock
from services.engine.decide import decide, open_desk
from services.engine.words import Stream
from tests.bench.wire import Wire, brick
from tests.processes import SECRETS, Web

TV = SECRETS["TV_WEBHOOK_SECRET"]
BRIDGE_HEADERS = {"X-Bridge-Secret": SECRETS["BRIDGE_HEARTBEAT_SECRET"]}
CLIENTS, CLIENT_PROCESSES = 16, 2


class Row(NamedTuple):
    """One line of the table: what, measured, target, and whether it holds."""

    what: str
    measured: str
    target: str
    holds: bool


def quantile(seconds: list[float], share: float) -> float:
    """Return a quantile in milliseconds."""
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))] * 1000


@contextmanager
def web(folder: Path, **settings: str) -> Iterator[Web]:
    """Run a fresh web."""
    folder.mkdir(parents=True, exist_ok=True)
    running = Web(folder, **settings)
    running.start()
    try:
        yield running
    finally:
        running.terminate()


def sequential_webhooks(folder: Path, count: int = 3000) -> list[Row]:
    with web(folder) as desk:
        wire = Wire(desk.port)
        took = [wire.timed("POST", "/tv_renko_main", brick(TV, f"s{number}")) for number in range(count)][count // 10 :]
    p50, p99 = quantile(took, 0.5), quantile(took, 0.99)
    what = "webhook → durable commit → 200, sequential, synchronous=FULL"
    return [Row(what, f"p50 {p50:.2f} ms, p99 {p99:.2f} ms", "p50 ≤ 2.5 ms, p99 ≤ 12 ms", p50 <= 2.5 and p99 <= 12)]


def concurrent_webhooks(folder: Path, each: int = 400) -> list[Row]:
    with web(folder) as desk, multiprocessing.get_context("spawn").Pool(CLIENT_PROCESSES) as pool:
        jobs = [(desk.port, number, each) for number in range(CLIENT_PROCESSES)]
        pool.starmap(_client_process, [(port, number, 20) for port, number, _ in jobs])  # warm up
        began = time.perf_counter()
        pool.starmap(_client_process, [(port, number + 100, count) for port, number, count in jobs])
        took = time.perf_counter() - began
    rate = CLIENTS * each / took
    return [Row(f"same, {CLIENTS} concurrent clients", f"{rate:,.0f} webhooks/s", "≥ 1,000 webhooks/s", rate >= 1000)]


def _client_process(port: int, number: int, each: int) -> None:
    """Run this process's share of the clients, a thread each."""

    def client(which: int) -> None:
        wire = Wire(port)
        for count in range(each):
            wire.timed("POST", "/tv_renko_main", brick(TV, f"c{number}-{which}-{count}"))
        wire.close()

    threads = [threading.Thread(target=client, args=(which,)) for which in range(CLIENTS // CLIENT_PROCESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class LongPoller(threading.Thread):
    """A bridge that waits for orders and notes when each arrived."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._wire, self._leaving = Wire(port, BRIDGE_HEADERS), False
        self._has_order = threading.Event()
        self.order: dict[str, object] = {}
        self.arrived_at = 0.0

    def run(self) -> None:
        while not self._leaving:
            _, body = self._wire.call("GET", "/api/orders/pending?wait=5")
            arrived_at = time.perf_counter()
            orders = [order for order in json.loads(body)["orders"] if not order["redelivered"]]
            if orders:
                self.arrived_at, self.order = arrived_at, orders[0]
                self._has_order.set()
                while self._has_order.is_set() and not self._leaving:
                    time.sleep(0.001)

    def next_order(self) -> tuple[dict[str, object], float]:
        """Return the order and when it arrived; the poller goes on after ``settled``."""
        if not self._has_order.wait(10):
            raise RuntimeError("no order reached the bridge within 10 s")
        return self.order, self.arrived_at

    def settled(self) -> None:
        self._has_order.clear()

    def leave(self) -> None:
        self._leaving = True


def click_to_bridge(folder: Path, count: int = 200) -> list[Row]:
    """Click, let the bridge have it, reject it (which gives token and candle back), click again."""
    took = []
    with web(folder, CANDLE_SECONDS="3600") as desk:
        operator, reporter, poller = _open_gates(desk)
        for _ in range(count):
            began = time.perf_counter()
            operator.timed("POST", "/api/orders", _entry())
            order, arrived_at = poller.next_order()
            took.append(arrived_at - began)
            reporter.timed("POST", f"/api/orders/{order['id']}/execution-report", {"status": "REJECTED"})
            poller.settled()
            time.sleep(0.01)
        poller.leave()
    p50 = quantile(took, 0.5)
    what = "operator's click → the bridge has the order (long-poll)"
    return [Row(what, f"p50 {p50:.2f} ms, p99 {quantile(took, 0.99):.2f} ms", "p50 ≤ 8 ms", p50 <= 8)]


def brick_to_exit(folder: Path, count: int = 25) -> list[Row]:
    """Hold a position, close an opposite 8pt brick, and see when the bridge has the exit."""
    took = []
    with web(folder, CANDLE_SECONDS="1", COOLDOWN_SECONDS="0", MAX_TRADES_PER_DAY="1000") as desk:
        operator, reporter, poller = _open_gates(desk)
        for number in range(count):
            desk.webhook("tv_renko_main", asset="ES", color="green", bar_id=f"m{number}")
            while operator.call("POST", "/api/orders", _entry())[0] != 201:
                time.sleep(0.05)
            _fill(reporter, poller)
            began = time.perf_counter()
            operator.timed("POST", "/tv_renko_high", brick(TV, f"h{number}", "red"))
            took.append(_fill(reporter, poller) - began)
        poller.leave()
    p50 = quantile(took, 0.5)
    return [Row("brick that fires an exit → the bridge has it", f"p50 {p50:.2f} ms", "p50 ≤ 10 ms", p50 <= 10)]


def _open_gates(desk: Web) -> tuple[Wire, Wire, LongPoller]:
    """Open every gate and connect an operator, a reporter and a waiting bridge."""
    desk.webhook("tv_heartbeat", symbol="ES", price=5000)
    desk.webhook("tv_renko_main", asset="ES", color="green", bar_id="first")
    cookie = desk.operator().cookies["lockstep"]
    poller = LongPoller(desk.port)
    poller.start()
    time.sleep(0.2)
    return Wire(desk.port, {"Cookie": f"lockstep={cookie}"}), Wire(desk.port, BRIDGE_HEADERS), poller


def _entry() -> dict[str, object]:
    return {"asset": "ES", "trade_mode": "RUNNER", "direction": "BUY", "entry_override": True}


def _fill(reporter: Wire, poller: LongPoller) -> float:
    """Fill the order the bridge has next; return when it had it."""
    order, arrived_at = poller.next_order()
    extra = {"fill_price": 5000, "qty": order["qty"], "exec_id": order["id"]}
    reporter.timed("POST", f"/api/orders/{order['id']}/execution-report", {"status": "FILLED", "extra": extra})
    poller.settled()
    return arrived_at


def decisions(count: int = 20_000) -> list[Row]:
    """Decide a mixed stream of commands on a desk of four assets."""
    assets = ("ES", "NQ", "CL", "GC")
    rules = Config.from_env({**SECRETS, "ASSETS": ",".join(assets)}).rules_at(datetime.now(UTC))
    now = datetime.now(UTC)
    desk = decide(open_desk("00" * 32, rules, now), ConfigureDesk(rules), now).desk
    took = []
    for number in range(count):
        now += timedelta(milliseconds=500)
        command = _mixed_command(assets[number % 4], number, now)
        began = time.perf_counter()
        decision = decide(desk, command, now)
        took.append(time.perf_counter() - began)
        desk = decision.desk
    median = statistics.median(took) * 1e6
    return [Row("decide, one command, 4 assets", f"median {median:.1f} µs", "≤ 100 µs", median <= 100)]


def _mixed_command(asset: str, number: int, now: datetime) -> AnyCommand:
    if number % 40 == 39:
        return EnterMarket(asset, "SCALP", "6pt", "BUY", True)
    if number % 40 == 38:
        return TickClock()
    if number % 3 == 0:
        return NotePrice(asset, Decimal(5000 + number % 50), now)
    color = "green" if (number // 50) % 2 else "red"
    return CloseBrick(asset, list(Stream)[number % 6], color, f"b{number}", now)


def idle_memory(folder: Path) -> list[Row]:
    with web(folder) as desk:
        time.sleep(3)
        master = psutil.Process(desk.process.pid)  # type: ignore[union-attr]
        everybody = [master, *master.children(recursive=True)]
        mib = sum(process.memory_full_info().pss for process in everybody) / 2**20
    return [Row("memory of web, idle (PSS of all its processes)", f"{mib:.0f} MiB", "≤ 110 MiB", mib <= 110)]


def all_measurements(folder: Path) -> list[Callable[[], list[Row]]]:
    """Return the measurements in the table's order."""
    from tests.bench.crowd import crowded_desk
    from tests.bench.long_journal import start_with_long_journal

    return [
        lambda: sequential_webhooks(folder / "sequential"),
        lambda: concurrent_webhooks(folder / "concurrent"),
        lambda: click_to_bridge(folder / "click"),
        lambda: brick_to_exit(folder / "exit"),
        decisions,
        lambda: start_with_long_journal(folder / "long"),
        lambda: idle_memory(folder / "idle"),
        lambda: crowded_desk(folder / "crowd"),
    ]
