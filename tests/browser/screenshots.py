"""Screenshots of the pages for the documentation: a real desk is driven into telling states.

Run from the project's folder: ``python -m tests.browser.screenshots [folder]`` (``make screenshots``).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chromium import ARGUMENTS, INSTALL, chromium_path
from tests.browser.live_desk import PASSWORD, LiveDesk
from tests.browser.market import PricedDesk
from tests.processes import REPOSITORY

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
SCHEMES = ("dark", "light")
BASE = 6712.25


def main() -> int:
    chromium = chromium_path()
    if chromium is None:
        print(INSTALL)
        return 1
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "docs" / "screenshots"
    target.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        with PricedDesk(Path(folder), ASSETS="ES,NQ", CONTRACTS="ES=MESZ6,NQ=MNQZ6") as desk:
            picture_the_day(browser, desk, target)
        browser.close()
    return 0


def picture_the_day(browser: Browser, desk: PricedDesk, target: Path) -> None:
    """Tell a short day: nothing heard yet, free to choose, in a trade, out and blocked."""
    shoot(browser, desk, target, "login", log_in=False)
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
    desk.bridge_reports_account(50_293.75, 0.0, ("MESZ6", 5, 168.75))


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
    desk.bridge_reports_account(49_387.50, -187.50)
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
    schemes: tuple[str, ...] = SCHEMES,
    is_phone_too: bool = False,
    act: Callable[[Page], None] = lambda page: None,
) -> None:
    """Take the pictures; ``act`` is what the operator does before each."""
    wanted = [(scheme, scheme, DESKTOP) for scheme in schemes] + [("phone", "dark", PHONE)] * is_phone_too
    for label, scheme, size in wanted:
        page = (open_dashboard if log_in else open_login)(browser, desk, scheme, size)
        act(page)
        _keep(page, target / f"{name}-{label}.png", whole=log_in and size is DESKTOP)


def _keep(page: Page, path: Path, *, whole: bool) -> None:
    page.screenshot(path=path, full_page=whole)
    page.context.close()
    print(path)


def open_login(browser: Browser, desk: LiveDesk, scheme: Any, size: Any) -> Page:
    page = browser.new_context(viewport=size, color_scheme=scheme, device_scale_factor=1).new_page()
    page.goto(f"{desk.url}/login")
    return page


def open_dashboard(browser: Browser, desk: LiveDesk, scheme: Any, size: Any) -> Page:
    page = open_login(browser, desk, scheme, size)
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{desk.url}/")
    expect(page.locator("[data-connection=stream]")).to_have_attribute("data-up", "yes")
    page.wait_for_timeout(400)  # one full second's tick, so that ages and countdowns are drawn
    return page


if __name__ == "__main__":
    sys.exit(main())
