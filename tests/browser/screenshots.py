"""Screenshots of the pages for the documentation, each of a real desk in the state that the picture shows.

``make screenshots`` runs it; ``.venv/bin/python -m tests.browser.screenshots FOLDER`` writes them elsewhere.
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright
from websockets.sync.client import connect

from feeds.bars.store import BarStore
from feeds.bars.types import Bar
from tests.browser.advice_pictures import advised
from tests.browser.chromium import ARGUMENTS, INSTALL, chromium_path
from tests.browser.fortnight import live_through
from tests.browser.live_desk import PASSWORD, LiveDesk
from tests.browser.market import PricedDesk
from tests.browser.test_proposals import proposes
from tests.support.desk_process import SERVICE_SECRET
from tests.support.feeds_process import PORT_SETTINGS, FeedsProcess
from tests.support.paths import REPOSITORY
from tests.support.tv_chart import Chart, as_sent
from wire.keys import SERVICE_HEADER

DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
SCHEMES = ("dark", "light")
BASE = 6712.25
MARKET_RESTS_AT = 22  # UTC, in winter
EXPECT_WITHIN_MS = 60_000  # a busy machine draws slowly
LONG_PAGE = "/api/docs"
CHARTS_ARE_DRAWN = """
() => [...document.querySelectorAll("#charts [data-slot=canvas]")]
  .every((canvas) => canvas.offsetParent === null || / bricks,|no brick yet/.test(canvas.getAttribute("aria-label")))
"""


def main() -> int:
    chromium = chromium_path()
    if chromium is None:
        print(INSTALL)
        return 1
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "docs" / "screenshots"
    target.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=EXPECT_WITHIN_MS)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        desk = PricedDesk(Path(folder) / "day", ASSETS="ES,NQ", CONTRACTS="ES=MESZ6,NQ=MNQZ6")
        feeds = FeedsProcess(desk, Path(folder) / "feeds", on=tuple(PORT_SETTINGS))
        desk.settings["FEEDS_URL"] = feeds.url()
        keep_the_past(feeds)
        with desk, feeds:
            picture_the_day(browser, desk, target)
            picture_the_pages_beside(browser, desk, feeds, target)
        picture_a_gap(browser, Path(folder) / "gap", target)
        picture_the_journal(browser, Path(folder) / "fortnight", target)
        picture_the_portfolio(browser, Path(folder) / "held", target)
        picture_the_advice(browser, Path(folder) / "advised", target)
        browser.close()
    return 0


def picture_the_day(browser: Browser, desk: PricedDesk, target: Path) -> None:
    """Play a short day: nothing received yet, free to choose, in a trade, out and blocked."""
    shoot(browser, desk, target, "login", log_in=False, is_phone_too=True)
    shoot(browser, desk, target, "dashboard-waiting", schemes=("dark",))
    wake_up(desk)
    shoot(browser, desk, target, "dashboard-free", schemes=("dark",))
    shoot(browser, desk, target, "dashboard-candles", is_phone_too=True, act=show_the_candles)
    shoot(browser, desk, target, "dashboard-preorder", schemes=("dark",), act=place_preorder)
    desk.hears_brick("6", "red")  # cancels it
    picture_a_proposal(browser, desk, target)
    trade(browser, desk)
    shoot(browser, desk, target, "dashboard-position", is_phone_too=True)
    desk.hears_brick("2.5", "green")
    shoot(browser, desk, target, "dashboard-locked", is_phone_too=True, act=meet_the_lock)
    leave(browser, desk)
    shoot(browser, desk, target, "dashboard-blocked", is_phone_too=True)


def picture_a_proposal(browser: Browser, desk: PricedDesk, target: Path) -> None:
    """Show what a program proposes, and put it aside."""
    levels = {"entry": BASE, "stop": BASE - 10, "target": BASE + 20}
    row = proposes(desk, source="auto-trade", reason="the model gives ES long 0.41, the base rate is 0.34", **levels)
    shoot(browser, desk, target, "dashboard-proposal", is_phone_too=True, act=look_at_the_proposal)
    desk.operator().post(f"/api/proposals/{row['id']}/dismiss").raise_for_status()


def look_at_the_proposal(page: Page) -> None:
    expect(page.locator("#proposal [data-slot=take]")).to_be_visible()
    if page.viewport_size == PHONE:
        page.locator("#proposal").evaluate("(panel) => panel.scrollIntoView({block: 'center'})")


def keep_the_past(feeds: FeedsProcess) -> None:
    """Store minutes of three days in feeds' file of bars: a walk that ends at the price of the pictures."""
    dice, now = random.Random(11), datetime.now(UTC).replace(second=0, microsecond=0)
    price, bars = Decimal(str(BASE)), []
    for back in range(1, 3 * 24 * 60):
        start = now - timedelta(minutes=back)
        opened = price + Decimal(round(dice.gauss(0, 1.6))) / 4
        low, high = (
            min(opened, price) - Decimal(dice.randint(0, 4)) / 4,
            max(opened, price) + Decimal(dice.randint(0, 4)) / 4,
        )
        if start.hour != MARKET_RESTS_AT and not 60 <= back < 85:  # and 25 minutes that nobody heard
            t = int(start.timestamp())
            bars.append(Bar("ES", t, opened, high, low, price, dice.randint(40, 900), "heartbeat"))
        price = opened
    feeds.database.parent.mkdir(parents=True, exist_ok=True)
    store = BarStore(feeds.database.with_name("bars.sqlite"))
    store.put(reversed(bars))
    store.close()


