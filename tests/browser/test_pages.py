"""What holds for every page: it asks nobody but the desk, complains of nothing, and is installable."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import PASSWORD, LiveDesk
from tests.browser.modules import call
from tests.browser.test_dashboard import PRICE, hold, market_agrees
from tests.browser.test_journal import rows, trade_once
from tests.browser.waiting import box_of, fits, until
from tests.support.desk_process import QUICK

NINE = ("ES", "NQ", "YM", "RTY", "CL", "GC", "US30", "EURUSD", "XAUUSD")
PAGES = ("/", "/journal", "/portfolio", "/review", "/models", "/log", "/status", "/setup", "/api/docs", "/login")


def test_no_page_asks_anybody_else(page: Page, desk: LiveDesk) -> None:
    """The strict policy would refuse it; here nothing even tries."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    log_in(page, desk)
    desk.hears_brick("6", "green")
    for path in PAGES:
        page.goto(f"{desk.url}{path}")
        page.wait_for_timeout(700)  # until scripts, charts' library and first data are in
    assert len(asked) > 100
    assert [url for url in asked if not url.startswith((f"{desk.url}/", "data:"))] == []


@pytest.mark.whole_browser
def test_the_browser_finds_nothing_wrong_with_the_manifest(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk)
    wire = page.context.new_cdp_session(page)
    told = wire.send("Page.getAppManifest")
    assert told["errors"] == []
    assert told["url"].endswith("/manifest.webmanifest")
    assert wire.send("Page.getInstallabilityErrors")["installabilityErrors"] == [
        {"errorId": "in-incognito", "errorArguments": []}
    ]


def test_a_click_that_the_sessions_end_swallowed_is_told_until_somebody_logs_in(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk, "/journal")
    expect(page.locator("#headline")).not_to_contain_text("Reading")
    page.context.clear_cookies()
    page.locator("#page-exit button").click()
    expect(page).to_have_url(f"{desk.url}/login")
    told = page.get_by_role("alert")
    expect(told).to_contain_text("Your last click (exit all) was NOT carried out")
    page.reload()
    expect(told).to_contain_text("Log in and look again")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{desk.url}/")
    page.goto(f"{desk.url}/login")
    page.wait_for_timeout(300)  # its script has run
    expect(told).to_have_count(0)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (lambda click: click.continue_(), "Your last click (BUY ES) was NOT carried out: the session had ended"),
        (lambda click: click.fulfill(body="", content_type="application/json"), "carried out is unknown"),
    ],
    ids=["refused", "unanswered"],
)
def test_a_click_under_way_is_told_though_the_page_hears_first_that_the_session_ended(
    page: Page, desk: LiveDesk, answers: Callable[[Route], None], told: str
) -> None:
    market_agrees(desk, "green")
    log_in(page, desk)
    clicks: list[Route] = []
    page.route("**/api/orders", lambda route: clicks.append(route))
    page.locator("#entry [data-side=BUY]").click()
    until(page, lambda: clicks)
    (click,) = clicks
    logs_out_elsewhere(page, desk)
    with page.expect_response("**/api/state") as polled:
        call(page, "js/desk/stream.js", "module.refresh()")
    assert polled.value.status == 401
    page.wait_for_timeout(300)
    expect(page.locator("#entry")).to_be_visible()
    answers(click)
    expect(page).to_have_url(f"{desk.url}/login")
    expect(page.get_by_role("alert").first).to_contain_text(told)


def logs_out_elsewhere(page: Page, desk: LiveDesk) -> None:
    """Log out with a copy of the page's cookie."""
    (held,) = page.context.cookies()
    copied = {"Cookie": f"{held['name']}={held['value']}"}
    assert desk.stranger().post("/api/logout", headers=copied).status_code == 200


def test_a_page_whose_session_was_ended_elsewhere_goes_to_the_login_by_itself(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk)
    logs_out_elsewhere(page, desk)
    expect(page).to_have_url(f"{desk.url}/login")  # its stream ends, then its poll is refused
    expect(page.get_by_role("alert")).to_have_count(0)


