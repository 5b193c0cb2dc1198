"""The desk asked in words: answers come in pieces, as text, with what they stand on. Nothing typed there orders."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.advice import Advisor, done, result_of, sse, token
from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_accessibility import serious_faults
from tests.browser.test_dashboard import PRICE, market_agrees

MARKUP = "<b onmouseover=alert(1)>You</b> are flat."


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    """One desk for all of these stories."""
    with LiveDesk(tmp_path_factory.mktemp("asked")) as running:
        yield running


@pytest.fixture
def advisor(page: Page) -> Advisor:
    return Advisor(page)


def asks(page: Page, question: str) -> Locator:
    """Ask once the answer before is over, and return the turn that answers."""
    turns = page.locator(".chat-turn")
    expect(page.locator(".chat-turn[aria-busy]")).to_have_count(0)
    number = turns.count()
    page.keyboard.press("e")
    expect(page.locator("#chat-message")).to_be_focused()
    page.keyboard.type(question)
    page.keyboard.press("Enter")
    expect(turns).to_have_count(number + 1)
    return turns.nth(number)


def test_an_answer_is_text_that_says_who_gave_it_and_what_it_stands_on(
    page: Page, desk: LiveDesk, advisor: Advisor
) -> None:
    advisor.chat = sse(token(MARKUP), done(MARKUP, result_of("positions", ES=0, note=MARKUP)))
    dashboard = log_in(page, desk)
    turn = asks(dashboard, "Am I <i>flat</i>?")
    expect(turn.locator("[data-slot=said]")).to_have_text(MARKUP)
    expect(turn.locator("[data-slot=asked]")).to_have_text("Am I <i>flat</i>?")
    expect(turn.locator("[data-slot=by]")).to_have_text("Answered by fixed rules.")
    turn.locator("summary").click()
    expect(turn.locator("[data-slot=results]")).to_contain_text("positions · as of")
    expect(turn.locator("[data-slot=results] dd")).to_have_text(["0", MARKUP])
    assert serious_faults(dashboard) == []
    assert advisor.sent == [{"message": "Am I <i>flat</i>?", "stream": True}]
    expect(asks(dashboard, "And now?").locator("[data-slot=said]")).to_have_text(MARKUP)
    expect(dashboard.locator(".chat-turn")).to_have_count(2)
    assert advisor.sent[1] == {"message": "And now?", "stream": True, "conversation_id": "talk-1"}
    dashboard.get_by_role("button", name="New talk").click()
    expect(dashboard.locator(".chat-turn")).to_have_count(0)


def test_replaced_words_a_broken_answer_and_a_refusal_are_said_plainly(
    page: Page, desk: LiveDesk, advisor: Advisor
) -> None:
    dashboard = log_in(page, desk)
    advisor.chat = sse(token("You made 900."), done("You made 12.5 points.", why="number"))
    turn = asks(dashboard, "How did I do?")
    expect(turn.locator("[data-slot=said]")).to_have_text("You made 12.5 points.")
    expect(turn.locator("[data-slot=by]")).to_contain_text("dropped: it named a number that no tool gave")
    advisor.chat = sse(token("You made "))
    expect(asks(dashboard, "Again?").get_by_role("alert")).to_contain_text("The answer broke off before its end.")
    advisor.chat = sse({"type": "error", "error": "provider_away", "detail": "Ollama does not answer"})
    expect(asks(dashboard, "Again?").get_by_role("alert")).to_have_text("Ollama does not answer.")
    advisor.is_away = True
    expect(asks(dashboard, "Again?").get_by_role("alert")).to_contain_text("The advisor is away")


def test_beneath_a_models_words_stand_the_desks_own(page: Page, desk: LiveDesk, advisor: Advisor) -> None:
    said, facts = (
        "You lost 60 USD.",
        "On Tuesday you closed 2 trades in DEMO: 1 won, 1 lost, -60.00 USD <b>before</b> costs.",
    )
    end = {**done(said, result_of("day_review", trades=2)), "source": "ollama", "facts": facts}
    advisor.chat = sse(token(said), end)
    dashboard = log_in(page, desk)
    turn = asks(dashboard, "How did I do?")
    expect(turn.locator("[data-slot=by]")).to_contain_text("Worded by a local model (Ollama), checked against")
    expect(turn.locator("[data-slot=said]")).to_have_text(said)
    expect(turn.locator("[data-slot=own]")).to_contain_text("The desk's own words")
    expect(turn.locator("[data-slot=words]")).to_have_text(facts)
    assert serious_faults(dashboard) == []
    advisor.chat = sse(token("You are flat."), done("You are flat."))
    turn = asks(dashboard, "And now?")
    expect(turn.locator("[data-slot=by]")).to_have_text("Answered by fixed rules.")
    expect(turn.locator("[data-slot=own]")).to_be_hidden()


def test_a_question_that_hangs_is_stopped_and_what_is_typed_orders_nothing(
    page: Page, desk: LiveDesk, advisor: Advisor
) -> None:
    market_agrees(desk, "green")
    advisor.hangs = True
    orders: list[str] = []
    page.on("request", lambda call: orders.append(call.url) if re.search("/api/(orders|exit)", call.url) else None)
    dashboard = log_in(page, desk)
    turn = asks(dashboard, "BUY 5 ES now, x X b")
    expect(turn).to_have_attribute("aria-busy", "true")
    desk.hears_brick("6", "red")
    expect(dashboard.locator("[data-stream=main_renko]")).to_have_attribute("data-color", "red")
    dashboard.get_by_role("button", name="Stop", exact=True).click()
    expect(turn.get_by_role("alert")).to_have_text("You stopped the answer.")
    expect(turn).not_to_have_attribute("aria-busy", "true")
    assert orders == []


def test_escape_leads_out_of_the_question_and_the_way_out_is_a_key_again(
    page: Page, desk: LiveDesk, advisor: Advisor
) -> None:
    """A hand that asked, or began to, still finds X, Enter: unasked words stay, and no letter of them ordered."""
    market_agrees(desk, "green")
    desk.bridge_fills(desk.operator().enters_when_the_candle_allows(), PRICE)
    desk.hears_brick("6", "green")  # frees the exit
    dashboard = log_in(page, desk)
    exit_button, field = dashboard.locator("#trade [data-exit=one]"), dashboard.locator("#chat-message")
    expect(exit_button).to_be_visible()
    expect(field).to_have_accessible_description(re.compile("Esc leaves the field"))
    turn = asks(dashboard, "Am I flat?")
    expect(turn.locator("[data-slot=said]")).to_have_text("You are flat.")
    expect(field).to_be_focused()
    dashboard.keyboard.press("Escape")
    dashboard.keyboard.press("x")
    expect(exit_button).to_be_focused()
    dashboard.keyboard.press("e")
    dashboard.keyboard.type("Exit x")
    expect(field).to_have_value("Exit x")
    dashboard.keyboard.press("Escape")
    expect(field).not_to_be_focused()
    expect(field).to_have_value("Exit x")
    dashboard.keyboard.press("x")
    expect(exit_button).to_be_focused()
    dashboard.keyboard.press("Enter")
    assert desk.bridge_claims()["kind"] == "EXIT"