def show_the_candles(page: Page) -> None:
    page.locator("#charts label").filter(has=page.get_by_text("Candles", exact=True)).click()
    expect(page.locator("#candles [data-slot=candles]")).to_have_attribute("aria-label", re.compile("50. candles"))
    page.wait_for_timeout(600)  # until they are painted
    if page.viewport_size == PHONE:
        page.locator("#charts").evaluate("(panel) => panel.scrollIntoView({block: 'center'})")


def picture_a_gap(browser: Browser, folder: Path, target: Path) -> None:
    """Show the desk after bricks of two sizes did not arrive: entries are closed until the next ones continue."""
    with PricedDesk(folder, CONTRACTS="ES=MESZ6") as desk:
        wake_up(desk, "ES")
        for size in ("6", "8"):
            desk.loses_brick(size, "green")
            desk.hears_brick(size, "green")
        shoot(browser, desk, target, "dashboard-gapped", is_phone_too=True, act=look_at_the_feed)


def look_at_the_feed(page: Page) -> None:
    page.locator("#feed summary").click()
    if page.viewport_size == PHONE:
        page.locator("#feed").evaluate("(panel) => panel.scrollIntoView({block: 'center'})")


def picture_the_pages_beside(browser: Browser, desk: PricedDesk, feeds: FeedsProcess, target: Path) -> None:
    """Show the log with a dead letter in it, and set-up with streams that were heard and feeds that are used."""
    desk.tradingview().brick(6, "purple")
    shoot(browser, desk, target, "log", path="/log", is_phone_too=True)
    picture_the_setup(browser, desk, feeds, target)
    shoot(browser, desk, target, "api", path=LONG_PAGE, is_phone_too=True)


def picture_the_setup(browser: Browser, desk: PricedDesk, feeds: FeedsProcess, target: Path) -> None:
    """Show the set-up page while two programs listen, and on the phone how far down the feeds are."""
    feeds.hears_web()
    with (
        connect(feeds.url("consensus", "ws") + "/ws/consensus", proxy=None),
        connect(feeds.url("signals", "ws") + "/connect", proxy=None),
    ):
        hear_the_one_alert(desk)
        shoot(browser, desk, target, "setup", path="/setup", is_phone_too=True)
        shoot(browser, desk, target, "setup-feeds", path="/setup", schemes=(), is_phone_too=True, act=look_at_the_feeds)


def hear_the_one_alert(desk: PricedDesk) -> None:
    """Send the messages of two bars, the second of which has just ended: every size is known, and the two agree."""
    ended_ms = int(time.time() * 1000) // 15_000 * 15_000
    chart = Chart("CME_MINI:ES1!", seen=("6712.25", "6740", "6712.25"), started_ms=ended_ms - 30_000)
    for message in (chart.closes(BASE - 30), {**chart.closes(BASE - 30.25), "now": int(time.time() * 1000) - 400}):
        assert desk.tradingview().post("/tv", data=as_sent(message)).status_code == 200


def look_at_the_feeds(page: Page) -> None:
    page.locator("#feeds summary").first.click()
    page.locator("#feeds").evaluate("(panel) => panel.scrollIntoView()")


def picture_the_journal(browser: Browser, folder: Path, target: Path) -> None:
    """Show an empty journal, and a fortnight of trades with one of them opened."""
    with LiveDesk(folder / "empty", CONTRACTS="ES=MESZ6") as desk:
        shoot(browser, desk, target, "journal-empty", path="/journal", schemes=("dark",))
    desk = LiveDesk(folder, CONTRACTS="ES=MESZ6")
    live_through(desk.database, datetime.now(UTC).date())
    with desk:
        shoot(browser, desk, target, "journal", path="/journal", is_phone_too=True, act=wait_for_the_figures)
        shoot(browser, desk, target, "journal-trade", path="/journal", is_phone_too=True, act=open_a_trade)


