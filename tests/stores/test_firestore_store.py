"""Firestore's own: outages, unknown outcomes, limits, credentials. What all stores keep: test_store_contract.py."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from msgspec.structs import replace

from services.notifications.stored import NOTICES
from services.stores.firestore import wire as firestore_wire
from services.stores.firestore.failures import Refused, read_errors, write_errors
from services.stores.firestore.layout import LAYOUT
from services.stores.firestore.store import FirestoreStore
from services.stores.firestore.wire import PAGE_SECONDS, Query, Write, is_name
from services.stores.store import Head, OutcomeUnknown, Store, StoreDown, StoredReply, StoreUnreadable, VersionConflict
from tests.stores.test_store_contract import LONG_AGO, NOON, a_commit, a_notice, a_row, an_account_day, an_order
from tests.support.desk_process import PATIENCE_SECONDS
from tests.support.emulator import Emulator, NoEmulator, is_needed, warm_up
from tests.support.narrow import known
from tests.support.own_time import Stopwatch
from tests.support.paths import REPOSITORY as PROJECT
from tests.support.ports import free_port

LONGEST_CALL = PAGE_SECONDS + 0.3
BACK_WITHIN_SECONDS = 2.5


def a_project() -> str:
    return f"desk-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def store(firestore_host: str) -> Iterator[FirestoreStore]:
    store = FirestoreStore(a_project(), emulator_host=firestore_host)
    yield store
    store.close()


@pytest.fixture(scope="module")
def own_emulator() -> Iterator[Emulator]:
    """An emulator that may be ended and stopped: nobody else uses it."""
    try:
        with Emulator() as emulator:
            warm_up(emulator.host)
            yield emulator
    except NoEmulator as error:
        if is_needed():
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
def promises(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let calls have the program's own deadlines: how soon they are answered is what is measured."""
    monkeypatch.undo()


@pytest.fixture
def shaky(own_emulator: Emulator, promises: None) -> Iterator[FirestoreStore]:
    """A store whose emulator the story may disturb."""
    store = FirestoreStore(a_project(), emulator_host=own_emulator.host)
    yield store
    store.close()


def seconds_of(call: Callable[..., Any], *failure: type[Exception]) -> float:
    """Return how long a call took to fail."""
    watch = Stopwatch()
    with pytest.raises(failure):
        call()
    return watch.seconds


# -- outages ---------------------------------------------------------------------------------------------------------


def test_a_write_without_an_answer_is_unknown_and_renewing_settles_it(
    own_emulator: Emulator, shaky: FirestoreStore
) -> None:
    head = shaky.commit(a_commit(None))
    own_emulator.pause()
    try:
        assert seconds_of(lambda: shaky.commit(a_commit(head)), OutcomeUnknown) < LONGEST_CALL
        assert seconds_of(lambda: shaky.renew(head), OutcomeUnknown) < LONGEST_CALL
        assert seconds_of(shaky.head, StoreDown) < LONGEST_CALL
        assert seconds_of(shaky.load, StoreDown) < LONGEST_CALL
        assert seconds_of(lambda: list(shaky.journal()), StoreDown) < LONGEST_CALL
    finally:
        own_emulator.resume()
    settled = renewed(shaky)
    after = shaky.load()
    with pytest.raises(VersionConflict):
        shaky.commit(a_commit(head))
    assert shaky.load() == after
    assert len(list(shaky.journal())) == settled.sequence


