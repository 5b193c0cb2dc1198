"""The trading day on the dashboard: the account's curve, and what was tried against the rules."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Route, ViewportSize, expect

from tests.browser.conftest import complaints_of, log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.waiting import fits
from tests.support.desk_process import QUICK
from tests.support.own_time import within_own_seconds

PRICE = 5250.25
PHONE: ViewportSize = {"width": 390, "height": 844}
WHY = "the opening range failed twice"
ASKED = "**/api/journal/day*"
ASKED_AGAIN_WITHIN_SECONDS = 15
ASKED_APART_SECONDS = 2
SECOND_READING_MS = 2_200  # two readings 2 s apart prove a loss
NEXT_DAY = """
async () => {
  const store = await import(new URL("../desk/store.js", document.querySelector("script[type=module]").src));
  const present = store.current();
  const morning = { trading_day: "2031-03-04", daily_start_equity: null, daily_pnl_usd: null, daily_pnl_pct: null };
  store.takeState({ ...present, version: present.version + 1e12, global: { ...present.global, ...morning } });
}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LiveDesk]:
    with LiveDesk(tmp_path, **QUICK) as running:
        yield running


def course(page: Page) -> Locator:
    return page.locator("#day-course")


def tries(page: Page) -> Locator:
    return page.locator("#day-tries")


def refusals(page: Page, gate: str) -> Locator:
    """The cell that counts what a gate refused."""
    return tries(page).get_by_role("row").filter(has=page.get_by_role("rowheader", name=gate)).locator(".number")


def shown_equity(page: Page, text: str) -> None:
    """The curve, its words and the money above it all end at the same number."""
    expect(page.locator("#day [data-slot=equity]")).to_have_text(text)
    expect(course(page).locator("[data-slot=course-last]")).to_have_text(text)
    expect(course(page).get_by_role("img")).to_have_attribute("aria-label", re.compile(re.escape(f"now {text},")))


def override_and_force_out(desk: LiveDesk) -> None:
    """Sell against the zone, and leave at once though the initial exit lock holds."""
    operator = desk.operator()
    desk.hears_price(PRICE)
    desk.hears_stack({"12": "green", "8": "green", "6": "green"})
    operator.enters_when_the_candle_allows(direction="SELL", entry_override=True, override_reason=WHY)
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    assert operator.post("/api/exit", json={"asset": "ES", "force": False}).status_code == 409
    assert operator.post("/api/exit", json={"asset": "ES", "force": True}).status_code == 200
    desk.bridge_fills(desk.bridge_claims(), PRICE + 2.5)


def test_an_empty_day_says_so(dashboard: Page) -> None:
    expect(course(dashboard)).to_contain_text(
        "The curve begins with the first account balance of the day.", use_inner_text=True
    )
    expect(tries(dashboard)).to_contain_text("No gate had to refuse anything yet today.", use_inner_text=True)
    expect(tries(dashboard)).to_contain_text("no override, no forced exit")
    expect(course(dashboard).get_by_role("img")).to_have_count(0)


def test_the_curve_grows_with_each_snapshot_and_ends_at_the_equity_shown(dashboard: Page, desk: LiveDesk) -> None:
    desk.bridge_reports_account(50_000, 0.0)
    shown_equity(dashboard, "$50,000.00")
    expect(course(dashboard)).to_contain_text("$1,000.00 above the daily stop")
    for equity in (50_250, 49_625.5, 49_900):
        desk.bridge_reports_account(equity, equity - 50_000)
        shown_equity(dashboard, f"${equity:,.2f}")
    expect(course(dashboard).locator("[data-slot=course-high]")).to_have_text("$50,250.00")
    expect(course(dashboard).locator("[data-slot=course-low]")).to_have_text("$49,625.50")
    expect(course(dashboard).locator(".course-line")).to_have_attribute("d", re.compile(r"^M[^L]*(L[^L]+){3}$"))
    expect(course(dashboard)).to_contain_text("daily stop $49,000.00")
    expect(course(dashboard).get_by_role("img")).to_have_attribute("aria-label", re.compile(r"stop is at \$49,000\.00"))
    dashboard.reload()
    shown_equity(dashboard, "$49,900.00")


