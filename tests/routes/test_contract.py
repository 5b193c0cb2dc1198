"""The contract page, walked: every endpoint it names is there and answers its example as it says.

The calls, their examples and their answers are the tables of ``docs/reference/contracts/operator-api.md``.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api_document import document, documented, resolved
from tests.support.clock_ends import a_candle_lasts
from tests.support.contract_page import CONTRACTS, NOT_BUILT, Call, calls, quoted, table
from tests.support.desk_process import BRIDGE_SECRET, PASSWORD, QUICK, TV_SECRET, DeskProcess
from tests.support.floor import ENTRY_PRICE, Floor
from tests.support.narrow import known
from tests.support.url_map import app_routes, guard_of
from wire.tradingview import BAR_PATH

PAGE = CONTRACTS / "operator-api.md"
CONTRACT = calls(PAGE)
CALLS_OF_THE_CONTRACT = 35
SECRETS = {"/tv": TV_SECRET, "/api": BRIDGE_SECRET}
STAGES = {
    "at any time": "any",
    "every gate is open": "ready",
    "an order is queued": "ordered",
    "an order is claimed": "claimed",
    "a trade is open": "in a trade",
    "a trade has seen a 6pt brick": "seasoned",
    "an intent waits": "intending",
    "a pre-order waits": "pre-ordered",
    "a bridge is connected": "connected",
}
GUARDS = {
    "public": {"public"},
    "operator": {"operator", "exit_door", "state_reader"},
    "bridge": {"bridge"},
    "tradingview": {"tradingview"},
}
ENTRY = CONTRACT["POST /api/orders"].bodies[0]
FILLED = CONTRACT["POST /api/orders/<order_id>/execution-report"].bodies[0]
HEARTBEAT = CONTRACT["POST /api/bridge/heartbeat"].bodies[0]
GATES_OF_THE_CONTRACT = [quoted(row["gate"])[0] for row in table(PAGE, "#", "Checks of an entry")]
OTHER_PAGES = sorted(path for path in CONTRACTS.glob("*.md") if path.name not in (PAGE.name, "README.md"))
UNBUILT_PAGES = [path for path in OTHER_PAGES if NOT_BUILT in path.read_text("utf-8")]


# -- the page itself -------------------------------------------------------------------------------------------------


def fields_of(name: str) -> dict[str, str]:
    """Return the fields that the page names for a call, and whether each is needed; a dot leads into an object."""
    brick = "POST /tv_renko"
    called = brick if name.startswith(brick) else name
    rows = [row for row in table(PAGE, "call", "Fields") if quoted(row["call"]) == (called,)]
    return {quoted(row["field"])[0]: row["needed"] for row in rows}


def names_in(body: dict[str, Any], prefix: str = "") -> set[str]:
    """Return the names in a body as the page's table writes them: ``extra.qty``, ``symbols[].position``."""
    found: set[str] = set()
    for name, value in body.items():
        if isinstance(value, dict):
            found |= names_in(value, f"{prefix}{name}.")
        elif isinstance(value, list) and isinstance(value[0], dict):
            found |= {inner for item in value for inner in names_in(item, f"{prefix}{name}[].")}
        else:
            found.add(prefix + name)
    return found


def documented_names(schema: dict[str, Any], prefix: str = "") -> set[str]:
    """Return the names of a body in the OpenAPI document, written alike."""
    schema = resolved(schema)
    found: set[str] = set()
    for name, part in schema.get("properties", {}).items():
        part = resolved(part)
        part = next((resolved(one) for one in part.get("anyOf", ()) if "items" in resolved(one)), part)
        if "properties" in part:
            found |= documented_names(part, f"{prefix}{name}.")
        elif "properties" in resolved(part.get("items") or {}):
            found |= documented_names(part["items"], f"{prefix}{name}[].")
        else:
            found.add(prefix + name)
    return found


def test_no_call_of_the_contract_has_left_the_page() -> None:
    assert len(CONTRACT) == CALLS_OF_THE_CONTRACT
    assert {call.made_when for call in CONTRACT.values()} == set(STAGES)


@pytest.mark.parametrize("name", [name for name, call in CONTRACT.items() if any(call.bodies)])
def test_the_examples_use_the_fields_of_the_page(name: str) -> None:
    fields = fields_of(name)
    needed = {field for field, is_needed in fields.items() if is_needed == "yes"}
    allowed = {*fields, "secret"} if CONTRACT[name].who == "bridge" else set(fields)
    for body in CONTRACT[name].bodies:
        assert needed <= names_in(body) <= allowed


