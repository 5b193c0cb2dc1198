"""GET /api/status: what web hears of the five programs; what it does not hear it says, and never calls well."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.advisor_stand_in import AGENT_HEALTH, ML_HEALTH, AdvisorStandIn, advisor, said
from tests.support.api_document import documented
from tests.support.desk_process import QUICK, TV_SECRET, DeskProcess, OperatorCaller, eventually
from tests.support.feeds_stand_in import HEALTH, Program, http, port_of, program
from wire.encoding import encode
from wire.feeds_health import FeedsPort, mark_of
from wire.ml_engine import ModelTrouble
from wire.program import VERSION, agent_of

pytestmark = pytest.mark.processes
PROGRAMS = ["web", "bridge", "feeds", "advisor", "tape"]
SAID = {"User-Agent": agent_of("tape")}


def rows(operator: OperatorCaller) -> dict[str, dict[str, Any]]:
    answer = documented(operator.get("/api/status")).json()
    assert [row["name"] for row in answer["programs"]] == PROGRAMS
    return {row["name"]: row for row in answer["programs"]}


def row(operator: OperatorCaller, name: str, state: str) -> dict[str, Any]:
    """Wait until a program's state is this one, and return its row."""
    found: dict[str, Any] = eventually(lambda: next((r for r in [rows(operator)[name]] if r["state"] == state), None))
    return found


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path, **QUICK) as desk:
        yield desk


def test_a_desk_alone_says_that_it_hears_nobody(desk: DeskProcess) -> None:
    told = rows(desk.operator())
    assert (told["web"]["state"], told["web"]["version"]) == ("up", VERSION)
    assert told["web"]["ports"] == [{"name": "http", "port": desk.port, "state": "listening"}]
    assert {name: (told[name]["state"], told[name]["why"]) for name in PROGRAMS[1:]} == {
        "bridge": ("not_heard", "never_heard"),
        "feeds": ("off", None),
        "advisor": ("off", None),
        "tape": ("not_heard", "never_heard"),
    }
    for name in PROGRAMS[1:]:
        assert [told[name][field] for field in ("version", "heard_at", "age_s", "uptime_s")] == [None] * 4


def test_the_status_is_the_operators(desk: DeskProcess) -> None:
    assert desk.stranger().get("/api/status").status_code == 401


def test_the_bridge_is_heard_by_its_heartbeat_and_says_its_version(desk: DeskProcess) -> None:
    operator, bridge = desk.operator(), desk.bridge()
    bridge.snapshots(balance=50_000.0)
    beat = {"tsConnected": False, "mdConnected": True, "repoOk": True, "account": "A", "tradeRoute": "R"}
    bridge.post("/api/bridge/heartbeat", json=beat)
    told = rows(operator)["bridge"]
    assert (told["state"], told["why"], told["version"]) == ("degraded", "broker_unreached", None)
    bridge.headers["User-Agent"] = "lockstep-bridge/0.6.9"
    bridge.post("/api/bridge/heartbeat", json={**beat, "tsConnected": True})
    told = rows(operator)["bridge"]
    assert (told["state"], told["why"], told["version"], told["ports"]) == ("up", None, "0.6.9", [])
    assert told["age_s"] is not None


def test_the_tape_is_heard_by_its_messages_and_goes_when_it_falls_silent(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK, HEARTBEAT_MAX_AGE_SECONDS="2") as desk:
        operator, alerts = desk.operator(), desk.tradingview()
        alerts.heartbeat()
        assert rows(operator)["tape"]["state"] == "not_heard", "an alert of TradingView is no tape"
        stranger = desk.stranger().post("/tv_heartbeat", json={"secret": "wrong" + TV_SECRET}, headers=SAID)
        assert stranger.status_code == 401
        assert rows(operator)["tape"]["state"] == "not_heard", "whoever has no secret is nobody"
        alerts.headers.update(SAID)
        alerts.heartbeat(source="simulated")
        told = rows(operator)["tape"]
        assert (told["state"], told["version"]) == ("up", VERSION)
        assert (row(operator, "tape", "away")["why"], told["ports"]) == ("silent", [])


