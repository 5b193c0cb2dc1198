"""Each measurement of the table, as a function that returns its rows."""

from __future__ import annotations

import json
import multiprocessing
import secrets
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

from services.engine.decide import decide, open_desk
from services.engine.model.commands import AnyCommand, CloseBrick, ConfigureDesk, EnterMarket, NotePrice, TickClock
from services.ops.config import Config
from tests.bench.wire import Wire, brick
from tests.support.desk_process import BRIDGE_SECRET, SETTINGS, TV_SECRET, DeskProcess
from wire.types import Color, Stream

TV = TV_SECRET
BRIDGE_HEADERS = {"X-Bridge-Secret": BRIDGE_SECRET}
WEBHOOKS = 3000  # one after the other
WEBHOOKS_EACH = 400  # of each client
CLICKS = 200
EXITS = 25
CLIENTS, TARGET_CLIENTS, CLIENT_PROCESSES = (1, 8, 16, 32), 16, 2
METRICS_TOKEN = "metrics-token-of-the-bench"


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
def web(folder: Path, **settings: str) -> Iterator[DeskProcess]:
    """Run a fresh web, on Firestore in a project of its own."""
    own = {"ASSETS": "ES", "CONTRACTS": "", "METRICS_TOKEN": METRICS_TOKEN}
    project = f"bench-{secrets.token_hex(4)}"
    running = DeskProcess(folder, **{**own, "GOOGLE_CLOUD_PROJECT": project, **settings}).start()
    try:
        yield running
    finally:
        running.terminate()


