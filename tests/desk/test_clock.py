"""The desk's clock: it never goes back, and no jump of the machine's clock moves it (SPEC 5.8)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.desk.clock import DeskClock, note_of_machine
from tests.support.builders import TUESDAY, new_york

HOUR = 3600.0
START = new_york(TUESDAY, "09:31:10")


class Machine:
    """A machine whose wall clock somebody sets; ``passes`` is the only thing that time does by itself."""

    def __init__(self) -> None:
        self.boot = 1000.0
        self.wall = START
        self.clock = DeskClock(lambda: self.wall, lambda: self.boot)

    def passes(self, seconds: float, step: float = 1.0) -> None:
        """Let time pass, and read the desk's clock at every step, as the clock jobs do."""
        left = seconds
        while left > 0:
            by = min(step, left)
            self.boot += by
            self.wall += timedelta(seconds=by)
            self.clock()
            left -= by

    def is_set(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)

    @property
    def told(self) -> float:
        """The desk's time in seconds since the start."""
        return (self.clock() - START).total_seconds()


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_without_a_jump_it_is_the_machines_time(machine: Machine) -> None:
    for _ in range(100):
        machine.passes(0.37)
        machine.is_set(0.001)  # what a time service corrects every now and then
        assert machine.clock() == machine.wall


@pytest.mark.parametrize("set_by", [-HOUR, HOUR, -30 * HOUR, 61.0])
def test_a_jump_moves_nothing_and_is_known_as_long_as_it_lasts(machine: Machine, set_by: float) -> None:
    machine.is_set(set_by)
    assert machine.told == 0
    machine.passes(600)
    assert machine.told == pytest.approx(600)
    assert machine.clock.machine_ahead == pytest.approx(set_by)
    machine.is_set(-set_by)
    assert machine.told == pytest.approx(600)
    assert machine.clock.machine_ahead == pytest.approx(0)


def test_a_jump_while_nothing_reads_the_clock_is_seen_by_the_next_reading(machine: Machine) -> None:
    machine.boot += 30
    machine.is_set(30 - HOUR)
    assert machine.told == pytest.approx(30)


def test_the_machines_sleep_is_no_jump(machine: Machine) -> None:
    machine.passes(8 * HOUR, step=8 * HOUR)
    assert machine.clock() == machine.wall


def test_a_step_of_a_second_back_holds_the_clock_until_the_machine_has_caught_up(machine: Machine) -> None:
    machine.is_set(-1.5)
    machine.passes(1)
    assert machine.told == 0
    machine.passes(1)
    assert machine.told == pytest.approx(0.5)


@pytest.mark.parametrize("set_by", [-40.0, 40.0])
def test_a_step_of_less_than_a_minute_is_made_up_slowly(machine: Machine, set_by: float) -> None:
    """No lock ends, and no order lives, by more than a twentieth sooner or longer."""
    machine.is_set(set_by)
    assert machine.told == 0
    machine.passes(30)
    assert machine.told == pytest.approx(30 + 30 * 0.05 * (1 if set_by > 0 else -1))
    machine.passes(1000)
    assert machine.clock.machine_ahead == pytest.approx(0, abs=2)


@pytest.mark.parametrize("set_by", [-HOUR, -40.0, -1.0, 40.0, HOUR])
def test_it_never_goes_back(machine: Machine, set_by: float) -> None:
    told = [machine.clock()]
    for _ in range(5):
        machine.is_set(set_by)
        told.append(machine.clock())
        machine.passes(3)
        told.append(machine.clock())
    assert told == sorted(told)


# -- a second clock decides who is right ------------------------------------------------------------------------------


def test_two_messages_that_agree_with_a_clock_set_forward_are_believed(machine: Machine) -> None:
    """A machine that slept without counting it, a virtual one above all."""
    machine.is_set(HOUR)
    machine.clock.hear(machine.wall)
    machine.passes(1)
    machine.clock.hear(machine.wall)
    assert machine.told == pytest.approx(1)  # two at once prove nothing
    machine.passes(1)
    machine.clock.hear(machine.wall)
    assert machine.clock() == machine.wall


def test_messages_that_agree_with_the_desk_confirm_no_jump(machine: Machine) -> None:
    machine.is_set(-HOUR)
    for _ in range(10):
        machine.passes(5)
        machine.clock.hear(machine.clock())
    assert machine.told == pytest.approx(50)


def test_a_message_that_agrees_with_neither_ends_the_proof(machine: Machine) -> None:
    machine.is_set(HOUR)
    for told in (machine.wall, machine.wall + timedelta(hours=5), machine.wall):
        machine.passes(3)
        machine.clock.hear(told)
    assert machine.told == pytest.approx(9)


def test_a_desk_that_began_an_hour_ahead_is_slowed_down_and_never_set_back(machine: Machine) -> None:
    """The machine's clock is corrected after the start: the desk's time goes on, a fifth slower."""
    machine.is_set(-HOUR)
    for _ in range(2):
        machine.passes(3)
        machine.clock.hear(machine.wall)
    told = machine.told
    machine.passes(100)
    assert machine.told == pytest.approx(told + 80)
    machine.passes(5 * HOUR, step=60)
    assert machine.clock.machine_ahead == pytest.approx(0, abs=2)


def test_what_was_confirmed_is_no_leave_for_the_next_jump(machine: Machine) -> None:
    machine.is_set(-HOUR)
    for _ in range(2):
        machine.passes(3)
        machine.clock.hear(machine.wall)
    machine.passes(10)
    told = machine.told
    machine.is_set(-HOUR)
    machine.passes(100)
    assert machine.told == pytest.approx(told + 100)


# -- a start, and a process that freezes -------------------------------------------------------------------------------


def test_it_goes_on_from_what_is_stored(machine: Machine) -> None:
    machine.clock.never_before(START + timedelta(hours=1))
    assert machine.told == HOUR
    machine.passes(10)
    assert machine.told == pytest.approx(HOUR + 10)
    machine.clock.never_before(START)
    assert machine.told == pytest.approx(HOUR + 10)


def test_a_freeze_between_the_two_readings_is_no_jump() -> None:
    boots = iter([0.0, 10.0, 400.0])
    walls = iter([START, *[START + timedelta(seconds=400)] * 2])
    clock = DeskClock(walls.__next__, boots.__next__)
    assert clock.machine_ahead == pytest.approx(0)


def test_a_clock_that_was_given_is_believed() -> None:
    now = START
    clock = DeskClock(lambda: now)
    now += timedelta(days=3)
    assert clock() == now


# -- what the desk is told -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead", "agrees", "said"),
    [(-3600.04, False, "set back by 3600 s"), (2.5, False, "set ahead by 2 s"), (-2.0, True, ""), (1.9, True, "")],
)
def test_more_than_two_seconds_are_told(ahead: float, agrees: bool, said: str) -> None:
    note = note_of_machine(ahead)
    assert (note.whose, note.agrees, note.ahead_seconds) == ("machine", agrees, round(ahead, 1))
    assert said in note.detail
