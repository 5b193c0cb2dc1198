"""The meters of a trading firm's rules on the dashboard: there only while a firm's rules are kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.browser.conftest import complaints_of, log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.waiting import fits
from tests.support.desk_process import QUICK

SECOND_READING_MS = 2_200  # two readings 2 s apart prove a loss
SIZES: list[ViewportSize] = [{"width": 390, "height": 844}, {"width": 1440, "height": 900}]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LiveDesk]:
    with LiveDesk(tmp_path, FIRM="topstep:50k", **QUICK) as running:
        yield running


def meter(page: Page, rule: str) -> Locator:
    return page.locator(f"#firm [data-key={rule}]")


def test_without_a_firm_there_is_no_panel(browser: Browser, tmp_path: Path) -> None:
    with LiveDesk(tmp_path, **QUICK) as desk, browser.new_context() as context:
        page = log_in(context.new_page(), desk)
        expect(page.locator("#firm")).to_be_hidden()
        assert desk.operator().state()["global"]["firm"] is None


def test_the_meters_follow_the_account(dashboard: Page, desk: LiveDesk) -> None:
    expect(meter(dashboard, "trailing_drawdown")).to_contain_text("no balance of the account is believed yet")
    desk.bridge_reports_account(50_000, 0.0)
    expect(meter(dashboard, "daily_loss")).to_contain_text("$950.00 left")
    expect(meter(dashboard, "trailing_drawdown")).to_contain_text("Floor $48,000.00")
    expect(meter(dashboard, "trailing_drawdown")).to_contain_text("$1,900.00 left")
    expect(meter(dashboard, "contracts")).to_contain_text("5 of 5 left")
    expect(meter(dashboard, "flat_time")).to_contain_text("16:10 New York")
    expect(dashboard.locator("#day [data-slot=left]")).to_have_text("10,000")  # the day's own figures stand beside
    desk.bridge_reports_account(49_300, -700.0)
    expect(dashboard.locator("#day .drawdown .meter-fill")).to_have_attribute("width", "70.0")
    expect(meter(dashboard, "consistency").get_by_role("img")).to_be_hidden()
    expect(meter(dashboard, "daily_loss")).to_contain_text("$250.00 left")
    expect(meter(dashboard, "daily_loss")).to_have_attribute("data-tone", "tight")
    expect(meter(dashboard, "daily_loss").get_by_role("img")).to_be_visible()
    expect(meter(dashboard, "flat_time").get_by_role("img")).to_be_hidden()
    expect(meter(dashboard, "daily_loss").get_by_role("img")).to_have_attribute("aria-label", "Daily loss: 70 % used")
    expect(dashboard.locator("#firm")).to_contain_text("The firm's own word counts")


def test_at_the_firm_s_limit_less_the_buffer_the_day_ends(dashboard: Page, desk: LiveDesk) -> None:
    desk.bridge_reports_account(50_000, 0.0)
    desk.bridge_reports_account(49_050, -950.0)
    dashboard.wait_for_timeout(SECOND_READING_MS)
    desk.bridge_reports_account(49_050, -950.0)
    expect(dashboard.locator("#day [data-slot=stop]")).to_have_attribute("data-triggered", "yes")
    expect(meter(dashboard, "daily_loss")).to_contain_text("$0.00 left")
    reason = desk.operator().state()["global"]["daily_stop_triggered_reason"]
    assert "what topstep:50k leaves by its daily loss limit is 950.00 USD" in reason


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size["width"]))
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_panel_fits(browser: Browser, desk: LiveDesk, size: ViewportSize, scheme: str) -> None:
    with browser.new_context(viewport=size, color_scheme=scheme) as context:  # type: ignore[arg-type]
        page = context.new_page()
        complaints = complaints_of(page)
        log_in(page, desk)
        desk.bridge_reports_account(49_300, -700.0)
        expect(meter(page, "daily_loss")).to_be_visible()
        fits(page, size["width"])
        assert complaints == []


@pytest.fixture
def dashboard(page: Page, desk: LiveDesk) -> Iterator[Page]:
    complaints = complaints_of(page)
    yield log_in(page, desk)
    assert complaints == []
