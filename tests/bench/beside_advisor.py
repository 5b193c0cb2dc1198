"""Web beside an advisor that hangs or is dead: what webhooks and clicks feel while 20 pages ask for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.measure import TV, LongPoller, Row, entry, open_gates, quantile, web
from tests.bench.wire import Wire, brick
from tests.support.advisor_stand_in import advisor
from tests.support.desk_process import DeskProcess
from tests.support.ports import free_port

PAGES, ASKED_EVERY_SECONDS = 20, 2.0
WEBHOOKS, CLICKS = 1_500, 60
MOST_SLOWER = 1.5
ASKED = (("GET", "/api/ml/range?asset=ES&timeframe=5m"), ("POST", "/api/chat"))


class Felt(NamedTuple):
    """The medians of webhook and of click to bridge, in milliseconds, and the webhook's 99th."""

    webhook: float
    webhook_p99: float
    click: float


def beside_the_advisor(folder: Path, **store: str) -> list[Row]:
    """Measure without askers, with an advisor that hangs, with one that is dead, and without askers again."""
    dead = f"http://127.0.0.1:{free_port()}"
    with advisor() as hanging:
        before = _felt(folder / "before", "", **store)
        hangs = _felt(folder / "hangs", hanging.url, **store)
    is_dead = _felt(folder / "dead", dead, **store)
    after = _felt(folder / "after", "", **store)
    alone = Felt(*(min(pair) for pair in zip(before, after, strict=True)))  # the machine may be busier by itself
    return [*_rows("hangs", hangs, alone), *_rows("is dead", is_dead, alone)]


def _rows(how: str, felt: Felt, alone: Felt) -> list[Row]:
    who = f"{PAGES} pages ask an advisor that {how}"
    target = f"≤ {MOST_SLOWER} of it"
    webhook, click = felt.webhook / alone.webhook, felt.click / alone.click
    told = f"p50 {felt.webhook:.2f} ms, p99 {felt.webhook_p99:.2f} ms ({webhook:.2f} of {alone.webhook:.2f} ms without)"
    clicked = f"p50 {felt.click:.2f} ms ({click:.2f} of {alone.click:.2f} ms without)"
    return [
        Row(f"{who}: webhook", told, target, webhook <= MOST_SLOWER),
        Row(f"{who}: click → the bridge has the order", clicked, target, click <= MOST_SLOWER),
    ]


def _felt(folder: Path, url: str, **store: str) -> Felt:
    """Return what a desk feels whose advisor is at this address; without one nobody asks."""
    urls = {"ADVISOR_URL": url, "AGENT_URL": url} if url else {}
    with web(folder, CANDLE_SECONDS="3600", **urls, **store) as desk:
        operator, reporter, poller = open_gates(desk)
        with _pages(desk, PAGES if url else 0):
            clicks = [_click(operator, reporter, poller) for _ in range(CLICKS)]
            webhooks = Wire(desk.port)
            took = [webhooks.timed("POST", "/tv_renko_main", brick(TV, f"a{number}")) for number in range(WEBHOOKS)]
        poller.leave()
    warm = took[WEBHOOKS // 10 :]
    return Felt(quantile(warm, 0.5), quantile(warm, 0.99), quantile(clicks, 0.5))


def _click(operator: Wire, reporter: Wire, poller: LongPoller) -> float:
    """Click, let the bridge have it, reject it; return how long the bridge waited for it."""
    began = time.perf_counter()
    operator.timed("POST", "/api/orders", entry())
    order, arrived_at = poller.next_order()
    reporter.timed("POST", f"/api/orders/{order['id']}/execution-report", {"status": "REJECTED"})
    poller.settled()
    return arrived_at - began


@contextmanager
def _pages(desk: DeskProcess, count: int) -> Iterator[None]:
    """Have so many pages ask for the advisor, again and again."""
    leaving = threading.Event()
    cookie = desk.operator().session_cookie
    pages = [threading.Thread(target=_page, args=(desk.port, cookie, number, leaving)) for number in range(count)]
    for page in pages:
        page.start()
    try:
        time.sleep(ASKED_EVERY_SECONDS)  # all of them have asked
        yield
    finally:
        leaving.set()
        for page in pages:
            page.join()


def _page(port: int, cookie: str, number: int, leaving: threading.Event) -> None:
    method, path = ASKED[number % len(ASKED)]
    wire = Wire(port, {"Cookie": cookie})
    while not leaving.wait(ASKED_EVERY_SECONDS * (number + 1) / PAGES):
        status, _ = wire.call(method, path, {"message": "why?"} if method == "POST" else None)
        if status != 503:
            raise RuntimeError(f"{path} was answered {status}")
        leaving.wait(ASKED_EVERY_SECONDS * (1 - (number + 1) / PAGES))