def test_two_desks_on_one_host_are_open_side_by_side(page: Page, desk: LiveDesk, tmp_path: Path) -> None:
    with LiveDesk(tmp_path / "neighbour") as neighbour:
        log_in(page, desk)
        beside = log_in(page.context.new_page(), neighbour)
        page.reload()
        expect(page.locator("[data-connection=stream]")).to_have_attribute("data-up", "yes")
        beside.get_by_role("button", name="Log out").click()
        expect(beside).to_have_url(f"{neighbour.url}/login")
        page.reload()
        expect(page.locator("[data-connection=stream]")).to_have_attribute("data-up", "yes")
        beside.close()


def test_logging_out_ends_every_page_of_the_browser(page: Page, desk: LiveDesk) -> None:
    others = [page.context.new_page() for _ in range(2)]
    for other, path in zip(others, ("/", "/journal"), strict=True):
        log_in(other, desk)
        other.goto(f"{desk.url}{path}")
    log_in(page, desk).get_by_role("button", name="Log out").click()
    for opened in (page, *others):
        expect(opened).to_have_url(f"{desk.url}/login")


def test_everything_can_be_left_from_the_pages_beside_the_desk(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk, "/journal")
    leave, told = page.locator("#page-exit button"), page.locator("#page-exit").get_by_role("alert")
    leave.click()
    expect(told).to_have_text("Every asset is flat: nothing to exit.")
    market_agrees(desk, "green")
    asked = {"asset": "ES", "direction": "BUY", "order_type": "market", "entry_size_mode": "6pt", "trade_mode": "SCALP"}
    taken = page.request.post(f"{desk.url}/api/orders", data=asked, headers={"Idempotency-Key": "one"})
    assert taken.ok, taken.text()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    leave.click()
    expect(told).to_contain_text("INITIAL EXIT LOCK ACTIVE — ES is locked until the next 6pt brick")
    hold(leave)
    expect(told).to_have_text("Exits queued: ES.")
    assert desk.bridge_claims()["kind"] == "EXIT"


@pytest.mark.parametrize("path", ["/journal", "/log", "/status", "/setup"])
def test_the_exit_is_on_every_narrow_page_however_far_down(page: Page, desk: LiveDesk, path: str) -> None:
    log_in(page, desk, path)
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 700})
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        leave = page.locator("#page-exit button")
        expect(leave).to_be_in_viewport()
        leave.click()
        expect(page.locator("#page-exit").get_by_role("alert")).to_be_in_viewport(ratio=1)
        fits(page, width)


@pytest.mark.parametrize("path", ["/log", "/setup"])
def test_a_page_beside_the_desk_says_that_the_desk_is_lost(page: Page, desk: LiveDesk, path: str) -> None:
    log_in(page, desk)
    desk.hears_brick("8", "green")
    page.goto(f"{desk.url}{path}")
    lost = page.locator("#banners [data-slot=lost]")
    expect(lost).to_be_hidden()
    desk.freezes()
    expect(lost).to_contain_text(re.compile(r"does not answer since \d\d:\d\d:\d\d"))
    page.set_viewport_size({"width": 390, "height": 500})
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(lost).to_be_in_viewport(ratio=1)
    if path == "/setup":
        expect(page.locator('.hook-age[data-heard="old"]')).to_contain_text("as far as is known")
    desk.thaws()


