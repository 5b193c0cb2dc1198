"""While the stream is silent everything stays as readable as it was, and is marked as old."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_dashboard import PRICE, market_agrees

SIGHTS = {1440: ".open-pnl, .price-value, .bricks", 390: ".open-pnl, .price-value, .bricks, .thumb-state"}
LOOKS = """marked => marked.filter((each) => each.offsetParent).map((each) => {
  const { opacity, outlineStyle } = getComputedStyle(each);
  return [opacity, outlineStyle];
})"""


@pytest.mark.parametrize("width", SIGHTS)
def test_what_is_old_is_framed_and_not_faded(browser: Browser, desk: LiveDesk, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme="light")
    page = log_in(context.new_page(), desk)
    market_agrees(desk, "green")
    page.locator("#entry [data-side=BUY]").click()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    expect(page.locator("#trade")).to_contain_text("LONG 5", use_inner_text=True)
    desk.hears_price(PRICE - 2)
    desk.freezes()
    try:
        expect(page.locator("#desk[data-stale]")).to_be_visible()
        looks = page.locator(SIGHTS[width]).evaluate_all(LOOKS)
    finally:
        desk.thaws()
    context.close()
    assert len(looks) >= 3
    assert {(opacity, outline) for opacity, outline in looks} == {("1", "dashed")}
