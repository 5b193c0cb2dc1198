"""The log page in a real browser: a letter arrives, is tried again, and is answered where the click was."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_dashboard import PRICE, market_agrees
from tests.browser.test_setup_page import opens_setup
from tests.browser.waiting import box_of, fits


def test_a_letter_arrives_and_is_answered_where_it_was_tried_again(page: Page, desk: LiveDesk) -> None:
    opens_setup(page, desk)
    page.get_by_role("link", name="Log", exact=True).click()
    letters = page.locator(".letter")
    expect(page.get_by_text("None. Whatever TradingView sent could be read.")).to_be_visible()
    desk.tradingview().brick(6, "green", asset="NQ", bar_id="2026-11-20T15:00:00Z")
    expect(letters).to_have_count(1)
    expect(letters.first).to_contain_text("no symbol of an asset on this desk")
    letters.first.get_by_role("button", name="Try again").click()
    expect(letters.first.get_by_role("alert")).to_contain_text("no symbol of an asset")
    desk.hears_brick("8", "green")
    expect(page.locator('[data-feed="tradingview"] .log-line').first).to_contain_text("8pt green")


def test_an_alert_says_whether_it_lasts_and_when_it_was_over(page: Page, desk: LiveDesk) -> None:
    """An exit that the broker refuses: one alert, until the trade is closed after all."""
    market_agrees(desk, "green")
    desk.operator().enters_when_the_candle_allows()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    desk.hears_brick("6", "green")
    opens_setup(page, desk)
    page.get_by_role("link", name="Log", exact=True).click()
    desk.operator().post("/api/exit", json={"asset": "ES"})
    desk.bridge().reports(desk.bridge_claims()["id"], "REJECTED", reason="no margin")
    alert, count = page.locator(".alert"), page.locator("#alerts [data-slot=count]")
    expect(alert).to_contain_text("EXIT REFUSED")
    expect(alert.locator(".alert-over")).to_have_text("lasting")
    expect(count).to_have_text("1 · 1 lasting")
    page.reload()
    expect(alert.locator(".alert-over")).to_have_text("lasting")
    desk.operator().post("/api/exit", json={"asset": "ES"})
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    expect(alert.locator(".alert-over")).to_have_text(re.compile(r"^over \d\d:\d\d:\d\d$"))
    expect(count).to_have_text("1")
    page.goto(desk.url)
    expect(alert.locator(".alert-over")).to_have_text(re.compile(r"^over \d\d:\d\d:\d\d$"))
    expect(page.locator("#trade [data-slot=ended]")).to_be_hidden()
    desk.restart()
    page.reload()
    expect(alert.locator(".alert-over")).to_have_text("over")  # when is not known any more


def test_it_fits_a_phone(page: Page, desk: LiveDesk) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    opens_setup(page, desk)
    page.goto(f"{desk.url}/log")
    desk.tradingview().brick(6, "green", asset="NQ", bar_id="2026-11-20T15:00:00Z")
    text = page.locator('[data-feed="tradingview"] .log-text').filter(has_text="no symbol of an asset")
    expect(text).to_be_visible()
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        assert box_of(text)["height"] < 60, "a long text stands in a column of its own"
        fits(page, width)


def test_one_outcome_alone_can_be_shown(page: Page, desk: LiveDesk) -> None:
    opens_setup(page, desk)
    page.get_by_role("link", name="Log", exact=True).click()
    desk.hears_brick("8", "green")
    desk.tradingview().post("/tv_renko_high", data="ES crossed 5250")
    lines = page.locator('[data-feed="tradingview"] .log-line')
    expect(lines.filter(has_text="8pt green").first).to_be_visible()
    page.locator('[data-feed="tradingview"] select').select_option("refused (400)")
    expect(lines).to_have_count(1)
    expect(lines.first).to_contain_text("the body was plain text, it must be JSON")


GOOD = '{"secret": "tv-secret-of-the-test-desk", "asset": "ES", "color": "green"}'
JSON, FORM = "text/plain", "application/x-www-form-urlencoded"
REFUSED = {
    "a wrong secret": (GOOD.replace("tv-secret", "my-secret"), JSON, "the webhook secret is missing or wrong"),
    "curly quotes": (GOOD.replace('"', "\u201c"), JSON, "the body has curly quotes: JSON needs straight ones"),
    "a form": ("secret=tv-secret-of-the-test-desk&color=green", FORM, "the body was form fields, it must be JSON"),
}


@pytest.mark.parametrize(("body", "kind", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refused_webhook_stands_in_the_log_with_its_reason(
    page: Page, desk: LiveDesk, body: str, kind: str, reason: str
) -> None:
    log_in(page, desk)
    page.goto(f"{desk.url}/log")
    answer = desk.tradingview().post("/tv_renko_high", data=body.encode(), headers={"Content-Type": kind})
    assert answer.status_code in (400, 401)
    line = page.locator('[data-feed="tradingview"] .log-line').filter(has_text="refused")
    expect(line).to_contain_text("tv_renko_high")
    expect(line).to_contain_text(reason)
    assert "secret-of-the-test-desk" not in page.content()


def test_a_webhook_called_by_get_stands_in_the_log(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk)
    page.goto(f"{desk.url}/log")
    assert desk.tradingview().get("/tv_renko_high").status_code == 405
    expect(page.locator('[data-feed="tradingview"] .log-line').filter(has_text="405")).to_contain_text("tv_renko_high")
