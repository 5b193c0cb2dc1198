"""What those who keep the desk running see: health, readiness, figures that move with what happens, request ids."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask, jsonify

from app import create_app
from routes.http.guards import guarded_by
from services.engine.rules.alerts import ALERTS
from services.ops.config import Config, ConfigError
from tests.support.api_document import documented
from tests.support.desk_process import (
    BRIDGE_SECRET,
    QUICK,
    REPOSITORY,
    SETTINGS,
    TV_SECRET,
    DeskProcess,
    OperatorCaller,
    error_of,
    eventually,
)
from tests.support.floor import Floor

METRICS_TOKEN = "metrics-token-of-the-test-desk"
SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
Figures = dict[str, float]


def figures(text: str) -> Figures:
    """Read an exposition: ``name{label="value"}`` -> figure."""
    lines = (SAMPLE.fullmatch(line) for line in text.splitlines() if not line.startswith("#"))
    return {f"{m[1]}{{{m[2]}}}" if m[2] else m[1]: float(m[3]) for m in lines if m}


def scraped(desk: DeskProcess) -> Figures:
    answer = desk.stranger().get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    assert answer.status_code == 200, answer.text
    return figures(answer.text)


def webhooks(stream: str, outcome: str) -> str:
    return f'lockstep_webhooks_total{{outcome="{outcome}",stream="{stream}"}}'


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    folder = tmp_path_factory.mktemp("operations")
    with DeskProcess(folder, **QUICK, METRICS_TOKEN=METRICS_TOKEN) as desk:
        yield desk


# -- alive and ready --------------------------------------------------------------------------------------------------


@pytest.mark.processes
def test_a_desk_that_runs_is_alive_and_ready_as_the_writer(desk: DeskProcess) -> None:
    stranger = desk.stranger()
    assert documented(stranger.get("/healthz")).json() == {"ok": True}
    for path in ("/readyz", "/readyz?role=writer"):
        answer = documented(stranger.get(path))
        assert answer.json() == {"ok": True, "role": "writer", "store": "up"}
        assert answer.headers["Cache-Control"] == "no-store"
    error_of(documented(stranger.get("/readyz?role=captain")), 400)


@pytest.mark.processes
def test_a_desk_whose_store_is_down_lives_but_is_not_ready(desk: DeskProcess) -> None:
    stranger = desk.stranger()
    with desk.locked_store():
        error_of(desk.tradingview().brick(6, "green"), 503)
        eventually(lambda: stranger.get("/readyz").status_code == 503)
        answer = stranger.get("/readyz")
        assert error_of(documented(answer), 503) == "the store does not answer"
        assert answer.headers["Retry-After"] == "2"
        assert stranger.get("/healthz").status_code == 200
        down = scraped(desk)
    assert down["lockstep_store_up"] == 0
    assert down['lockstep_commit_failures_total{kind="StoreDown"}'] >= 1
    assert down[webhooks("tv_renko_main", "not_stored")] == 1
    eventually(lambda: stranger.get("/readyz").status_code == 200)
    assert scraped(desk)["lockstep_store_up"] == 1


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Flask]:
    """Web in this process, to be looked at in states that one process alone never reaches."""
    config = Config.from_env({**SETTINGS, "METRICS_TOKEN": METRICS_TOKEN, "SQLITE_PATH": str(tmp_path / "desk.sqlite")})
    app = create_app(config)
    yield app
    app.extensions["lockstep.close"]()


@pytest.mark.processes
def test_a_standby_is_ready_to_read_and_not_to_trade(desk: DeskProcess, tmp_path: Path) -> None:
    with DeskProcess(tmp_path, METRICS_TOKEN=METRICS_TOKEN, SQLITE_PATH=str(desk.database)) as standby:
        stranger = standby.stranger()
        answer = documented(stranger.get("/readyz"))
        assert answer.json() == {"ok": True, "role": "standby", "store": "up"}
        as_writer = documented(stranger.get("/readyz?role=writer"))
        assert error_of(as_writer, 503) == "this process is the standby"
        holder = standby.operator().state()["global"]["writer"]
        assert holder
        assert holder not in answer.text + as_writer.text
        own = scraped(standby)
        assert own["lockstep_is_writer"] == 0
        assert own["lockstep_journal_sequence"] == scraped(desk)["lockstep_journal_sequence"]
        error_of(standby.tradingview().brick(12, "green"), 503)
        assert scraped(standby)[webhooks("tv_renko_macro", "not_stored")] == 1
        eventually(lambda: "request failed" in standby.log())
        assert '"/readyz"' not in standby.log()


def test_a_process_that_is_about_to_end_is_not_ready(web: Flask) -> None:
    web.extensions["lockstep"].stopping.set()
    client = web.test_client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503


# -- who may read the figures -----------------------------------------------------------------------------------------


@pytest.mark.processes
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {METRICS_TOKEN}x",
        f"Bearer {METRICS_TOKEN[:-1]}",
        f"Basic {METRICS_TOKEN}",
        METRICS_TOKEN,
        f"Bearer {TV_SECRET}",
        f"Bearer {BRIDGE_SECRET}",
        "Bearer токен",
    ],
)
def test_nobody_reads_the_figures_without_the_token(desk: DeskProcess, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode()}
    error_of(documented(desk.stranger().get("/metrics", headers=headers)), 401)


@pytest.mark.processes
def test_the_token_opens_the_figures_and_nothing_else(desk: DeskProcess) -> None:
    stranger = desk.stranger()
    stranger.headers["Authorization"] = f"Bearer {METRICS_TOKEN}"
    answer = documented(stranger.get("/metrics"))
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    error_of(stranger.get("/api/state"), 401)
    error_of(stranger.get("/api/orders/pending", params={"owner": "x"}), 401)
    assert documented(desk.operator().get("/metrics")).status_code == 200
    error_of(stranger.get("/metrics", params={"token": METRICS_TOKEN}, headers={"Authorization": None}), 401)


@pytest.mark.processes
def test_without_a_token_only_the_operator_reads_the_figures(tmp_path: Path) -> None:
    with DeskProcess(tmp_path) as desk:
        for header in ("Bearer ", "Bearer", "Bearer None"):
            error_of(desk.stranger().get("/metrics", headers={"Authorization": header}), 401)
        assert desk.operator().get("/metrics").status_code == 200


@pytest.mark.parametrize("token", ["short", "changeme", TV_SECRET, BRIDGE_SECRET])
def test_a_token_that_protects_nothing_does_not_start(token: str) -> None:
    with pytest.raises(ConfigError, match="METRICS_TOKEN"):
        Config.from_env({**SETTINGS, "METRICS_TOKEN": token})


# -- the figures move -------------------------------------------------------------------------------------------------


@pytest.mark.processes
def test_webhooks_are_counted_by_stream_and_outcome(desk: DeskProcess) -> None:
    before, alerts = scraped(desk), desk.tradingview()
    alerts.brick(8, "green", bar_id="2026-11-20T10:00:00Z")
    alerts.brick(8, "green", bar_id="2026-11-20T10:00:00Z")
    alerts.brick(8, "red", bar_id="2026-11-20T09:00:00Z")
    alerts.brick(8, "purple")
    alerts.sends("/tv_renko_high", secret="wrong", color="green")
    desk.stranger().post("/tv_renko_high", data=b"not json")
    alerts.heartbeat()
    after = scraped(desk)
    risen = {name: after[name] - before[name] for name in before if name.startswith("lockstep_webhooks")}
    assert {name: by for name, by in risen.items() if by} == {
        webhooks("tv_renko_high", "ok"): 1,
        webhooks("tv_renko_high", "duplicate"): 1,
        webhooks("tv_renko_high", "stale"): 1,
        webhooks("tv_renko_high", "dead_letter"): 1,
        webhooks("tv_renko_high", "denied"): 2,
        webhooks("tv_heartbeat", "ok"): 1,
    }
    assert 0 <= after['lockstep_tradingview_age_seconds{asset="ES"}'] < 30
    assert 'lockstep_tradingview_age_seconds{asset="NQ"}' not in after


@pytest.mark.processes
def test_a_trade_moves_the_figures(desk: DeskProcess) -> None:
    floor = Floor(desk).ready()
    before = scraped(desk)
    order = floor.operator.enters_when_the_candle_allows()
    queued = scraped(desk)
    assert queued['lockstep_orders_open{status="PENDING"}'] == 1
    floor.bridge.fills(order, 5250.25)
    floor.bridge.snapshots(50_000, MESM4=order["qty"])
    assert floor.operator.post("/api/exit", json={"asset": "ES"}).status_code == 409
    held = scraped(desk)
    assert held['lockstep_position_contracts{asset="ES"}'] == order["qty"]
    assert held['lockstep_orders_open{status="PENDING"}'] == 0
    assert 0 <= held["lockstep_bridge_age_seconds"] < 30
    floor.flat()
    after = scraped(desk)

    def rose(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert rose('lockstep_orders_ended_total{kind="ENTRY",status="FILLED"}') == 1
    assert rose('lockstep_orders_ended_total{kind="EXIT",status="FILLED"}') == 1
    assert rose('lockstep_gate_refusals_total{gate="initial_exit_lock"}') == 1
    assert rose('lockstep_trades_closed_total{asset="ES"}') == 1
    assert rose("lockstep_trades_taken") == 1
    assert rose("lockstep_journal_sequence") >= rose("lockstep_commit_seconds_count") > 0
    assert rose("lockstep_commit_commands_sum") >= rose("lockstep_commit_commands_count")
    assert after["lockstep_commit_seconds_sum"] > before["lockstep_commit_seconds_sum"]


@pytest.mark.processes
def test_a_refused_entry_is_counted_under_the_name_of_its_gate(desk: DeskProcess) -> None:
    floor = Floor(desk).flat()
    before = scraped(desk)
    eventually(lambda: floor.operator.enters(asset="NQ").json()["gate"] == "heartbeat")
    name = 'lockstep_gate_refusals_total{gate="heartbeat"}'
    assert scraped(desk)[name] - before[name] == 1


@pytest.mark.processes
def test_logins_and_listeners_are_counted(desk: DeskProcess) -> None:
    before = scraped(desk)
    OperatorCaller(desk).logs_in("a wrong password")
    operator = desk.operator()
    after = scraped(desk)
    for outcome in ("right", "wrong"):
        name = f'lockstep_logins_total{{outcome="{outcome}"}}'
        assert after[name] - before[name] == 1
    with operator.get("/api/stream", stream=True):
        eventually(lambda: scraped(desk)["lockstep_stream_listeners"] == before["lockstep_stream_listeners"] + 1)


@pytest.mark.processes
def test_the_figures_are_of_this_desk_alone(desk: DeskProcess, web: Flask) -> None:
    """Many applications may live in one process: each has a registry of its own."""
    answer = web.test_client().get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    own = figures(answer.text)
    assert sum(value for name, value in own.items() if name.startswith("lockstep_webhooks")) == 0
    assert own["process_resident_memory_bytes"] > 1_000_000
    assert {name.split("{")[0] for name in own} <= {name.split("{")[0] for name in scraped(desk)}


def called_with(tree: ast.AST, names: set[str]) -> list[ast.Call]:
    """Return the calls in ``tree`` of a function or a method of these names."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [call for call in calls if getattr(call.func, "attr", getattr(call.func, "id", None)) in names]


