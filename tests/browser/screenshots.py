"""Screenshots of the pages for the documentation, each of a real desk in the state that the picture shows.

``make screenshots`` runs it; ``.venv/bin/python -m tests.browser.screenshots FOLDER`` writes them elsewhere.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.browser.chromium import ARGUMENTS, INSTALL, chromium_path
from tests.browser.fortnight import live_through
from tests.browser.live_desk import PASSWORD, LiveDesk
from tests.browser.market import PricedDesk
from tests.support.paths import REPOSITORY

DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
SCHEMES = ("dark", "light")
BASE = 6712.25
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
        with PricedDesk(Path(folder) / "day", ASSETS="ES,NQ", CONTRACTS="ES=MESZ6,NQ=MNQZ6") as desk:
            picture_the_day(browser, desk, target)
            picture_the_pages_beside(browser, desk, target)
        picture_the_journal(browser, Path(folder) / "fortnight", target)
        browser.close()
    return 0


def picture_the_day(browser: Browser, desk: PricedDesk, target: Path) -> None:
    """Play a short day: nothing received yet, free to choose, in a trade, out and blocked."""
    shoot(browser, desk, target, "login", log_in=False, is_phone_too=True)
    shoot(browser, desk, target, "dashboard-waiting", schemes=("dark",))
    wake_up(desk)
    shoot(browser, desk, target, "dashboard-free", schemes=("dark",))
    shoot(browser, desk, target, "dashboard-preorder", schemes=("dark",), act=place_preorder)
    desk.hears_brick("6", "red")  # cancels it
    trade(browser, desk)
    shoot(browser, desk, target, "dashboard-position", is_phone_too=True)
    desk.hears_brick("2.5", "green")
    shoot(browser, desk, target, "dashboard-locked", is_phone_too=True, act=meet_the_lock)
    leave(browser, desk)
    shoot(browser, desk, target, "dashboard-blocked", is_phone_too=True)


def picture_the_pages_beside(browser: Browser, desk: PricedDesk, target: Path) -> None:
    """Show the log with a dead letter in it, and set-up with streams that were heard."""
    desk.tradingview().brick(6, "purple")
    shoot(browser, desk, target, "log", path="/log", is_phone_too=True)
    shoot(browser, desk, target, "setup", path="/setup", is_phone_too=True)
    shoot(browser, desk, target, "api", path=LONG_PAGE, is_phone_too=True)


def picture_the_journal(browser: Browser, folder: Path, target: Path) -> None:
    """Show an empty journal, and a fortnight of trades with one of them opened."""
    with LiveDesk(folder / "empty") as desk:
        shoot(browser, desk, target, "journal-empty", path="/journal", schemes=("dark",))
    desk = LiveDesk(folder)
    live_through(desk.database, datetime.now(UTC).date())
    with desk:
        shoot(browser, desk, target, "journal", path="/journal", is_phone_too=True, act=wait_for_the_figures)
        shoot(browser, desk, target, "journal-trade", path="/journal", is_phone_too=True, act=open_a_trade)


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


def wake_up(desk: PricedDesk) -> None:
    desk.bridge_beats()
    desk.bridge_reports_account(50_125.00, 0.0)
    desk.hears_a_walk()
    desk.hears_price(BASE)
    desk.hears_stack({"12": "green", "8": "red", "6": "green", "4": "green", "2.5": "red", "1": "green"})
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
    page.screenshot(path=path, full_page=whole)
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
