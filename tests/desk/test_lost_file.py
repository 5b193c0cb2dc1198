"""The file under a running desk: deleted, replaced, cut short, restored. Nothing is acknowledged that is then lost."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
import requests

from services.desk.manager import StateManager
from services.engine.model.commands import CloseBrick, NotePrice
from services.stores.sqlite.store import SqliteStore
from services.stores.store import Head, NotTheWriter, StoreDown
from tests.desk.test_manager import RULES
from tests.support.desk_process import (
    PATIENCE_SECONDS,
    QUICK,
    REPOSITORY,
    DeskProcess,
    OperatorCaller,
    closing_connection,
    error_of,
    eventually,
)
from tests.support.own_time import Stopwatch
from wire.types import Color, Stream

NOTICED_WITHIN_SECONDS = 2.0
COLORS: tuple[Color, Color] = ("green", "red")


class Desk:
    """A desk inside the test's process, and what somebody does to its file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "desk.sqlite"
        self.copy = folder / "backup.sqlite"
        self.manager = StateManager(SqliteStore(self.path), lambda now: RULES)
        self.bricks = 0

    def takes_bricks(self, count: int) -> None:
        for _ in range(count):
            self.bricks += 1
            self.manager.submit(CloseBrick("ES", Stream.FOUR, COLORS[self.bricks % 2], bar_id=str(self.bricks)))

    def part(self, suffix: str) -> Path:
        return Path(f"{self.path}{suffix}")

    def is_backed_up(self) -> None:
        """Copy the file as the operations page says."""
        with closing_connection(self.path) as connection:
            connection.execute("VACUUM INTO ?", (str(self.copy),))

    def moves_its_log_into_the_database(self) -> None:
        with closing_connection(self.path) as connection:
            assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0

    def notices(self) -> None:
        """Wait until the desk says that its store is down, without any traffic, and fail when that took too long."""
        watch = Stopwatch()
        assert self.manager.wait_until(lambda snapshot: snapshot.store == "down", PATIENCE_SECONDS)
        assert watch.seconds < NOTICED_WITHIN_SECONDS

    def refuses_everything(self) -> None:
        before = self.manager.snapshot.desk
        for command in (CloseBrick("ES", Stream.MAIN, "green"), NotePrice("ES", Decimal(5250))):
            with pytest.raises((StoreDown, NotTheWriter)):
                self.manager.submit(command)
        assert self.manager.snapshot.desk is before

    def stored_bricks(self) -> int:
        return bricks_in(self.path)


def bricks_in(path: Path) -> int:
    with closing_connection(path) as connection:
        [count] = connection.execute("SELECT count(*) FROM journal WHERE kind = 'CloseBrick'").fetchone()
        return int(count)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    desk.takes_bricks(3)
    yield desk
    desk.manager.stop()


def deletes(*suffixes: str) -> Callable[[Desk], None]:
    def act(desk: Desk) -> None:
        for suffix in suffixes:
            desk.part(suffix).unlink()

    return act


def moves_a_copy_over_it(desk: Desk) -> None:
    desk.is_backed_up()
    desk.copy.replace(desk.path)


def copies_an_older_copy_into_it(desk: Desk) -> None:
    desk.is_backed_up()
    desk.takes_bricks(60)
    desk.moves_its_log_into_the_database()
    shutil.copyfile(desk.copy, desk.path)


def restores_it_through_sqlite(desk: Desk) -> None:
    desk.is_backed_up()
    desk.takes_bricks(3)
    with closing_connection(desk.copy) as older, closing_connection(desk.path) as running:
        older.backup(running)


def restores_another_desk_through_sqlite(desk: Desk) -> None:
    other = Desk(desk.copy.parent / "other")
    other.takes_bricks(9)
    other.manager.stop()
    with closing_connection(other.path) as another, closing_connection(desk.path) as running:
        another.backup(running)


def cuts(suffix: str) -> Callable[[Desk], None]:
    return lambda desk: os.truncate(desk.part(suffix), 0)


