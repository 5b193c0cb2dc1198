"""The operator's orders over real HTTP: in, out, refused, repeated (SPEC 4, 5, 7)."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock_ends import a_candle_lasts
from tests.support.desk_process import QUICK, DeskProcess, closing_connection, error_of, eventually, without_the_clock

pytestmark = pytest.mark.processes

LADDER = [
    "daily_stop",
    "trade_limit",
    "cooldown",
    "candle_lock",
    "pending_order",
    "position",
    "heartbeat",
    "tempo",
    "zone",
    "two_half_filter",
    "reconcile",
    "account",
    "risk",
    "window",
    "bridge",
    "feed",
]
MES_POINT = 5  # USD per point per contract
LONG_CANDLES = {"CANDLE_SECONDS": "3600", "COOLDOWN_SECONDS": "3600"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("orders"), **QUICK) as desk:
        desk.tradingview().opens_the_ladder()
        yield desk


@pytest.fixture
def own_desk(tmp_path: Path) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path, **QUICK) as desk:
        desk.tradingview().opens_the_ladder()
        yield desk


@pytest.fixture
def slow_desk(tmp_path: Path) -> Iterator[DeskProcess]:
    """A desk whose candles and cooldowns last longer than a test."""
    with DeskProcess(tmp_path, **LONG_CANDLES) as desk:
        a_candle_lasts(60, 3_600)
        desk.tradingview().opens_the_ladder()
        yield desk


def test_from_click_to_profit(slow_desk: DeskProcess) -> None:
    operator, bridge, alerts = slow_desk.operator(), slow_desk.bridge(), slow_desk.tradingview()
    answer = operator.enters(trade_mode="SCALP")
    assert answer.status_code == 201, answer.text
    body = answer.json()
    order = body["order"]
    assert body["ok"] is True
    assert (order["symbol"], order["side"], order["qty"], order["kind"]) == ("MESM4", "BUY", 5, "ENTRY")
    assert body["state"]["assets"]["ES"]["pending_order_id"] == order["id"]

    [handed] = bridge.claims()
    assert {name: handed[name] for name in ("id", "asset", "exchange", "side", "qty", "mode", "env", "kind")} == {
        "id": order["id"],
        "asset": "MESM4",
        "exchange": "CME",
        "side": "BUY",
        "qty": 5,
        "mode": "A",
        "env": "DEMO",
        "kind": "ENTRY",
    }
    assert (handed["stop_points"], handed["client_order_id"]) == (15, order["id"])
    assert bridge.reports(order["id"], "FILLED", fill_price=5250.25, qty=5).status_code == 200

    asset = operator.asset()
    assert (asset["position"], asset["avg_price"], asset["initial_exit_lock_active"]) == (5, 5250.25, True)
    assert (asset["points_tp_enabled"], asset["points_tp_target"]) == (True, 15)
    sentence = error_of(operator.post("/api/exit", json={"asset": "ES"}), 409)
    assert "INITIAL_EXIT_LOCK_ACTIVE" in sentence

    alerts.brick(6, "green")
    left = operator.post("/api/exit", json={"asset": "ES", "force": False})
    assert (left.status_code, left.json()["order"]["side"], left.json()["order"]["qty"]) == (200, "SELL", 5)
    assert bridge.fills(left.json()["order"], 5252.00).status_code == 200

    state = operator.state()
    [trade] = state["history"]
    assert (trade["pnl_points"], trade["pnl_usd"]) == (1.75, 1.75 * 5 * MES_POINT)
    assert (trade["side"], trade["size"], trade["entry_price"], trade["exit_price"]) == ("BUY", 5, 5250.25, 5252)
    assert (trade["asset"], trade["contract"], trade["mode"], trade["reason"]) == ("ES", "MESM4", "SCALP", "manual")
    assert state["assets"]["ES"]["position"] == 0
    assert state["global"]["post_exit_lock_active"] is True
    assert state["global"]["trades_taken_today"] == 1
    assert operator.enters().json()["gate"] == "cooldown"


def test_partial_fills_are_averaged_to_the_cent(own_desk: DeskProcess) -> None:
    operator, bridge, alerts = own_desk.operator(), own_desk.bridge(), own_desk.tradingview()
    order = operator.enters_when_the_candle_allows()
    bridge.claims()
    bridge.reports(order["id"], "PARTIALLY_FILLED", fill_price=5250.25, qty=2, exec_id="a", cum_qty=2)
    assert operator.asset()["position"] == 2
    bridge.reports(order["id"], "FILLED", fill_price=5250.50, qty=3, exec_id="b", cum_qty=5)
    assert operator.asset()["avg_price"] == pytest.approx(5250.4)
    alerts.brick(6, "green")
    left = operator.post("/api/exit", json={"asset": "ES"}).json()["order"]
    bridge.fills(left, 5249.75)
    trade = operator.state()["history"][0]
    assert trade["pnl_usd"] == pytest.approx((5249.75 * 5 - 5250.25 * 2 - 5250.50 * 3) * MES_POINT)


def test_a_short_with_nine_points_is_three_contracts(own_desk: DeskProcess) -> None:
    own_desk.tradingview().opens_the_ladder("NQ", "red")
    order = own_desk.operator().enters_when_the_candle_allows("NQ", entry_size_mode="9pt")
    assert (order["symbol"], order["side"], order["qty"]) == ("MNQM4", "SELL", 3)


# -- refused ---------------------------------------------------------------------------------------------------------


def test_a_blocked_entry_says_which_gate_why_and_how_long(slow_desk: DeskProcess) -> None:
    operator, bridge = slow_desk.operator(), slow_desk.bridge()
    bridge.fills(operator.enters().json()["order"], 5250.25)
    answer = operator.enters()
    sentence = error_of(answer, 409)
    body = answer.json()
    assert body["gate"] == "candle_lock"
    assert sentence.startswith("60 MIN LOCK ACTIVE — one trade already used this candle (")
    assert 0 < body["retry_after_s"] <= 3600
    assert [rung["gate"] for rung in body["ladder"]] == LADDER
    closed = [rung["gate"] for rung in body["ladder"] if rung["state"] == "closed"]
    assert closed == ["candle_lock", "position", "tempo"]
    for rung in body["ladder"]:
        assert bool(rung["sentence"]) == (rung["state"] == "closed")


def test_a_blocked_entry_tells_programs_a_code_and_facts(slow_desk: DeskProcess) -> None:
    operator, bridge = slow_desk.operator(), slow_desk.bridge()
    bridge.fills(operator.enters().json()["order"], 5250.25)
    body = operator.enters().json()
    facts = body["facts"]
    assert (body["code"], body["title"], body["detail"]) == (
        "gate_closed",
        "60 MIN LOCK ACTIVE",
        "one trade already used this candle",
    )
    assert facts == {"lock": "60 MIN LOCK", "candle_seconds": 3600, "remaining_s": facts["remaining_s"]}
    assert abs(facts["remaining_s"] - body["retry_after_s"]) <= 1
    rungs = {rung["gate"]: rung for rung in body["ladder"]}
    lock = rungs["candle_lock"]
    assert (lock["code"], lock["title"], lock["facts"]) == ("candle_lock", body["title"], facts)
    assert (rungs["daily_stop"]["code"], rungs["daily_stop"]["facts"]) == (None, {})
    assert (rungs["position"]["code"], rungs["position"]["facts"]["position"]) == ("position_open", 5)


def test_a_gate_without_a_clock_has_no_countdown(own_desk: DeskProcess) -> None:
    body = own_desk.operator().enters("NQ").json()
    assert (body["gate"], body["retry_after_s"]) == ("heartbeat", None)


def test_every_attempt_is_journaled(own_desk: DeskProcess) -> None:
    operator = own_desk.operator()
    error_of(operator.enters("NQ"), 409)
    operator.enters_when_the_candle_allows()
    rows = own_desk.rows("SELECT CAST(events AS TEXT) FROM journal WHERE kind = 'EnterMarket' ORDER BY sequence")
    assert "EntryBlocked" in rows[0][0]
    assert "heartbeat" in rows[0][0]
    assert "EntryAccepted" in rows[-1][0]


BAD_ENTRIES = {
    "unknown asset": {"asset": "DAX", "trade_mode": "SCALP"},
    "no asset": {"trade_mode": "SCALP"},
    "no mode": {"asset": "ES"},
    "a mode nobody knows": {"asset": "ES", "trade_mode": "SWING"},
    "a size nobody knows": {"asset": "ES", "trade_mode": "SCALP", "entry_size_mode": "12pt"},
    "a direction nobody knows": {"asset": "ES", "trade_mode": "SCALP", "direction": "LONG"},
    "an order nobody knows": {"asset": "ES", "trade_mode": "SCALP", "order_type": "limit"},
    "override in words": {"asset": "ES", "trade_mode": "SCALP", "entry_override": "yes", "direction": "BUY"},
    "override without direction": {"asset": "ES", "trade_mode": "SCALP", "entry_override": True},
    "a word too many": {"asset": "ES", "trade_mode": "SCALP", "qty": 500},
}


@pytest.mark.parametrize("body", BAD_ENTRIES.values(), ids=BAD_ENTRIES.keys())
def test_a_malformed_entry_is_refused_and_changes_nothing(own_desk: DeskProcess, body: dict[str, Any]) -> None:
    operator = own_desk.operator()
    before = operator.settled_state()
    error_of(operator.post("/api/orders", json=body), 400)
    assert without_the_clock(operator.state()) == without_the_clock(before)
    assert own_desk.bridge().claims() == []


def test_direction_in_a_normal_and_in_a_free_zone(own_desk: DeskProcess) -> None:
    operator, alerts = own_desk.operator(), own_desk.tradingview()
    assert operator.enters(direction="SELL").json()["gate"] == "zone"
    alerts.brick(12, "red")
    assert operator.asset()["zone_type"] == "FREE"
    assert operator.enters().json()["gate"] == "zone"
    assert operator.enters_when_the_candle_allows(direction="SELL")["side"] == "SELL"


def test_an_override_skips_the_zone_alone_and_is_written_down(own_desk: DeskProcess) -> None:
    operator = own_desk.operator()
    order = operator.enters_when_the_candle_allows(direction="SELL", entry_override=True)
    assert order["side"] == "SELL"
    assert operator.enters("NQ", direction="BUY", entry_override=True).json()["gate"] != "zone"
    [(events,)] = own_desk.rows(
        "SELECT CAST(events AS TEXT) FROM journal"
        " WHERE kind = 'EnterMarket' AND instr(events, CAST('EntryAccepted' AS BLOB))"
    )
    assert '"override":true' in events


# -- given back ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["REJECTED", "CANCELLED"])
def test_an_unfilled_entry_gives_everything_back(slow_desk: DeskProcess, status: str) -> None:
    operator, bridge = slow_desk.operator(), slow_desk.bridge()
    order = operator.enters().json()["order"]
    bridge.claims()
    assert bridge.reports(order["id"], status, reason="no margin").status_code == 200
    state = operator.state()
    assert state["global"]["five_min_trade_lock_active"] is False
    assert state["global"]["post_exit_lock_active"] is False
    assert state["global"]["trades_taken_today"] == 0
    assert state["assets"]["ES"]["tempo_ready"] is True
    assert operator.enters().status_code == 201


def test_an_entry_nobody_claims_expires(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **LONG_CANDLES, ENTRY_TTL_SECONDS="1") as desk:
        desk.tradingview().opens_the_ladder()
        operator = desk.operator()
        order = operator.enters().json()["order"]
        time.sleep(1.05)
        assert desk.bridge().claims() == []
        eventually(lambda: operator.state()["orders"] == [])
        state = operator.state()
        assert state["assets"]["ES"]["tempo_ready"] is True
        assert [alert["code"] for alert in state["alerts"]] == ["entry_expired"]
        assert desk.rows("SELECT status FROM orders WHERE id = ?", order["id"]) == [("EXPIRED",)]
        assert desk.bridge().reports(order["id"], "FILLED", fill_price=5250.25, qty=5).json()["late_fill"] is True
        assert operator.asset()["position"] == 5


# -- the same click twice --------------------------------------------------------------------------------------------


def test_the_same_key_answers_the_first_result_again(slow_desk: DeskProcess) -> None:
    operator = slow_desk.operator()
    first = operator.enters(key="click 1")
    again = operator.enters(key="click 1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["order"] == first.json()["order"]
    assert slow_desk.rows("SELECT count(*) FROM orders") == [(1,)]
    error_of(operator.enters(key="click 1", trade_mode="SCALP"), 422)
    assert operator.enters(key="click 2").json()["gate"] == "candle_lock"


def test_a_refused_click_stays_refused_under_its_key(slow_desk: DeskProcess) -> None:
    operator = slow_desk.operator()
    refused = operator.enters("NQ", key="too early")
    slow_desk.tradingview().opens_the_ladder("NQ")
    again = operator.enters("NQ", key="too early")
    assert (refused.status_code, again.status_code) == (409, 409)
    assert again.json()["error"] == refused.json()["error"]
    assert operator.enters("NQ", key="now").status_code == 201


def test_a_key_holds_over_a_restart(slow_desk: DeskProcess) -> None:
    first = slow_desk.operator().enters(key="before the restart").json()["order"]
    slow_desk.restart()
    operator = slow_desk.operator()
    assert operator.enters(key="before the restart").json()["order"]["id"] == first["id"]
    error_of(operator.enters(key="before the restart", direction="BUY"), 422)
    assert slow_desk.rows("SELECT count(*) FROM orders") == [(1,)]


def test_identical_clicks_at_once_make_one_order(slow_desk: DeskProcess) -> None:
    operator = slow_desk.operator()
    with ThreadPoolExecutor(12) as clicks:
        answers = list(clicks.map(lambda _: operator.enters(key="trembling hand"), range(12)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["order"]["id"] for answer in answers}) == 1
    assert slow_desk.rows("SELECT count(*) FROM orders") == [(1,)]


def test_different_clicks_at_once_pass_one_gate_once(slow_desk: DeskProcess) -> None:
    operator = slow_desk.operator()
    with ThreadPoolExecutor(12) as clicks:
        answers = list(clicks.map(lambda number: operator.enters(key=f"click {number}"), range(12)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_must_be_one(desk: DeskProcess, key: str) -> None:
    error_of(desk.operator().enters(key=key), 400)


def test_a_key_may_be_any_text_of_a_header(slow_desk: DeskProcess) -> None:
    headers = {"Idempotency-Key": "café '; DROP TABLE orders; --".encode()}
    body = {"asset": "ES", "trade_mode": "SCALP"}
    answers = [slow_desk.operator().post("/api/orders", json=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["order"]["id"] == answers[1].json()["order"]["id"]


# -- out -------------------------------------------------------------------------------------------------------------


def test_force_breaks_the_initial_exit_lock_and_is_written_down(own_desk: DeskProcess) -> None:
    operator, bridge = own_desk.operator(), own_desk.bridge()
    bridge.fills(operator.enters_when_the_candle_allows(), 5250.25)
    error_of(operator.post("/api/exit", json={"asset": "ES"}), 409)
    left = operator.post("/api/exit", json={"asset": "ES", "force": True})
    assert left.status_code == 200
    again = operator.post("/api/exit", json={"asset": "ES", "force": True}).json()
    assert (again["order"]["id"], again["already_pending"]) == (left.json()["order"]["id"], True)
    bridge.fills(left.json()["order"], 5251)
    [(body,)] = own_desk.rows("SELECT CAST(body AS TEXT) FROM trades")
    assert '"forced_exit":true' in body


def test_flat_there_is_nothing_to_exit(own_desk: DeskProcess) -> None:
    operator = own_desk.operator()
    error_of(operator.post("/api/exit", json={"asset": "ES"}), 409)
    error_of(operator.post("/api/exit", json={"asset": "DAX"}), 400)
    everything = operator.post("/api/exit-all", json={"force": True}).json()
    assert (everything["orders"], everything["latched"], everything["skipped"]) == ([], [], [])


def test_exit_all_says_what_goes_what_waits_and_what_is_locked(own_desk: DeskProcess) -> None:
    operator, bridge, alerts = own_desk.operator(), own_desk.bridge(), own_desk.tradingview()
    alerts.opens_the_ladder("NQ")
    bridge.fills(operator.enters_when_the_candle_allows("ES"), 5250.25)
    waiting = operator.enters_when_the_candle_allows("NQ")
    bridge.claims()
    locked = operator.post("/api/exit-all", json={}).json()
    assert {skip["asset"] for skip in locked["skipped"]} == {"ES", "NQ"}
    assert locked["orders"] == []

    forced = operator.post("/api/exit-all", json={"force": True}).json()
    [order] = forced["orders"]
    assert (order["asset"], order["side"], order["qty"]) == ("ES", "SELL", 5)
    assert order["order_id"] == order["id"]
    assert (forced["latched"], forced["skipped"]) == (["NQ"], [])

    bridge.reports(waiting["id"], "FILLED", fill_price=18000, qty=5)
    [exit_order] = [order for order in bridge.claims() if order["root"] == "NQ"]
    assert (exit_order["kind"], exit_order["side"], exit_order["qty"]) == ("EXIT", "SELL", 5)


def test_exit_all_cancels_an_entry_nobody_has_claimed(own_desk: DeskProcess) -> None:
    operator = own_desk.operator()
    order = operator.enters_when_the_candle_allows()
    assert operator.post("/api/exit-all", json={}).status_code == 200
    assert own_desk.bridge().claims() == []
    assert own_desk.rows("SELECT status FROM orders WHERE id = ?", order["id"]) == [("CANCELLED",)]


def test_an_opposite_8pt_brick_and_a_level_take_the_position_out(own_desk: DeskProcess) -> None:
    operator, bridge, alerts = own_desk.operator(), own_desk.bridge(), own_desk.tradingview()
    bridge.fills(operator.enters_when_the_candle_allows(), 5250.25)
    brick = alerts.brick(8, "red").json()
    [order] = brick["orders"]
    assert (order["kind"], order["side"], order["source"]) == ("EXIT", "SELL", "structure")
    bridge.fills(order, 5248)
    assert operator.state()["history"][0]["reason"] == "structure"

    alerts.opens_the_ladder()
    bridge.fills(operator.enters_when_the_candle_allows(), 5250.25)
    touched = alerts.sends("/tv_level_exit").json()
    assert touched["order"]["source"] == "level"
    bridge.fills(touched["order"], 5255)
    assert operator.state()["history"][0]["pnl_usd"] == 4.75 * 5 * MES_POINT


def test_an_order_the_store_cannot_take_is_no_order(own_desk: DeskProcess) -> None:
    operator, bridge = own_desk.operator(), own_desk.bridge()
    bridge.fills(operator.enters_when_the_candle_allows(), 5250.25)
    with own_desk.locked_store():
        error_of(operator.post("/api/exit", json={"asset": "ES", "force": True}), 503)
        asset = operator.asset()
        assert (asset["position"], asset["pending_order_id"]) == (5, None)
    assert operator.post("/api/exit", json={"asset": "ES", "force": True}).status_code == 200


def test_the_desk_that_lost_its_store_to_another_writer_only_reads(own_desk: DeskProcess) -> None:
    operator = own_desk.operator()
    with closing_connection(own_desk.database) as other:
        other.execute("UPDATE desk SET beat = beat + 1, epoch = epoch + 1, holder = 'elsewhere/7/m/b/n'")
    journaled = own_desk.rows("SELECT count(*) FROM journal")
    for _ in range(2):
        assert "elsewhere/7 holds the desk" in error_of(operator.enters(), 503)
    assert operator.state()["global"]["role"] == "standby"
    assert own_desk.rows("SELECT count(*) FROM journal") == journaled


# -- fewer contracts than the size -----------------------------------------------------------------------------------


def test_fewer_contracts_are_ordered_and_the_same_key_answers_the_same(own_desk: DeskProcess) -> None:
    operator = own_desk.operator()
    answer = operator.enters(key="smaller", qty=2)
    assert (answer.status_code, answer.json()["order"]["qty"]) == (201, 2)
    assert operator.enters(key="smaller", qty=2).json()["order"] == answer.json()["order"]
    assert [order["qty"] for order in operator.state()["orders"]] == [2]


@pytest.mark.parametrize("qty", [0, -1, 6, 2.5, "2", True])
def test_a_quantity_that_the_size_does_not_have_is_bad_input(desk: DeskProcess, qty: Any) -> None:
    before = desk.operator().state()["orders"]
    answer = desk.operator().enters(qty=qty)
    assert "qty" in error_of(answer, 400)
    assert desk.operator().state()["orders"] == before


def test_the_refusal_names_the_largest_size_and_the_state_what_it_risks(own_desk: DeskProcess) -> None:
    operator = own_desk.operator()
    limits = operator.post("/api/limits", json={"max_risk_per_order_pct": 0.5, "max_contracts_by_asset": {"ES": 4}})
    assert limits.json()["limits"] == {"max_risk_per_order_pct": 0.5, "max_contracts_es": 4}
    refused = operator.enters()
    assert "3 fit" in error_of(refused, 409)
    assert (refused.json()["gate"], refused.json()["facts"]["fits"]) == ("risk", 3)
    risk = operator.state()["assets"]["ES"]["risk"]
    small, large = risk["sizes"]["6pt"], risk["sizes"]["9pt"]
    assert (small["quantity"], small["risk_usd"], small["share_of_left_pct"], small["fits"]) == (5, 375, 37.5, 3)
    assert small["stop"] == {"points": 15, "price": 15, "usd": 375}
    assert (small["gate"]["state"], large["gate"]["state"], risk["max_contracts"]) == ("closed", "open", 4)
    assert operator.enters(qty=3).status_code == 201
    desk_risk = operator.state()["global"]["risk"]
    assert (desk_risk["left_usd"], desk_risk["open_risk_usd"], desk_risk["contracts"]) == (1000, 225, 0.3)
    again = operator.post("/api/limits", json={"max_contracts_by_asset": {"ES": None}})
    assert (again.json()["limits"], again.json()["pending"]) == ({"max_contracts_es": 4}, {"max_contracts_es": "None"})
    assert operator.post("/api/limits", json={"max_contracts_by_asset": {"XX": 4}}).status_code == 400
