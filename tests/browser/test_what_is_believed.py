"""What the desk believes is on the page: the balance, the stop at the broker, who claims; held buttons settle it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_accessibility import serious_faults
from tests.browser.test_dashboard import hold, market_agrees
from tests.browser.waiting import fits, keeps_pressing
from tests.support.desk_process import QUICK, eventually

PRICE = 5250.25
ALPHA, BETA = "ledger-of-alpha", "ledger-of-beta"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LiveDesk]:
    with LiveDesk(tmp_path, **QUICK) as running:
        market_agrees(running, "green")
        yield running


# -- the account ------------------------------------------------------------------------------------------------------


@pytest.fixture
def account(page: Page, desk: LiveDesk) -> Locator:
    """The account's lines, on a desk whose balance fell by 3,000 that nothing explains."""
    desk.bridge_beats()
    desk.bridge_reports_account(50_000, 0)
    log_in(page, desk)
    account = page.locator("#account")
    expect(account).to_be_hidden()
    desk.bridge_reports_account(47_000, 0)
    expect(account).to_be_visible()
    return account


def test_another_store_is_said_and_this_one_confirmed_by_a_held_button(page: Page, tmp_path: Path) -> None:
    opened = tmp_path / "other" / "state" / "lockstep" / "opened"
    opened.mkdir(parents=True)
    (opened / "damaged.json").write_text("nobody can read this")
    with LiveDesk(tmp_path / "other", **QUICK) as desk:
        log_in(page, desk)
        doubt = page.locator("#store-doubt")
        expect(doubt).to_contain_text("nobody knows what else was opened today")
        button = doubt.get_by_role("button")
        expect(button).to_have_text("Write why first")
        doubt.get_by_role("textbox").fill("the file was mine")
        expect(button).to_have_text("Hold: the day goes on in this store")
        hold(button)
        expect(doubt).to_be_hidden()
        assert desk.operator().state()["global"]["store_doubt"] is None


def equity(desk: LiveDesk) -> tuple[float, float]:
    of_desk = desk.operator().state()["global"]
    return of_desk["equity"], of_desk["daily_start_equity"]


def test_a_suspect_balance_says_how_much_since_when_and_what_ends_it(page: Page, account: Locator) -> None:
    line = account.locator("li").first
    expect(line).to_contain_text(re.compile(r"The balance \$47,000.00 of DEMO-1 is not believed since \d\d:\d\d:\d\d"))
    expect(line).to_contain_text("−$3,000.00 of it are explained by no fill, no price and no figure of the broker")
    expect(line).to_contain_text("you confirm a transfer, or the trading day rolls")
    gate = page.locator("#ladder [data-key=account]")
    expect(gate).to_have_attribute("data-state", "closed")
    expect(gate.locator("[data-slot=name]")).to_have_text("Account")
    expect(page.locator("#day [data-slot=equity]")).to_have_text("$50,000.00")


def test_a_balance_that_is_explained_again_ends_it(desk: LiveDesk, account: Locator) -> None:
    desk.bridge_reports_account(50_000, 0)
    expect(account).to_be_hidden()


def test_the_operator_confirms_a_transfer_with_a_held_button(page: Page, desk: LiveDesk, account: Locator) -> None:
    button, answer = account.locator("button"), account.get_by_role("alert")
    expect(account.get_by_label("Paid in")).to_have_value("-3000")
    expect(button).to_have_text("Write why first")
    hold(button)
    expect(answer).to_have_text("Write why first")
    account.get_by_label("Was money transferred?").fill("payout of the month")
    account.get_by_label("Was money transferred?").press("Enter")  # holds nothing
    account.get_by_label("Paid in").fill("-5000")
    expect(button).to_have_text("Hold: $5,000.00 were paid out")
    hold(button)
    expect(answer).to_contain_text("-3000.00 USD are unexplained, not -5000.00")
    account.get_by_label("Paid in").press("Escape")
    expect(button).to_have_text("Hold: $3,000.00 were paid out")
    button.click()
    expect(answer).to_contain_text("hold 1.5 s")
    assert equity(desk) == (50_000, 50_000)
    hold(button)
    expect(account).to_be_hidden()
    assert equity(desk) == (47_000, 47_000)
    expect(page.locator("#ladder [data-key=account]")).to_have_attribute("data-state", "open")


