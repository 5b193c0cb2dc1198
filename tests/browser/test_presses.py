"""A press on an exit counts by what the hand did, not by where the layout has put the button meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.browser.conftest import complaints_of, log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.waiting import box_of, keeps_pressing, until
from tests.support.desk_process import QUICK, eventually
from tests.support.own_time import within_own_seconds

PRICE = 5250.25
EXITS = ["#trade [data-exit=one]", "#assets [data-exit=one]", "#assets [data-exit=all]"]
NOTICE_APPEARS = """
() => {
  const notice = document.createElement("p");
  notice.textContent = "A notice";
  notice.style.height = "60px";
  const again = notice.cloneNode(true);
  again.style.height = "60px";
  document.querySelector(".stuck").prepend(notice);
  document.querySelector("#trade header").after(again);
}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LiveDesk]:
    with LiveDesk(tmp_path, **QUICK) as running:
        yield running


def agrees(desk: LiveDesk, color: str = "green") -> None:
    desk.hears_price(PRICE)
    desk.hears_stack({"12": color, "8": color, "6": color})


def comes_long(page: Page, desk: LiveDesk, *, locked: bool) -> list[dict[str, Any]]:
    """Log in while long; return where the exits that the page sends are collected."""
    agrees(desk)
    desk.operator().enters_when_the_candle_allows()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    if not locked:
        desk.hears_brick("6", "green")
    log_in(page, desk)
    return sent_exits(page)


def sent_exits(page: Page) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    def hear(asked: Request) -> None:
        if "/api/exit" in asked.url:
            sent.append(asked.post_data_json or {})

    page.on("request", hear)
    return sent


def presses(button: Locator) -> tuple[float, float]:
    """Press on the middle of a button and return where that is."""
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    button.page.mouse.move(x, y)
    button.page.mouse.down()
    return x, y


@pytest.mark.parametrize("exit_button", EXITS)
def test_a_click_counts_though_a_notice_moves_the_button_away(page: Page, desk: LiveDesk, exit_button: str) -> None:
    sent = comes_long(page, desk, locked=False)
    button = page.locator(exit_button)
    expect(button).not_to_have_attribute("data-locked", "")
    _, y = presses(button)
    page.evaluate(NOTICE_APPEARS)
    page.wait_for_timeout(300)
    page.mouse.up()
    assert desk.bridge_claims()["kind"] == "EXIT"
    until(page, lambda: sent)
    page.wait_for_timeout(900)  # a click of the browser's own would be a second command
    assert [asked["force"] for asked in sent] == [False]
    box = button.bounding_box()
    assert box is not None
    assert box["y"] > y, "the notice did not move the button: this test proves nothing"


@pytest.mark.parametrize("exit_button", EXITS)
def test_a_forced_hold_counts_though_a_notice_moves_the_button_away(
    page: Page, desk: LiveDesk, exit_button: str
) -> None:
    sent = comes_long(page, desk, locked=True)
    button = page.locator(exit_button)
    expect(button).to_have_attribute("data-locked", "")
    x, y = presses(button)
    page.wait_for_timeout(300)
    page.evaluate(NOTICE_APPEARS)
    page.mouse.move(x + 10, y + 10)  # no hand is still
    keeps_pressing(page)
    page.mouse.up()
    assert desk.bridge_claims()["kind"] == "EXIT"
    until(page, lambda: sent)
    page.wait_for_timeout(900)
    assert [asked["force"] for asked in sent] == [True]


def test_a_thumb_exits_once_though_a_notice_moves_the_button_away(browser: Browser, desk: LiveDesk) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    complaints = complaints_of(page)
    sent = comes_long(page, desk, locked=False)
    button = page.locator("#thumb-bar [data-exit=one]")
    box = box_of(button)
    finger = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    hand = context.new_cdp_session(page)
    hand.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [finger]})
    page.evaluate("document.querySelector('#thumb-bar').style.bottom = '70px'")
    page.wait_for_timeout(300)
    hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert desk.bridge_claims()["kind"] == "EXIT"
    until(page, lambda: sent)
    page.wait_for_timeout(900)
    assert [asked["force"] for asked in sent] == [False]
    button.tap()
    expect(page.locator("#thumb-bar").get_by_role("alert")).to_contain_text("already on its way: CLAIMED")
    assert len(sent) == 2
    context.close()
    assert complaints == []


