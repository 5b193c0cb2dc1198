"""What an entry risks stands on its button; what does not fit is refused with the size that does (SPEC 5.9)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_slips import AGREES, PRICE
from tests.browser.waiting import fits
from tests.support.desk_process import QUICK


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LiveDesk]:
    """Two assets with every gate open."""
    two = {"ASSETS": "ES,NQ", "CONTRACTS": "ES=MESZ4,NQ=MNQZ4"}
    with LiveDesk(tmp_path, **{**QUICK, **two}) as running:
        for asset in ("ES", "NQ"):
            running.hears_price(PRICE, asset)
            running.hears_stack(AGREES, asset)
        yield running


@pytest.fixture
def entry(page: Page, desk: LiveDesk) -> Locator:
    log_in(page, desk)
    return page.locator("#entry")


def buy(entry: Locator) -> Locator:
    return entry.locator("[data-side=BUY]")


def smaller(entry: Locator) -> Locator:
    return entry.locator("[data-smaller=BUY]")


def tightens(desk: LiveDesk, **limits: float) -> None:
    desk.operator().post("/api/limits", json=limits).raise_for_status()


def test_the_button_says_stop_risk_and_share_before_the_click(desk: LiveDesk, entry: Locator) -> None:
    expect(buy(entry)).to_contain_text("▲ BUY 5 MESZ4")
    expect(buy(entry).locator(".entry-risk")).to_have_text("stop 15.00 · risk 375 USD · 37 % of what is left today")
    entry.get_by_text("9pt").click()
    expect(buy(entry).locator(".entry-risk")).to_have_text("stop 15.00 · risk 225 USD · 22 % of what is left today")
    expect(entry.locator("[data-slot=left-usd]")).to_have_text("1,000 of 1,000 USD left")
    expect(smaller(entry)).to_be_hidden()


def test_a_distance_in_other_units_is_told_in_points_too(entry: Locator) -> None:
    entry.page.get_by_role("tab", name="NQ").click()
    expect(buy(entry).locator(".entry-risk")).to_have_text(
        "stop 60.00 (15 pt) · risk 600 USD · 60 % of what is left today"
    )


def test_the_largest_size_that_fits_is_sent_by_one_click(desk: LiveDesk, entry: Locator) -> None:
    tightens(desk, max_risk_per_order_pct=0.5)
    expect(buy(entry)).to_contain_text("TOO LARGE FOR ONE ORDER")
    expect(entry.locator("[data-slot=why]")).to_contain_text(
        "5 MESZ4 risk 375.00 USD, one order may risk 250.00: 3 fit"
    )
    expect(smaller(entry)).to_have_text("▲ BUY 3 MESZ4 instead · risk 225 USD")
    smaller(entry).click()
    expect(entry.page.locator("#trade")).to_contain_text("ENTRY BUY 3 MESZ4 waits for the bridge")
    expect(smaller(entry)).to_be_hidden()


def test_a_size_that_fits_is_not_held_back_by_another_that_does_not(desk: LiveDesk, entry: Locator) -> None:
    tightens(desk, max_risk_per_order_pct=0.5)
    expect(buy(entry)).to_contain_text("TOO LARGE FOR ONE ORDER")
    entry.get_by_text("9pt").click()
    expect(buy(entry)).to_contain_text("▲ BUY 3 MESZ4")
    expect(smaller(entry)).to_be_hidden()


def test_a_refused_click_names_the_size_too(desk: LiveDesk, entry: Locator) -> None:
    tightens(desk, max_risk_per_order_pct=0.5)
    expect(smaller(entry)).to_be_visible()
    buy(entry).click(force=True)  # it is drawn as disabled, and its click is answered
    expect(entry.locator("[data-slot=answer]")).to_contain_text("3 fit")


def test_where_nothing_fits_nothing_is_offered(desk: LiveDesk, entry: Locator) -> None:
    tightens(desk, max_risk_per_order_pct=0.1)
    expect(entry.locator("[data-slot=why]")).to_contain_text("none fits")
    expect(smaller(entry)).to_be_hidden()


def test_the_meters_show_what_is_at_risk_and_the_contracts(desk: LiveDesk, entry: Locator) -> None:
    tightens(desk, max_contracts=1)
    expect(entry.locator("[data-slot=contracts-held]")).to_have_text("0 of 1 full-size")
    buy(entry).click()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    expect(entry.locator("[data-slot=left-usd]")).to_have_text("1,000 of 1,000 USD left, 375 of it at risk")
    expect(entry.locator("[data-slot=contracts-held]")).to_have_text("0.5 of 1 full-size")
    expect(entry.locator("[data-slot=usd-risk]")).to_have_attribute("width", "37.5")
    expect(entry.locator("[data-slot=contracts-meter]")).to_be_visible()
    expect(entry.locator("[data-slot=contracts-fill]")).to_have_attribute("width", "50.0")


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [390, 1440])
def test_it_fits_a_phone_and_a_desktop(browser: Browser, desk: LiveDesk, width: int, scheme: str) -> None:
    tightens(desk, max_risk_per_order_pct=0.5, max_contracts=1)
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, timezone_id="UTC")  # type: ignore[arg-type]
    page = context.new_page()
    log_in(page, desk)
    entry = page.locator("#entry")
    expect(smaller(entry)).to_be_visible()
    fits(page, width)
    assert smaller(entry).evaluate("(button) => button.scrollWidth <= button.clientWidth")
    context.close()
