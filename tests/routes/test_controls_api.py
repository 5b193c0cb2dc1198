"""The operator's controls over real HTTP: happy, refused, malformed; every answer documented and versioned
(SPEC 4, 5.3, 5.5, 6, 8.5)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api_document import documented
from tests.support.desk_process import QUICK, DeskProcess, error_of
from tests.support.floor import ENTRY_PRICE, Floor

pytestmark = pytest.mark.processes

ES = {"asset": "ES"}
OF_A_TRADE: dict[str, dict[str, Any]] = {  # control -> a body it takes
    "scale-in": ES,
    "protect": {**ES, "enabled": True, "threshold": -2.0},
    "points-take-profit": {**ES, "enabled": True, "target": 20},
    "take-profit": {**ES, "tp_arm": "toggle"},
    "high-next-bar-exit": ES,
    "main-flip-exit": ES,
    "four-pt-invalidation": ES,
}
OF_AN_ASSET: dict[str, dict[str, Any]] = {
    **OF_A_TRADE,
    "auto-exit": ES,
    "intent": ES,
    "intent/cancel": ES,
    "preorder/cancel": ES,
}
OF_THE_DESK: dict[str, dict[str, Any]] = {
    "env": {"env": "DEMO"},
    "limits": {"cooldown_seconds": 0},
    "trade-limit/consume": {},
}
ALL = {**OF_AN_ASSET, **OF_THE_DESK}


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    with DeskProcess(tmp_path_factory.mktemp("controls"), **QUICK).trades_at_any_hour() as desk:
        yield Floor(desk)


@pytest.fixture
def own_floor(tmp_path: Path) -> Iterator[Floor]:
    with DeskProcess(tmp_path, **QUICK) as desk:
        yield Floor(desk)


def asks(floor: Floor, control: str, body: Any, status: int = 200) -> Any:
    """Use a control and return its answer, which is documented and carries the state's version."""
    answer = documented(floor.operator.post(f"/api/{control}", json=body))
    assert answer.status_code == status, (control, answer.text[:300])
    told = answer.json()
    assert told["ok"] is (status < 400)
    assert 0 < told["version"] <= floor.operator.state()["version"]
    if status >= 400:
        error_of(answer, status)
    return told


def changes(floor: Floor, control: str, body: Any, status: int = 200) -> Any:
    """Use a control that changes ES: the answer carries the asset as the state then shows it."""
    before = floor.operator.state()["version"]
    told = asks(floor, control, body, status)
    assert told["version"] > before
    shown = floor.asset()
    for name in (
        "trade",
        "pending_order_id",
        "intent_status",
        "preorder_status",
        "protect_enabled",
        "points_tp_target",
    ):
        assert told["asset"][name] == shown[name]
    assert told["asset"]["symbol"] == "ES"
    return told


# -- what all of them have in common ---------------------------------------------------------------------------------


@pytest.mark.parametrize("control", OF_A_TRADE)
def test_flat_there_is_nothing_to_manage(floor: Floor, control: str) -> None:
    floor.flat()
    told = asks(floor, control, OF_A_TRADE[control], 409)
    assert told["code"] == "nothing_to_manage"
    assert "ES" in told["error"]


@pytest.mark.parametrize("control", OF_AN_ASSET)
def test_an_asset_nobody_trades_here_is_a_wrong_request(floor: Floor, control: str) -> None:
    assert "DAX" in asks(floor, control, {**OF_AN_ASSET[control], "asset": "DAX"}, 400)["error"]


@pytest.mark.parametrize("control", OF_AN_ASSET)
def test_the_asset_is_needed_and_is_text(floor: Floor, control: str) -> None:
    body = {name: value for name, value in OF_AN_ASSET[control].items() if name != "asset"}
    assert asks(floor, control, body, 400)["field"] == "asset"
    for wrong in (5, None, "", ["ES"], "x" * 41):
        assert asks(floor, control, {**body, "asset": wrong}, 400)["field"].startswith("asset")


@pytest.mark.parametrize("control", ALL)
def test_a_word_that_is_not_known_is_refused(floor: Floor, control: str) -> None:
    assert asks(floor, control, {**ALL[control], "quantity": 500}, 400)["field"] == "quantity"