def alert_codes(module: ast.Module) -> set[str]:
    """Return every code that ``module`` raises an alert with; a code in a parameter is what its callers give."""
    codes: set[str] = set()
    for function in (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)):
        for code in (call.args[0] for call in called_with(function, {"alert", "alert_again"})):
            if not isinstance(code, ast.Name):
                codes.add(ast.literal_eval(code))
            elif function.name != "alert_again":  # which hands on the code of its own callers
                codes |= given(module, function, code.id)
    return codes


def given(module: ast.Module, function: ast.FunctionDef, parameter: str) -> set[str]:
    """Return each literal that ``parameter`` of a private ``function`` can be: its default and what callers give."""
    assert function.name.startswith("_"), f"{function.name} may be called from elsewhere"
    names = [argument.arg for argument in function.args.args]
    place = names.index(parameter)
    defaults = dict(zip(reversed(names), reversed(function.args.defaults), strict=False))
    values = []
    for call in called_with(module, {function.name}):
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        values.append(call.args[place] if place < len(call.args) else named.get(parameter) or defaults[parameter])
    assert values
    return {ast.literal_eval(value) for value in values}


def test_every_alert_of_the_desk_begins_at_zero() -> None:
    modules = (ast.parse(path.read_text("utf-8")) for path in (REPOSITORY / "services/engine").rglob("*.py"))
    assert set().union(*(alert_codes(module) for module in modules)) == set(ALERTS)


