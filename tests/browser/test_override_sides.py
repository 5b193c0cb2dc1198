"""Only what is against the rule is offered as an override."""

from __future__ import annotations

import re

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


def test_the_page_says_how_many_overrides_are_left(dashboard: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    override = dashboard.locator("#entry .override")
    override.locator("summary").click()
    desk.operator().post("/api/limits", json={"overrides_per_day": 2})
    expect(override).to_contain_text("2 of 2 left today.")
    desk.operator().post("/api/limits", json={"overrides_per_day": 0})
    expect(override).to_contain_text("0 of 0 left today.")
    expect(override.get_by_role("button")).to_have_text("No override is left today")


def test_a_pre_order_counts_down_to_its_end(dashboard: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    order = {"asset": "ES", "trade_mode": "SCALP", "order_type": "preorder", "direction": "BUY"}
    assert desk.operator().post("/api/orders", json=order).status_code == 201
    waiting = dashboard.locator("#waiting")
    expect(waiting).to_contain_text(re.compile(r"Fires with a green 6pt brick, ends in (30:00|29:\d\d)"))
