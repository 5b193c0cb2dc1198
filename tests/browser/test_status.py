"""The status page: the five programs, as web hears of them. What is not heard never looks well."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_accessibility import serious_faults
from tests.browser.waiting import fits
from tests.support.feeds_stand_in import port_of, program
from wire.program import VERSION, agent_of


def state(page: Page, name: str) -> Locator:
    return page.locator(f'[data-program="{name}"] [data-slot="state"]')


def test_programs_come_and_go_before_the_operators_eyes(page: Page, desk: LiveDesk) -> None:
    with program(b"") as feeds:
        desk.restart(FEEDS_URL=feeds.url)
        feeds.says_of(desk, port_of("market", 9765))
        log_in(page, desk, "/status")
        expect(state(page, "web")).to_have_text("Up")
        expect(state(page, "bridge")).to_have_text("Not heard: no bridge has called since web began")
        expect(state(page, "advisor")).to_have_text("Off: ADVISOR_URL and AGENT_URL are off")
        expect(state(page, "tape")).to_contain_text("Not heard")
        expect(state(page, "feeds")).to_have_text("Up")
        expect(page.locator('[data-program="feeds"] [data-slot="ports"]')).to_have_text("market 9765")
        assert serious_faults(page) == []
        desk.bridge_beats()
        tape = desk.tradingview()
        tape.headers["User-Agent"] = agent_of("tape")
        tape.heartbeat(source="simulated")
        expect(state(page, "bridge")).to_have_text("Up")
        expect(state(page, "tape")).to_have_text("Up")
        expect(page.locator('[data-program="tape"] [data-slot="version"]')).to_have_text(VERSION)
    expect(state(page, "feeds")).to_contain_text("Away")
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page, 390)


def test_when_web_is_gone_nothing_is_known_of_any(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk, "/status")
    expect(state(page, "web")).to_have_text("Up")
    desk.kill()
    for name in ("web", "bridge", "feeds", "advisor", "tape"):
        expect(state(page, name)).to_have_text("Not known: web does not answer")
    desk.start()
    expect(state(page, "web")).to_have_text("Up")


def test_without_a_session_the_page_leads_to_the_login(page: Page, desk: LiveDesk) -> None:
    page.goto(f"{desk.url}/status")
    expect(page).to_have_url(f"{desk.url}/login")
