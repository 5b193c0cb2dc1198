"""What is old stays as readable as it was, and is marked as old: all of it in silence, a colour by its age."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_dashboard import PRICE, market_agrees
from tests.support.desk_process import closing_connection

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


def grows_old(desk: LiveDesk, stream: str) -> None:
    """Let a colour be a week old: as if the desk had stood still since."""
    desk.terminate()
    with closing_connection(desk.database) as store:
        [(body,)] = store.execute("SELECT CAST(body AS TEXT) FROM documents WHERE name = 'ES'").fetchall()
        document = json.loads(body)
        document["asset"]["stack"][stream]["stale_at"] = "2020-01-01T00:00:00Z"
        store.execute("UPDATE documents SET body = ? WHERE name = 'ES'", (json.dumps(document).encode(),))
    desk.start()


def test_a_colour_that_nobody_renewed_is_marked_and_gives_no_zone(page: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    grows_old(desk, "macro")
    log_in(page, desk)
    stack, old = page.locator("#stack"), page.locator("[data-stream=macro_renko]")
    expect(old.locator(".brick-body")).to_have_attribute("aria-label", "green, stale")
    expect(old.locator(".brick-age")).to_contain_text("stale")
    expect(stack.locator("[data-slot=zone]")).to_have_text("NONE")
    expect(stack).to_contain_text("Waiting for the next 12pt brick: stale")
    expect(page.locator("[data-stream=high_renko]")).not_to_have_attribute("data-old", re.compile(""))
    desk.hears_brick("12", "green")
    expect(old).not_to_have_attribute("data-old", re.compile(""))
    expect(stack.locator("[data-slot=zone]")).to_contain_text("NORMAL")
