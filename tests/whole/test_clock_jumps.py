"""The clock of the desk's machine is set while web runs: no lock ends, no order lives longer, a person is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock_ends import a_candle_lasts
from tests.support.desk_process import BridgeCaller, DeskProcess, OperatorCaller, eventually

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]

HOUR = 3600
RULES = {"COOLDOWN_SECONDS": "1800", "CANDLE_SECONDS": "3600", "ENTRY_TTL_SECONDS": "4", "MAX_TRADES_PER_DAY": "9"}


class Machine:
    """A desk on a machine whose clock the story sets."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.set_by = folder / "set-by.txt"
        self.is_set(0)
        self.desk = DeskProcess(folder, SET_BY_FILE=str(self.set_by), **{**RULES, **settings})
        self.desk.arguments = ["-m", "gunicorn", "tests.support.set_clock_desk:app"]

    def is_set(self, seconds: float) -> None:
        written = self.set_by.with_suffix(".new")
        written.write_text(str(seconds), "utf-8")
        written.replace(self.set_by)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    with machine.desk:
        yield machine


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def is_told(ask: Callable[[], str], ahead: float = 0, within: float = 1) -> bool:
    """Return whether the desk's time, as it is told, is that of the machine and so many seconds ahead."""
    asked, told, heard = datetime.now(UTC), moment(ask()), datetime.now(UTC)
    error = timedelta(seconds=within)
    return asked - error < told - timedelta(seconds=ahead) < heard + error


def desk_time_of_snapshot(bridge: BridgeCaller, as_of: str) -> str:
    """Send a snapshot; return the desk's time that its answer tells."""
    answer = bridge.post("/api/rithmic/pnl-snapshot", json={"symbols": [], "as_of": as_of})
    assert answer.status_code == 200
    return str(answer.headers["X-Desk-Time"])


def gates(operator: OperatorCaller) -> dict[str, dict[str, Any]]:
    return {rung["gate"]: rung for rung in operator.asset()["ladder"]}


def clock_alerts(operator: OperatorCaller) -> list[dict[str, Any]]:
    return [alert for alert in operator.state()["alerts"] if alert["code"] == "clock"]


@pytest.mark.parametrize("set_by", [-HOUR, HOUR])
def test_no_lock_ends_and_no_entry_lives_longer(machine: Machine, set_by: float) -> None:
    """An entry waits for a bridge; the machine's clock is set by an hour, and a second after that right again."""
    desk, operator = machine.desk, machine.desk.operator()
    a_candle_lasts(60, HOUR)
    desk.tradingview().opens_the_ladder()
    order = operator.enters().json()["order"]
    day = operator.state()["global"]["trading_day"]
    assert gates(operator)["candle_lock"]["state"] == "closed"
    machine.is_set(set_by)
    told = eventually(lambda: clock_alerts(operator))
    assert told[0]["facts"] == {"whose": "machine", "ahead_seconds": pytest.approx(set_by, abs=1)}
    assert is_told(lambda: str(operator.state()["now"]))
    assert operator.state()["global"]["trading_day"] == day
    closed = gates(operator)
    assert closed["candle_lock"]["state"] == "closed"
    assert closed["heartbeat"]["state"] == "open"
    eventually(lambda: not operator.state()["orders"])
    (final,) = desk.rows("SELECT body FROM orders WHERE id = ?", order["id"]) or [("",)]
    assert "EXPIRED" in str(final)
    machine.is_set(0)
    eventually(lambda: clock_alerts(operator)[0]["over"])
    ats = [moment(at) for (at,) in desk.rows("SELECT at FROM journal ORDER BY sequence")]
    assert ats == sorted(ats)


def test_a_desk_that_starts_with_a_clock_behind_goes_on_from_what_is_stored(machine: Machine) -> None:
    """The machine comes up with a clock of an hour ago: the cooldown ends when it would have ended."""
    operator = machine.desk.operator()
    machine.desk.tradingview().opens_the_ladder()
    operator.enters()
    before = operator.state()
    machine.is_set(-HOUR)
    machine.desk.restart()
    operator = machine.desk.operator()
    after = operator.state()
    assert timedelta(0) <= moment(after["now"]) - moment(before["now"]) < timedelta(seconds=30)
    assert eventually(lambda: clock_alerts(operator))


def test_two_heartbeats_of_tradingview_confirm_a_clock_that_was_set_forward(machine: Machine) -> None:
    """A virtual machine stood still for an hour: its own time of passing knows nothing of it."""
    operator = machine.desk.operator()
    machine.is_set(HOUR)
    eventually(lambda: clock_alerts(operator))
    tradingview = machine.desk.tradingview()
    tradingview.heartbeat(timestamp=in_an_hour())
    assert is_told(lambda: str(operator.state()["now"]), within=10)
    time.sleep(2.1)
    tradingview.heartbeat(timestamp=in_an_hour())
    assert is_told(lambda: str(operator.state()["now"]), ahead=HOUR, within=10)
    eventually(lambda: clock_alerts(operator)[0]["over"])


# -- the bridge's clock -----------------------------------------------------------------------------------------------


def test_a_bridge_whose_data_come_from_a_clock_behind_is_told_of(machine: Machine) -> None:
    """Each of its snapshots is late, so none says anything: without the alert that would be silence."""
    operator, bridge = machine.desk.operator(), machine.desk.bridge()
    for _ in range(3):
        as_of = (datetime.now(UTC) - timedelta(minutes=2)).isoformat()
        assert is_told(partial(desk_time_of_snapshot, bridge, as_of), within=5)
    (alert,) = clock_alerts(operator)
    assert (alert["facts"]["whose"], round(alert["facts"]["ahead_seconds"] / 60)) == ("bridge", -2)


def test_a_bridge_that_tells_a_clock_ahead_is_told_of_until_it_is_right(machine: Machine) -> None:
    operator, bridge = machine.desk.operator(), machine.desk.bridge()

    def beats(ahead: float) -> None:
        told = (datetime.now(UTC) + timedelta(seconds=ahead)).isoformat()
        body = {"tsConnected": True}
        assert bridge.request("POST", "/api/bridge/heartbeat", json=body, headers={"X-Bridge-Time": told}).ok

    beats(40)
    assert [alert["over"] for alert in clock_alerts(operator)] == [False]
    for _ in range(3):
        beats(0)
    assert clock_alerts(operator)[0]["over"]


def test_the_clock_of_a_second_bridge_says_nothing_of_the_one_that_claims(machine: Machine) -> None:
    operator, bridge = machine.desk.operator(), machine.desk.bridge()

    def beats(instance: str, ahead: float) -> None:
        told = (datetime.now(UTC) + timedelta(seconds=ahead)).isoformat()
        body = {"tsConnected": True, "instance": instance}
        assert bridge.request("POST", "/api/bridge/heartbeat", json=body, headers={"X-Bridge-Time": told}).ok

    beats("one", 0)
    for _ in range(3):
        beats("two", 40)
    assert clock_alerts(operator) == []
    beats("one", 40)
    assert [alert["facts"]["whose"] for alert in clock_alerts(operator)] == ["bridge"]
