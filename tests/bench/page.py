"""The page in a real browser: what it weighs, when it is painted, how long a change takes to the screen's document."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from tests.bench.measure import Row, quantile
from tests.browser.chromium import ARGUMENTS, INSTALL, chromium_path
from tests.browser.live_desk import PASSWORD
from tests.browser.market import SIZES, PricedDesk
from tests.browser.screenshots import CHARTS_ARE_DRAWN

LOADS = 7
CHANGES, CHANGES_PER_SECOND = 200, 8
BRICKS, BRICKS_PER_SECOND = 200, 20
FULL = 2_000  # bricks of a chart
COLORS = ("red", "green")
DESKTOP: ViewportSize = {"width": 1440, "height": 900}

WATCH = """
([selector, attribute]) => {
  const seen = (window.seen = []);
  const element = document.querySelector(selector);
  const note = () => seen.push([performance.timeOrigin + performance.now(), element.getAttribute(attribute)]);
  new MutationObserver(note).observe(element, { attributeFilter: [attribute] });
}
"""
FRAMES = """
() => {
  const frames = (window.frames_seen = []);
  const note = (at) => (frames.push(at), requestAnimationFrame(note));
  requestAnimationFrame(note);
}
"""


def page_in_a_browser(folder: Path) -> list[Row]:
    """Measure a busy desk's page; nothing without a Chromium."""
    if chromium_path() is None:
        print(INSTALL)
        return []
    with _busy_desk(folder) as desk, _chromium() as browser:
        loads = [_load(browser, desk) for _ in range(LOADS)]
        context, page = _open(browser, desk)
        page.wait_for_timeout(3_000)
        changes = _state_changes(page, desk)
        charts = _chart_updates(page, desk)
        context.close()
    return [*_loading_rows(loads), changes, *charts]


@contextmanager
def _busy_desk(folder: Path) -> Iterator[PricedDesk]:
    with PricedDesk(folder) as desk:
        desk.bridge_beats()
        desk.hears_price(6_689.25)
        desk.hears_a_walk()
        for number in range(FULL):
            for size in SIZES:
                desk.hears_brick(size, COLORS[number % 2])
        yield desk


@contextmanager
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        yield browser
        browser.close()


def _open(browser: Browser, desk: PricedDesk) -> tuple[BrowserContext, Page]:
    """Open the desk in a browser that has nothing of it yet, but for the session."""
    context = browser.new_context(viewport=DESKTOP)
    context.request.post(f"{desk.url}/api/login", data={"password": PASSWORD})
    page = context.new_page()
    return context, page


def _load(browser: Browser, desk: PricedDesk) -> dict[str, float]:
    """Load the page cold, then once more with what the browser has kept; sizes in KB as they came over the wire."""
    context, page = _open(browser, desk)
    sizes = {"page": 0.0, "bricks": 0.0}
    addresses: dict[str, str] = {}
    wire = context.new_cdp_session(page)
    wire.on("Network.requestWillBeSent", lambda told: addresses.update({told["requestId"]: told["request"]["url"]}))

    def weigh(told: dict[str, Any]) -> None:
        kind = "bricks" if "/api/bricks" in addresses.get(told["requestId"], "") else "page"
        sizes[kind] += told["encodedDataLength"] / 1000

    wire.on("Network.loadingFinished", weigh)
    wire.send("Network.enable")
    cold = _first_paint(page, desk)
    wire.detach()
    warm = _first_paint(page, desk)
    context.close()
    return {**sizes, "cold": cold, "warm": warm}


def _first_paint(page: Page, desk: PricedDesk) -> float:
    """Return when the first content was painted, in ms from the navigation."""
    page.goto(desk.url)
    page.wait_for_function(CHARTS_ARE_DRAWN)
    page.wait_for_timeout(500)
    paint: float = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    return paint


def _loading_rows(loads: list[dict[str, float]]) -> list[Row]:
    of = {name: median(load[name] for load in loads) for name in loads[0]}
    weight = of["page"] + of["bricks"]
    parts = f"{weight:.0f} KB: {of['page']:.0f} of the page, {of['bricks']:.0f} of six charts' bricks"
    painted = f"{of['cold']:.0f} ms cold, {of['warm']:.0f} ms with a cache"
    return [
        Row("dashboard over the wire, cold, compressed", parts, "≤ 400 KB", weight <= 400),
        Row("dashboard: first contentful paint", painted, "≤ 1 s", of["cold"] <= 1000),
    ]


def _state_changes(page: Page, desk: PricedDesk) -> Row:
    """Close bricks that change the document, and see when its element has changed in the page."""
    page.goto(desk.url)
    page.wait_for_timeout(2_000)
    page.evaluate(WATCH, ["[data-stream=high_renko]", "data-color"])
    sent = _send_bricks(desk, "8", CHANGES, CHANGES_PER_SECOND)
    page.wait_for_timeout(500)
    took = _delays(sent, page.evaluate("window.seen"))
    p50, p99 = quantile(took, 0.5), quantile(took, 0.99)
    told = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms ({len(took)} changes)"
    return Row("webhook sent → changed in the page's DOM", told, "p50 ≤ 25 ms", p50 <= 25)


def _send_bricks(desk: PricedDesk, size: str, count: int, per_second: int) -> list[tuple[float, str]]:
    """Return when each brick was sent (epoch ms), and its colour."""
    sent = []
    for number in range(count):
        began = time.time()
        desk.hears_brick(size, COLORS[number % 2])
        sent.append((began * 1000, COLORS[number % 2]))
        time.sleep(max(0.0, began + 1 / per_second - time.time()))
    return sent


def _delays(sent: list[tuple[float, str]], seen: list[list[Any]]) -> list[float]:
    """Return, in seconds, how long after each sending its colour was first seen; two in one frame count as late."""
    found = ((began, next((at for at, value in seen if at >= began and value == color), None)) for began, color in sent)
    return [(at - began) / 1000 for began, at in found if at is not None]


def _chart_updates(page: Page, desk: PricedDesk) -> list[Row]:
    """Send bricks of one size at 20 a second to a page whose six charts are full, and see when each is drawn."""
    page.evaluate(WATCH, ["#charts [data-size='6'] [data-slot=canvas]", "aria-label"])
    page.evaluate(FRAMES)
    sent = _send_bricks(desk, "6", BRICKS, BRICKS_PER_SECOND)
    page.wait_for_timeout(500)
    seen = [[at, "green" if "last green" in label else "red"] for at, label in page.evaluate("window.seen")]
    took = _delays(sent, seen)
    frames = page.evaluate("window.frames_seen")
    gaps = [(later - sooner) / 1000 for sooner, later in pairwise(frames)]
    rate = len(sent) / (sent[-1][0] - sent[0][0]) * 1000
    drawn = f"p50 {quantile(took, 0.5):.1f} ms, p99 {quantile(took, 0.99):.1f} ms ({len(took)} bricks)"
    frame = f"p50 {quantile(gaps, 0.5):.0f} ms, p99 {quantile(gaps, 0.99):.0f} ms, longest {max(gaps) * 1000:.0f} ms"
    return [
        Row(f"webhook sent → brick drawn, {rate:.0f}/s, {FULL:,} bricks a chart", drawn, "", True),
        Row("frames of the page meanwhile (drawn without a GPU)", frame, "", True),
    ]
