"""axe-core looks at every page, in dark and light, on a desktop and a phone: nothing serious may be wrong."""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import log_in
from tests.browser.live_desk import LiveDesk
from tests.browser.market import PricedDesk
from tests.browser.test_proposals import proposes
from tests.browser.test_slips import PRICE
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
