"""The lockout, and limits that are times of day, over HTTP (SPEC 5.9)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api_document import documented
from tests.support.desk_process import QUICK, DeskProcess, error_of, eventually
from tests.support.floor import Floor


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    with DeskProcess(tmp_path_factory.mktemp("window"), **QUICK).trades_at_any_hour() as desk:
        yield Floor(desk)


def limits(floor: Floor, **body: Any) -> Any:
    return floor.operator.post("/api/limits", json=body)


def test_the_state_shows_session_and_window(floor: Floor) -> None:
    asset = eventually(lambda: floor.asset() if floor.asset()["session_open"] else None)
    assert asset["session_closes_ts"]
    window = floor.operator.state()["global"]["window"]
    assert (window["lockout_until"], window["flat_by_ts"], window["week_left_usd"]) == (None, None, None)


def test_a_time_of_day_is_set_and_waits_to_be_taken_back(floor: Floor) -> None:
    answer = documented(limits(floor, trading_hours="00:00-12:00,12:00-00:00", weekly_loss_usd=900)).json()
    assert answer["limits"] == {"trading_hours": "00:00-12:00,12:00-00:00", "weekly_loss_usd": 900}
    answer = documented(limits(floor, trading_hours=None, weekly_loss_usd=1_000)).json()
    assert answer["pending"] == {"trading_hours": "None", "weekly_loss_usd": "1000"}
    assert answer["pending_from"].keys() == answer["pending"].keys()
    state = documented(floor.operator.get("/api/state")).json()["global"]
    assert state["limits_pending"] == {"trading_hours": None, "weekly_loss_usd": 1_000}
    assert state["limits_pending_from"].keys() == state["limits_pending"].keys()
    assert state["window"]["week_left_usd"] == 900


@pytest.mark.parametrize(
    "body",
    [
        {"flat_by": "25:00"},
        {"flat_by": "02:00"},
        {"flat_by": 1555},
        {"flat_by": "15:55:00"},
        {"trading_hours": "09:30"},
        {"trading_hours": ""},
        {"trading_hours": "09:30-09:30"},
        {"weekly_loss_pct": 0},
        {"loss_streak": 0},
        {"confirm": True},
        {"confirm": "yes", "loss_streak": 2},
    ],
)
def test_what_is_no_limit_changes_nothing(floor: Floor, body: dict[str, Any]) -> None:
    before = floor.operator.state()["global"]["limits"]
    error_of(limits(floor, **body), 400)
    assert floor.operator.state()["global"]["limits"] == before


@pytest.mark.parametrize("body", [{}, {"until": "month"}, {"until": None}, {"until": "day", "ends": 1}, {"until": 5}])
def test_a_lockout_says_until_when(floor: Floor, body: dict[str, Any]) -> None:
    error_of(floor.operator.post("/api/lockout", json=body), 400)
    assert floor.operator.state()["global"]["window"]["lockout_until"] is None


def test_only_the_operator_locks_out(floor: Floor) -> None:
    error_of(floor.desk.stranger().post("/api/lockout", json={"until": "day"}), 401)


def test_nothing_takes_a_lockout_back(floor: Floor) -> None:
    floor.in_a_trade(managed=False)
    locked = documented(floor.operator.post("/api/lockout", json={"until": "week"})).json()
    assert locked["until"] == "week"
    again = documented(floor.operator.post("/api/lockout", json={"until": "day"})).json()
    assert (again["until"], again["ends_at"]) == (locked["until"], locked["ends_at"])
    assert floor.operator.post("/api/exit", json={"asset": "ES", "force": True}).status_code == 200
    floor.flat()
    floor.alerts.opens_the_ladder()
    eventually(lambda: floor.operator.enters().json()["gate"] == "window")
    floor.desk.restart()
    floor.operator = floor.desk.operator()
    assert floor.operator.state()["global"]["window"]["lockout_ends_ts"] == locked["ends_at"]
