"""How auto-trade is configured: which words are refused, and that the one which came last counts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.requests import Request

from advisor.channels.agent_access import AgentAccess
from advisor.channels.auto_rest import BASE, AutoRest
from sidecar.problems import ServiceRefused, answer_refused
from tests.advisor.auto.floor import QUARTER, USUAL, Floor, Json
from tests.advisor.auto.test_confirming import BAR, code_of, waiting


@pytest.fixture
def paper(tmp_path: Path) -> Iterator[Floor]:
    floor = waiting(tmp_path)
    yield floor
    floor.close()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Floor]:
    floor = waiting(tmp_path, paper_trading=False)
    yield floor
    floor.close()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_risk_per_trade", 0),
        ("max_risk_per_trade", -0.01),
        ("max_risk_per_trade", 0.0200001),
        ("max_risk_per_trade", 2),
        ("max_daily_trades", 0),
        ("max_daily_trades", 21),
        ("min_confidence", -0.1),
        ("min_confidence", 1.01),
        ("symbols", []),
        ("symbols", ["AAPL"]),
        ("symbols", ["GC"]),
        ("symbols", ["ES"] * 51),
    ],
    ids=str,
)
def test_a_wrong_configuration_names_its_field_and_changes_nothing(paper: Floor, field: str, value: Any) -> None:
    before = paper.status()
    with pytest.raises(ServiceRefused) as refused:
        paper.configures(**{field: value})
    assert (refused.value.status, refused.value.code) == (400, "invalid_body")
    assert str(refused.value).startswith(f"{field}: ")
    assert paper.status() == before


@pytest.mark.parametrize(("risk", "trades", "confidence"), [(0.02, 1, 0), (0.000001, 20, 1)])
def test_the_bounds_themselves_are_allowed(paper: Floor, risk: float, trades: int, confidence: float) -> None:
    paper.configures(max_risk_per_trade=risk, max_daily_trades=trades, min_confidence=confidence)
    config = paper.status()["config"]
    assert (config["max_risk_per_trade"], config["max_daily_trades"]) == (risk, trades)


def test_no_machine_clicks_in_live(live: Floor) -> None:
    before = live.status()["config"]
    with pytest.raises(ServiceRefused, match="in LIVE no machine clicks") as refused:
        live.configures(paper_trading=False, require_confirmation=False)
    assert refused.value.status == 400
    assert live.status()["config"] == before


def test_proposals_need_a_desk_in_live_that_answers_now(paper: Floor) -> None:
    wanted: Json = {"paper_trading": False, "require_confirmation": True}
    assert code_of(lambda: paper.configures(**wanted)) == "not_live"
    paper.web.document["global"].update(env="LIVE", role="standby")
    assert code_of(lambda: paper.configures(**wanted)) == "web_away"
    paper.web.is_away = True
    assert code_of(lambda: paper.configures(**wanted)) == "web_away"
    assert paper.status()["mode"] == "paper"
    paper.web.is_away = False
    paper.web.document["global"]["role"] = "writer"
    paper.configures(**wanted)
    assert paper.status()["mode"] == "proposals"


@pytest.mark.parametrize("frozen", [{"role": "standby"}, {"store": "down"}])
def test_nothing_is_switched_on_while_the_desk_decides_nothing(paper: Floor, frozen: Json) -> None:
    before = paper.status()["config"]
    paper.web.document["global"].update(frozen)
    assert code_of(lambda: paper.configures(max_daily_trades=3)) == "web_away"
    assert paper.status()["config"] == before


def test_it_can_be_switched_off_while_the_desk_is_away_or_back_in_demo(live: Floor) -> None:
    live.web.is_away = True
    live.configures(enabled=False, paper_trading=False, require_confirmation=True)
    assert live.status()["enabled"] is False
    assert code_of(lambda: live.configures()) == "web_away"


def test_what_is_switched_off_may_name_proposals_in_demo_too_and_not_be_switched_on(paper: Floor) -> None:
    wanted: Json = {"paper_trading": False, "require_confirmation": True}
    assert paper.configures(enabled=False, **wanted).paper_trading is False
    assert code_of(lambda: paper.configures(**wanted)) == "not_live"
    assert paper.status()["enabled"] is False


@pytest.mark.parametrize("later", [{"enabled": False}, {"max_daily_trades": 1}])
def test_of_two_configurations_the_one_that_came_last_counts(paper: Floor, later: Json) -> None:
    """The first one waits for the desk when the other is sent and answered."""
    earlier = paper.configuring(max_daily_trades=7)

    def comes() -> None:
        paper.web.meanwhile = lambda: None
        paper.at_once(paper.configuring(**later))

    paper.web.meanwhile = comes
    assert code_of(lambda: paper.waits_for(earlier)) == "already_decided"
    config = paper.status()["config"]
    assert {name: config[name] for name in later} == later


def test_a_later_configuration_that_is_refused_does_not_undo_the_one_before_it(paper: Floor) -> None:
    earlier = paper.configuring(max_daily_trades=7)
    with pytest.raises(ServiceRefused, match="symbols"):
        paper.configures(symbols=["GC"])
    paper.waits_for(earlier)
    assert paper.status()["config"]["max_daily_trades"] == 7


def test_nothing_is_decided_after_it_was_switched_off(paper: Floor) -> None:
    """The bar was seen, and the desk asked, when the word came."""
    paper.web.meanwhile = lambda: paper.at_once(paper.configuring(enabled=False))
    paper.looks(BAR + QUARTER + 2)
    assert len(paper.decisions()) == 1
    assert paper.status()["enabled"] is False


def test_limits_that_change_while_the_desk_is_asked_are_those_of_the_decision(paper: Floor) -> None:
    def narrows() -> None:
        paper.web.meanwhile = lambda: None
        stored = paper.store.configured()
        assert stored is not None
        paper.store.configure(replace(stored, config=replace(stored.config, min_confidence=Decimal("0.9"))))

    paper.web.meanwhile = narrows
    paper.looks(BAR + QUARTER + 2)
    paper.looks(BAR + QUARTER + 3)
    assert paper.decisions()[-1]["reason"] == "low_confidence"


class SlowKeys:
    """Admits everybody; whoever shows a key waits until the desk has said that it is one."""

    def __init__(self) -> None:
        self.asked, self.answers = asyncio.Event(), asyncio.Event()

    async def admit(self, request: Request, scope: str) -> str:
        if "X-API-Key" in request.headers:
            self.asked.set()
            await self.answers.wait()
        return scope


def test_a_word_has_come_before_its_key_is_known(paper: Floor) -> None:
    """Switched on by a key, that web takes a while to know, and off meanwhile: it stays off."""

    async def both() -> list[int]:
        keys = SlowKeys()
        rest = AutoRest(paper.control, cast("AgentAccess", keys))
        faults: Any = {ServiceRefused: answer_refused}
        transport = httpx.ASGITransport(app=Starlette(routes=rest.routes(), exception_handlers=faults))
        async with httpx.AsyncClient(transport=transport, base_url="http://advisor") as client:
            sent = {"url": f"{BASE}/config", "headers": {"X-API-Key": "lk_"}, "content": json.dumps(USUAL)}
            on = asyncio.create_task(client.post(**cast("Any", sent)))
            await keys.asked.wait()
            off = await client.post(f"{BASE}/config", content=json.dumps({**USUAL, "enabled": False}))
            keys.answers.set()
            return [off.status_code, (await on).status_code]

    assert paper.waits_for(both()) == [200, 409]
    assert paper.status()["enabled"] is False
