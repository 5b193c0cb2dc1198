"""A Firestore database of the program before is opened by today's: nothing is lost, and nothing needs to be moved.

``fixtures/firestore_documents_1.json`` holds every document as that program wrote it: ES was long and won, an entry
was refused, then NQ went short; its manual exit is at the bridge.
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from google.cloud.firestore_v1 import types

from services.desk.manager import StateManager
from services.engine.model.bridge_commands import ReportExecution
from services.engine.model.commands import EnterMarket, NoteTrade
from services.engine.model.events import EntryBlocked
from services.engine.model.replies import Refusal
from services.history.replay import replay_store
from services.journal.trades import Selection, page_of
from services.notifications.kinds import Notifying
from services.notifications.stored import NOTICES, notice_record, waiting_notices
from services.projections.attempts import attempts_between
from services.projections.dead_letters import last_dead_letters
from services.projections.equity import account_day
from services.projections.orders import recall_order
from services.projections.table import PROJECTIONS
from services.projections.trade_fills import are_whole, fills_of
from services.projections.trades import closed_trade
from services.stores.codec import documents
from services.stores.firestore.layout import record_write
from services.stores.firestore.store import FirestoreStore
from services.stores.records import FAR_AHEAD, LONG_AGO
from tests.stores.test_upgrades import NEXT_MORNING, REFUSED_ONCE, sent_by
from tests.support.narrow import known, of_type
from tests.support.paths import FIXTURES
from wire.types import OrderStatus

STORED = json.loads((FIXTURES / "firestore_documents_1.json").read_text("utf-8"))
WON = "01a1e9eb5320b10d0d9c61249df45713"
SHORT = "01a1e9ef3b2025d5965dc31730d0dcac"


@pytest.fixture
def old(firestore_host: str) -> Iterator[Callable[[], FirestoreStore]]:
    """Yield how to open a database as the program before left it."""
    project, opened = f"desk-{uuid.uuid4().hex[:12]}", []

    def opens() -> FirestoreStore:
        opened.append(FirestoreStore(project, emulator_host=firestore_host))
        return opened[-1]

    wire = opens()._wire
    writes = [types.Write(update=document_of(one, wire.database)) for one in STORED]
    wire._client.commit(database=wire.database, writes=writes, metadata=wire._metadata, timeout=30)
    yield opens
    for store in opened:
        store.close()


def document_of(stored: dict[str, Any], database: str) -> types.Document:
    document: types.Document = types.Document.from_json(json.dumps({"fields": stored["fields"]}))
    document.name = f"{database}/documents/{stored['path']}"
    return document


def plain_fields() -> dict[str, dict[str, dict[str, Any]]]:
    """Return each stored document's fields as plain values, by collection and name."""
    found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for stored in STORED:
        collection, _, name = stored["path"].partition("/")
        found[collection][name] = {field: plain(value) for field, value in stored["fields"].items()}
    return found


def plain(value: dict[str, Any]) -> Any:
    ((kind, content),) = value.items()
    return int(content) if kind == "integerValue" else content


NEWER_KINDS = {"proposals", "proposals_followed"}  # which the program before did not write


def started(old: Callable[[], FirestoreStore], notifying: Notifying | None = None) -> StateManager:
    store = old()
    rules = documents.read_desk(known(store.load())).configured
    return StateManager(store, lambda now: rules, lambda: NEXT_MORNING, notifying)


def test_every_record_is_found_and_would_be_written_as_it_lies_there(old: Callable[[], FirestoreStore]) -> None:
    """So the program before finds what today's writes: a rolling update may go either way."""
    store, stored = old(), plain_fields()
    for kind in (projection.kind for projection in PROJECTIONS):
        records = store.records_by_id(kind, "", "~")
        written = {record.id: dict(known(record_write(record).fields)) for record in records}
        if kind.name == "pnl_snapshots":
            assert all(fields.pop("at") for fields in written.values())  # the program before gave these no time
        assert written == stored[kind.name]
        assert (len(written) >= 1) is (kind.name not in NEWER_KINDS)


