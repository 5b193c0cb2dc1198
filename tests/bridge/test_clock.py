"""The bridge judges an order's age by the desk's clock, whatever its own machine's says (SPEC 5.8)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.clock import DeskTime
from bridge.limits import HardLimits
from tests.bridge.test_worker import Crew, MoodyBroker
from tests.support.fakes.desk_server import DeskServer

NOON = datetime(2026, 11, 17, 17, tzinfo=UTC)
DIFFERS = "this machine's clock differs from the desk's"


class Machine:
    """The bridge's machine: its clock is ``ahead`` of the true time, and a second clock that nobody sets."""

    def __init__(self, ahead: float = 0.0) -> None:
        self.ahead = timedelta(seconds=ahead)
        self.passed = 0.0
        self.time = DeskTime(lambda: self.true + self.ahead, lambda: self.passed)

    @property
    def true(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)

    def hears(self, *, exact: bool = True, on_its_way: float = 0.0, desk_ahead: float = 0.0) -> None:
        """Hear an answer of a desk whose clock is right, unless that is ``desk_ahead``."""
        sent = self.true + timedelta(seconds=desk_ahead)
        self.passed += on_its_way
        self.time.hear({"X-Desk-Time": sent.isoformat()} if exact else {"Date": format_datetime(sent)})

    @property
    def error(self) -> float:
        """By how many seconds the bridge takes the time for later than it is."""
        return (self.time() - self.true).total_seconds()


@pytest.mark.parametrize("ahead", [40, -3600])
def test_the_desk_says_what_time_it_is(ahead: float) -> None:
    machine = Machine(ahead)
    assert (machine.error, machine.time.is_known()) == (ahead, False)
    machine.hears()
    machine.passed += 500
    assert (machine.error, machine.time.is_known()) == (0, True)


def test_a_clock_that_is_set_while_the_bridge_runs_changes_nothing() -> None:
    machine = Machine()
    machine.hears()
    machine.ahead = timedelta(hours=-1)
    assert machine.error == 0


def test_an_answer_that_was_long_on_its_way_does_not_count_beside_a_quicker_one() -> None:
    machine = Machine()
    machine.hears()
    machine.passed += 5
    machine.hears(on_its_way=3)
    assert machine.error == 0
    machine.passed += 61
    machine.hears(on_its_way=3)
    assert machine.error == -3  # nothing better is known of the last minute


def test_the_date_of_an_answer_serves_until_the_desk_tells_its_own_time() -> None:
    machine = Machine(40)
    machine.hears(exact=False)
    assert machine.error == 0
    machine.hears(desk_ahead=3600)  # the clock of the desk's machine was set back, its own goes on
    machine.hears(exact=False)
    assert machine.error == 3600


@pytest.mark.parametrize("text", ["", "noon", "2026-11-17T17:00:00", "2026-11-17"])
def test_a_time_that_cannot_be_read_is_none(text: str) -> None:
    machine = Machine(40)
    machine.time.hear({"X-Desk-Time": text, "Date": text})
    assert (machine.error, machine.time.is_known()) == (40, True)


@pytest.mark.parametrize("ahead", [2.5, -2.5])
def test_more_than_two_seconds_are_told_once_and_when_they_are_over(ahead: float) -> None:
    machine = Machine(ahead)
    with capture_logs() as logs:
        for _ in range(5):
            machine.hears()
        machine.ahead = timedelta(0)
        machine.hears()
    assert [(line["event"], line.get("alert")) for line in logs] == [
        (DIFFERS, True),
        ("this machine's clock agrees with the desk's again", None),
    ]
    assert logs[0]["ahead_seconds"] == ahead


# -- orders ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk() -> Iterator[DeskServer]:
    with DeskServer() as desk:
        yield desk


def a_crew(desk: DeskServer, folder: Path, ahead: timedelta) -> Crew:
    return Crew(
        desk,
        MoodyBroker(),
        folder / "ledger.sqlite",
        HardLimits(),
        learns_time=lambda: DeskTime(lambda: datetime.now(UTC) + ahead),
    )


def expiring(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize("tells_time", [True, False], ids=["its own time", "only a Date"])
def test_a_machine_forty_seconds_ahead_executes_the_entry(desk: DeskServer, tmp_path: Path, tells_time: bool) -> None:
    desk.tells_time = tells_time
    crew = a_crew(desk, tmp_path, timedelta(seconds=40))
    order = desk.queues(expires_at=expiring(30))
    crew.works()
    assert desk.final_status(order) == "FILLED"
    crew.ledger.close()


@pytest.mark.parametrize("tells_time", [True, False], ids=["its own time", "only a Date"])
def test_a_machine_an_hour_behind_executes_no_old_entry(desk: DeskServer, tmp_path: Path, tells_time: bool) -> None:
    desk.tells_time = tells_time
    crew = a_crew(desk, tmp_path, timedelta(hours=-1))
    order = desk.queues(expires_at=expiring(-2))
    crew.works()
    assert desk.final_status(order) == "CANCELLED"
    assert crew.broker.submitted == []
    crew.ledger.close()


def test_an_entry_of_an_earlier_run_waits_for_the_desks_time_and_then_is_too_old(
    desk: DeskServer, tmp_path: Path
) -> None:
    """The machine restarts with a clock an hour behind, and the desk is away: nobody knows how old the order is."""
    crew = a_crew(desk, tmp_path, timedelta(hours=-1))
    crew.broker.mood = "breaks before"
    order = desk.queues(expires_at=expiring(3))
    crew.works()
    crew.broker.mood = "fills"
    crew.crashes().looks_up()
    assert crew.orders.state_of(order) == "IN_DOUBT"
    while datetime.now(UTC).isoformat() < desk.orders[order]["expires_at"]:
        time.sleep(0.02)
    crew.polls()
    crew.looks_up()
    assert desk.final_status(order) == "CANCELLED"
    assert crew.broker.position == 0
    crew.ledger.close()


def test_an_exit_of_an_earlier_run_waits_for_nobody(desk: DeskServer, tmp_path: Path) -> None:
    crew = a_crew(desk, tmp_path, timedelta(hours=-1))
    crew.broker.mood, crew.broker.position = "breaks before", 5
    order = desk.queues_exit()
    crew.works()
    crew.broker.mood = "fills"
    crew.crashes().looks_up()
    assert desk.final_status(order) == "FILLED"
    crew.ledger.close()