def test_a_transfer_is_confirmed_by_keys_alone(page: Page, desk: LiveDesk, account: Locator) -> None:
    account.get_by_label("Paid in").focus()
    page.keyboard.press("Tab")
    page.keyboard.type("payout")
    page.keyboard.press("Tab")
    expect(account.locator("button")).to_be_focused()
    page.keyboard.down("Enter")
    keeps_pressing(page)
    page.keyboard.up("Enter")
    expect(account).to_be_hidden()
    assert equity(desk) == (47_000, 47_000)


def test_no_transfer_is_confirmed_while_something_is_held(desk: LiveDesk, page: Page) -> None:
    desk.bridge_reports_account(50_000, 0)
    log_in(page, desk)
    buys(desk)
    desk.bridge_reports_account(47_000, 0, ("MESZ4", 5, 0))
    account = page.locator("#account")
    account.get_by_label("Was money transferred?").fill("a payout")
    expect(account.locator("button")).to_have_text("A transfer is confirmed only while flat")
    hold(account.locator("button"))
    expect(account.get_by_role("alert")).to_have_text("A transfer is confirmed only while flat")
    assert equity(desk)[0] == 50_000


def test_a_first_reading_at_the_limit_says_that_a_second_is_awaited(desk: LiveDesk, page: Page) -> None:
    desk.bridge_reports_account(50_000, 0)
    log_in(page, desk)
    desk.bridge_reports_account(48_900, -1_100)
    expect(page.locator("#account li").first).to_contain_text(
        re.compile(r"A first reading at [\d:]+ shows a loss of \$1,100.00")
    )
    expect(page.locator("#ladder [data-key=daily_stop]")).to_have_attribute("data-state", "closed")
    page.wait_for_timeout(2_200)
    desk.bridge_reports_account(48_900, -1_100)
    expect(page.locator("#day [data-slot=stop]")).to_contain_text("DAILY STOP")
    expect(page.locator("#account")).not_to_contain_text("first reading")
    expect(page.locator("#account")).to_contain_text(
        "by balance −$1,100.00, by the broker's figures −$1,100.00, by the desk's books $0.00"
    )


