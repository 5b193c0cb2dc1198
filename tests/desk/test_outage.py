"""Outages: whatever the store does, a caller is answered in time, readers go on, and nothing is half applied."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from requests import Response

from services.desk.manager import StateManager
from services.engine.model.bridge_commands import HearBridge
from services.engine.model.commands import CloseBrick, NotePrice
from services.stores.sqlite.store import SqliteStore
from services.stores.store import Commit, Head, OutcomeUnknown, StoreDown
from tests.desk.test_manager import RULES
from tests.support.desk_process import QUICK, DeskProcess, closing_connection, error_of, eventually
from tests.support.narrow import of_type
from tests.support.own_time import Stopwatch
from wire.types import Color, Stream

GREEN = CloseBrick("ES", Stream.FOUR, "green")
ANSWERS_WITHIN_SECONDS = 3.0


class SlowStore(SqliteStore):
    """A real store behind a disk that hangs until the test lets it go."""

    def __init__(self, path: Path) -> None:
        self.goes = threading.Event()
        self.goes.set()
        super().__init__(path)

    def commit(self, commit: Commit) -> Head:
        assert self.goes.wait(60)
        return super().commit(commit)

    def renew(self, head: Head) -> Head:
        assert self.goes.wait(60)
        return super().renew(head)


@pytest.fixture(autouse=True)
def patient_desk() -> None:
    """How soon a command is answered is what is measured here."""


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[StateManager]:
    manager = StateManager(SlowStore(tmp_path / "desk.sqlite"), lambda now: RULES)
    yield manager
    disk_of(manager).goes.set()
    manager.stop()


def disk_of(manager: StateManager) -> SlowStore:
    return of_type(SlowStore, manager.store)


def seconds_until_refused(act: Callable[..., Any], *errors: type[Exception]) -> float:
    watch = Stopwatch()
    with pytest.raises(errors):
        act()
    return watch.seconds


def test_a_store_that_hangs_is_answered_in_time_and_shown_as_down(manager: StateManager) -> None:
    disk_of(manager).goes.clear()
    took = [seconds_until_refused(lambda: manager.submit(GREEN), OutcomeUnknown, StoreDown) for _ in range(2)]
    assert max(took) < ANSWERS_WITHIN_SECONDS
    assert manager.snapshot.store == "down"
    assert manager.snapshot.desk.assets["ES"].stack.four.color == "neutral"
    disk_of(manager).goes.set()
    eventually(lambda: manager.snapshot.store == "up")
    manager.submit(GREEN)


def test_what_was_under_way_when_the_store_hung_comes_true_once_or_never(manager: StateManager) -> None:
    """The first command is under way: its outcome is unknown. The second was never begun: it is dropped for good."""
    disk_of(manager).goes.clear()
    seconds_until_refused(lambda: manager.submit(GREEN), OutcomeUnknown)
    seconds_until_refused(lambda: manager.submit(HearBridge(ts_connected=True)), StoreDown)
    disk_of(manager).goes.set()
    eventually(lambda: manager.snapshot.store == "up")
    kinds = [row.kind for row in manager.store.journal()]
    assert kinds.count("CloseBrick") == 1
    assert kinds.count("HearBridge") == 0


def test_nothing_is_acknowledged_while_the_store_is_down(manager: StateManager) -> None:
    """SPEC 9: not even a 1pt brick or a price, which need no write: TradingView would not send it again."""
    disk_of(manager).goes.clear()
    seconds_until_refused(lambda: manager.submit(GREEN), OutcomeUnknown)
    for command in (CloseBrick("ES", Stream.ONE, "red"), NotePrice("ES", price=Decimal(5250))):
        seconds_until_refused(lambda command=command: manager.submit(command), OutcomeUnknown, StoreDown)
    assert manager.snapshot.desk.assets["ES"].live.last_price is None
    disk_of(manager).goes.set()
    eventually(lambda: manager.snapshot.store == "up")
    manager.submit(CloseBrick("ES", Stream.ONE, "red"))


# -- a full disk -----------------------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, megabytes: int = 6) -> Iterator[Path]:
    """Mount a disk of a few megabytes."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave no byte free."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 10, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return ballast


def write_until_refused(desk: DeskProcess, color: Color = "green") -> tuple[Response, list[str]]:
    """Send bricks until the disk takes no more; return the refused one's answer and who was acknowledged."""
    alerts = desk.tradingview()
    acknowledged: list[str] = []
    for number in range(2000):
        name = f"{color} {number}"
        watch = Stopwatch(desk.process)
        answer = alerts.brick(2.5, color, bar_id=name)
        assert watch.seconds < ANSWERS_WITHIN_SECONDS
        if answer.status_code != 200:
            return answer, acknowledged
        acknowledged.append(name)
    raise AssertionError("the disk never was full")


@pytest.mark.processes
def test_a_full_disk_refuses_in_time_changes_nothing_and_is_over_when_there_is_room(tmp_path: Path) -> None:
    file = tmp_path / "disk" / "desk.sqlite"
    with small_disk(file.parent) as disk, DeskProcess(tmp_path, **QUICK, SQLITE_PATH=str(file)) as desk:
        desk.database = file
        alerts, operator = desk.tradingview(), desk.operator()
        alerts.opens_the_ladder()
        ballast = fill(disk)
        answer, acknowledged = write_until_refused(desk)
        assert "disk is full" in error_of(answer, 503)
        before = operator.state()
        assert before["global"]["store"] == "down"
        assert before["assets"]["ES"]["main_renko_color"] == "green"
        refused = operator.enters(key="click")
        assert "NOT STORED" in error_of(refused, 503)
        assert operator.state()["orders"] == []
        ballast.unlink()
        eventually(lambda: operator.state()["global"]["store"] == "up")
        order = operator.enters(key="click").json()["order"]
        assert [order["id"] for order in operator.state()["orders"]] == [order["id"]]
        rows = desk.rows("SELECT json_extract(command, '$.bar_id') FROM journal WHERE kind = 'CloseBrick'")
        assert sorted(name for (name,) in rows if name) == sorted(acknowledged)
        assert desk.rows("PRAGMA integrity_check") == [("ok",)]


@pytest.mark.processes
def test_an_exit_that_cannot_be_stored_is_refused_and_the_position_stays(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK) as desk:
        desk.tradingview().opens_the_ladder()
        operator, bridge = desk.operator(), desk.bridge()
        bridge.fills(operator.enters_when_the_candle_allows(), 5250.25)
        with desk.locked_store():
            watch = Stopwatch(desk.process)
            answer = operator.post("/api/exit", json={"asset": "ES", "force": True})
            assert watch.seconds < ANSWERS_WITHIN_SECONDS
            assert "NOT STORED" in error_of(answer, 503)
            assert operator.asset()["position"] == 5
            assert operator.state()["orders"] == []
        eventually(lambda: operator.state()["global"]["store"] == "up")
        assert operator.post("/api/exit", json={"asset": "ES", "force": True}).status_code == 200


@pytest.mark.processes
def test_the_file_is_taken_away_and_brought_back(tmp_path: Path) -> None:
    """A second copy put in its place is another store: the desk follows what is stored, and says so."""
    with DeskProcess(tmp_path, **QUICK) as desk:
        desk.tradingview().opens_the_ladder()
        operator = desk.operator()
        with closing_connection(desk.database) as connection:
            connection.execute("DELETE FROM desk")
        error_of(desk.tradingview().brick(4, "green"), 503)
        eventually(lambda: operator.state()["global"]["store"] == "down")
        assert operator.asset()["main_renko_color"] == "green"
        eventually(lambda: "the store is empty" in desk.log())
