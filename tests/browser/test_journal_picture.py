"""The picture of a trade in the journal: a real Chromium before a desk with bricks and a trade."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, ViewportSize, expect

from tests.browser.conftest import complaints_of, log_in
from tests.browser.live_desk import PASSWORD, LiveDesk
from tests.browser.modules import call
from tests.browser.test_charts import COUNT_PIXELS
from tests.browser.waiting import box_of, fits, settled, until
from tests.support.desk_process import QUICK, eventually

PRICE = 5250.0
PHONE: ViewportSize = {"width": 390, "height": 844}
BRICKS = "**/api/journal/trades/*/bricks?*"
REFUSED = "The store did not answer."
NOT_TOLD = "not known: the desk did not tell them; choose a size to ask again"
MARKS = "module.marksIn(argument, argument.bars).map((mark) => [mark.kind, mark.time, mark.isBelow])"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    with LiveDesk(tmp_path_factory.mktemp("picture"), **QUICK, STOP_POINTS="10") as running:
        yield running


def rises(desk: LiveDesk, count: int, price: float = PRICE, size: str = "6") -> None:
    """Close green bricks one above the other, from a price on."""
    for _ in range(count):
        price += float(size)
        desk.hears_brick(size, "green", close=price)


@pytest.fixture(scope="module")
def traded(desk: LiveDesk) -> None:
    """A long trade that won 18 points: 12 bricks of 6 points before it, 3 in it, 2 behind it; fewer of 12 points."""
    operator = desk.operator()
    desk.hears_price(PRICE)
    desk.hears_brick("12", "green", close=PRICE)
    desk.hears_brick("8", "green", close=PRICE)
    rises(desk, 12, price=PRICE - 72)
    operator.enters_when_the_candle_allows()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    rises(desk, 3)
    desk.hears_brick("12", "green", close=PRICE + 12)
    assert operator.post("/api/exit", json={"asset": "ES"}).status_code == 200
    desk.bridge_fills(desk.bridge_claims(), PRICE + 18)
    eventually(lambda: not operator.state()["global"]["five_min_trade_lock_active"])
    rises(desk, 2, price=PRICE + 18)


@pytest.fixture
def opened(page: Page, desk: LiveDesk, traded: None) -> Page:
    """The journal with the trade's row open."""
    return open_the_trade(page, desk)


def open_the_trade(page: Page, desk: LiveDesk) -> Page:
    log_in(page, desk, "/journal")
    page.locator("#trade-rows .opens").click()
    return page


def canvas(page: Page) -> Locator:
    return page.locator(".picture [data-slot=canvas]")


def expect_told(page: Page, words: str) -> None:
    expect(canvas(page)).to_have_attribute("aria-label", re.compile(re.escape(words)))


def pixels(page: Page, token: str) -> int:
    """Count the pixels of a colour once the picture is painted: what is drawn is painted with a later frame."""
    return settled(page, lambda: int(canvas(page).evaluate(COUNT_PIXELS, token)))


def shows(page: Page, token: str, more_than: int) -> None:
    """Wait until more pixels than these have a colour."""
    until(page, lambda: pixels(page, token) > more_than)


def shows_no(page: Page, token: str) -> None:
    until(page, lambda: pixels(page, token) == 0)


def choose(page: Page, size: str) -> None:
    page.locator(".picture .segmented label").filter(has=page.get_by_text(size, exact=True)).click()


def test_an_open_trade_shows_its_bricks_with_in_out_and_stop(opened: Page) -> None:
    expect_told(opened, "6 point bricks around the trade: in at 5,250.00, out at 5,268.00, 3 bricks between")
    expect(opened.locator(".picture")).to_contain_text("3 bricks between")
    expect(opened.locator(".picture-legend").get_by_text("first stop")).to_be_visible()
    expect(opened.locator(".picture-legend").get_by_text("left out")).to_be_hidden()
    shows(opened, "green", more_than=1_000)
    shows(opened, "blue", more_than=20)  # the entry's arrow
    shows(opened, "text-soft", more_than=50)  # the exit's square and its line
    shows(opened, "red", more_than=100)  # the first stop: no brick is red


@pytest.fixture(scope="module")
def scaled_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    """A desk with one trade: 5 in, 5 more two bricks on, out of all at once."""
    with LiveDesk(tmp_path_factory.mktemp("scaled"), **QUICK, DEMO_EQUITY="200000") as running:  # both risks fit
        operator = running.operator()
        running.hears_price(PRICE)
        running.hears_stack({"12": "green", "8": "green"})
        rises(running, 12, price=PRICE - 72)
        operator.enters_when_the_candle_allows()
        running.bridge_fills(running.bridge_claims(), PRICE)
        rises(running, 2)
        running.hears_price(PRICE + 12)  # nothing is added while nobody knows the open points
        assert operator.post("/api/scale-in", json={"asset": "ES"}).status_code == 201
        running.bridge_fills(running.bridge_claims(), PRICE + 12)
        rises(running, 3, price=PRICE + 12)
        assert operator.post("/api/exit", json={"asset": "ES"}).status_code == 200
        running.bridge_fills(running.bridge_claims(), PRICE + 30)
        yield running