def test_the_level_of_the_daily_stop_is_where_the_desk_stops(dashboard: Page, desk: LiveDesk) -> None:
    desk.bridge_reports_account(48_765, 0.0)
    expect(course(dashboard)).to_contain_text("daily stop $47,789.70")
    desk.bridge_reports_account(47_789.71, -975.29)
    shown_equity(dashboard, "$47,789.71")
    assert desk.operator().state()["global"]["daily_stop_triggered"] is False
    expect(course(dashboard)).to_contain_text("$0.01 above the daily stop")
    desk.bridge_reports_account(47_789.70, -975.30)
    shown_equity(dashboard, "$47,789.70")
    assert desk.operator().state()["global"]["daily_stop_triggered"] is False  # one balance proves nothing (SPEC 5.6)
    dashboard.wait_for_timeout(SECOND_READING_MS)
    desk.bridge_reports_account(47_789.70, -975.30)
    expect(course(dashboard)).to_contain_text("the daily stop has fired")
    assert desk.operator().state()["global"]["daily_stop_triggered"] is True


def test_a_refused_click_appears_under_its_gate(dashboard: Page, desk: LiveDesk) -> None:
    desk.hears_price(PRICE)
    desk.hears_stack({"12": "green", "8": "green", "6": "green"})
    desk.operator().enters_when_the_candle_allows()
    expect(dashboard.locator("#ladder [data-first]")).to_contain_text("Open order")
    dashboard.locator("#entry [data-side=BUY]").click(force=True)
    expect(refusals(dashboard, "pending order")).to_have_text("1")
    expect(tries(dashboard)).to_contain_text("1 refusal, every asset")


def test_a_refusal_over_the_api_appears_by_itself(dashboard: Page, desk: LiveDesk) -> None:
    expect(tries(dashboard)).to_contain_text("No gate had to refuse", use_inner_text=True)
    assert desk.operator().enters().json()["gate"] == "heartbeat"
    expect(refusals(dashboard, "heartbeat")).to_have_text("1")
    expect(tries(dashboard).get_by_text("No gate had to refuse")).to_be_hidden()


def test_many_refusals_make_few_questions(dashboard: Page, desk: LiveDesk) -> None:
    expect(tries(dashboard)).to_contain_text("No gate had to refuse", use_inner_text=True)
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/api/journal/day" in request.url:
            asked.append(request.url)

    dashboard.on("request", note)
    operator, began = desk.operator(), time.monotonic()
    for _ in range(60):
        operator.enters()
    expect(refusals(dashboard, "heartbeat")).to_have_text("60")
    at_most = 2 + (time.monotonic() - began) / ASKED_APART_SECONDS
    assert 1 <= len(asked) <= at_most
    dashboard.wait_for_timeout(3_000)
    assert len(asked) <= at_most


def test_overrides_and_forced_exits_are_listed_and_lead_to_the_journal(dashboard: Page, desk: LiveDesk) -> None:
    override_and_force_out(desk)
    expect(tries(dashboard)).to_contain_text("1 override, 1 forced exit")
    lines = tries(dashboard).get_by_role("listitem")
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text(re.compile(r"^\d\d:\d\d:\d\d Forced exit, short 5 ES, −\$62\.50: manual$"))
    expect(lines.last).to_contain_text(f"Override SELL ES, taken: {WHY}")
    expect(refusals(dashboard, "initial exit lock")).to_have_text("1")
    tries(dashboard).get_by_role("link", name="All of today").click()
    expect(dashboard.locator("#headline")).to_contain_text("in 1 trade")
    expect(dashboard.locator("#overrides")).to_contain_text(f"Override SELL ES, taken: {WHY}")