def test_the_tab_of_the_chosen_asset_is_always_in_sight(page: Page, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    with LiveDesk(tmp_path / "nine", ASSETS=",".join(NINE), CONTRACTS="") as desk:
        log_in(page, desk)
        chosen = page.locator("#assets [role=tab][aria-selected=true]")
        for key in ("9", "1"):
            page.keyboard.press(key)
            expect(chosen).to_contain_text(NINE[int(key) - 1])
            expect(chosen).to_be_in_viewport(ratio=0.99)
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(f"{desk.url}/#{NINE[5]}")
        page.reload()
        expect(chosen).to_contain_text(NINE[5])
        expect(chosen).to_be_in_viewport(ratio=0.99)
        assert page.evaluate("[scrollX, scrollY]") == [0, 0]
        page.goto("about:blank")


def test_a_note_that_is_not_saved_outlives_another_filter(page: Page, tmp_path: Path) -> None:
    with LiveDesk(tmp_path / "quick", **QUICK) as desk:
        trade_once(desk, 4)
        log_in(page, desk, "/journal")
        detail, side = page.locator(".trade-detail"), page.get_by_label("Side")
        rows(page).locator(".opens").click()
        detail.get_by_label("Note").fill("half a thought")
        side.select_option("SELL")
        expect(rows(page)).to_be_hidden()
        side.select_option("")
        expect(detail.get_by_label("Note")).to_have_value("half a thought")
        expect(detail.get_by_role("status")).to_have_text("draft, not saved")
        detail.get_by_role("button", name="Save note").click()
        expect(detail.get_by_role("status")).to_have_text(re.compile(r"^saved \d"))
        page.goto("about:blank")


def test_a_note_that_is_not_saved_outlives_the_page_until_it_is_saved(page: Page, tmp_path: Path) -> None:
    with LiveDesk(tmp_path / "quick", **QUICK) as desk:
        trade_once(desk, 4)
        log_in(page, desk, "/journal")
        detail = page.locator(".trade-detail")
        rows(page).locator(".opens").click()
        detail.get_by_label("Note").fill("half a thought")
        detail.get_by_label("Tags").fill("plan")
        page.goto(desk.url)
        page.goto(f"{desk.url}/journal")
        rows(page).locator(".opens").click()
        expect(detail.get_by_label("Note")).to_have_value("half a thought")
        expect(detail.get_by_label("Tags")).to_have_value("plan")
        expect(detail.get_by_role("status")).to_have_text("draft, not saved")
        detail.get_by_role("button", name="Save note").click()
        expect(detail.get_by_role("status")).to_have_text(re.compile(r"^saved \d"))
        page.reload()
        rows(page).locator(".opens").click()
        expect(detail.get_by_label("Note")).to_have_value("half a thought")
        expect(detail.get_by_role("status")).to_have_text(re.compile(r"^saved \d"))
        page.goto("about:blank")


LONG_AGES = """
() => ["tradingview", "bridge"].forEach((name) => {
  const age = document.querySelector(`[data-connection] [data-slot=${name}]`);
  new MutationObserver(() => { if (!age.textContent.endsWith("27 min")) age.textContent = "silent 1 h 27 min"; })
    .observe(age, {childList: true, characterData: true, subtree: true});
  age.textContent = "silent 1 h 27 min";
})
"""


def test_the_desks_bar_stays_one_line_with_two_long_ages(page: Page, desk: LiveDesk) -> None:
    desk.hears_price(PRICE, source="simulated")
    log_in(page, desk)
    page.evaluate(LONG_AGES)
    expect(page.locator("#top .badge-simulated")).to_be_visible()
    for width in (1920, 1600, 1440, 1366):
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.locator("#top [data-slot=bridge]")).to_have_text("silent 1 h 27 min")
        assert page.locator("#top").evaluate("(bar) => bar.offsetHeight") < 60, width


def test_the_rare_pages_are_reached_by_keyboard_too(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk)
    pages = page.get_by_role("navigation", name="Pages")
    expect(pages.get_by_role("link", name="Models")).to_have_count(0)
    more = pages.get_by_role("button", name="More")
    more.focus()
    page.keyboard.press("Enter")
    for name in ("Review", "Models", "Status", "Set-up"):
        expect(pages.get_by_role("link", name=name)).to_be_in_viewport(ratio=1)
    button, menu = box_of(more), box_of(page.locator("#more-pages"))
    assert (menu["x"], menu["y"]) == pytest.approx((button["x"], button["y"] + button["height"]), abs=2)
    page.keyboard.press("Escape")
    expect(pages.get_by_role("link", name="Models")).to_have_count(0)
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(pages.get_by_role("link", name="Review")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{desk.url}/review")
    expect(pages.get_by_role("link", name="Review")).to_have_attribute("aria-current", "page")