def test_a_scale_in_has_a_mark_of_its_own(page: Page, scaled_desk: LiveDesk) -> None:
    open_the_trade(page, scaled_desk)
    expect_told(page, "in at 5,256.00, scale-in of 5, out at 5,280.00, 5 bricks between")
    expect(page.locator(".picture-legend").get_by_text("added to")).to_be_visible()
    expect(page.locator(".fills li")).to_have_text(
        [re.compile(r" in ▲ 5 at 5,250\.00"), re.compile(r" scale-in ▲ 5 at 5,262\.00"), re.compile(r" out ▼ 10 at")]
    )
    shows(page, "blue", more_than=20)
    marked = pixels(page, "blue")

    def forget_the_fills(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"fills": [], "fills_are_whole": False})

    page.route(BRICKS, forget_the_fills)
    choose(page, "4")
    choose(page, "6")
    expect(page.locator(".fills")).to_have_text("not known: older than the desk's record of fills")
    expect_told(page, "in at 5,256.00, out at 5,280.00")
    expect(page.locator(".picture-legend").get_by_text("added to")).to_be_hidden()
    until(page, lambda: marked > pixels(page, "blue") + 20 > 20)  # the circle


@pytest.mark.parametrize(("side", "pullback"), [("SELL", 6), ("BUY", -6)])
@pytest.mark.parametrize(("steps", "clears"), [((1,), True), ((-1, 1), False), ((1, 1), True), ((-1, 1, 1), True)])
def test_a_scale_in_behind_a_pullback_stands_clear_of_the_entrys_words(
    opened: Page, side: str, pullback: int, steps: tuple[int, ...], clears: bool
) -> None:
    """The words of an entry stand beyond its brick; a circle a brick further out, and near, would cover them."""
    near, far = marks_in(opened, side, steps, pullback), marks_in(opened, side, (*(1, -1) * 3, *steps), pullback)
    assert [kind for kind, _, _ in near] == ["entry", "added", "exit"]
    sides = [is_below for _, _, is_below in near]
    is_long = side == "BUY"
    assert sides == [is_long, is_long != clears, not is_long]
    assert [is_below for _, _, is_below in far] == [is_long, is_long, not is_long]


def marks_in(page: Page, side: str, steps: tuple[int, ...], pullback: int) -> Any:
    """Return the marks of a trade entered at its second brick, added to behind some steps, left a brick later."""
    level, bars = 100, [{"time": n, "low": 100, "high": 106} for n in (1, 2)]
    for n, step in enumerate((*steps, -1), 3):
        level += step * pullback
        bars.append({"time": n, "low": level, "high": level + 6})
    at = [f"2026-11-17T15:{n:02}:00Z" for n in range(len(bars) + 1)]
    added = {"kind": "SCALE_IN", "side": side, "quantity": 5, "price": 100, "order_id": "o2", "at": at[-2]}
    bricks = [{"n": n, "ts": ts, "color": "green"} for n, ts in enumerate(at) if n]
    trade = {"side": side, "size": 10, "pnl_points": 1, "entry_ts": at[2], "exit_ts": at[-1]}
    argument = {"answer": {"bricks": bricks, "gap": None, "fills": [added]}, "trade": trade, "bars": bars}
    return call(page, "js/pages/journal/picture.js", MARKS, argument)


def test_a_trade_without_scale_in_has_no_such_mark(opened: Page) -> None:
    expect_told(opened, "in at 5,250.00, out at 5,268.00")
    expect(opened.locator(".picture-legend").get_by_text("added to")).to_be_hidden()
    expect(opened.locator(".fills li")).to_have_count(2)


def test_another_size_is_another_picture_and_is_remembered(opened: Page) -> None:
    expect_told(opened, "6 point bricks")
    shows(opened, "green", more_than=1_000)
    before = pixels(opened, "green")
    choose(opened, "12")
    expect_told(opened, "12 point bricks around the trade: in at 5,250.00, out at 5,268.00, 1 brick between")
    until(opened, lambda: 0 < pixels(opened, "green") != before)
    opened.reload()
    opened.locator("#trade-rows .opens").click()
    expect_told(opened, "12 point bricks")
    expect(opened.get_by_role("radio", name="12", exact=True)).to_be_checked()


def test_a_size_without_bricks_says_so_and_the_way_back_is_drawn(opened: Page) -> None:
    expect_told(opened, "3 bricks between")
    choose(opened, "2.5")
    expect(opened.locator(".picture-empty")).to_have_text(
        "The journal holds no 2.5 point brick from around this trade."
    )
    expect_told(opened, "no 2.5 point brick")
    shows_no(opened, "green")
    shows_no(opened, "blue")
    choose(opened, "6")
    expect(opened.locator(".picture-empty")).to_be_hidden()
    expect_told(opened, "3 bricks between")
    shows(opened, "blue", more_than=20)