# -- what is written about them ---------------------------------------------------------------------------------------

PAGE = (REPOSITORY / "docs/how-to/operations.md").read_text("utf-8")
FEEDS_PAGE = (REPOSITORY / "docs/reference/market-feed.md").read_text("utf-8")
RULES = yaml.safe_load((REPOSITORY / "docs/reference/alerts.rules.yml").read_text("utf-8"))


def test_the_page_explains_every_figure_and_no_other(web: Flask) -> None:
    answer = web.test_client().get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    told = set(re.findall(r"^# TYPE (lockstep_\w+)", answer.text, re.MULTILINE))
    assert set(re.findall(r"^\| `(lockstep_\w+)", PAGE, re.MULTILINE)) == told


def test_alert_rules_ask_for_figures_that_exist(web: Flask) -> None:
    answer = web.test_client().get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    told = {name.split("{")[0] for name in figures(answer.text)}
    told |= set(re.findall(r"^# TYPE (\w+)", answer.text, re.MULTILINE))  # an age is shown once there is one
    told |= set(re.findall(r"^\| `(lockstep_feeds_\w+)", FEEDS_PAGE, re.MULTILINE))
    rules = [rule for group in RULES["groups"] for rule in group["rules"]]
    for rule in rules:
        asked = set(re.findall(r"\b(?:lockstep|process)_\w+", rule["expr"]))
        assert asked <= told, rule["alert"]
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert rule["annotations"]["summary"]
        assert f"| `{rule['alert']}` |" in PAGE, rule["alert"]
    for code in re.findall(r'lockstep_alerts_total\{code="(\w+)"', str(rules)):
        assert code in ALERTS


