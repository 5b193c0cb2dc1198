"""A program's proposal on the desk's page: shown with the desk's own risk first, taken by one click, or put aside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_slips import AGREES, PRICE, asked
from tests.browser.test_stale_clicks import STALE, delays_one
from tests.browser.waiting import fits
from tests.support.desk_process import PATIENCE_SECONDS, QUICK, SERVICE_SECRET, eventually
from wire.keys import SERVICE_HEADER


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    """One desk for all stories: two assets, every gate open, and an entry locks the next one for a second at most."""
    two = {"ASSETS": "ES,NQ", "CONTRACTS": "ES=MESZ4,NQ=MNQZ4"}
    with LiveDesk(tmp_path_factory.mktemp("proposals"), **{**QUICK, **two}) as running:
        for asset in ("ES", "NQ"):
            running.hears_price(PRICE, asset)
            running.hears_stack(AGREES, asset)
        yield running


@pytest.fixture
def panel(page: Page, desk: LiveDesk) -> Iterator[Locator]:
    """The panel of the dashboard; no proposal outlives its story."""
    log_in(page, desk)
    yield page.locator("#proposal")
    for row in desk.operator().get("/api/proposals").json()["proposals"]:
        desk.operator().post(f"/api/proposals/{row['id']}/dismiss").raise_for_status()


def proposes(desk: LiveDesk, valid_for: float = 600, **more: Any) -> dict[str, Any]:
    """Propose as a program beside the desk does."""
    until = datetime.now(UTC) + timedelta(seconds=valid_for)
    levels = {"entry": PRICE, "stop": PRICE - 10, "target": PRICE + 20}
    words = {"source": "auto", "reason": "a range broke upward", "valid_until": until.isoformat()}
    body = {"asset": "ES", "direction": "BUY", **levels, **words, **more}
    answer = requests.post(
        f"{desk.url}/api/proposals", json=body, headers={SERVICE_HEADER: SERVICE_SECRET}, timeout=PATIENCE_SECONDS
    )
    assert answer.status_code == 201, answer.text
    row: dict[str, Any] = answer.json()["proposal"]
    return row


def take(panel: Locator) -> Locator:
    return panel.locator("[data-slot=take]")


@contextmanager
def before_it_is_read(page: Page) -> Iterator[None]:
    """Stop the page's own counter: an offer that comes meanwhile stays unread, however slow the machine is."""
    page.evaluate("() => { const at = performance.now(); performance.now = () => at; }")
    yield
    page.evaluate("() => { delete performance.now; }")


def readable(panel: Locator) -> Locator:
    """The button, once its offer may have been read."""
    expect(take(panel)).to_be_visible()
    expect(take(panel)).not_to_have_attribute("data-unread", "")
    return take(panel)


def leaves(desk: LiveDesk, order: dict[str, Any]) -> None:
    """Fill the entry and go out again, so that the next story may enter."""
    desk.bridge_fills(order, PRICE)
    desk.operator().post("/api/exit", json={"asset": "ES", "force": True}).raise_for_status()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    desk.hears_brick("6", "green")


def status_of(desk: LiveDesk, row: dict[str, Any]) -> dict[str, Any]:
    rows = desk.operator().get("/api/proposals", params={"status": "all"}).json()["proposals"]
    found: dict[str, Any] = next(one for one in rows if one["id"] == row["id"])
    return found


def test_a_proposal_is_shown_with_the_risk_that_will_rest_at_the_broker_first(desk: LiveDesk, panel: Locator) -> None:
    expect(take(panel)).to_be_hidden()
    proposes(desk)
    expect(panel).to_contain_text("auto, a program beside the desk")
    expect(panel).to_contain_text("“a range broke upward”")
    first, second = panel.locator("dd").nth(0), panel.locator("dd").nth(1)
    expect(first).to_have_text("$375.00 at risk: the desk's own stop, 15 pt away")
    expect(second).to_have_text("5,240.25, 10 pt: $250.00 there, but it is not placed")
    expect(panel).to_contain_text("now 5,250.25: at its entry")
    takes = desk.operator().state()["global"]["limits"]["points_tp_target"]
    expect(panel).to_contain_text(f"5,270.25, 20 pt: not placed, SCALP takes {takes:g} pt")
    expect(readable(panel)).to_contain_text("▲ BUY 5 MESZ4")
    expect(take(panel)).to_have_attribute("aria-disabled", "false")
    expect(panel.page.locator("#proposal-told")).to_have_text("auto proposes to BUY ES; $375.00 at risk.")
    left = panel.locator("[data-slot=left]")
    expect(left).to_have_text(re.compile(r"^(09|10):\d\d left$"))
    before = left.inner_text()
    expect(left).not_to_have_text(before)  # the countdown runs
    desk.hears_price(PRICE + 1.75)
    expect(panel).to_contain_text("now 5,252.00: 1.75 pt worse than its entry")
    desk.hears_price(PRICE)
    panel.page.locator("#entry").get_by_text("9pt").click()
    expect(first).to_have_text("$225.00 at risk: the desk's own stop, 15 pt away")
    expect(take(panel)).to_contain_text("▲ BUY 3 MESZ4")