def test_bricks_without_prices_follow_their_colours(page: Page, desk: LiveDesk, traded: None) -> None:
    def leave_prices_out(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        body["bricks"] = [{**brick, "open": None, "close": None} for brick in body["bricks"]]
        route.fulfill(response=answer, json=body)

    page.route(BRICKS, leave_prices_out)
    open_the_trade(page, desk)
    expect(page.locator(".picture")).to_contain_text("no prices were sent: levels follow from the colours")
    shows(page, "green", more_than=1_000)
    shows(page, "blue", more_than=20)
    shows_no(page, "red")  # a stop would have no place
    expect(page.locator(".picture-legend").get_by_text("first stop")).to_be_hidden()


def test_a_gap_in_a_long_trade_is_told(page: Page, desk: LiveDesk, traded: None) -> None:
    def leave_some_out(route: Route) -> None:
        answer = route.fetch()
        body = answer.json() | {"between": 540, "gap": {"after": 13, "left_out": 160}}
        route.fulfill(response=answer, json=body)

    page.route(BRICKS, leave_some_out)
    open_the_trade(page, desk)
    expect_told(page, "out at 5,268.00, 700 bricks between, 160 left out at the gap")
    expect(page.locator(".picture-legend").get_by_text("left out")).to_be_visible()


def test_the_library_comes_with_the_first_open_row(page: Page, desk: LiveDesk, traded: None) -> None:
    asked: list[str] = []
    page.request.post(f"{desk.url}/api/login", data={"password": PASSWORD})
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{desk.url}/journal")
    expect(page.locator("#trade-rows .opens")).to_be_visible()
    assert not [url for url in asked if "lightweight" in url or "/bricks" in url]
    page.locator("#trade-rows .opens").click()
    expect_told(page, "3 bricks between")
    assert len([url for url in asked if "lightweight" in url]) == 1


def test_without_the_library_the_note_is_still_written(page: Page, desk: LiveDesk, traded: None) -> None:
    page.route("**/vendor/**", lambda route: route.fulfill(status=503, content_type="text/javascript", body=""))
    open_the_trade(page, desk)
    expect(page.locator(".picture-empty")).to_contain_text("The charts' library is not installed")
    expect(page.locator(".fills li")).to_have_count(2)
    page.get_by_label("Note").fill("calm")
    page.get_by_role("button", name="Save note").click()
    expect(page.get_by_role("status").filter(has_text=re.compile(r"^saved \d"))).to_be_visible()


def test_a_desk_that_refuses_is_quoted(page: Page, desk: LiveDesk, traded: None) -> None:
    page.route(BRICKS, refuse)
    open_the_trade(page, desk)
    expect(page.locator(".picture-empty")).to_have_text(REFUSED)
    expect(page.locator(".fills")).to_have_text(NOT_TOLD)
    page.unroute(BRICKS)
    choose(page, "12")
    expect(page.locator(".fills li")).to_have_count(2)
    expect(page.locator(".fills")).not_to_contain_text("not known")


def test_fills_once_told_outlast_a_size_that_is_refused(opened: Page) -> None:
    expect(opened.locator(".fills li")).to_have_count(2)
    opened.route(BRICKS, refuse)
    choose(opened, "12")
    expect(opened.locator(".picture-empty")).to_have_text(REFUSED)
    expect(opened.locator(".fills li")).to_have_count(2)


def refuse(route: Route) -> None:
    route.fulfill(status=503, json={"ok": False, "error": REFUSED})


def test_the_picture_is_moved_by_the_keyboard(opened: Page) -> None:
    expect_told(opened, "3 bricks between")
    shows(opened, "green", more_than=1_000)
    before = pixels(opened, "green")
    canvas(opened).focus()
    for _ in range(2):
        opened.keyboard.press("-")
    until(opened, lambda: 0 < pixels(opened, "green") < before)


def test_a_closed_row_leaves_no_picture(opened: Page) -> None:
    expect_told(opened, "3 bricks between")
    opened.locator("#trade-rows .opens").click()
    expect(canvas(opened)).to_have_count(0)
    opened.locator("#trade-rows .opens").click()
    expect_told(opened, "3 bricks between")
    shows(opened, "blue", more_than=20)


def test_another_colour_scheme_dresses_it_anew(opened: Page) -> None:
    expect_told(opened, "3 bricks between")
    for scheme in ("light", "dark"):
        opened.emulate_media(color_scheme=scheme)
        shows(opened, "green", more_than=1_000)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_phone_shows_the_whole_trade_without_scrolling_sideways(
    browser: Browser, desk: LiveDesk, traded: None, scheme: Literal["dark", "light"]
) -> None:
    context = browser.new_context(viewport=PHONE, color_scheme=scheme, has_touch=True, timezone_id="UTC")
    page = context.new_page()
    complaints = complaints_of(page)
    open_the_trade(page, desk)
    expect_told(page, "3 bricks between")
    shows(page, "blue", more_than=15)
    fits(page, PHONE["width"])
    box = box_of(page.locator(".picture"))
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    context.close()
    assert complaints == []
