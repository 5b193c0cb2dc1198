"""Several closed gates come to one moment, and to what must happen besides: the page says both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.browser.live_desk import LiveDesk
from tests.browser.modules import call
from tests.browser.test_dashboard import PRICE, market_agrees
from tests.support.clock_ends import a_candle_lasts

HOUR = 3_600
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LiveDesk]:
    """A desk whose candle does not end while a story looks."""
    a_candle_lasts(60, HOUR)
    with LiveDesk(tmp_path, CANDLE_SECONDS=str(HOUR)) as running:
        yield running


def moment_told(moment: datetime) -> str:
    """Return how the page tells an instant of today or, when the candle ends at midnight, of tomorrow."""
    is_today = moment.date() == datetime.now(NEW_YORK).date()
    return moment.strftime("%H:%M:%S" if is_today else "%a %H:%M:%S")


def test_the_page_names_no_moment_at_which_another_gate_is_still_closed(dashboard: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    dashboard.locator("#entry [data-side=BUY]").click()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    expect(dashboard.locator("#trade")).to_contain_text("LONG 5", use_inner_text=True)
    desk.operator().post("/api/exit", json={"asset": "ES", "force": True})
    desk.bridge_fills(desk.bridge_claims(), PRICE + 1)
    expect(dashboard.locator("#entry-why")).to_contain_text("POST-EXIT COOLDOWN ACTIVE")
    closed = [rung for rung in desk.operator().asset()["ladder"] if rung["state"] == "closed"]
    last = max((rung for rung in closed if rung["reopens_at"]), key=lambda rung: rung["reopens_at"])
    at = moment_told(datetime.fromisoformat(last["reopens_at"]).astimezone(NEW_YORK))
    beneath = dashboard.locator("#entry-not-before")
    name = last["gate"].replace("_", " ")
    expect(beneath).to_have_text(f"Not before {at} ({name}), and not without a 6pt brick.")
    expect(dashboard.locator("#entry-why")).not_to_contain_text("Opens at")
    expect(dashboard.locator("#entry-why")).to_contain_text(f"{len(closed) - 1} more closed below.")


def test_one_closed_gate_says_it_all(dashboard: Page, desk: LiveDesk) -> None:
    market_agrees(desk, "green")
    dashboard.locator("#entry [data-side=BUY]").click()
    order = desk.bridge_claims()
    desk.bridge_fills(order, PRICE)
    desk.hears_brick("6", "green")
    dashboard.locator("#entry").get_by_text("Pre-order").click()
    expect(dashboard.locator("#entry-not-before")).to_contain_text("and not without a flat position.")
    dashboard.locator("#entry label", has_text="Intent").click()  # it does not ask for the candle
    expect(dashboard.locator("#entry-why")).to_contain_text("Opens with: flat.")
    expect(dashboard.locator("#entry-not-before")).to_be_hidden()


def rung(gate: str, reopens_at: str | None = None) -> dict[str, Any]:
    return {"gate": gate, "state": "closed", "reopens_at": reopens_at, "reopens": "something"}


def test_the_latest_moment_counts_and_another_day_is_named(dashboard: Page) -> None:
    def words(*closed: dict[str, Any]) -> str:
        line = "document.createElement('p')"
        drawn = f"((line) => {{ module.draw(line, argument); return line.textContent; }})({line})"
        return str(call(dashboard, "js/panels/entry/not_before.js", drawn, list(closed)))

    sunday, monday = "2031-01-05T23:00:00Z", "2031-01-06T23:00:00Z"
    assert words(rung("trade_limit", monday), rung("cooldown", sunday), rung("tempo"), rung("zone")) == (
        "Not before Mon 18:00:00 (trade limit), and not without a 6pt brick and a zone."
    )
    assert words(rung("heartbeat"), rung("tempo")) == "Not before a heartbeat of TradingView and a 6pt brick."
    assert words(rung("cooldown", monday), rung("of_tomorrow")) == (
        "Not before Mon 18:00:00 (cooldown), and not without something."
    )
    assert words(rung("cooldown", monday)) == ""
