"""One subscription to commits: every row once and in order, on the writer, on a standby, and through a takeover."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from services.desk import lease, subscribers
from services.desk.manager import StateManager
from services.engine.model.commands import CloseBrick, KeepDeadLetter
from services.engine.model.state import Desk
from services.stores.codec.committed_events import events_of
from services.stores.sqlite.store import SqliteStore
from services.stores.store import Commit, Head, JournalRow, OutcomeUnknown
from tests.desk.test_manager import RULES
from tests.support.commits import Ear
from tests.support.desk_process import eventually
from wire.types import Stream

GREEN, RED = CloseBrick("ES", Stream.FOUR, "green"), CloseBrick("ES", Stream.FOUR, "red")
SMALLEST = CloseBrick("ES", Stream.ONE, "red")


@pytest.fixture(autouse=True)
def quick_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LOOK_SECONDS", 0.05)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "desk.sqlite"


@contextmanager
def listening(path: Path, *others: Any) -> Iterator[tuple[StateManager, Ear]]:
    ear = Ear()
    manager = StateManager(SqliteStore(path), lambda now: RULES, subscribers=[*others, ear])
    try:
        yield manager, ear
    finally:
        manager.stop()


def sequences(ear: Ear) -> list[int]:
    return [row.sequence for row in ear.rows]


def test_writer_and_standby_hear_the_same_rows_and_events(path: Path) -> None:
    with listening(path) as (writer, at_writer), listening(path) as (standby, at_standby):
        began = writer.snapshot.desk.sequence
        for command in (GREEN, KeepDeadLetter("/tv_renko", "why", "x"), RED):
            writer.submit(command)
        eventually(lambda: standby.snapshot.desk.sequence == writer.snapshot.desk.sequence)
        assert at_standby.rows == [row for row in at_writer.rows if row.sequence > began]
        assert at_standby.events == [one for one in at_writer.events if one.id // 1000 > began]
        assert at_writer.events == events_of(at_writer.rows)
        assert at_standby.desks[-1].sequence == at_writer.desks[-1].sequence


def test_a_takeover_leaves_no_row_out_and_repeats_none(path: Path) -> None:
    with listening(path) as (standby_to_be, _):
        standby_to_be.submit(GREEN)
    with listening(path) as (writer, _), listening(path) as (standby, ear):
        began = standby.snapshot.desk.sequence
        for _ in range(5):
            writer.submit(KeepDeadLetter("/tv_renko", "why", "x"))
        writer.finish()
        eventually(lambda: standby.is_writer)
        standby.submit(RED)
        assert sequences(ear) == list(range(began + 1, standby.snapshot.desk.sequence + 1))


def test_a_standby_that_is_far_behind_hears_of_every_row(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscribers, "ROWS_AT_ONCE", 3)
    with listening(path) as (writer, _), listening(path) as (standby, ear):
        began = standby.snapshot.desk.sequence
        for _ in range(20):
            writer.submit(KeepDeadLetter("/tv_renko", "why", "x"))
        eventually(lambda: standby.snapshot.desk.sequence == writer.snapshot.desk.sequence)
        assert sequences(ear) == list(range(began + 1, began + 21))


def test_a_write_whose_answer_was_lost_is_heard_once_when_it_is_found(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(path) as (manager, ear):
        store_it = manager.store.commit

        def loses_the_answer(commit: Commit) -> Head:
            store_it(commit)
            monkeypatch.setattr(manager.store, "commit", store_it)
            raise OutcomeUnknown("the answer was lost")

        monkeypatch.setattr(manager.store, "commit", loses_the_answer)
        with pytest.raises(OutcomeUnknown):
            manager.submit(GREEN)
        eventually(lambda: manager.snapshot.store == "up" and [row.kind for row in ear.rows].count("CloseBrick") == 1)
        manager.submit(RED)
        assert sequences(ear) == list(range(1, manager.snapshot.desk.sequence + 1))


def test_a_subscriber_that_fails_harms_nobody(path: Path) -> None:
    class Broken:
        def on_commit(self, rows: list[JournalRow], events: Any, desk: Desk) -> None:
            raise RuntimeError("of a test")

    with listening(path, Broken()) as (manager, ear):
        manager.submit(GREEN)
        assert [row.kind for row in ear.rows][-1] == "CloseBrick"
        assert manager.snapshot.desk.assets["ES"].stack.four.color == "green"


def test_the_desk_is_heard_before_anybody_can_read_it_though_no_row_was_written(path: Path) -> None:
    class Early:
        was_shown = None

        def on_commit(self, rows: list[JournalRow], events: Any, desk: Desk) -> None:
            if started and not rows:
                self.was_shown = manager.snapshot.desk is desk

    early, started = Early(), []
    with listening(path, early) as (manager, ear):
        started.append(True)
        before = sequences(ear)
        manager.submit(SMALLEST)
        assert sequences(ear) == before
        assert ear.desks[-1] is manager.snapshot.desk
        assert early.was_shown is False
