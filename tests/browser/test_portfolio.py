"""The portfolio as a trader meets it: what is held everywhere, what it risks, and what nobody knows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import complaints_of, log_in
from tests.browser.live_desk import LiveDesk
from tests.support.desk_process import QUICK

PRICE = 5250.25
STOP = ("MESZ4", "SELL", 5, PRICE - 10)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    """A desk that trades nothing."""
    with LiveDesk(tmp_path_factory.mktemp("portfolio"), **QUICK, CONTRACTS="ES=MESZ4") as running:
        yield running


@pytest.fixture
def fresh_desk(tmp_path: Path) -> Iterator[LiveDesk]:
    with LiveDesk(tmp_path, **QUICK, CONTRACTS="ES=MESZ4") as running:
        yield running


@pytest.fixture(autouse=True)
def no_notes(desk: LiveDesk) -> Iterator[None]:
    """Leave no external position behind."""
    yield
    operator = desk.operator()
    for position in operator.get("/api/portfolio").json()["positions"]:
        if position["source"] == "manual":
            assert operator.delete(f"/api/portfolio/positions/{position['id']}").status_code == 200


def goes_long(desk: LiveDesk) -> None:
    """Hold 5 MES, 3.75 points in the money, with a stop that rests."""
    desk.bridge_beats()
    desk.bridge_reports_account(50_000, 0.0)
    desk.hears_price(PRICE)
    desk.hears_stack({"12": "green", "8": "green", "6": "green"})
    desk.operator().enters_when_the_candle_allows()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    desk.hears_price(PRICE + 3.75)
    desk.bridge_reports_account(50_093.75, 0.0, ("MESZ4", 5, 93.75), stops=(STOP,))


def rows(page: Page) -> Locator:
    return page.locator("#position-rows tr")


def notes(page: Page, **said: str) -> None:
    for name, value in said.items():
        field = page.locator(f"#note-position [name={name}]")
        if name == "side":
            field.select_option(value)
        else:
            field.fill(value)
    page.get_by_role("button", name="Note it").click()


def test_a_stranger_is_sent_to_log_in(page: Page, desk: LiveDesk) -> None:
    page.goto(f"{desk.url}/portfolio")
    expect(page).to_have_url(f"{desk.url}/login")


def test_an_empty_portfolio_says_so(page: Page, desk: LiveDesk) -> None:
    complaints = complaints_of(page)
    log_in(page, desk, "/portfolio")
    expect(page.locator("#headline")).to_have_text("Nothing is held, $0.00 closed today")
    expect(page.locator("#no-positions")).to_be_visible()
    expect(page.locator("#equity-readout")).to_have_text("No account was heard in these days.")
    assert complaints == []


def test_positions_sums_and_exposure_are_told(page: Page, fresh_desk: LiveDesk) -> None:
    goes_long(fresh_desk)
    log_in(page, fresh_desk, "/portfolio")
    expect(page.locator("#headline")).to_have_text("1 position, +$93.75 open, $0.00 closed today")
    expect(rows(page)).to_have_count(1)
    row = rows(page).first
    expect(row.locator("[data-slot=what]")).to_have_text("long 5 MESZ4")
    expect(row.locator("[data-slot=account]")).to_have_text("DEMO-1 · DEMO")
    expect(row.locator("[data-slot=risk]")).to_have_text("$250.00")
    expect(row.locator("[data-slot=out]")).to_be_hidden()
    expect(page.locator("#group-rows th")).to_have_text("US indices: ES")
    expect(page.locator("#account-rows tr")).to_have_count(1)
    expect(page.locator("#account-rows tr")).to_contain_text("$50,093.75")
    notes(page, symbol="MES", qty="2", avg_price="5250")
    expect(page.locator("#noting-answer")).to_contain_text("the bridge reports a position in ES")


def test_a_position_held_elsewhere_is_noted_and_taken_out_by_two_presses(page: Page, desk: LiveDesk) -> None:
    desk.hears_price(PRICE)
    log_in(page, desk, "/portfolio")
    notes(page, symbol="ESZ4", side="short", qty="2", avg_price="5260.25", account="Bank", note="a hedge")
    expect(page.locator("#noted")).to_have_text("Noted: short 2 ESZ4 at 5,260.25, $50.00 a point.")
    expect(rows(page).locator("[data-slot=open]")).to_have_text("+$1,000.00")
    expect(rows(page).locator("[data-slot=no-risk]")).to_have_text("no stop is told")
    expect(rows(page).locator("[data-slot=note]")).to_have_text("a hedge")
    out = rows(page).get_by_role("button")
    out.click()
    expect(out).to_have_text("Sure?")
    expect(rows(page)).to_have_count(1)
    out.click()
    expect(page.locator("#no-positions")).to_be_visible()


def test_what_the_desk_refuses_is_said_and_what_was_typed_stays(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk, "/portfolio")
    notes(page, symbol="AAPL", qty="two", avg_price="100")
    expect(page.locator("#noting-answer")).to_contain_text(re.compile("qty: must be a number"))
    notes(page, symbol="AAPL", qty="2", avg_price="100")
    expect(page.locator("#noting-answer")).to_contain_text("names no known market")
    expect(page.locator("#note-position [name=avg_price]")).to_have_value("100")


def test_what_has_no_price_is_a_dash_with_its_reason(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk, "/portfolio")
    notes(page, symbol="MGC", qty="1", avg_price="2400.5")
    expect(rows(page).locator("[data-slot=value]")).to_have_text("–")
    expect(rows(page).locator("[data-slot=no-value]")).to_have_text("the desk has no price of it")
    expect(page.locator("#headline")).to_have_text("1 position, open result not known, $0.00 closed today")
    expect(page.locator("#headline-note")).to_contain_text("1 position without a known value")


def test_a_note_that_the_desk_could_not_store_is_sent_again_under_its_key(page: Page, desk: LiveDesk) -> None:
    """Nobody knows what became of a request that was answered with a fault: pressed again it notes once."""
    desk.hears_price(PRICE)
    log_in(page, desk, "/portfolio")
    keys: list[str] = []

    def fails_after_it_was_noted(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 1:
            return route.continue_()
        assert route.fetch().status == 201
        return route.fulfill(status=503, json={"ok": False, "code": "not_stored", "error": "The desk cannot store."})

    page.route("**/api/portfolio/positions", fails_after_it_was_noted)
    notes(page, symbol="ESZ6", qty="2", avg_price="5260.25", account="Bank")
    expect(page.locator("#noting-answer")).to_have_text("The desk cannot store.")
    page.get_by_role("button", name="Note it").click()
    expect(page.locator("#noted")).to_contain_text("Noted: long 2 ESZ6")
    expect(rows(page)).to_have_count(1)
    notes(page, symbol="ESZ6", qty="2", avg_price="5260.25", account="Bank")
    expect(rows(page)).to_have_count(2)
    assert (keys[0], len(set(keys))) == (keys[1], 2)


def test_a_note_without_an_answer_keeps_its_key_while_another_one_is_noted(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk, "/portfolio")
    keys: list[tuple[str, str]] = []

    def breaks_the_first_off(route: Route) -> None:
        keys.append((json.loads(route.request.post_data or "")["account"], route.request.headers["idempotency-key"]))
        if len(keys) > 1:
            return route.continue_()
        assert route.fetch().status == 201
        return route.fulfill(status=503, json={"ok": False, "code": "outcome_unknown", "error": "Nobody knows."})

    page.route("**/api/portfolio/positions", breaks_the_first_off)
    for account, told in (("A", "#noting-answer"), ("B", "#noted"), ("A", "#noted")):
        notes(page, symbol="ESZ6", qty="2", avg_price="5260.25", account=account)
        expect(page.locator(told)).not_to_be_empty()
    expect(rows(page)).to_have_count(2)
    assert [account for account, _ in keys] == ["A", "B", "A"]
    assert (keys[2], len(set(keys))) == (keys[0], 2)


# -- the past ---------------------------------------------------------------------------------------------------------

PAST = "**/api/portfolio/history?*"
BUSY = {"ok": False, "code": "too_busy", "error": "another past of the portfolio is being read", "retry_after_s": 0.2}


def past(first: float, last: float) -> dict[str, Any]:
    """Return a past in which one account came from one equity to another."""
    labels = {"account": "DEMO-1", "env": "DEMO", "source": "desk"}
    points = [
        {
            **labels,
            "at": f"2026-11-20T15:0{minute}:00Z",
            "equity_usd": equity,
            "open_pnl_usd": 0,
            "realized_today_usd": 0,
        }
        for minute, equity in enumerate((first, last))
    ]
    return {"ok": True, "every_s": 60, "points": points, "fills": [], "external": [], "missing": [], "truncated": False}


def days_asked(route: Route) -> int:
    """Return over how many days back a past is asked for."""
    begins = parse_qs(urlsplit(route.request.url).query)["from"][0]
    return round((datetime.now(UTC) - datetime.fromisoformat(begins)).total_seconds() / 86_400)


def test_a_longer_past_that_comes_late_is_not_drawn_under_a_shorter_span(page: Page, desk: LiveDesk) -> None:
    """The year is under way, the day is asked for: refused at first, it is asked for again as soon as it may be."""
    held: list[Route] = []
    refused: list[int] = []

    def tells(route: Route) -> None:
        days = days_asked(route)
        if days > 300:
            held.append(route)
        elif days == 1 and not refused:
            refused.append(days)
            route.fulfill(status=503, json=BUSY)
        else:
            route.fulfill(json=past(50_000, 50_000 + days))

    page.route(PAST, tells)
    log_in(page, desk, "/portfolio")
    expect(page.locator("#equity-readout")).to_have_text(re.compile(r"From \$50,000\.00 to"))
    chosen = page.locator("#equity-days")
    chosen.select_option("365")
    expect(page.locator("#equity-readout")).to_have_text("Reading…")
    expect(page.locator("#equity")).to_be_hidden()
    chosen.select_option("1")
    expect(page.locator("#equity-readout")).to_have_text("From $50,000.00 to $50,001.00")
    assert (refused, len(held)) == ([1], 1)
    with suppress(PlaywrightError):  # it was broken off, so nobody may be there for its answer
        held[0].fulfill(json=past(40_000, 41_000))
    expect(rows(page)).to_have_count(0)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(page.locator("#equity-readout")).to_have_text("From $50,000.00 to $50,001.00")


def test_a_past_that_is_refused_for_another_is_asked_for_again(page: Page, desk: LiveDesk) -> None:
    asked: list[int] = []

    def tells(route: Route) -> None:
        asked.append(1)
        if len(asked) < 3:
            return route.fulfill(status=503, json=BUSY)
        return route.fulfill(json=past(50_000, 50_030))

    page.route(PAST, tells)
    log_in(page, desk, "/portfolio")
    expect(page.locator("#equity-readout")).to_have_text("From $50,000.00 to $50,030.00")
    assert len(asked) == 3
