"""One advisor on one file: a second one would book the same stops and decide the same bars once more."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from advisor.database import FileTaken, take_lock
from tests.support.advisor_floor import AdvisorProcess
from tests.support.desk_process import PATIENCE_SECONDS
from tests.support.ports import free_port

NO_FEEDS = f"http://127.0.0.1:{free_port()}"


@pytest.mark.processes
def test_a_second_advisor_ends_at_once_and_the_first_goes_on(tmp_path: Path) -> None:
    with AdvisorProcess(tmp_path, NO_FEEDS) as first:
        second = AdvisorProcess(tmp_path, NO_FEEDS)  # at ports of its own
        second.log_path = tmp_path / "second.log"
        process = second.spawn()
        assert process.wait(PATIENCE_SECONDS) == 1
        assert f"Another advisor is already running on the file {first.database}." in second.log()
        assert first.health()["models"] is not None
        first.kill()  # the lock goes with the process, however it ends
        second.start()
        second.kill()


def test_the_lock_is_beside_the_file_and_the_file_may_be_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "advisor.sqlite"
    assert take_lock(path) is not None
    with pytest.raises(FileTaken, match=r"advisor\.sqlite"):
        take_lock(path)
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE t (x)")


def test_where_no_lock_can_be_made_the_advisor_runs(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("", "utf-8")
    assert take_lock(tmp_path / "a file" / "advisor.sqlite") is None
