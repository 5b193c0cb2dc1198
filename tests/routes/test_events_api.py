"""Committed events over real HTTP: numbered, durable, the same from every process, before and after a restart."""

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.engine.model.events import DeadLetterKept
from services.engine.model.trade_events import TradeNoted
from services.stores.codec.committed_events import CommittedEvent
from services.stores.sqlite.store import SqliteStore
from services.views.event_rows import event_row
from tests.live.test_stream import Ear, ears
from tests.support.api_document import documented
from tests.support.commits import MORNING
from tests.support.desk_process import (
    PATIENCE_SECONDS,
    QUICK,
    Caller,
    DeskProcess,
    OperatorCaller,
    error_of,
    eventually,
)
from tests.support.own_time import Stopwatch

pytestmark = pytest.mark.processes

WAITING_AT_MOST = 8
ENTRY_ORDER = {
    "kind": "ENTRY",
    "side": "BUY",
    "contract": "MESM4",
    "qty": 5,
    "env": "DEMO",
    "source": "entry",
    "mode": "A",
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path, **QUICK) as desk:
        yield desk


@pytest.fixture(scope="module")
def shared_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("events"), **QUICK) as desk:
        yield desk


def asked(caller: Caller, **query: Any) -> Any:
    answer = caller.get("/api/events", params=query)
    assert answer.status_code == 200, answer.text
    return documented(answer).json()


def everything(caller: Caller) -> list[dict[str, Any]]:
    """Walk all pages, a few events at a time, as a follower does."""
    events, since = [], 0
    while True:
        page = asked(caller, since_id=since, limit=7)
        events += page["events"]
        if page["next"] == since:
            return events
        since = page["next"]


def has_heard(ear: Ear, events: int) -> bool:
    return len(ear.of("event")) >= events


def last_id(caller: Caller) -> int:
    event_id: int = everything(caller)[-1]["id"]
    return event_id


def trades_once(desk: DeskProcess) -> None:
    """Open the ladder, enter, fill, leave, fill."""
    operator, bridge = desk.operator(), desk.bridge()
    desk.tradingview().opens_the_ladder()
    bridge.fills(operator.enters_when_the_candle_allows(), 5250.25)
    bridge.fills(operator.post("/api/exit", json={"asset": "ES", "force": True}).json()["order"], 5252)


def types_of(events: Any) -> list[str]:
    return [event["type"] for event in events]


def test_a_trade_is_told_event_by_event_with_its_orders(desk: DeskProcess) -> None:
    trades_once(desk)
    events = everything(desk.operator())
    of_orders = [event for event in events if "order_id" in event["data"]]
    assert types_of(of_orders) == [
        *("OrderQueued", "EntryAccepted", "OrderClaimed", "OrderReported", "OrderEnded"),
        *("OrderQueued", "OrderClaimed", "OrderReported", "OrderEnded"),
    ]
    assert [event["data"]["order"] for event in of_orders[:5]] == [ENTRY_ORDER] * 5
    assert of_orders[5]["data"]["order"] == {**ENTRY_ORDER, "kind": "EXIT", "side": "SELL", "source": "manual"}
    filled = of_orders[3]
    assert (filled["asset"], filled["data"]["qty"], filled["data"]["price"]) == ("ES", 5, 5250.25)
    closed = next(event for event in events if event["type"] == "TradeClosed")
    assert (closed["data"]["pnl_points"], closed["data"]["exit_ts"]) == (1.75, closed["ts"])
    assert [event["id"] for event in events] == sorted({event["id"] for event in events})