@pytest.mark.parametrize("control", OF_AN_ASSET)
def test_small_letters_are_the_same_asset(floor: Floor, control: str) -> None:
    floor.in_a_trade()
    floor.alerts.brick(6, "green")
    answer = floor.operator.post(f"/api/{control}", json={**OF_AN_ASSET[control], "asset": "es"})
    assert documented(answer).status_code != 400


# -- the open trade --------------------------------------------------------------------------------------------------


def test_scale_in_adds_once_at_the_weighted_price(floor: Floor) -> None:
    floor.in_a_trade()
    assert asks(floor, "scale-in", ES, 409)["code"] == "scale_in_unavailable"
    floor.alerts.brick(6, "green")
    assert (floor.asset()["scale_in_unlocked"], floor.asset()["scale_in_available"]) == (True, False)
    assert asks(floor, "scale-in", ES, 409)["title"] == "OPEN POINTS UNKNOWN"
    floor.alerts.heartbeat(ENTRY_PRICE)
    assert floor.asset()["scale_in_available"] is True
    told = changes(floor, "scale-in", ES, 201)
    order = told["order"]
    assert (order["kind"], order["side"], order["qty"]) == ("SCALE_IN", "BUY", 5)
    assert told["asset"]["pending_order_id"] == order["id"]
    assert asks(floor, "scale-in", ES, 409)["gate"] == "pending_order"
    floor.bridge.fills(order, ENTRY_PRICE + 2)
    asset = floor.asset()
    assert (asset["position"], asset["avg_price"], asset["scale_in_used"]) == (10, ENTRY_PRICE + 1, True)
    assert "USED" in asks(floor, "scale-in", ES, 409)["error"]


def test_a_rejected_scale_in_is_available_again(floor: Floor) -> None:
    floor.in_a_trade().alerts.brick(6, "green")
    floor.alerts.heartbeat(ENTRY_PRICE)
    order = changes(floor, "scale-in", ES, 201)["order"]
    floor.bridge.claims()
    floor.bridge.reports(order["id"], "REJECTED", reason="no margin")
    asset = floor.asset()
    assert (asset["position"], asset["scale_in_available"], asset["scale_in_used"]) == (5, True, False)
    assert changes(floor, "scale-in", ES, 201)["order"]["id"] != order["id"]


def test_protect_takes_two_thresholds_and_no_third(floor: Floor) -> None:
    floor.in_a_trade()
    for threshold in (-2.0, 0.5, -2):
        told = changes(floor, "protect", {**ES, "enabled": True, "threshold": threshold})
        assert (told["asset"]["protect_enabled"], told["asset"]["protect_threshold_points"]) == (True, threshold)
    for threshold in (-2.1, 0, 0.49, 2, 1e8):
        assert asks(floor, "protect", {**ES, "enabled": True, "threshold": threshold}, 400)["code"] == "setting_invalid"
    told = changes(floor, "protect", {**ES, "enabled": False})
    assert (told["asset"]["protect_enabled"], told["asset"]["protect_threshold_points"]) == (False, -2)


@pytest.mark.parametrize("body", [{}, {"enabled": 1}, {"enabled": "true"}, {"enabled": None}])
@pytest.mark.parametrize("control", ["protect", "points-take-profit"])
def test_enabled_is_a_plain_yes_or_no(floor: Floor, control: str, body: dict[str, Any]) -> None:
    assert asks(floor, control, {**ES, **body}, 400)["field"] == "enabled"


@pytest.mark.parametrize("number", ["far", True, [], {}, 1e300, "NaN"])
@pytest.mark.parametrize(("control", "field"), [("protect", "threshold"), ("points-take-profit", "target")])
def test_points_are_a_number(floor: Floor, control: str, field: str, number: object) -> None:
    assert asks(floor, control, {**ES, "enabled": True, field: number}, 400)["field"] == field


