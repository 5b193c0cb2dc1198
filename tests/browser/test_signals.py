"""Tones and notifications: silent until somebody wants them, about what is new, from one page, never stale."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import complaints_of, log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.modules import call
from tests.support.desk_process import eventually

PRICE = 5250.25
# The figures of static/js/ui/tones.js.
ENTRY_FILLED, EXIT_FILLED, LOST, BACK, OPEN = [587, 880], [880, 587], [330, 247], [247, 330], [659]
# What the page would let be heard and shown; whether it is hidden is ours to say.
WATCHED = """
    window.notes = [];
    window.shown = [];
    window.contexts = 0;
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (at) {
        notes.push(Math.round(this.frequency.value));
        return start.call(this, at);
    };
    window.AudioContext = new Proxy(AudioContext, { construct: (made, given) => (contexts++, new made(...given)) });
    window.Notification = new Proxy(Notification, {
        construct(made, [title, options]) {
            shown.push({ title, ...options });
            return new made(title, options);
        },
    });
    Object.defineProperty(document, "hidden", { get: () => window.isHidden ?? false });
"""


@pytest.fixture
def context(browser: Browser, desk: LiveDesk) -> Iterator[BrowserContext]:
    """A browser whose tones and notifications are counted; no page of it may complain."""
    watched = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="UTC")
    watched.add_init_script(WATCHED)
    complaints: list[list[str]] = []
    watched.on("page", lambda page: complaints.append(complaints_of(page)))
    yield watched
    watched.close()
    assert [complaint for of_a_page in complaints for complaint in of_a_page] == []


@pytest.fixture
def dashboard(context: BrowserContext, desk: LiveDesk) -> Page:
    desk.hears_price(PRICE)
    desk.hears_stack({"12": "green", "8": "green"})
    return open_dashboard(context, desk)


def open_dashboard(context: BrowserContext, desk: LiveDesk) -> Page:
    """Log in, and see something change: from then on the page has a picture to compare the next one with."""
    page = log_in(context.new_page(), desk)
    desk.hears_brick("4", "red")
    expect(page.locator("[data-stream=renko]")).to_have_attribute("data-color", "red")
    return page


def switch_on(page: Page, name: str) -> None:
    """Click the switch; the tone that it plays at once is not counted."""
    page.locator("[data-opens=signals]").click()
    page.get_by_role("dialog").get_by_role("switch", name=name).click()
    if name == "Sounds":
        eventually(lambda: len(notes_of(page)) > 1)
    page.keyboard.press("Escape")
    page.evaluate("notes.length = 0")


def notes_of(page: Page) -> list[int]:
    notes: list[int] = page.evaluate("notes")
    return notes


def enters(page: Page, desk: LiveDesk) -> None:
    """Let the desk hear the token, enter, and fill it."""
    desk.hears_brick("6", "green")
    buy = page.locator("#entry [data-side=BUY]")
    expect(buy).to_have_attribute("aria-disabled", "false")
    buy.click()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    expect(page.locator("#trade")).to_contain_text("LONG 5", use_inner_text=True)


def test_nobody_is_told_anything_unasked(dashboard: Page, desk: LiveDesk) -> None:
    expect(dashboard.locator("[data-opens=signals]")).to_have_text("Signals off")
    dashboard.evaluate("window.isHidden = true")
    enters(dashboard, desk)
    dashboard.wait_for_timeout(300)
    assert dashboard.evaluate("[notes.length, shown.length, contexts]") == [0, 0, 0]


def test_sounds_tell_the_open_gate_the_fill_and_the_exit_apart(dashboard: Page, desk: LiveDesk) -> None:
    switch_on(dashboard, "Sounds")
    expect(dashboard.locator("[data-opens=signals]")).to_have_text("Signals on")
    enters(dashboard, desk)
    eventually(lambda: notes_of(dashboard) == [*OPEN, *ENTRY_FILLED])
    desk.hears_brick("6", "green")  # ends the initial exit lock
    expect(dashboard.locator("#trade [data-exit=one]")).not_to_have_attribute("data-locked", "")
    dashboard.locator("#trade [data-exit=one]").click()
    desk.bridge_fills(desk.bridge_claims(), PRICE + 1)
    eventually(lambda: notes_of(dashboard) == [*OPEN, *ENTRY_FILLED, *EXIT_FILLED])


def test_a_kind_can_be_left_out_and_everything_is_remembered(dashboard: Page, desk: LiveDesk) -> None:
    switch_on(dashboard, "Sounds")
    dashboard.locator("[data-opens=signals]").click()
    dashboard.get_by_role("checkbox", name="The last gate opened").uncheck()
    dashboard.reload()
    state = dashboard.locator("[data-opens=signals]")
    expect(state).to_have_text("Signals paused")  # browsers want one before a page may sound
    assert dashboard.evaluate("contexts") == 0
    dashboard.locator("#stack").click()
    expect(state).to_have_text("Signals on")
    enters(dashboard, desk)
    eventually(lambda: notes_of(dashboard) == ENTRY_FILLED)


def test_every_kind_can_be_tried(dashboard: Page) -> None:
    dashboard.locator("[data-opens=signals]").click()
    plays = dashboard.get_by_role("button", name="Play the tone")
    figures = set()
    for number in range(plays.count()):
        dashboard.evaluate("notes.length = 0")
        plays.nth(number).click()
        eventually(lambda: notes_of(dashboard))
        figures.add(tuple(notes_of(dashboard)))
        dashboard.wait_for_timeout(800)  # what waits too long is left out
    assert len(figures) == plays.count() == 6


@pytest.mark.whole_browser
def test_a_hidden_page_notifies_and_two_pages_do_it_once(
    context: BrowserContext, dashboard: Page, desk: LiveDesk
) -> None:
    context.grant_permissions(["notifications"], origin=desk.url)
    switch_on(dashboard, "Notifications")
    expect(dashboard.locator("[data-opens=signals]")).to_have_text("Signals on")
    second = context.new_page()
    second.goto(desk.url)
    expect(second.locator("[data-connection=stream]")).to_have_attribute("data-up", "yes")
    enters(dashboard, desk)
    assert dashboard.evaluate("shown") == []  # somebody looks at it
    for page in (dashboard, second):
        page.evaluate("window.isHidden = true")
    desk.hears_brick("6", "green")
    desk.operator().post("/api/exit", json={"asset": "ES"})
    desk.bridge_fills(desk.bridge_claims(), PRICE + 1)
    eventually(lambda: len(dashboard.evaluate("shown") + second.evaluate("shown")) == 1)
    dashboard.wait_for_timeout(300)
    [shown] = dashboard.evaluate("shown") + second.evaluate("shown")
    assert shown["title"] == "[DEMO] ES closed +$25.00"
    assert shown["body"] == "long 5, +1.00 pt, by your hand."
    assert shown["tag"].startswith("lockstep closed ")


def test_refused_notifications_go_back_with_the_reason(dashboard: Page) -> None:
    dashboard.evaluate("Notification.requestPermission = async () => 'denied'")
    switch_on(dashboard, "Notifications")
    dashboard.locator("[data-opens=signals]").click()
    expect(dashboard.get_by_role("switch", name="Notifications")).not_to_be_checked()
    expect(dashboard.get_by_role("dialog").get_by_role("alert")).to_contain_text("The browser refuses notifications")


def test_a_lost_stream_and_its_return_are_heard(dashboard: Page, desk: LiveDesk) -> None:
    switch_on(dashboard, "Sounds")
    desk.freezes()
    eventually(lambda: notes_of(dashboard) == LOST)
    desk.thaws()
    eventually(lambda: notes_of(dashboard) == [*LOST, *BACK])


def test_what_was_missed_is_shown_and_not_sounded(context: BrowserContext, desk: LiveDesk) -> None:
    """The page is out of touch while an order fills: afterwards only the stream's return is heard."""
    desk.hears_price(PRICE)
    desk.hears_stack({"12": "green", "8": "green", "6": "green"})
    page = open_dashboard(context, desk)
    switch_on(page, "Sounds")
    page.route("**/api/state", lambda route: route.fulfill(status=503, json={"ok": False}))
    page.evaluate("window.dispatchEvent(new Event('pagehide'))")  # lets the stream go
    eventually(lambda: notes_of(page) == LOST)
    page.wait_for_timeout(1_500)
    desk.operator().enters()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(page.locator("#trade")).to_contain_text("LONG 5", use_inner_text=True)
    eventually(lambda: notes_of(page) == [*LOST, *BACK])
    page.wait_for_timeout(500)
    assert notes_of(page) == [*LOST, *BACK]


