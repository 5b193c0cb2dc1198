"""What a hurried hand or a failing desk must not turn into an order, nor into a false picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.waiting import keeps_pressing
from tests.support.desk_process import QUICK, eventually

PRICE = 5250.25
BOTH = {"ASSETS": "ES,NQ", "CONTRACTS": "ES=MESZ4,NQ=MNQZ4"}
CLICK_WHAT_COMES = """
(side) => {
  const button = document.querySelector(`#entry [data-side=${side}]`);
  const watching = new MutationObserver(() => {
    if (button.hidden) return;
    watching.disconnect();
    button.click();
  });
  watching.observe(button, { attributes: true });
}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LiveDesk]:
    with LiveDesk(tmp_path, **QUICK, **BOTH) as running:
        yield running


def agrees(desk: LiveDesk, color: str, asset: str = "ES") -> None:
    desk.hears_price(PRICE, asset)
    desk.hears_stack({"12": color, "8": color, "6": color}, asset)


def holds(desk: LiveDesk, asset: str = "ES") -> None:
    """Be long, with the initial exit lock on."""
    agrees(desk, "green", asset)
    desk.operator().enters_when_the_candle_allows(asset)
    desk.bridge_fills(desk.bridge_claims(), PRICE)


def kinds_of(desk: LiveDesk) -> list[str]:
    return [order["kind"] for order in desk.operator().state()["orders"]]


@pytest.mark.parametrize("exit_button", ["#trade [data-exit=one]", "#assets [data-exit=one]"])
def test_a_hold_never_jumps_to_another_asset(page: Page, desk: LiveDesk, exit_button: str) -> None:
    holds(desk, "NQ")
    holds(desk, "ES")
    log_in(page, desk)
    button = page.locator(exit_button)
    expect(button).to_have_attribute("data-locked", "")
    button.hover()
    page.mouse.down()
    page.wait_for_timeout(300)
    page.keyboard.press("2")
    expect(button).to_contain_text("Exit NQ")
    keeps_pressing(page)
    page.mouse.up()
    expect(page.locator("#trade, #assets").get_by_text("another asset came into view").first).to_be_visible()
    state = desk.operator().state()
    assert state["orders"] == []
    assert [state["assets"][asset]["position"] for asset in ("ES", "NQ")] == [5, 5]


def test_sides_that_change_under_the_pointer_take_no_click(page: Page, desk: LiveDesk) -> None:
    agrees(desk, "red")
    log_in(page, desk)
    expect(page.locator("#entry [data-side=SELL]")).to_have_attribute("aria-disabled", "false")
    page.evaluate(CLICK_WHAT_COMES, "BUY")
    agrees(desk, "green")
    expect(page.locator("#entry")).to_contain_text("the offer changed as you clicked", use_inner_text=True)
    assert kinds_of(desk) == []
    buy = page.locator("#entry [data-side=BUY]")
    expect(buy).to_have_attribute("aria-disabled", "false")  # it has been there long enough to be read
    buy.click()
    eventually(lambda: kinds_of(desk) == ["ENTRY"])


def test_a_desk_without_its_store_offers_no_entry(page: Page, desk: LiveDesk) -> None:
    agrees(desk, "green")
    log_in(page, desk)
    buy = page.locator("#entry [data-side=BUY]")
    expect(buy).to_have_attribute("aria-disabled", "false")
    with desk.locked_store():
        assert desk.tradingview().brick(4, "red", asset="ES", bar_id="lost").status_code == 503
        expect(buy).to_contain_text("STORE DOWN")
        expect(buy).to_have_attribute("aria-disabled", "true")
        expect(page.locator("#banners")).to_be_in_viewport()
    expect(buy).to_have_attribute("aria-disabled", "false")


def test_what_is_lost_stays_in_sight_of_a_scrolled_page(page: Page, desk: LiveDesk) -> None:
    holds(desk)
    log_in(page, desk)
    page.locator("#trade").scroll_into_view_if_needed()
    page.mouse.wheel(0, 2_000)
    desk.freezes()
    try:
        expect(page.locator("#banners [data-slot=lost]")).to_be_in_viewport()
        expect(page.locator("#trade [data-slot=note]")).to_contain_text("as of ")
    finally:
        desk.thaws()


def test_a_refused_exit_is_told_where_the_exit_is(page: Page, desk: LiveDesk) -> None:
    holds(desk)
    desk.hears_brick("6", "green")
    log_in(page, desk)
    page.locator("#trade [data-exit=one]").click()
    order = desk.bridge_claims()
    desk.bridge().reports(order["id"], "REJECTED", reason="no margin")
    expect(page.locator("#trade [data-slot=ended]")).to_contain_text("EXIT REFUSED")
    expect(page.locator("#trade [data-slot=ended]")).to_be_visible()


def test_a_stop_that_price_has_passed_is_no_comfort(page: Page, desk: LiveDesk) -> None:
    holds(desk)
    log_in(page, desk)
    stop = page.locator("[data-way=stop] [data-slot=where]")
    expect(stop).to_have_text("15 pt away")
    desk.hears_price(PRICE - 20)
    expect(stop).to_have_text("5 pt PAST IT")
    expect(page.locator("#trade [data-slot=legend-stop]")).to_contain_text("price is past it")


def test_a_reload_comes_back_to_the_chosen_size(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk)
    for value in ("9pt", "RUNNER", "preorder"):
        page.locator("#entry label").filter(has=page.locator(f"[value='{value}']")).click()
    page.reload()
    for value in ("9pt", "RUNNER", "preorder"):
        expect(page.locator(f"#entry [value='{value}']")).to_be_checked()


def test_a_restored_store_behind_an_open_page_is_noticed(page: Page, desk: LiveDesk) -> None:
    holds(desk)
    log_in(page, desk)
    expect(page.get_by_role("tab", name="ES")).to_contain_text("+5")
    desk.kill()
    for file in desk.database.parent.glob("desk.sqlite*"):
        file.unlink()
    desk.start()
    page.wait_for_timeout(10_500)
    desk.hears_price(PRICE)
    desk.hears_brick("4", "green")
    expect(page.get_by_role("tab", name="ES")).not_to_contain_text("+5")
