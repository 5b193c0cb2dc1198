"""Syncs over TCP with real child processes: files of the operator, a provider that hangs, kills in the middle."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.bars_server import BarsServer
from tests.support.data_document import documented
from tests.support.data_floor import BEGINS, DataFloor
from tests.support.desk_process import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.processes

DAY = {"start_date": "2024-11-18", "end_date": "2024-11-19"}
MINUTES = 200
SECRET = "the-key-of-a-test"
GOES_ON = 202


class FolderFloor(DataFloor):
    """Feeds whose data service has a drop folder, and a key for a provider's server."""

    def __init__(self, folder: Path, server: BarsServer) -> None:
        self.drop = folder / "drop"
        self.drop.mkdir()
        super().__init__(folder, DATA_FOLDER=str(self.drop), MASSIVE_API_KEY=SECRET, MASSIVE_URL=server.url)

    def drops(self, name: str, *rows: str) -> None:
        (self.drop / name).write_text("\n".join(("time,open,high,low,close,volume", *rows)) + "\n")

    def ended(self, answer: requests.Response, key: str) -> requests.Response:
        """Return the answer of a sync that has ended: who was told that it goes on asks again."""

        def asked() -> requests.Response | None:
            job = f"{self.feeds.url('data')}/api/sync/jobs/{answer.json()['job_id']}"
            again = documented(requests.get(job, headers={"X-API-Key": key}, timeout=PATIENCE_SECONDS))
            return again if again.status_code != GOES_ON else None

        last: requests.Response = eventually(asked) if answer.status_code == GOES_ON else answer
        return last

    def children(self) -> list[int]:
        """Return the processes that run a sync of these feeds."""
        return [child.pid for child in psutil.Process(self.feeds.spawned.pid).children()]


def row(at: datetime, close: float) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ},{close},{close + 1},{close - 1},{close},10"


@pytest.fixture(scope="module")
def server() -> Iterator[BarsServer]:
    with BarsServer(BEGINS, MINUTES) as server:
        yield server


@pytest.fixture(scope="module")
def floor(server: BarsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FolderFloor]:
    with FolderFloor(tmp_path_factory.mktemp("sync"), server) as floor:
        yield floor


@pytest.fixture(scope="module")
def key(floor: FolderFloor) -> str:
    return floor.key("data:sync")


def test_files_of_the_drop_folder_are_synced_once(floor: FolderFloor, key: str) -> None:
    floor.drops("ES_1m.csv", *(row(BEGINS + timedelta(minutes=n), 5000 + n) for n in range(30)))
    answer = documented(floor.syncs("CME_MINI:ES1!", key, provider="folder", **DAY)).json()
    assert (answer["status"], answer["rows_synced"], answer["symbol"], answer["problems"]) == (
        "completed",
        30,
        "ES",
        [],
    )
    assert documented(floor.syncs("ES", key, provider="folder", **DAY)).json()["rows_synced"] == 0
    bars = documented(floor.data("/api/ohlcv", symbol="ES", timeframe="15m")).json()
    assert [(bar["open"], bar["close"], bar["volume"], bar["source"]) for bar in bars["bars"]] == [
        (5000, 5014, 150, "provider"),
        (5015, 5029, 150, "provider"),
    ]
    [folder] = [one for one in floor.data("/health").json()["providers"] if one["name"] == "folder"]
    assert (folder["status"], folder["last_ts"]) == ("ok", "2024-11-18T14:59:00Z")
    asked = f"{floor.feeds.url('data')}/api/sync/jobs/{answer['job_id']}"
    again = documented(requests.get(asked, headers={"X-API-Key": key}, timeout=PATIENCE_SECONDS)).json()
    assert again == answer


def test_a_wrong_row_is_named_and_the_others_are_stored(floor: FolderFloor, key: str) -> None:
    floor.drops("NQ_1m.csv", row(BEGINS, 20_000), f"{BEGINS + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ},5,4,6,5,1")
    answer = documented(floor.syncs("NQ", key, provider="folder", **DAY)).json()
    assert answer["rows_synced"] == 1
    [problem] = answer["problems"]
    assert problem.startswith("folder: 1 left out, first NQ_1m.csv line 3")


def test_what_nobody_provides_is_said(floor: FolderFloor, key: str) -> None:
    answer = documented(floor.syncs("US30", key, **DAY))
    assert (answer.status_code, answer.json()["error"]) == (503, "no_provider")
    answer = documented(floor.syncs("BTCUSD", key, provider="crypto", **DAY))
    assert (answer.status_code, answer.json()["error"]) == (503, "no_provider")


# -- a provider that is slow, and kills in the middle ----------------------------------------------------------------


@pytest.fixture
def half_way(floor: FolderFloor, server: BarsServer) -> Iterator[BarsServer]:
    """The provider's server, which gives the first half of its minutes and then waits."""
    server.let_go.clear()
    yield server
    server.let_go.set()
    eventually(lambda: floor.data("/health").json()["jobs"] == 0)


