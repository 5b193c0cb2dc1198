"""Notices as stored facts: which record a decision makes for whom, on both stores, and what its mark changes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from services.notifications.kinds import Notifying
from services.notifications.stored import (
    NOTICES,
    StoredNotice,
    due_again,
    next_notice,
    not_taken,
    notice_number,
    notice_record,
    taken,
    waiting_notices,
    withdrawn,
)
from services.stores.firestore.store import FirestoreStore
from services.stores.records import Record
from services.stores.store import StoreUnreadable
from tests.support.stored_trader import StoredTrader

SECOND = timedelta(seconds=1)


class ToldTrader(StoredTrader):
    """A trader with two phones that are told of fills and of the end of locks."""

    notifying = Notifying(frozenset({"entry_filled", "exit_filled", "lock_ended"}), 2)


@pytest.fixture(params=["sqlite", "firestore"])
def trader(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ToldTrader]:
    opens = None
    if request.param == "firestore":
        host, project = request.getfixturevalue("firestore_host"), f"desk-{uuid.uuid4().hex[:12]}"
        opens = partial(FirestoreStore, project, emulator_host=host)
    trader = ToldTrader(tmp_path / "desk.sqlite", at="09:31:10", opens=opens)
    yield trader
    trader.stops()


def test_a_trade_that_is_won_is_stored_for_each_phone_with_its_row_and_survives_a_restart(trader: ToldTrader) -> None:
    trader.is_long(5250).later(seconds=5).bricks(6, "green").exits().filled_at(5252).restarts()
    kept = [waiting_notices(trader.manager.store, target) for target in (1, 2)]
    assert [[(one.title, one.slot) for one in notices] for notices in kept] == [
        [
            ("[DEMO] ES long 5 @ 5250.00", None),
            ("[DEMO] ES exit unlocked", None),
            ("[DEMO] ES closed +$50.00", None),
            ("[DEMO] Cooldown is over", "cooldown"),
            ("[DEMO] The candle is free", "candle"),
        ]
    ] * 2
    rows = {row.sequence: row for row in trader.rows}
    for one, other in zip(*kept, strict=True):
        assert (one.at, other.number) == (rows[one.sequence].at, one.number + 1)
        assert one.number // notice_number(1, 0) == one.sequence
    assert trader.replays().is_equal


def test_what_is_marked_is_read_back_and_waits_no_longer(trader: ToldTrader) -> None:
    trader.is_long(5250)
    store, manager = trader.manager.store, trader.manager
    filled, *others = waiting_notices(store, 1)
    refused = not_taken(filled, trader.now, "the target answered 500")
    manager.mark_records([notice_record(refused)], manager.epoch)
    assert refused in waiting_notices(store, 1)
    marked = taken(refused, trader.now + SECOND)
    manager.mark_records([notice_record(marked)], manager.epoch)
    assert waiting_notices(store, 1) == others
    assert store.record(NOTICES, f"{filled.number:016d}") == notice_record(marked)


# -- the order of sending, without a store ---------------------------------------------------------------------------


@pytest.fixture
def notice(tmp_path: Path) -> Iterator[StoredNotice]:
    trader = ToldTrader(tmp_path / "desk.sqlite", at="09:31:10")
    yield waiting_notices(trader.is_long(5250).manager.store, 1)[0]
    trader.stops()


def test_what_was_never_tried_goes_before_what_failed_and_the_older_first(notice: StoredNotice) -> None:
    now = notice.due_at + 10 * SECOND
    failed = not_taken(notice, notice.due_at, "500")
    fresh = [replace(notice, number=notice.number + n) for n in (1, 2)]
    assert next_notice([failed, *fresh[::-1]], now) == fresh[0]
    assert next_notice([failed], now) == failed
    assert next_notice([failed], notice.due_at) is None
    assert next_notice([taken(notice, now), withdrawn(notice)], now) is None


def test_a_target_that_takes_one_is_given_its_failed_ones_at_once_and_no_announcement_early(
    notice: StoredNotice,
) -> None:
    now = notice.due_at + SECOND
    failed = replace(not_taken(notice, notice.due_at, "500"), number=notice.number + 1)
    announced = replace(notice, number=notice.number + 2, next_try_at=now + 60 * SECOND)
    assert due_again(notice, [notice, failed, announced], now) == [replace(failed, next_try_at=now)]


def test_a_record_that_is_no_notice_is_named(trader: ToldTrader) -> None:
    trader.manager.mark_records(
        [Record(NOTICES, "1", trader.now, b"what", {"waits": "001.", "number": 1})], trader.manager.epoch
    )
    with pytest.raises(StoreUnreadable, match="the notice 1 could not be read"):
        waiting_notices(trader.manager.store, 1)