# -- what is a signal -----------------------------------------------------------------------------------------------

ALERT = {"at": "2026-01-12T15:00:00Z", "code": "bridge_silent", "level": "critical", "sentence": "BRIDGE SILENT"}
CLOSED = {"id": "t1", "asset": "ES", "side": "SELL", "size": 5, "pnl_usd": -37.5, "pnl_points": -1.5}


def signals(page: Page, before: Any, after: Any) -> list[str]:
    """Return what the page would tell of the two documents, the gravest first."""
    pair = {"before": before, "after": after}
    found = call(page, "js/reading/signals.js", "module.signalsOf(argument.before, argument.after)", pair)
    return [f"{signal['kind']}: {signal['title']} | {signal['body']}" for signal in found]


def test_signals_come_from_what_changed(dashboard: Page, desk: LiveDesk) -> None:
    before = desk.operator().state()
    after = deepcopy(before)
    assert signals(dashboard, before, after) == []
    after["alerts"].insert(0, {**ALERT, "asset": None})
    after["alerts"].insert(0, {**ALERT, "code": "daily_stop", "asset": None})  # told by its own kind
    after["alerts"].insert(0, {**ALERT, "code": "limits_pending", "level": "info", "asset": None})
    after["history"].insert(0, {**CLOSED, "reason": "points_tp"})
    after["global"].update(
        daily_stop_triggered=True, daily_stop_triggered_reason="2.1 % lost", daily_stop_warned_pct=85
    )
    assert signals(dashboard, before, after) == [
        "daily_stop: [DEMO] DAILY STOP | 2.1 % lost",
        "critical: [DEMO] critical | BRIDGE SILENT",
        "taken_out: [DEMO] ES closed −$37.50 | short 5, −1.50 pt, taken out by points tp.",
    ]
    assert signals(dashboard, after, after) == []
    assert signals(dashboard, after, before) == []  # a new day takes marks and stops back


