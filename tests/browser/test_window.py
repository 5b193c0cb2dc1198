"""The window around entries on the page: the lock that is held, the time to be flat, limits that are off (SPEC 5.9)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.live_desk import LiveDesk
from tests.browser.test_controls import enter_long
from tests.browser.test_dashboard import hold
from tests.support.builders import NEW_YORK
from tests.support.desk_process import eventually


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LiveDesk]:
    """A desk whose markets always trade: what it shows must not depend on the hour of the test."""
    with LiveDesk(tmp_path).trades_at_any_hour() as running:
        yield running


def test_entries_are_locked_by_holding_and_nothing_takes_it_back(dashboard: Page, desk: LiveDesk) -> None:
    window = dashboard.locator("#window")
    expect(window).to_contain_text("This week: $0.00, 0 trades.")
    window.get_by_text("Lock entries", exact=True).click()
    week = window.get_by_role("button", name="none until Sunday")
    week.click()
    expect(window.get_by_role("alert")).to_contain_text("no entry until Sunday's open. Exits work.")
    assert desk.operator().state()["global"]["window"]["lockout_until"] is None
    hold(week)
    expect(window).to_contain_text(re.compile(r"You have locked entries until .*left\)\. Exits work\."))
    lock = window.locator("[data-key=lockout]")
    expect(lock).to_have_css("border-left-width", "3px")  # amber, set off from what is only told
    expect(dashboard.locator("body")).not_to_contain_text("panels/window")
    rung = dashboard.locator("#ladder .rung[data-key=window]")
    expect(rung).to_have_attribute("data-state", "closed")
    expect(rung).to_contain_text("you have locked entries until Sunday's open")
    ends = desk.operator().state()["global"]["window"]["lockout_ends_ts"]
    hold(window.get_by_role("button", name="none until the next trading day"))
    dashboard.wait_for_timeout(500)
    assert desk.operator().state()["global"]["window"]["lockout_ends_ts"] == ends


def test_a_flat_time_of_now_asks_to_be_held_and_flattens(dashboard: Page, desk: LiveDesk) -> None:
    enter_long(dashboard, desk)
    limits = dashboard.locator("#limits")
    limits.get_by_text("Tighten", exact=True).click()
    just_now = datetime.now(UTC).astimezone(NEW_YORK)
    if 1 <= just_now.hour < 3:  # no time of day lies there
        just_now = just_now.replace(hour=0)
    limits.get_by_label("Flat by").fill(f"{just_now:%H:%M}")
    limits.get_by_role("button", name="Set limits").click()
    expect(limits.get_by_role("alert")).to_contain_text("CONFIRMATION NEEDED")
    assert desk.operator().state()["global"]["limits"]["flat_by"] is None
    hold(limits.get_by_role("button", name="Hold to set it"))
    expect(limits.get_by_role("alert")).to_contain_text(f"In force now: Flat by {just_now:%H:%M}.")
    expect(dashboard.locator("#window")).to_contain_text("Flat time: everything is flattened")
    expect(limits.get_by_role("button", name="Hold to set it")).to_be_hidden()
    eventually(lambda: [order["source"] for order in desk.operator().state()["orders"]] == ["flat_by"])


def test_a_limit_is_set_and_switched_off_by_an_empty_field(dashboard: Page) -> None:
    limits = dashboard.locator("#limits")
    limits.get_by_text("Tighten", exact=True).click()
    expect(limits.locator("[data-key=weekly_loss_usd]")).to_contain_text("off")
    limits.get_by_label("Weekly loss, USD").fill("900")
    limits.get_by_label("Trading hours").fill("00:00-12:00, 12:00-00:00")
    limits.get_by_role("button", name="Set limits").click()
    expect(limits.get_by_role("alert")).to_contain_text("Weekly loss $900.00, Trading hours 00:00-12:00,12:00-00:00.")
    expect(limits.locator("[data-key=weekly_loss_usd]")).to_contain_text("$900.00")
    expect(dashboard.locator("#window")).to_contain_text("$900.00 left to lose")
    limits.get_by_label("Weekly loss, USD").fill("")
    limits.get_by_label("Trading hours").fill("whenever")
    limits.get_by_role("button", name="Set limits").click()
    expect(limits.get_by_role("alert")).to_contain_text("Trading hours: ")
    limits.get_by_label("Trading hours").press("Escape")
    limits.get_by_role("button", name="Set limits").click()
    expect(limits.get_by_role("alert")).to_contain_text(re.compile(r"Looser, so from \w+ 18:00.*: Weekly loss off\."))