def test_the_points_target_lies_above_0_and_ends_at_200(floor: Floor) -> None:
    floor.in_a_trade(trade_mode="SCALP")
    assert (floor.asset()["points_tp_enabled"], floor.asset()["points_tp_target"]) == (True, 15)
    for target in (0.25, 200, 15.5):
        told = changes(floor, "points-take-profit", {**ES, "enabled": True, "target": target})
        assert told["asset"]["points_tp_target"] == target
    for target in (0, -1, 200.25):
        body = {**ES, "enabled": True, "target": target}
        assert asks(floor, "points-take-profit", body, 400)["code"] == "setting_invalid"
    told = changes(floor, "points-take-profit", {**ES, "enabled": False})
    assert (told["asset"]["exit_mode"], told["asset"]["points_tp_target"]) == ("STRUCTURE", 15.5)


def test_the_management_lock_refuses_what_loosens_and_takes_what_tightens(floor: Floor) -> None:
    floor.in_a_trade(managed=False, trade_mode="SCALP")
    assert floor.asset()["two_half_tp_lock_enabled"] is True
    for looser in ({"enabled": False}, {"enabled": True, "target": 15.25}):
        told = asks(floor, "points-take-profit", {**ES, **looser}, 423)
        assert (told["code"], "2.5pt" in told["error"]) == ("management_locked", True)
    assert (floor.asset()["points_tp_enabled"], floor.asset()["points_tp_target"]) == (True, 15)
    assert (
        changes(floor, "points-take-profit", {**ES, "enabled": True, "target": 14})["asset"]["points_tp_target"] == 14
    )
    assert changes(floor, "protect", {**ES, "enabled": True})["asset"]["protect_enabled"] is True
    assert changes(floor, "protect", {**ES, "enabled": False})["asset"]["protect_enabled"] is False  # taken back


def test_the_signal_target_is_armed_counted_and_fires(floor: Floor) -> None:
    floor.in_a_trade()
    told = changes(floor, "take-profit", {**ES, "tp_arm": "toggle"})
    assert (told["asset"]["tp_armed"], told["asset"]["tp_target"], told["asset"]["tp_count"]) == (True, 3, 0)
    changes(floor, "take-profit", {**ES, "tp_target": 2})
    floor.alerts.brick(6, "red")
    assert floor.asset()["tp_count"] == 1
    assert changes(floor, "take-profit", {**ES, "reset": True})["asset"]["tp_count"] == 0
    floor.alerts.brick(6, "red")
    [order] = floor.alerts.brick(6, "red").json()["orders"]
    assert (order["kind"], order["side"], order["source"]) == ("EXIT", "SELL", "signal_tp")


def test_the_signal_target_is_disarmed_by_the_same_toggle(floor: Floor) -> None:
    floor.in_a_trade()
    assert changes(floor, "take-profit", {**ES, "tp_arm": "toggle"})["asset"]["tp_armed"] is True
    assert changes(floor, "take-profit", {**ES, "tp_arm": "toggle"})["asset"]["tp_armed"] is False


@pytest.mark.parametrize("target", [0, 51, -1])
def test_the_signal_target_is_1_to_50(floor: Floor, target: int) -> None:
    floor.in_a_trade()
    assert asks(floor, "take-profit", {**ES, "tp_target": target}, 400)["code"] == "setting_invalid"


@pytest.mark.parametrize("target", [1, 50, 3.0])
def test_the_ends_of_its_range_are_in_it(floor: Floor, target: float) -> None:
    floor.in_a_trade()
    assert changes(floor, "take-profit", {**ES, "tp_target": target})["asset"]["tp_target"] == target


@pytest.mark.parametrize(
    "body",
    [{}, {"tp_arm": "on"}, {"tp_arm": True}, {"tp_target": 2.5}, {"tp_target": "3"}, {"reset": 1}, {"reset": False}],
)
def test_take_profit_must_be_asked_something(floor: Floor, body: dict[str, Any]) -> None:
    asks(floor, "take-profit", {**ES, **body}, 400)


SWITCHES = {
    "high-next-bar-exit": "high_next_bar_exit_enabled",
    "main-flip-exit": "main_flip_exit_enabled",
    "four-pt-invalidation": "four_pt_invalidation_enabled",
}


