"""The trader's journal as a trader meets it: a real Chromium before a desk with real trades."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.browser.conftest import complaints_of, log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.waiting import fits, keeps_pressing, until
from tests.support.desk_process import QUICK, eventually

PRICE = 5250.25
PHONE: ViewportSize = {"width": 390, "height": 844}
WHY = "the opening range failed twice"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    """One desk for all that only read; who trades has a ``fresh_desk``."""
    with LiveDesk(tmp_path_factory.mktemp("journal"), **QUICK, STOP_POINTS="10") as running:
        yield running


@pytest.fixture
def fresh_desk(tmp_path: Path) -> Iterator[LiveDesk]:
    with LiveDesk(tmp_path, **QUICK) as running:
        yield running


def trade_once(desk: LiveDesk, won: float, mode: str = "RUNNER", **more: Any) -> str:
    """Go in by the book and out so many points later; return the trade's id."""
    operator = desk.operator()
    desk.hears_price(PRICE)
    desk.hears_stack({"12": "green", "8": "green", "6": "green"})
    order = operator.enters_when_the_candle_allows(trade_mode=mode, **more)
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    desk.hears_price(PRICE + won)
    desk.hears_brick("6", "green")
    answer = operator.post("/api/exit", json={"asset": "ES"})
    assert answer.status_code == 200, answer.text
    desk.bridge_fills(desk.bridge_claims(), PRICE + won)
    eventually(lambda: not operator.state()["global"]["five_min_trade_lock_active"])
    return str(order["id"])


@pytest.fixture(scope="module")
def traded(desk: LiveDesk) -> list[str]:
    """Won 4 points, lost 2, won 1 as a SCALP; and one try that the ladder refused."""
    ids = [trade_once(desk, 4), trade_once(desk, -2), trade_once(desk, 1, "SCALP")]
    desk.hears_brick("6", "green")  # the token is spent while the desk is flat
    assert desk.operator().enters(direction="SELL").json()["gate"] == "zone"
    return ids


@pytest.fixture
def journal(page: Page, desk: LiveDesk, traded: list[str]) -> Page:
    log_in(page, desk)
    page.get_by_role("link", name="Journal").click()
    expect(page.locator("#headline")).to_contain_text("in 3 trades")
    return page


def rows(page: Page) -> Locator:
    return page.locator("#trade-rows .trade-row")


def column(page: Page, name: str) -> Locator:
    return rows(page).locator(f"[data-slot={name}]")


def test_a_stranger_is_sent_to_log_in(page: Page, desk: LiveDesk) -> None:
    page.goto(f"{desk.url}/journal")
    expect(page).to_have_url(f"{desk.url}/login")


def test_an_empty_journal_says_what_it_waits_for(page: Page, fresh_desk: LiveDesk) -> None:
    log_in(page, fresh_desk, "/journal")
    expect(page.locator("#headline")).to_have_text("No trades")
    expect(page.locator("#empty")).to_contain_text("No trade has been closed on this account yet")
    expect(page.locator("#trades")).to_be_hidden()
    expect(page.locator("#tries")).to_contain_text("No gate had to refuse anything", use_inner_text=True)
    page.get_by_label("Asset").select_option("ES")
    expect(page.locator("#empty")).to_contain_text("No trade fits this selection")


def test_the_headline_tiles_and_pictures_are_of_the_trades(journal: Page) -> None:
    expect(journal.locator("#headline")).to_have_text("+$75.00 in 3 trades, +$25.00 a trade, 67 % won")
    tiles = journal.locator("#tiles")
    expect(tiles).to_contain_text("+0.10 R")
    expect(tiles).to_contain_text("2.50")  # the profit factor
    expect(tiles).to_contain_text("−$50.00")  # the deepest fall
    expect(journal.locator("#curve svg")).to_have_attribute("aria-label", re.compile(r"3 trades, ending at \+\$75\.00"))
    expect(journal.locator("#scatter path.mark.gain")).to_have_count(2)
    expect(journal.locator("#scatter path.mark.loss")).to_have_count(1)
    expect(journal.locator("[data-bars=discipline]")).to_contain_text("by the rules")
    expect(journal.locator("[data-bars=zone] tr")).to_contain_text("NORMAL")
    expect(journal.locator("#gates")).to_contain_text("zone")
    expect(column(journal, "points")).to_have_text(["+1.00", "−2.00", "+4.00"], use_inner_text=True)