def renewed(store: Store) -> Head:
    """Renew on whatever head stands, until an answer comes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return store.renew(known(store.head()))
        except (StoreDown, OutcomeUnknown, VersionConflict):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_without_a_connection_nothing_was_written_and_it_comes_back_by_itself(
    own_emulator: Emulator, shaky: FirestoreStore
) -> None:
    head = shaky.commit(a_commit(None))
    own_emulator.kill()
    seconds_of(shaky.head, StoreDown)
    time.sleep(0.3)
    for _ in range(3):
        assert seconds_of(lambda: shaky.commit(a_commit(head)), StoreDown) < 0.5
    own_emulator.start()
    warm_up(own_emulator.host)  # its first steps are not the store's
    watch = Stopwatch()
    while True:
        try:
            assert shaky.head() is None  # the emulator forgets everything
            break
        except StoreDown:
            assert watch.seconds < BACK_WITHIN_SECONDS
            time.sleep(0.05)
    shaky.commit(a_commit(None))


def test_a_store_that_nobody_reaches_is_down_at_once(promises: None) -> None:
    store = FirestoreStore(a_project(), emulator_host=f"127.0.0.1:{free_port()}")
    assert seconds_of(store.load, StoreDown) < 0.5
    assert seconds_of(lambda: store.commit(a_commit(None)), StoreDown) < 0.5
    store.close()
    with pytest.raises(StoreDown):
        store.head()
    with pytest.raises(StoreDown):
        store.commit(a_commit(None))


CERTAIN = ("Aborted", "InvalidArgument", "PermissionDenied", "ResourceExhausted", "Unauthenticated")
DOUBTFUL = ("Cancelled", "DataLoss", "DeadlineExceeded", "InternalServerError", "ServiceUnavailable", "Unknown")


@pytest.mark.parametrize("name", [*CERTAIN, *DOUBTFUL, "AlreadyExists", "FailedPrecondition", "NotFound"])
def test_every_failure_is_either_nothing_or_unknown(name: str) -> None:
    failure = getattr(exceptions, name)("the words of the service\nin lines " + "x" * 1000)
    with pytest.raises(StoreDown), read_errors():
        raise failure
    wanted = OutcomeUnknown if name in DOUBTFUL else StoreDown if name in CERTAIN else Refused
    with pytest.raises(wanted) as told, write_errors():
        raise failure
    assert type(told.value) is wanted
    assert str(told.value).startswith(f"Firestore: {name}: the words of the service in lines")
    assert len(str(told.value)) < 300


# -- limits ----------------------------------------------------------------------------------------------------------


def test_a_document_that_is_too_large_is_refused_before_it_is_sent(store: FirestoreStore) -> None:
    head = store.commit(a_commit(None))
    large = b'"' + b"x" * firestore_wire.LARGEST_DOCUMENT + b'"'
    with pytest.raises(StoreDown, match=r"console_state/ES has 900,\d+ bytes, 900,000 are the most"):
        store.commit(a_commit(head, documents={"_global": b"{}", "ES": large}))
    assert store.head() == head
    store.commit(a_commit(head, documents={"_global": b"{}", "ES": large[:800_000]}))


def test_a_commit_that_is_too_large_is_refused_before_it_is_sent(store: FirestoreStore) -> None:
    many = [an_order(f"o{number}", body=b'"' + b"x" * 800_000 + b'"') for number in range(13)]
    with pytest.raises(StoreDown, match="Firestore takes 10,000,000 at once"):
        store.commit(a_commit(None, records=many))
    assert store.head() is None


def test_the_largest_group_is_one_commit(store: FirestoreStore) -> None:
    """64 commands make two rows each; ten targets hear of everything."""
    rows = 2 * store.group_at_most
    notices = [a_notice(n) for n in range(10 * store.group_at_most)]
    head = store.commit(a_commit(None, rows=rows, records=[*notices, *(an_order(f"o{n}") for n in range(64))]))
    assert (head.sequence, len(known(store.load()).open_orders)) == (rows, 64)


def test_a_page_is_followed_by_the_next_whatever_ends_it(store: FirestoreStore) -> None:
    """Replies of one moment lie on both sides of a page's edge."""
    replies = [StoredReply(f"k{n}", "f", NOON, b"1") for n in range(firestore_wire.PAGE + 20)]
    store.commit(a_commit(None, replies=replies))
    assert len({reply.key for reply in store.replies_since(LONG_AGO)}) == len(replies)


def test_what_was_kept_long_enough_goes_a_little_at_a_time(store: FirestoreStore) -> None:
    replies = [StoredReply(f"k{n}", "f", NOON - timedelta(hours=25), b"1") for n in range(60)]
    notices = [a_notice(n, NOON - timedelta(days=8)) for n in range(60)]
    head = store.commit(a_commit(None, replies=replies, records=notices))
    left, notices_left = [], []
    for minutes in (1, 61, 62, 63, 64, 65):
        row = replace(a_row(head.sequence + 1), at=NOON + timedelta(minutes=minutes))
        head = store.commit(a_commit(head, journal=[row], records=[a_notice(99, row.at)]))
        left.append(len(store.replies_since(LONG_AGO)))
        notices_left.append(len(store.records_by_id(NOTICES, "", "~")) - 1)
    assert left == [60, 35, 10, 0, 0, 0]
    assert notices_left == [60, 35, 10, 0, 0, 0]