def test_it_looks_no_better_than_the_desks_own_ways_in(desk: LiveDesk, panel: Locator) -> None:
    proposes(desk)
    color = "(element) => getComputedStyle(element).backgroundColor"
    own = panel.page.locator("#entry [data-side=BUY]").evaluate(color)
    assert readable(panel).evaluate(color) != own
    order = "(element) => element.compareDocumentPosition(document.querySelector('#entry')) & 2"
    assert panel.evaluate(order)  # it stands behind the desk's own ways in: nothing there moves


def test_one_click_enters_and_names_the_proposal(desk: LiveDesk, panel: Locator) -> None:
    desk.hears_brick("6", "green")
    sent: list[Any] = []
    panel.page.on("request", lambda call: sent.append(call) if call.url.endswith("/api/orders") else None)
    with before_it_is_read(panel.page):
        row = proposes(desk)
        expect(take(panel)).to_have_attribute("data-unread", "")
        take(panel).click(force=True)  # as if the hand had been there before it
        expect(panel.locator("[data-slot=answer]")).to_contain_text("the offer changed as you clicked")
    assert sent == []
    readable(panel).focus()
    panel.page.keyboard.press("Space")
    expect(panel.locator("[data-slot=answer]")).to_have_text("Space never orders: press Enter.")
    assert sent == []
    eventually(lambda: "BUY" in desk.operator().asset()["may_enter"])
    readable(panel).click()
    order = desk.bridge_claims()
    assert (order["side"], order["qty"], order["kind"]) == ("BUY", 5, "ENTRY")
    expect(panel).to_contain_text("The proposal ▲ BUY MESZ4 of auto was taken: its order is on its way.")
    expect(take(panel)).to_be_hidden()
    (click,) = sent
    assert click.headers["idempotency-key"] == f"proposal-{row['id']}"
    assert {"direction": "BUY", "order_type": "market", "entry_override": False}.items() <= click.post_data_json.items()
    assert abs(datetime.fromisoformat(click.post_data_json["clicked_at"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert status_of(desk, row)["order_id"] == order["id"]
    leaves(desk, order)


def test_a_stale_click_takes_nothing_and_the_next_one_enters(desk: LiveDesk, panel: Locator) -> None:
    desk.hears_brick("6", "green")
    row = proposes(desk)
    eventually(lambda: "BUY" in desk.operator().asset()["may_enter"])
    readable(panel)
    delays_one(panel.page, "/api/orders")
    take(panel).click()
    expect(panel.locator("[data-slot=answer]")).to_have_text(STALE)
    assert status_of(desk, row)["status"] == "OPEN"
    expect(take(panel)).to_have_attribute("aria-disabled", "false")
    take(panel).click()
    order = desk.bridge_claims()
    expect(panel).to_contain_text("was taken: its order is on its way.")
    leaves(desk, order)


def test_a_closed_gate_is_said_before_the_click_and_by_it(desk: LiveDesk, panel: Locator) -> None:
    row = proposes(desk, direction="SELL", stop=PRICE + 10, target=PRICE - 20)
    expect(readable(panel)).to_contain_text("AGAINST STRUCTURE")
    expect(take(panel)).to_contain_text("▼ SELL 5 MESZ4")
    expect(take(panel)).to_have_attribute("aria-disabled", "true")
    why = "AGAINST STRUCTURE — 8pt and 12pt say BUY. A click now is refused, and a refused click ends the proposal."
    expect(panel.locator("[data-slot=why]")).to_have_text(why)
    take(panel).click(force=True)
    expect(panel.get_by_role("alert").first).to_have_text("AGAINST STRUCTURE — 8pt and 12pt say BUY")
    expect(panel.get_by_role("status")).to_contain_text("was refused by the gate zone; a refused click ends it.")
    assert (status_of(desk, row)["status"], status_of(desk, row)["gate"]) == ("REFUSED", "zone")
    assert desk.operator().state()["orders"] == []


def test_an_answer_about_one_proposal_is_not_left_on_the_next(desk: LiveDesk, panel: Locator) -> None:
    proposes(desk, direction="SELL", stop=PRICE + 10, target=PRICE - 20)
    readable(panel).click(force=True)
    expect(panel.get_by_role("alert").first).to_contain_text("AGAINST STRUCTURE")
    proposes(desk)
    expect(take(panel)).to_contain_text("▲ BUY 5 MESZ4")
    expect(panel.locator("[data-slot=answer]")).to_be_empty()
    expect(panel.get_by_role("status")).to_be_empty()


def test_expiry_takes_it_away_and_says_so_for_a_moment(desk: LiveDesk, panel: Locator) -> None:
    proposes(desk, valid_for=15)
    expect(take(panel)).to_be_visible()
    expect(panel.get_by_role("status")).to_contain_text("expired: nobody took it in its time.")
    expect(take(panel)).to_be_hidden()


def test_dismissing_puts_it_aside(desk: LiveDesk, panel: Locator) -> None:
    row = proposes(desk)
    orders = asked(panel.page, "/api/orders")
    panel.get_by_role("button", name="Dismiss").click()
    expect(panel.get_by_role("status")).to_contain_text("The proposal ▲ BUY MESZ4 of auto was dismissed.")
    assert (status_of(desk, row)["status"], orders) == ("DISMISSED", [])


def test_another_assets_proposal_is_not_shown_until_that_asset_is(desk: LiveDesk, panel: Locator) -> None:
    proposes(desk, asset="NQ", entry=PRICE, stop=PRICE - 10)
    expect(take(panel)).to_be_hidden()
    with before_it_is_read(panel.page):
        panel.page.keyboard.press("2")
        expect(take(panel)).to_contain_text("BUY 5 MNQZ4")
        expect(take(panel)).to_have_attribute("data-unread", "")
    panel.page.keyboard.press("z")
    expect(readable(panel)).to_be_focused()
    panel.page.keyboard.press("1")
    expect(take(panel)).to_be_hidden()


def test_while_the_stream_is_silent_no_click_is_sent(desk: LiveDesk, panel: Locator) -> None:
    proposes(desk)
    expect(readable(panel)).to_contain_text("BUY 5 MESZ4")
    orders = asked(panel.page, "/api/orders")
    desk.freezes()
    expect(take(panel)).to_contain_text("STREAM SILENT")
    take(panel).click(force=True)
    expect(panel.locator("[data-slot=answer]")).to_contain_text("the live stream is silent")
    desk.thaws()
    expect(take(panel)).to_contain_text("BUY 5 MESZ4")
    assert orders == []


def test_the_journal_tells_what_became_of_it_and_what_would_have(page: Page, tmp_path: Path) -> None:
    with LiveDesk(tmp_path, **QUICK) as own:
        own.hears_price(PRICE)
        own.hears_stack(AGREES)
        dismissed = proposes(own)
        own.operator().post(f"/api/proposals/{dismissed['id']}/dismiss").raise_for_status()
        refused = proposes(own, direction="SELL", stop=PRICE + 10, target=None)
        clicked = own.operator().enters(direction="SELL", key=f"proposal-{refused['id']}")
        assert clicked.json()["gate"] == "zone"
        log_in(page, own, "/journal")
        section = page.locator("#proposals")
        expect(section.locator("#proposals-note")).to_have_text("2 proposals: 1 refused, 1 dismissed")
        newest, oldest = section.locator("tbody tr").nth(0), section.locator("tbody tr").nth(1)
        expect(newest).to_contain_text("refused by zone")
        expect(newest).to_contain_text("▼ short 5")
        expect(oldest).to_contain_text("5,250.25, stop 5,240.25, target 5,270.25")
        expect(oldest.locator("[data-slot=outcome]")).to_have_text("not decided yet")
        expect(oldest.locator("[data-slot=result]")).to_be_empty()
        expect(oldest).to_contain_text("a range broke upward")
        page.get_by_label("Side").select_option("SELL")
        expect(section.locator("tbody tr")).to_have_count(1)
        page.get_by_label("To").fill("2020-01-01")
        expect(section).to_be_hidden()
        page.get_by_role("button", name="Clear").click()
        expect(section.locator("tbody tr")).to_have_count(2)
        page.set_viewport_size({"width": 390, "height": 844})
        fits(page, 390)
        page.goto("about:blank")
