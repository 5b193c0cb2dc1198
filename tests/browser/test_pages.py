"""What holds for every page: it asks nobody but the desk, complains of nothing, and is installable."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk

PAGES = ("/", "/journal", "/log", "/setup", "/api/docs", "/login")


def test_no_page_asks_anybody_else(page: Page, desk: LiveDesk) -> None:
    """The strict policy would refuse it; here nothing even tries."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    log_in(page, desk)
    desk.hears_brick("6", "green")
    for path in PAGES:
        page.goto(f"{desk.url}{path}")
        page.wait_for_timeout(700)  # until scripts, charts' library and first data are in
    assert len(asked) > 100
    assert [url for url in asked if not url.startswith((f"{desk.url}/", "data:"))] == []


def test_the_browser_finds_nothing_wrong_with_the_manifest(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk)
    wire = page.context.new_cdp_session(page)
    told = wire.send("Page.getAppManifest")
    assert told["errors"] == []
    assert told["url"].endswith("/manifest.webmanifest")
    assert wire.send("Page.getInstallabilityErrors")["installabilityErrors"] == [
        {"errorId": "in-incognito", "errorArguments": []}
    ]
