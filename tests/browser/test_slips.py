"""What a hand slips on orders nothing: a button that kept the focus, Space, an offer that changed under a press."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.waiting import keeps_pressing, until
from tests.support.clock_ends import a_candle_lasts
from tests.support.desk_process import eventually

PRICE = 5250.25
AGREES = {"12": "green", "8": "green", "6": "green"}
LOCKED_SECONDS = 10


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LiveDesk]:
    """Two assets; a lock of a few seconds, so that the gates open while a story waits."""
    two = {"ASSETS": "ES,NQ", "CONTRACTS": "ES=MESZ4,NQ=MNQZ4", "ENTRY_TTL_SECONDS": "600"}
    with LiveDesk(tmp_path, CANDLE_SECONDS=str(LOCKED_SECONDS), COOLDOWN_SECONDS="0", **two) as running:
        for asset in ("ES", "NQ"):
            running.hears_price(PRICE, asset)
            running.hears_stack(AGREES, asset)
        yield running


@pytest.fixture
def buy(page: Page, desk: LiveDesk) -> Locator:
    """The dashboard's BUY button, with ES in view and every gate open."""
    log_in(page, desk)
    button = page.locator("#entry [data-side=BUY]")
    expect(button).to_contain_text("BUY 5 MESZ4")
    return button


def asked(page: Page, path: str) -> list[str]:
    """Collect the calls of a path from now on."""
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url) if request.url.endswith(path) else None)
    return calls


def open_orders(desk: LiveDesk) -> list[str]:
    return [order["asset"] for order in desk.operator().state()["orders"]]


def test_one_press_more_after_an_entry_orders_nothing(page: Page, desk: LiveDesk, buy: Locator) -> None:
    calls = asked(page, "/api/orders")
    page.keyboard.press("b")
    expect(buy).to_be_focused()
    page.keyboard.press("Enter")
    expect(buy).not_to_be_focused()
    expect(page.locator("#entry-title")).to_be_focused()  # the keys go on from here
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    desk.hears_brick("6", "green")
    desk.operator().post("/api/exit", json={"asset": "ES"}).raise_for_status()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    desk.hears_brick("6", "green")
    expect(buy).to_contain_text("BUY 5 MESZ4")  # the lock is over, every gate is open again
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    until(page, lambda: calls)
    page.wait_for_timeout(500)
    assert len(calls) == 1
    assert open_orders(desk) == []


def test_a_gate_that_opens_under_the_focus_takes_the_focus_away(page: Page, desk: LiveDesk, buy: Locator) -> None:
    a_candle_lasts(LOCKED_SECONDS - 1, LOCKED_SECONDS)
    desk.operator().enters_when_the_candle_allows("NQ")
    desk.hears_brick("6", "green")
    calls = asked(page, "/api/orders")
    expect(buy).to_contain_text("LOCK")
    page.keyboard.press("b")
    expect(buy).to_be_focused()
    text = buy.inner_text()
    expect(buy).not_to_have_text(text, use_inner_text=True)  # a running countdown is the same headline
    if "LOCK" in buy.inner_text():
        expect(buy).to_be_focused()
    expect(buy).to_contain_text("BUY 5 MESZ4")
    expect(buy).not_to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    assert calls == []


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_after_a_switch_of_asset_no_key_orders_the_other_one(
    page: Page, desk: LiveDesk, buy: Locator, key: str
) -> None:
    calls = asked(page, "/api/orders")
    page.keyboard.press("b")
    expect(buy).to_be_focused()
    page.keyboard.press("2")
    expect(buy).to_contain_text("BUY 5 MNQZ4")
    page.keyboard.press(key)
    page.wait_for_timeout(500)
    assert calls == []
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    eventually(lambda: open_orders(desk) == ["NQ"])  # brought and read anew it orders what it says


def test_a_click_that_began_on_another_asset_orders_nothing(page: Page, desk: LiveDesk, buy: Locator) -> None:
    calls = asked(page, "/api/orders")
    buy.hover()
    page.mouse.down()
    page.keyboard.press("2")
    expect(buy).to_contain_text("BUY 5 MNQZ4")
    page.mouse.up()
    expect(page.locator("#entry > [data-slot=answer]")).to_contain_text("Not sent: the offer changed as you clicked")
    assert calls == []


def test_space_orders_nothing_and_says_so(page: Page, desk: LiveDesk, buy: Locator) -> None:
    calls = asked(page, "/api/orders")
    page.keyboard.press("b")
    page.keyboard.press("Space")
    expect(page.locator("#entry > [data-slot=answer]")).to_have_text("Space never orders: press Enter.")
    page.locator("#entry").get_by_text("Override the zone").click()
    page.locator("#entry .override").get_by_text("SELL").first.click()
    page.locator("#entry .override").get_by_label("Why").fill("the open gap closes")
    page.locator("#entry .override-button").focus()
    page.keyboard.down("Space")
    keeps_pressing(page)
    page.keyboard.up("Space")
    expect(page.locator("#entry [data-slot=override-answer]")).to_have_text("Space never orders: press Enter.")
    assert calls == []
    page.keyboard.down("Enter")
    keeps_pressing(page)
    page.keyboard.up("Enter")
    eventually(lambda: open_orders(desk) == ["ES"])


def test_a_scale_in_takes_no_space_and_no_second_press(page: Page, desk: LiveDesk, buy: Locator) -> None:
    buy.click()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    desk.hears_price(PRICE)
    desk.hears_brick("6", "green")
    scale, calls = page.locator("#scale-in button"), asked(page, "/api/scale-in")
    expect(scale).to_have_attribute("aria-disabled", "false")
    page.keyboard.press("a")
    expect(scale).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#scale-in").get_by_role("alert")).to_have_text("Space never orders: press Enter.")
    assert calls == []
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert desk.bridge_claims()["kind"] == "SCALE_IN"
    until(page, lambda: calls)
    page.wait_for_timeout(500)
    assert len(calls) == 1
