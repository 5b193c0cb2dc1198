"""A sync is killed in its middle: what is stored are whole minutes, and the next sync stores the rest."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from feeds.bars.store import BarStore
from feeds.bars.types import MINUTE, Bar
from tests.feeds.bars.market import T0, walk
from tests.support.desk_process import eventually
from tests.support.paths import REPOSITORY

pytestmark = pytest.mark.processes

DAY = 1_440
SYNC = """
from itertools import chain, count
from pathlib import Path
import sys
from feeds.bars.store import BarStore
from tests.feeds.bars.test_killed import day
BarStore(Path(sys.argv[1])).put(chain.from_iterable(map(day, count())))
"""


def day(number: int) -> list[Bar]:
    """Return the minutes of a day of the market that is synced; there is no last one."""
    return walk("ES", range(T0 + number * DAY * MINUTE, T0 + (number + 1) * DAY * MINUTE, MINUTE), seed=number)


def rows_in(path: Path) -> int:
    if not path.exists():
        return 0
    store = BarStore(path)
    rows = sum(row.rows for row in store.symbols())
    store.close()
    return rows


def test_a_sync_that_is_killed_leaves_whole_minutes_and_the_next_one_stores_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "bars.sqlite"
    sync = subprocess.Popen([sys.executable, "-c", SYNC, str(path)], cwd=REPOSITORY)
    try:
        eventually(lambda: rows_in(path) > 0 or sync.poll() is not None)
        assert sync.poll() is None
    finally:
        sync.send_signal(signal.SIGKILL)
        sync.wait()
    store = BarStore(path)
    kept = store.minutes("ES", None, None, 10_000_000)
    assert len(kept) > 0
    whole = [minute for number in range(len(kept) // DAY + 2) for minute in day(number)]
    assert kept == whole[: len(kept)]
    assert [row.rows for row in store.symbols()] == [len(kept)]
    assert store.put(whole) == len(whole) - len(kept)
    assert store.put(whole) == 0
    store.close()
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchall() == [("ok",)]
