"""What the advisor explains on the pages: why nothing may be entered, a day's review, what each model is worth."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import advice
from tests.browser.advice import Advisor
from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_accessibility import serious_faults
from tests.browser.test_dashboard import PRICE, market_agrees
from tests.browser.waiting import until

MARKUP = "<img src=x onerror=alert(1)> 7 trades"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    """One desk for all of these stories."""
    with LiveDesk(tmp_path_factory.mktemp("explained")) as running:
        yield running


@pytest.fixture
def advisor(page: Page) -> Advisor:
    return Advisor(page)


def why(page: Page) -> Locator:
    return page.locator("#why")


def test_why_opens_by_key_says_its_facts_and_gives_the_focus_back(page: Page, desk: LiveDesk, advisor: Advisor) -> None:
    market_agrees(desk, "green")
    dashboard = log_in(page, desk)
    expect(why(dashboard)).to_be_hidden()
    assert advisor.asked_for("/explain") == [], "nobody asked why yet"
    dashboard.keyboard.press("y")
    expect(dashboard.locator("#why-title")).to_be_focused()
    expect(dashboard.locator("#why-title")).to_have_text("Why? ES BUY")
    second = why(dashboard).locator(".statement").nth(1)
    expect(second.locator("[data-slot=text]")).to_have_text("After the cooldown your trades made 1.25 points a trade.")
    assert "about=block&asset=ES&direction=BUY" in advisor.asked_for("/explain")[0]
    expect(second.locator("summary")).to_have_text("counts 34 · facts of the journal's figures")
    expect(why(dashboard).locator("[data-slot=source]")).to_contain_text("By fixed rules, no model · as of ")
    second.locator("summary").click()
    expect(second.locator("dl")).to_have_text("points1.25trades3495 % from-0.495 % to2.9")
    assert serious_faults(dashboard) == []
    dashboard.keyboard.press("Escape")
    expect(why(dashboard)).to_be_hidden()
    expect(dashboard.locator("#ladder [data-slot=why-button]")).to_be_focused()


def test_the_way_out_stays_in_reach_while_an_explanation_is_open_or_awaited(
    page: Page, desk: LiveDesk, advisor: Advisor
) -> None:
    market_agrees(desk, "green")
    desk.bridge().fills(desk.operator().enters_when_the_candle_allows(), PRICE)
    desk.hears_brick("6", "green")  # frees the exit
    advisor.hangs = True
    dashboard = log_in(page, desk)
    dashboard.keyboard.press("y")
    expect(why(dashboard)).to_be_visible()
    dashboard.keyboard.press("x")
    dashboard.keyboard.press("Enter")
    assert desk.bridge_claims()["kind"] == "EXIT"


def test_an_explanation_that_does_not_come_is_said(page: Page, desk: LiveDesk, advisor: Advisor) -> None:
    advisor.is_away = True
    dashboard = log_in(page, desk)
    dashboard.locator("#ladder [data-slot=why-button]").click()
    expect(why(dashboard).locator("[data-slot=said]")).to_have_text(
        "No explanation: the advisor is away: nobody listens at its address. The ladder beneath says what is closed."
    )
    advisor.is_away = False
    why(dashboard).get_by_role("button", name="Ask again").click()
    expect(why(dashboard).locator(".statement")).to_have_count(2)


def test_what_a_statement_says_is_text_whatever_it_holds(
    page: Page, desk: LiveDesk, advisor: Advisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {
        **advice.explained({"about": "day"}),
        "statements": [advice.statement("x", MARKUP, "day_review", {"note": MARKUP})],
    }
    monkeypatch.setattr(advice, "explained", lambda asked: told)
    review = log_in(page, desk, "/review")
    expect(review.locator(".statement [data-slot=text]").first).to_have_text(MARKUP)
    expect(review.locator("main img")).to_have_count(0)


def test_a_day_is_reviewed_and_decided_again_slowly_in_words(page: Page, desk: LiveDesk, advisor: Advisor) -> None:
    review = log_in(page, desk, "/review")
    expect(review.locator("[data-slot=day-statements] .statement")).to_have_count(2)
    expect(review.locator("[data-slot=coach-statements]")).to_contain_text("counts 41")
    expect(review.locator("[data-slot=sums] li").first).to_have_text(
        "2 refused entries, 1 of them judged: −$300.00, −12.00 points together."
    )
    expect(review.locator("[data-slot=refused] tr").nth(1)).to_contain_text("not judged: a position was held")
    assert serious_faults(review) == []
    assert len(advisor.asked_for("about=day")) == 1
    advisor.lacks_what_if = True
    review.get_by_role("button", name="Decide again").click()
    until(review, lambda: len(advisor.asked_for("about=day")) == 3)  # once more behind the day that was decided again
    advisor.hangs = True
    review.evaluate("document.getElementById('review').dataset.firstDay = '2025-01-02'")  # a desk with a past
    review.get_by_role("button", name="Trading day before").click()
    expect(review.locator("[data-slot=what-if-said]")).to_contain_text(
        re.compile(r"row by row: \d+ s so far. The desk goes on")
    )
    expect(review.locator("[data-slot=sums] li")).to_have_count(0)  # nothing of another day stands here
    chosen = review.url.split("#")[1]
    until(review, lambda: f"day={chosen}" in advisor.asked_for("/what-if")[-1])
    advisor.hangs, advisor.is_away = False, True
    review.get_by_role("button", name="Trading day after").click()
    expect(review.locator("[data-slot=what-if-said]")).to_have_text(
        "Not decided again: the advisor is away: nobody listens at its address."
    )
    expect(review.locator("[data-slot=day-said]")).to_contain_text("No explanation: the advisor is away")


def test_a_day_before_the_journal_is_not_asked_for(page: Page, desk: LiveDesk) -> None:
    """Web answers for itself here: a day that it knows nothing of would be an error on the page's console."""
    asked: list[str] = []
    page.on("request", lambda call: asked.append(call.url) if "/what-if/day" in call.url else None)
    review = log_in(page, desk, "/review")
    expect(review.locator("[data-slot=sums] li")).not_to_have_count(0)
    today = review.locator("#review").get_attribute("data-day")
    review.get_by_role("button", name="Trading day before").click()
    expect(review.locator("[data-slot=what-if-said]")).to_contain_text("Not decided again: the journal begins on ")
    expect(review.locator("[data-slot=sums] li")).to_have_count(0)
    assert [url.split("day=")[1] for url in asked] == [today]


def test_each_model_has_a_card_and_the_address_names_one(page: Page, desk: LiveDesk, advisor: Advisor) -> None:
    models = log_in(page, desk, "/models#ES-5m-tp-20261129")
    cards = models.locator(".model-card")
    expect(cards).to_have_count(2)
    expect(cards.nth(1)).to_be_focused()
    expect(cards.first).to_contain_text("Serves the table by hour and ATR. The table beats one width by 9.3 %")
    expect(cards.first.locator(".skills li").first).to_have_text(
        "against one width: +9.3 % (95 %: +6.1 % to +12.4 %), better"
    )
    places = cards.first.locator(".skills li").first.locator(".skill-interval")
    assert float(places.get_attribute("x1") or 0) > 100, "the whole interval lies right of nothing gained"
    expect(cards.nth(1).locator("[data-slot=reliability] tr").first).to_have_text(re.compile("30 %33 %2110"))
    cards.first.locator("summary").click()
    expect(cards.first.locator("[data-slot=data]")).to_contain_text("Sessions34")
    assert serious_faults(models) == []
    advisor.is_away = True
    models.get_by_role("button", name="Ask again").click()
    expect(models.locator("[data-slot=said]")).to_contain_text("No models: the advisor is away")