@pytest.mark.parametrize("name", [name for name, call in CONTRACT.items() if any(call.bodies)])
def test_the_desk_reads_every_field_of_the_page(name: str) -> None:
    call = CONTRACT[name]
    described = document()["paths"][call.path.replace("<", "{").replace(">", "}")][call.method.lower()]
    body = resolved(described["requestBody"])["content"]["application/json"]["schema"]
    assert set(fields_of(name)) <= documented_names(body)


def test_what_is_marked_as_not_built_is_marked_everywhere_and_not_there() -> None:
    known = {f"{method} {rule.rule}" for rule in app_routes().url_map.iter_rules() for method in rule.methods or ()}
    known = {re.sub(r"<(\w+:)?(\w+)>", r"{\2}", name) for name in known}
    listed = {row["contract"]: row["state"] for row in table(CONTRACTS / "README.md", "contract")}
    assert {page.name for page in UNBUILT_PAGES} == {page.name for page in OTHER_PAGES if _listed(listed, page)}
    for page in UNBUILT_PAGES:
        assert page.read_text("utf-8").split("\n\n")[1].startswith(f"Reference. {NOT_BUILT}")
        assert listed[f"[{page.name}]({page.name})"] == NOT_BUILT
        unbuilt = {name for row in table(page, "call") for name in quoted(row["call"])}
        assert unbuilt
        assert unbuilt & known == set()


def _listed(listed: dict[str, str], page: Path) -> bool:
    """Return whether the list of contracts says that a page is not built yet."""
    return NOT_BUILT in listed[f"[{page.name}]({page.name})"]


# -- the desk --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CONTRACT)
def test_every_call_of_the_contract_is_there_for_whom_the_page_says(name: str) -> None:
    app = app_routes()
    rules = app.url_map.iter_rules()
    endpoints = {f"{method} {rule.rule}": rule.endpoint for rule in rules for method in known(rule.methods)}
    assert name in endpoints
    assert guard_of(app.view_functions[endpoints[name]]) in GUARDS[CONTRACT[name].who]


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    with DeskProcess(tmp_path_factory.mktemp("contract"), **QUICK) as desk:
        yield Floor(desk)


def stage(floor: Floor, name: str) -> str | None:
    """Bring the desk into the state in which the contract's example makes sense; return the order's id, if any."""
    if name in ("any", "in a trade", "seasoned"):
        floor.flat() if name == "any" else floor.in_a_trade(seasoned=name == "seasoned")
        return None
    floor.ready()
    if name in ("ordered", "claimed"):
        order = floor.operator.enters_when_the_candle_allows()
        if name == "claimed":
            floor.bridge.claims()
        order_id: str = order["id"]
        return order_id
    if name == "intending":
        assert floor.operator.post("/api/intent", json={"asset": "ES"}).status_code == 200
    if name == "pre-ordered":
        assert floor.operator.enters(order_type="preorder").status_code == 201
    if name == "connected":
        assert floor.desk.stranger().post("/api/bridge/heartbeat", json=with_secret("/api", HEARTBEAT)).ok
    return None


def with_secret(path: str, body: Any) -> dict[str, Any]:
    """Put the real secret where the page shows dots. A bar is one of NQ: bars of ES would replace its single bricks."""
    if path == BAR_PATH:
        body = {**body, "symbol": "NQ1!"}
    if "secret" in body:
        return {**body, "secret": SECRETS["/tv" if path.startswith("/tv") else "/api"]}
    return {"password": PASSWORD} if "password" in body else body


def caller_of(floor: Floor, call: Call) -> Any:
    """Return who makes the call; where the example carries the secret itself, nobody who shows it in a header."""
    if call.who == "public" or "secret" in call.bodies[0]:
        return floor.desk.stranger()
    return floor.bridge if call.who == "bridge" else floor.operator


@pytest.mark.processes
@pytest.mark.parametrize("name", CONTRACT)
def test_the_example_is_answered_as_the_page_says(floor: Floor, name: str) -> None:
    call = CONTRACT[name]
    order_id, caller = stage(floor, STAGES[call.made_when]), caller_of(floor, call)
    for body in call.bodies:
        sent = {"json": with_secret(call.path, body)} if body else {}
        answer = documented(caller.request(call.method, call.path.replace("<order_id>", str(order_id)), **sent))
        assert answer.status_code == call.status, answer.text[:300]
        assert set(call.fields) <= set(answer.json())
        if "ok" in call.fields:
            assert answer.json()["ok"] is (call.status < 400)