def sequential_webhooks(folder: Path, **store: str) -> list[Row]:
    with web(folder, **store) as desk:
        wire = Wire(desk.port)
        took = [wire.timed("POST", "/tv_renko_main", brick(TV, f"s{number}")) for number in range(WEBHOOKS)]
    warm = took[WEBHOOKS // 10 :]
    p50, p99 = quantile(warm, 0.5), quantile(warm, 0.99)
    what = "webhook → durable commit → 200, sequential, synchronous=FULL"
    return [Row(what, f"p50 {p50:.2f} ms, p99 {p99:.2f} ms", "p50 ≤ 2.5 ms, p99 ≤ 12 ms", p50 <= 2.5 and p99 <= 12)]


def concurrent_webhooks(folder: Path, **store: str) -> list[Row]:
    """Measure the group commit: the same webhooks by 1, 8, 16 and 32 clients at once."""
    rows = []
    for clients in CLIENTS:
        with web(folder / str(clients), **store) as desk:
            rate, per_commit = _rate(desk, clients, WEBHOOKS_EACH)
        holds = clients != TARGET_CLIENTS or rate >= 1000
        target = "≥ 1,000 webhooks/s" if clients == TARGET_CLIENTS else ""
        what = f"group commit, {clients} concurrent clients" if clients > 1 else "group commit, 1 client"
        rows.append(Row(what, f"{rate:,.0f} webhooks/s, {per_commit:.1f} a commit", target, holds))
    return rows


def beside_a_bare_route(folder: Path, **store: str) -> list[Row]:
    """Compare 16 clients with the same clients at a Flask route that does nothing, under the same server."""
    with web(folder / "desk", **store) as desk:
        ours, _ = _rate(desk, TARGET_CLIENTS, WEBHOOKS_EACH)
    bare = DeskProcess(folder / "bare")
    bare.arguments = ["-m", "gunicorn", "tests.bench.bare:app"]
    with bare:
        _take_part(bare.port, 20)
        bares = _take_part(bare.port, WEBHOOKS_EACH)
    share = ours / bares
    what = f"{TARGET_CLIENTS} clients, beside a bare Flask route ({bares:,.0f}/s)"
    return [Row(what, f"{share:.2f} of it", "≥ 0.45", share >= 0.45)]


def _take_part(port: int, each: int) -> float:
    """Return the rate of 16 clients."""
    share = TARGET_CLIENTS // CLIENT_PROCESSES
    with multiprocessing.get_context("spawn").Pool(CLIENT_PROCESSES) as pool:
        began = time.perf_counter()
        pool.starmap(_client_process, [(port, number, share, each) for number in range(CLIENT_PROCESSES)])
        return TARGET_CLIENTS * each / (time.perf_counter() - began)


def _rate(desk: DeskProcess, clients: int, each: int) -> tuple[float, float]:
    """Return webhooks per second, and how many of them shared a commit."""
    processes = min(clients, CLIENT_PROCESSES)
    share = clients // processes
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.starmap(_client_process, [(desk.port, number, share, 20) for number in range(processes)])  # warm up
        commits = _commits(desk.port)
        began = time.perf_counter()
        pool.starmap(_client_process, [(desk.port, number + 100, share, each) for number in range(processes)])
        took = time.perf_counter() - began
        return clients * each / took, clients * each / max(1.0, _commits(desk.port) - commits)


def _commits(port: int) -> float:
    """Return how many commits web has counted."""
    _, text = Wire(port, {"Authorization": f"Bearer {METRICS_TOKEN}"}).call("GET", "/metrics")
    return float(text.decode().split("\nlockstep_commit_commands_count ")[1].split("\n")[0])


def _client_process(port: int, number: int, clients: int, each: int) -> None:
    """Run this process's share of the clients, a thread each."""

    def client(which: int) -> None:
        wire = Wire(port)
        for count in range(each):
            wire.timed("POST", "/tv_renko_main", brick(TV, f"c{number}-{which}-{count}"))
        wire.close()

    threads = [threading.Thread(target=client, args=(which,)) for which in range(clients)]
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


def click_to_bridge(folder: Path, **store: str) -> list[Row]:
    """Click, let the bridge have it, reject it (which gives token and candle back), click again."""
    took = []
    with web(folder, CANDLE_SECONDS="3600", **store) as desk:
        operator, reporter, poller = open_gates(desk)
        for _ in range(CLICKS):
            began = time.perf_counter()
            operator.timed("POST", "/api/orders", entry())
            order, arrived_at = poller.next_order()
            took.append(arrived_at - began)
            reporter.timed("POST", f"/api/orders/{order['id']}/execution-report", {"status": "REJECTED"})
            poller.settled()
            time.sleep(0.01)
        poller.leave()
    p50 = quantile(took, 0.5)
    what = "operator's click → the bridge has the order (long-poll)"
    return [Row(what, f"p50 {p50:.2f} ms, p99 {quantile(took, 0.99):.2f} ms", "p50 ≤ 8 ms", p50 <= 8)]


def brick_to_exit(folder: Path, **store: str) -> list[Row]:
    """Hold a position, close an opposite 8pt brick, and see when the bridge has the exit."""
    took = []
    with web(folder, CANDLE_SECONDS="1", COOLDOWN_SECONDS="0", MAX_TRADES_PER_DAY="1000", **store) as desk:
        operator, reporter, poller = open_gates(desk)
        alerts = desk.tradingview()
        for number in range(EXITS):
            alerts.brick(6, "green", bar_id=f"m{number}")
            while operator.call("POST", "/api/orders", entry())[0] != 201:
                time.sleep(0.05)
            _fill(reporter, poller)
            began = time.perf_counter()
            operator.timed("POST", "/tv_renko_high", brick(TV, f"h{number}", "red"))
            took.append(_fill(reporter, poller) - began)
        poller.leave()
    p50 = quantile(took, 0.5)
    return [Row("brick that fires an exit → the bridge has it", f"p50 {p50:.2f} ms", "p50 ≤ 10 ms", p50 <= 10)]


def open_gates(desk: DeskProcess) -> tuple[Wire, Wire, LongPoller]:
    """Open every gate and connect an operator, a reporter and a waiting bridge."""
    alerts = desk.tradingview()
    alerts.heartbeat(5000)
    alerts.brick(6, "green", bar_id="first")
    cookie = desk.operator().session_cookie
    poller = LongPoller(desk.port)
    poller.start()
    time.sleep(0.2)
    return Wire(desk.port, {"Cookie": cookie}), Wire(desk.port, BRIDGE_HEADERS), poller


def entry() -> dict[str, object]:
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
    rules = Config.from_env({**SETTINGS, "ASSETS": ",".join(assets), "CONTRACTS": ""}).rules_at(datetime.now(UTC))
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
    color: Color = "green" if (number // 50) % 2 else "red"
    return CloseBrick(asset, list(Stream)[number % 6], color, f"b{number}", now)


def idle_memory(folder: Path, **store: str) -> list[Row]:
    with web(folder, **store) as desk:
        time.sleep(3)
        master = psutil.Process(desk.spawned.pid)
        everybody = [master, *master.children(recursive=True)]
        mib = sum(process.memory_full_info().pss for process in everybody) / 2**20
    return [Row("memory of web, idle (PSS of all its processes)", f"{mib:.0f} MiB", "≤ 110 MiB", mib <= 110)]


def all_measurements(folder: Path, **store: str) -> list[Callable[[], list[Row]]]:
    """Return the measurements in the table's order. ``store`` are the settings that choose it: SQLite without any."""
    from tests.bench.advisor import advisor_alone, advisor_explains
    from tests.bench.bars import bar_store
    from tests.bench.beside_advisor import beside_the_advisor
    from tests.bench.bricks import measure_bricks
    from tests.bench.crowd import crowded_desk, many_pages
    from tests.bench.feeds import fan_out, idle_feeds
    from tests.bench.long_journal import start_with_long_journal
    from tests.bench.page import page_in_a_browser
    from tests.bench.price_files import price_files
    from tests.bench.stream import change_after_many_trades

    on_any_store = [
        lambda: sequential_webhooks(folder / "sequential", **store),
        lambda: concurrent_webhooks(folder / "concurrent", **store),
        lambda: beside_a_bare_route(folder / "bare", **store),
        lambda: click_to_bridge(folder / "click", **store),
        lambda: brick_to_exit(folder / "exit", **store),
        lambda: idle_memory(folder / "idle", **store),
        lambda: crowded_desk(folder / "crowd", **store),
        lambda: many_pages(folder / "pages", **store),
        lambda: beside_the_advisor(folder / "advisor", **store),
    ]
    if store:
        return on_any_store
    on_sqlite = [
        decisions,
        measure_bricks,
        lambda: change_after_many_trades(folder / "stream"),
        lambda: bar_store(folder / "bars"),
        lambda: price_files(folder / "price-files"),
        lambda: idle_feeds(folder / "idle-feeds"),
        lambda: fan_out(folder / "fan-out"),
        lambda: advisor_alone(folder / "advisor"),
        lambda: advisor_explains(folder / "explains"),
        lambda: start_with_long_journal(folder / "long"),
        lambda: page_in_a_browser(folder / "page"),
    ]
    return [*on_any_store, *on_sqlite]