def picture_the_portfolio(browser: Browser, folder: Path, target: Path) -> None:
    """Show a fortnight's equity, a trade of today, and what other accounts hold."""
    desk = PricedDesk(folder, ASSETS="ES,NQ", CONTRACTS="ES=MESZ6,NQ=MNQZ6")
    live_through(desk.database, datetime.now(UTC).date())
    with desk:
        wake_up(desk)
        trade(browser, desk)
        operator = desk.operator()
        operator.headers["Origin"] = desk.url
        for noted in (
            {"symbol": "MNQZ6", "side": "short", "qty": 2, "avg_price": 23_950.5, "account": "Bank", "note": "a hedge"},
            {"symbol": "MGC", "side": "long", "qty": 1, "avg_price": 4_081.4, "account": "Bank"},
        ):
            operator.post("/api/portfolio/positions", json=noted).raise_for_status()
        shoot(browser, desk, target, "portfolio", path="/portfolio", is_phone_too=True, act=wait_for_positions)


def wait_for_positions(page: Page) -> None:
    expect(page.locator("#position-rows tr")).to_have_count(3)


def picture_the_advice(browser: Browser, folder: Path, target: Path) -> None:
    """Show what the advisor says beside a day of bricks, of a fortnight's last day, and of its models."""
    desk = PricedDesk(folder, CONTRACTS="ES=MESZ6")
    live_through(desk.database, datetime.now(UTC).date())
    with advised(desk, folder, BASE):
        wake_up(desk, "ES")
        turn_auto_trade_on(desk)
        shoot(browser, desk, target, "dashboard-forecast", is_phone_too=True, act=ask_the_advisor)
        shoot(browser, desk, target, "review", path="/review", is_phone_too=True, act=turn_a_day_back)
        shoot(browser, desk, target, "models", path="/models", is_phone_too=True, act=wait_for_the_cards)


def turn_auto_trade_on(desk: LiveDesk) -> None:
    """Configure it on paper: its panel is shown, with a book that is still empty."""
    limits = {"max_risk_per_trade": 0.01, "max_daily_trades": 5, "min_confidence": 0.6}
    config = {"enabled": True, "symbols": ["ES"], **limits, "paper_trading": True, "require_confirmation": False}
    url = f"{desk.settings['AGENT_URL']}/api/v1/auto-trade/config"
    requests.post(url, json=config, headers={SERVICE_HEADER: SERVICE_SECRET}, timeout=60).raise_for_status()


def ask_the_advisor(page: Page) -> None:
    """See the hour's usual range, open "Why?", ask in words."""
    expect(page.locator("#auto-trade")).to_be_visible()
    page.locator("#forecast label").filter(has_text=re.compile("^1h$")).click()
    expect(page.locator("#chart-range")).to_contain_text("Usual range of the next hour")
    page.locator("#ladder [data-slot=why-button]").click()
    expect(page.locator("#why .statement").first).to_be_visible()
    page.locator("#chat-message").fill("What is the usual range of ES on 1h?")
    page.locator("#chat-message").press("Enter")
    expect(page.locator("#chat [data-slot=by]")).to_contain_text("Answered by")
    if page.viewport_size == PHONE:
        page.locator("#forecast").evaluate("(panel) => panel.scrollIntoView({block: 'center'})")


def turn_a_day_back(page: Page) -> None:
    page.get_by_role("button", name="Trading day before").click()
    expect(page.locator("[data-slot=sums] li").first).to_be_visible()
    expect(page.locator("[data-slot=day-statements] .statement").first).to_be_visible()


def wait_for_the_cards(page: Page) -> None:
    expect(page.locator(".model-card").first).to_be_visible()


def wait_for_the_figures(page: Page) -> None:
    expect(page.locator("#headline")).to_contain_text("trades")


def open_a_trade(page: Page) -> None:
    """Turn to a winner of the newest trades, and write about it."""
    wait_for_the_figures(page)
    page.locator("#trade-rows .opens").nth(2).click()
    detail = page.locator(".trade-detail")
    detail.locator("canvas").first.wait_for()
    page.locator("#trades").evaluate("(table) => table.scrollIntoView()")
    page.wait_for_timeout(600)  # until the bricks are painted


