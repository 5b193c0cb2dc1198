"""A click that arrives too late: its sentence stands where the click was, and the next click is carried out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_dashboard import PRICE, market_agrees
from tests.support.narrow import known

# The click is held for 7.2 s on paper and for as long as a busy machine takes to carry it.
STALE = re.compile(r"STALE CLICK — sent (7|8|9|1\d|2\d) s ago and not carried out: look again and click again")
LATE = timedelta(seconds=7.2)


def delays_one(page: Page, path: str) -> None:
    """Let the next click on ``path`` be of seven seconds ago, as if the network had held it."""

    def late(route: Route) -> None:
        body: dict[str, Any] = known(route.request.post_data_json)
        clicked = datetime.fromisoformat(body["clicked_at"]) - LATE
        route.continue_(post_data={**body, "clicked_at": clicked.astimezone(UTC).isoformat()})

    page.route(f"**{path}", late, times=1)


def test_a_stale_entry_is_told_where_it_was_clicked_and_clicked_again(page: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    log_in(page, desk)
    button, answer = page.locator("#entry [data-side=BUY]"), page.locator("#entry > [data-slot=answer]")
    expect(button).to_have_attribute("aria-disabled", "false")
    delays_one(page, "/api/orders")
    button.click()
    expect(answer).to_have_text(STALE)
    expect(answer).to_be_in_viewport()
    button.click()
    assert desk.bridge_claims()["kind"] == "ENTRY"
    expect(answer).to_be_empty()


def test_a_stale_scale_in_is_told_where_it_was_clicked_and_clicked_again(page: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    desk.operator().enters_when_the_candle_allows()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    desk.hears_brick("6", "green")
    desk.hears_price(PRICE + 6)
    log_in(page, desk)
    button = page.locator("#scale-in button")
    expect(button).to_have_attribute("aria-disabled", "false")
    delays_one(page, "/api/scale-in")
    button.click()
    expect(page.get_by_role("alert").filter(has_text=STALE)).to_be_in_viewport()
    button.click()
    assert desk.bridge_claims()["kind"] == "SCALE_IN"