def test_a_question_without_an_answer_leaves_what_is_shown_and_says_so(dashboard: Page, desk: LiveDesk) -> None:
    operator = desk.operator()
    operator.enters()
    expect(refusals(dashboard, "heartbeat")).to_have_text("1")
    refusal = {"ok": False, "error": "the store does not answer"}
    dashboard.route(ASKED, lambda route: route.fulfill(status=503, json=refusal))
    operator.enters()
    expect(tries(dashboard)).to_contain_text(re.compile(r"as of \d\d:\d\d:\d\d: the journal did not answer since"))
    expect(refusals(dashboard, "heartbeat")).to_have_text("1")
    dashboard.unroute(ASKED)
    with within_own_seconds(ASKED_AGAIN_WITHIN_SECONDS):
        expect(refusals(dashboard, "heartbeat")).to_have_text("2")
    expect(tries(dashboard).get_by_text("did not answer")).to_be_hidden()


def test_a_new_trading_day_begins_anew_and_drops_answers_about_the_old_one(dashboard: Page, desk: LiveDesk) -> None:
    desk.bridge_reports_account(50_000, 0.0)
    shown_equity(dashboard, "$50,000.00")
    operator = desk.operator()
    operator.enters()
    expect(refusals(dashboard, "heartbeat")).to_have_text("1")
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "2031" in route.request.url:
            route.continue_()
        else:
            held.append(route)

    dashboard.route(ASKED, hold)
    with dashboard.expect_request(ASKED):
        operator.enters()
    dashboard.evaluate(NEXT_DAY)
    expect(tries(dashboard)).to_contain_text("No gate had to refuse anything yet today.", use_inner_text=True)
    expect(course(dashboard)).to_contain_text(
        "The curve begins with the first account balance of the day.", use_inner_text=True
    )
    expect(tries(dashboard).get_by_role("link")).to_have_attribute("href", re.compile("first_day=2031-03-04"))
    for route in held:
        with dashboard.expect_response(ASKED):
            route.continue_()
    dashboard.wait_for_timeout(1_500)
    expect(tries(dashboard)).to_contain_text("No gate had to refuse anything yet today.", use_inner_text=True)
    expect(tries(dashboard).get_by_role("rowheader")).to_have_count(0)


def test_a_whole_day_of_samples_is_thinned_without_losing_its_extremes(dashboard: Page) -> None:
    lowest, highest, drawn, last = dashboard.evaluate("""
      async () => {
        const path = "../reading/day_points.js";
        const points = await import(new URL(path, document.querySelector("script[type=module]").src));
        let all = [];
        for (let from = 0; from < 40000; from += 40) {
          const more = Array.from({ length: 40 }, (_, beyond) => from + beyond).map((at) => {
            const equity = at === 12345 ? 1 : at === 23456 ? 99999 : 50000 + (at % 7);
            return { at: at * 2000, equity };
          });
          all = points.joined(all, more);
        }
        const shown = points.thinned(all, 160);
        return [points.lowest(shown).equity, points.highest(shown).equity, shown.length, shown.at(-1).at];
      }
    """)
    assert (lowest, highest, last) == (1, 99_999, 39_999 * 2_000)
    assert drawn <= 2 * 160 + 4


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_phone_shows_the_day_without_scrolling_sideways(
    browser: Browser, desk: LiveDesk, scheme: Literal["dark", "light"]
) -> None:
    context = browser.new_context(viewport=PHONE, color_scheme=scheme, has_touch=True, timezone_id="UTC")
    page = context.new_page()
    complaints = complaints_of(page)
    log_in(page, desk)
    override_and_force_out(desk)
    for equity in (1_250_000, 1_249_937.5):
        desk.bridge_reports_account(equity, -62.5)
    expect(tries(page)).to_contain_text("1 override, 1 forced exit")
    expect(course(page).get_by_role("img")).to_be_visible()
    fits(page, PHONE["width"])
    context.close()
    assert complaints == []
