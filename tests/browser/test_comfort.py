"""Everything by keyboard: the keys, the sheet that lists them, and what typing must not do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.test_accessibility import SIGHTS, serious_faults
from tests.browser.waiting import fits, keeps_pressing, until
from tests.support.paths import REPOSITORY

PRICE = 5250.25
SHEET = "dialog#shortcuts"
HOW_TO = REPOSITORY / "docs" / "how-to" / "keyboard.md"
# What the keys must be told from: a browser's own keys, and letters that nobody bound.
UNBOUND = ("Shift+Z", "Shift+D", ";", "F2", "ArrowDown")


def market_agrees(desk: LiveDesk, color: str = "green") -> None:
    desk.hears_price(PRICE)
    desk.hears_stack({"12": color, "8": color, "6": color})


def keys_of(page: Page) -> list[str]:
    """Return the keys that the sheet lists, hidden ones of a range too."""
    keys: list[str] = page.locator(f"{SHEET} kbd[data-key]").evaluate_all(
        "(caps) => caps.map((cap) => cap.dataset.key)"
    )
    return keys


def listen_for_taken_keys(page: Page) -> None:
    page.evaluate("""() => {
        window.taken = [];
        window.addEventListener("keydown", (event) => taken.push(event.defaultPrevented));
    }""")


def takes(page: Page, key: str) -> bool:
    """Press the key; tell whether the page took it."""
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(key)
    is_taken = bool(page.evaluate("taken.at(-1)"))
    page.keyboard.press("Escape")  # it may have opened the sheet
    return is_taken


# -- the sheet ------------------------------------------------------------------------------------------------------


def test_the_sheet_opens_by_key_and_button_and_gives_the_focus_back(dashboard: Page) -> None:
    exit_all = dashboard.locator("#assets [data-exit=all]")
    exit_all.focus()
    dashboard.keyboard.press("?")
    sheet = dashboard.get_by_role("dialog", name="Keys")
    expect(sheet).to_contain_text("Exit the asset in view")
    expect(sheet).to_contain_text("A key never orders")
    dashboard.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(exit_all).to_be_focused()
    button = dashboard.get_by_role("button", name="Keys ?")
    button.click()
    expect(sheet).to_be_visible()
    dashboard.keyboard.press("?")
    expect(sheet).to_be_hidden()
    expect(button).to_be_focused()


def test_every_listed_key_is_taken_and_no_other(dashboard: Page) -> None:
    listen_for_taken_keys(dashboard)
    keys = keys_of(dashboard)
    assert len(keys) == len(set(keys))
    told = re.findall(r"`([^`]+)`", "".join(re.findall(r"^\|([^|]+)\|", HOW_TO.read_text("utf-8"), re.MULTILINE)))
    assert set(told) | {str(number) for number in range(2, 9)} == set(keys)
    stays = [key for key in keys if key not in ("J", "Shift+P", "R", "N", "O", "Shift+S", "U")]  # those leave the page
    assert [key for key in stays if not takes(dashboard, key)] == []
    assert [key for key in UNBOUND if takes(dashboard, key)] == []
    assert not takes(dashboard, "Control+b")
    assert not takes(dashboard, "Alt+x")


def test_keys_can_be_switched_off_and_stay_off(dashboard: Page) -> None:
    dashboard.keyboard.press("?")
    dashboard.get_by_role("switch", name="Single keys").uncheck()
    dashboard.keyboard.press("Escape")
    dashboard.reload()
    expect(dashboard.locator("[data-connection=stream]")).to_have_attribute("data-up", "yes")  # its scripts run
    listen_for_taken_keys(dashboard)
    assert not takes(dashboard, "x")
    assert not takes(dashboard, "?")
    dashboard.get_by_role("button", name="Keys ?").click()
    dashboard.get_by_role("switch", name="Single keys").check()
    dashboard.keyboard.press("Escape")
    listen_for_taken_keys(dashboard)
    assert takes(dashboard, "x")


@pytest.mark.parametrize(("scheme", "width"), SIGHTS)
def test_nothing_serious_is_wrong_with_the_sheets(browser: Browser, desk: LiveDesk, scheme: Any, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = log_in(context.new_page(), desk)
    faults = {}
    for name, opener in (("keys", "Keys ?"), ("signals", "Signals off")):
        page.get_by_role("button", name=opener).click()
        faults[name] = serious_faults(page)
        fits(page, width)
        page.keyboard.press("Escape")
    context.close()
    assert faults == {"keys": [], "signals": []}


# -- trading by keys ------------------------------------------------------------------------------------------------


def test_from_entry_to_flat_by_keys_alone(dashboard: Page, desk: LiveDesk) -> None:
    """One key brings the button, Enter presses it; held down it forces what the initial exit lock refuses."""
    market_agrees(desk)
    buy = dashboard.locator("#entry [data-side=BUY]")
    expect(buy).to_have_attribute("aria-disabled", "false")
    keyboard = dashboard.keyboard
    keyboard.press("q")
    keyboard.press("b")
    expect(buy).to_be_focused()
    expect(buy).to_contain_text("BUY 3 MESZ4")
    assert desk.operator().state()["orders"] == []  # the key itself orders nothing
    keyboard.press("Enter")
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    trade = dashboard.locator("#trade")
    expect(trade).to_contain_text("LONG 3")
    keyboard.press("t")
    expect(trade.get_by_role("switch", name="Points target")).to_be_focused()
    keyboard.press("x")
    expect(trade.locator("[data-exit=one]")).to_be_focused()
    keyboard.press("Enter")
    expect(trade.get_by_role("alert").last).to_contain_text("INITIAL EXIT LOCK ACTIVE")
    keyboard.down("Enter")
    keeps_pressing(dashboard)
    keyboard.up("Enter")
    desk.bridge_fills(desk.bridge_claims(), PRICE + 1)
    expect(trade).to_contain_text("Flat", use_inner_text=True)
    expect(dashboard.locator("#history tbody tr").first).to_contain_text("forced")


def test_enter_held_down_asks_for_an_entry_once(dashboard: Page) -> None:
    asked: list[str] = []
    dashboard.on("request", lambda request: asked.append(request.url) if request.url.endswith("/api/orders") else None)
    dashboard.keyboard.press("p")
    dashboard.keyboard.press("b")
    for _ in range(4):  # a second `down` without an `up` is a repeat
        dashboard.keyboard.down("Enter")
        dashboard.wait_for_timeout(120)
    dashboard.keyboard.up("Enter")
    until(dashboard, lambda: asked)
    dashboard.wait_for_timeout(500)  # a second one would be heard by now
    assert len(asked) == 1


def test_what_a_key_cannot_do_it_says(dashboard: Page, desk: LiveDesk) -> None:
    market_agrees(desk)
    said = dashboard.locator("#key-said")
    expect(dashboard.locator("#stack")).to_contain_text("NORMAL ▲ BUY")
    dashboard.keyboard.press("s")
    expect(said).to_have_text("SELL is not offered: zone NORMAL ▲ BUY.")
    dashboard.keyboard.press("t")
    expect(said).to_have_text("Flat: nothing takes you out.")
    dashboard.keyboard.press("w")
    expect(said).to_have_text("Every gate is open.")
    dashboard.keyboard.press("7")
    expect(said).to_have_text("There is no asset 7.")


def test_choices_by_key_are_said(dashboard: Page) -> None:
    said, big = dashboard.locator("#key-said"), dashboard.locator(".chart[data-big]")
    for key, name, value, words in (
        ("p", "order_type", "preorder", "Way in: Pre-order next 6pt brick"),
        ("c", "trade_mode", "RUNNER", "Trade mode: RUNNER no target"),
        ("q", "entry_size_mode", "9pt", "Size: 9pt 3 contracts"),
        (".", "chart-size", "8", "Size of the big chart: 8"),
        ("m", "order_type", "market", "Way in: Market now"),
    ):
        dashboard.keyboard.press(key)
        expect(said).to_have_text(words)
        expect(dashboard.locator(f"[name={name}][value='{value}']")).to_be_checked()
    expect(big).to_have_attribute("data-size", "8")
    dashboard.keyboard.press("g")
    expect(big.locator(".chart-canvas")).to_be_focused()
    for layout in ("candles", "grid", "off"):
        dashboard.keyboard.press("l")
        expect(dashboard.locator("#charts")).to_have_attribute("data-layout", layout)
    dashboard.keyboard.press("g")
    expect(said).to_have_text("The charts are off: L shows them.")


def test_typing_is_not_pressing(dashboard: Page, desk: LiveDesk) -> None:
    market_agrees(desk)
    expect(dashboard.locator("#stack [data-slot=zone]")).to_have_text("NORMAL ▲ BUY")
    dashboard.keyboard.press("v")
    side = dashboard.locator("#entry [name=override_side]").locator("visible=true")
    expect(side).to_be_focused()  # in a zone that gives one side the other is all there is to override to
    dashboard.keyboard.press("ArrowDown")
    dashboard.keyboard.press("Tab")
    reason = dashboard.get_by_label("Why? It is kept in the journal.")
    expect(reason).to_be_focused()
    dashboard.keyboard.type("big sellers? x1")
    expect(reason).to_be_focused()
    expect(reason).to_have_value("big sellers? x1")
    expect(dashboard.locator(SHEET)).to_be_hidden()


def test_a_phone_has_its_own_exit_for_the_same_key(browser: Browser, desk: LiveDesk) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = log_in(context.new_page(), desk)
    page.keyboard.press("x")
    expect(page.locator("#thumb-bar [data-exit=one]")).to_be_focused()
    page.keyboard.press("Shift+X")
    expect(page.locator("#thumb-bar [data-exit=all]")).to_be_focused()
    context.close()


def test_keys_lead_from_page_to_page(dashboard: Page, desk: LiveDesk) -> None:
    for key, path in (
        ("j", "/journal"),
        ("Shift+P", "/portfolio"),
        ("r", "/review"),
        ("n", "/models"),
        ("o", "/log"),
        ("Shift+S", "/status"),
        ("u", "/setup"),
        ("d", "/"),
    ):
        dashboard.keyboard.press(key)
        expect(dashboard).to_have_url(re.compile(f"^{desk.url}{path}(\\?.*)?$"))
        dashboard.wait_for_load_state("load")
        expect(dashboard.locator(f"{SHEET} kbd[data-key='?']")).to_have_count(1)  # its keys are bound
        if path != "/":
            assert sorted(keys_of(dashboard)) == ["?", "D", "J", "N", "O", "R", "Shift+P", "Shift+S", "U"]
    dashboard.keyboard.press("d")
    expect(dashboard.locator("#key-said")).to_have_text("Desk: you are here.")


# -- seeing where one is, and no more motion than wanted --------------------------------------------------------------

# What is wrong with the ring around the element that has the focus; null when nothing has it.
RING = """() => {
    const focused = document.activeElement;
    if (focused === document.body) return null;
    const ringed = focused.matches(".segmented input") ? focused.nextElementSibling : focused;
    const style = getComputedStyle(ringed);
    const reach = parseFloat(style.outlineOffset) + parseFloat(style.outlineWidth);
    const place = ringed.getBoundingClientRect();
    const name = focused.getAttribute("aria-label") ?? (focused.textContent.trim() || focused.name);
    const faults = [];
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) faults.push(`${name}: no ring`);
    for (let around = ringed.parentElement; around !== document.body; around = around.parentElement) {
        const edge = around.getBoundingClientRect();
        const isCut = place.left - reach < edge.left || place.right + reach > edge.right;
        if (getComputedStyle(around).overflowX === "hidden" && isCut) faults.push(`${name}: ring cut`);
    }
    const [x, y] = [place.left + place.width / 2, place.top + Math.min(place.height / 2, 20)];
    const seen = document.elementFromPoint(x, y);
    const isSeen = seen !== null && (ringed.contains(seen) || seen.contains(ringed));
    if (!isSeen) faults.push(`${name}: covered by ${seen?.className}`);
    return faults;
}"""


@pytest.mark.parametrize("width", [1440, 390])
def test_every_stop_of_the_tab_key_can_be_seen(browser: Browser, desk: LiveDesk, width: int) -> None:
    """A ring around it, cut by nothing, under no bar that stays in place."""
    market_agrees(desk)
    desk.operator().enters()
    desk.bridge_fills(desk.bridge_claims(), PRICE)
    context = browser.new_context(viewport={"width": width, "height": 844})
    page = log_in(context.new_page(), desk)
    expect(page.locator("#trade")).to_contain_text("LONG 5", use_inner_text=True)
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    page.locator(".skip").focus()
    faults, stops = [], 0
    while (found := page.evaluate(RING)) is not None and stops < 150:
        faults += found
        stops += 1
        page.keyboard.press("Tab")
    context.close()
    assert faults == []
    assert stops > 40


# What takes time to get somewhere; a change of opacity goes nowhere.
MOVES = """() => [...document.querySelectorAll("*")].flatMap((element) => {
    const styles = [null, "::before", "::after"].map((part) => getComputedStyle(element, part));
    const moves = ({ transitionDuration, transitionProperty, animationDuration }) =>
        parseFloat(animationDuration) > 0 || (parseFloat(transitionDuration) > 0 && transitionProperty !== "opacity");
    return styles.filter(moves).map((style) => `${element.className}: ${style.transition} ${style.animation}`);
})"""


def test_who_wants_no_motion_gets_none(browser: Browser, desk: LiveDesk) -> None:
    """Nothing slides or grows; a held button deepens in steps."""
    context = browser.new_context(reduced_motion="reduce")
    page = log_in(context.new_page(), desk)
    page.evaluate("for (const button of document.querySelectorAll('.holdable')) button.dataset.holding = ''")
    found = page.evaluate(MOVES)
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(MOVES) != []  # it can tell
    context.close()
    assert found == []
