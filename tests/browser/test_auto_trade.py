"""What the desk's page shows of auto-trade. What web's door answers is invented here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_forecasts import HIDE
from tests.browser.waiting import until

OWN = {"mean": 0.12, "low": -0.31, "high": 0.55}
AWAY = {"ok": False, "code": "advisor_away", "error": "the agent is away: nobody listens at its address"}


def status(**more: Any) -> dict[str, Any]:
    said = {"symbol": "ES", "action": "BUY", "timestamp": datetime.now(UTC).isoformat(), "id": "d1"}
    config = {"enabled": True, "symbols": ["ES"], "max_risk_per_trade": 0.01, "max_daily_trades": 5}
    counted = {"n": 24, "won": 9, "lost": 13, "timed_out": 2, "not_counted": 3, "open": 1}
    return {
        "enabled": True,
        "mode": "paper",
        "trades_today": 2,
        "last_decision": {
            **said,
            "reasoning": "the desk is in its cooldown",
            "result": "blocked",
            "blocked_by": "cooldown",
        },
        "timeframe": "15m",
        "rr_config": "rr_2_1",
        "config": {**config, "min_confidence": 0.6, "paper_trading": True, "require_confirmation": False},
        "awaiting": 0,
        "results": {
            **counted,
            "r": OWN,
            "always_flat": {"mean": 0, "better_by": OWN},
            "coin_flip": {"mean": -0.05, "better_by": {"mean": 0.17, "low": 0.02, "high": 0.32}},
        },
        **more,
    }


class Door:
    """Answers in place of web's door."""

    def __init__(self, page: Page) -> None:
        self.asked = 0
        self.body: dict[str, Any] | None = status()
        page.route("**/api/auto-trade/status", self._answer)

    def _answer(self, route: Route) -> None:
        self.asked += 1
        if self.body is None:
            route.fulfill(status=503, json=AWAY)
        else:
            route.fulfill(status=200, json=self.body)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    """One desk for all stories: they change nothing of it."""
    with LiveDesk(tmp_path_factory.mktemp("auto-trade")) as running:
        yield running


@pytest.fixture
def door(page: Page) -> Door:
    return Door(page)


@pytest.fixture
def panel(page: Page, door: Door) -> Locator:
    return page.locator("#auto-trade")


def test_results_stand_beside_both_baselines_and_nothing_orders(page: Page, desk: LiveDesk, panel: Locator) -> None:
    log_in(page, desk)
    expect(panel).to_contain_text("on · bars of 15m, target 2 : stop 1")
    expect(panel).to_contain_text("Paper: a shadow book that no broker knows")
    expect(panel).to_contain_text("2 of 5 at most")
    expect(panel.locator("[data-slot=last]")).to_contain_text("blocked by cooldown")
    rows = panel.locator("tbody tr")
    expect(rows.nth(0)).to_have_text("Shadow trades+0.12 R95 %: −0.31 R to +0.55 R")
    expect(rows.nth(1)).to_contain_text("no proven difference")
    expect(rows.nth(2)).to_contain_text("A coin's side")
    expect(panel).to_contain_text("24 trades count: 9 at the target, 13 at the stop, 2 at neither.")
    expect(panel.get_by_role("button")).to_have_count(0)


def test_what_was_never_on_and_an_agent_that_is_away_show_nothing(
    page: Page, desk: LiveDesk, door: Door, panel: Locator
) -> None:
    door.body = status(enabled=False, last_decision=None)
    log_in(page, desk)
    until(page, lambda: door.asked == 1)
    page.wait_for_timeout(1_500)  # it draws each second, and asks once a minute
    expect(panel).to_be_hidden()
    door.body = None
    page.reload()
    until(page, lambda: door.asked == 2)
    page.wait_for_timeout(1_500)
    expect(panel).to_be_hidden()
    assert door.asked == 2


def test_a_page_that_nobody_sees_asks_for_nothing(page: Page, desk: LiveDesk, door: Door) -> None:
    page.add_init_script(HIDE)
    log_in(page, desk)
    page.wait_for_timeout(1_500)
    assert door.asked == 0
