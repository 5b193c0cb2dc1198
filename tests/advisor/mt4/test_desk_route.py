"""``MT4_ROUTE=desk`` over real processes: a trade is a proposal, closing is the desk's exit, real money needs LIVE."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.advisor.mt4.whole_floor import SECRET, Mt4Floor, code_of
from tests.support.desk_process import eventually
from tests.support.fakes.metaapi import ACCOUNT, TOKEN, MetaApiServer

pytestmark = pytest.mark.processes
SETTINGS = {"MT4_ROUTE": "desk", "METAAPI_TOKEN": TOKEN, "METAAPI_ACCOUNT": ACCOUNT, "MT4_ALLOW_REAL": "1"}


@pytest.fixture(scope="module")
def meta() -> Iterator[MetaApiServer]:
    with MetaApiServer("ACCOUNT_TRADE_MODE_REAL") as server:
        yield server


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory, meta: MetaApiServer) -> Iterator[Mt4Floor]:
    with Mt4Floor(tmp_path_factory.mktemp("desk"), meta, **SETTINGS) as floor:
        floor.desk.tradingview().heartbeat(price=5250.25)
        eventually(lambda: floor.desk.operator().asset("ES")["last_price"])
        yield floor


def trade(action: str = "BUY", **more: Any) -> dict[str, Any]:
    return {"symbol": "ES", "action": action, "volume": 1, "stop_loss": 5246.25, **more}


def proposals(floor: Mt4Floor) -> list[dict[str, Any]]:
    answer = floor.desk.operator().get("/api/proposals")
    found: list[dict[str, Any]] = answer.json()["proposals"]
    return found


def test_a_trade_is_a_proposal_and_nothing_is_traded(floor: Mt4Floor, meta: MetaApiServer) -> None:
    floor.connects_mt4()
    assert floor.agent("GET", "/status").json()["account"]["kind"] == "desk"
    named = {"X-API-Key": floor.trader_key, "Idempotency-Key": "my order"}
    answer = floor.data_mt4("POST", "/trade", trade(take_profit=5258.25, comment="from MT4"), headers=named)
    assert answer.status_code == 202
    told = answer.json()
    assert (told["success"], told["order_id"], told["position_id"]) == (False, None, None)
    [open_one] = proposals(floor)
    assert told["proposal"]["id"] == open_one["id"]
    assert (open_one["source"], open_one["reason"], open_one["proposer"]) == ("mt4", "from MT4", "service")
    assert (open_one["entry"], open_one["stop"], open_one["target"]) == (5250.25, 5246.25, 5258.25)
    assert told["proposal"]["quantity"] == open_one["quantity"]
    floor.desk.tradingview().heartbeat(price=5251.25)
    again = floor.data_mt4("POST", "/trade", trade(take_profit=5258.25, comment="from MT4"), headers=named)
    assert (again.status_code, again.json()["proposal"]["id"]) == (202, open_one["id"])
    assert code_of(floor.data_mt4("POST", "/trade", trade(), headers=named)) == (409, "trade_refused", "key_reused")
    assert code_of(floor.data_mt4("POST", "/trade", trade())) == (409, "trade_refused", "proposal_open")
    assert floor.agent("GET", "/positions").json()["positions"] == []
    assert floor.desk.operator().state()["orders"] == []
    assert meta.trades == []
    floor.desk.operator().post(f"/api/proposals/{open_one['id']}/dismiss")
    assert proposals(floor) == []


def test_a_name_that_was_refused_is_proposed_at_the_price_of_its_own_time(floor: Mt4Floor) -> None:
    floor.connects_mt4()
    at_price(floor, 5250.25)
    named = {"X-API-Key": floor.trader_key, "Idempotency-Key": "comes again"}
    assert floor.data_mt4("POST", "/trade", trade()).status_code == 202  # somebody else's
    assert code_of(floor.data_mt4("POST", "/trade", trade(), headers=named))[2] == "proposal_open"
    dismiss(floor)
    at_price(floor, 5249.25)
    assert floor.data_mt4("POST", "/trade", trade(), headers=named).status_code == 202
    assert [one["entry"] for one in proposals(floor)] == [5249.25]
    dismiss(floor)


def test_a_proposal_whose_answer_was_lost_is_found_at_the_desk(floor: Mt4Floor) -> None:
    """The advisor ended before it had the answer: the same name finds what was made, and makes no other."""
    floor.connects_mt4()
    at_price(floor, 5250.25)
    named = {"X-API-Key": floor.trader_key, "Idempotency-Key": "lost"}
    first = floor.data_mt4("POST", "/trade", trade(), headers=named).json()["proposal"]
    floor.advisor.kill()
    with closing(sqlite3.connect(floor.advisor.database, isolation_level=None)) as file:
        file.execute("UPDATE mt4_requests SET answer = '', kept_at = 0")
    dismiss(floor)
    at_price(floor, 5249.25)
    floor.starts_the_advisor()
    again = floor.data_mt4("POST", "/trade", trade(), headers=named)
    assert (again.status_code, again.json()["proposal"]) == (202, {**first, "status": "DISMISSED"})
    assert proposals(floor) == []


def at_price(floor: Mt4Floor, price: float) -> None:
    """Let the desk know a price."""
    floor.desk.tradingview().heartbeat(price=price)
    eventually(lambda: floor.desk.operator().asset("ES")["last_price"] == price)


def dismiss(floor: Mt4Floor) -> None:
    """Dismiss the open proposal."""
    [open_one] = proposals(floor)
    assert floor.desk.operator().post(f"/api/proposals/{open_one['id']}/dismiss").status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code", "reason"),
    [
        *(
            (trade(action, price=5240.0), 409, "trade_refused", "resting_action")
            for action in ("BUY_LIMIT", "SELL_STOP")
        ),
        *(
            (trade(action, price=5260.0), 409, "trade_refused", "resting_action")
            for action in ("SELL_LIMIT", "BUY_STOP")
        ),
        (trade(stop_loss=None), 400, "invalid_parameter", None),
        (trade(stop_loss=5251.0), 409, "trade_refused", "stop_side"),
        (trade("SELL"), 409, "trade_refused", "stop_side"),
        (trade(take_profit=5240.0), 409, "trade_refused", "target_side"),
        (trade(stop_loss=5100.0), 409, "trade_refused", "stop_too_wide"),
        (trade(stop_loss=5246.3), 400, "invalid_parameter", "proposal_invalid"),
        (trade(symbol="EURUSD"), 404, "unknown_symbol", None),
    ],
)
def test_what_cannot_be_proposed_is_refused(
    floor: Mt4Floor, body: dict[str, Any], status: int, code: str, reason: str | None
) -> None:
    floor.connects_mt4()
    floor.desk.tradingview().heartbeat(price=5250.25)
    assert code_of(floor.data_mt4("POST", "/trade", body)) == (status, code, reason)
    assert proposals(floor) == []


def test_closing_is_the_desks_exit_inside_its_first_lock_too(floor: Mt4Floor) -> None:
    floor.connects_mt4()
    operator, bridge = floor.desk.operator(), floor.desk.bridge()
    bridge.claims()
    floor.desk.tradingview().opens_the_ladder()
    order = operator.enters_when_the_candle_allows(direction="BUY")
    bridge.fills(order, 5250.25)
    [position] = floor.agent("GET", "/positions").json()["positions"]
    held = operator.asset("ES")["trade"]["id"]
    assert (position["id"], position["type"], position["open_price"]) == (held, "BUY", 5250.25)
    assert (position["volume"], position["contract_size"]) == (order["qty"] / 10, 50)  # micro contracts
    assert code_of(floor.data_mt4("POST", f"/positions/{held}/close", params={"volume": "0.2"})) == (
        409,
        "trade_refused",
        "partial_close",
    )
    assert operator.asset("ES")["initial_exit_lock_active"]
    closed = floor.agent("POST", "/positions/close", {"position_id": held, "volume": None}).json()
    assert (closed["success"], closed["remaining_volume"]) == (True, None)
    [leaving] = operator.state()["orders"]
    assert (leaving["kind"], leaving["side"]) == ("EXIT", "SELL")
    again = floor.agent("POST", "/positions/close", {"position_id": held})  # it is under way: the same exit
    assert again.status_code == 200
    assert [one["id"] for one in operator.state()["orders"]] == [leaving["id"]]
    bridge.fills(leaving, 5251.25)
    gone = floor.agent("POST", "/positions/close", {"position_id": held})
    assert code_of(gone)[:2] == (404, "unknown_position")
    assert code_of(floor.agent("POST", "/positions/close", {"position_id": "ES"}))[:2] == (404, "unknown_position")


def test_real_money_needs_a_live_desk_and_closing_never_does(floor: Mt4Floor, meta: MetaApiServer) -> None:
    operator = floor.desk.operator()
    body = {"account_id": ACCOUNT}  # the token is that of the setting
    assert code_of(floor.agent("POST", "/connect", body)) == (409, "real_account", "not_live")
    assert code_of(floor.agent("POST", "/connect", {"account_id": "another"}))[:2] == (401, "token_refused")
    said = {"tsConnected": True, "mdConnected": True, "repoOk": True, "account": "U12345"}
    assert floor.desk.bridge().post("/api/bridge/heartbeat", json=said).ok
    live = operator.post("/api/env", json={"env": "LIVE"})
    assert live.status_code == 200, live.text
    floor.connects_mt4(**body)
    assert floor.agent("GET", "/status").json()["account"]["real"] is True
    ticket = meta.holds(0.1)
    assert operator.post("/api/env", json={"env": "DEMO"}).status_code == 200
    assert floor.agent("POST", "/positions/close", {"position_id": ticket}).json()["closed_volume"] == 0.1
    assert meta.positions == []
    floor.desk.tradingview().heartbeat(price=5250.25)
    told = floor.data_mt4("POST", "/trade", trade())  # the route is the desk's, whatever is connected
    assert told.status_code == 202
    assert [one["actionType"] for one in meta.trades] == ["POSITION_CLOSE_ID"]
    assert operator.post(f"/api/proposals/{told.json()['proposal']['id']}/dismiss").status_code == 200
    assert TOKEN not in floor.advisor.log() + floor.feeds.log() + floor.desk.log()


def test_while_the_desk_is_away_nothing_is_known_and_nothing_is_allowed(floor: Mt4Floor) -> None:
    floor.connects_mt4()
    floor.desk.hang_up()
    floor.desk.kill()
    for answer in (
        floor.agent("GET", "/status", headers=SECRET),  # no key can be asked for
        floor.agent("GET", "/positions", headers=SECRET),
        floor.data_mt4("POST", "/trade", trade(), headers=SECRET),
        floor.agent("POST", "/positions/close", {"position_id": "ES"}, headers=SECRET),
        floor.agent("POST", "/connect", {"account_id": ACCOUNT}, headers=SECRET),
    ):
        assert code_of(answer)[:2] == (503, "web_away"), answer.text
    floor.desk.start()
