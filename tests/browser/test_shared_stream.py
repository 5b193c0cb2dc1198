"""All pages of a browser hear the desk over one connection: six of their own would block the seventh's exit."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import complaints_of, log_in
from tests.browser.live_desk import LiveDesk
from tests.support.desk_process import OperatorCaller, eventually

NO_WORKER = "delete window.SharedWorker"
MUTE_WORKER = "window.SharedWorker = class extends EventTarget { port = new MessageChannel().port1 }"
MANY = 8  # a browser opens six connections to a server


@pytest.fixture
def operator(desk: LiveDesk) -> OperatorCaller:
    return desk.operator()


def streams(operator: OperatorCaller) -> int:
    """Return how many streams web serves now."""
    lines = operator.get("/metrics").text.splitlines()
    return int(float(next(line.split()[-1] for line in lines if line.startswith("lockstep_stream_listeners "))))


def open_desk(context: BrowserContext, desk: LiveDesk) -> Page:
    page = context.new_page()
    page.goto(desk.url)
    expect(page.locator("[data-connection=stream]")).to_have_attribute("data-up", "yes")
    return page


def test_eight_pages_share_a_stream_and_the_last_one_still_leaves(
    page: Page, desk: LiveDesk, operator: OperatorCaller
) -> None:
    log_in(page, desk)
    pages = [page, *(open_desk(page.context, desk) for _ in range(MANY - 1))]
    eventually(lambda: streams(operator) == 1)
    desk.hears_brick("6", "red")
    for one in pages:
        expect(one.locator("[data-stream=main_renko]")).to_have_attribute("data-color", "red")
    pages[-1].locator("#trade [data-exit=one]").click()
    expect(pages[-1].locator("#trade").get_by_role("alert").last).to_contain_text("ES is flat")


def test_who_comes_later_builds_on_all_that_was_told(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk)
    desk.hears_brick("8", "green")
    later = open_desk(page.context, desk)
    desk.hears_brick("12", "green")
    for one in (page, later):
        expect(one.locator("[data-stream=high_renko]")).to_have_attribute("data-color", "green")
        expect(one.locator("[data-stream=macro_renko]")).to_have_attribute("data-color", "green")
    page.close()
    desk.hears_brick("12", "red")
    expect(later.locator("[data-stream=macro_renko]")).to_have_attribute("data-color", "red")


def test_the_last_page_that_goes_closes_the_stream(browser: Browser, desk: LiveDesk, operator: OperatorCaller) -> None:
    context = browser.new_context()
    page = log_in(context.new_page(), desk)
    page.goto(f"{desk.url}/journal")  # hears nothing
    eventually(lambda: streams(operator) == 0)  # web notices with its next ping
    page.go_back()
    expect(page.locator("[data-connection=stream]")).to_have_attribute("data-up", "yes")
    desk.hears_brick("6", "red")
    expect(page.locator("[data-stream=main_renko]")).to_have_attribute("data-color", "red")
    context.close()


@pytest.mark.parametrize("trouble", [NO_WORKER, MUTE_WORKER])
def test_without_a_worker_the_page_hears_for_itself(
    browser: Browser, desk: LiveDesk, operator: OperatorCaller, trouble: str
) -> None:
    """No shared worker in this browser, or one that never speaks."""
    context = browser.new_context()
    context.add_init_script(trouble)
    page = context.new_page()
    complaints = complaints_of(page)
    log_in(page, desk)
    eventually(lambda: streams(operator) == 1)
    desk.hears_brick("6", "red")
    expect(page.locator("[data-stream=main_renko]")).to_have_attribute("data-color", "red")
    expect(page.locator("[data-connection=stream]")).to_have_attribute("data-up", "yes")
    context.close()
    assert complaints == []
