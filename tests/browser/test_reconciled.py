"""A quantity that the broker decided: the trade's panel keeps saying so, and the chart does not make an entry of it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.live_desk import LiveDesk
from tests.browser.modules import call
from tests.browser.test_dashboard import PRICE, market_agrees


def test_a_trade_keeps_the_line_that_explains_its_quantity(dashboard: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    dashboard.locator("#entry [data-side=BUY]").click()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    trade, line = dashboard.locator("#trade"), dashboard.locator("#trade [data-slot=reconciled]")
    expect(trade).to_contain_text("LONG 5", use_inner_text=True)
    expect(line).to_be_hidden()
    dashboard.wait_for_timeout(2_200)  # until then a list may lag behind the fill
    desk.bridge_reports_account(50_000, 0, ("MESZ4", 3, 0))
    dashboard.wait_for_timeout(2_200)
    desk.bridge_reports_account(50_000, 0, ("MESZ4", 3, 0))
    expect(trade).to_contain_text("LONG 3", use_inner_text=True)
    told = re.compile(r"^The broker held 3, the desk 5: followed the broker \d\d:\d\d:\d\d$")
    expect(line).to_have_text(told)
    desk.bridge_reports_account(50_000, 0, ("MESZ4", 3, 0))
    dashboard.reload()
    expect(line).to_have_text(told)
    desk.operator().post("/api/exit", json={"asset": "ES", "force": True})
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    expect(trade).to_contain_text("Flat", use_inner_text=True)
    expect(line).to_be_hidden()


def test_an_open_trades_mark_names_no_quantity_that_may_have_changed(dashboard: Page) -> None:
    text = "module.marksOf(argument.book, 'ES', [], argument.trade).marks.map(({ text }) => text)"
    book = {"bricks": [{"n": 1, "ts": "2031-01-06T15:00:00Z"}, {"n": 2, "ts": "2031-01-06T15:05:00Z"}]}
    trade = {"opened_at": "2031-01-06T15:01:00Z", "side": "BUY", "quantity": 3}
    assert call(dashboard, "js/charts/trade_marks.js", text, {"book": book, "trade": trade}) == ["BUY"]


def test_a_trade_that_closed_at_a_price_nobody_told_says_so(dashboard: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    dashboard.locator("#entry [data-side=BUY]").click()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    expect(dashboard.locator("#trade")).to_contain_text("LONG 5", use_inner_text=True)
    dashboard.wait_for_timeout(2_200)
    desk.bridge_reports_account(50_000, 0, ("MESZ4", 0, 0))
    dashboard.wait_for_timeout(2_200)
    desk.bridge_reports_account(50_000, 0, ("MESZ4", 0, 0))
    expect(dashboard.locator("#history tbody tr").first).to_contain_text("broker flat · price estimated")
    dashboard.get_by_role("link", name="Journal", exact=True).click()
    row = dashboard.locator("tbody tr").filter(has_text="broker flat").first
    expect(row).to_contain_text("price estimated")
    row.click()
    expect(dashboard.get_by_text("broker flat (a price of it was estimated)")).to_be_visible()
