"""A database restored from a copy while an order was under way, as docs/how-to/operations.md says (SPEC 8.4)."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desk_process import QUICK, DeskProcess, OperatorCaller, closing_connection, eventually
from tests.support.processes import PaperBridge

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path, **QUICK) as desk:
        yield desk


@pytest.fixture
def bridge(desk: DeskProcess) -> Iterator[PaperBridge]:
    bridge = PaperBridge(desk)
    yield bridge
    bridge.kill()


def copied(desk: DeskProcess) -> Path:
    """Copy the database while the desk runs, as the page says."""
    copy = desk.folder / "copy.sqlite"
    with closing_connection(desk.database) as connection:
        connection.execute("VACUUM INTO ?", [str(copy)])
    with closing_connection(copy) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return copy


def restored(desk: DeskProcess, bridge: PaperBridge, copy: Path) -> OperatorCaller:
    """Restore as the page says: stop all, move all three files away, put the copy, start web, then the bridge."""
    bridge.terminate()
    desk.terminate()
    away = desk.folder / "before"
    away.mkdir(mode=0o700)
    for part in ("", "-wal", "-shm"):
        path = desk.database.with_name(desk.database.name + part)
        if path.exists():
            path.rename(away / path.name)
    shutil.copyfile(copy, desk.database)
    desk.database.chmod(0o600)
    desk.start()
    operator = desk.operator()
    desk.tradingview().heartbeat()
    bridge.start()
    eventually(lambda: operator.state()["global"]["connected"])
    return operator


def executed(bridge: PaperBridge) -> list[tuple[str, int]]:
    """Return what the broker executed: the order and the contracts."""
    with sqlite3.connect(bridge.ledger) as ledger:
        return ledger.execute("SELECT client_tag, signed_qty FROM paper_executions").fetchall()


def has(operator: OperatorCaller, position: int) -> bool:
    """Return whether the desk holds so many contracts and waits for no order."""
    state = operator.state()
    held: int = state["assets"]["ES"]["position"]
    return held == position and state["orders"] == []


def is_long(desk: DeskProcess, bridge: PaperBridge, operator: OperatorCaller) -> str:
    """Let the bridge fill an entry of five contracts; return the order's id."""
    desk.tradingview().opens_the_ladder()
    bridge.start()
    eventually(lambda: operator.state()["global"]["connected"])
    entry: str = operator.enters_when_the_candle_allows()["id"]
    desk.tradingview().heartbeat()
    eventually(lambda: has(operator, 5))
    return entry


def test_an_entry_that_was_under_way_is_not_executed_twice(desk: DeskProcess, bridge: PaperBridge) -> None:
    operator = desk.operator()
    desk.tradingview().opens_the_ladder()
    entry = operator.enters_when_the_candle_allows()["id"]
    copy = copied(desk)  # the order waits for a bridge
    bridge.start()
    desk.tradingview().heartbeat()
    eventually(lambda: has(operator, 5))
    operator = restored(desk, bridge, copy)
    eventually(lambda: has(operator, 5))
    assert executed(bridge) == [(entry, 5)]


def test_an_exit_that_was_under_way_is_not_executed_twice(desk: DeskProcess, bridge: PaperBridge) -> None:
    operator = desk.operator()
    entry = is_long(desk, bridge, operator)
    bridge.terminate()
    asked = operator.post("/api/exit", json={"asset": "ES", "force": True})
    assert asked.json()["order"]["status"] == "PENDING"
    copy = copied(desk)
    bridge.start()
    eventually(lambda: has(operator, 0))
    operator = restored(desk, bridge, copy)
    eventually(lambda: has(operator, 0))
    assert executed(bridge) == [(entry, 5), (asked.json()["order"]["id"], -5)]


def test_a_trade_that_the_copy_does_not_know_is_taken_from_the_broker(desk: DeskProcess, bridge: PaperBridge) -> None:
    operator = desk.operator()
    copy = copied(desk)
    entry = is_long(desk, bridge, operator)
    operator = restored(desk, bridge, copy)
    eventually(lambda: has(operator, 5))
    assert executed(bridge) == [(entry, 5)]