# -- what is stored --------------------------------------------------------------------------------------------------


def test_every_document_has_a_schema_and_the_names_of_the_specification(store: FirestoreStore) -> None:
    head = store.commit(
        a_commit(
            None,
            records=[an_order(), an_account_day(), a_notice()],
            replies=[StoredReply("k", "f", NOON, b"1")],
        )
    )
    backup = store.back_up("of the day/1")
    assert backup == "backups/of-the-day-1"
    names = {}
    for collection in ("console_state", "orders", "journal", "replies", "notices", "pnl_snapshots", "backups"):
        found = store._wire.page(Query(collection))
        assert all(isinstance(document.fields["schema"], int) for document in found)
        names[collection] = {document.id for document in found}
    assert names["console_state"] == {"_global", "ES"}
    assert (names["orders"], names["journal"], names["pnl_snapshots"]) == ({"o1"}, {"000000000001"}, {"2026-11-20"})
    copies = {"of-the-day-1.document._global", "of-the-day-1.document.ES", "of-the-day-1.order.0000"}
    assert names["backups"] == {"of-the-day-1", *copies}
    with pytest.raises(StoreDown):
        store.back_up("of the day/1")
    assert store.head() == head


@pytest.mark.parametrize("fields", [{"schema": LAYOUT + 1}, {"schema": "1"}, {}, {"schema": LAYOUT, "sequence": 1}])
def test_a_head_of_another_program_is_unreadable(store: FirestoreStore, fields: dict[str, Any]) -> None:
    store._wire.commit([Write("console_state/_global", {**fields, "body": "{}"})])
    with pytest.raises(StoreUnreadable, match="_global"):
        store.head()
    with pytest.raises(StoreUnreadable, match="_global"):
        store.load()


def test_a_row_without_its_fields_is_unreadable(store: FirestoreStore) -> None:
    store.commit(a_commit(None))
    store._wire.commit([Write("journal/000000000001", {"schema": 2, "sequence": 1})])
    with pytest.raises(StoreUnreadable, match="journal/000000000001"):
        list(store.journal())


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "__x__", "x" * 1501, "\udc80"])
def test_what_cannot_be_a_name_is_not_asked_for(name: str) -> None:
    assert not is_name(name)


# -- credentials -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["hunter2", "[]", "{}", '{"type": "service_account", "private_key": "hunter2", "client_email": "a@b"}']
)
def test_a_key_that_is_none_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(StoreUnreadable, match="GOOGLE_CLOUD_CREDENTIALS") as told:
        FirestoreStore("my-desk", key)
    assert "hunter2" not in str(told.value)


def test_with_sqlite_the_library_is_not_loaded(tmp_path: Path) -> None:
    """Its modules take some 30 MiB: a desk on SQLite does not carry them."""
    program = (
        "import sys; from services.ops.config import Config; from services.ops.opening import open_store; "
        "open_store(Config.from_env(eval(sys.argv[1]))); "
        "print([name for name in sys.modules if name.startswith(('google', 'grpc'))])"
    )
    environ = {
        "TV_WEBHOOK_SECRET": "a-webhook-secret",
        "BRIDGE_HEARTBEAT_SECRET": "a-bridge-secret",
        "FLASK_SECRET_KEY": "a-flask-secret",
        "SQLITE_PATH": str(tmp_path / "desk.sqlite"),
    }
    ran = subprocess.run(
        [sys.executable, "-c", program, repr(environ)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_no_index_is_kept_of_bodies() -> None:
    overrides = json.loads((PROJECT / "firestore.indexes.json").read_text("utf-8"))["fieldOverrides"]
    without = {(one["collectionGroup"], one["fieldPath"]) for one in overrides if one["indexes"] == []}
    assert {("console_state", "body"), ("orders", "body"), ("trades", "body")} <= without
    assert {("journal", name) for name in ("command", "events", "observed")} <= without
