"""A day is decided again in a child of its own: one at a time, killed when nobody waits, kept when it is done."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import psutil
import pytest

from services.ops import what_if_days
from services.ops.what_if_days import DayDecided, Key, NotDecided, OtherDayRuns, UnknownDay, WhatIfDays
from tests.support.builders import TUESDAY
from tests.support.desk_process import eventually
from tests.support.paths import REPOSITORY
from tests.support.stored_trader import StoredTrader

pytestmark = pytest.mark.processes

DAY = date.fromisoformat(TUESDAY)
OTHER_DAY = date(2026, 11, 20)
HANGS = "import os, sys; os.nice(19); sys.stdin.read()"
"""A child that works for ever, until web closes its input."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "desk.sqlite"
    trader = StoredTrader(path)
    trader.with_structure("green").hears(5250).enters("BUY").enters("BUY")
    yield path
    trader.stops()


@pytest.fixture
def hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the child do nothing for ever."""
    monkeypatch.setattr(what_if_days, "command_of", lambda day, database: [sys.executable, "-c", HANGS])


def days_of(database: Path, seconds: float = 60.0) -> WhatIfDays:
    return WhatIfDays(database, lambda: None, seconds)


def over(asked: DayDecided) -> DayDecided:
    eventually(lambda: asked.is_over)
    return asked


def children() -> list[psutil.Process]:
    """Return the children that work for a what-if."""
    ours = psutil.Process().children()
    return [child for child in ours if {"-c", HANGS} <= set(known_arguments(child))]


def known_arguments(child: psutil.Process) -> list[str]:
    try:
        arguments: list[str] = child.cmdline()
    except psutil.Error:
        return []
    return arguments


def test_a_day_is_decided_and_kept(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    days = days_of(database)
    found = over(days.ask((DAY, 0))).result()
    assert (found.day, found.replay_equal, found.sums.refused) == (DAY, True, 1)
    started: list[Key] = []
    monkeypatch.setattr(what_if_days, "command_of", lambda *asked: started.append(asked))
    again = days.ask((DAY, 0))
    assert (again.is_over, again.result(), started) == (True, found, [])


def test_a_day_without_rows_is_unknown(database: Path) -> None:
    with pytest.raises(UnknownDay, match="2026-11-20"):
        over(days_of(database).ask((OTHER_DAY, 0))).result()


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    broken = tmp_path / "desk.sqlite"
    broken.write_bytes(b"no database at all" * 100)
    with pytest.raises(NotDecided, match="database"):
        over(days_of(broken).ask((DAY, 0))).result()


def test_one_day_at_a_time_and_who_asks_for_the_same_joins(database: Path, hangs: None) -> None:
    days = days_of(database)
    first = days.ask((DAY, 7))
    with pytest.raises(OtherDayRuns):
        days.ask((OTHER_DAY, 0))
    assert days.ask((DAY, 8)) is first
    days.leave(first)
    assert not first.is_over
    days.leave(first)
    over(first)
    assert children() == []


def test_the_child_is_nice_and_has_none_of_our_secrets(database: Path, hangs: None) -> None:
    days = days_of(database)
    asked = days.ask((DAY, 0))
    [child] = eventually(children)
    eventually(lambda: child.nice() == 19)
    assert [name for name in child.environ() if "SECRET" in name or "PASSWORD" in name] == []
    days.leave(asked)
    over(asked)


@pytest.mark.parametrize(
    "end", [lambda days, asked: days.leave(asked), lambda days, _: days.stop()], ids=["asker", "web"]
)
def test_when_the_asker_goes_or_web_ends_the_child_is_killed(
    database: Path, hangs: None, end: Callable[[WhatIfDays, DayDecided], None]
) -> None:
    days = days_of(database)
    asked = days.ask((DAY, 0))
    [child] = eventually(children)
    end(days, asked)
    eventually(lambda: not child.is_running())
    with pytest.raises(NotDecided):
        over(asked).result()


def test_a_child_that_takes_too_long_is_killed(database: Path, hangs: None) -> None:
    asked = days_of(database, seconds=0.3).ask((DAY, 0))
    with pytest.raises(NotDecided, match=r"within 0\.3 s"):
        over(asked).result()
    eventually(lambda: children() == [])


def test_a_child_that_says_nonsense_is_not_believed(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for code in ("print('hello')", "import sys; sys.exit(1)", "import os; os.kill(os.getpid(), 9)"):
        command = [sys.executable, "-c", code]
        monkeypatch.setattr(what_if_days, "command_of", lambda day, database, command=command: command)
        with pytest.raises(NotDecided):
            over(days_of(database).ask((DAY, 0))).result()


def test_the_child_ends_when_its_input_does(database: Path) -> None:
    """Web that was killed cannot kill its child: the child sees that nobody is there."""
    child = psutil.Popen(what_if_days.command_of(DAY, database), cwd=REPOSITORY, stdin=-1, stdout=-1, stderr=-1, env={})
    child.stdin.close()
    assert child.wait(60) == what_if_days.FAILED


def test_a_day_for_which_no_thread_starts_blocks_no_other(
    database: Path, hangs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = days_of(database)
    with monkeypatch.context() as full:
        full.setattr("threading.Thread.start", no_more_threads)
        with pytest.raises(OtherDayRuns):
            days.ask((DAY, 1))
    days.leave(days.ask((OTHER_DAY, 1)))
    days.stop()


def no_more_threads(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")
