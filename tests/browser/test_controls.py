"""Every control of the open trade, of what waits and of the day, as an operator uses it from the page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import complaints_of, log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_dashboard import PRICE, hold, market_agrees
from tests.browser.waiting import box_of, fits


@pytest.fixture
def holding(dashboard: Page, desk: LiveDesk) -> Page:
    """The dashboard with a long SCALP of five at PRICE; the 2.5pt brick is green, so management is locked."""
    desk.hears_brick("2.5", "green")
    enter_long(dashboard, desk)
    return dashboard


def test_the_management_lock_refuses_what_loosens_and_lets_protect_be_armed(holding: Page, desk: LiveDesk) -> None:
    target, protect = way(holding, "points_target"), way(holding, "protect")
    expect(target).to_contain_text("Locked: 2.5pt is green, only nearer")
    expect(holding.locator("#ways-out-head")).to_contain_text("Management locked until 2.5pt turns red")
    switch(target).click()
    expect(target.get_by_role("alert")).to_contain_text("MANAGEMENT LOCK ACTIVE — the 2.5pt brick is green")
    expect(switch(target)).to_have_attribute("aria-checked", "true")

    expect(protect).not_to_have_attribute("data-locked", "")
    switch(protect).focus()
    holding.keyboard.press("Space")
    expect(switch(protect)).to_have_attribute("aria-checked", "true")
    expect(protect.get_by_role("alert")).to_be_hidden()
    protect.get_by_role("button", name="+0.5").click()
    expect(protect.get_by_role("button", name="+0.5")).to_have_attribute("aria-pressed", "true")
    expect(protect).to_contain_text("open points ≤ 0.5")
    assert asset_of(desk)["protect_threshold_points"] == 0.5


def test_the_points_target_is_moved_refused_beyond_its_range_and_switched_off(holding: Page, desk: LiveDesk) -> None:
    desk.hears_brick("2.5", "red")
    target = way(holding, "points_target")
    expect(target).to_contain_text("at 5,265.25")
    field = target.get_by_label("Points target").and_(holding.locator("input"))
    field.fill("500")
    target.get_by_role("button", name="Set").click()
    expect(target.get_by_role("alert")).to_contain_text("target was 500, it must be above 0 and at most 200")
    field.fill("7.5")
    field.press("Enter")
    expect(target).to_contain_text("at 5,257.75")
    expect(holding.locator("#trade .rail-legend")).to_contain_text("Target 5,257.75")
    switch(target).click()
    expect(switch(target)).to_have_attribute("aria-checked", "false")
    expect(holding.locator("#trade .rail-legend")).to_contain_text("No points target")


def test_the_signal_target_counts_is_reset_and_takes_the_trade_out(holding: Page, desk: LiveDesk) -> None:
    signals = way(holding, "signal_target")
    signals.locator("input").fill("2")
    signals.locator("input").press("Enter")
    expect(signals).to_contain_text("2 red 6pt bricks")
    switch(signals).click()
    expect(switch(signals)).to_have_attribute("aria-checked", "true")
    desk.hears_brick("6", "red")
    expect(signals).to_contain_text("1 of 2 red 6pt bricks")
    signals.get_by_role("button", name="Reset count").click()
    expect(signals).to_contain_text("0 of 2 red 6pt bricks")
    desk.hears_brick("6", "red")
    expect(signals).to_contain_text("1 of 2 red 6pt bricks")
    desk.hears_brick("6", "red")
    assert desk.bridge_claims()["kind"] == "EXIT"


def test_arming_is_locked_once_a_brick_of_that_size_has_come(holding: Page, desk: LiveDesk) -> None:
    """The 8pt next-bar exit and the signal target may be armed freely only before the first fresh brick."""
    later = way(holding, "high_next_bar")
    expect(later).not_to_have_attribute("data-locked", "")
    desk.hears_brick("6", "green")
    signals = way(holding, "signal_target")
    expect(signals).to_contain_text("Locked: 2.5pt is green, a 6pt brick has come")
    switch(signals).click()
    expect(signals.get_by_role("alert")).to_contain_text("MANAGEMENT LOCK ACTIVE")
    switch(later).click()
    expect(switch(later)).to_have_attribute("aria-checked", "true")
    for name in ("main_flip", "four_pt_invalidation"):
        switch(way(holding, name)).click()
        expect(switch(way(holding, name))).to_have_attribute("aria-checked", "true")
    desk.hears_brick("4", "red")
    assert desk.bridge_claims()["source"] == "four_pt_invalidation"


def test_a_switch_does_not_move_before_the_desk_has_said_so(holding: Page, desk: LiveDesk) -> None:
    flip = switch(way(holding, "main_flip"))
    desk.freezes()
    flip.click()
    expect(flip).to_have_attribute("aria-busy", "true")
    expect(flip).to_have_attribute("aria-checked", "false")
    desk.thaws()
    expect(flip).to_have_attribute("aria-checked", "true")
    expect(flip).not_to_have_attribute("aria-busy", "true")


def test_scale_in_is_locked_unlocked_by_a_brick_and_used_once(holding: Page, desk: LiveDesk) -> None:
    button = holding.locator("#scale-in button")
    expect(button).to_contain_text("after a 6pt brick with the trade")
    button.click(force=True)
    expect(holding.locator("#scale-in").get_by_role("alert")).to_contain_text("SCALE-IN LOCKED")
    desk.hears_brick("6", "green")
    expect(button).to_contain_text("unlocked")
    button.click()
    order = desk.bridge_claims()
    assert (order["kind"], order["side"], order["qty"]) == ("SCALE_IN", "BUY", 5)
    desk.bridge_fills(order, PRICE + 2)
    expect(holding.locator("#trade")).to_contain_text("LONG 10")
    expect(button).to_contain_text("Scale-in used")


def test_a_preorder_is_taken_back_cancelled_by_a_wrong_brick_and_fired(dashboard: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    entry, waiting = dashboard.locator("#entry"), dashboard.locator("#waiting")
    choose(dashboard, "preorder")
    buy = entry.locator("[data-side=BUY]")
    expect(buy).to_contain_text("Pre-order ▲ BUY 5 MESZ4")
    buy.click()
    expect(waiting).to_contain_text("Pre-order WAITING: ▲ BUY")
    expect(buy).to_contain_text("PRE-ORDER WAITS")
    buy.click(force=True)
    expect(entry.get_by_role("alert").first).to_contain_text("A PRE-ORDER WAITS ALREADY")
    waiting.get_by_role("button", name="Cancel").click()
    expect(waiting).to_contain_text("Pre-order CANCELLED: cancelled by the operator")

    buy.click()
    expect(waiting).to_contain_text("WAITING")
    desk.hears_brick("6", "red")
    expect(waiting).to_contain_text("Pre-order CANCELLED: the 6pt brick came red")

    buy.click()
    expect(waiting).to_contain_text("WAITING")
    desk.hears_brick("6", "green")
    order = desk.bridge_claims()
    assert (order["kind"], order["side"]) == ("ENTRY", "BUY")
    expect(waiting.locator(".waiting-card")).to_be_hidden()


def test_an_intent_becomes_ready_and_then_expires(dashboard: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    choose(dashboard, "intent")
    dashboard.get_by_role("button", name="Note an intent").click()
    card = dashboard.locator("#waiting")
    expect(card).to_contain_text("Intent WAITING")
    desk.hears_brick("6", "red")
    expect(card).to_contain_text("Intent READY")
    card.get_by_role("button", name="Go to Market").click()
    expect(dashboard.locator("#entry [data-side=BUY]")).to_contain_text("▲ BUY 5 MESZ4")
    desk.hears_brick("6", "red")
    expect(card).to_contain_text("Intent EXPIRED")


def test_limits_tighten_now_and_loosen_tomorrow(dashboard: Page) -> None:
    limits = dashboard.locator("#limits")
    limits.get_by_text("Tighten", exact=True).click()
    limits.get_by_label("Trades a day").fill("4")
    limits.get_by_label("Cooldown, s").fill("60")
    limits.get_by_role("button", name="Set limits").click()
    expect(limits.get_by_role("alert")).to_have_text(
        re.compile(r"^In force now: Trades a day 4\. Looser, so from \w+ 18:00.*: Cooldown 01:00\.$")
    )
    expect(dashboard.locator("#day")).to_contain_text("of 4 trades left")
    expect(limits.locator("[data-key=cooldown_seconds]")).to_contain_text("03:00")
    expect(limits.locator("[data-key=cooldown_seconds]")).to_contain_text(re.compile(r"01:00 from \w+ 18:00"))
    limits.get_by_label("Daily stop, %").fill("0")
    limits.get_by_label("Daily stop, %").press("Enter")
    expect(limits.get_by_role("alert")).to_have_text("Daily stop: must be above 0, was 0")


def test_a_trade_is_given_up_by_holding_and_the_loss_warns_in_grades(dashboard: Page, desk: LiveDesk) -> None:
    taking = dashboard.locator("#slot-taking")
    taking.get_by_role("button").click()
    expect(taking.get_by_role("alert")).to_contain_text("5 of today's trades would be left")
    hold(taking.get_by_role("button"))
    expect(dashboard.locator("#day")).to_contain_text(re.compile(r"5\s+of 6 trades left"))

    warned = dashboard.locator("#day .warned")
    desk.bridge_reports_account(50_000.0, 0.0)
    expect(warned).to_be_hidden()
    desk.bridge_reports_account(49_450.0, -550.0)
    expect(warned).to_contain_text("Half of today's loss limit")
    desk.bridge_reports_account(49_100.0, -900.0)
    expect(warned).to_contain_text("85 % of today's loss limit")


def test_live_without_a_bridge_is_refused_where_it_was_asked(dashboard: Page, desk: LiveDesk) -> None:
    env = dashboard.locator("#env")
    env.get_by_role("button", name="Hold for LIVE").click()
    expect(env.get_by_role("alert")).to_contain_text("with real money")
    hold(env.get_by_role("button"))
    expect(env.get_by_role("alert")).to_contain_text("BRIDGE OFFLINE — LIVE needs a bridge")
    expect(env.get_by_role("status")).to_have_text("DEMO")
    desk.bridge_beats()
    hold(env.get_by_role("button"))
    expect(env.get_by_role("status")).to_have_text("LIVE")


def test_a_phone_switches_protect_with_the_exit_still_under_the_thumb(browser: Browser, desk: LiveDesk) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    complaints = complaints_of(page)
    log_in(page, desk)
    enter_long(page, desk)
    desk.hears_brick("2.5", "red")
    protect = switch(way(page, "protect"))
    protect.tap()
    expect(protect).to_have_attribute("aria-checked", "true")
    expect(page.locator("#thumb-bar [data-exit=one]")).to_be_in_viewport()
    fits(page, 390)
    context.close()
    assert complaints == []


def enter_long(page: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    page.locator("#entry [data-side=BUY]").click()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    desk.hears_price(PRICE + 1)
    expect(page.locator("#trade")).to_contain_text("LONG 5", use_inner_text=True)


def choose(page: Page, value: str) -> None:
    """Click on a segment of the entry's choices."""
    page.locator("#entry label").filter(has=page.locator(f"[value={value}]")).click()


