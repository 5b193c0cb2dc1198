"""Only what is against the rule is offered as an override."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.live_desk import LiveDesk
from tests.browser.test_dashboard import market_agrees


def test_an_override_offers_the_side_that_the_structure_does_not(dashboard: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    override = dashboard.locator("#entry .override")
    override.locator("summary").click()
    buy, sell = (override.locator("label", has=dashboard.locator(f"[value={side}]")) for side in ("BUY", "SELL"))
    expect(sell).to_be_visible()
    expect(buy).to_be_hidden()
    sell.click()
    desk.hears_stack({"8": "red", "12": "red"})  # now SELL is the rule
    expect(sell).to_be_hidden()
    expect(buy).to_be_visible()
    expect(sell.locator("input")).not_to_be_checked()
    dashboard.locator("#entry").get_by_text("Pre-order").click()  # its brick may find the structure turned
    expect(sell).to_be_visible()
    expect(buy).to_be_visible()


def test_the_key_of_the_override_goes_to_the_side_that_is_offered(dashboard: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    expect(dashboard.locator("#entry [data-side=BUY]")).to_have_attribute("aria-disabled", "false")
    dashboard.keyboard.press("v")
    expect(dashboard.locator("#entry [name=override_side][value=SELL]")).to_be_focused()