def test_trades_are_grouped_by_how_the_gates_stood(journal: Page) -> None:
    def group(by: str, *told: str) -> None:
        cells = journal.locator(f"[data-bars={by}] tr")
        until(journal, lambda: tuple(words_of(cell) for cell in cells.all()) == told)

    def words_of(cell: Locator) -> str:
        return " ".join(cell.locator("th, .number").all_inner_texts())

    expect(journal.locator("#gate-state")).to_contain_text("By gate state")
    group("trade_of_day", "1 1 100 % +$100.00", "2 1 0 % −$50.00", "3 1 100 % +$25.00")
    group("after_cooldown", "First of the day 1 100 % +$100.00", "Within 5 min 2 50 % −$25.00")
    group("daily_stop_used", "Unknown 3 67 % +$75.00")  # no bridge has told the equity
    group("zone_gate", "NORMAL 3 67 % +$75.00")
    group("tempo_armed_by", "6pt brick 3 67 % +$75.00")
    group("entered_by", "Click 3 67 % +$75.00")


def test_a_trade_tells_how_the_gates_stood_and_its_fills(journal: Page) -> None:
    rows(journal).nth(1).locator(".opens").click()
    facts = journal.locator(".trade-detail .facts")
    expect(facts).to_contain_text(re.compile(r"Gates at entry\s*trade 2 of the day · \d+ s after the cooldown · token"))
    expect(facts).to_contain_text("· 2.5pt neutral ·")
    fills = facts.locator(".fills li")
    expect(fills).to_have_count(2)
    expect(fills.first).to_have_text(re.compile(r"^\d\d \w{3,4} \d\d:\d\d:\d\d in ▲ 5 at 5,250\.25$"))
    expect(fills.last).to_have_text(re.compile(r"out ▼ 5 at 5,248\.25$"))


def test_the_curve_is_read_by_keyboard(journal: Page) -> None:
    curve = journal.locator("#curve svg")
    curve.focus()
    journal.keyboard.press("Home")
    expect(journal.locator("#curve-readout")).to_contain_text("Trade 1: +$100.00")
    journal.keyboard.press("ArrowRight")
    expect(journal.locator("#curve-readout")).to_contain_text("Trade 2: +$50.00")


def test_columns_sort_by_keyboard_too(journal: Page) -> None:
    head = journal.locator("[data-column=usd]")
    head.get_by_role("button").focus()
    journal.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(column(journal, "usd")).to_have_text(["+$100.00", "+$25.00", "−$50.00"], use_inner_text=True)
    journal.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(column(journal, "usd")).to_have_text(["−$50.00", "+$25.00", "+$100.00"], use_inner_text=True)


def test_a_filter_narrows_everything_and_stays_in_the_address(journal: Page) -> None:
    journal.get_by_label("Mode").select_option("SCALP")
    expect(journal.locator("#headline")).to_contain_text("+$25.00 in 1 trade")
    expect(rows(journal)).to_have_count(1)
    expect(journal).to_have_url(re.compile(r"\?mode=SCALP$"))
    journal.reload()
    expect(journal.locator("#headline")).to_contain_text("in 1 trade")
    journal.get_by_role("button", name="Clear").click()
    expect(journal.locator("#headline")).to_contain_text("in 3 trades")
    expect(journal).to_have_url(re.compile(r"/journal$"))


def test_a_day_of_the_calendar_shows_its_tries(journal: Page, desk: LiveDesk) -> None:
    day = journal.locator("#calendar .day")
    expect(day).to_have_count(1)
    expect(day).to_contain_text("+$75")
    expect(day).to_contain_text("3 trades")
    day.click()
    expect(day).to_have_attribute("aria-pressed", "true")
    expect(journal.locator("#day")).to_contain_text("No override that day")
    expect(journal.locator("#headline")).to_contain_text("in 3 trades")
    journal.get_by_role("button", name="Month before").click()
    expect(journal.locator("#calendar-note")).to_contain_text("Nothing was traded or tried")


def test_a_note_and_tags_are_kept_and_found_again(journal: Page, traded: list[str]) -> None:
    opens = rows(journal).nth(1).locator(".opens")
    opens.focus()
    journal.keyboard.press("Enter")
    expect(opens).to_have_attribute("aria-expanded", "true")
    detail = journal.locator(".trade-detail")
    expect(detail).to_contain_text("−2.00 points, −$50.00, −0.20 R")
    detail.get_by_label("Note").fill("<b>Chased</b> the second push")
    detail.get_by_label("Tags").fill("FOMO, late")
    detail.get_by_role("button", name="Save note").click()
    expect(detail.get_by_role("status")).to_have_text(re.compile(r"^saved \d"))
    expect(rows(journal).nth(1)).to_contain_text("fomo late")
    journal.reload()
    expect(rows(journal)).to_have_count(3)
    journal.locator("#filters [name=tag]").select_option("fomo")
    expect(rows(journal)).to_have_count(1)
    rows(journal).locator(".opens").click()
    expect(detail.get_by_label("Note")).to_have_value("<b>Chased</b> the second push")


