"""axe-core looks at every page, in dark and light, on a desktop and a phone: nothing serious may be wrong."""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.market import PricedDesk
from tests.browser.test_proposals import proposes
from tests.browser.test_slips import PRICE
from tests.support.desk_process import QUICK
from tests.support.paths import REPOSITORY

AXE = REPOSITORY / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ("/", "/journal", "/portfolio", "/review", "/models", "/log", "/status", "/setup", "/api/docs")
SIGHTS = [(scheme, width) for scheme in ("dark", "light") for width in (1440, 390)]


def serious_faults(page: Page) -> list[str]:
    """Return what axe calls serious or critical, each with the first element it is about."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{fault['id']}: {fault['nodes'][0]['html'][:160]} ({len(fault['nodes'])} places)"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


@pytest.fixture(scope="module")
def busy_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    """A desk with something on every page: bricks, a trade, a closed one, a dead letter, proposals."""
    with PricedDesk(tmp_path_factory.mktemp("axe"), COOLDOWN_SECONDS="0", CANDLE_SECONDS="1") as desk:
        desk.hears_price(6_689)
        desk.hears_a_walk()
        for size in ("8", "12", "6"):
            desk.hears_brick(size, "green")
        operator, bridge = desk.operator(), desk.bridge()
        bridge.fills(operator.enters_when_the_candle_allows(), 5250)
        bridge.fills(operator.post("/api/exit", json={"asset": "ES", "force": True}).json()["order"], 5254)
        desk.hears_brick("6", "green")
        bridge.fills(operator.enters_when_the_candle_allows(), 5250)
        desk.tradingview().brick(6, "purple")
        operator.post(f"/api/proposals/{proposes(desk)['id']}/dismiss").raise_for_status()
        proposes(desk, direction="SELL", stop=PRICE + 10, target=None)
        yield desk


@pytest.mark.parametrize(("scheme", "width"), SIGHTS)
def test_nothing_serious_is_wrong_on_any_page(
    browser: Browser, busy_desk: LiveDesk, scheme: Literal["dark", "light"], width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{busy_desk.url}/login")
    faults = {"/login": serious_faults(page)}
    log_in(page, busy_desk)
    for path in PAGES:
        page.goto(f"{busy_desk.url}{path}")
        page.wait_for_timeout(700)  # until the first state and the charts are drawn
        faults[path] = serious_faults(page)
    context.close()
    assert {path: found for path, found in faults.items() if found} == {}


@pytest.fixture(scope="module")
def bound_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDesk]:
    """A desk with every panel of limits: a firm, a doubted store, a size that is too large, a flat time, a lockout."""
    folder = tmp_path_factory.mktemp("bound")
    opened = folder / "state" / "lockstep" / "opened"
    opened.mkdir(parents=True)
    (opened / "damaged.json").write_text("nobody can read this")
    more = {"FIRM": "topstep:50k", "COMMISSION_MES": "0.62", "WEEKLY_LOSS_USD": "900", "MAX_CONTRACTS": "2"}
    with LiveDesk(folder, **QUICK, **more).trades_at_any_hour() as desk:
        desk.bridge_reports_account(50_000, 0.0)
        desk.hears_price(PRICE)
        desk.hears_stack({"12": "green", "8": "green", "2.5": "green", "6": "green"})
        desk.operator().post("/api/limits", json={"max_risk_per_order_pct": 0.5}).raise_for_status()
        yield desk


PANELS_OF_LIMITS = ("#entry", "#ladder", "#firm", "#store-doubt", "#window", "#limits")


def open_panels_of_limits(page: Page) -> None:
    """Unfold what is folded, and look that every panel is there: axe passes over what is hidden."""
    page.locator("#limits summary").click()
    page.locator("#window summary").click()
    for panel in PANELS_OF_LIMITS:
        expect(page.locator(panel)).to_be_visible()
    expect(page.locator("#limits form")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), SIGHTS)
def test_nothing_serious_is_wrong_with_what_limits_the_desk(
    browser: Browser, bound_desk: LiveDesk, scheme: Literal["dark", "light"], width: int
) -> None:
    with browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme) as context:
        page = log_in(context.new_page(), bound_desk)
        open_panels_of_limits(page)
        expect(page.locator("[data-smaller=BUY]")).to_contain_text("BUY 3 MESZ4 instead")
        page.locator("#entry [data-side=BUY]").click(force=True)  # refused, and answered beside the button
        expect(page.locator("#entry [data-slot=answer]")).to_contain_text("3 fit")
        assert serious_faults(page) == []


def test_nothing_serious_is_wrong_with_a_lockout_and_an_open_trade(browser: Browser, bound_desk: LiveDesk) -> None:
    operator = bound_desk.operator()
    operator.enters_when_the_candle_allows(qty=3)
    bound_desk.bridge_fills(bound_desk.bridge_claims(), PRICE)
    bound_desk.hears_price(PRICE - 3)
    operator.post("/api/lockout", json={"until": "week"}).raise_for_status()
    faults = {}
    for scheme, width in SIGHTS:
        with browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme) as context:  # type: ignore[arg-type]
            page = log_in(context.new_page(), bound_desk)
            open_panels_of_limits(page)
            expect(page.locator("#window [data-key=lockout]")).to_be_visible()
            expect(page.locator("[data-way=daily_stop] .way-where")).to_contain_text("by the books at")
            faults[scheme, width] = serious_faults(page)
    assert {sight: found for sight, found in faults.items() if found} == {}
