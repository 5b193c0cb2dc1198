"""A crowded desk: 50 live pages and 5 pollers, or 500 pages, and webhooks that must still be quick."""

from __future__ import annotations

import json
import multiprocessing
import re
import selectors
import socket
import threading
import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import NamedTuple, cast

import psutil

from tests.bench.measure import TV, Row, quantile, web
from tests.bench.wire import Wire, brick

PAGES, MANY_PAGES, POLLERS, WEBHOOKS = 50, 500, 5, 300
WEBHOOKS_PER_SECOND = 20
CHANGE = re.compile(rb"id: (\d+)\nevent: change\n")

Arrival = tuple[float, int]  # when, and which version


class Crowd(NamedTuple):
    """What was measured while so many pages were open, in seconds and bytes."""

    webhooks: list[float]
    deliveries: list[float]
    heard_share: float
    memory_each: float


def crowded_desk(folder: Path, **store: str) -> list[Row]:
    """Send bricks at 20 a second and see when each page has the change, and how long the webhook took."""
    crowd = _crowd(folder, PAGES, POLLERS, **store)
    webhook_p99, delivery_p99 = quantile(crowd.webhooks, 0.99), quantile(crowd.deliveries, 0.99)
    who = f"{PAGES} live pages + {POLLERS} pollers + webhooks"
    delivered = f"p50 {quantile(crowd.deliveries, 0.5):.1f} ms, p99 {delivery_p99:.1f} ms"
    return [
        Row(f"{who}: webhook", f"p99 {webhook_p99:.1f} ms", "p99 ≤ 15 ms", webhook_p99 <= 15),
        Row(
            f"{who}: stream delivery",
            f"{delivered} ({crowd.heard_share:.0%} of changes)",
            "p99 ≤ 15 ms",
            delivery_p99 <= 15,
        ),
    ]


def many_pages(folder: Path, **store: str) -> list[Row]:
    """Do the same with 500 pages, and see what each costs web."""
    crowd = _crowd(folder, MANY_PAGES, 0, **store)
    webhook_p99, each = quantile(crowd.webhooks, 0.99), crowd.memory_each / 1024
    return [
        Row(f"{MANY_PAGES} live pages: webhook", f"p99 {webhook_p99:.1f} ms", "p99 ≤ 25 ms", webhook_p99 <= 25),
        Row(f"{MANY_PAGES} live pages: memory of web, each", f"{each:.0f} KiB", "≤ 60 KiB", each <= 60),
    ]


def _crowd(folder: Path, pages: int, pollers: int, **store: str) -> Crowd:
    with web(folder, **store) as desk:
        cookie = desk.operator().session_cookie
        worker = psutil.Process(desk.spawned.pid).children()[0]
        context = multiprocessing.get_context("spawn")
        arrivals: Queue[list[list[Arrival]]] = context.Queue()
        leaving = context.Event()
        _send_bricks(desk.port, "warm", 20)
        before = worker.memory_info().rss
        readers = context.Process(target=_pages, args=(desk.port, cookie, pages, arrivals, leaving), daemon=True)
        readers.start()
        for _ in range(pollers):
            threading.Thread(target=_poller, args=(desk.port, cookie, leaving), daemon=True).start()
        time.sleep(3 + pages / 100)
        took, sent = _send_bricks(desk.port, "x", WEBHOOKS)
        memory_each = (worker.memory_info().rss - before) / pages
        time.sleep(1)
        leaving.set()
        heard = arrivals.get(timeout=60)
    delays = [delay for page in heard for delay in _delays(sent, page)]
    return Crowd(took, delays, len(delays) / (pages * WEBHOOKS), memory_each)


def _send_bricks(port: int, name: str, count: int) -> tuple[list[float], list[Arrival]]:
    """Return how long each webhook took, and when the one that made each version was sent."""
    wire, took, sent = Wire(port), [], []
    for number in range(count):
        body = brick(TV, f"{name}{number}", "green" if number % 2 else "red")
        began = time.time()
        status, answer = wire.call("POST", "/tv_renko", body)
        took.append(time.time() - began)
        if status != 200:
            raise RuntimeError(f"a webhook was answered {status}")
        sent.append((began, json.loads(answer)["version"]))
        time.sleep(max(0.0, began + 1 / WEBHOOKS_PER_SECOND - time.time()))
    return took, sent


def _delays(sent: list[Arrival], page: list[Arrival]) -> list[float]:
    """Return how long each change took to the page: until the first message of its version or a later one."""
    delays, at = [], 0
    for began, version in sent:
        while at < len(page) and page[at][1] < version:
            at += 1
        if at < len(page):
            delays.append(page[at][0] - began)
    return delays


def _poller(port: int, cookie: str, leaving: Event) -> None:
    wire = Wire(port, {"Cookie": cookie})
    while not leaving.wait(1.0):
        wire.timed("GET", "/api/state")


def _pages(port: int, cookie: str, pages: int, arrivals: Queue[list[list[Arrival]]], leaving: Event) -> None:
    """Hold so many streams and note when each page hears of each version."""
    selector = selectors.DefaultSelector()
    heard: dict[socket.socket, list[Arrival]] = {}
    buffers: dict[socket.socket, bytes] = {}
    for _ in range(pages):
        page = socket.create_connection(("127.0.0.1", port))
        page.sendall(f"GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode())
        selector.register(page, selectors.EVENT_READ)
        heard[page], buffers[page] = [], b""
    while not leaving.is_set():
        for key, _ in selector.select(0.2):
            page = cast(socket.socket, key.fileobj)
            buffers[page] += page.recv(262_144)
            at = time.time()
            *events, buffers[page] = buffers[page].split(b"\n\n")
            heard[page] += [(at, int(found[1])) for event in events if (found := CHANGE.search(event))]
    arrivals.put(list(heard.values()))
