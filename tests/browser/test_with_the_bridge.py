"""The page with everything real behind it: web and the paper bridge as processes of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.waiting import keeps_pressing
from tests.support.desk_process import eventually
from tests.support.processes import PaperBridge

PRICE = 5250.00


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LiveDesk]:
    with LiveDesk(tmp_path, CANDLE_SECONDS="5", COOLDOWN_SECONDS="60") as running:
        yield running


@pytest.fixture
def bridge(desk: LiveDesk) -> Iterator[PaperBridge]:
    running = PaperBridge(desk, PAPER_SLIPPAGE_TICKS="1")
    running.start()
    yield running
    running.kill()


@pytest.fixture
def at_the_desk(page: Page, desk: LiveDesk, bridge: PaperBridge) -> Page:
    log_in(page, desk)
    expect(page.locator("[data-connection=bridge]")).to_have_attribute("data-up", "yes")
    desk.hears_price(PRICE)
    desk.hears_stack({"12": "green", "8": "green", "6": "green"})
    return page


def test_by_mouse_from_entry_to_fill_to_exit_to_blocked(at_the_desk: Page, desk: LiveDesk) -> None:
    page, trade = at_the_desk, at_the_desk.locator("#trade")
    buy = page.locator("#entry [data-side=BUY]")
    expect(buy).to_have_attribute("aria-disabled", "false")
    buy.click()
    expect(trade).to_contain_text("LONG 5", use_inner_text=True)
    expect(trade).to_contain_text("5,250.25")  # a tick of slippage
    desk.hears_price(PRICE + 4.25)
    expect(trade).to_contain_text("+4.00 pt")
    desk.hears_brick("6", "green")  # takes the initial exit lock off
    leave = trade.locator("[data-exit=one]")
    expect(leave).not_to_have_attribute("data-locked", "")
    leave.click()
    expect(trade).to_contain_text("Flat", use_inner_text=True)
    expect(page.locator("#history tbody tr").first).to_contain_text("+3.75")
    expect(buy).to_have_text(re.compile(r"POST-EXIT COOLDOWN 00:\d\d"))
    before = buy.inner_text()
    expect(buy).not_to_have_text(before)
    buy.click(force=True)
    expect(page.locator("#entry").get_by_role("alert").first).to_contain_text("POST-EXIT COOLDOWN ACTIVE")
    expect(trade).to_contain_text("Flat", use_inner_text=True)


def test_by_keyboard_from_entry_to_fill_to_a_forced_exit(at_the_desk: Page) -> None:
    page, trade = at_the_desk, at_the_desk.locator("#trade")
    expect(page.locator("#entry [data-side=BUY]")).to_have_attribute("aria-disabled", "false")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    expect(trade).to_contain_text("LONG 5", use_inner_text=True)
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    expect(trade.get_by_role("alert").last).to_contain_text("INITIAL EXIT LOCK ACTIVE")
    page.keyboard.down("Enter")
    keeps_pressing(page)
    page.keyboard.up("Enter")
    expect(trade).to_contain_text("Flat", use_inner_text=True)
    expect(page.locator("#history tbody tr").first).to_contain_text("forced")


def test_a_bridge_that_dies_while_holding_is_named_and_the_exit_goes_on_when_it_is_back(
    at_the_desk: Page, desk: LiveDesk, bridge: PaperBridge
) -> None:
    page, trade = at_the_desk, at_the_desk.locator("#trade")
    page.locator("#entry [data-side=BUY]").click()
    expect(trade).to_contain_text("LONG 5", use_inner_text=True)
    desk.hears_brick("6", "green")
    bridge.kill()
    trade.locator("[data-exit=one]").click()
    expect(trade).to_contain_text("EXIT SELL 5 MESZ4")  # queued, or claimed by a call that nobody reads any more
    expect(trade).to_contain_text("LONG 5", use_inner_text=True)  # nothing is optimistic about money
    bridge.start()
    eventually(lambda: "order to the broker" in bridge.log().rpartition("bridge started")[2])
    desk.hears_price(PRICE + 1)  # the paper broker fills at a price it has heard itself
    expect(trade).to_contain_text("Flat", use_inner_text=True)


def test_a_stop_out_reads_as_a_protective_stop_at_its_own_price(at_the_desk: Page, desk: LiveDesk) -> None:
    page, trade = at_the_desk, at_the_desk.locator("#trade")
    page.locator("#entry [data-side=BUY]").click()
    expect(trade).to_contain_text("LONG 5", use_inner_text=True)
    expect(page.locator("#ways-out [data-way=stop]")).to_contain_text("5 rest at 5,235.25")
    desk.hears_price(PRICE - 10)
    desk.hears_price(PRICE - 17.25)
    expect(trade).to_contain_text("Flat", use_inner_text=True)
    row = page.locator("#history tbody tr").first
    expect(row).to_contain_text("protective stop")
    expect(row).not_to_contain_text("broker flat")
    (closed,) = desk.operator().state()["history"]
    assert (closed["reason"], closed["estimated"]) == ("PROTECTIVE_STOP", False)
    page.wait_for_timeout(5_000)  # two snapshots more
    expect(trade.locator("[data-slot=mismatch]")).to_be_hidden()
    assert desk.operator().state()["alerts"] == []
