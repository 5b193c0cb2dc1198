"""The set-up page lists the feeds: who is connected, what is missing, and lines to copy."""

from datetime import UTC, datetime

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import PASSWORD, LiveDesk
from tests.browser.test_accessibility import serious_faults
from tests.browser.waiting import fits
from tests.support.feeds_stand_in import http, port_of, program


def feed(page: Page, name: str) -> Locator:
    return page.locator(f'[data-feed="{name}"]')


def test_the_feeds_come_and_go_before_the_operators_eyes(page: Page, desk: LiveDesk) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    with program(b"") as feeds:
        market = port_of("market", 9765, clients=2, sent_at=datetime.now(UTC))
        desk.restart(FEEDS_URL=feeds.url)
        feeds.says_of(desk, market, port_of("consensus", 8080, "taken"), status="degraded")
        log_in(page, desk, "/setup")
        expect(page.locator('[data-slot="feeds-word"]')).to_have_text("Running, but another program has port 8080.")
        expect(feed(page, "market")).to_contain_text("listening · 2 connected")
        expect(feed(page, "market").locator('[data-slot="age"]')).to_contain_text("message")
        expect(feed(page, "consensus")).to_contain_text("or set CONSENSUS_PORT")
        expect(feed(page, "journal").locator('[data-slot="state"]')).to_have_text("not known")
        feed(page, "market").get_by_text("Try it").press("Enter")
        feed(page, "market").get_by_role("button", name="the last prices").press("Enter")
        expect(page.locator("#copied")).to_contain_text("done")
        line = page.evaluate("navigator.clipboard.readText()")
        assert line == 'curl -H "X-API-Key: YOUR_API_KEY" http://127.0.0.1:9765/api/market/v1/prices/latest'
        assert serious_faults(page) == []
        feeds.says_of(desk, market, port_of("consensus", 8080, clients=1))
        expect(feed(page, "consensus")).to_contain_text("listening · 1 connected")
    expect(page.locator('[data-slot="feeds-word"]')).to_contain_text("Feeds is not running: nobody listens at")
    expect(feed(page, "market").locator('[data-slot="state"]')).to_have_text("away")


def test_a_key_that_was_made_here_stands_in_the_lines_until_the_page_is_left(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk, "/setup")
    line = feed(page, "market").locator('[data-slot="line"]').nth(1)
    keys = page.locator("#keys")
    expect(keys.locator('[data-slot="keys-word"]')).to_have_text("There are no keys.")
    keys.get_by_text("Make a key").press("Enter")
    keys.get_by_label("Name").fill("chart")
    keys.get_by_label("prices:read").check()
    keys.get_by_label("The dashboard's password").fill(PASSWORD)
    keys.get_by_role("button", name="Make key").press("Enter")
    expect(keys.locator('[data-slot="keys-word"]')).to_have_text("1 key holds.")
    expect(line).to_contain_text(keys.locator('[data-slot="token"]').inner_text())
    page.reload()
    expect(line).to_contain_text("YOUR_API_KEY")


def test_another_program_on_the_port_is_named_as_one(page: Page, desk: LiveDesk) -> None:
    with program(http(b"<h1>Jenkins</h1><script>alert(1)</script>")) as stranger:
        desk.restart(FEEDS_URL=stranger.url)
        log_in(page, desk, "/setup")
        expect(page.locator('[data-slot="feeds-word"]')).to_contain_text("Another program answers at")
        page.set_viewport_size({"width": 390, "height": 844})
        fits(page, 390)
