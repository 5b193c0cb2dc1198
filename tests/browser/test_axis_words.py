"""What stands beside a chart: no two labels read alike, days are told apart, averages read as in the tables."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.modules import call

AXIS = "js/charts/axis_words.js"


def book(*times: str) -> dict[str, object]:
    return {"bricks": [{"n": number, "ts": f"2031-01-{at}Z"} for number, at in enumerate(times, 1)]}


def test_seconds_and_dates_stand_where_labels_would_repeat(dashboard: Page) -> None:
    bricks = book("06T21:33:05", "07T21:33:05", "07T21:33:20", "07T21:33:40", "07T21:34:01")
    labels = "argument.bricks.map(({ n }) => module.tickWords({ book: argument }, n))"
    assert call(dashboard, AXIS, labels, bricks) == ["6 Jan 16:33", "16:33", "16:33:20", "16:33:40", "16:34"]
    begins = "argument.bricks.map(({ n }) => module.beginsDay({ book: argument }, n))"
    assert call(dashboard, AXIS, begins, bricks) == [False, True, False, False, False]


def test_a_line_at_an_average_reads_as_in_the_table(dashboard: Page) -> None:
    view = {"prices": "sent", "lines": [{"price": 6763.125}], "tickSize": 0.25}
    words = "[6763.125, 6763.128, 6763.25].map((value) => module.valueWords(argument, value))"
    assert call(dashboard, AXIS, words, view) == ["6,763.125", "6,763.13", "6,763.25"]
    average = call(dashboard, "js/reading/format.js", "module.averagePrice(6763.125, 0.25)")
    assert average == "6,763.125"


def test_large_counts_are_grouped(dashboard: Page) -> None:
    desk = {"trades_remaining_today": 9_999, "max_trades_per_day": 10_000}
    words = "module.openFact('trade_limit', argument, {})"
    assert call(dashboard, "js/reading/gates.js", words, desk) == "9,999 of 10,000 left"
