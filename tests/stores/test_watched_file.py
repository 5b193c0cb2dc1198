"""The database's files: their owner's alone, and each write goes to the file that the path names."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.stores.sqlite.store import SqliteStore
from services.stores.store import Commit, EndedSession, Head, JournalRow, OutcomeUnknown, StoreDown, StoreState
from tests.support.desk_process import closing_connection

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
PRIVATE = 0o600


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "desk.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    before = os.umask(0o022)  # what most machines give to new files: everybody may read them
    store = SqliteStore(path)
    yield store
    store.close()
    os.umask(before)


def writes(store: SqliteStore, head: Head | None, rows: int, ballast: bytes = b"{}") -> Head:
    """Commit journal rows, one after the other."""
    for _ in range(rows):
        number = head.sequence + 1 if head else 1
        row = JournalRow(number, NOON, "operator", "EnterMarket", "ES", ballast, b"[]")
        becomes = StoreState(number, number, 1, "a writer")
        head = store.commit(Commit(head, becomes, {"_global": b"{}"}, [row]))
    assert head is not None
    return head


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def files_of(path: Path) -> list[Path]:
    return [path, *(path.with_name(path.name + part) for part in ("-wal", "-shm"))]


def test_only_its_owner_may_read_a_new_store_and_its_copies(store: SqliteStore, path: Path) -> None:
    writes(store, None, 1)
    copy = path.with_name(store.back_up("documents"))
    assert [mode_of(file) for file in (*files_of(path), copy)] == [PRIVATE] * 4


def test_a_store_that_others_could_read_is_closed_to_them_when_it_is_opened(store: SqliteStore, path: Path) -> None:
    writes(store, None, 1)
    for file in files_of(path):
        file.chmod(0o664)
    SqliteStore(path).close()
    assert [mode_of(file) for file in files_of(path)] == [PRIVATE] * 3


def test_a_link_to_the_store_is_followed_and_a_moved_link_noticed(tmp_path: Path) -> None:
    link = tmp_path / "link.sqlite"
    (tmp_path / "one").mkdir()
    link.symlink_to(tmp_path / "one" / "desk.sqlite")
    store = SqliteStore(link)
    head = writes(store, None, 3)
    SqliteStore(tmp_path / "other.sqlite").close()
    link.unlink()
    link.symlink_to(tmp_path / "other.sqlite")
    with pytest.raises(StoreDown, match="was replaced"):
        writes(store, head, 1)
    store.close()


class Vanishing(SqliteStore):
    """A store whose file is deleted in the middle of the next commit."""

    def _write(self, commit: Commit) -> None:
        super()._write(commit)
        self._path.unlink()


def test_a_commit_whose_file_is_deleted_meanwhile_is_not_acknowledged(path: Path) -> None:
    store = Vanishing(path)
    with pytest.raises(OutcomeUnknown, match="is gone"):
        writes(store, None, 1)
    store.close()


def test_no_session_is_ended_in_a_deleted_file(store: SqliteStore, path: Path) -> None:
    writes(store, None, 1)
    path.unlink()
    with pytest.raises(StoreDown, match="is gone"):
        store.put_ended_session(EndedSession("digest", NOON))


def test_an_older_copy_of_the_same_length_copied_into_the_file_is_noticed(store: SqliteStore, path: Path) -> None:
    """Rows fit into the pages that pruned ones left, so that only the content is another."""
    head = writes(store, None, 50, b"x" * 4000)
    store.prune_journal(40)
    checkpoint(path)
    older = path.read_bytes()
    head = writes(store, head, 20, b"y" * 2000)
    checkpoint(path)
    assert path.stat().st_size == len(older)
    with path.open("r+b") as file:
        file.write(older)
    with pytest.raises(StoreDown, match="database file"):
        writes(store, head, 1)
    with pytest.raises(StoreDown, match="stop every web and restore"):
        store.check(head)


def checkpoint(path: Path) -> None:
    with closing_connection(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_a_checkpoint_by_somebody_else_is_no_damage(store: SqliteStore, path: Path) -> None:
    head = writes(store, None, 50)
    checkpoint(path)
    head = writes(store, head, 5)
    store.check(head)
