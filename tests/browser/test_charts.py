"""The charts as an operator meets them: a real Chromium before a real desk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, ViewportSize, expect

from tests.browser.conftest import complaints_of, log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.waiting import box_of, settled, until
from tests.support.own_time import within_own_seconds

SIZES = ("1", "2.5", "4", "6", "8", "12")
PHONE: ViewportSize = {"width": 390, "height": 844}
PRICE = 5250.0
COUNT_PIXELS = """(figure, token) => {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(`--${token}`);
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
  let count = 0;
  for (const canvas of figure.querySelectorAll("canvas")) {
    if (!canvas.width || !canvas.height) continue;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let at = 0; at < data.length; at += 4) {
      count += data[at] === red && data[at + 1] === green && data[at + 2] === blue;
    }
  }
  return count;
}"""


def chart(page: Page, size: str) -> Locator:
    return page.locator(f'#charts [data-size="{size}"]')


def told(page: Page, size: str) -> Locator:
    """The element that says in words what the chart shows."""
    return chart(page, size).locator("[data-slot=canvas]")


def pixels(page: Page, size: str, token: str) -> int:
    """Count the pixels of a colour once the chart is painted: what is drawn is painted with a later frame."""
    return settled(page, lambda: int(chart(page, size).evaluate(COUNT_PIXELS, token)))


def shows(page: Page, size: str, token: str, more_than: int) -> None:
    """Wait until more pixels than these have a colour."""
    until(page, lambda: pixels(page, size, token) > more_than)


def expect_bricks(page: Page, size: str, count: int) -> None:
    words = f"{count} bricks, the last" if count else "no brick yet"
    expect(told(page, size)).to_have_attribute("aria-label", re.compile(words))


def climbs(desk: LiveDesk, size: str, *colors: str, price: float = PRICE, asset: str = "ES") -> float:
    """Close bricks one behind the other, with their prices; return the last."""
    for color in colors:
        price += float(size) if color == "green" else -float(size)
        desk.hears_brick(size, color, asset, close=price)
    return price


def choose(page: Page, words: str) -> None:
    page.locator("#charts .segmented label").filter(has=page.get_by_text(words, exact=True)).click()


def test_an_empty_desk_says_which_bricks_it_waits_for(dashboard: Page) -> None:
    for size in SIZES:
        expect(chart(dashboard, size)).to_contain_text(f"No {size}pt brick yet")


def test_bricks_of_before_and_bricks_that_come_are_drawn(page: Page, desk: LiveDesk) -> None:
    for size in SIZES:
        climbs(desk, size, "green", "green", "red", price=PRICE)
    dashboard = log_in(page, desk)
    expect_bricks(dashboard, "6", 3)
    for size in SIZES:
        expect(chart(dashboard, size)).to_contain_text("▼ R 5,2")
        shows(dashboard, size, "green", more_than=20)
        shows(dashboard, size, "red", more_than=20)
    before = pixels(dashboard, "6", "green")
    with within_own_seconds(1):
        climbs(desk, "6", "green", price=5256.0)
        expect(chart(dashboard, "6")).to_contain_text("▲ G 5,262.00")
    expect_bricks(dashboard, "6", 4)
    shows(dashboard, "6", "green", more_than=before)


def test_several_bricks_of_one_instant_stand_side_by_side(dashboard: Page, desk: LiveDesk) -> None:
    expect_bricks(dashboard, "6", 0)
    for number in range(30):
        desk.hears_brick("6", "green" if number % 3 else "red", close=PRICE + number, bar_ts=1_763_650_000)
    expect_bricks(dashboard, "6", 30)
    until(dashboard, lambda: pixels(dashboard, "6", "green") > pixels(dashboard, "6", "red") > 20)


def test_without_prices_the_levels_follow_from_the_colours(dashboard: Page, desk: LiveDesk) -> None:
    for color in ("green", "green", "red", "red"):
        desk.hears_brick("6", color)
    expect(chart(dashboard, "6")).to_contain_text("no prices sent")
    shows(dashboard, "6", "green", more_than=20)
    climbs(desk, "6", "green")
    expect(chart(dashboard, "6")).to_contain_text("some prices missing")
    expect(chart(dashboard, "6")).to_contain_text("5,256.00")


def test_the_layout_is_the_operators_and_is_remembered(dashboard: Page, desk: LiveDesk) -> None:
    climbs(desk, "8", "green")
    dashboard.locator('[data-choose="8"]').click()
    expect(chart(dashboard, "8")).to_have_attribute("data-big", "")
    dashboard.reload()
    expect(chart(dashboard, "8")).to_have_attribute("data-big", "")
    expect_bricks(dashboard, "8", 1)
    choose(dashboard, "All alike")
    boxes = [box_of(chart(dashboard, size)) for size in SIZES]
    assert len({(round(box["width"]), round(box["height"])) for box in boxes}) == 1
    choose(dashboard, "Off")
    for size in SIZES:
        expect(chart(dashboard, size)).to_be_hidden()
    dashboard.reload()
    expect(chart(dashboard, "6")).to_be_hidden()


def test_structure_shows_the_zone_in_a_word_too(dashboard: Page, desk: LiveDesk) -> None:
    expect(chart(dashboard, "8")).to_contain_text("no zone")
    desk.hears_stack({"8": "green", "12": "green"})
    for size in ("8", "12"):
        expect(chart(dashboard, size)).to_contain_text("NORMAL ▲")
        expect(chart(dashboard, size)).to_have_attribute("data-side", "BUY")
    desk.hears_brick("8", "red")
    expect(chart(dashboard, "12")).to_contain_text("FREE")


def test_a_trade_leaves_its_marks_and_lines(dashboard: Page, desk: LiveDesk) -> None:
    desk.bridge_beats()
    desk.bridge_reports_account(50_000, 0)
    desk.hears_price(PRICE)
    for size in ("12", "8", "6"):
        climbs(desk, size, "green", price=PRICE - float(size))
    expect_bricks(dashboard, "6", 1)
    shows(dashboard, "6", "green", more_than=20)
    assert pixels(dashboard, "6", "blue") == 0
    dashboard.locator("#entry [data-side=BUY]").click()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    expect(dashboard.locator("#trade")).to_contain_text("LONG 5", use_inner_text=True)
    shows(dashboard, "6", "blue", more_than=20)  # the entry's arrow
    shows(dashboard, "6", "red", more_than=100)  # the stop: no brick is red
    leave = dashboard.locator("#trade [data-exit=one]")
    leave.click()
    expect(dashboard.locator("#trade [data-slot=exit-answer]")).to_contain_text("INITIAL EXIT LOCK ACTIVE")
    desk.hears_brick("6", "green", close=PRICE + 6)
    expect(leave).not_to_have_attribute("data-locked", "")
    leave.click()
    desk.bridge_fills(desk.bridge_claims(), PRICE + 1)
    expect(dashboard.locator("#trade")).to_contain_text("Flat", use_inner_text=True)
    until(dashboard, lambda: pixels(dashboard, "6", "red") == 0)


@pytest.fixture
def unsteady(browser: Browser, desk: LiveDesk) -> Iterator[Page]:
    """A dashboard whose connection may fail: that alone may stand on its console."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    complaints = complaints_of(page)
    yield log_in(page, desk)
    context.close()
    assert [complaint for complaint in complaints if "net::ERR_" not in complaint] == []