@pytest.mark.parametrize("exit_button", EXITS)
def test_a_hold_that_slides_off_says_that_nothing_was_sent(page: Page, desk: LiveDesk, exit_button: str) -> None:
    sent = comes_long(page, desk, locked=True)
    button = page.locator(exit_button)
    expect(button).to_have_attribute("data-locked", "")
    x, y = presses(button)
    page.wait_for_timeout(500)
    page.mouse.move(x, y + 150)
    answer = button.locator("xpath=..").get_by_role("alert")
    after = r"(0\.[5-9]|1\.[0-4])"  # a busy machine moves the hand later than the story does
    expect(answer).to_have_text(re.compile(rf"^Not sent: slid off the button after {after} s, hold 1\.5 s\.$"))
    page.wait_for_timeout(1_200)
    page.mouse.up()
    page.wait_for_timeout(900)
    assert sent == []


def test_a_held_key_that_loses_the_focus_says_that_nothing_was_sent(page: Page, desk: LiveDesk) -> None:
    sent = comes_long(page, desk, locked=True)
    button = page.locator("#trade [data-exit=one]")
    expect(button).to_have_attribute("data-locked", "")
    button.focus()
    page.keyboard.down("Enter")
    page.wait_for_timeout(400)
    page.locator("#assets [data-exit=all]").focus()
    page.keyboard.up("Enter")
    expect(page.locator("#trade [data-slot=exit-answer]")).to_have_text(
        re.compile(r"^Not sent: the focus moved on after (0\.[4-9]|1\.[0-4]) s, hold 1\.5 s\.$")
    )
    page.wait_for_timeout(1_500)
    assert sent == []


def readies_override(page: Page, desk: LiveDesk) -> Locator:
    agrees(desk)
    log_in(page, desk)
    override = page.locator("#entry .override")
    override.get_by_text("Override the zone").click()
    override.get_by_text("SELL").first.click()
    override.get_by_label("Why").fill("the open gap closes")
    expect(override.locator(".override-button")).to_contain_text("Hold to SELL 5 MESZ4")
    return override


def test_an_override_let_go_early_says_after_how_long(page: Page, desk: LiveDesk) -> None:
    override = readies_override(page, desk)
    presses(override.locator(".override-button"))
    page.wait_for_timeout(500)
    page.mouse.up()
    expect(override.get_by_role("alert")).to_have_text(
        re.compile(r"^Not sent: let go after (0\.[5-9]|1\.[0-4]) s, hold 1\.5 s\.$")
    )
    assert desk.operator().state()["orders"] == []


def test_an_override_whose_offer_changes_under_the_pointer_is_not_sent(page: Page, desk: LiveDesk) -> None:
    override = readies_override(page, desk)
    presses(override.locator(".override-button"))
    page.wait_for_timeout(300)
    page.evaluate("document.querySelector('#entry [value=\"9pt\"]').click()")
    page.wait_for_timeout(1_500)
    page.mouse.up()
    expect(override.get_by_role("alert")).to_contain_text("Not sent: the offer changed while you pressed")
    assert desk.operator().state()["orders"] == []


def test_notices_of_the_trade_do_not_move_its_exit(page: Page, desk: LiveDesk) -> None:
    comes_long(page, desk, locked=False)
    button = page.locator("#trade [data-exit=one]")
    page.locator("#trade").scroll_into_view_if_needed()
    before = box_of(button)
    desk.operator().post("/api/exit", json={"asset": "ES"})
    desk.bridge().reports(desk.bridge_claims()["id"], "REJECTED", reason="no margin")
    ended = page.locator("#trade [data-slot=ended]")
    expect(ended).to_contain_text("EXIT REFUSED")
    assert box_of(button) == before


def test_the_banner_of_a_lost_desk_does_not_move_the_bars_exits(page: Page, desk: LiveDesk) -> None:
    comes_long(page, desk, locked=True)
    button = page.locator("#assets [data-exit=all]")
    before = box_of(button)
    desk.freezes()
    try:
        expect(page.locator("#banners [data-slot=lost]")).to_be_visible()
        after = box_of(button)
    finally:
        desk.thaws()
    assert after["y"] == before["y"]


def test_what_was_said_of_a_queued_exit_goes_with_its_fill(page: Page, desk: LiveDesk) -> None:
    comes_long(page, desk, locked=False)
    button, answer = page.locator("#trade [data-exit=one]"), page.locator("#trade [data-slot=exit-answer]")
    button.click()
    expect(answer).to_have_text("The exit is queued for the bridge.")
    order = desk.bridge_claims()
    expect(page.locator("#trade")).to_contain_text("is CLAIMED")
    expect(answer).to_have_text("The exit is queued for the bridge.")
    desk.bridge_fills(order, PRICE + 1)
    expect(page.locator("#trade")).to_contain_text("Flat", use_inner_text=True)
    with within_own_seconds(1):
        expect(answer).to_be_empty()
    eventually(lambda: desk.operator().state()["orders"] == [])
