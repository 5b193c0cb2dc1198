"""Numbers as they are read: signs, units, extremes; and long ones, which no page may cut or be widened by."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.modules import call
from tests.browser.test_dashboard import PRICE
from tests.browser.waiting import fits, settled
from tests.support.desk_process import QUICK, eventually

NARROW = (390, 360, 320)
LOST_POINTS = 49_382.72  # on 5 MES a loss of seven digits
ACCOUNT = "APEX-0123456789-EVALUATION-0001"
CHART_WIDTHS = (1440, 1280, 1152, 1024)
FORMATS = (  # helper, what it is given, what is read
    ("signedUsd", -0.004, "$0.00"),
    ("signedUsd", 0.1 + 0.2, "+$0.30"),
    ("signedUsd", -1_234_567.89, "−$1,234,567.89"),
    ("signedPoints", -0.001, "0.00"),
    ("signedPoints", None, "–"),
    ("usd", -0.0, "$0.00"),
    ("usd", -0.001, "$0.00"),
    ("points", 0.1 + 0.2, "0.3"),
    ("points", -0.001, "0"),
    ("points", -5_006_000, "−5,006,000"),
    ("percent", -0.001, "0.00 %"),
    ("percent", -12.5, "−12.50 %"),
    ("signedPercent", -0.004, "0.00 %"),
    ("moneyTone", -0.004, ""),
    ("moneyTone", -0.01, "loss"),
    ("countdown", -3, "00:00"),
)
NO_NUMBERS = ("price", "signedUsd", "usd", "signedPoints", "points", "percent", "signedPercent", "age")
JOURNAL_FORMATS = (
    ("wholeUsd", -0.4, "$0"),
    ("shortUsd", -99_999, "−$99,999"),
    ("shortUsd", -1_234_567.89, "−$1.23M"),
    ("shortestUsd", 0.3, "0"),
    ("shortestUsd", -1_250, "−1.3K"),
    ("axisUsd", 97_530_500, "+$97.5305M"),
    ("axisPoints", -250_000, "−250K"),
)
ENDS = """(element) => {
  const range = document.createRange();
  range.selectNodeContents(element);
  return element.matches("button") ? element.getBoundingClientRect().right : range.getBoundingClientRect().right;
}"""
LINES = """(element) => {
  const range = document.createRange();
  range.selectNodeContents(element);
  return range.getClientRects().length;
}"""
CUT_NOTES = """() => [...document.querySelectorAll("#charts .chart")].filter((chart) => chart.offsetParent)
  .flatMap((chart) => [...chart.querySelectorAll("figcaption > *")]
    .filter((part) => part.scrollWidth > part.clientWidth + 1 && getComputedStyle(part).display !== "inline"
      || part.getBoundingClientRect().right > chart.getBoundingClientRect().right)
    .map((part) => `${chart.dataset.size}: ${part.textContent}`))"""


def test_what_is_written_is_what_it_is(dashboard: Page) -> None:
    for name, value, words in FORMATS:
        assert call(dashboard, "js/reading/format.js", f"module.{name}(argument)", value) == words, (name, value)
    for name in NO_NUMBERS:
        assert call(dashboard, "js/reading/format.js", f"module.{name}(NaN)") == "–", name
    for name, value, words in JOURNAL_FORMATS:
        assert call(dashboard, "js/reading/words.js", f"module.{name}(argument)", value) == words, (name, value)


@pytest.fixture(scope="module")
def ruined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    """A desk in a trade that is 1.2 million down, behind one that lost as much, on an account with a long name."""
    with LiveDesk(tmp_path_factory.mktemp("ruined"), **QUICK, DAILY_STOP_LIMIT_PCT="100") as desk:
        operator = desk.operator()
        said = {"tsConnected": True, "mdConnected": True, "repoOk": True, "account": ACCOUNT, "tradeRoute": "PAPER"}
        assert desk.bridge().post("/api/bridge/heartbeat", json=said).ok
        desk.bridge_reports_account(9_876_543.21, 0)
        for _ in range(2):
            desk.hears_price(PRICE)
            desk.hears_stack({"12": "green", "8": "green", "6": "green", "4": "green", "2.5": "red", "1": "green"})
            operator.enters_when_the_candle_allows(trade_mode="RUNNER")
            desk.bridge_fills(desk.bridge_claims(), PRICE + LOST_POINTS)
            desk.hears_price(PRICE)
            desk.hears_brick("6", "green")
            if not operator.state()["history"]:
                assert operator.post("/api/exit", json={"asset": "ES"}).ok
                desk.bridge_fills(desk.bridge_claims(), PRICE)
                eventually(lambda: not operator.state()["global"]["five_min_trade_lock_active"])
        desk.bridge_reports_account(7_407_407.43, -1_234_567.89, ("MESZ4", 5, -1_234_567.89))
        yield desk


@pytest.mark.parametrize("path", ["/", "/journal", "/log", "/setup", "/api/docs"])
def test_no_page_is_wider_than_a_narrow_phone(page: Page, ruined: LiveDesk, path: str) -> None:
    log_in(page, ruined, path)
    if path == "/":
        expect(page.locator("#trade [data-slot=usd]")).to_have_text("−$1,234,567.89")
    if path == "/journal":
        page.locator("#trade-rows .opens").first.click()
        expect(page.locator(".trade-detail .facts")).to_contain_text("−49,382.72 points, −$1,234,568.00")
    for width in NARROW:
        page.set_viewport_size({"width": width, "height": 800})
        fits(page, width)


def test_a_sum_of_the_calendar_is_shortened_not_cut(page: Page, ruined: LiveDesk) -> None:
    log_in(page, ruined, "/journal")
    day = page.locator("#calendar .day")
    for width, words in ((1440, "−$1.23M"), (320, "−1.2M")):
        page.set_viewport_size({"width": width, "height": 800})
        shown = day.locator(".day-sum:visible")
        expect(shown).to_have_text(words)
        ends = [settled(page, partial(part.evaluate, ENDS)) for part in (shown, day)]
        assert ends[0] <= ends[1]


def test_a_number_does_not_lose_its_sign_to_the_line_above(page: Page, ruined: LiveDesk) -> None:
    log_in(page, ruined)
    page.set_viewport_size({"width": 320, "height": 800})
    money = page.locator("#trade [data-slot=usd], #day [data-slot=pnl], #day [data-slot=open]")
    expect(money).to_have_count(3)
    for one in money.all():
        expect(one).to_contain_text(re.compile(r"−\$(1,234,56\d|2,469,13\d)\.\d\d"))
        assert settled(page, partial(_lines, one)) == 1


def _lines(element: Locator) -> int:
    return int(element.evaluate(LINES))


def test_a_charts_note_is_never_cut(page: Page, tmp_path: Path) -> None:
    """Some bricks without a price: each chart says so, whatever its width."""
    with LiveDesk(tmp_path / "unpriced") as desk:
        desk.hears_price(PRICE)
        for size in ("1", "2.5", "4", "6", "8", "12"):
            desk.hears_brick(size, "green", close=PRICE)
            desk.hears_brick(size, "green")
        log_in(page, desk)
        notes = page.locator("#charts [data-slot=note]").filter(has_text="some prices missing")
        for layout in ("one", "grid"):
            page.locator(f"#charts label:has([value={layout}])").click()
            for width in CHART_WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                expect(notes).to_have_count(6)
                assert settled(page, lambda: page.evaluate(CUT_NOTES)) == [], (layout, width)
        page.goto("about:blank")


def test_a_limit_is_not_rounded_and_not_used_up_too_early(page: Page, tmp_path: Path) -> None:
    with LiveDesk(tmp_path / "careful", DAILY_STOP_LIMIT_PCT="1.25") as desk:
        desk.bridge_reports_account(100_000, 0)
        desk.bridge_reports_account(98_754, -1_246)
        log_in(page, desk)
        expect(page.locator("#day [data-slot=drawdown]")).to_have_text("1.25 % of 1.25 %")
        expect(page.locator("#day [data-slot=drawdown-note]")).to_have_text("99 % of the limit is used")
        page.goto("about:blank")
