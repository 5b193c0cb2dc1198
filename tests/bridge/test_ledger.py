"""The ledger and the record of orders: durable, exclusive, and moved only by compare-and-set."""

import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.brokers.broker import Execution
from bridge.ledger import SCHEMA_VERSION, SCHEMAS, InstanceLock, Ledger, LedgerLost, LedgerUnusable
from bridge.orders import OrderRecord
from wire.bridge import MalformedOrder, OrderTicket
from wire.encoding import encode

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Ledger:
    return Ledger(path)


def ticket(order_id: str = "order-1", qty: int = 5) -> OrderTicket:
    return OrderTicket(
        id=order_id,
        contract="MESZ6",
        exchange="CME",
        side="BUY",
        qty=qty,
        env="DEMO",
        kind="ENTRY",
        tick_size=Decimal("0.25"),
        point_value=Decimal(5),
        expires_at=NOON,
    )


def test_what_is_written_is_on_disk_before_anything_else_happens(ledger: Ledger) -> None:
    assert ledger.value("PRAGMA journal_mode") == "wal"
    assert ledger.value("PRAGMA synchronous") == 2  # FULL
    assert ledger.value("PRAGMA user_version") == SCHEMA_VERSION


def test_ledger_of_another_version_is_refused_in_one_sentence(path: Path) -> None:
    Ledger(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(LedgerUnusable, match="version 99"):
        Ledger(path)


def ledger_of_version_1(path: Path) -> None:
    """Write a ledger as the bridge before `identity` did, with an open order."""
    path.parent.mkdir(exist_ok=True)
    with sqlite3.connect(path) as connection:
        connection.executescript(f"BEGIN; {SCHEMAS[0].read_text()}; PRAGMA user_version=1; COMMIT;")
        connection.execute(
            "INSERT INTO orders (id, ticket, state, accepted_at) VALUES ('order-1', ?, 'WORKING', ?)",
            (encode(ticket()).decode(), NOON.isoformat()),
        )
        connection.execute("INSERT INTO paper_orders VALUES ('order-1', '{}', 'FILLED', NULL, ?)", (NOON.isoformat(),))
    connection.close()


def test_ledger_of_version_1_with_an_open_order_is_upgraded_and_loses_nothing(path: Path) -> None:
    ledger_of_version_1(path)
    ledger = Ledger(path)
    assert ledger.value("PRAGMA user_version") == SCHEMA_VERSION
    assert OrderRecord(ledger).ticket_of("order-1") == ticket()
    assert OrderRecord(ledger).state_of("order-1") == "WORKING"
    assert ledger.paper_account == "PAPER-1"
    instance = ledger.instance
    ledger.close()
    assert Ledger(path).instance == instance


def test_every_ledger_has_an_instance_and_a_paper_account_of_its_own_for_life(path: Path, tmp_path: Path) -> None:
    first, other = Ledger(path), Ledger(tmp_path / "other.sqlite")
    assert first.instance != other.instance
    assert first.paper_account != other.paper_account
    kept = (first.instance, first.paper_account)
    first.close()
    again = Ledger(path)
    assert (again.instance, again.paper_account) == kept


def test_file_that_is_no_ledger_is_refused_in_one_sentence(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("this was a shopping list once, and now it is much longer than a header" * 40)
    with pytest.raises(LedgerUnusable, match="cannot be used"):
        Ledger(path)


def test_second_instance_is_refused_until_the_first_is_gone(path: Path) -> None:
    first = InstanceLock(path)
    with pytest.raises(LedgerUnusable, match="Another bridge is already running"):
        InstanceLock(path)
    first.release()
    InstanceLock(path).release()


def test_transaction_is_all_or_nothing_and_inner_ones_join(ledger: Ledger) -> None:
    orders = OrderRecord(ledger)

    def accept_and_fail() -> None:
        with ledger.transaction():
            orders.accept(ticket(), NOON)
            assert orders.state_of("order-1") == "ACCEPTED"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        accept_and_fail()
    assert orders.state_of("order-1") is None
    assert orders.accept(ticket(), NOON)


def test_other_threads_never_see_half_a_transaction(ledger: Ledger) -> None:
    orders, seen, started = OrderRecord(ledger), [], threading.Event()

    def look() -> None:
        started.set()
        seen.append((orders.state_of("order-1"), orders.state_of("order-2")))

    with ledger.transaction():
        orders.accept(ticket("order-1"), NOON)
        thread = threading.Thread(target=look)
        thread.start()
        started.wait()
        orders.accept(ticket("order-2"), NOON)
    thread.join()
    assert seen == [("ACCEPTED", "ACCEPTED")]


def test_health_is_lost_with_a_failed_write_and_found_with_the_next_good_one(ledger: Ledger, path: Path) -> None:
    ledger.rows("PRAGMA busy_timeout=0")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError):
        OrderRecord(ledger).accept(ticket(), NOON)
    assert not ledger.is_healthy()
    other.execute("ROLLBACK")
    OrderRecord(ledger).accept(ticket(), NOON)
    assert ledger.is_healthy()


def test_closed_ledger_is_not_healthy(ledger: Ledger) -> None:
    ledger.close()
    assert not ledger.is_healthy()


def test_order_is_taken_once(ledger: Ledger) -> None:
    orders = OrderRecord(ledger)
    assert orders.accept(ticket(), NOON)
    assert not orders.accept(ticket(), NOON)


def test_order_comes_back_from_the_ledger_as_it_was(path: Path) -> None:
    ledger = Ledger(path)
    OrderRecord(ledger).accept(ticket(), NOON)
    ledger.close()
    assert OrderRecord(Ledger(path)).ticket_of("order-1") == ticket()


def test_submission_begins_once(ledger: Ledger) -> None:
    orders = OrderRecord(ledger)
    orders.accept(ticket(), NOON)
    assert orders.begin_submission("order-1", NOON)
    assert not orders.begin_submission("order-1", NOON)


def test_final_order_stays_final(ledger: Ledger) -> None:
    orders = OrderRecord(ledger)
    orders.accept(ticket(), NOON)
    assert orders.close("order-1")
    assert not orders.close("order-1")
    orders.note_working("order-1")
    orders.doubt_everything_open()
    assert orders.state_of("order-1") == "CLOSED"


def test_restart_doubts_every_order_that_is_not_final(ledger: Ledger) -> None:
    orders = OrderRecord(ledger)
    for name in ("accepted", "submitting", "working", "closed"):
        orders.accept(ticket(name), NOON)
    orders.begin_submission("submitting", NOON)
    orders.note_working("working")
    orders.close("closed")
    assert orders.doubt_everything_open() == 3
    assert [order.id for order in orders.in_doubt()] == ["accepted", "submitting", "working"]


def test_malformed_order_is_remembered_without_a_ticket(ledger: Ledger) -> None:
    orders = OrderRecord(ledger)
    assert orders.accept_malformed(MalformedOrder("order-1", "no side"), NOON)
    assert not orders.accept_malformed(MalformedOrder("order-1", "no side"), NOON)
    assert orders.ticket_of("order-1") is None


def test_repeated_execution_counts_once(ledger: Ledger) -> None:
    orders = OrderRecord(ledger)
    orders.accept(ticket(), NOON)
    fill = Execution(exec_id="fill-1", qty=2, price=Decimal("5250.25"), at=NOON)
    assert orders.add_execution("order-1", fill)
    assert not orders.add_execution("order-1", fill)
    assert orders.filled_qty("order-1") == 2


# -- the file under the bridge -----------------------------------------------------------------------------------------


def takes_away(*parts: str) -> Callable[[Path], None]:
    def act(path: Path) -> None:
        for part in parts:
            path.with_name(path.name + part).unlink()

    return act


def replaces(path: Path) -> None:
    other = path.with_name("other.sqlite")
    Ledger(other).close()
    other.replace(path)


@pytest.mark.parametrize(
    "somebody",
    [
        pytest.param(takes_away(""), id="deletes the ledger"),
        pytest.param(takes_away("-wal"), id="deletes its log"),
        pytest.param(takes_away("", "-wal", "-shm"), id="deletes all of it"),
        pytest.param(replaces, id="moves another ledger over it"),
        pytest.param(lambda path: os.truncate(path, 0), id="cuts it"),
    ],
)
def test_nothing_is_written_to_a_ledger_that_is_lost(
    ledger: Ledger, path: Path, somebody: Callable[[Path], None]
) -> None:
    orders = OrderRecord(ledger)
    assert orders.accept(ticket("order-1"), NOON)
    somebody(path)
    with pytest.raises(LedgerLost, match="no order is claimed; restore the ledger and restart the bridge"):
        orders.accept(ticket("order-2"), NOON)
    assert not ledger.is_healthy()
    assert orders.state_of("order-2") is None


def test_a_lost_ledger_stays_lost_until_a_restart(ledger: Ledger, path: Path) -> None:
    away = path.with_name("away.sqlite")
    path.rename(away)
    with pytest.raises(LedgerLost):
        ledger.require_kept()
    away.rename(path)
    with pytest.raises(LedgerLost):
        ledger.require_kept()
    ledger.close()
    Ledger(path).require_kept()


def test_a_ledger_whose_log_is_deleted_keeps_what_was_written(ledger: Ledger, path: Path) -> None:
    OrderRecord(ledger).accept(ticket("order-1"), NOON)
    path.with_name(path.name + "-wal").unlink()
    with pytest.raises(LedgerLost):
        ledger.require_kept()
    found = path.with_name("as-another-process-finds-it.sqlite")
    shutil.copyfile(path, found)  # in this process SQLite would go on with the files that it has open
    assert OrderRecord(Ledger(found)).state_of("order-1") == "ACCEPTED"


def test_only_its_owner_may_read_a_ledger(ledger: Ledger, path: Path) -> None:
    files = [path.with_name(path.name + part) for part in ("", "-wal", "-shm", ".lock")]
    InstanceLock(path)
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600] * 4
    for file in files:
        file.chmod(0o644)
    Ledger(path).close()
    assert [stat.S_IMODE(file.stat().st_mode) for file in files[:3]] == [0o600] * 3