def test_a_brick_that_was_missed_is_fetched_with_the_next(page: Page, desk: LiveDesk) -> None:
    climbs(desk, "6", "green", "green", "red")
    hidden = {6}

    def leave_out_the_last(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        if body["size"] in hidden:
            body["bricks"].pop()
        route.fulfill(response=answer, json=body)

    page.route("**/api/bricks?*", leave_out_the_last)
    log_in(page, desk)
    page.wait_for_timeout(300)  # charts are read when they are made, and brought up to date when the stream has opened
    expect_bricks(page, "6", 2)
    hidden.clear()
    climbs(desk, "6", "red", price=5256.0)
    expect_bricks(page, "6", 4)
    page.unroute_all(behavior="wait")


def test_a_restarted_desk_is_drawn_as_it_was(unsteady: Page, desk: LiveDesk) -> None:
    dashboard = unsteady
    climbs(desk, "6", "green", "green", "red")
    expect_bricks(dashboard, "6", 3)
    desk.restart()
    climbs(desk, "6", "red", price=5256.0)
    expect_bricks(dashboard, "6", 4)
    expect(chart(dashboard, "6")).to_contain_text("▼ R 5,250.00")


def test_another_asset_has_other_bricks(page: Page, tmp_path: Path) -> None:
    with LiveDesk(tmp_path / "two", ASSETS="ES,NQ", CONTRACTS="ES=MESZ4,NQ=MNQZ4") as desk:
        climbs(desk, "6", "green", "green")
        climbs(desk, "6", "red", asset="NQ", price=23_000)
        dashboard = log_in(page, desk)
        expect_bricks(dashboard, "6", 2)
        dashboard.get_by_role("tab", name="NQ").click()
        expect(chart(dashboard, "6")).to_contain_text("▼ R 22,994.00")
        expect_bricks(dashboard, "6", 1)
        page.goto("about:blank")


def test_a_chart_is_moved_by_the_keyboard(dashboard: Page, desk: LiveDesk) -> None:
    climbs(desk, "6", *["green"] * 60)
    expect_bricks(dashboard, "6", 60)
    newest = pixels(dashboard, "6", "green")
    told(dashboard, "6").focus()
    for _ in range(4):
        dashboard.keyboard.press("ArrowLeft")
    until(dashboard, lambda: pixels(dashboard, "6", "green") != newest)  # fewer bricks are in sight, and scaled to fit
    dashboard.keyboard.press("End")
    until(dashboard, lambda: pixels(dashboard, "6", "green") == newest)


def test_a_phone_shows_one_chart(dashboard: Page, desk: LiveDesk) -> None:
    dashboard.set_viewport_size(PHONE)
    climbs(desk, "4", "red")
    until(dashboard, lambda: [size for size in SIZES if chart(dashboard, size).is_visible()] == ["6"])
    choose(dashboard, "4")
    expect(chart(dashboard, "4")).to_be_visible()
    expect_bricks(dashboard, "4", 1)
    expect(chart(dashboard, "6")).to_be_hidden()


def test_a_swipe_turns_to_the_next_size(browser: Browser, desk: LiveDesk) -> None:
    climbs(desk, "8", "green")
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = log_in(context.new_page(), desk)
    chart(page, "6").scroll_into_view_if_needed()
    box = box_of(chart(page, "6"))
    y, finger = box["y"] + box["height"] / 2, context.new_cdp_session(page)
    touches: list[tuple[str, list[int]]] = [
        ("touchStart", [300]),
        ("touchMove", [200]),
        ("touchMove", [120]),
        ("touchEnd", []),
    ]
    for kind, places in touches:
        points = [{"x": x, "y": y} for x in places]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(chart(page, "8")).to_be_visible()
    expect_bricks(page, "8", 1)
    context.close()


def test_without_the_library_everything_else_works(page: Page, desk: LiveDesk) -> None:
    page.route(
        "**/static/*/vendor/**", lambda route: route.fulfill(status=503, content_type="text/javascript", body="")
    )
    log_in(page, desk)
    expect(page.locator("#charts")).to_contain_text("The charts' library is not installed", use_inner_text=True)
    desk.hears_brick("6", "green")
    expect(page.locator("[data-stream=main_renko]")).to_have_attribute("data-color", "green")


def test_the_makers_of_the_charts_are_named(dashboard: Page) -> None:
    link = dashboard.get_by_role("link", name="Charts by TradingView")
    expect(link).to_have_attribute("href", "https://www.tradingview.com/")
    expect(link).to_be_visible()
