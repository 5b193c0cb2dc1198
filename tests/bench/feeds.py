"""What feeds cost: a thousand sockets at 20 messages a second, connecting, memory, and web beside them."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.bench.loud_feeds import MESSAGE_BYTES, PER_SECOND
from tests.bench.measure import TV, Row, quantile
from tests.bench.readers import Heard, read_all
from tests.bench.wire import Wire, brick
from tests.support.desk_process import PATIENCE_SECONDS, DeskProcess
from tests.support.feeds_process import PORT_SETTINGS, FeedsProcess
from tests.support.market_floor import MarketFloor

SOCKETS = 1_000
SECONDS = 15.0
WEBHOOKS = 1_500
FEEDS_NICE = 15
SETTLE_SECONDS = 3.0
REVOKED = 4401


class LoudFeeds(FeedsProcess):
    """Feeds that tell 20 messages of 1 KB a second."""

    program = "tests.bench.loud_feeds"


def fan_out(folder: Path) -> list[Row]:
    """Connect a thousand accounts, read for a while, and send webhooks to web meanwhile and before."""
    floor = MarketFloor(folder)
    floor.feeds = LoudFeeds(floor.desk, folder / "feeds")
    with floor.desk:
        alone = _webhooks(floor.desk, "alone")
        with floor.feeds:
            floor.feeds.hears_web()
            process = psutil.Process(floor.feeds.spawned.pid)
            process.nice(FEEDS_NICE)
            keys = floor.keys(SOCKETS)
            with _reading(floor.feeds.ports["market"], keys) as readers:
                _next(readers)  # all are connected
                began, cpu = time.monotonic(), sum(process.cpu_times()[:2])
                beside = _webhooks(floor.desk, "beside")
                memory = process.memory_info().rss / 2**20
                revoked = _revocation(floor)
                heard: Heard = _next(readers)
                core = (sum(process.cpu_times()[:2]) - cpu) / (time.monotonic() - began)
        alone = (alone + _webhooks(floor.desk, "again")) / 2  # before and after: the machine may be busier by itself
    return [*_rows(heard, memory, core, alone, beside), revoked]


def _revocation(floor: MarketFloor) -> Row:
    """Revoke the key of one more socket and see when it is closed."""
    token = floor.key()
    with floor.connects(token) as client:
        floor.revoke(token)
        began = time.monotonic()
        code = client.closed_with()
        took = time.monotonic() - began
    what = f"feeds: a revoked key's socket is closed, beside {SOCKETS:,} others"
    return Row(what, f"{took:.2f} s ({code})", "≤ 2 s", took <= 2 and code == REVOKED)


def _next(readers: multiprocessing.connection.Connection) -> Any:
    """Return what the readers say next."""
    if not readers.poll(PATIENCE_SECONDS):
        raise TimeoutError("the readers say nothing")
    return readers.recv()


@contextmanager
def _reading(port: int, keys: list[str]) -> Iterator[multiprocessing.connection.Connection]:
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=read_all, args=(port, keys, SECONDS, theirs), daemon=True)
    process.start()
    try:
        yield mine
    finally:
        process.kill()
        process.join(30)


def _webhooks(desk: DeskProcess, name: str) -> float:
    """Return the median of webhooks sent one after the other, in milliseconds."""
    wire = Wire(desk.port)
    took = [wire.timed("POST", "/tv_renko_main", brick(TV, f"{name}{number}")) for number in range(WEBHOOKS)]
    return quantile(took[WEBHOOKS // 10 :], 0.5)


def _rows(heard: Heard, memory: float, core: float, alone: float, beside: float) -> list[Row]:
    p50, p99 = quantile(heard.lags, 0.5), quantile(heard.lags, 0.99)
    share = len(heard.lags) / (SOCKETS * PER_SECOND * SECONDS)
    who = f"feeds: {SOCKETS:,} sockets × {PER_SECOND} messages/s × {MESSAGE_BYTES / 1024:.0f} KB"
    rate = SOCKETS / heard.connecting_seconds
    lag = f"p50 {p50:.0f} ms, p99 {p99:.0f} ms ({share:.0%} heard, {heard.lost} lost, {core:.2f} of a core)"
    return [
        Row(f"{who}: lag", lag, "p99 ≤ 300 ms", p99 <= 300 and heard.lost == 0),
        Row(f"{who}: memory", f"{memory:.0f} MiB", "≤ 80 MiB", memory <= 80),
        Row(f"feeds: connects of {SOCKETS:,} accounts", f"{rate:.0f}/s", "≥ 100/s", rate >= 100),
        Row(
            "web: webhook p50 without and with those sockets",
            f"{alone:.2f} ms, {beside:.2f} ms (× {beside / alone:.2f})",
            "≤ × 1.5",
            beside <= 1.5 * alone,
        ),
    ]


def idle_feeds(folder: Path) -> list[Row]:
    """Start feeds with every port beside a desk and weigh it once it is quiet."""
    with DeskProcess(folder / "desk") as desk, FeedsProcess(desk, folder / "feeds", tuple(PORT_SETTINGS)) as feeds:
        feeds.hears_web()
        time.sleep(SETTLE_SECONDS)
        memory = psutil.Process(feeds.spawned.pid).memory_info().rss / 2**20
    return [Row("feeds: idle memory, every port", f"{memory:.0f} MiB", "≤ 70 MiB", memory <= 70)]
