"""The feed as the operator sees it: a lost message closes entries, the next that continues opens them."""

from __future__ import annotations

import time

from playwright.sync_api import Locator, Page, expect

from tests.browser.live_desk import LiveDesk
from tests.browser.test_accessibility import serious_faults
from tests.browser.waiting import settled
from tests.support.tv_chart import Chart, Message, as_sent

SAMPLE_AGE_MS = 48 * 3_600_000  # DEMO takes a message of before yesterday as a sample: no clock makes it late
PLACES = "['#entry', '#trade', '#charts'].map((panel) => document.querySelector(panel).getBoundingClientRect().top)"


def feed(page: Page) -> Locator:
    return page.locator("#feed")


def rung(page: Page) -> Locator:
    return page.locator("#ladder [data-key=feed]")


def brick(page: Page, stream: str) -> Locator:
    return page.locator(f"[data-stream={stream}]")


def sends(desk: LiveDesk, message: Message) -> None:
    answer = desk.tradingview().post("/tv", data=as_sent(message))
    assert answer.status_code == 200, answer.text


def test_a_lost_message_closes_entries_and_the_next_that_continues_opens_them(dashboard: Page, desk: LiveDesk) -> None:
    expect(feed(dashboard)).to_contain_text("nothing heard yet")
    chart = Chart("CME_MINI:ES1!", seen=("5250", "5280"), started_ms=int(time.time() * 1000) - SAMPLE_AGE_MS)
    sends(desk, chart.closes(5281))
    sends(desk, chart.closes(5282))
    expect(feed(dashboard)).to_have_attribute("data-verdict", "doubted")
    expect(feed(dashboard)).to_contain_text("bars of 15 s, the last ended 2 d ago")
    expect(feed(dashboard)).to_contain_text("Open, though silent: closes nothing in DEMO")
    expect(rung(dashboard)).to_have_attribute("data-state", "open")

    before = settled(dashboard, lambda: dashboard.evaluate(PLACES))
    chart.closes(5262)  # this one is lost
    sends(desk, chart.closes(5240))
    expect(feed(dashboard)).to_contain_text("Closes entries")
    expect(feed(dashboard)).to_contain_text("STREAM GAPPED")
    assert dashboard.evaluate(PLACES) == before, "nothing moves under a hand"
    expect(rung(dashboard)).to_have_attribute("data-state", "closed")
    expect(rung(dashboard)).to_contain_text("the next message must agree")
    for stream in ("main_renko", "high_renko"):
        expect(brick(dashboard, stream)).to_contain_text("gap")
    feed(dashboard).get_by_text("Each size").click()
    expect(feed(dashboard).locator("[data-chain=gapped]").first).to_contain_text("bricks may be missing, since")
    assert serious_faults(dashboard) == []
    dashboard.reload()
    expect(feed(dashboard)).to_contain_text("STREAM GAPPED")

    sends(desk, chart.closes(5241))
    expect(feed(dashboard)).to_have_attribute("data-verdict", "doubted")
    expect(feed(dashboard)).to_contain_text("whole again at")
    expect(feed(dashboard)).to_contain_text("then the next message agreed")
    expect(rung(dashboard)).to_have_attribute("data-state", "open")
    expect(brick(dashboard, "main_renko")).not_to_contain_text("gap")
    dashboard.reload()
    expect(feed(dashboard)).to_contain_text("then the next message agreed")


def test_bars_of_now_are_whole_and_alerts_without_closes_are_not_judged(dashboard: Page, desk: LiveDesk) -> None:
    desk.hears_brick("6", "green")
    expect(feed(dashboard)).to_contain_text("an alert for each size, the last brick")
    expect(feed(dashboard)).to_contain_text("Not judged")
    expect(feed(dashboard)).to_have_attribute("data-verdict", "doubted")
    begun = int(time.time() * 1000) - 30_000
    chart = Chart("CME_MINI:ES1!", seen=("5250", "5280"), started_ms=begun)
    sends(desk, chart.closes(5281))
    sends(desk, chart.closes(5282))
    expect(feed(dashboard)).to_have_attribute("data-verdict", "whole")
    expect(feed(dashboard)).to_contain_text("bars of 15 s, the last ended")
