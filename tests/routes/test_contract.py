"""The contract page, walked: every endpoint it names is there and answers its example as it says.

The page is read from ``LOCKSTEP_CONTRACTS`` or from ``../shared/contracts`` beside this repository. The table below
copies its calls and examples, so that the walk holds where the page is not.
"""

import json
import os
import re
from pathlib import Path

import pytest
from msgspec import Struct

from tests.support.api_document import documented
from tests.support.desk_process import BRIDGE_SECRET, PASSWORD, QUICK, REPOSITORY, TV_SECRET, DeskProcess
from tests.support.floor import ENTRY_PRICE, Floor
from tests.support.url_map import house_routes

FOLDER = Path(os.environ.get("LOCKSTEP_CONTRACTS") or REPOSITORY.parent / "shared" / "contracts")
PAGE = FOLDER / "operator-api.md"
HEADING = re.compile(r"(GET|POST) (/\S+)(?: \[auth\])?")
SECRETS = {"/tv": TV_SECRET, "/api": BRIDGE_SECRET}


class Call(Struct, frozen=True):
    """A call of the contract: the state it is made in, its examples, its answer."""

    stage: str = "any"
    bodies: tuple[dict, ...] = ({},)
    status: int = 200
    fields: tuple[str, ...] = ("ok",)


ES = ({"asset": "ES"},)
BRICK = ({"secret": "...", "asset": "ES", "color": "green", "bar_id": "2024-01-15T14:30:00"},)
ENTRY = {
    "asset": "ES",
    "trade_mode": "SCALP",
    "order_type": "market",
    "direction": "BUY",
    "entry_size_mode": "6pt",
    "entry_override": False,
}
FILLED = {"status": "FILLED", "extra": {"fill_price": 5250.25, "symbol": "MESM6", "side": "BUY", "qty": 5}}
HEARTBEAT = {
    "secret": "...",
    "tsConnected": True,
    "mdConnected": True,
    "repoOk": True,
    "account": "U12345",
    "tradeRoute": "PAPER",
    "lastRapiEventUtc": "2024-01-15T14:32:00Z",
}
SNAPSHOT = {
    "secret": "...",
    "realized": 250.0,
    "unrealized": -125.0,
    "accountBalance": 50125.0,
    "symbols": [{"symbol": "MESM6", "position": 5, "openPnl": -125.0}],
}
SIZES = ("two_half", "main", "high", "macro", "small", "one")
CONTRACT = {
    "POST /api/login": Call(bodies=({"password": "your-dashboard-password"},)),
    "POST /api/logout": Call(),
    "GET /api/auth/status": Call(fields=("authenticated", "password_required")),
    "GET /api/state": Call(fields=("version", "now", "global", "assets", "orders", "history", "logs")),
    "POST /api/orders": Call("ready", (ENTRY,), 201, ("ok", "order", "state")),
    "GET /api/orders/pending": Call("ordered", fields=("ok", "orders")),
    "POST /api/orders/<order_id>/execution-report": Call("claimed", (FILLED,)),
    "POST /api/exit": Call("seasoned", ({"asset": "ES", "force": False},), fields=("ok", "order")),
    "POST /api/exit-all": Call("in a trade", ({"force": True},), fields=("ok", "orders", "skipped")),
    "POST /api/scale-in": Call("seasoned", ES, 201),
    "POST /api/protect": Call("in a trade", ({"asset": "ES", "enabled": True, "threshold": -2.0},)),
    "POST /api/points-take-profit": Call("in a trade", ({"asset": "ES", "enabled": True, "target": 15.0},)),
    "POST /api/take-profit": Call(
        "in a trade", ({"asset": "ES", "tp_arm": "toggle"}, {"asset": "ES", "tp_target": 3, "reset": True})
    ),
    "POST /api/high-next-bar-exit": Call("in a trade", ES),
    "POST /api/main-flip-exit": Call("in a trade", ES),
    "POST /api/four-pt-invalidation": Call("in a trade", ES),
    "POST /api/auto-exit": Call("any", ES),
    "POST /api/intent": Call("ready", ES),
    "POST /api/intent/cancel": Call("intending", ES),
    "POST /api/preorder/cancel": Call("pre-ordered", ES),
    "POST /api/two-half-tp-lock": Call(status=423, fields=("ok", "error")),
    "POST /api/trade-limit/consume": Call(),
    "POST /api/env": Call("connected", ({"env": "LIVE"},)),
    "POST /api/bridge/heartbeat": Call(bodies=(HEARTBEAT,)),
    "POST /api/rithmic/pnl-snapshot": Call("in a trade", (SNAPSHOT,)),
    "POST /tv_heartbeat": Call(bodies=({"secret": "...", "symbol": "ES", "price": 5250.25, "timestamp": 1705329120},)),
    "POST /tv_renko": Call(bodies=BRICK),
    **{f"POST /tv_renko_{size}": Call(bodies=BRICK) for size in SIZES},
    "POST /tv_level_exit": Call("in a trade", ({"secret": "...", "asset": "ES"},)),
}
WITHOUT_EXAMPLE_OF_ITS_OWN = {f"POST /tv_renko_{size}" for size in SIZES}
ON_THE_PAGE = ["daily_stop", "cooldown", "candle_lock", "pending_order", "position", "heartbeat", "tempo", "zone"]


# -- the page itself -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sections():
    """Return the page's text under each of its calls."""
    if not PAGE.exists():
        pytest.skip(f"the contract page is not at {PAGE.name}: set LOCKSTEP_CONTRACTS to its folder")
    found, name = {}, None
    for line in PAGE.read_text("utf-8").splitlines():
        heading = HEADING.fullmatch(line.strip())
        if heading:
            name = f"{heading[1]} {heading[2]}"
            found[name] = []
        elif name:
            found[name].append(line)
    return {name: "\n".join(lines) for name, lines in found.items()}