@pytest.mark.parametrize("width", [1440, 390])
def test_the_account_is_the_servers_first_and_nothing_serious_is_wrong_with_it(
    page: Page, desk: LiveDesk, account: Locator, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.reload()
    expect(account).to_be_visible()
    assert "A balance of $47,000.00 is not believed" in page.request.get(desk.url).text()
    assert serious_faults(page) == []
    fits(page, width)


# -- the stop at the broker -------------------------------------------------------------------------------------------


def buys(desk: LiveDesk) -> None:
    desk.operator().enters_when_the_candle_allows()
    desk.bridge_fills(desk.bridge_claims(), PRICE)


def tells_stops(desk: LiveDesk, *stops: tuple[str, int, float]) -> None:
    """Send a snapshot that agrees with the desk; a stop of MESZ4 is ``(side, contracts, price)``."""
    position = desk.operator().asset()["position"]
    told = tuple(("MESZ4", *stop) for stop in stops)
    desk.bridge_reports_account(50_000, 0, ("MESZ4", position, 0), stops=told)


def test_a_stop_is_shown_as_resting_only_when_the_bridge_says_so(page: Page, desk: LiveDesk) -> None:
    log_in(page, desk)
    buys(desk)
    stop, bare = page.locator("#ways-out [data-way=stop]"), page.locator("#trade [data-slot=bare]")
    legend = page.locator("#trade [data-slot=legend-stop]")
    expect(stop).to_contain_text("planned at 5,235.25; this bridge does not say whether it rests")
    expect(legend).to_have_text("Stop planned 5,235.25")
    expect(bare).to_be_hidden()
    desk.bridge_beats()
    tells_stops(desk, ("SELL", 5, 5234.75))
    expect(stop).to_contain_text("5 rest at 5,234.75")
    expect(legend).to_have_text("Stop 5,234.75")
    expect(page.locator("#charts")).to_contain_text("average")
    time.sleep(5)
    tells_stops(desk)
    expect(bare).to_contain_text(
        "NO FULL STOP AT THE BROKER for +5 MESZ4: NO STOP IS KNOWN TO REST, planned at 5,235.25"
    )
    expect(bare).to_contain_text("Rest one there yourself, or exit.")
    expect(stop.locator("[data-slot=when]")).to_have_attribute("data-standing", "missing")
    red = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--red').trim()")
    assert page.evaluate(PAINTED, red) == stop.locator("[data-slot=when]").evaluate("e => getComputedStyle(e).color")
    tells_stops(desk, ("SELL", 2, 5234.75))
    expect(bare).to_contain_text("ONLY 2 OF 5 REST at 5,234.75")
    tells_stops(desk, ("SELL", 5, 5235.25))
    expect(bare).to_be_hidden()
    expect(stop).to_contain_text("5 rest at 5,235.25")


PAINTED = "color => { const probe = new Option().style; probe.color = color; return probe.color; }"


# -- who claims -------------------------------------------------------------------------------------------------------


def asks(desk: LiveDesk, instance: str) -> tuple[int, list[Any]]:
    answer = desk.bridge().get("/api/orders/pending", params={"owner": instance, "instance": instance})
    return answer.status_code, answer.json().get("orders", [])


@pytest.fixture
def second(page: Page, desk: LiveDesk) -> Locator:
    """The panel, on a desk whose second bridge is refused."""
    log_in(page, desk)
    said = {"tsConnected": True, "mdConnected": True, "repoOk": True, "account": "DEMO-1", "tradeRoute": "PAPER"}
    desk.bridge().post("/api/bridge/heartbeat", json={**said, "instance": ALPHA}).raise_for_status()
    assert asks(desk, BETA)[0] == 409
    panel = page.locator("#unsettled")
    expect(panel).to_contain_text(
        re.compile(r"A second bridge asks for orders ledger-of-be gets none: ledger-of-al claims, last heard [\d:]+")
    )
    return panel


def test_the_second_bridge_claims_after_a_held_button(desk: LiveDesk, second: Locator) -> None:
    button = second.get_by_role("button")
    expect(button).to_have_text("Hold: the second bridge claims from now on")
    button.click()
    expect(second.get_by_role("alert")).to_contain_text("hold 1.5 s")
    assert asks(desk, BETA)[0] == 409
    second.get_by_label("Why?").fill("the first machine burnt")
    hold(button)
    expect(second).to_be_hidden()
    assert asks(desk, BETA) == (200, [])
    assert asks(desk, ALPHA)[0] == 409
    (row,) = desk.rows("SELECT count(*) FROM journal WHERE CAST(command AS TEXT) LIKE '%the first machine burnt%'")
    assert row[0] >= 1


def test_the_takeover_is_made_by_keys_alone(page: Page, desk: LiveDesk, second: Locator) -> None:
    second.get_by_label("Why?").focus()
    page.keyboard.press("Tab")
    expect(second.get_by_role("button")).to_be_focused()
    page.keyboard.down("Enter")
    keeps_pressing(page)
    page.keyboard.up("Enter")
    eventually(lambda: asks(desk, BETA)[0] == 200)


@pytest.mark.parametrize("width", [1440, 390])
def test_the_second_bridge_is_the_servers_first_and_nothing_serious_is_wrong_with_it(
    page: Page, desk: LiveDesk, second: Locator, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert f"{BETA} gets none" in page.request.get(desk.url).text()
    expect(second).to_be_visible()
    assert serious_faults(page) == []
    fits(page, width)