def wake_up(desk: PricedDesk, *assets: str) -> None:
    desk.bridge_beats()
    desk.bridge_reports_account(50_125.00, 0.0)
    desk.hears_a_walk()
    desk.hears_price(BASE)
    desk.hears_stack({"12": "green", "8": "red", "6": "green", "4": "green", "2.5": "red", "1": "green"})
    if "NQ" in (assets or ("ES", "NQ")):
        desk.hears_price(23_918.75, "NQ")
        desk.hears_stack({"12": "red", "8": "red", "4": "red"}, "NQ")


def trade(browser: Browser, desk: LiveDesk) -> None:
    """Enter long by the page itself, fill it, let the market move for and against it."""
    desk.hears_stack({"8": "green", "6": "green"})
    page = open_dashboard(browser, desk, "dark", DESKTOP)
    page.locator("#entry [data-side=BUY]").click()
    desk.bridge_fills(desk.bridge_claims(), BASE)
    page.context.close()
    for price in (BASE - 3.25, BASE + 2, BASE + 8.5, BASE + 6.75):
        desk.hears_price(price)
    resting = (("MESZ6", "SELL", 5, BASE - 15),)
    desk.bridge_reports_account(50_293.75, 0.0, ("MESZ6", 5, 168.75), stops=resting)


def place_preorder(page: Page) -> None:
    page.locator("#entry label").filter(has=page.locator("[value=preorder]")).click()
    page.locator("#entry [data-side=SELL]").click()
    expect(page.locator("#waiting .waiting-card")).to_be_visible()


def meet_the_lock(page: Page) -> None:
    """Ask for what the management lock refuses, and look at it."""
    protect = page.locator("[data-way=protect]")
    protect.get_by_role("switch").click()
    expect(protect.get_by_role("alert")).to_contain_text("MANAGEMENT LOCK")
    page.locator("#limits summary").click()
    if page.viewport_size == PHONE:
        page.locator("#ways-out-head").evaluate("(head) => head.scrollIntoView()")


def leave(browser: Browser, desk: LiveDesk) -> None:
    desk.hears_brick("6", "green")
    page = open_dashboard(browser, desk, "dark", DESKTOP)
    page.locator("#trade [data-exit=one]").click()
    desk.bridge_fills(desk.bridge_claims(), BASE - 7.5)
    page.context.close()
    desk.bridge_reports_account(49_937.50, -187.50, stops=())
    session = desk.operator()
    session.headers["Origin"] = desk.url
    limits = {"max_trades_per_day": 5, "cooldown_seconds": 120}
    session.post("/api/limits", json=limits).raise_for_status()


def shoot(
    browser: Browser,
    desk: LiveDesk,
    target: Path,
    name: str,
    *,
    log_in: bool = True,
    path: str = "/",
    schemes: tuple[str, ...] = SCHEMES,
    is_phone_too: bool = False,
    act: Callable[[Page], None] = lambda page: None,
) -> None:
    """Take the pictures; ``act`` is what the operator does before each."""
    wanted = [(scheme, scheme, DESKTOP) for scheme in schemes]
    if is_phone_too:
        wanted += [("phone", "dark", PHONE), ("phone-light", "light", PHONE)]
    for label, scheme, size in wanted:
        page = (open_dashboard if log_in else open_login)(browser, desk, scheme, size)
        if path != "/":
            page.goto(f"{desk.url}{path}")
            page.wait_for_timeout(700)
        act(page)
        is_whole = log_in and size is DESKTOP and act is not open_a_trade and path != LONG_PAGE
        _keep(page, target / f"{name}-{label}.png", whole=is_whole)


def _keep(page: Page, path: Path, *, whole: bool) -> None:
    if whole:
        page.evaluate("window.scrollTo(0, 0)")  # the bar of assets sticks where the page was scrolled to
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": DESKTOP["width"], "height": height})
        page.wait_for_timeout(600)  # a chart is empty until it has painted for the new window
    page.screenshot(path=path)
    page.context.close()
    print(path)


def open_login(browser: Browser, desk: LiveDesk, scheme: Any, size: Any) -> Page:
    on_phone = size is PHONE
    context = browser.new_context(
        viewport=size, color_scheme=scheme, device_scale_factor=1, has_touch=on_phone, is_mobile=on_phone
    )
    page = context.new_page()
    page.goto(f"{desk.url}/login")
    return page


def open_dashboard(browser: Browser, desk: LiveDesk, scheme: Any, size: Any) -> Page:
    page = open_login(browser, desk, scheme, size)
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{desk.url}/")
    expect(page.locator("[data-connection=stream]")).to_have_attribute("data-up", "yes")
    page.wait_for_function(CHARTS_ARE_DRAWN)
    page.wait_for_timeout(600)  # until ages, countdowns and bricks are painted
    return page


if __name__ == "__main__":
    sys.exit(main())
