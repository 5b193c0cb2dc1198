"""The set-up page in a real browser: what is copied, what arrives, and no secret before the password."""

import json
import re
import time

from playwright.sync_api import Locator, Page, expect

from tests.browser.live_desk import PASSWORD, LiveDesk
from tests.browser.waiting import fits
from tests.support.desk_process import TV_SECRET
from tests.support.paths import REPOSITORY
from tests.support.tv_chart import Chart, Message, as_sent
from wire.tradingview import BRICK_INDICATOR

SCRIPT = REPOSITORY / "tradingview" / "lockstep.pine"


def opens_setup(page: Page, desk: LiveDesk) -> Page:
    page.goto(f"{desk.url}/login")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{desk.url}/")
    page.goto(f"{desk.url}/setup")
    return page


def hook(page: Page, path: str) -> Locator:
    return page.locator(f'.hook[data-path="{path}"]')


def opens_other_ways(page: Page) -> None:
    expect(hook(page, "/tv_renko_main")).not_to_be_visible()
    page.get_by_text("Other ways").click()


def check(page: Page, name: str) -> Locator:
    return page.locator(f'[data-check="{name}"]')


def copied_by(page: Page, button: str) -> str:
    """Press a button by keyboard, and return what is in the clipboard behind it."""
    page.locator("#copied").evaluate("element => { element.textContent = '' }")
    page.get_by_role("button", name=button, exact=True).press("Enter")
    expect(page.locator("#copied")).to_contain_text("done")
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def test_one_alert_is_set_up_by_copying(page: Page, desk: LiveDesk) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opens_setup(page, desk)
    assert copied_by(page, "Copy script").splitlines() == SCRIPT.read_text("utf-8").splitlines()
    assert copied_by(page, "Copy unit") == "1"
    expect(page.locator(".built-by")).to_contain_text("The script builds the bricks; the desk checks")
    expect(page.locator(".built-by")).to_contain_text("BRICKS_ES changes it at the next start.")
    assert copied_by(page, "Copy URL of the one alert") == f"{desk.url}/tv"
    assert copied_by(page, "Copy secret") == "YOUR TV_WEBHOOK_SECRET"
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Put the secret in").click()
    expect(page.locator("#reveal-answer")).to_contain_text("until this page is left")
    assert copied_by(page, "Copy secret") == TV_SECRET
    assert TV_SECRET not in copied_by(page, "Copy script")


def test_the_checklist_is_ticked_by_what_arrives(page: Page, desk: LiveDesk) -> None:
    opens_setup(page, desk)
    expect(check(page, "heard")).to_contain_text("nothing received yet")
    expect(check(page, "sizes")).to_contain_text("none yet of 1pt, 2.5pt, 4pt, 6pt, 8pt, 12pt")
    for name in ("clock", "base", "colors"):
        expect(check(page, name)).to_contain_text("unknown")
        expect(check(page, name)).to_have_attribute("data-mark", "unknown")
    chart = Chart("CME_MINI:ES1!", tf="1", seen=("5250",), started_ms=int(time.time() * 1000) - 180_000)
    sends(desk, now_of(chart.closes(5275.25)))
    expect(check(page, "heard")).to_contain_text("received")
    expect(check(page, "sizes")).to_contain_text("the script knows 6 of 6, the desk has heard 6 of 6")
    expect(check(page, "clock")).to_contain_text("s")
    expect(check(page, "base")).to_contain_text("1 min")
    expect(check(page, "colors")).to_contain_text("the desk's bricks are the script's")
    for name in ("heard", "sizes", "base", "colors"):
        expect(check(page, name)).to_have_attribute("data-mark", "done")
    chart.closes(5250)  # is lost
    sends(desk, now_of(chart.closes(5240)))
    expect(check(page, "colors")).to_contain_text("the desk had other bricks of size 1, 2.5, 4, 6, 8:")
    expect(check(page, "feed")).to_have_attribute("data-mark", "wrong")