def example_of(name: str, part: str) -> dict[str, Any]:
    """Return what the page shows of one part of an answer: names and values."""
    rows = [row for row in table(PAGE, "call", "Answers") if quoted(row["call"]) == (name,)]
    shown = {quoted(row["field"])[0]: json.loads(quoted(row["example"])[0]) for row in rows}
    return {field.removeprefix(f"{part}."): value for field, value in shown.items() if field.startswith(f"{part}.")}


def assert_shown(answered: dict[str, Any], example: dict[str, Any]) -> None:
    """Hold an answer against the page's example; ``...`` stands for an id."""
    assert example
    ids = {name for name, value in example.items() if value == "..."}
    assert all(isinstance(answered[name], str) and answered[name] for name in ids)
    assert {name: answered[name] for name in example if name not in ids} == {
        name: value for name, value in example.items() if name not in ids
    }


@pytest.mark.processes
def test_the_order_of_an_entry_is_the_one_of_the_page(floor: Floor) -> None:
    floor.ready()
    order = documented(floor.operator.post("/api/orders", json=ENTRY)).json()["order"]
    assert_shown(order, example_of("POST /api/orders", "order"))
    [handed] = documented(floor.bridge.get("/api/orders/pending", params={"secret": BRIDGE_SECRET})).json()["orders"]
    assert_shown(handed, example_of("GET /api/orders/pending", "orders[]"))
    assert handed["id"] == order["id"]


@pytest.mark.processes
def test_the_query_of_a_bridge_has_the_defaults_of_the_page(floor: Floor) -> None:
    floor.ready()
    floor.operator.enters_when_the_candle_allows()
    asked = {quoted(row["name"])[0]: quoted(row["by itself"]) for row in table(PAGE, "name")}
    assert set(asked) == {"secret", "limit", "owner"}
    handed = floor.desk.stranger().get("/api/orders/pending", params={"secret": BRIDGE_SECRET, "limit": "20"})
    assert len(documented(handed).json()["orders"]) == 1
    [owner] = [order["owner"] for order in floor.operator.state()["orders"]]
    assert (owner,) == asked["owner"]


@pytest.mark.processes
def test_the_status_of_the_session_is_the_one_of_the_page(floor: Floor) -> None:
    answer = floor.desk.stranger().get("/api/auth/status").json()
    assert answer == {"authenticated": False, "password_required": True}


@pytest.mark.processes
def test_the_exits_of_exit_all_are_those_of_the_page(floor: Floor) -> None:
    floor.in_a_trade()
    answer = documented(floor.operator.post("/api/exit-all", json={"force": True})).json()
    [order] = answer["orders"]
    assert_shown(order, example_of("POST /api/exit-all", "orders[]"))
    assert answer["skipped"] == []


@pytest.mark.processes
def test_the_report_fills_the_position(floor: Floor) -> None:
    order_id = stage(floor, "claimed")
    assert floor.bridge.post(f"/api/orders/{order_id}/execution-report", json=FILLED).status_code == 200
    asset = floor.asset()
    assert (asset["position"], asset["avg_price"]) == (5, ENTRY_PRICE)


@pytest.mark.processes
def test_a_blocked_entry_speaks_as_the_page_does(tmp_path: Path) -> None:
    with DeskProcess(tmp_path) as desk:
        desk.tradingview().opens_the_ladder()
        operator = desk.operator()
        a_candle_lasts(20)
        assert operator.post("/api/orders", json=ENTRY).status_code == 201
        refused = documented(operator.post("/api/orders", json=ENTRY))
        body = refused.json()
        assert (refused.status_code, body["ok"], body["gate"]) == (409, False, "candle_lock")
        said = r"5 MIN LOCK ACTIVE — one trade already used this candle \(0\d:\d\d remaining\)"
        assert re.fullmatch(said, body["error"])
        gates = [rung["gate"] for rung in body["ladder"] if rung["gate"] in GATES_OF_THE_CONTRACT]
        assert gates == GATES_OF_THE_CONTRACT
        assert len(gates) == 8
