"""The log of what was heard: after a restart its lines read as they did when they came in."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from services.engine.model.bridge_commands import ClaimOrders, HearBridge
from services.engine.model.commands import AnyCommand, CloseBrick, NotePrice
from services.live.activity import BRICK_KINDS, ActivityLog
from services.stores.store import JournalRow
from tests.support.commits import DESK
from tests.support.desk_process import QUICK, DeskProcess, error_of
from wire.types import Stream

FEEDS = ("tradingview", "rithmic")
PARTS = ("code", "title", "detail", "facts")
UNKEPT = {"tv_heartbeat", "tv_renko_small", "heartbeat"}


def told(desk: DeskProcess, feed: str) -> set[tuple[str, ...]]:
    """What the lines of a feed say; when, and how often in a row, may differ."""
    lines = desk.operator().state()["logs"][feed]
    return {(line["kind"], line["asset"], line["text"], line["outcome"]) for line in lines}


def explained(desk: DeskProcess, feed: str) -> set[str]:
    """What the lines of a feed say to programs: code, title, detail and facts, as far as there are any."""
    lines = desk.operator().state()["logs"][feed]
    return {json.dumps({name: line[name] for name in ("kind", *PARTS) if name in line}) for line in lines}


@pytest.fixture(scope="module")
def before_and_after(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], ...]]:
    """What both feeds said before a restart and behind it, of a desk that has heard every kind of message."""
    with DeskProcess(tmp_path_factory.mktemp("log"), **QUICK) as desk:
        operator, alerts, bridge = desk.operator(), desk.tradingview(), desk.bridge()
        alerts.heartbeat(5250.25)
        bridge.post("/api/bridge/heartbeat", json={"tsConnected": True, "account": "DEMO-1"})
        alerts.opens_the_ladder()
        for size in (1, 2.5, 4, 6, 8, 12):
            alerts.brick(size, "green")
        for year in (2021, 2020):
            alerts.sends("/tv_renko_two_half", asset="ES", color="red", bar_id=f"{year}-01-05T15:00:00Z")
        error_of(alerts.sends("/tv_renko", asset="DAX", color="green"), 422)
        error_of(alerts.sends("/tv_renko", color="mauve"), 400)
        order = operator.enters_when_the_candle_allows()
        bridge.fills(order, 5250.25)
        bridge.reports(order["id"], "REJECTED", reason="too late")
        bridge.snapshots(50_000, MESM4=5)
        alerts.sends("/tv_level_exit", asset="ES")
        before = {feed: told(desk, feed) for feed in FEEDS}
        explained_before = {feed: explained(desk, feed) for feed in FEEDS}
        desk.restart()
        after = {feed: told(desk, feed) for feed in FEEDS}
        yield before, after, explained_before, {feed: explained(desk, feed) for feed in FEEDS}


@pytest.mark.processes
@pytest.mark.parametrize("feed", FEEDS)
def test_a_restored_line_reads_as_the_live_one_did(before_and_after: tuple[dict[str, Any], ...], feed: str) -> None:
    before, after, *_ = before_and_after
    assert after[feed] - before[feed] == set()
    assert {kind for kind, *_ in before[feed] - after[feed]} <= UNKEPT  # what tells no event is in no journal


@pytest.mark.processes
def test_every_kind_that_the_journal_keeps_is_restored(before_and_after: tuple[dict[str, Any], ...]) -> None:
    heard, reported = before_and_after[1]["tradingview"], before_and_after[1]["rithmic"]
    assert {kind for kind, *_ in heard} == {"tv_level_exit", *BRICK_KINDS.values()} - UNKEPT
    assert {kind for kind, *_ in reported} == {"pnl-snapshot", "execution-report"}
    assert ("tv_renko_two_half", "ES", "2.5pt red", "stale") in heard
    assert {outcome for kind, *_, outcome in heard if kind == "tv_renko"} == {
        "ok",
        "dead letter (400)",
        "dead letter (422)",
    }
    assert {outcome for kind, *_, outcome in reported if kind == "execution-report"} == {"ok", "report_conflict"}


@pytest.mark.processes
@pytest.mark.parametrize("feed", FEEDS)
def test_a_restored_line_says_the_same_to_programs(before_and_after: tuple[dict[str, Any], ...], feed: str) -> None:
    *_, before, after = before_and_after
    assert after[feed] - before[feed] == set()
    lines = [json.loads(line) for line in after[feed]]
    assert all(line["code"].replace("_", "").isalpha() for line in lines)
    if feed == "tradingview":
        letters = [line["facts"] for line in lines if line["code"] == "dead_letter"]
        assert sorted(facts["status"] for facts in letters) == [400, 422]
    else:
        [refused] = [line for line in lines if line["code"] == "report_conflict"]
        assert (refused["title"], refused["facts"]["reported"]) == ("CONFLICTING REPORT", "REJECTED")


AT = datetime(2026, 1, 12, 15, tzinfo=UTC)
SELDOM_KEPT = {  # they are in the journal only when they told an event: a feed that came back, the first of all
    NotePrice("ES", Decimal("5250.25")): ("tv_heartbeat", "ES", "5250.25", "ok"),
    NotePrice("ES", None, AT + timedelta(hours=1)): ("tv_heartbeat", "ES", "", "flagged"),
    CloseBrick("ES", Stream.ONE, "red"): ("tv_renko_small", "ES", "1pt red", "ok"),
    HearBridge(ts_connected=True, account="DEMO-1"): ("heartbeat", None, "DEMO-1", "ok"),
    ClaimOrders("bridge"): None,
}


@pytest.mark.parametrize(("command", "expected"), SELDOM_KEPT.items(), ids=lambda value: type(value).__name__)
def test_a_row_that_is_seldom_kept_reads_so_too(command: AnyCommand, expected: tuple[Any, ...]) -> None:
    log, kind = ActivityLog(), type(command).__name__
    log.on_commit([JournalRow(1, AT, command.origin, kind, None, msgspec.json.encode(command), b"[]")], [], DESK)
    logs = log.as_document().logs
    read = [(line.kind, line.asset, line.text, line.outcome) for line in (*logs.tradingview, *logs.rithmic)]
    assert read == ([expected] if expected else [])