def test_a_clock_that_is_off_and_a_wrong_secret_are_said(page: Page, desk: LiveDesk) -> None:
    opens_setup(page, desk)
    message = Chart("CME_MINI:ES1!").closes(5250.25)
    sends(desk, {**message, "now": int(time.time() * 1000) - 14_000, "t": message["t"] - 30_000})
    expect(check(page, "clock")).to_contain_text(re.compile(r"(1[4-9]|2\d)\.\d"))  # and what a busy machine takes
    expect(check(page, "clock")).to_contain_text("compare the machine's clock")
    expect(check(page, "clock")).to_have_attribute("data-mark", "wrong")
    assert desk.tradingview().post("/tv", data=as_sent({**message, "secret": "another"})).status_code == 401
    expect(check(page, "heard")).to_contain_text("the webhook secret is missing or wrong")
    expect(check(page, "heard")).to_have_attribute("data-mark", "wrong")


def sends(desk: LiveDesk, message: Message) -> None:
    answer = desk.tradingview().post("/tv", data=as_sent(message))
    assert answer.status_code == 200, answer.text


def now_of(message: Message) -> Message:
    """Return the message as of an alert that fires now."""
    return {**message, "now": max(message["now"], int(time.time() * 1000))}


def test_a_message_is_copied_with_asset_colour_and_secret(page: Page, desk: LiveDesk) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opens_setup(page, desk)
    opens_other_ways(page)
    main = hook(page, "/tv_renko_main")
    expect(main.locator('[data-slot="message"]')).to_contain_text("YOUR TV_WEBHOOK_SECRET")
    page.get_by_label("down (red)").check()
    page.get_by_label("Password", exact=True).fill("nonsense")
    page.get_by_role("button", name="Put the secret in").click()
    expect(page.locator("#reveal-answer")).to_contain_text("the password is wrong")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
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
    opens_other_ways(page)
    page.get_by_text("The bricks' alerts need this indicator").click()
    page.get_by_role("button", name="Copy indicator").click()
    expect(page.locator("#copied")).to_contain_text("done")
    assert page.evaluate("navigator.clipboard.readText()").splitlines() == BRICK_INDICATOR.splitlines()


def test_the_page_ticks_when_a_webhook_arrives(page: Page, desk: LiveDesk) -> None:
    opens_setup(page, desk)
    opens_other_ways(page)
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


def test_limits_that_are_off_are_switched_on_here_too(page: Page, desk: LiveDesk) -> None:
    opens_setup(page, desk)
    limits, answer = page.locator("#limits"), page.locator('[data-slot="limits-answer"]')
    rows = {name: limits.locator(f"[data-key={name}]") for name in ("weekly_loss_usd", "max_contracts", "flat_by")}
    for row in rows.values():
        expect(row).to_contain_text("off")
    expect(limits.locator("[data-key=max_risk_per_order_pct]")).to_contain_text("1.5 %")
    page.get_by_text("Tighten", exact=True).click()
    page.get_by_label("Weekly loss, USD").fill("900")
    page.get_by_label("Contracts at once").fill("0.5")
    page.get_by_label("Risk of an order, %").fill("1.2")
    page.get_by_role("button", name="Set limits").click()
    expect(answer).to_contain_text("Weekly loss $900.00")
    expect(rows["weekly_loss_usd"]).to_contain_text("$900.00")
    expect(rows["max_contracts"]).to_contain_text("0.5")
    expect(limits.locator("[data-key=max_risk_per_order_pct]")).to_contain_text("1.2 %")
    page.get_by_label("Flat by").fill("25:00")
    page.get_by_role("button", name="Set limits").click()
    expect(answer).to_contain_text("Flat by: ")
    expect(rows["flat_by"]).to_contain_text("off")
    page.get_by_label("Flat by").press("Escape")
    page.get_by_label("Contracts at once").fill("")
    page.get_by_role("button", name="Set limits").click()
    expect(answer).to_contain_text(re.compile(r"Looser, so from \w+ 18:00.*: Contracts at once off\."))
    expect(rows["max_contracts"]).to_contain_text(re.compile(r"^\s*Contracts at once\s*0\.5\s*off from \w+ 18:00"))


def test_it_fits_a_phone(page: Page, desk: LiveDesk) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    opens_setup(page, desk)
    fits(page, 390)
    opens_other_ways(page)
    fits(page, 390)
    page.get_by_text("Tighten", exact=True).click()
    fits(page, 390)