def test_a_desk_starts_on_it_and_stands_where_it_stood(old: Callable[[], FirestoreStore]) -> None:
    manager = started(old)
    desk = manager.snapshot.desk
    (order,) = desk.orders.values()
    assert (order.asset, order.kind, order.status, order.owner) == ("NQ", "EXIT", OrderStatus.CLAIMED, "bridge")
    assert (desk.assets["NQ"].position, desk.assets["ES"].position, desk.day.trades_taken) == (-3, 0, 2)
    assert [trade.pnl_usd for trade in manager.snapshot.history] == [100]
    assert known(manager.snapshot.tried_at).isoformat() == "2026-11-17T14:35:39+00:00"
    manager.stop()


def test_the_journal_tells_of_the_trade_what_it_told_before(old: Callable[[], FirestoreStore]) -> None:
    store = old()
    [entry] = page_of(store, Selection(), "18:00", 10).trades
    assert (entry.trade.id, entry.stop_points, entry.note.text) == (WON, Decimal(15), "waited for the second push")
    gates = known(entry.gates)
    assert (gates.trade_of_day, gates.tempo_armed_by) == (1, "6pt brick")
    assert known(closed_trade(store, WON)).trade == entry.trade
    assert are_whole(fills_of(store, WON), entry.trade)
    assert [(one.fill.kind, one.fill.quantity, one.fill.price) for one in fills_of(store, SHORT)] == [
        ("ENTRY", 3, Decimal("5260.5"))
    ]
    refused_by = [of_type(EntryBlocked, event).gate for _, event in attempts_between(store, LONG_AGO, FAR_AHEAD, 9)]
    assert refused_by == ["candle_lock", "candle_lock"]
    [letter] = last_dead_letters(store, 9)
    assert (letter.sequence, letter.path, letter.reason, letter.body) == (15, "/tv_renko", "no JSON", "color=green")
    assert [sample.equity for sample in known(account_day(store, "2026-11-17")).samples] == [50_000]
    assert known(recall_order(store, WON)).status is OrderStatus.FILLED


def test_the_day_goes_on_and_replay_is_equal(old: Callable[[], FirestoreStore]) -> None:
    manager = started(old)
    refused = manager.submit(EnterMarket("ES", "SCALP", "6pt", "BUY")).answer
    assert of_type(Refusal, refused).gate == "candle_lock"
    (order,) = manager.snapshot.desk.orders.values()
    manager.submit(ReportExecution(order.id, OrderStatus.FILLED, Decimal(5258), order.qty, "exec-9"))
    manager.submit(NoteTrade(SHORT, "out at the first pause", ()))
    assert manager.snapshot.desk.assets["NQ"].position == 0
    manager.stop()
    store = old()
    newest, first = page_of(store, Selection(), "18:00", 10).trades
    assert (newest.trade.id, first.trade.id, newest.note.text) == (SHORT, WON, "out at the first pause")
    assert are_whole(fills_of(store, SHORT), newest.trade)
    assert known(store.load()).open_orders == []
    replay = replay_store(store)
    assert replay.is_equal, replay.sentences


def test_an_answer_is_remembered_by_its_key(old: Callable[[], FirestoreStore]) -> None:
    manager = started(old)
    assert manager.submit(EnterMarket("NQ", "RUNNER", "9pt", "SELL"), "click-3").repeated is True
    manager.stop()


def test_a_notice_that_waited_is_delivered_once_and_todays_has_the_same_form(
    old: Callable[[], FirestoreStore],
) -> None:
    """One was sent, one was refused and waits for its next try, one announces the candle's end in some minutes."""
    store = old()
    waiting = waiting_notices(store, 1)
    assert [notice_record(one) for one in waiting] == store.records_with(NOTICES, "001.", "001.~")
    assert [(one.attempts, one.last_error) for one in waiting] == [(1, "the target answered 500"), (0, None)]
    manager = started(old, Notifying(frozenset({"gate_blocked"}), 2))
    assert sent_by(manager, 1) == [REFUSED_ONCE]
    manager.submit(EnterMarket("ES", "SCALP", "6pt", "BUY"))
    blocked = ["ES long blocked: candle_lock"]
    assert (sent_by(manager, 1), sent_by(manager, 2), sent_by(manager, 1)) == (blocked, blocked, [])
    manager.stop()
    assert waiting_notices(old(), 1) == waiting[1:]
    sent = [record for record in old().records_by_id(NOTICES, "", "~") if "sent_at" in record.facts]
    assert [record.facts["attempts"] for record in sent] == [1, 2, 1, 1]
