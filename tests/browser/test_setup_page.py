"""The set-up page in a real browser: what is copied, what arrives, and no secret before the password."""

import json
import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.live_desk import PASSWORD, LiveDesk
from tests.support.desk_process import TV_SECRET
from wire.tradingview import BRICK_INDICATOR


def opens_setup(page: Page, desk: LiveDesk) -> Page:
    page.goto(f"{desk.url}/login")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{desk.url}/")
    page.goto(f"{desk.url}/setup")
    return page


def hook(page: Page, path: str) -> Locator:
    return page.locator(f'.hook[data-path="{path}"]')


def test_a_message_is_copied_with_asset_colour_and_secret(page: Page, desk: LiveDesk) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opens_setup(page, desk)
    main = hook(page, "/tv_renko_main")
    expect(main.locator('[data-slot="message"]')).to_contain_text("YOUR TV_WEBHOOK_SECRET")
    page.get_by_label("down (red)").check()
    page.get_by_label("Password").fill("nonsense")
    page.get_by_role("button", name="Put the secret in").click()
    expect(page.locator("#reveal-answer")).to_contain_text("the password is wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Put the secret in").click()
    expect(page.locator("#reveal-answer")).to_contain_text("until this page is left")
    main.get_by_role("button", name="Copy message").click()
    expect(page.locator("#copied")).to_contain_text("done")
    copied = page.evaluate("navigator.clipboard.readText()").replace("{{close}}", "1")
    assert json.loads(copied)["secret"] == TV_SECRET
    assert json.loads(copied)["color"] == "red"
    assert json.loads(copied)["bar_id"] == "{{time}}/1"
    main.get_by_role("button", name="Copy URL").click()
    assert page.evaluate("navigator.clipboard.readText()") == f"{desk.url}/tv_renko_main"


def test_the_bricks_indicator_is_copied_line_by_line(page: Page, desk: LiveDesk) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opens_setup(page, desk)
    page.get_by_text("The bricks' alerts need this indicator").click()
    page.get_by_role("button", name="Copy indicator").click()
    expect(page.locator("#copied")).to_contain_text("done")
    assert page.evaluate("navigator.clipboard.readText()").splitlines() == BRICK_INDICATOR.splitlines()


def test_the_page_ticks_when_a_webhook_arrives(page: Page, desk: LiveDesk) -> None:
    opens_setup(page, desk)
    age = hook(page, "/tv_renko_high").locator('[data-slot="age"]')
    expect(age).to_have_text("nothing received yet")
    desk.hears_brick("8", "green")
    expect(age).to_have_text("received now")
    expect(age).to_contain_text("s ago")
    bridge = page.locator("#bridge-age")
    expect(bridge).to_have_text("nothing received yet")
    desk.bridge_beats()
    expect(bridge).to_have_text("received now")


def test_the_level_exit_ticks_too_and_is_not_forgotten(page: Page, desk: LiveDesk) -> None:
    opens_setup(page, desk)
    age = hook(page, "/tv_level_exit").locator('[data-slot="age"]')
    expect(age).to_have_text("none that the log knows of")
    assert desk.tradingview().sends("/tv_level_exit", asset="ES").ok
    expect(age).to_have_text("received now")
    expect(age).to_contain_text("s ago")
    for _ in range(101):  # the log keeps 100 lines
        desk.hears_brick("2.5", "green")
    page.reload()
    expect(age).to_contain_text("received ")
    expect(age).to_have_attribute("data-heard", re.compile("now|fresh"))


def test_limits_are_tightened_here_too(page: Page, desk: LiveDesk) -> None:
    opens_setup(page, desk)
    page.get_by_text("Tighten", exact=True).click()
    page.get_by_label("Trades a day").fill("2")
    page.get_by_role("button", name="Set limits").click()
    expect(page.locator('[data-slot="limits-answer"]')).to_contain_text("In force now: Trades a day 2")
    page.get_by_label("Trades a day").fill("0")
    page.get_by_role("button", name="Set limits").click()
    expect(page.locator('[data-slot="limits-answer"]')).to_have_text("Trades a day: must be at least 1, was 0")


def test_it_fits_a_phone(page: Page, desk: LiveDesk) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    opens_setup(page, desk)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
