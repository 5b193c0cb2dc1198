"""The table of projections: what is stored beside the journal, and what a new kind of fact costs."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from msgspec.structs import replace

import services.projections
from services.engine.model.events import OrderClaimed
from services.notifications.kinds import KIND_NAMES, Notifying
from services.projections.projection import Decided, Projection
from services.projections.table import PROJECTIONS
from services.projections.trades import TRADES, closed_trade
from services.stores.firestore.store import FirestoreStore
from services.stores.records import ORDERS, Kind, Record, row_id
from tests.support.narrow import known
from tests.support.stored_trader import StoredTrader
from tests.support.trader import Trader

KINDS = {projection.kind.name: projection for projection in PROJECTIONS}
VITAL = {ORDERS.name, TRADES.name}
NOT_OF_THIS_DAY = {"trade_notes", "dead_letters"}


@pytest.fixture(params=["sqlite", "firestore"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoredTrader]:
    """Return a trader whose desk is kept in either store; nothing was written yet but its opening."""
    opens = None
    if request.param == "firestore":
        host, project = request.getfixturevalue("firestore_host"), f"desk-{uuid.uuid4().hex[:12]}"
        opens = partial(FirestoreStore, project, emulator_host=host)
    trader = StoredTrader(tmp_path / "desk.sqlite", at="09:31:10", opens=opens)
    yield trader
    trader.stops()


class ToldTrader(StoredTrader):
    """A trader with two phones that are told of everything."""

    notifying = Notifying(frozenset(KIND_NAMES), 2)


@pytest.fixture
def trader(tmp_path: Path) -> Iterator[StoredTrader]:
    trader = ToldTrader(tmp_path / "desk.sqlite", at="09:31:10")
    yield trader
    trader.stops()


def fails(decided: Decided) -> Iterable[Record]:
    raise KeyError("a fault of ours")


def table_with(monkeypatch: pytest.MonkeyPatch, *rows: Projection) -> None:
    monkeypatch.setattr("services.desk.commit_batch.PROJECTIONS", rows)


def kept(trader: StoredTrader) -> dict[str, int]:
    """Return how many records of each kind are stored."""
    store = trader.manager.store
    return {name: len(store.records_by_id(projection.kind, "", "~")) for name, projection in KINDS.items()}


def a_day(trader: StoredTrader) -> StoredTrader:
    """A proposal that is put aside, a trade, an entry that is refused; the account is known."""
    trader.broker_says(50_000).hears(5250).hears_proposal().dismisses().trades_once().enters("BUY")
    assert trader.refused_by is not None
    return trader


def test_every_projection_of_the_folder_is_in_the_table() -> None:
    modules = [
        import_module(f"services.projections.{found.name}") for found in iter_modules(services.projections.__path__)
    ]
    rows = [module.PROJECTION for module in modules if hasattr(module, "PROJECTION")]
    assert sorted(row.kind.name for row in rows) == sorted(KINDS)
    assert all(row in PROJECTIONS for row in rows)
    assert len(KINDS) == len(PROJECTIONS)


def test_orders_and_trades_alone_must_not_be_lost() -> None:
    assert {name for name, projection in KINDS.items() if projection.must_not_be_lost} == VITAL


def _a_day_of_one() -> Trader:
    trader = Trader(at="09:31:10").broker_says(50_000).hears(5250).hears_proposal().dismisses()
    return trader.trades_once().enters("BUY")


def test_the_same_day_gives_the_same_records() -> None:
    one, other = (_a_day_of_one() for _ in range(2))
    records = [story.records for story in (one, other)]
    assert records[0] == records[1]
    assert {record.kind.name for record in records[0]} == {*KINDS} - NOT_OF_THIS_DAY - {
        "notices"
    }  # this trader has no phone


@pytest.mark.parametrize("name", sorted({*KINDS} - VITAL))
def test_a_fact_that_fails_is_lost_alone(trader: StoredTrader, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    rows = [replace(row, records=fails) if row.kind.name == name else row for row in PROJECTIONS]
    table_with(monkeypatch, *rows)
    a_day(trader)
    found = kept(trader)
    assert found.pop(name) == 0
    assert {kind: count > 0 for kind, count in found.items()} == {kind: kind not in NOT_OF_THIS_DAY for kind in found}
    assert trader.replays().is_equal


def test_a_trade_that_cannot_be_written_fails_its_report_alone_and_whole(
    trader: StoredTrader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the decision is stored, and the same report comes through once the fault is gone."""
    trader.is_long(5250).bricks(6, "green").exits().claims()
    before, stored, order = trader.desk, known(trader.manager.store.load()), trader.order
    with monkeypatch.context() as patched:
        table_with(patched, *(replace(row, records=fails) if row.kind is TRADES else row for row in PROJECTIONS))
        with pytest.raises(KeyError):
            trader.reports("FILLED", 5252, order, qty=5, exec_id="x-9")
    assert (trader.desk.orders, trader.desk.assets) == (before.orders, before.assets)
    assert list(known(trader.manager.store.load()).open_orders) == list(stored.open_orders)
    assert trader.manager.store.newest_records(TRADES, 9) == []
    trader.reports("FILLED", 5252, order, qty=5, exec_id="x-9")
    last = trader.trades_closed[-1]
    assert known(closed_trade(trader.manager.store, last.id)).trade == last


CLAIMS = Kind("claims_of_a_test", found_by="owner")


def claim_records(decided: Decided) -> Iterator[Record]:
    for place, event in enumerate(decided.decision.events):
        if isinstance(event, OrderClaimed):
            body = event.order_id.encode()
            yield Record(CLAIMS, row_id(decided.sequence, place), decided.now, body, {"owner": event.owner})


def test_a_new_kind_of_fact_is_stored_and_found_without_any_change_to_a_store(
    anywhere: StoredTrader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function and a row of the table are all of it: who claimed which order, on both stores."""
    table_with(monkeypatch, *PROJECTIONS, Projection(CLAIMS, claim_records))
    anywhere.is_long(5250).later(seconds=5).bricks(6, "green").exits().filled_at(5252).restarts()
    store = anywhere.manager.store
    first, second = records = store.records_with(CLAIMS, "bridge")
    assert [record.body.decode() for record in records] == [event.order_id for event in anywhere.told(OrderClaimed)]
    assert store.newest_records(CLAIMS, 1) == [second]
    assert store.newest_records(CLAIMS, 9, first.at, second.at) == [first]
    assert store.record(CLAIMS, first.id) == first
    assert store.records_with(CLAIMS, "nobody") == []
