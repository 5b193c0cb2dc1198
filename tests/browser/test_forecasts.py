"""What the desk's page shows of the advisor's forecasts. What web's doors answer is invented here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.advice import Advisor
from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_candles import Past
from tests.browser.test_charts import COUNT_PIXELS, choose, climbs
from tests.browser.test_dashboard import PRICE, market_agrees
from tests.browser.waiting import settled, until

HIDE = "Object.defineProperty(document, 'visibilityState', {get: () => 'hidden', configurable: true})"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    """One desk for the stories that change nothing of it: its price is real, and it never traded."""
    with LiveDesk(tmp_path_factory.mktemp("forecast")) as running:
        running.hears_price(PRICE)
        climbs(running, "6", "green", "green", "red")
        yield running


@pytest.fixture
def advisor(page: Page) -> Advisor:
    return Advisor(page)


def beneath(page: Page) -> Locator:
    """The line beneath the charts."""
    return page.locator("#chart-range")


def blue_on_the_big_chart(page: Page) -> int:
    """Count the pixels of the range's lines once the chart is painted."""
    return settled(page, lambda: int(page.locator("#charts [data-size='6']").evaluate(COUNT_PIXELS, "blue")))


def test_the_usual_range_is_drawn_on_the_bricks_and_said_with_what_held(
    page: Page, desk: LiveDesk, advisor: Advisor
) -> None:
    dashboard = log_in(page, desk)
    expect(beneath(dashboard)).to_contain_text("Usual range of the next 5 min: 5,241.00 to 5,259.00")
    expect(beneath(dashboard)).to_contain_text("80 % of the last 500 held · table by hour and ATR · until ")
    rows = dashboard.locator("#forecast tbody tr")
    expect(rows).to_have_text([re.compile("80 %5,241.005,259.0080 %"), re.compile("50 %5,245.505,254.5080 %")])
    until(dashboard, lambda: blue_on_the_big_chart(dashboard) > 1_000)
    expect(dashboard.locator("#forecast [data-slot=signal]")).to_have_text("No signal: nothing has proven skill.")
    expect(dashboard.locator("#forecast [data-slot=phase-beside]")).to_contain_text("212 entries: no proven difference")
    expect(dashboard.locator("#forecast button")).to_have_count(0)


def test_the_usual_range_is_drawn_on_the_candles_of_its_timeframe(page: Page, desk: LiveDesk, advisor: Advisor) -> None:
    past = Past()
    page.route("**/api/candles?*", past.answer)
    dashboard = log_in(page, desk)
    choose(dashboard, "Candles")
    expect(beneath(dashboard)).to_contain_text("Usual range of the next 5 min")
    expect(dashboard.locator("#candles [data-slot=candles]")).to_have_attribute("aria-label", re.compile("50. candles"))
    until(dashboard, lambda: dashboard.locator("#candles").evaluate(COUNT_PIXELS, "blue") > 1_000)
    page.unroute_all(behavior="wait")


def test_a_range_that_is_over_goes_and_the_next_is_asked_for_once(page: Page, desk: LiveDesk, advisor: Advisor) -> None:
    advisor.held = (None, 7)
    advisor.ends_at = datetime.now(UTC) + timedelta(seconds=3)
    dashboard = log_in(page, desk)
    expect(beneath(dashboard)).to_have_text("No usual range: that of ES 5m is over, the next is asked for.")
    until(dashboard, lambda: len(advisor.asked_for("/range")) == 2)
    until(dashboard, lambda: blue_on_the_big_chart(dashboard) == 0)
    advisor.ends_at = None
    dashboard.reload()
    expect(beneath(dashboard)).to_contain_text("not yet measured (7 of 20 forecasts)")


def test_without_enough_sessions_the_desks_words_say_so_and_another_timeframe_is_asked_for(
    page: Page, desk: LiveDesk, advisor: Advisor
) -> None:
    advisor.not_trained = "ES 15m: 3 of 10 sessions"
    dashboard = log_in(page, desk)
    expect(dashboard.locator("#forecast [data-slot=none]")).to_have_text("No usual range: ES 15m: 3 of 10 sessions.")
    with dashboard.expect_request("**/api/ml/range?asset=ES&timeframe=15m"):
        dashboard.locator("#forecast label").filter(has_text=re.compile("^15m$")).click()
    until(dashboard, lambda: len(advisor.asked_for("/range")) == 2)
    dashboard.reload()
    expect(dashboard.locator("#forecast [value='15m']")).to_be_checked()
    choose(dashboard, "Candles")
    dashboard.locator("#candles label").filter(has_text=re.compile("^1d$")).click()
    expect(beneath(dashboard)).to_have_text("No usual range: 1d is too long, 1m to 1h have one.")


def test_a_range_of_other_prices_is_not_drawn(page: Page, desk: LiveDesk, advisor: Advisor) -> None:
    advisor.close = PRICE * 10
    dashboard = log_in(page, desk)
    expect(beneath(dashboard)).to_contain_text("No usual range: the advisor's prices, around 52,502.50, are far from")
    until(dashboard, lambda: blue_on_the_big_chart(dashboard) == 0)


def test_of_a_simulated_market_nothing_is_asked_or_drawn(page: Page, advisor: Advisor, tmp_path: Path) -> None:
    with LiveDesk(tmp_path) as own:
        own.hears_price(PRICE, source="simulated")
        dashboard = log_in(page, own)
        told = "No usual range: the market of ES is simulated, and nothing is learned from it."
        expect(beneath(dashboard)).to_have_text(told)
        dashboard.wait_for_timeout(1_200)  # a whole second's drawing
        assert advisor.asked == []
        page.goto("about:blank")


def test_a_stop_within_the_usual_range_is_said_before_and_after_the_entry(
    page: Page, advisor: Advisor, tmp_path: Path
) -> None:
    advisor.half_width = 20
    with LiveDesk(tmp_path) as own:
        market_agrees(own, "green")
        dashboard = log_in(page, own)
        inside = dashboard.locator("#forecast [data-slot=inside]")
        expect(inside).to_have_text("The next entry's stop would lie inside the usual range of the next 5 min.")
        own.bridge().fills(own.operator().enters_when_the_candle_allows(), PRICE)
        expect(inside).to_have_text("Your stop lies inside the usual range of the next 5 min.")
        page.goto("about:blank")  # before its desk goes


def test_an_advisor_that_is_away_or_hangs_is_said_and_the_page_goes_on(
    page: Page, desk: LiveDesk, advisor: Advisor
) -> None:
    advisor.is_away = True
    dashboard = log_in(page, desk)
    expect(beneath(dashboard)).to_have_text("No usual range: the advisor is away: nobody listens at its address.")
    expect(dashboard.locator("#forecast [data-slot=signal-beside]")).to_contain_text("Not told: the advisor is away")
    dashboard.wait_for_timeout(2_500)  # it draws each second, and asks once a minute
    assert len(advisor.asked) == 1
    advisor.is_away, advisor.hangs = False, True
    dashboard.reload()
    desk.hears_brick("6", "green")
    expect(dashboard.locator("[data-stream=main_renko]")).to_have_attribute("data-color", "green")
    expect(beneath(dashboard)).to_have_text("No usual range: the desk does not answer.")
    assert len(advisor.asked) == 2


def test_a_page_that_nobody_sees_asks_for_nothing(page: Page, desk: LiveDesk, advisor: Advisor) -> None:
    page.add_init_script(HIDE)
    dashboard = log_in(page, desk)
    dashboard.wait_for_timeout(1_500)
    assert advisor.asked == []
