"""The whole way from a program at the advisor's ports through a real web to the page."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime, timedelta

import msgspec
from playwright.sync_api import Page, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_chat import asks
from tests.browser.test_dashboard import PRICE, market_agrees
from tests.support.advisor_stand_in import BANDS, CHUNKED, DONE, TOKEN, WORDS, advisor, chunk, event, said, until_gone

PATIENCE_SECONDS = 90  # above the patience of an expectation


def test_a_range_and_an_answer_in_pieces_reach_the_page_and_one_that_hangs_holds_nothing_up(
    page: Page, desk: LiveDesk
) -> None:
    half_seen = threading.Event()

    def speaks_slowly(line: socket.socket) -> None:
        line.sendall(CHUNKED + chunk(event(TOKEN)))
        half_seen.wait(PATIENCE_SECONDS)
        line.sendall(chunk(event(DONE)) + chunk(b""))

    now = datetime.now(UTC)
    bands = msgspec.structs.replace(BANDS, as_of=now, valid_until=now + timedelta(minutes=5))
    with advisor() as program:
        program.says |= {"/api/range/ES": said(bands), "/api/v1/chat": speaks_slowly}
        desk.restart(ADVISOR_URL=program.url, AGENT_URL=program.url)
        market_agrees(desk, "green")
        dashboard = log_in(page, desk)
        expect(dashboard.locator("#chart-range")).to_contain_text("5,246.00 to 5,254.25 · not yet measured (3 of 20")
        turn = asks(dashboard, "Why can I not enter?")
        expect(turn.locator("[data-slot=said]")).to_have_text("The cooldown")
        half_seen.set()
        expect(turn.locator("[data-slot=said]")).to_have_text(WORDS)
        expect(turn.locator("[data-slot=by]")).to_have_text("Answered by fixed rules.")
        program.says["/api/v1/chat"] = until_gone
        turn = asks(dashboard, "And now?")
        expect(turn).to_have_attribute("aria-busy", "true")
        dashboard.locator("#entry [data-side=BUY]").click()
        desk.bridge_fills(desk.bridge_claims(), PRICE)
        expect(dashboard.locator("#trade [data-slot=side]")).to_have_text("▲ LONG 5")
        dashboard.get_by_role("button", name="Stop", exact=True).click()
        expect(turn.get_by_role("alert")).to_have_text("You stopped the answer.")
    dashboard.locator("#ladder [data-slot=why-button]").click()
    expect(dashboard.locator("#why [data-slot=said]")).to_contain_text("No explanation: ")