@pytest.mark.parametrize(
    "somebody",
    [
        pytest.param(deletes(""), id="deletes the database"),
        pytest.param(deletes("", "-wal", "-shm"), id="deletes all of it"),
        pytest.param(deletes("-wal"), id="deletes the log"),
        pytest.param(deletes("-shm"), id="deletes the index"),
        pytest.param(deletes("-wal", "-shm"), id="deletes log and index"),
        pytest.param(moves_a_copy_over_it, id="moves a copy over it"),
        pytest.param(copies_an_older_copy_into_it, id="copies an older copy into it"),
        pytest.param(restores_it_through_sqlite, id="restores an older copy by SQLite"),
        pytest.param(restores_another_desk_through_sqlite, id="restores another desk by SQLite"),
        pytest.param(cuts(""), id="cuts the database"),
        pytest.param(cuts("-wal"), id="cuts the log"),
    ],
)
def test_a_desk_without_its_file_is_down_within_two_seconds(desk: Desk, somebody: Callable[[Desk], None]) -> None:
    somebody(desk)
    desk.notices()
    desk.refuses_everything()


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_the_very_next_command_is_refused_however_soon_it_comes(desk: Desk, suffix: str) -> None:
    desk.takes_bricks(1)
    desk.part(suffix).unlink()
    desk.refuses_everything()


class PatientStore(SqliteStore):
    """A store that counts how often the writer asks for its file."""

    checks = 0

    def check(self, head: Head) -> None:
        self.checks += 1
        super().check(head)


def test_a_writer_without_its_file_looks_for_it_once_a_second(tmp_path: Path) -> None:
    store = PatientStore(tmp_path / "desk.sqlite")
    manager = StateManager(store, lambda now: RULES)
    (tmp_path / "desk.sqlite").unlink()
    assert manager.wait_until(lambda snapshot: snapshot.store == "down", PATIENCE_SECONDS)
    before, began_at = store.checks, time.monotonic()
    eventually(lambda: store.checks > before + 1)
    assert store.checks - before <= time.monotonic() - began_at + 1
    manager.stop()