@pytest.mark.parametrize("control", SWITCHES)
def test_a_switch_goes_on_and_off(floor: Floor, control: str) -> None:
    floor.in_a_trade()
    was = floor.asset()[SWITCHES[control]]
    assert changes(floor, control, ES)["asset"][SWITCHES[control]] is not was
    assert changes(floor, control, ES)["asset"][SWITCHES[control]] is was


@pytest.mark.parametrize(
    ("control", "size", "color", "source"),
    [
        ("high-next-bar-exit", 8, "green", "high_next_bar"),
        ("main-flip-exit", 6, "red", "main_flip"),
        ("four-pt-invalidation", 4, "red", "four_pt"),
    ],
)
def test_an_armed_switch_takes_the_position_out(floor: Floor, control: str, size: int, color: str, source: str) -> None:
    floor.in_a_trade()
    assert changes(floor, control, ES)["asset"][SWITCHES[control]] is True
    [order] = floor.alerts.brick(size, color).json()["orders"]
    assert (order["kind"], order["qty"], source in order["source"]) == ("EXIT", 5, True), order["source"]


@pytest.mark.parametrize(("control", "body"), [("take-profit", {**ES, "tp_arm": "toggle"}), ("high-next-bar-exit", ES)])
def test_after_a_fresh_brick_arming_needs_management_unlocked(floor: Floor, control: str, body: dict[str, str]) -> None:
    floor.in_a_trade(managed=False, seasoned=True)
    assert asks(floor, control, body, 423)["code"] == "management_locked"
    floor.alerts.brick(2.5, "red")
    changes(floor, control, body)
    floor.alerts.brick(2.5, "green")
    changes(floor, control, body)  # taking it back is never locked


def test_auto_exit_confirms_what_is_fixed(floor: Floor) -> None:
    told = asks(floor, "auto-exit", ES)
    assert (told["auto_exit_renko"], told["asset"]["auto_exit_renko"]) == ("6pt", "6pt")


@pytest.mark.parametrize("body", [None, {}, {"asset": "ES"}, {"asset": "ES", "enabled": False}])
def test_the_automatic_lock_is_never_switched_by_hand(floor: Floor, body: dict[str, Any] | None) -> None:
    answer = documented(floor.operator.post("/api/two-half-tp-lock", json=body))
    assert "MANUAL LOCK DISABLED" in error_of(answer, 423)
    assert answer.json()["version"] > 0


def test_exit_and_exit_all_carry_the_assets_they_changed(floor: Floor) -> None:
    floor.in_a_trade(seasoned=True)
    told = changes(floor, "exit", {**ES, "force": False})
    assert told["asset"]["pending_order_id"] == told["order"]["id"]
    assert asks(floor, "exit", ES)["already_pending"] is True
    floor.in_a_trade()
    told = asks(floor, "exit-all", {"force": True})
    assert list(told["assets"]) == ["ES"]
    assert told["assets"]["ES"]["pending_order_id"] == told["orders"][0]["order_id"]


# -- what waits ------------------------------------------------------------------------------------------------------


def test_an_intent_ripens_expires_and_can_be_taken_back(floor: Floor) -> None:
    floor.ready()
    assert changes(floor, "intent", ES)["asset"]["intent_status"] == "WAITING"
    assert asks(floor, "intent", ES, 409)["code"] == "already_waiting"
    floor.alerts.brick(6, "green")
    assert floor.asset()["intent_status"] == "READY"
    floor.alerts.brick(6, "green")
    assert (floor.asset()["intent_status"], floor.asset()["intent_active"]) == ("EXPIRED", False)
    changes(floor, "intent", ES)
    assert changes(floor, "intent/cancel", ES)["asset"]["intent_status"] == "CANCELLED"
    assert asks(floor, "intent/cancel", ES, 409)["code"] == "nothing_waiting"


def test_an_intent_needs_open_gates(floor: Floor) -> None:
    floor.in_a_trade()
    told = asks(floor, "intent", ES, 409)
    assert (told["code"], told["gate"]) == ("gate_closed", "position")
    assert {rung["gate"] for rung in told["ladder"]} >= {"position", "bridge"}