# -- request ids ------------------------------------------------------------------------------------------------------


@pytest.mark.processes
def test_an_answer_carries_the_id_its_request_brought(desk: DeskProcess) -> None:
    stranger = desk.stranger()
    for given in ("a", "Abc-1_2.3", "x" * 64):
        assert stranger.get("/healthz", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given


@pytest.mark.processes
@pytest.mark.parametrize("given", [None, "", "x" * 65, "two words", "a/b", "é", 'a"b', "a\tb"])
def test_an_answer_carries_a_new_id_when_none_can_be_taken(desk: DeskProcess, given: str | None) -> None:
    stranger = desk.stranger()
    headers = {} if given is None else {"X-Request-Id": given.encode()}
    ids = {stranger.get("/healthz", headers=headers).headers["X-Request-Id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch(r"[0-9a-f]{16}", one) for one in ids)


@pytest.mark.processes
def test_refusals_and_unknown_paths_have_ids_too(desk: DeskProcess) -> None:
    stranger = desk.stranger()
    for path, status in (("/api/state", 401), ("/nowhere", 404), ("/api/login", 405)):
        answer = stranger.get(path, headers={"X-Request-Id": "mine"})
        assert (answer.status_code, answer.headers["X-Request-Id"]) == (status, "mine")


def test_a_fault_of_the_desk_tells_its_id(web: Flask) -> None:
    @web.get("/breaks")
    @guarded_by("public")
    def breaks() -> Any:
        return jsonify(1 / 0)

    answer = web.test_client().get("/breaks", headers={"X-Request-Id": "trace-me"})
    assert answer.status_code == 500
    assert answer.json == {
        "ok": False,
        "error": "the desk made a mistake; nothing was acknowledged",
        "code": "fault",
        "title": "FAULT",
        "detail": "the desk made a mistake; nothing was acknowledged",
        "facts": {},
        "request_id": "trace-me",
    }
    assert answer.headers["X-Request-Id"] == "trace-me"