def test_a_mark_of_the_drawdown_and_the_last_gate_are_signals(dashboard: Page, desk: LiveDesk) -> None:
    closed = desk.operator().state()
    assert closed["assets"]["ES"]["first_closed_gate"] == "tempo"
    opened = deepcopy(closed)
    opened["assets"]["ES"]["first_closed_gate"] = None
    opened["global"]["daily_stop_warned_pct"] = 70
    assert signals(dashboard, closed, opened) == [
        "drawdown: [DEMO] 70 % of the daily stop is used | The limit is 2 % of the day's start.",
        "may_enter: [DEMO] ES: an entry may be made | Every gate is open.",
    ]
    assert signals(dashboard, opened, closed) == []  # a gate that closes is seen where one clicks


def test_a_page_that_takes_the_lock_from_itself_still_speaks(context: BrowserContext, desk: LiveDesk) -> None:
    """The first click may come when the lock has been granted and the page does not know it yet."""
    context.add_init_script(
        """
        let lose = null;
        if (navigator.locks) navigator.locks.request = (name, { steal }, act) => new Promise((resolve, reject) => {
            if (!steal) lose = reject;
            else act(), lose(new DOMException("taken", "AbortError"));
        });
        """
    )
    page = open_dashboard(context, desk)
    assert call(page, "js/ui/voice.js", "module.isOurs()") is False
    page.locator("#stack").click()
    eventually(lambda: call(page, "js/ui/voice.js", "module.isOurs()") is True)