def test_what_is_asked_for_is_what_comes(desk: DeskProcess) -> None:
    operator = desk.operator()
    trades_once(desk)
    events = everything(operator)
    middle = events[len(events) // 2]
    behind = [event for event in events if event["id"] > middle["id"]]
    assert asked(operator, since_id=middle["id"])["events"] == behind
    assert asked(operator, since_id=middle["id"], limit=1) == {
        "ok": True,
        "events": behind[:1],
        "next": behind[0]["id"],
    }
    assert asked(operator, since_id=events[-1]["id"]) == {"ok": True, "events": [], "next": events[-1]["id"]}
    closed = asked(operator, types="TradeClosed,TradeOpened")["events"]
    assert types_of(closed) == ["TradeOpened", "TradeClosed"]
    since = asked(operator, since_ts=closed[1]["ts"])["events"]
    assert since == [event for event in events if event["ts"] >= closed[1]["ts"]]


def test_a_restart_changes_no_event_and_numbers_go_on(desk: DeskProcess) -> None:
    trades_once(desk)
    before = everything(desk.operator())
    desk.restart()
    desk.tradingview().brick(4, "red")
    after = everything(desk.operator())
    assert after[: len(before)] == before
    assert {"DeskTakenOver", "BrickApplied"} <= set(types_of(after[len(before) :]))
    assert [event["id"] for event in after] == sorted({event["id"] for event in after})


def test_writer_and_standby_answer_and_stream_the_same_also_after_a_takeover(tmp_path: Path) -> None:
    shared = {"SQLITE_PATH": str(tmp_path / "shared.sqlite")}
    with (
        DeskProcess(tmp_path / "one", **QUICK, **shared) as writer,
        DeskProcess(tmp_path / "two", **QUICK, **shared) as standby,
        ears(writer) as [at_writer],
        ears(standby) as [at_standby],
    ):
        for ear in (at_writer, at_standby):
            ear.hears("state")
        began = last_id(writer.operator())
        trades_once(writer)
        told = asked(writer.operator(), since_id=began)["events"]
        assert asked(standby.operator(), since_id=began)["events"] == told
        for ear in (at_writer, at_standby):
            eventually(partial(has_heard, ear, len(told)))
            assert [event.body for event in ear.of("event")] == told
        writer.kill()
        operator = standby.operator()
        eventually(lambda: operator.state()["global"]["role"] == "writer")
        standby.tradingview().brick(4, "red")
        after = asked(operator, since_id=began)["events"]
        assert after[: len(told)] == told
        assert [event["id"] for event in after] == sorted({event["id"] for event in after})
        eventually(lambda: [event.body for event in at_standby.of("event")] == after)


def test_who_comes_back_to_the_stream_is_sent_the_events_that_were_missed(desk: DeskProcess) -> None:
    operator = desk.operator()
    ear = Ear(operator)
    ear.hears("state")
    desk.tradingview().brick(6, "green")
    ear.hears("event")
    time.sleep(0.2)
    ear.close()
    last, began = ear.events[-1].version, last_id(operator)
    desk.tradingview().brick(6, "red")
    again = Ear(operator, **{"Last-Event-ID": str(last)})
    missed = asked(operator, since_id=began)["events"]
    eventually(lambda: [event.body for event in again.of("event") if event.body["id"] > began] == missed)
    again.close()


# -- waiting ---------------------------------------------------------------------------------------------------------


def test_who_waits_is_answered_the_moment_something_happens(desk: DeskProcess) -> None:
    operator = desk.operator()
    since = last_id(operator)
    with ThreadPoolExecutor(1) as follower:
        waiting = follower.submit(asked, desk.operator(), since_id=since, wait=20)
        time.sleep(0.3)
        watch = Stopwatch(desk.process)
        desk.tradingview().brick(6, "green")
        page = waiting.result(PATIENCE_SECONDS)
        assert watch.seconds < 5
    assert "BrickApplied" in types_of(page["events"])
    began = time.monotonic()
    assert asked(operator, since_id=page["next"], wait=1) == {"ok": True, "events": [], "next": page["next"]}
    assert time.monotonic() - began >= 0.9


def test_who_waits_for_one_type_is_not_woken_by_another(desk: DeskProcess) -> None:
    operator = desk.operator()
    since = last_id(operator)
    with ThreadPoolExecutor(1) as follower:
        waiting = follower.submit(asked, desk.operator(), since_id=since, wait=20, types="EntryBlocked")
        desk.tradingview().brick(6, "green")
        operator.enters("NQ")
        page = waiting.result(PATIENCE_SECONDS)
    assert types_of(page["events"]) == ["EntryBlocked"]
    assert page["events"][0]["asset"] == "NQ"


def test_a_session_that_waits_eight_times_is_answered_at_once_and_another_waits(desk: DeskProcess) -> None:
    operator = desk.operator()
    since = last_id(operator)
    callers = [same_session(operator) for _ in range(WAITING_AT_MOST + 1)] + [desk.operator()]
    watch = Stopwatch(desk.process)
    with ThreadPoolExecutor(len(callers)) as crowd:
        waiting = [crowd.submit(asked, caller, since_id=since, wait=20) for caller in callers]
        eventually(lambda: sum(one.done() for one in waiting) == 1)
        assert watch.seconds < 5
        at_once = next(one for one in waiting if one.done())
        assert at_once is not waiting[-1]  # that is another session's
        assert at_once.result()["events"] == []
        desk.tradingview().brick(6, "green")
        for one in waiting:
            if one is not at_once:
                assert one.result(PATIENCE_SECONDS)["events"]


def same_session(operator: OperatorCaller) -> Caller:
    """Return another connection of the same session."""
    caller = operator.desk.stranger()
    caller.cookies = operator.cookies
    return caller


# -- what is no longer there -----------------------------------------------------------------------------------------


def test_below_the_pruned_part_it_says_where_the_journal_begins(desk: DeskProcess) -> None:
    trades_once(desk)
    before = everything(desk.operator())
    pruned_through = before[-1]["id"] // 1000 - 3
    desk.terminate()
    with closing(SqliteStore(desk.database)) as store:
        store.prune_journal(pruned_through)
    desk.start()
    operator = desk.operator()
    answer = documented(operator.get("/api/events", params={"since_id": 0}))
    assert "pruned" in error_of(answer, 410)
    oldest = answer.json()["oldest"]
    kept = [event for event in before if event["id"] // 1000 > pruned_through]
    assert oldest == kept[0]["id"]
    page = asked(operator, since_id=oldest - 1)
    assert page["events"][: len(kept)] == kept
    error_of(operator.get("/api/events", params={"since_id": oldest - 1001}), 410)


def test_a_follower_of_another_journal_is_sent_to_the_beginning_of_this_one(desk: DeskProcess) -> None:
    operator = desk.operator()
    watch = Stopwatch(desk.process)
    newest = last_id(operator)
    answer = documented(operator.get("/api/events", params={"since_id": (newest // 1000 + 1) * 1000, "wait": 20}))
    assert "another journal" in error_of(answer, 410)
    assert watch.seconds < 10
    assert asked(operator, since_id=answer.json()["oldest"] - 1)["events"] == everything(operator)
    of_the_newest_row = (newest // 1000) * 1000 + 999
    assert asked(operator, since_id=of_the_newest_row) == {"ok": True, "events": [], "next": of_the_newest_row}


def test_a_time_that_leaves_the_calendar_in_utc_is_its_first_or_last(shared_desk: DeskProcess) -> None:
    operator = shared_desk.operator()
    assert asked(operator, since_ts="0001-01-01T00:00:00+05:00", limit=1000)["events"] == everything(operator)
    assert asked(operator, since_ts="9999-12-31T23:59:59-05:00")["events"] == []


@pytest.mark.parametrize("since_id", [1_000_000_000, 2**63 - 1], ids=["the millionth row", "the highest"])
def test_an_id_of_ten_digits_and_more_is_read(shared_desk: DeskProcess, since_id: int) -> None:
    error_of(shared_desk.operator().get("/api/events", params={"since_id": since_id}), 410)


def test_a_row_that_this_program_cannot_read_is_passed(desk: DeskProcess) -> None:
    operator = desk.operator()
    since = last_id(operator)
    desk.tradingview().brick(4, "red")
    row = last_id(operator) // 1000
    with closing(sqlite3.connect(desk.database)) as store, store:
        store.execute(
            "UPDATE journal SET events = ? WHERE sequence > ?", (b'[{"type": "OfALaterVersion"}]', since // 1000)
        )
    page = asked(operator, since_id=since)
    assert page == {"ok": True, "events": [], "next": row * 1000 + 999}
    assert asked(operator, since_id=page["next"], wait=1) == page
    desk.tradingview().brick(4, "green")
    assert "BrickApplied" in types_of(asked(operator, since_id=page["next"])["events"])


def test_an_order_that_cannot_be_read_silences_neither_the_events_nor_the_stream(desk: DeskProcess) -> None:
    trades_once(desk)
    before = everything(desk.operator())
    desk.terminate()
    with closing(sqlite3.connect(desk.database)) as store, store:
        store.execute("UPDATE records SET body = ? WHERE kind = 'orders'", (b'{"of": "a later version"}',))
    desk.start()
    after = everything(desk.operator())[: len(before)]
    assert types_of(after) == types_of(before)
    assert not any("order" in event["data"] for event in after)


# -- who may ask, and what -------------------------------------------------------------------------------------------


def test_a_stranger_and_a_bridge_read_no_events(desk: DeskProcess) -> None:
    for caller in (desk.stranger(), desk.bridge()):
        error_of(documented(caller.get("/api/events")), 401)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"since_id": "-1"}, "since_id"),
        ({"since_id": "x"}, "since_id"),
        ({"since_id": str(2**63)}, "since_id"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"wait": "26"}, "wait"),
        ({"since_ts": "yesterday"}, "since_ts"),
        ({"types": "OrderEnded,TradeClose"}, "types"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(shared_desk: DeskProcess, query: dict[str, str], field: str) -> None:
    assert field in error_of(documented(shared_desk.operator().get("/api/events", params=query)), 400)


def test_what_only_the_operator_may_read_is_in_no_event() -> None:
    letter = DeadLetterKept("/tv_renko", "color: must be green or red", '{"color": "mauve"}')
    note = TradeNoted("t", "impatient", ("late",))
    rows = [event_row(CommittedEvent(1000, MORNING, event), None) for event in (letter, note)]
    assert [row.data for row in rows] == [
        {"path": "/tv_renko", "reason": "color: must be green or red"},
        {"trade_id": "t"},
    ]
