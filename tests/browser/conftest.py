"""A real desk and a real browser for each story; a story fails when the page complained on its console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.browser.chromium import ARGUMENTS, INSTALL, chromium_path, shell_path
from tests.browser.live_desk import PASSWORD, LiveDesk

EXPECT_WITHIN_MS = 60_000  # patience with a busy machine; what must be quick says so in seconds of its own
# Chromium reports every refused call as an error; the stories refuse on purpose.
REFUSALS = ("400", "401", "403", "409", "422", "423", "429", "503")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every story of this folder: it drives a browser and starts processes."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.processes)
            item.add_marker(pytest.mark.skipif(chromium_path() is None, reason=INSTALL))


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=EXPECT_WITHIN_MS)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def shell(playwright: Playwright) -> Iterator[Browser]:
    """The headless shell, one for all stories of a worker."""
    with playwright.chromium.launch(executable_path=shell_path(), args=ARGUMENTS) as chromium:
        yield chromium


@pytest.fixture(scope="session")
def whole_browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium with all that belongs to its windows."""
    with playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS) as chromium:
        yield chromium


@pytest.fixture
def browser(request: pytest.FixtureRequest) -> Browser:
    """The headless shell; the whole Chromium for a story that is marked with ``whole_browser``."""
    is_whole = request.node.get_closest_marker("whole_browser") is not None
    chosen: Browser = request.getfixturevalue("whole_browser" if is_whole else "shell")
    return chosen


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LiveDesk]:
    with LiveDesk(tmp_path) as running:
        yield running


@pytest.fixture
def page(browser: Browser, desk: LiveDesk) -> Iterator[Page]:
    """A fresh page on a desktop; afterwards its console must hold no error, so no breach of the CSP either.

    It goes before its desk does: a stream that ends is no fault of the page. Neither is a call that met nobody in a
    story that ended the desk.
    """
    began_with = desk.process
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="UTC")
    opened = context.new_page()
    complaints = complaints_of(opened)
    yield opened
    context.close()
    was_ended = desk.process is not began_with
    assert [complaint for complaint in complaints if not (was_ended and "net::ERR_" in complaint)] == []


def complaints_of(page: Page) -> list[str]:
    """Collect what the page's console complains of, but for calls that the desk refused."""
    complaints: list[str] = []

    def hear(message: object) -> None:
        kind, text = getattr(message, "type", ""), getattr(message, "text", "")
        refused = text.startswith("Failed to load resource") and any(status in text for status in REFUSALS)
        if kind == "error" and not refused:
            complaints.append(text)

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


@pytest.fixture
def dashboard(page: Page, desk: LiveDesk) -> Page:
    """The dashboard, logged in and live."""
    return log_in(page, desk)


def log_in(page: Page, desk: LiveDesk, path: str = "/") -> Page:
    """Come in without the login page, which has its own story, and open a page; the dashboard once it is live."""
    came_in = page.request.post(f"{desk.url}/api/login", data={"password": PASSWORD})
    assert came_in.ok
    page.goto(f"{desk.url}{path}")
    if path == "/":
        expect(page.locator("[data-connection=stream]")).to_have_attribute("data-up", "yes")
    return page
