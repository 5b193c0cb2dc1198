"""The candle chart as an operator meets it: history that scrolls back, quotes that move it, and feeds that are away.

What feeds answers is invented here, but in the last one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from feeds.bars.store import BarStore
from feeds.bars.types import Bar
from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_accessibility import serious_faults
from tests.browser.test_charts import COUNT_PIXELS, choose
from tests.browser.waiting import fits, until
from tests.support.feeds_process import FeedsProcess
from tests.support.own_time import within_own_seconds

FIVE = timedelta(minutes=5)
PRICE = 5250.0
NIGHT = range(100, 112)  # candles before the newest that the market did not make: it rested for an hour


class Past:
    """Feeds' answers to ``GET /api/candles``: 900 candles of 5 minutes that end now, without an hour in between."""

    def __init__(self) -> None:
        newest = datetime.now(UTC).replace(second=0, microsecond=0)
        newest -= timedelta(minutes=newest.minute % 5)
        self.rows = [self._row(newest - FIVE * back, back) for back in reversed(range(900)) if back not in NIGHT]
        self.asked: list[dict[str, str]] = []
        self.is_away = False

    def pages_before(self) -> list[str]:
        """Return where the older pages that were asked for begin."""
        return [asked["before"] for asked in self.asked if "before" in asked]

    @staticmethod
    def _row(start: datetime, back: int) -> dict[str, Any]:
        close = PRICE if back == 0 else PRICE + (back % 7) - 3
        prices = {"o": close - 1, "h": close + 2, "l": close - 2, "c": close}
        return {"t": start.isoformat(), **prices, "v": None, "complete": back > 0, "source": "heartbeat"}

    def answer(self, route: Route) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(route.request.url).query).items()}
        self.asked.append(asked)
        if self.is_away:
            refusal = {"ok": False, "code": "feeds_away", "error": "feeds is away: nobody listens"}
            return route.fulfill(status=503, json=refusal)
        rows = [row for row in self.rows if row["t"] < asked.get("before", "9")]
        page = rows[-int(asked["limit"]) :]
        before = page[0]["t"] if len(page) < len(rows) else None
        body = {"asset": asked["asset"], "timeframe": asked["timeframe"], "candles": page, "before": before}
        return route.fulfill(json={"ok": True, "simulated": False, **body})


@pytest.fixture
def past(page: Page) -> Iterator[Past]:
    told = Past()
    page.route("**/api/candles?*", told.answer)
    yield told
    page.unroute_all(behavior="wait")


def told(page: Page) -> Locator:
    """The element that says in words what the candle chart shows."""
    return page.locator("#candles [data-slot=candles]")


def trouble(page: Page) -> Locator:
    return page.locator("#candles [data-slot=candle-trouble]")


def expect_words(page: Page, words: str) -> None:
    """Expect the words, a pattern: a price of the next five minutes begins one more candle."""
    expect(told(page)).to_have_attribute("aria-label", re.compile(words))


def test_history_scrolls_back_and_a_price_moves_the_newest_candle(page: Page, desk: LiveDesk, past: Past) -> None:
    desk.hears_price(PRICE)
    dashboard = log_in(page, desk)
    expect(dashboard.locator("#candles")).to_be_hidden()
    assert past.asked == [], "nobody looks at candles yet"
    choose(dashboard, "Candles")
    expect_words(dashboard, r"ES candles of 5m: 50\d candles, 1 time without prices")
    expect(dashboard.locator("#charts [data-size='6']")).to_be_visible()
    until(dashboard, lambda: dashboard.locator("#candles").evaluate(COUNT_PIXELS, "green") > 100)
    with within_own_seconds(1):
        desk.hears_price(PRICE + 40)
        expect(dashboard.locator("#candles [data-slot=candle-prices]")).to_contain_text("C 5,290.00")
    dashboard.keyboard.press("h")
    while not past.pages_before():
        dashboard.keyboard.press("ArrowLeft")
        dashboard.wait_for_timeout(20)
    expect_words(dashboard, r"ES candles of 5m: 88\d candles")
    for _ in range(3):
        dashboard.keyboard.press("ArrowLeft")
    assert past.pages_before() == [past.rows[-500]["t"]], "there is nothing older"


def test_a_timeframe_is_chosen_by_key_and_remembered(page: Page, desk: LiveDesk, past: Past) -> None:
    dashboard = log_in(page, desk)
    dashboard.keyboard.press("f")
    expect(dashboard.locator("#key-said")).to_have_text("The candles are not shown: L turns to them.")
    dashboard.keyboard.press("l")
    expect_words(dashboard, r"ES candles of 5m: 50\d")
    dashboard.keyboard.press("f")
    expect_words(dashboard, r"ES candles of 15m: 50\d")
    dashboard.reload()
    expect_words(dashboard, r"ES candles of 15m: 50\d")
    dashboard.keyboard.press("Shift+F")
    expect_words(dashboard, r"ES candles of 5m: 50\d")


def test_feeds_away_is_said_and_nothing_else_waits_for_it(page: Page, desk: LiveDesk, past: Past) -> None:
    past.is_away = True
    dashboard = log_in(page, desk)
    choose(dashboard, "Candles")
    expect(trouble(dashboard)).to_contain_text(
        "No candles: feeds is away: nobody listens. Bricks and orders do not need it."
    )
    desk.hears_brick("6", "green")
    expect(dashboard.locator("[data-stream=main_renko]")).to_have_attribute("data-color", "green")
    past.is_away = False
    expect_words(dashboard, r"ES candles of 5m: 50\d candles")
    expect(trouble(dashboard)).to_be_empty()


def test_a_phone_shows_the_candles_alone(page: Page, desk: LiveDesk, past: Past) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    dashboard = log_in(page, desk)
    choose(dashboard, "Candles")
    expect_words(dashboard, r"50\d candles")
    expect(dashboard.locator("#charts [data-size='6']")).to_be_hidden()
    fits(dashboard, 390)
    assert serious_faults(dashboard) == []


def test_a_price_that_feeds_heard_becomes_a_candle_on_the_page(page: Page, desk: LiveDesk, tmp_path: Path) -> None:
    """The whole way, with feeds and a store of its own, and what is said when feeds ends."""
    with FeedsProcess(desk, tmp_path / "feeds") as feeds:
        store = BarStore(feeds.database.with_name("bars.sqlite"))
        minute = int(time.time()) // 60 * 60
        store.put([minute_of("ES", minute - 60 * back, PRICE + back) for back in range(1, 30)])
        store.close()
        desk.restart(FEEDS_URL=feeds.url())
        feeds.hears_web()
        dashboard = log_in(page, desk)
        choose(dashboard, "Candles")
        dashboard.keyboard.press("Shift+F")
        expect_words(dashboard, r"ES candles of 1m: \d+ candles, the last .* of TradingView's bars")
        desk.hears_price(PRICE)
        expect(dashboard.locator("#candles [data-slot=candle-prices]")).to_contain_text("C 5,250.00")
    dashboard.keyboard.press("f")
    expect(trouble(dashboard)).to_contain_text("No candles: feeds is away: nobody listens at its address.")


def minute_of(symbol: str, t: int, price: float) -> Bar:
    level = Decimal(str(price))
    return Bar(symbol, t, level, level + 1, level - 1, level, None, "heartbeat")
