"""The bridge's side over real HTTP: claims, long polls, reports, snapshots (SPEC 8)."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.desk_process import (
    BRIDGE_SECRET,
    QUICK,
    DeskProcess,
    closing_connection,
    error_of,
    eventually,
    without_the_clock,
)
from tests.support.own_time import Stopwatch

pytestmark = pytest.mark.processes


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path, **QUICK) as desk:
        desk.tradingview().opens_the_ladder()
        yield desk


@pytest.fixture(scope="module")
def shared_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("bridge"), **QUICK) as desk:
        yield desk


# -- claims ----------------------------------------------------------------------------------------------------------


def test_an_order_goes_to_one_owner_and_comes_again_until_reported(desk: DeskProcess) -> None:
    order = desk.operator().enters_when_the_candle_allows()
    first, second = desk.bridge("first"), desk.bridge("second")
    [handed] = first.claims(instance="one")
    assert (handed["id"], handed["redelivered"]) == (order["id"], False)
    assert second.claims() == []
    [again] = first.claims(instance="one")
    assert (again["id"], again["redelivered"]) == (order["id"], True)
    first.reports(order["id"], "WORKING")
    assert first.claims(instance="one") == []


def test_a_caller_that_names_no_instance_gets_an_order_once(desk: DeskProcess) -> None:
    order = desk.operator().enters_when_the_candle_allows()
    [handed] = desk.bridge().claims()
    assert (handed["id"], handed["redelivered"]) == (order["id"], False)
    assert desk.bridge().claims() == []


def test_owners_who_ask_at_once_share_nothing(desk: DeskProcess) -> None:
    desk.operator().enters_when_the_candle_allows()
    bridges = [desk.bridge(f"owner {number}") for number in range(12)]
    with ThreadPoolExecutor(12) as asking:
        handed = list(asking.map(lambda bridge: bridge.claims(), bridges))
    assert sorted(map(len, handed)) == [0] * 11 + [1]


def test_a_claim_holds_over_a_restart(desk: DeskProcess) -> None:
    order = desk.operator().enters_when_the_candle_allows()
    desk.bridge("first").claims(instance="one")
    desk.restart()
    assert desk.bridge("second").claims() == []
    [again] = desk.bridge("first").claims(instance="one")
    assert (again["id"], again["redelivered"]) == (order["id"], True)


def test_an_exit_passes_on_when_the_lease_is_over_an_entry_never(desk: DeskProcess) -> None:
    operator, alerts = desk.operator(), desk.tradingview()
    alerts.opens_the_ladder("NQ")
    first, second = desk.bridge("first"), desk.bridge("second")
    first.fills(operator.enters_when_the_candle_allows("ES"), 5250.25)
    operator.enters_when_the_candle_allows("NQ")
    operator.post("/api/exit", json={"asset": "ES", "force": True})
    assert len(first.claims(instance="one")) == 2
    assert second.claims() == []
    desk.terminate()
    _claimed_seconds_ago(desk, 61)
    desk.start()
    [passed_on] = second.claims(instance="two")
    assert (passed_on["kind"], passed_on["redelivered"]) == ("EXIT", True)


def _claimed_seconds_ago(desk: DeskProcess, seconds: float) -> None:
    """Let time pass for the stored claims and for who holds them: a lease of 60 s is too long to wait for."""
    at = (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    with closing_connection(desk.database) as connection:
        for order_id, body in connection.execute("SELECT id, body FROM orders WHERE is_open").fetchall():
            changed = {**json.loads(body), "claimed_at": at}
            change = "UPDATE records SET body = ? WHERE kind = 'orders' AND id = ?"
            connection.execute(change, (json.dumps(changed).encode(), order_id))
        ((body,),) = connection.execute("SELECT body FROM documents WHERE name = '_global'").fetchall()
        document = json.loads(body)
        document["desk"]["live"]["fence"]["heard_at"] = at
        connection.execute("UPDATE documents SET body = ? WHERE name = '_global'", (json.dumps(document).encode(),))


def test_limit_is_kept(desk: DeskProcess) -> None:
    operator, alerts = desk.operator(), desk.tradingview()
    alerts.opens_the_ladder("NQ")
    operator.enters_when_the_candle_allows("ES")
    operator.enters_when_the_candle_allows("NQ")
    first, second = desk.bridge("first"), desk.bridge("second")
    assert len(first.claims(limit=1)) == 1
    assert len(second.claims(limit=5)) == 1


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "-1"},
        {"limit": "many"},
        {"limit": "1e2"},
        {"limit": ""},
        {"wait": "26"},
        {"wait": "-1"},
        {"wait": "NaN"},
        {"owner": ""},
        {"owner": "x" * 65},
    ],
    ids=str,
)
def test_a_malformed_question_is_refused(shared_desk: DeskProcess, query: dict[str, str]) -> None:
    error_of(shared_desk.bridge().get("/api/orders/pending", params=query), 400)


# -- waiting ---------------------------------------------------------------------------------------------------------


def test_a_waiting_bridge_has_the_order_within_100_ms_of_the_click(desk: DeskProcess) -> None:
    operator, bridge = desk.operator(), desk.bridge()
    delays = []
    for _ in range(3):
        answered: list[float] = []

        def waits(answered: list[float] = answered) -> None:
            assert bridge.claims(wait=10)
            answered.append(time.monotonic())

        waiting = threading.Thread(target=waits)
        waiting.start()
        time.sleep(0.3)
        order = operator.enters_when_the_candle_allows()
        clicked_at, watch = time.monotonic(), Stopwatch(desk.process)
        waiting.join(60)
        delays.append(answered[0] - clicked_at - watch.queued)
        bridge.reports(order["id"], "REJECTED")
    assert sorted(delays)[1] < 0.1, delays


def test_a_wait_in_vain_ends_with_an_empty_list(shared_desk: DeskProcess) -> None:
    started_at, watch = time.monotonic(), Stopwatch(shared_desk.process)
    assert shared_desk.bridge().claims(wait=1) == []
    assert watch.seconds < 2
    assert time.monotonic() - started_at > 0.9


def test_without_wait_the_answer_is_immediate(shared_desk: DeskProcess) -> None:
    watch = Stopwatch(shared_desk.process)
    assert shared_desk.bridge().claims() == []
    assert watch.seconds < 0.5


def test_twenty_waiting_bridges_hold_up_nobody(shared_desk: DeskProcess) -> None:
    with ThreadPoolExecutor(20) as waiting:
        polls = [waiting.submit(shared_desk.bridge(f"owner {n}").claims, wait=2) for n in range(20)]
        time.sleep(0.3)
        watch = Stopwatch(shared_desk.process)
        assert shared_desk.tradingview().brick(6, "green").status_code == 200
        assert watch.seconds < 0.5
        assert [poll.result() for poll in polls] == [[]] * 20


# -- reports ---------------------------------------------------------------------------------------------------------


def test_every_status_once_and_again(desk: DeskProcess) -> None:
    operator, bridge = desk.operator(), desk.bridge()
    order = operator.enters_when_the_candle_allows()
    bridge.claims()
    story: tuple[tuple[str, dict[str, Any], int], ...] = (
        ("WORKING", {}, 0),
        ("PARTIALLY_FILLED", {"fill_price": 5250.25, "qty": 2, "exec_id": "a", "cum_qty": 2}, 2),
        ("PARTIALLY_FILLED", {"fill_price": 5250.5, "qty": 1, "exec_id": "b", "cum_qty": 3}, 3),
        ("FILLED", {"fill_price": 5250.75, "qty": 2, "exec_id": "c", "cum_qty": 5}, 5),
    )
    for status, extra, position in story:
        first = bridge.reports(order["id"], status, **extra)
        assert first.json().get("duplicate") is None, first.text
        before = desk.rows("SELECT sequence FROM journal WHERE kind = 'ReportExecution'")
        again = bridge.reports(order["id"], status, **extra)
        assert (again.status_code, again.json()["duplicate"]) == (200, True)
        assert desk.rows("SELECT sequence FROM journal WHERE kind = 'ReportExecution'") == before
        assert operator.asset()["position"] == position


def test_a_repeated_report_is_known_after_a_restart(desk: DeskProcess) -> None:
    order = desk.operator().enters_when_the_candle_allows()
    desk.bridge().claims()
    extra = {"fill_price": 5250.25, "qty": 2, "exec_id": "a", "cum_qty": 2}
    desk.bridge().reports(order["id"], "PARTIALLY_FILLED", **extra)
    desk.restart()
    assert desk.bridge().reports(order["id"], "PARTIALLY_FILLED", **extra).json()["duplicate"] is True
    assert desk.operator().asset()["position"] == 2


def test_the_same_report_many_times_at_once_fills_once(desk: DeskProcess) -> None:
    order = desk.operator().enters_when_the_candle_allows()
    bridge = desk.bridge()
    bridge.claims()
    extra = {"fill_price": 5250.25, "qty": 5, "exec_id": "a", "cum_qty": 5}
    with ThreadPoolExecutor(8) as reporting:
        answers = list(reporting.map(lambda _: bridge.reports(order["id"], "FILLED", **extra), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert sum("duplicate" not in answer.json() for answer in answers) == 1
    assert desk.operator().asset()["position"] == 5


def test_a_final_order_does_not_change_its_mind(desk: DeskProcess) -> None:
    operator, bridge = desk.operator(), desk.bridge()
    order = operator.enters_when_the_candle_allows()
    bridge.fills(order, 5250.25)
    for status in ("REJECTED", "CANCELLED"):
        error_of(bridge.reports(order["id"], status), 409)
    after = operator.state()
    assert (after["assets"]["ES"]["position"], after["assets"]["ES"]["doubt"]) == (5, "contradicted")
    assert [alert["code"] for alert in after["alerts"]] == ["report_conflict"]
    assert after["alerts"][0]["facts"]["count"] == 2
    for alert in after["alerts"]:
        assert alert["sentence"] == f"{alert['title']} — {alert['detail']}"
        assert alert["facts"]["order_id"]
    assert desk.rows("SELECT status FROM orders WHERE id = ?", order["id"]) == [("FILLED",)]
    desk.restart()
    error_of(desk.bridge().reports(order["id"], "REJECTED"), 409)


def test_an_unknown_order_is_not_found(shared_desk: DeskProcess) -> None:
    for order_id in ("nobody", "0" * 32, "x" * 500, "<script>", "%00", "%ff", "' OR 1=1"):
        error_of(shared_desk.bridge().reports(order_id, "FILLED", fill_price=1, qty=1), 404)


def test_more_than_was_ordered_is_booked(desk: DeskProcess) -> None:
    operator, bridge = desk.operator(), desk.bridge()
    order = operator.enters_when_the_candle_allows()
    bridge.claims()
    answer = bridge.reports(order["id"], "FILLED", fill_price=5250.25, qty=6, cum_qty=6)
    assert (answer.status_code, answer.json()["late_fill"]) == (200, True)
    assert operator.asset()["position"] == 6
    assert operator.state()["alerts"][0]["code"] == "overfill"


@pytest.mark.parametrize(
    ("status", "extra"),
    [
        ("EXPIRED", {}),
        ("PENDING", {}),
        ("CLAIMED", {}),
        ("DONE", {"fill_price": 5250.25, "qty": 5}),
        ("FILLED", {"fill_price": 5250.25, "qty": 5, "side": "UP"}),
        ("FILLED", {"fill_price": 5250.25, "qty": 5, "commission": "much"}),
        ("FILLED", {"fill_price": "NaN", "qty": 5}),
        ("FILLED", {"fill_price": 5250.25, "qty": -5}),
        ("FILLED", {"fill_price": 5250.25, "qty": 2.5}),
    ],
)
def test_a_report_that_cannot_be_is_refused(desk: DeskProcess, status: str, extra: dict[str, Any]) -> None:
    operator, bridge = desk.operator(), desk.bridge()
    order = operator.enters_when_the_candle_allows()
    bridge.claims()
    before = operator.settled_state()
    sentence = error_of(bridge.reports(order["id"], status, **extra), 400)
    after = operator.state()
    assert without_the_clock(after) == without_the_clock(before)
    [alert] = after["alerts"]
    assert (alert["code"], alert["level"], alert["asset"]) == ("bridge_unreadable", "critical", "ES")
    assert (alert["facts"]["order_id"], alert["facts"]["reason"]) == (order["id"], sentence)


NOT_JSON = '{"secret": "%s", "status": "FILLED", "fills": [], "extra": {"fill_price": NaN}}'


@pytest.mark.parametrize("path", ["/api/orders/none/execution-report", "/api/bridge/fills"])
def test_a_fill_that_is_no_json_is_told_and_not_taken_for_a_wrong_secret(shared_desk: DeskProcess, path: str) -> None:
    operator, stranger = shared_desk.operator(), shared_desk.stranger()
    error_of(stranger.post(path, data=NOT_JSON % "wrong secret"), 401)
    for _ in range(2):
        error_of(stranger.post(path, data=NOT_JSON % BRIDGE_SECRET), 400)
    [alert] = [alert for alert in operator.state()["alerts"] if alert["facts"].get("path") == path]
    assert (alert["code"], alert["level"], alert["facts"]["count"]) == ("bridge_unreadable", "critical", 2)


@pytest.mark.parametrize("path", ["/api/bridge/heartbeat", "/api/rithmic/pnl-snapshot"])
def test_what_else_a_bridge_cannot_say_readably_is_told_once(shared_desk: DeskProcess, path: str) -> None:
    operator, bridge = shared_desk.operator(), shared_desk.bridge()
    for _ in range(3):
        error_of(bridge.post(path, json={"tsConnected": "perhaps", "symbols": "none"}), 400)
    [alert] = [alert for alert in operator.state()["alerts"] if alert["facts"].get("path") == path]
    assert (alert["code"], alert["level"], "count" in alert["facts"]) == ("bridge_unreadable", "warning", False)


@pytest.mark.parametrize(("status", "becomes"), [("filled", "FILLED"), ("Canceled", "CANCELLED"), (" working ", None)])
def test_status_words_are_read_without_case(desk: DeskProcess, status: str, becomes: str | None) -> None:
    operator, bridge = desk.operator(), desk.bridge()
    order = operator.enters_when_the_candle_allows()
    bridge.claims()
    assert bridge.reports(order["id"], status, fill_price=5250.25, side="buy").status_code == 200
    assert (operator.asset()["pending_order_id"] is None) == (becomes is not None)
    expected = becomes or "WORKING"
    assert desk.rows("SELECT status FROM orders WHERE id = ?", order["id"]) == [(expected,)]


def test_a_contract_may_be_spelled_in_many_ways_and_another_one_loses_no_fill(desk: DeskProcess) -> None:
    operator, bridge = desk.operator(), desk.bridge()
    order = operator.enters_when_the_candle_allows()
    [handed] = bridge.claims()
    contract = handed["asset"]
    for number, symbol in enumerate((contract.lower(), f"CME:{contract}", f"{contract[:-1]}2{contract[-1]}")):
        extra = {"fill_price": 5250.25, "qty": 1, "exec_id": str(number), "symbol": symbol}
        assert bridge.reports(order["id"], "PARTIALLY_FILLED", **extra).status_code == 200
    assert (operator.asset()["position"], operator.state()["alerts"]) == (3, [])
    bridge.reports(order["id"], "FILLED", fill_price=5250.25, qty=2, exec_id="last", symbol="MNQM4")
    assert (operator.asset()["position"], operator.state()["alerts"][0]["code"]) == (5, "wrong_symbol")
    assert operator.asset()["doubt"] == "wrong_symbol"


def test_a_fill_after_the_end_of_its_order_is_booked_also_after_a_restart(desk: DeskProcess) -> None:
    order = desk.operator().enters_when_the_candle_allows()
    desk.bridge().claims()
    desk.bridge().reports(order["id"], "CANCELLED")
    desk.restart()
    extra = {"fill_price": 5250.25, "qty": 5, "exec_id": "late"}
    assert desk.bridge().reports(order["id"], "FILLED", **extra).json()["late_fill"] is True
    assert desk.operator().asset()["position"] == 5
    assert desk.bridge().reports(order["id"], "FILLED", **extra).json()["duplicate"] is True


def _stop_fill(contract: str, **more: Any) -> dict[str, Any]:
    ts = datetime.now(UTC).isoformat()
    fill = {"exec_id": "s1", "ts": ts, "symbol": contract, "side": "SELL", "qty": 5, "price": 5235, "kind": "STOP"}
    return {"instance": "i1", "env": "DEMO", "account": "A1", "fills": [{**fill, **more}]}


def test_a_stop_that_fired_at_the_broker_closes_the_trade_at_its_price(desk: DeskProcess) -> None:
    operator, bridge = desk.operator(), desk.bridge()
    order = operator.enters_when_the_candle_allows()
    bridge.fills(order, 5250.25)
    contract = operator.asset()["contract"]
    answer = bridge.post("/api/bridge/fills", json=_stop_fill(f"CME:{contract}")).json()
    assert (answer["taken"], answer["duplicates"], answer["refused"]) == (1, 0, [])
    [closed] = operator.state()["history"]
    assert (closed["reason"], closed["exit_price"]) == ("PROTECTIVE_STOP", 5235)
    assert (operator.asset()["position"], operator.state()["alerts"]) == (0, [])
    desk.restart()
    again = desk.bridge().post("/api/bridge/fills", json=_stop_fill(contract)).json()
    assert (again["taken"], again["duplicates"]) == (0, 1)
    refused = desk.bridge().post("/api/bridge/fills", json=_stop_fill("XYZ", exec_id="s2")).json()
    assert refused["refused"] == [{"exec_id": "s2", "code": "unknown_asset"}]


@pytest.mark.parametrize(
    "wrong",
    [
        {"fills": [{}] * 201},
        {"fills": "all"},
        {"env": "PAPER"},
        {"account": ""},
        {"instance": None},
        {"fills": [{"exec_id": "s1"}]},
    ],
    ids=lambda wrong: str(wrong)[:30],
)
def test_fills_that_cannot_be_read_are_refused(shared_desk: DeskProcess, wrong: dict[str, Any]) -> None:
    error_of(shared_desk.bridge().post("/api/bridge/fills", json={**_stop_fill("MESZ6"), **wrong}), 400)


@pytest.mark.parametrize("more", [{"qty": 0}, {"kind": "FIRE"}, {"side": "UP"}, {"price": "NaN"}, {"exec_id": ""}])
def test_a_fill_that_cannot_be_is_refused(shared_desk: DeskProcess, more: dict[str, Any]) -> None:
    error_of(shared_desk.bridge().post("/api/bridge/fills", json=_stop_fill("MESZ6", **more)), 400)


def test_filled_with_nothing_is_no_fill(desk: DeskProcess) -> None:
    operator, bridge = desk.operator(), desk.bridge()
    order = operator.enters_when_the_candle_allows()
    bridge.claims()
    error_of(bridge.reports(order["id"], "FILLED", fill_price=5250.25, qty=0), 400)
    assert operator.asset()["pending_order_id"] == order["id"]


def test_an_integral_float_is_a_whole_number(desk: DeskProcess) -> None:
    operator, bridge = desk.operator(), desk.bridge()
    order = operator.enters_when_the_candle_allows()
    bridge.claims()
    assert bridge.reports(order["id"], "FILLED", fill_price=5250.25, qty=5.0).status_code == 200
    body = {"symbols": [{"symbol": "MESM4", "position": 5.0}]}
    assert bridge.post("/api/rithmic/pnl-snapshot", json=body).status_code == 200


def test_a_rejected_exit_of_exit_all_is_tried_again(desk: DeskProcess) -> None:
    operator, bridge = desk.operator(), desk.bridge()
    bridge.fills(operator.enters_when_the_candle_allows(), 5250.25)
    [first] = operator.post("/api/exit-all", json={"force": True}).json()["orders"]
    bridge.claims()
    bridge.reports(first["id"], "REJECTED", reason="exchange closed")
    assert operator.asset()["position"] == 5
    [second] = eventually(bridge.claims)
    assert (second["kind"], second["qty"]) == ("EXIT", 5)
    assert second["id"] != first["id"]
    assert "exit_refused" in {alert["code"] for alert in operator.state()["alerts"]}


# -- the account -----------------------------------------------------------------------------------------------------


def test_a_heartbeat_shows_in_the_state(desk: DeskProcess) -> None:
    assert desk.operator().state()["global"]["rithmic_connected"] is False
    body = {
        "tsConnected": True,
        "mdConnected": True,
        "repoOk": True,
        "account": "U12345",
        "tradeRoute": "PAPER",
        "lastRapiEventUtc": "2024-01-15T14:32:00Z",
    }
    assert desk.bridge().post("/api/bridge/heartbeat", json=body).status_code == 200
    everything = desk.operator().state()["global"]
    assert (everything["rithmic_connected"], everything["connected_count"]) == (True, 2)
    assert everything["account"] == "U12345"


def test_a_drawdown_at_the_limit_stops_the_day_and_flattens(desk: DeskProcess) -> None:
    operator, bridge = desk.operator(), desk.bridge()
    bridge.snapshots(50_000)
    bridge.fills(operator.enters_when_the_candle_allows(), 5250.25)
    assert bridge.snapshots(49_000.01, MESM4=5).json()["daily_stop_triggered"] is False
    assert bridge.snapshots(49_000.00, MESM4=5).json()["daily_stop_triggered"] is False
    assert operator.state()["global"]["account_belief"]["second_reading_loss_usd"] == 1_000
    time.sleep(2.05)
    assert bridge.snapshots(49_000.00, MESM4=5).json()["daily_stop_triggered"] is True
    [order] = bridge.claims()
    assert (order["kind"], order["source"], order["qty"]) == ("EXIT", "daily_stop", 5)
    bridge.reports(order["id"], "FILLED", fill_price=5210, qty=5)
    bridge.snapshots(60_000)
    assert operator.enters().json()["gate"] == "daily_stop"
    desk.restart()
    state = desk.operator().state()["global"]
    assert (state["daily_stop_triggered"], state["daily_start_equity"]) == (True, 50_000)
    assert desk.operator().enters().json()["gate"] == "daily_stop"


def test_a_transfer_is_confirmed_only_while_a_balance_is_suspect(desk: DeskProcess) -> None:
    operator, bridge = desk.operator(), desk.bridge()
    body = {"amount": -3000, "reason": "payout"}
    bridge.snapshots(50_000)
    refused = operator.post("/api/account/transfer", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_suspect")
    payout = {"realized": 0, "unrealized": 0, "accountBalance": 47_000, "account": "U1", "symbols": []}
    assert bridge.post("/api/rithmic/pnl-snapshot", json=payout).json()["daily_stop_triggered"] is False
    belief = operator.state()["global"]["account_belief"]
    assert (belief["suspect"], belief["unexplained_usd"], belief["suspect_account"]) == ("jump", -3000, "U1")
    assert operator.post("/api/account/transfer", json={**body, "reason": ""}).status_code == 400
    assert operator.post("/api/account/transfer", json=body).status_code == 200
    shown = operator.state()["global"]
    assert (shown["account_belief"]["suspect"], shown["daily_start_equity"], shown["equity"]) == (None, 47_000, 47_000)


def test_two_snapshots_that_disagree_and_the_broker_is_right(desk: DeskProcess) -> None:
    operator, bridge = desk.operator(), desk.bridge()
    bridge.fills(operator.enters_when_the_candle_allows(), 5250.25)
    flat = {operator.asset()["contract"]: 0}
    time.sleep(2.05)
    bridge.snapshots(50_000, **flat)
    gates = {rung["gate"]: rung["state"] for rung in operator.asset()["ladder"]}
    assert gates["reconcile"] == "closed"
    assert operator.asset()["position"] == 5
    bridge.snapshots(50_000, **flat)
    assert operator.asset()["position"] == 5
    time.sleep(2.05)
    bridge.snapshots(50_000, **flat)
    state = operator.state()
    assert state["assets"]["ES"]["position"] == 0
    assert (state["history"][0]["reason"], state["history"][0]["exit_price"]) == ("BROKER_FLAT", 5250.25)


def test_a_balance_that_is_next_to_nothing_does_not_break_the_day(desk: DeskProcess) -> None:
    bridge = desk.bridge()
    bridge.post("/api/rithmic/pnl-snapshot", data='{"accountBalance": "1e-999999"}')
    assert bridge.snapshots(5_000_000).status_code == 200


def test_bridge_messages_are_shown_in_the_log(desk: DeskProcess) -> None:
    operator, bridge = desk.operator(), desk.bridge()
    bridge.fills(operator.enters_when_the_candle_allows(), 5250.25)
    bridge.snapshots(50_000, MESM4=5)
    bridge.snapshots(50_000, MESM4=5)
    newest, older = operator.state()["logs"]["rithmic"][:2]
    assert (newest["kind"], newest["count"]) == ("pnl-snapshot", 2)
    assert (older["kind"], older["outcome"]) == ("execution-report", "ok")
