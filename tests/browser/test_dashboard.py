"""The operator's page as an operator meets it: a real Chromium before a real desk."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import EXPECT_WITHIN_MS, complaints_of, log_in
from tests.browser.live_desk import PASSWORD, LiveDesk
from tests.browser.modules import call
from tests.browser.waiting import box_of, fits, keeps_pressing
from tests.support.desk_process import PATIENCE_SECONDS, eventually
from tests.support.own_time import within_own_seconds

PRICE = 5250.25


def test_a_stranger_is_sent_to_log_in(page: Page, desk: LiveDesk) -> None:
    page.goto(desk.url)
    expect(page).to_have_url(f"{desk.url}/login")
    expect(page.get_by_label("Password")).to_be_focused()


def test_a_wrong_password_is_refused_and_the_right_one_opens_the_desk(page: Page, desk: LiveDesk) -> None:
    page.goto(f"{desk.url}/login")
    page.get_by_label("Password").fill("not it")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("password is wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The ladder")).to_be_visible()
    expect(page.locator("[data-connection=stream]")).to_have_attribute("data-up", "yes")  # its scripts run
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(f"{desk.url}/login")


def test_an_ended_session_is_noticed_by_the_next_click(dashboard: Page, desk: LiveDesk) -> None:
    for canvas in dashboard.locator("#charts [data-slot=canvas]").all():  # nothing is asked by itself any more
        expect(canvas).to_have_attribute("aria-label", re.compile("no brick yet"))
    expect(dashboard.locator("#day")).to_contain_text("No gate had to refuse anything yet today", use_inner_text=True)
    dashboard.context.clear_cookies()
    dashboard.locator("#assets [data-exit=all]").click(timeout=EXPECT_WITHIN_MS)
    expect(dashboard).to_have_url(f"{desk.url}/login")


def test_an_empty_desk_says_what_it_waits_for(dashboard: Page) -> None:
    stack = dashboard.locator("#stack")
    expect(stack).to_contain_text("Waiting for the first price")
    expect(stack).to_contain_text("Waiting for the first 8pt and 12pt bricks")
    expect(stack).to_contain_text("Waiting for the first 6pt brick")
    expect(dashboard.locator("#day")).to_contain_text("Waiting for the first account balance")
    expect(dashboard.locator("#entry [data-side=BUY]")).to_contain_text("TRADINGVIEW SILENT")


def test_a_brick_appears_the_moment_it_is_posted(dashboard: Page, desk: LiveDesk) -> None:
    brick = dashboard.locator("[data-stream=main_renko]")
    expect(brick).to_have_attribute("data-color", "neutral")
    with within_own_seconds(1):
        desk.hears_brick("6", "red")
        expect(brick).to_have_attribute("data-color", "red")
    expect(brick).to_contain_text("▼ R")
    expect(dashboard.locator("#stack")).to_contain_text("READY")
    expect(dashboard.locator("[data-feed=tradingview] li").first).to_contain_text("tv_renko_main")
    with within_own_seconds(1):
        desk.hears_price(5251.5)
        expect(dashboard.locator("#stack [data-slot=price]")).to_have_text("5,251.50")


def test_normal_zone_offers_the_structures_side_and_free_zone_both(dashboard: Page, desk: LiveDesk) -> None:
    buy, sell = dashboard.locator("#entry [data-side=BUY]"), dashboard.locator("#entry [data-side=SELL]")
    market_agrees(desk, "red")
    expect(sell).to_contain_text("SELL 5 MESZ4")
    expect(sell).to_have_attribute("aria-disabled", "false")
    expect(buy).to_be_hidden()
    desk.hears_brick("8", "green")
    expect(buy).to_have_attribute("aria-disabled", "false")
    expect(sell).to_have_attribute("aria-disabled", "false")
    dashboard.locator("#entry").get_by_text("9pt").click()
    expect(buy).to_contain_text("BUY 3 MESZ4")


def test_from_entry_through_a_forced_exit_to_flat_and_blocked(dashboard: Page, desk: LiveDesk) -> None:
    """The whole story of one trade: every picture comes from the desk, never from the click."""
    market_agrees(desk, "green")
    dashboard.locator("#entry [data-side=BUY]").click()
    order = desk.bridge_claims()
    assert (order["side"], order["qty"], order["kind"]) == ("BUY", 5, "ENTRY")
    trade = dashboard.locator("#trade")
    expect(trade).to_contain_text("ENTRY BUY 5 MESZ4 is CLAIMED")
    expect(trade).to_contain_text("Flat", use_inner_text=True)

    desk.bridge_fills(order, PRICE)
    expect(trade).to_contain_text("LONG 5", use_inner_text=True)
    expect(trade).to_contain_text("5,235.25")
    desk.hears_price(PRICE + 2)
    expect(trade).to_contain_text("+2.00 pt")
    expect(trade).to_contain_text("+$50.00")
    expect(dashboard.get_by_role("tab", name="ES")).to_contain_text("+5")

    exit_button = trade.locator("[data-exit=one]")
    expect(exit_button).to_contain_text("locked until the next 6pt brick")
    exit_button.click()
    expect(trade.get_by_role("alert").last).to_contain_text("INITIAL EXIT LOCK ACTIVE")
    hold(exit_button)
    leaving = desk.bridge_claims()
    assert (leaving["side"], leaving["qty"], leaving["kind"]) == ("SELL", 5, "EXIT")
    expect(trade).to_contain_text("EXIT SELL 5 MESZ4 is CLAIMED")
    desk.bridge_fills(leaving, PRICE + 1)
    expect(trade).to_contain_text("Flat", use_inner_text=True)
    row = dashboard.locator("#history tbody tr").first
    expect(row).to_contain_text("+$25.00")
    expect(row).to_contain_text("forced")

    blocked_click_tells_why_and_until_when(dashboard)
    eventually(lambda: timeless(document_of(dashboard)) == timeless(desk.operator().state()))


def blocked_click_tells_why_and_until_when(dashboard: Page) -> None:
    button = dashboard.locator("#entry [data-side=BUY]")
    expect(button).to_have_text(re.compile(r"POST-EXIT COOLDOWN 0[12]:\d\d"))
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(dashboard.locator("#ladder [data-first]")).to_contain_text("Cooldown")
    before = button.inner_text()
    expect(button).not_to_have_text(before)  # the countdown runs
    button.click(force=True)
    answer = dashboard.locator("#entry").get_by_role("alert").first
    expect(answer).to_have_text(re.compile(r"POST-EXIT COOLDOWN ACTIVE \(0[12]:\d\d remaining\)"))


def test_a_late_message_never_overwrites_a_newer_one(dashboard: Page, desk: LiveDesk) -> None:
    """Polls and streams cross on the way: the smaller version loses, whatever arrives last."""
    older = desk.operator().state()
    desk.hears_brick("6", "red")
    brick = dashboard.locator("[data-stream=main_renko]")
    expect(brick).to_have_attribute("data-color", "red")
    assert call(dashboard, "js/desk/store.js", "module.takeAnswer(argument)", older) is False
    dashboard.wait_for_timeout(1_100)  # one more second's drawing
    expect(brick).to_have_attribute("data-color", "red")


def test_an_exit_that_was_refused_is_told_until_its_trade_is_over(dashboard: Page, desk: LiveDesk) -> None:
    """What came later and is over, or is long ago, hides nothing that still lasts."""
    refused = ended_order("exit_refused", minutes=20, over=False)
    rejected, fresh = ended_order("order_rejected", minutes=3), ended_order("order_rejected", minutes=0.5)
    unclaimed = ended_order("exit_unclaimed", minutes=1, over=True)
    elsewhere = {**refused, "asset": "NQ"}
    cases = (
        ([unclaimed, refused], "exit_refused"),
        ([rejected, refused], "exit_refused"),
        ([elsewhere, unclaimed, fresh, refused], "order_rejected"),
        ([refused, fresh], "exit_refused"),
        ([elsewhere, unclaimed, rejected], None),
        ([unclaimed, {**refused, "over": True}], None),
    )
    ended, state = dashboard.locator("#trade [data-slot=ended]"), desk.operator().state()
    now = datetime.fromisoformat(state["now"])
    for later, (alerts, words) in enumerate(cases, 1):
        told = [
            {**one, "at": (now - timedelta(minutes=one["ago"])).isoformat(), "sentence": f"{later}: {one['code']}"}
            for one in alerts
        ]
        newer = {**state, "version": state["version"] + 1_000 + later, "alerts": told}
        assert call(dashboard, "js/desk/store.js", "module.takeAnswer(argument)", newer) is True
        expect(dashboard.locator("#alerts .alert").first).to_contain_text(f"{later}: ")  # it was drawn
        if words is None:
            expect(ended).to_be_hidden()
        else:
            expect(ended).to_contain_text(f"{later}: {words}")


def ended_order(code: str, minutes: float, over: bool | None = None) -> dict[str, Any]:
    """Return an alert of an order that was not filled, so many minutes ago."""
    return {"asset": "ES", "code": code, "level": "warning", "over": over, "ago": minutes}


def test_keyboard_enters_and_exits(dashboard: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    button = dashboard.locator("#entry [data-side=BUY]")
    expect(button).to_have_attribute("aria-disabled", "false")
    button.focus()
    dashboard.keyboard.press("Enter")
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    desk.hears_brick("6", "green")
    leave = dashboard.locator("#trade [data-exit=one]")
    expect(leave).not_to_have_attribute("data-locked", "")
    leave.focus()
    dashboard.keyboard.press("Space")
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    expect(dashboard.locator("#trade")).to_contain_text("Flat", use_inner_text=True)


def test_override_needs_a_side_a_reason_and_a_held_button(dashboard: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    dashboard.locator("#entry").get_by_text("Override the zone").click()
    override = dashboard.locator("#entry .override")
    button = override.locator(".override-button")
    expect(button).to_contain_text("Choose BUY or SELL first")
    override.get_by_text("SELL").first.click()
    expect(button).to_contain_text("Write why first")
    hold(button)
    expect(override.get_by_role("alert")).to_contain_text("Write why first")
    override.get_by_label("Why").fill("  .  ")
    expect(button).to_contain_text("Write why first")
    override.get_by_label("Why").fill("the open gap closes")
    expect(button).to_contain_text("Hold to SELL 5 MESZ4")
    button.click()
    expect(override).to_contain_text(re.compile(r"Not sent: let go after 0\.\d s, hold 1\.5 s"))
    assert desk.operator().state()["orders"] == []
    hold(button)
    order = desk.bridge_claims()
    assert order["side"] == "SELL"
    [[told]] = desk.rows("SELECT events FROM journal WHERE instr(events, CAST('the open gap closes' AS BLOB))")
    assert b"EntryAccepted" in told


def test_without_the_desk_entries_wait_exits_stay_and_it_comes_back(dashboard: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    button = dashboard.locator("#entry [data-side=BUY]")
    expect(button).to_have_attribute("aria-disabled", "false")
    desk.freezes()
    with within_own_seconds(9):
        expect(dashboard.locator("#banners")).to_contain_text(re.compile(r"does not answer since \d\d:\d\d:\d\d"))
    expect(button).to_contain_text("STREAM SILENT")
    button.click(force=True)
    expect(dashboard.locator("#entry").get_by_role("alert").first).to_contain_text("Not sent")
    expect(dashboard.locator("#assets [data-exit=all]")).to_be_enabled()
    desk.thaws()
    expect(button).to_have_attribute("aria-disabled", "false")
    expect(dashboard.locator("[data-slot=lost]")).to_be_hidden()


def test_a_phone_has_the_exits_under_the_thumb(browser: Browser, desk: LiveDesk) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    complaints = complaints_of(page)
    log_in(page, desk)
    exit_all = page.locator("#thumb-bar [data-exit=all]")
    expect(exit_all).to_be_in_viewport()
    box = box_of(exit_all)
    assert box["y"] > 844 * 0.8
    assert box["height"] >= 44
    exit_all.tap()
    expect(page.locator("#thumb-bar").get_by_role("alert")).to_contain_text("Every asset is flat")
    fits(page, 390)
    context.close()
    assert complaints == []


def test_without_a_password_a_banner_warns(page: Page, tmp_path: Path) -> None:
    with LiveDesk(tmp_path, SQLITE_PATH=str(tmp_path / "open.sqlite"), DASHBOARD_PASSWORD="") as open_desk:
        page.goto(open_desk.url)
        expect(page.locator("#banners")).to_contain_text("No password is set")
        page.goto("about:blank")


def test_the_page_says_the_same_without_its_scripts(desk: LiveDesk) -> None:
    """Server-rendered first: price, bricks and ladder stand in the HTML itself."""
    market_agrees(desk, "green")
    session = requests.Session()
    session.trust_env = False
    session.post(f"{desk.url}/api/login", json={"password": PASSWORD}, timeout=PATIENCE_SECONDS).raise_for_status()
    html = session.get(desk.url, timeout=PATIENCE_SECONDS).text
    for words in ("5250.25", "▲ G", "NORMAL", "Trade limit", "of 6 trades left"):
        assert words in html
    assert 'style="' not in html
    assert "<script>" not in html


def document_of(page: Page) -> Any:
    """Return the document that the page draws: what patches have made of it."""
    return call(page, "js/desk/store.js", "module.current()")


def timeless(document: Any) -> Any:
    """Return a document without what passing time alone changes: seconds, clocks, countdowns, logs."""
    if isinstance(document, list):
        return [timeless(entry) for entry in document]
    if not isinstance(document, dict):
        return document
    runs = {"now", "version", "logs", "sentence", "candle"}
    return {name: timeless(value) for name, value in document.items() if name not in runs and not name.endswith("_s")}


def market_agrees(desk: LiveDesk, color: str) -> None:
    """Everything an entry needs: a fresh price, a structure of one colour, a tempo token."""
    desk.hears_price(PRICE)
    desk.hears_stack({"12": color, "8": color, "6": color})


def hold(button: Locator) -> None:
    """Press and keep pressing."""
    button.hover()
    mouse = button.page.mouse
    mouse.down()
    keeps_pressing(button.page)
    mouse.up()