def test_the_same_file_brought_back_is_gone_on_with(desk: Desk, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    names = [desk.part(suffix).name for suffix in ("", "-wal", "-shm")]
    for name in names:
        (tmp_path / name).rename(away / name)
    desk.notices()
    for name in names:
        (away / name).rename(tmp_path / name)
    assert desk.manager.wait_until(lambda snapshot: snapshot.store == "up", PATIENCE_SECONDS)
    desk.takes_bricks(1)
    assert desk.stored_bricks() == desk.bricks


@pytest.mark.parametrize(
    "maintains",
    [
        pytest.param(lambda desk: desk.moves_its_log_into_the_database(), id="checkpoint"),
        pytest.param(lambda desk: vacuum(desk.path), id="vacuum"),
        pytest.param(lambda desk: desk.is_backed_up(), id="backup"),
        pytest.param(lambda desk: desk.path.chmod(0o600), id="mode"),
    ],
)
def test_maintenance_by_sqlite_stops_nothing(desk: Desk, maintains: Callable[[Desk], None]) -> None:
    desk.takes_bricks(60)
    maintains(desk)
    desk.takes_bricks(3)
    assert desk.manager.snapshot.store == "up"
    assert desk.stored_bricks() == desk.bricks


def vacuum(path: Path) -> None:
    with closing_connection(path) as connection:
        connection.execute("CREATE TABLE ballast (x)")
        connection.execute("INSERT INTO ballast VALUES (zeroblob(400000))")
        connection.execute("DROP TABLE ballast")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_a_log_that_is_deleted_costs_no_acknowledged_brick(desk: Desk) -> None:
    """The writer moves its pages into the database at once, so whoever opens it next finds all of them."""
    for suffix in ("-wal", "-shm"):
        desk.part(suffix).unlink()
    desk.notices()
    found = desk.path.with_name("as-another-process-finds-it.sqlite")
    eventually(lambda: found_bricks(desk.path, found) == desk.bricks)
    desk.manager.stop()
    assert found_bricks(desk.path, found) == desk.bricks


def found_bricks(path: Path, copy: Path) -> int:
    """Count in a copy of the database alone: in this process SQLite would go on with the files that it has open."""
    shutil.copyfile(path, copy)
    return bricks_in(copy)


def test_the_end_of_a_desk_without_its_file_leaves_the_new_file_alone(desk: Desk, tmp_path: Path) -> None:
    """SQLite deletes log and index by name when the last connection is closed."""
    for suffix in ("", "-wal", "-shm"):
        desk.part(suffix).unlink()
    after = Desk(tmp_path)
    after.takes_bricks(5)
    desk.manager.stop()
    after.takes_bricks(1)
    after.manager.stop()
    with sqlite3.connect(f"file:{after.path}?mode=ro", uri=True) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert after.stored_bricks() == after.bricks == 6


# -- as processes ------------------------------------------------------------------------------------------------------


def is_said_down(operator: OperatorCaller) -> bool:
    readiness = operator.get("/readyz")
    return readiness.status_code == 503 and operator.state()["global"]["store"] == "down"


@pytest.mark.processes
def test_git_clean_deletes_the_file_and_the_operator_gets_it_back(tmp_path: Path) -> None:
    """The steps of docs/how-to/operations.md: the process still has the files, copy them from it and restart."""
    with DeskProcess(tmp_path, **QUICK) as desk:
        desk.tradingview().opens_the_ladder()
        operator = desk.operator()
        order = operator.enters().json()["order"]
        for suffix in ("", "-wal", "-shm"):
            Path(f"{desk.database}{suffix}").unlink()
        watch = Stopwatch(desk.process)
        eventually(lambda: is_said_down(operator))
        assert watch.seconds < NOTICED_WITHIN_SECONDS
        error_of(desk.tradingview().brick(4, "green"), 503)
        error_of(desk.tradingview().heartbeat(), 503)
        error_of(operator.post("/api/exit", json={"asset": "ES"}), 503)
        assert operator.get("/healthz").status_code == 200
        rescue(desk)
        desk.restart()
        eventually(lambda: desk.operator().state()["global"]["store"] == "up")
        assert [found["id"] for found in desk.operator().state()["orders"]] == [order["id"]]


def rescue(desk: DeskProcess) -> None:
    """Copy the deleted files out of the process that has them open, by the command that the page prints."""
    page = (REPOSITORY / "docs/how-to/operations.md").read_text("utf-8")
    command = page.partition("#### Copy a deleted database")[2].split("```")[1]
    for child in children_of(desk.spawned.pid):
        subprocess.run(["sh", "-c", command], check=True, env={"PATH": os.environ["PATH"], "PID": str(child)})
    assert desk.database.exists()


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


@pytest.mark.processes
def test_a_cut_index_ends_the_worker_and_the_next_one_has_everything(tmp_path: Path) -> None:
    """SQLite has the index in its memory map: the system ends a process that touches a page that is gone."""
    with DeskProcess(tmp_path, **QUICK) as desk:
        desk.tradingview().opens_the_ladder()
        order = desk.operator().enters().json()["order"]
        os.truncate(f"{desk.database}-shm", 0)
        eventually(lambda: len(re.findall("Booting worker", desk.log())) == 2)
        desk.hang_up()
        eventually(partial(answers, desk))
        assert [found["id"] for found in desk.operator().state()["orders"]] == [order["id"]]
        assert desk.tradingview().brick(4, "green").status_code == 200


def answers(desk: DeskProcess) -> bool:
    try:
        return desk.stranger().get("/readyz").status_code == 200
    except requests.ConnectionError:
        return False


@pytest.mark.processes
def test_of_two_webs_that_see_two_files_only_the_one_with_the_named_file_writes(tmp_path: Path) -> None:
    """A copy is moved over the file of a running desk and its standby, then a third web is started."""
    shared = {**QUICK, "SQLITE_PATH": str(tmp_path / "first" / "desk.sqlite")}
    with DeskProcess(tmp_path / "first", **QUICK) as writer, DeskProcess(tmp_path / "second", **shared) as standby:
        writer.tradingview().opens_the_ladder()
        copy = tmp_path / "copy.sqlite"
        with closing_connection(writer.database) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        copy.replace(writer.database)
        for web in (writer, standby):
            eventually(partial(is_said_down, web.operator()))
            error_of(web.tradingview().brick(4, "green"), 503)
        for suffix in ("-wal", "-shm"):
            Path(f"{writer.database}{suffix}").unlink()
        writer.terminate()
        with DeskProcess(tmp_path / "third", **shared) as restored:
            brick = eventually(lambda: is_taken(restored))
            assert brick
            error_of(standby.tradingview().brick(4, "red"), 503)
            standby.terminate()
            assert restored.tradingview().brick(2.5, "green").status_code == 200
            assert restored.operator().state()["global"]["store"] == "up"


def is_taken(desk: DeskProcess) -> bool:
    return desk.tradingview().brick(4, "green").status_code == 200
