"""Which sessions hold: until they are ended or have run out, over restarts and outages, in every process."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.access.sessions import LOOK_EVERY_SECONDS, SESSION_LASTS, Session, Sessions, read_session
from services.stores.sqlite.store import SqliteStore
from services.stores.store import EndedSession, StoreDown

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class NoStore:
    """A store that nobody reaches."""

    def ended_sessions(self, since: datetime) -> list[EndedSession]:
        raise StoreDown("unplugged")

    def put_ended_session(self, ended: EndedSession) -> None:
        raise StoreDown("unplugged")


class Hand:
    """A clock that is moved by hand."""

    now = NOON

    def __call__(self) -> datetime:
        return self.now


class Wire:
    """The way to a real store, which can be cut; it counts the questions."""

    def __init__(self, path: Path) -> None:
        self._store, self.is_cut, self.asked = SqliteStore(path), False, 0

    def ended_sessions(self, since: datetime) -> list[EndedSession]:
        self._goes_through()
        return self._store.ended_sessions(since)

    def put_ended_session(self, ended: EndedSession) -> None:
        self._goes_through()
        self._store.put_ended_session(ended)

    def _goes_through(self) -> None:
        self.asked += 1
        if self.is_cut:
            raise StoreDown("cut")

    def close(self) -> None:
        self._store.close()


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "desk.sqlite"


@pytest.fixture
def wires(path: Path) -> Iterator[Callable[[], Wire]]:
    """Make ways to one store, one for each process."""
    made = []

    def new_wire() -> Wire:
        made.append(Wire(path))
        return made[-1]

    yield new_wire
    for wire in made:
        wire.close()


# -- which sessions hold -----------------------------------------------------------------------------------------------


def test_no_two_logins_are_alike_and_each_is_read_back(wires: Callable[[], Wire], clock: Hand) -> None:
    sessions = Sessions(wires(), clock)
    begun = [sessions.begin() for _ in range(100)]
    assert len({session.id for session in begun}) == 100
    assert [read_session(str(session)) for session in begun] == begun


@pytest.mark.parametrize("written", ["", ".", "ab.1", "x" * 32 + ".1", "0" * 32, "0" * 32 + ".", "0" * 32 + ".1.1"])
def test_what_names_no_session_is_none(written: str) -> None:
    assert read_session(written) is None


def test_a_session_is_what_it_is_written_as() -> None:
    assert str(Session("ab" * 16, 1_795_000_000)) == "ab" * 16 + ".1795000000"


def test_an_ended_session_does_not_hold_and_the_others_do(wires: Callable[[], Wire], clock: Hand) -> None:
    sessions = Sessions(wires(), clock)
    mine, other = sessions.begin(), sessions.begin()
    sessions.end(mine)
    assert (sessions.holds(mine), sessions.holds(other)) == (False, True)


def test_it_does_not_hold_after_a_restart_either_and_its_id_is_not_kept(
    wires: Callable[[], Wire], clock: Hand, path: Path
) -> None:
    before = Sessions(wires(), clock)
    mine, other = before.begin(), before.begin()
    before.end(mine)
    clock.now += HOUR
    after = Sessions(wires(), clock)
    assert (after.holds(mine), after.holds(other)) == (False, True)
    assert not any(mine.id.encode() in file.read_bytes() for file in path.parent.iterdir())


def test_another_process_hears_of_it_with_its_next_look(wires: Callable[[], Wire], clock: Hand) -> None:
    here, there = Sessions(wires(), clock), Sessions(wires(), clock)
    mine = here.begin()
    here.end(mine)
    clock.now += timedelta(seconds=LOOK_EVERY_SECONDS)
    there.look_again()
    assert not there.holds(mine)


def test_another_machines_clock_may_differ_a_little(wires: Callable[[], Wire], clock: Hand) -> None:
    behind = Hand()
    here, there = Sessions(wires(), clock), Sessions(wires(), behind)
    behind.now = NOON - timedelta(minutes=4)
    mine = there.begin()
    here.look_again()
    there.end(mine)
    here.look_again()
    assert not here.holds(mine)


def test_to_ask_whether_it_holds_asks_no_store(wires: Callable[[], Wire], clock: Hand) -> None:
    wire = wires()
    sessions = Sessions(wire, clock)
    mine, asked = sessions.begin(), wire.asked
    assert all(sessions.holds(mine) for _ in range(100))
    assert wire.asked == asked


def test_a_session_runs_out_whatever_its_cookie_says(wires: Callable[[], Wire], clock: Hand) -> None:
    sessions = Sessions(wires(), clock)
    mine = sessions.begin()
    clock.now += SESSION_LASTS - timedelta(seconds=1)
    assert sessions.holds(mine)
    clock.now += timedelta(seconds=1)
    assert not sessions.holds(mine)


def test_what_was_ended_is_remembered_until_it_would_have_run_out(wires: Callable[[], Wire], clock: Hand) -> None:
    wire = wires()
    sessions = Sessions(wire, clock)
    mine = sessions.begin()
    sessions.end(mine)
    clock.now += SESSION_LASTS - timedelta(seconds=1)
    last = sessions.begin()
    sessions.end(last)
    sessions.look_again()
    assert not sessions.holds(mine)
    assert not Sessions(wires(), clock).holds(mine)
    clock.now += 2 * HOUR
    sessions.end(sessions.begin())
    sessions.look_again()
    kept = {ended.digest for ended in wire.ended_sessions(NOON - HOUR)}
    assert (mine.digest in kept, last.digest in kept, len(sessions._ended)) == (False, True, 2)


# -- an outage ---------------------------------------------------------------------------------------------------------


def test_in_an_outage_a_logout_holds_here_and_is_stored_when_it_is_over(wires: Callable[[], Wire], clock: Hand) -> None:
    wire = wires()
    here, there = Sessions(wire, clock), Sessions(wires(), clock)
    mine = here.begin()
    wire.is_cut = True
    with capture_logs() as told:
        here.end(mine)
    assert [line["log_level"] for line in told] == ["warning"]
    assert not here.holds(mine)
    clock.now += HOUR  # the other one looked meanwhile: only what is new is asked for
    there.look_again()
    assert there.holds(mine)
    wire.is_cut = False
    here.look_again()
    there.look_again()
    assert not there.holds(mine)
    assert not Sessions(wires(), clock).holds(mine)


def test_an_outage_locks_nobody_out(wires: Callable[[], Wire], clock: Hand) -> None:
    wire = wires()
    sessions = Sessions(wire, clock)
    mine, ended = sessions.begin(), sessions.begin()
    sessions.end(ended)
    wire.is_cut = True
    clock.now += HOUR
    sessions.look_again()
    assert sessions.holds(mine)
    assert sessions.holds(sessions.begin())
    assert not sessions.holds(ended)


def test_until_the_store_has_told_only_new_sessions_hold(wires: Callable[[], Wire], clock: Hand) -> None:
    before = Sessions(wires(), clock)
    mine, ended = before.begin(), before.begin()
    before.end(ended)
    clock.now += HOUR
    wire = wires()
    wire.is_cut = True
    after = Sessions(wire, clock)
    assert not after.holds(mine)
    assert not after.holds(ended)
    assert after.holds(after.begin())
    wire.is_cut = False
    after.look_again()
    assert after.holds(mine)
    assert not after.holds(ended)


def test_what_waits_to_be_stored_is_tried_a_last_time_at_the_end(wires: Callable[[], Wire], clock: Hand) -> None:
    wire = wires()
    sessions = Sessions(wire, clock)
    sessions.start()
    mine = sessions.begin()
    wire.is_cut = True
    sessions.end(mine)
    wire.is_cut = False
    sessions.close()
    assert not Sessions(wires(), clock).holds(mine)
    wire.is_cut = True
    sessions.end(sessions.begin())
    with capture_logs() as told:
        sessions.close()
    assert told[-1]["log_level"] == "error"


def test_a_fault_of_the_program_keeps_no_logout_from_holding_and_nothing_from_closing(
    wires: Callable[[], Wire], clock: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = wires()
    sessions = Sessions(wire, clock)
    mine = sessions.begin()

    def fails(ended: Any) -> None:
        raise RuntimeError("cannot schedule new futures")

    monkeypatch.setattr(wire, "put_ended_session", fails)
    with capture_logs() as told:
        sessions.end(mine)
        sessions.close()
    assert not sessions.holds(mine)
    assert [line["log_level"] for line in told] == ["error", "error", "error"]