def begins_to_sync(floor: FolderFloor, symbol: str, key: str) -> Sync:
    """Ask for a sync and return when the first half of it is stored."""
    sync = Sync(floor, symbol, key)
    sync.start()
    eventually(lambda: len(floor.stored(symbol)) == MINUTES // 2)
    return sync


def is_running(pid: int) -> bool:
    """Return whether a process runs. One that has ended and that nobody has asked about yet does not."""
    try:
        status: str = psutil.Process(pid).status()
    except psutil.NoSuchProcess:
        return False
    return status != "zombie"


class Sync(threading.Thread):
    """Somebody who asks for a sync and waits for its answer."""

    def __init__(self, floor: FolderFloor, symbol: str, key: str) -> None:
        super().__init__(daemon=True)
        self._floor, self._symbol, self._key = floor, symbol, key
        self._answer: requests.Response | None = None

    def run(self) -> None:
        try:
            self._answer = self._floor.syncs(self._symbol, self._key, **DAY)
        except requests.ConnectionError:
            return  # feeds were killed

    def answer(self) -> requests.Response:
        self.join(60)
        assert self._answer is not None
        return documented(self._answer)


def test_a_kill_of_feeds_in_the_middle_leaves_whole_minutes_and_no_child(
    floor: FolderFloor, key: str, half_way: BarsServer
) -> None:
    sync = begins_to_sync(floor, "XAUUSD", key)
    [child] = floor.children()
    os.kill(floor.feeds.spawned.pid, signal.SIGKILL)  # alone: nobody kills its child
    floor.feeds.spawned.wait(60)
    sync.join(60)
    eventually(lambda: not is_running(child))
    assert [int(bar.close) for bar in floor.stored("XAUUSD")] == list(range(2000, 2000 + MINUTES // 2))
    half_way.let_go.set()
    floor.feeds.start().hears_web()
    assert floor.ended(documented(floor.syncs("XAUUSD", key, **DAY)), key).json()["rows_synced"] == MINUTES // 2
    assert [int(bar.close) for bar in floor.stored("XAUUSD")] == list(range(2000, 2000 + MINUTES))


def test_a_stop_of_feeds_ends_the_sync_and_its_child_and_answers_who_waits(
    floor: FolderFloor, key: str, half_way: BarsServer
) -> None:
    sync = begins_to_sync(floor, "BTCUSD", key)
    [child] = floor.children()
    floor.feeds.terminate()
    assert not is_running(child)
    assert (sync.answer().status_code, sync.answer().json()["error"]) == (503, "sync_failed")
    half_way.let_go.set()
    floor.feeds.start().hears_web()
    assert len(floor.stored("BTCUSD")) == MINUTES // 2
    assert "Traceback" not in floor.feeds.log()


def test_a_child_that_is_killed_fails_its_job_and_the_next_one_goes_on(
    floor: FolderFloor, key: str, half_way: BarsServer
) -> None:
    sync = begins_to_sync(floor, "EURUSD", key)
    [child] = floor.children()
    os.kill(child, signal.SIGKILL)
    last = floor.ended(sync.answer(), key)
    assert (last.status_code, last.json()["error"]) == (503, "sync_failed")
    half_way.let_go.set()
    assert floor.ended(documented(floor.syncs("EURUSD", key, **DAY)), key).json()["rows_synced"] == MINUTES // 2


def test_one_sync_of_a_symbol_runs_at_a_time_and_reading_goes_on(
    floor: FolderFloor, key: str, half_way: BarsServer
) -> None:
    sync = begins_to_sync(floor, "GBPUSD", key)
    assert documented(floor.data("/health")).json()["jobs"] == 1
    [child] = floor.children()
    usual = os.getpriority(os.PRIO_PROCESS, floor.feeds.spawned.pid)
    assert os.getpriority(os.PRIO_PROCESS, child) == min(19, usual + 10)  # the desk and feeds come first
    other = documented(floor.syncs("GBPUSD", key, start_date="2020-01-01"))
    assert (other.status_code, other.json()["error"], other.headers["Retry-After"]) == (409, "sync_running", "5")
    assert documented(floor.data("/api/ohlcv", symbol="GBPUSD", timeframe="1m")).json()["count"] == MINUTES // 2
    half_way.let_go.set()
    last = floor.ended(sync.answer(), key)
    assert last.json()["rows_synced"] == MINUTES
    assert SECRET not in last.text + floor.feeds.log()


def test_a_provider_that_refuses_fails_the_sync_and_leaves_the_key_unnamed(
    floor: FolderFloor, key: str, server: BarsServer
) -> None:
    server.refuses = True
    try:
        answer = documented(floor.syncs("ETHUSD", key, **DAY))
    finally:
        server.refuses = False
    assert (answer.status_code, answer.json()["error"]) == (503, "sync_failed")
    assert "massive" in answer.json()["detail"]
    assert SECRET not in answer.text + floor.feeds.log()


def test_an_empty_store_is_filled_from_the_recorded_days_so_that_the_first_call_answers(
    floor: FolderFloor, tmp_path: Path
) -> None:
    floor.feeds.restart(DATA_FILL="tapes", BARS_PATH=str(tmp_path / "bars.sqlite"))
    try:
        bars = eventually(lambda: floor.data("/api/ohlcv", symbol="ES", timeframe="15m").json()["bars"])
        assert {bar["source"] for bar in bars} == {"provider"}
    finally:
        floor.feeds.restart(DATA_FILL="", BARS_PATH="").hears_web()
