"""What a trade has made is shown net of its commission, with what it was before (SPEC 5.10)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_dashboard import PRICE, market_agrees
from tests.support.desk_process import QUICK


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LiveDesk]:
    """A desk that knows what a side of one micro costs."""
    with LiveDesk(tmp_path, COMMISSION_MES="0.62", **QUICK) as running:
        market_agrees(running, "green")
        yield running


def trade_once(desk: LiveDesk, won: float) -> None:
    """Buy five and leave so many points later."""
    operator = desk.operator()
    operator.enters_when_the_candle_allows()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    operator.post("/api/exit", json={"asset": "ES", "force": True}).raise_for_status()
    desk.bridge_fills(desk.bridge_claims(), PRICE + won)


def test_the_last_trades_and_the_journal_show_the_net_result(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk)
    trade_once(desk, won=4)
    usd = page.locator("#history tbody [data-slot=usd]")
    expect(usd).to_have_text("+$93.80")
    expect(usd).to_have_attribute("title", "gross +$100.00, commission $6.20")
    expect(page.locator("#history tbody [data-slot=points]")).to_have_text("+4.00")
    page.goto(f"{desk.url}/journal")
    expect(page.locator("#trade-rows [data-slot=usd]")).to_have_text("+$93.80")
    page.locator("#trade-rows .opens").click()
    expect(page.locator(".trade-detail")).to_contain_text("gross +$100.00, commission $6.20")


def test_a_trade_that_ends_where_it_began_has_lost_its_commission(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk)
    trade_once(desk, won=0)
    usd = page.locator("#history tbody [data-slot=usd]")
    expect(usd).to_have_text("−$6.20")
    expect(usd).to_have_attribute("title", "gross $0.00, commission $6.20")
    expect(usd).to_have_class("number loss")
