"""An order that may still fill, or that ended unfilled, is told: flat is not the whole truth while there was one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import complaints_of, log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_presses import PRICE, agrees, sent_exits
from tests.browser.waiting import keeps_pressing
from tests.support.desk_process import QUICK
from tests.support.own_time import within_own_seconds

TRADE, ENTRY = "#trade [data-slot=ended]", "#entry [data-slot=ended]"
CANCELLED = r"^\d\d:\d\d:\d\d ENTRY BUY 5 MESZ4 CANCELLED, nothing was filled — "


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LiveDesk]:
    with LiveDesk(tmp_path, **QUICK) as running:
        yield running


@pytest.fixture
def waiting(page: Page, desk: LiveDesk) -> Page:
    """The dashboard while a market entry waits for a bridge."""
    agrees(desk)
    desk.operator().enters_when_the_candle_allows()
    log_in(page, desk)
    return page


def both_say(page: Page, words: str) -> None:
    for line in (TRADE, ENTRY):
        expect(page.locator(line)).to_have_text(re.compile(words))
        expect(page.locator(line)).to_be_visible()


def test_an_entry_that_a_rule_cancels_is_told_with_time_and_brick(waiting: Page, desk: LiveDesk) -> None:
    desk.hears_brick("8", "red")
    both_say(waiting, CANCELLED + "with the 8pt brick that closed red$")
    desk.operator().enters_when_the_candle_allows(direction="BUY")  # FREE zone now
    expect(waiting.locator(ENTRY)).to_be_hidden()


def test_a_page_that_is_opened_later_is_told_as_well(waiting: Page, desk: LiveDesk) -> None:
    desk.hears_brick("8", "red")
    both_say(waiting, CANCELLED + "with the 8pt brick that closed red$")
    waiting.reload()
    both_say(waiting, CANCELLED + "with the 8pt brick that closed red$")


def test_a_fired_preorder_that_a_rule_cancels_is_told(page: Page, desk: LiveDesk) -> None:
    agrees(desk)
    log_in(page, desk)
    placed = desk.operator().enters(order_type="preorder", direction="BUY")
    assert placed.status_code == 201, placed.text
    desk.hears_brick("6", "green")
    expect(page.locator("#trade")).to_contain_text("ENTRY BUY 5 MESZ4 waits for the bridge")
    desk.hears_brick("8", "red")
    both_say(page, CANCELLED + "with the 8pt brick that closed red$")


def test_an_entry_cancelled_by_hand_says_the_desks_reason(waiting: Page, desk: LiveDesk) -> None:
    sent = sent_exits(waiting)
    button = waiting.locator("#trade [data-exit=one]")
    expect(button).to_contain_text("Cancel entry")
    button.click()
    expect(waiting.locator("#trade [data-slot=exit-answer]")).to_have_text("The unclaimed entry is cancelled.")
    both_say(waiting, CANCELLED + "manual exit came due before it was claimed$")
    assert sent == [{"asset": "ES", "force": False}]
    assert desk.operator().state()["orders"] == []
    expect(button).to_contain_text("Exit ES")


def test_exit_all_says_that_it_cancelled_an_entry(waiting: Page) -> None:
    waiting.locator("#assets [data-exit=all]").click()
    answer = waiting.locator("#assets [data-slot=exit-answer]")
    expect(answer).to_have_text("Unclaimed orders cancelled: ES.")
    both_say(waiting, CANCELLED + "exit_all exit came due before it was claimed$")


def test_a_rejected_entry_is_told_at_the_way_in_and_a_filled_one_is_not(waiting: Page, desk: LiveDesk) -> None:
    order = desk.bridge_claims()
    desk.bridge().reports(order["id"], "REJECTED", reason="no margin")
    both_say(waiting, r"ORDER REJECTED — BUY 5 MESZ4 \(no margin\)")
    desk.operator().enters_when_the_candle_allows()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    expect(waiting.locator("#trade")).to_contain_text("LONG 5")
    expect(waiting.locator(ENTRY)).to_be_hidden()
    expect(waiting.locator(TRADE)).not_to_contain_text("CANCELLED")


def test_an_entry_that_the_broker_cancels_is_told(waiting: Page, desk: LiveDesk) -> None:
    order = desk.bridge_claims()
    expect(waiting.locator("#trade")).to_contain_text("is CLAIMED")
    desk.bridge().reports(order["id"], "CANCELLED")
    both_say(waiting, CANCELLED + "after the bridge had claimed it$")


def test_flat_is_not_said_alone_while_an_entry_may_fill(waiting: Page, desk: LiveDesk) -> None:
    trade, bar = waiting.locator("#trade"), waiting.locator("#assets [data-exit=one]")
    button = trade.locator("[data-exit=one]")
    expect(trade.locator("[data-slot=flat-title]")).to_have_text("Flat — BUY 5 on its way")
    expect(trade).to_contain_text("A fill can come at any moment. Until a bridge claims it, it can be cancelled.")
    expect(trade).not_to_contain_text("Nothing is at risk")
    expect(button).to_contain_text("Cancel entry")
    expect(bar).to_contain_text("Cancel entry")

    order = desk.bridge_claims()
    expect(trade.locator("[data-slot=flat-title]")).to_have_text("Flat — BUY 5 at the broker")
    expect(trade).not_to_contain_text("Nothing is at risk")
    expect(button).to_contain_text("Exit ES")
    expect(button).to_have_attribute("data-locked", "")  # the desk refuses a plain click from the claim on
    button.hover()
    waiting.mouse.down()
    keeps_pressing(waiting)
    waiting.mouse.up()
    answer = trade.locator("[data-slot=exit-answer]")
    expect(answer).to_have_text("Latched: the exit follows as soon as the open order is final.")
    desk.bridge_fills(order, PRICE)
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    expect(trade.locator("[data-slot=flat-title]")).to_have_text("Flat")
    with within_own_seconds(1):
        expect(answer).to_be_empty()


def test_the_thumb_bar_says_what_is_on_its_way(browser: Browser, desk: LiveDesk) -> None:
    agrees(desk)
    desk.operator().enters_when_the_candle_allows()
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    complaints = complaints_of(page)
    log_in(page, desk)
    bar = page.locator("#thumb-bar")
    expect(bar).to_contain_text("ES flat BUY 5 on its way")
    expect(bar.locator("[data-exit=one]")).to_contain_text("Cancel entry")
    order = desk.bridge_claims()
    expect(bar).to_contain_text("BUY 5 at the broker")
    desk.bridge_fills(order, PRICE)
    expect(bar).to_contain_text("ES long 5")
    expect(bar).not_to_contain_text("at the broker")
    context.close()
    assert complaints == []