def examples_in(section):
    """Return the JSON objects before the section's response."""
    asked = re.split(r"^Response", re.sub(r"//.*", "", section), flags=re.MULTILINE)[0]
    starts = [found.start() for found in re.finditer(r"^\{", asked, re.MULTILINE)]
    return [json.JSONDecoder().raw_decode(asked, start)[0] for start in starts]


def test_the_table_names_every_call_of_the_page(sections):
    assert set(sections) == set(CONTRACT)


@pytest.mark.parametrize("name", CONTRACT)
def test_the_examples_are_those_of_the_page(sections, name):
    if name.startswith("POST") and name not in WITHOUT_EXAMPLE_OF_ITS_OWN:
        assert examples_in(sections[name]) == [body for body in CONTRACT[name].bodies if body]


# -- the desk --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CONTRACT)
def test_every_call_of_the_contract_is_there(name):
    app = house_routes()
    assert name in {f"{method} {rule.rule}" for rule in app.url_map.iter_rules() for method in rule.methods}


@pytest.fixture(scope="module")
def floor(tmp_path_factory):
    with DeskProcess(tmp_path_factory.mktemp("contract"), **QUICK) as desk:
        yield Floor(desk)


def stage(floor, name):
    """Bring the desk into the state in which the contract's example makes sense; return the order's id, if any."""
    if name in ("any", "in a trade", "seasoned"):
        floor.flat() if name == "any" else floor.in_a_trade(seasoned=name == "seasoned")
        return None
    floor.ready()
    if name in ("ordered", "claimed"):
        order = floor.operator.enters_when_the_candle_allows()
        if name == "claimed":
            floor.bridge.claims()
        return order["id"]
    if name == "intending":
        assert floor.operator.post("/api/intent", json={"asset": "ES"}).status_code == 200
    if name == "pre-ordered":
        assert floor.operator.enters(order_type="preorder").status_code == 201
    if name == "connected":
        assert floor.desk.stranger().post("/api/bridge/heartbeat", json=with_secret("/api", HEARTBEAT)).ok
    return None


def with_secret(path, body):
    """Put the real secret where the page shows dots."""
    if "secret" in body:
        return {**body, "secret": SECRETS["/tv" if path.startswith("/tv") else "/api"]}
    return {"password": PASSWORD} if "password" in body else body


@pytest.mark.processes
@pytest.mark.parametrize("name", CONTRACT)
def test_the_example_is_answered_as_the_page_says(floor, name):
    method, path = name.split()
    call, order_id = CONTRACT[name], stage(floor, CONTRACT[name].stage)
    is_bridge = path.endswith(("/pending", "/execution-report"))
    caller = floor.bridge if is_bridge else floor.operator
    if path in ("/api/login", "/api/logout") or "secret" in call.bodies[0]:
        caller = floor.desk.stranger()
    for body in call.bodies:
        sent = {"json": with_secret(path, body)} if body else {}
        answer = documented(caller.request(method, path.replace("<order_id>", str(order_id)), **sent))
        assert answer.status_code == call.status, answer.text[:300]
        assert set(call.fields) <= set(answer.json())
        if "ok" in call.fields:
            assert answer.json()["ok"] is (call.status < 400)


@pytest.mark.processes
def test_the_order_of_an_entry_is_the_one_of_the_page(floor):
    floor.ready()
    order = documented(floor.operator.post("/api/orders", json=ENTRY)).json()["order"]
    assert (order["symbol"], order["side"], order["qty"]) == ("MESM6", "BUY", 5)
    [handed] = documented(floor.bridge.get("/api/orders/pending", params={"secret": BRIDGE_SECRET})).json()["orders"]
    expected = {"asset": "MESM6", "exchange": "CME", "side": "BUY", "qty": 5, "mode": "A", "kind": "ENTRY"}
    assert {name: handed[name] for name in expected} == expected
    assert handed["env"] in ("DEMO", "LIVE")
    assert handed["id"] == order["id"]


@pytest.mark.processes
def test_the_exits_of_exit_all_are_those_of_the_page(floor):
    floor.in_a_trade()
    answer = documented(floor.operator.post("/api/exit-all", json={"force": True})).json()
    [order] = answer["orders"]
    assert (order["asset"], order["side"], order["qty"]) == ("ES", "SELL", 5)
    assert order["order_id"]
    assert answer["skipped"] == []


@pytest.mark.processes
def test_the_report_fills_the_position(floor):
    order_id = stage(floor, "claimed")
    assert floor.bridge.post(f"/api/orders/{order_id}/execution-report", json=FILLED).status_code == 200
    asset = floor.asset()
    assert (asset["position"], asset["avg_price"]) == (5, ENTRY_PRICE)


@pytest.mark.processes
def test_a_blocked_entry_speaks_as_the_page_does(tmp_path):
    with DeskProcess(tmp_path) as desk:
        desk.tradingview().opens_the_ladder()
        operator = desk.operator()
        assert operator.post("/api/orders", json=ENTRY).status_code == 201
        refused = documented(operator.post("/api/orders", json=ENTRY))
        body = refused.json()
        assert (refused.status_code, body["ok"], body["gate"]) == (409, False, "candle_lock")
        said = r"5 MIN LOCK ACTIVE — one trade already used this candle \(0\d:\d\d remaining\)"
        assert re.fullmatch(said, body["error"])
        gates = [rung["gate"] for rung in body["ladder"] if rung["gate"] in ON_THE_PAGE]
        assert gates == ON_THE_PAGE