def says(feeds: Program, desk: DeskProcess, *ports: FeedsPort, **more: Any) -> None:
    writer = desk.operator().state()["global"]["writer"]
    web = replace(HEALTH.web, desk=mark_of(writer))
    feeds.answer = http(encode(replace(HEALTH, web=web, ports=ports, **more)))


def test_feeds_and_the_advisor_are_asked_and_believed_in_their_own_words(tmp_path: Path) -> None:
    with program(b"") as feeds, advisor() as stand_in:
        settings = {"FEEDS_URL": feeds.url, "ADVISOR_URL": stand_in.url, "AGENT_URL": stand_in.url}
        stand_in.says["/health"] = said(replace(ML_HEALTH, version="0.6.0"))
        stand_in.says["/api/v1/health"] = said(AGENT_HEALTH)
        with DeskProcess(tmp_path, **QUICK, **settings) as desk:
            operator = desk.operator()
            says(feeds, desk, port_of("market", 8765), port_of("data", 0, "off"), version="0.7.1", uptime_s=90)
            told = row(operator, "feeds", "up")
            assert (told["version"], told["uptime_s"], told["why"]) == ("0.7.1", 90, None)
            assert [(port["name"], port["port"], port["state"]) for port in told["ports"]] == [
                ("market", 8765, "listening"),
                ("data", 0, "off"),
            ]
            told = row(operator, "advisor", "up")
            port = int(stand_in.url.rpartition(":")[2])
            assert [(port["name"], port["port"], port["state"]) for port in told["ports"]] == [
                ("ml", port, "listening"),
                ("agent", port, "listening"),
            ]
            assert (told["version"], told["why"]) == ("0.6.0", None)
            says(feeds, desk, port_of("market", 8765), port_of("data", 8001, "taken"), status="degraded")
            assert row(operator, "feeds", "degraded")["why"] == "port_taken"
            what_it_lacks_is_named(stand_in, operator)
            one_port_goes(stand_in, operator)
            feeds.answer = b""
            told = row(operator, "feeds", "away")
            assert (told["version"], told["heard_at"], told["ports"][0]["state"]) == (None, None, "unknown")


def is_degraded_by(operator: OperatorCaller, why: str) -> bool:
    return bool(row(operator, "advisor", "degraded")["why"] == why)


def what_it_lacks_is_named(stand_in: AdvisorStandIn, operator: OperatorCaller) -> None:
    """What trading would miss first is named first."""
    agent = replace(AGENT_HEALTH, status="degraded", reason="provider_away")
    trouble = (
        ModelTrouble(symbol="ES", timeframe="5m", target="range", reason="hash_differs", since=HEALTH.web.since),
    )
    ml = replace(ML_HEALTH, status="degraded", trouble=trouble)
    steps: list[tuple[str, dict[str, Any]]] = [
        ("provider_away", {"/api/v1/health": agent}),
        ("models_refused", {"/health": ml}),
        ("feeds_unheard", {"/health": replace(ml, feeds=False)}),
        ("desk_unheard", {"/api/v1/health": replace(agent, web=False)}),
    ]
    for why, healths in steps:
        for path, health in healths.items():
            stand_in.says[path] = said(health)
        eventually(partial(is_degraded_by, operator, why))
    stand_in.says["/health"], stand_in.says["/api/v1/health"] = said(ML_HEALTH), said(AGENT_HEALTH)
    assert row(operator, "advisor", "up")["why"] is None


def one_port_goes(stand_in: AdvisorStandIn, operator: OperatorCaller) -> None:
    stand_in.says["/api/v1/health"] = http(b"<h1>Jenkins</h1>")
    told = row(operator, "advisor", "degraded")
    assert told["why"] == "one_port_away"
    assert [port["state"] for port in told["ports"]] == ["listening", "unknown"]
    stand_in.says["/health"] = http(b"{}")
    assert row(operator, "advisor", "away")["why"] == "unreadable"
