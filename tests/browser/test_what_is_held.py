"""What is at stake stays in sight: every position, real money, a bridge or a desk that is not heard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.browser.conftest import complaints_of, log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.modules import call
from tests.browser.waiting import box_of, fits, until
from tests.support.desk_process import QUICK
from tests.support.own_time import within_own_seconds

PRICE = 4250.0
POINT = 0.8  # of gold
PHONE: ViewportSize = {"width": 390, "height": 844}
SIX = {
    "ASSETS": "ES,NQ,YM,RTY,CL,GC",
    "CONTRACTS": "ES=MESZ4,NQ=MNQZ4,YM=MYMZ4,RTY=M2KZ4,CL=MCLZ4,GC=MGCZ4",
}
SILENT_WITHIN_SECONDS = 9
EXITS_WAIT = "exits wait for it; look at the broker for the position and its stop\\."


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LiveDesk]:
    with LiveDesk(tmp_path, **QUICK, **SIX, DEMO_EQUITY="200000").trades_at_any_hour() as running:
        yield running


@pytest.fixture
def phone(browser: Browser, desk: LiveDesk) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, timezone_id="UTC")
    opened = context.new_page()
    complaints = complaints_of(opened)
    yield opened
    context.close()
    assert complaints == []


def buys(desk: LiveDesk, asset: str, moved: float = 0.0) -> None:
    """Hold five contracts at ``PRICE``; the market has moved since."""
    desk.hears_price(PRICE, asset)
    desk.hears_stack({"12": "green", "8": "green", "6": "green"}, asset)
    desk.operator().enters_when_the_candle_allows(asset, direction="BUY")
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    desk.hears_price(PRICE + moved, asset)


def goes_live(desk: LiveDesk, balance: float | None = None) -> None:
    """Trade for real; an entry needs the balance of the account, too."""
    desk.bridge_beats()
    assert desk.operator().post("/api/env", json={"env": "LIVE"}).status_code == 200
    if balance is not None:
        desk.bridge_reports_account(balance, 0)


def is_within(inner: Locator, outer: Locator) -> bool:
    one, other = box_of(inner), box_of(outer)
    return one["x"] >= other["x"] - 1 and one["x"] + one["width"] <= other["x"] + other["width"] + 1


# -- positions ------------------------------------------------------------------------------------------------------


def test_the_page_opens_on_what_is_held_and_turns_to_nothing_by_itself(page: Page, desk: LiveDesk) -> None:
    buys(desk, "GC", -5 * POINT)
    log_in(page, desk)
    gold, spx = page.get_by_role("tab", name="GC"), page.get_by_role("tab", name="ES")
    expect(gold).to_have_attribute("aria-selected", "true")
    spx.click()
    desk.hears_price(PRICE - 6 * POINT, "GC")
    expect(gold).to_contain_text("long +5 −6.00 pt")
    expect(spx).to_have_attribute("aria-selected", "true")
    page.reload()
    expect(gold).to_have_attribute("aria-selected", "true")  # the flat one was only remembered
    buys(desk, "NQ")
    page.get_by_role("tab", name="NQ").click()
    page.reload()
    expect(page.get_by_role("tab", name="NQ")).to_have_attribute("aria-selected", "true")


def test_the_tab_of_another_position_says_side_points_dollars_and_colours_them(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk)
    buys(desk, "GC", -5 * POINT)
    tab = page.get_by_role("tab", name="GC")
    expect(tab).to_contain_text(re.compile(r"long \+5 −5\.00 pt · −\$[\d,.]+\s*$"))
    expect(tab.locator(".loss")).to_have_text(["−5.00 pt", re.compile(r"^· −\$")])
    desk.hears_price(PRICE + 2 * POINT, "GC")
    expect(tab.locator(".gain")).to_have_text(["+2.00 pt", re.compile(r"^· \+\$")])


def test_a_phone_never_hides_a_position(phone: Page, desk: LiveDesk) -> None:
    log_in(phone, desk)
    bar, tabs = phone.locator("#thumb-bar"), phone.get_by_role("tablist")
    expect(bar.locator(".thumb-state")).to_have_text(re.compile("All flat"))
    buys(desk, "GC", -5 * POINT)
    expect(bar.locator(".thumb-state")).to_have_text(re.compile("^(LIVE)? ?ES flat"))
    other = bar.get_by_role("button", name="GC long 5 −5.00 pt")
    expect(other).to_be_in_viewport()
    expect(other.locator(".loss")).to_have_text("−5.00 pt")
    gold = phone.get_by_role("tab", name="GC")
    for scrolled in (0, 400):
        tabs.evaluate("(list, left) => { list.scrollLeft = left; }", scrolled)
        until(phone, lambda: is_within(gold, tabs))
    other.tap()
    expect(gold).to_have_attribute("aria-selected", "true")
    expect(bar.locator("[data-slot=held]")).to_have_text("GC long 5")
    expect(bar.locator(".thumb-others")).to_be_hidden()
    expect(phone.get_by_role("tab", name="NQ")).to_contain_text("TRADINGVIEW SILENT")  # the candle is over
    phone.get_by_role("tab", name="NQ").tap()
    until(phone, lambda: is_within(phone.get_by_role("tab", name="NQ"), tabs))
    fits(phone, PHONE["width"])


# -- real money -----------------------------------------------------------------------------------------------------


def test_live_is_marked_wherever_the_page_is_scrolled(page: Page, desk: LiveDesk) -> None:
    desk.hears_price(PRICE)
    desk.hears_stack({"12": "green", "8": "green", "6": "green"})
    log_in(page, desk)
    buy, edge = page.locator("#entry [data-side=BUY]"), "getComputedStyle(document.body, '::before').position"
    expect(buy).to_contain_text("BUY 5 MESZ4")
    expect(buy).not_to_contain_text("LIVE")
    expect(page.locator("#assets .live-word")).to_be_hidden()
    assert page.evaluate(edge) != "fixed"
    goes_live(desk, balance=50_000)
    expect(buy).to_contain_text("BUY 5 MESZ4 · LIVE")
    page.locator("#history").evaluate("(panel) => window.scrollTo(0, document.body.scrollHeight)")
    expect(page.locator("#assets .live-word")).to_be_in_viewport()
    assert page.evaluate(edge) == "fixed"
    page.locator("#entry").get_by_text("Override the zone").click()
    page.locator("#entry .override").get_by_text("SELL").first.click()
    page.locator("#entry .override").get_by_label("Why").fill("the open gap closes")
    expect(page.locator("#entry .override-button")).to_contain_text("against the rule · LIVE")


def test_live_stands_under_the_thumb(phone: Page, desk: LiveDesk) -> None:
    goes_live(desk)
    log_in(phone, desk)
    expect(phone.locator("#thumb-bar .live-word")).to_be_in_viewport()
    expect(phone.locator("#assets .live-word")).to_be_in_viewport()
    fits(phone, PHONE["width"])


# -- not heard ------------------------------------------------------------------------------------------------------


def test_a_page_that_hears_nothing_offers_nothing_anywhere(page: Page, desk: LiveDesk) -> None:
    desk.hears_price(PRICE)
    desk.hears_stack({"12": "green", "8": "green", "6": "green"})
    log_in(page, desk)
    tab, ring = page.get_by_role("tab", name="ES"), page.locator("#ring")
    expect(tab).to_contain_text("may enter")
    expect(ring).to_contain_text("decide")
    desk.freezes()
    with within_own_seconds(SILENT_WITHIN_SECONDS):
        expect(tab).to_contain_text(re.compile("STREAM SILENT|NO ANSWER"))
    expect(page).to_have_title(re.compile("^ES (STREAM SILENT|NO ANSWER) · Lockstep$"))
    expect(ring).to_contain_text(re.compile(r"as of \d\d:\d\d:\d\d"))
    expect(ring).not_to_contain_text("decide")
    expect(page.locator("#stack [data-slot=tempo-note]")).to_have_text(re.compile(r"^as of \d\d:\d\d:\d\d$"))
    for part in (".tempo", ".candle"):
        assert page.locator(f"#stack {part}").evaluate("(e) => getComputedStyle(e).outlineStyle") == "dashed"
    desk.thaws()
    with within_own_seconds(SILENT_WITHIN_SECONDS):
        expect(tab).to_contain_text("may enter")


def test_a_position_under_a_silent_stream_says_so_in_the_title(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk)
    buys(desk, "ES", 2)
    expect(page).to_have_title("ES long +5 · +2.00 pt · Lockstep")
    desk.freezes()
    with within_own_seconds(SILENT_WITHIN_SECONDS):
        expect(page).to_have_title(re.compile("^(STREAM SILENT|NO ANSWER) · ES long"))
    desk.thaws()


def test_the_ring_asks_to_decide_only_while_some_direction_is_open(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk)
    ring = page.locator("#ring")
    expect(ring).to_contain_text("CANDLE UNUSED")
    expect(ring).to_contain_text("entries are closed")
    expect(ring).to_have_attribute("data-closed", "")
    desk.hears_price(PRICE)
    desk.hears_stack({"12": "green", "8": "green", "6": "green"})
    expect(ring).to_contain_text("decide")
    expect(ring).not_to_have_attribute("data-closed", "")


def test_the_bridges_lamp_goes_out_when_its_gate_closes(page: Page, desk: LiveDesk) -> None:
    desk.operator().post("/api/limits", json={"bridge_max_age_seconds": 6}).raise_for_status()
    desk.bridge_beats()
    log_in(page, desk)
    goes_live(desk)
    lamp = page.locator("[data-connection=bridge]")
    expect(lamp).to_have_attribute("data-up", "yes")
    expect(lamp).to_have_attribute("data-up", "no")
    expect(lamp).to_contain_text(re.compile(r"silent \d+ s"))
    expect(page.locator("#ladder")).to_contain_text("BRIDGE SILENT")
    expect(page.locator("#banners [data-slot=bridge]")).to_be_hidden()  # nothing is at stake
    desk.bridge_beats()
    expect(lamp).to_have_attribute("data-up", "yes")


def test_a_bridge_lost_in_a_trade_is_told_where_it_stays_in_sight(page: Page, desk: LiveDesk) -> None:
    desk.operator().post("/api/limits", json={"bridge_max_age_seconds": 6}).raise_for_status()
    log_in(page, desk)
    buys(desk, "GC", -5 * POINT)
    desk.bridge_beats()
    desk.bridge_reports_account(50_000, 0.0, ("MGCZ4", 5, -250.0))
    banner, day = page.locator("#banners [data-slot=bridge]"), page.locator("#day")
    expect(day.locator("[data-slot=open]")).to_have_text("−$250.00")
    expect(banner).to_be_hidden()
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    expect(banner).to_have_text(re.compile(rf"^Bridge not heard since \d\d:\d\d:\d\d: {EXITS_WAIT}$"))
    expect(banner).to_be_in_viewport()
    expect(day).to_have_attribute("data-old", "yes")
    expect(day.locator("[data-slot=account]")).to_contain_text(re.compile(r"as of \d\d:\d\d:\d\d"))
    desk.bridge_beats()
    expect(banner).to_be_hidden()


def test_a_live_bridge_without_its_broker_is_told_in_a_trade(page: Page, desk: LiveDesk) -> None:
    goes_live(desk, balance=50_000)
    log_in(page, desk)
    buys(desk, "ES")
    banner = page.locator("#banners [data-slot=bridge]")
    expect(page.locator("#trade")).to_contain_text("LONG 5", use_inner_text=True)
    expect(banner).to_be_hidden()
    said = {"tsConnected": False, "mdConnected": True, "repoOk": True, "account": "L-1", "tradeRoute": "X"}
    desk.bridge().post("/api/bridge/heartbeat", json=said).raise_for_status()
    expect(banner).to_contain_text("not connected to the broker: exits wait for it")


# -- the day's money ------------------------------------------------------------------------------------------------


def test_without_a_balance_of_today_the_page_says_what_the_daily_stop_counts(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk)
    warnings = [page.locator(f"{panel} [data-slot=no-stop]") for panel in ("#entry", "#day")]
    for warning in warnings:
        expect(warning).to_contain_text("the daily stop counts the desk's own books, from $200,000.00.")
    desk.bridge_reports_account(50_125, 125)
    realized = page.locator("#day [data-slot=realized]")
    expect(realized).to_have_text("+$125.00")
    for warning in warnings:
        expect(warning).to_be_hidden()
    goes_live(desk)  # another account: nothing is known of it
    for warning in warnings:
        expect(warning).to_have_text("Daily stop cannot fire yet: no account balance is known.")
    expect(realized).to_have_text("–")
    expect(page.locator("#day [data-slot=open]")).to_have_text("–")


def test_more_than_the_limit_is_said_as_more(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk)
    desk.bridge_reports_account(100_000, 0)
    desk.bridge_reports_account(97_080, -2_920)
    expect(page.locator("#day [data-slot=drawdown-note]")).to_have_text("146 % of the limit is used")
    expect(page.locator("#day .meter-fill")).to_have_attribute("width", "100.0")


def test_the_figures_of_the_day_are_two_by_three_however_long(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk)
    desk.bridge_reports_account(12_345_678.9, 0)
    desk.bridge_reports_account(11_011_111.01, -100_000, ("MESZ4", 0, -1_234_567.89))
    expect(page.locator("#day [data-slot=equity]")).to_have_text("$11,011,111.01")
    for width in (390, 1024, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        boxes = page.locator("#day .facts > div").evaluate_all("(all) => all.map((e) => e.getBoundingClientRect())")
        assert len({round(box["x"]) for box in boxes}) == 2, width
        assert len({round(box["y"]) for box in boxes}) == 3, width


# -- what a key says ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [390, 800, 1440])
def test_what_a_key_says_covers_neither_tabs_nor_exits(page: Page, desk: LiveDesk, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    log_in(page, desk)
    buys(desk, "ES")
    said = page.locator("#key-said")
    page.keyboard.press("2")
    expect(said).to_contain_text("Asset: NQ")
    covered = call(
        page,
        "js/ui/dom.js",
        """(() => {
      const box = document.getElementById("key-said").getBoundingClientRect();
      const isUnder = (e) => { const at = e.getBoundingClientRect();
        return at.width > 0 && at.left < box.right && at.right > box.left
          && at.top < box.bottom && at.bottom > box.top; };
      return [...document.querySelectorAll("[role=tab], [data-exit]")].filter(isUnder).map((e) => e.textContent.trim());
    })()""",
    )
    assert covered == []