def way(page: Page, name: str) -> Locator:
    """Return the row of a way out."""
    return page.locator(f"#ways-out [data-way={name}]")


def switch(row: Locator) -> Locator:
    return row.get_by_role("switch")


def asset_of(desk: LiveDesk) -> dict[str, object]:
    asset: dict[str, object] = desk.operator().state()["assets"]["ES"]
    return asset


def test_protect_that_fires_at_once_says_so_before_and_with_the_answer(holding: Page, desk: LiveDesk) -> None:
    desk.hears_brick("2.5", "red")
    desk.hears_price(PRICE - 3)
    protect = way(holding, "protect")
    due = "fires at once at −3.00 pt, a forced exit inside the initial lock"
    expect(protect.locator("[data-slot=where]")).to_have_text(due)
    switch(protect).click()
    expect(protect.get_by_role("alert")).to_have_text(f"Protect {due}.")
    desk.hears_price(PRICE - 3)
    assert desk.bridge_claims()["source"] == "protect"


def test_what_takes_the_trade_out_names_the_price_of_the_daily_stop(dashboard: Page, desk: LiveDesk) -> None:
    enter_long(dashboard, desk)
    stop = way(dashboard, "daily_stop")
    at_which_price = 5210.25  # 5 micros lose 1,000 USD, 2 % of 50,000, over 40 points
    expect(stop).to_contain_text("drawdown reaches 2 %")
    expect(stop).to_contain_text(f"by the books at {at_which_price:,.2f}")
    assert asset_of(desk)["daily_stop_price"] == at_which_price


@pytest.mark.parametrize("width", [390, 1440])
def test_a_setting_hides_no_word_of_its_way_out(holding: Page, desk: LiveDesk, width: int) -> None:
    """Protect's threshold stood upon the sentence that it fires at once."""
    holding.set_viewport_size({"width": width, "height": 900})
    desk.hears_price(PRICE - 3)
    protect = way(holding, "protect")
    expect(protect.locator(".way-where")).to_contain_text("fires at once at −3.00 pt")
    words, setting = box_of(protect.locator(".way-where")), box_of(protect.locator(".setting"))
    when = box_of(protect.locator(".way-when"))
    assert words["y"] >= setting["y"] + setting["height"] - 1 or words["x"] >= setting["x"] + setting["width"]
    assert when["x"] + when["width"] <= setting["x"] + 1
    assert when["width"] > 100, "its words stand one below the other"
