"""The pages before their script runs, or without it: nothing bright to click, no password in an address."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.live_desk import PASSWORD, LiveDesk
from tests.browser.test_dashboard import market_agrees
from tests.support.clock_ends import a_candle_lasts

GREY_AT_MOST = 24  # difference between the channels of a colour that reads as grey


@pytest.fixture
def still(browser: Browser) -> Iterator[Page]:
    """A page whose scripts do not run."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, java_script_enabled=False)
    yield context.new_page()
    context.close()


def logs_in(page: Page, desk: LiveDesk, password: str = PASSWORD) -> None:
    page.goto(f"{desk.url}/login")
    page.get_by_label("Password").fill(password)
    page.get_by_label("Password").press("Enter")


def is_coloured(button: Locator) -> bool:
    """Return whether a button's ground is a colour, not a grey."""
    color = button.evaluate("(button) => getComputedStyle(button).backgroundColor")
    red, green, blue = (int(number) for number in re.findall(r"\d+", color)[:3])
    return max(red, green, blue) - min(red, green, blue) > GREY_AT_MOST


def test_the_login_form_works_by_itself_and_names_no_password_in_an_address(still: Page, desk: LiveDesk) -> None:
    addresses: list[str] = []
    still.on("request", lambda request: addresses.append(request.url))
    logs_in(still, desk, "a wrong one")
    expect(still.get_by_role("alert").last).to_have_text("the password is wrong")
    assert still.url == f"{desk.url}/login"
    logs_in(still, desk)
    expect(still.locator("#entry")).to_be_visible()
    assert [address for address in addresses if "?" in address] == []


def test_a_form_of_another_site_logs_nobody_in(still: Page, desk: LiveDesk) -> None:
    answer = desk.stranger().post("/login", data={"password": PASSWORD}, headers={"Origin": "https://evil.test"})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_too_many_wrong_passwords_are_told_in_the_form(still: Page, desk: LiveDesk) -> None:
    for _ in range(12):
        desk.stranger().post("/api/login", json={"password": "a wrong one"})
    logs_in(still, desk)
    expect(still.get_by_role("alert").last).to_contain_text("too many wrong passwords, try again in")


def test_the_entry_is_closed_and_has_no_sides_colour_before_the_script_runs(still: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    logs_in(still, desk)
    buttons = still.locator("#entry .entry-button").locator("visible=true")
    expect(buttons).to_have_count(1)
    expect(buttons).to_have_attribute("aria-disabled", "true")
    expect(buttons).to_contain_text("NOT READY")
    assert not is_coloured(buttons)


def test_a_locked_desk_says_its_gate_before_the_script_runs(still: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    a_candle_lasts(30)
    desk.operator().enters_when_the_candle_allows()
    logs_in(still, desk)
    buttons = still.locator("#entry .entry-button").locator("visible=true")
    expect(buttons).to_contain_text("5 MIN LOCK")
    assert not is_coloured(buttons)
