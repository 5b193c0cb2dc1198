"""Screenshots of the pages for the documentation: a real desk is driven into telling states.

Run from the project's folder: ``python -m tests.browser.screenshots [folder]`` (``make screenshots``).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chromium import ARGUMENTS, INSTALL, chromium_path
from tests.browser.live_desk import PASSWORD, LiveDesk
from tests.processes import PROJECT

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
SCHEMES = ("dark", "light")
BASE = 6712.25


def main() -> int:
    chromium = chromium_path()
    if chromium is None:
        print(INSTALL)
        return 1
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT / "docs" / "screenshots"
    target.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        with LiveDesk(Path(folder), ASSETS="ES,NQ", CONTRACTS="ES=MESZ6,NQ=MNQZ6") as desk:
            picture_the_day(browser, desk, target)
        browser.close()
    return 0


def picture_the_day(browser: Browser, desk: LiveDesk, target: Path) -> None:
    """Tell a short day: nothing heard yet, free to choose, in a trade, out and blocked."""
    shoot(browser, desk, target, "login", log_in=False)
    shoot(browser, desk, target, "dashboard-waiting", schemes=("dark",))
    wake_up(desk)
    shoot(browser, desk, target, "dashboard-free", schemes=("dark",))
    trade(browser, desk)
    shoot(browser, desk, target, "dashboard-position", is_phone_too=True)
    leave(browser, desk)
    shoot(browser, desk, target, "dashboard-blocked", is_phone_too=True)


def wake_up(desk: LiveDesk) -> None:
    desk.bridge_beats()
    desk.bridge_reports_account(50_125.00, 0.0)
    desk.hears_price(BASE)
    desk.hears_stack({"12": "green", "8": "red", "6": "green", "4": "green", "2.5": "red", "1": "green"})
    desk.hears_price(23_918.75, "NQ")
    desk.hears_stack({"12": "red", "8": "red", "4": "red"}, "NQ")


def trade(browser: Browser, desk: LiveDesk) -> None:
    """Enter long by the page itself, fill it, let the market move for and against it."""
    desk.hears_brick("8", "green")
    page = open_dashboard(browser, desk, "dark", DESKTOP)
    page.locator("#entry [data-side=BUY]").click()
    desk.bridge_fills(desk.bridge_claims(), BASE)
    page.context.close()
    for price in (BASE - 3.25, BASE + 2, BASE + 8.5, BASE + 6.75):
        desk.hears_price(price)
    desk.bridge_reports_account(50_293.75, 0.0, ("MESZ6", 5, 168.75))


def leave(browser: Browser, desk: LiveDesk) -> None:
    desk.hears_brick("6", "green")
    page = open_dashboard(browser, desk, "dark", DESKTOP)
    page.locator("#trade [data-exit=one]").click()
    desk.bridge_fills(desk.bridge_claims(), BASE - 7.5)
    page.context.close()
    desk.bridge_reports_account(49_387.50, -187.50)


def shoot(
    browser: Browser,
    desk: LiveDesk,
    target: Path,
    name: str,
    *,
    log_in: bool = True,
    schemes: tuple[str, ...] = SCHEMES,
    is_phone_too: bool = False,
) -> None:
    for scheme in schemes:
        _shoot_one(browser, desk, target / f"{name}-{scheme}.png", scheme, DESKTOP, log_in)
    if is_phone_too:
        _shoot_one(browser, desk, target / f"{name}-phone.png", "dark", PHONE, log_in)


def _shoot_one(browser: Browser, desk: LiveDesk, path: Path, scheme: str, size: Any, log_in: bool) -> None:
    page = open_dashboard(browser, desk, scheme, size) if log_in else open_login(browser, desk, scheme, size)
    page.screenshot(path=path, full_page=log_in and size is DESKTOP)
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