def test_a_note_that_the_desk_refuses_says_why_and_stays(journal: Page) -> None:
    rows(journal).first.locator(".opens").click()
    detail = journal.locator(".trade-detail")
    detail.get_by_label("Tags").fill("über")
    detail.get_by_role("button", name="Save note").click()
    expect(detail.get_by_role("alert")).to_have_text(
        "tags: 'über' is no tag: 1 to 24 letters a to z, digits or hyphens"
    )
    expect(detail.get_by_label("Tags")).to_have_value("über")


def test_the_sheet_holds_the_selection(journal: Page, traded: list[str]) -> None:
    journal.get_by_label("Mode").select_option("SCALP")
    expect(rows(journal)).to_have_count(1)
    with journal.expect_download() as downloading:
        journal.get_by_role("link", name="CSV").click()
    with Path(downloading.value.path()).open(newline="", encoding="utf-8") as file:
        assert [row["id"] for row in csv.DictReader(file)] == [traded[2]]


def test_an_override_asks_why_and_the_journal_tells_it(page: Page, fresh_desk: LiveDesk) -> None:
    dashboard = log_in(page, fresh_desk)
    fresh_desk.hears_price(PRICE)
    fresh_desk.hears_stack({"12": "green", "8": "green", "6": "green"})
    dashboard.locator("#entry").get_by_text("Override the zone").click()
    override = dashboard.locator("#entry .override")
    override.get_by_text("SELL").first.click()
    override.get_by_label("Why").fill(WHY)
    button = override.locator(".override-button")
    expect(button).to_contain_text("Hold to SELL")
    button.hover()
    dashboard.mouse.down()
    keeps_pressing(dashboard)
    dashboard.mouse.up()
    assert fresh_desk.bridge_claims()["side"] == "SELL"
    expect(override.get_by_label("Why")).to_have_value("")
    page.goto(f"{fresh_desk.url}/journal")
    page.locator("#calendar .day").click()
    expect(page.locator("#overrides")).to_contain_text(f"Override SELL ES, taken: {WHY}")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_phone_shows_all_of_it_without_scrolling_sideways(
    browser: Browser, desk: LiveDesk, traded: list[str], scheme: Literal["dark", "light"]
) -> None:
    context = browser.new_context(viewport=PHONE, color_scheme=scheme, has_touch=True, timezone_id="UTC")
    page = context.new_page()
    complaints = complaints_of(page)
    log_in(page, desk)
    page.get_by_role("link", name="Journal").click()
    expect(page.locator("#headline")).to_contain_text("in 3 trades")
    expect(page.get_by_label("Mode")).to_be_hidden()
    page.get_by_text("Which trades").click()
    expect(page.get_by_label("Mode")).to_be_visible()
    expect(page.locator("[data-bars=trade_of_day]")).to_be_hidden()
    page.get_by_text("By gate state").click()
    expect(page.locator("[data-bars=trade_of_day]")).to_be_visible()
    rows(page).first.locator(".opens").click()
    expect(page.get_by_role("button", name="Save note")).to_be_visible()
    fits(page, PHONE["width"])
    context.close()
    assert complaints == []


def test_the_trades_are_one_key_away_from_the_top(journal: Page) -> None:
    links = journal.get_by_role("navigation", name="On this page").get_by_role("link")
    assert links.all_inner_texts() == ["Trades ↓", "Statistics", "Calendar"]
    for link, section in zip(links.all(), ("trades", "figures", "calendar"), strict=True):
        link.focus()
        journal.keyboard.press("Enter")
        expect(journal.locator(f"#{section}")).to_be_in_viewport()
        expect(journal.locator(f"#{section}")).to_be_focused()


def test_a_phones_calendar_cuts_no_count(browser: Browser, desk: LiveDesk, traded: list[str]) -> None:
    context = browser.new_context(viewport=PHONE)
    page = log_in(context.new_page(), desk, "/journal")
    cell = page.locator("#calendar .day")
    expect(cell).to_contain_text("tr")
    cut = """(cell, letters) => {
      cell.querySelector(".day-note.short").textContent = letters;
      return cell.scrollWidth > cell.clientWidth || cell.scrollHeight > cell.clientHeight;
    }"""
    is_cut = cell.evaluate(cut, "12\u00a0tr 148\u00a0bl")
    context.close()
    assert is_cut is False