PREORDER = {"asset": "ES", "trade_mode": "SCALP", "order_type": "preorder", "direction": "BUY"}


def test_a_pre_order_waits_fires_and_becomes_an_order(floor: Floor) -> None:
    floor.ready()
    told = asks(floor, "orders", PREORDER, 201)
    assert told["preorder"] == {"asset": "ES", "direction": "BUY", "status": "WAITING"}
    assert told["state"]["assets"]["ES"]["preorder_active"] is True
    assert asks(floor, "orders", PREORDER, 409)["code"] == "already_waiting"
    assert asks(floor, "intent", ES, 409)["code"] == "already_waiting"
    [order] = floor.alerts.brick(6, "green").json()["orders"]
    assert (order["kind"], order["side"], floor.asset()["preorder_status"]) == ("ENTRY", "BUY", "FIRED")


def test_a_pre_order_that_does_not_fire_says_why(floor: Floor) -> None:
    floor.ready()
    asks(floor, "orders", PREORDER, 201)
    floor.alerts.brick(6, "red")
    asset = floor.asset()
    assert (asset["preorder_active"], asset["preorder_status"]) == (False, "CANCELLED")
    assert "red" in asset["preorder_reason"]
    assert asset["pending_order_id"] is None


def test_a_pre_order_is_taken_back(floor: Floor) -> None:
    floor.ready()
    assert asks(floor, "preorder/cancel", ES, 409)["code"] == "nothing_waiting"
    asks(floor, "orders", PREORDER, 201)
    told = changes(floor, "preorder/cancel", ES)
    assert (told["asset"]["preorder_status"], told["asset"]["preorder_active"]) == ("CANCELLED", False)
    assert "operator" in told["asset"]["preorder_reason"]


def test_a_pre_order_takes_its_direction_from_the_structure_or_asks_for_one(floor: Floor) -> None:
    floor.ready()
    without = {name: value for name, value in PREORDER.items() if name != "direction"}
    assert asks(floor, "orders", without, 201)["preorder"]["direction"] == "BUY"
    changes(floor, "preorder/cancel", ES)
    floor.alerts.brick(12, "red")
    assert asks(floor, "orders", without, 400)["code"] == "direction_required"
    asks(floor, "orders", {**without, "entry_override": True}, 400)


def test_a_pre_order_needs_open_gates(floor: Floor) -> None:
    floor.in_a_trade()
    assert asks(floor, "orders", PREORDER, 409)["gate"] in ("candle_lock", "position")


