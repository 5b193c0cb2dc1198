"""A crowded desk: 50 live pages, 5 pollers, and webhooks that must still be quick."""

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
from typing import cast

from tests.bench.measure import TV, Row, quantile, web
from tests.bench.wire import Wire, brick

PAGES, POLLERS, WEBHOOKS = 50, 5, 300
WEBHOOKS_PER_SECOND = 20
CHANGE = re.compile(rb"id: (\d+)\nevent: change\n")

Arrival = tuple[float, int]  # when, and which version


def crowded_desk(folder: Path, **store: str) -> list[Row]:
    """Send bricks at 20 a second and see when each page has the change, and how long the webhook took."""
    with web(folder, **store) as desk:
        cookie = desk.operator().session_cookie
        context = multiprocessing.get_context("spawn")
        arrivals: Queue[list[list[Arrival]]] = context.Queue()
        leaving = context.Event()
        pages = context.Process(target=_pages, args=(desk.port, cookie, arrivals, leaving), daemon=True)
        pages.start()
        for _ in range(POLLERS):
            threading.Thread(target=_poller, args=(desk.port, cookie, leaving), daemon=True).start()
        time.sleep(3)
        took, sent = _send_bricks(desk.port)
        time.sleep(1)
        leaving.set()
        heard = arrivals.get(timeout=30)
    delays = [delay for page in heard for delay in _delays(sent, page)]
    webhook_p99, delivery_p99 = quantile(took, 0.99), quantile(delays, 0.99)
    who = f"{PAGES} live pages + {POLLERS} pollers + webhooks"
    heard_share = len(delays) / (PAGES * WEBHOOKS)
    delivered = f"p50 {quantile(delays, 0.5):.1f} ms, p99 {delivery_p99:.1f} ms ({heard_share:.0%} of changes)"
    return [
        Row(f"{who}: webhook", f"p99 {webhook_p99:.1f} ms", "p99 ≤ 15 ms", webhook_p99 <= 15),
        Row(f"{who}: stream delivery", delivered, "p99 ≤ 15 ms", delivery_p99 <= 15),
    ]


def _send_bricks(port: int) -> tuple[list[float], list[Arrival]]:
    """Return how long each webhook took, and when the one that made each version was sent."""
    wire, took, sent = Wire(port), [], []
    for number in range(WEBHOOKS):
        body = brick(TV, f"x{number}", "green" if number % 2 else "red")
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


def _pages(port: int, cookie: str, arrivals: Queue[list[list[Arrival]]], leaving: Event) -> None:
    """Hold 50 streams and note when each page hears of each version."""
    selector = selectors.DefaultSelector()
    heard: dict[socket.socket, list[Arrival]] = {}
    buffers: dict[socket.socket, bytes] = {}
    for _ in range(PAGES):
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