def test_the_same_key_places_one_pre_order(floor: Floor) -> None:
    floor.ready()
    headers = {"Idempotency-Key": "one pre-order"}
    answers = [documented(floor.operator.post("/api/orders", json=PREORDER, headers=headers)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["version"] == answers[1].json()["version"]
    other = documented(floor.operator.post("/api/orders", json={**PREORDER, "trade_mode": "RUNNER"}, headers=headers))
    error_of(other, 422)
    assert other.json()["version"] > 0


# -- the day and the desk --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [{}, {"json": {}}, {"data": b""}], ids=["no body", "an empty object", "an empty body"])
def test_a_slot_is_taken_by_hand(floor: Floor, sent: dict[str, Any]) -> None:
    before = floor.operator.state()["global"]["trades_taken_today"]
    answer = documented(floor.operator.post("/api/trade-limit/consume", **sent))
    told = answer.json()
    assert (answer.status_code, told["trades_taken_today"]) == (200, before + 1)
    state = floor.operator.state()["global"]
    assert told["trades_remaining_today"] == state["trades_remaining_today"]


@pytest.mark.parametrize("raw", [b"[]", b"null", b"5", b"{", b'{"count": 2}', b" "])
def test_a_slot_is_taken_one_at_a_time(floor: Floor, raw: bytes) -> None:
    before = floor.operator.state()["global"]["trades_taken_today"]
    error_of(documented(floor.operator.post("/api/trade-limit/consume", data=raw)), 400)
    assert floor.operator.state()["global"]["trades_taken_today"] == before


def test_the_last_slot_is_the_last(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **{**QUICK, "MAX_TRADES_PER_DAY": "2"}) as desk:
        floor = Floor(desk).ready()
        assert asks(floor, "trade-limit/consume", {})["trades_remaining_today"] == 1
        assert asks(floor, "trade-limit/consume", {})["trades_remaining_today"] == 0
        assert asks(floor, "trade-limit/consume", {}, 409)["code"] == "no_trade_left"
        assert floor.operator.enters().json()["gate"] == "trade_limit"
        assert asks(floor, "intent", ES, 409)["gate"] == "trade_limit"


def test_live_needs_a_connected_bridge_and_all_flat(own_floor: Floor) -> None:
    floor = own_floor.ready()
    answer = documented(floor.operator.post("/api/env", json={"env": "LIVE"}))
    error_of(answer, 503)
    assert answer.json()["version"] > 0
    floor.bridge.post("/api/bridge/heartbeat", json={"tsConnected": False})
    error_of(floor.operator.post("/api/env", json={"env": "LIVE"}), 503)
    floor.bridge.post("/api/bridge/heartbeat", json={"tsConnected": True, "envs": ["DEMO", "LIVE"]})
    assert asks(floor, "env", {"env": "LIVE"})["env"] == "LIVE"
    assert floor.operator.state()["global"]["env"] == "LIVE"
    assert floor.bridge.snapshots(50_000).status_code == 200  # LIVE asks for a balance of its own (gate `account`)
    assert floor.operator.enters_when_the_candle_allows()["env"] == "LIVE"
    assert asks(floor, "env", {"env": "DEMO"}, 409)["code"] == "not_flat"
    assert asks(floor, "env", {"env": "LIVE"})["env"] == "LIVE"  # what it is already, it may stay


def test_live_needs_a_password(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK, DASHBOARD_PASSWORD="") as desk:
        desk.bridge().post("/api/bridge/heartbeat", json={"tsConnected": True})
        answer = documented(desk.stranger().post("/api/env", json={"env": "LIVE"}))
        assert "PASSWORD" in error_of(answer, 409)
        assert answer.json()["version"] > 0
        assert desk.stranger().get("/api/state").json()["global"]["env"] == "DEMO"


@pytest.mark.parametrize("body", [{}, {"env": "live"}, {"env": "PAPER"}, {"env": None}, {"env": ["LIVE"]}])
def test_there_are_two_environments(floor: Floor, body: dict[str, Any]) -> None:
    assert asks(floor, "env", body, 400)["field"].startswith("env")


def test_tighter_holds_now_and_looser_from_the_next_day_on(own_floor: Floor) -> None:
    told = asks(own_floor, "limits", {"max_trades_per_day": 4, "daily_stop_limit_pct": 1.5})
    assert (told["limits"], told["pending"]) == ({"max_trades_per_day": 4, "daily_stop_limit_pct": 1.5}, {})
    told = asks(own_floor, "limits", {"max_trades_per_day": 6})
    assert (told["limits"], told["pending"]) == ({"max_trades_per_day": 4}, {"max_trades_per_day": "6"})
    state = own_floor.operator.state()["global"]
    assert (state["max_trades_per_day"], state["daily_stop_limit_pct"]) == (4, 1.5)
    assert state["limits_pending"] == {"max_trades_per_day": 6}
    own_floor.desk.restart()
    state = own_floor.desk.operator().state()["global"]
    assert (state["max_trades_per_day"], state["limits_pending"]) == (4, {"max_trades_per_day": 6})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"max_trades_per_day": 0},
        {"max_trades_per_day": 2.5},
        {"daily_stop_limit_pct": 0},
        {"daily_stop_limit_pct": 100.1},
        {"candle_seconds": 7},
        {"candle_seconds": 7200},
        {"cooldown_seconds": -1},
        {"two_half_filter": "yes"},
        {"stop_points": "NaN"},
        {"day_roll": "00:00"},
    ],
)
def test_limits_have_the_ranges_of_the_settings(floor: Floor, body: dict[str, Any]) -> None:
    before = floor.operator.state()["global"]["limits"]
    asks(floor, "limits", body, 400)
    assert floor.operator.state()["global"]["limits"] == before
