"""The single writer: decide, commit, adopt, publish, answer, in this order and no other (DESIGN 2, 3)."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace

from services.desk import manager as state_manager
from services.desk.commit_batch import KeyReused
from services.desk.manager import StateManager
from services.engine.model.bridge_commands import HearBridge, TakeSnapshot
from services.engine.model.commands import AnyCommand, CloseBrick, EnterMarket, KeepDeadLetter, NotePrice, TickClock
from services.engine.model.ticks import HearTicks, ToldTick
from services.ops.config import Config
from services.stores.sqlite.store import SqliteStore
from services.stores.store import Commit, Head, StoreDown, StoreError
from tests.support.desk_process import BRIDGE_SECRET, FLASK_KEY, PATIENCE_SECONDS, TV_SECRET, eventually
from wire.types import Stream

RULES = Config.from_env(
    {"TV_WEBHOOK_SECRET": TV_SECRET, "BRIDGE_HEARTBEAT_SECRET": BRIDGE_SECRET, "FLASK_SECRET_KEY": FLASK_KEY}
).rules_at(datetime.now(UTC))
GREEN, RED = CloseBrick("ES", Stream.FOUR, "green"), CloseBrick("ES", Stream.FOUR, "red")
ENTRY = EnterMarket("ES", "SCALP", "6pt")


class MoodyStore(SqliteStore):
    """A real store whose commits can be held up or refused."""

    def __init__(self, path: Path) -> None:
        self.may_commit = threading.Event()
        self.may_commit.set()
        self.is_committing = threading.Event()
        self.refuses_with: StoreError | None = None
        self.commits: list[Commit] = []
        super().__init__(path)

    def commit(self, commit: Commit) -> Head:
        self.is_committing.set()
        assert self.may_commit.wait(PATIENCE_SECONDS)
        if self.refuses_with is not None:
            raise self.refuses_with
        head = super().commit(commit)
        self.commits.append(commit)
        return head


@pytest.fixture
def store(tmp_path: Path) -> MoodyStore:
    return MoodyStore(tmp_path / "desk.sqlite")


@pytest.fixture
def manager(store: MoodyStore) -> Iterator[StateManager]:
    manager = StateManager(store, lambda now: RULES)
    store.commits.clear()
    store.is_committing.clear()
    yield manager
    store.may_commit.set()
    manager.stop()


def color(manager: StateManager) -> str | None:
    return manager.snapshot.desk.assets["ES"].stack.four.color


def test_nobody_sees_a_state_before_it_is_durable(manager: StateManager, store: MoodyStore) -> None:
    store.may_commit.clear()
    with ThreadPoolExecutor(1) as webhook:
        answer = webhook.submit(manager.submit, GREEN)
        assert store.is_committing.wait(PATIENCE_SECONDS)
        time.sleep(0.05)
        assert color(manager) == "neutral"
        assert not answer.done()
        store.may_commit.set()
        assert answer.result(PATIENCE_SECONDS).version == manager.snapshot.version
    assert color(manager) == "green"


def test_all_that_wait_are_committed_at_once_in_their_order(manager: StateManager, store: MoodyStore) -> None:
    store.may_commit.clear()
    with ThreadPoolExecutor(21) as webhooks:
        first = webhooks.submit(manager.submit, GREEN)
        assert store.is_committing.wait(PATIENCE_SECONDS)
        others = [webhooks.submit(manager.submit, KeepDeadLetter("/tv_renko", "why", str(n))) for n in range(20)]
        eventually(lambda: manager.commands_waiting == 20)
        store.may_commit.set()
        outcomes = [waiting.result(PATIENCE_SECONDS) for waiting in (first, *others)]
    assert [len(commit.rows) for commit in store.commits] == [1, 20]
    sequences = [row.sequence for commit in store.commits for row in commit.rows]
    assert sequences == list(range(sequences[0], sequences[0] + 21))
    assert all(outcome.version <= manager.snapshot.version for outcome in outcomes)


def test_a_refused_commit_changes_nothing_and_tells_everybody(manager: StateManager, store: MoodyStore) -> None:
    manager.submit(GREEN)
    before = manager.snapshot
    store.refuses_with = StoreDown("the disk is full")
    with ThreadPoolExecutor(8) as webhooks:
        answers = [webhooks.submit(manager.submit, RED) for _ in range(8)]
        assert all(isinstance(answer.exception(PATIENCE_SECONDS), StoreDown) for answer in answers)
    assert manager.snapshot.desk is before.desk
    assert manager.snapshot.store == "down"
    assert manager.snapshot.version > before.version
    store.refuses_with = None
    manager.submit(RED)
    assert (color(manager), manager.snapshot.store) == ("red", "up")
    sequences = [row.sequence for row in store.journal()]
    assert sequences == list(range(1, len(sequences) + 1))


def test_one_broken_command_does_not_spoil_its_group(manager: StateManager, store: MoodyStore) -> None:
    store.may_commit.clear()
    with ThreadPoolExecutor(4) as webhooks:
        webhooks.submit(manager.submit, GREEN)
        assert store.is_committing.wait(PATIENCE_SECONDS)
        broken = webhooks.submit(manager.submit, cast(AnyCommand, object()))  # no command at all: nothing decides it
        sound = webhooks.submit(manager.submit, RED)
        eventually(lambda: manager.commands_waiting == 2)
        store.may_commit.set()
        assert isinstance(broken.exception(PATIENCE_SECONDS), KeyError)
        assert sound.result(PATIENCE_SECONDS)
    assert color(manager) == "red"


def test_prices_alone_are_published_but_not_committed(manager: StateManager, store: MoodyStore) -> None:
    version = manager.snapshot.version
    manager.submit(NotePrice("ES", price=Decimal(5250)))
    assert manager.snapshot.version > version
    assert store.commits == []


def test_versions_only_grow(manager: StateManager) -> None:
    seen = [manager.snapshot.version]
    for number in range(50):
        manager.submit((GREEN, RED)[number % 2])
        seen.append(manager.snapshot.version)
    assert seen == sorted(set(seen))


def test_a_key_is_remembered_only_when_its_answer_was_stored(manager: StateManager, store: MoodyStore) -> None:
    store.refuses_with = StoreDown("not now")
    with pytest.raises(StoreDown):
        manager.submit(ENTRY, "key")
    store.refuses_with = None
    assert manager.submit(ENTRY, "key").repeated is False
    assert manager.submit(ENTRY, "key").repeated is True
    with pytest.raises(KeyReused):
        manager.submit(EnterMarket("ES", "RUNNER", "6pt"), "key")


def test_the_same_key_twice_in_one_group_is_answered_once(manager: StateManager, store: MoodyStore) -> None:
    store.may_commit.clear()
    with ThreadPoolExecutor(4) as clicks:
        clicks.submit(manager.submit, GREEN)
        assert store.is_committing.wait(PATIENCE_SECONDS)
        twice = [clicks.submit(manager.submit, ENTRY, "key") for _ in range(3)]
        eventually(lambda: manager.commands_waiting == 3)
        store.may_commit.set()
        outcomes = [click.result(PATIENCE_SECONDS) for click in twice]
    assert sorted(outcome.repeated for outcome in outcomes) == [False, True, True]
    assert [row.kind for row in store.journal()].count("EnterMarket") == 1


def test_who_waits_is_woken_by_the_change(manager: StateManager) -> None:
    with ThreadPoolExecutor(1) as waiting:
        woken = waiting.submit(
            manager.wait_until, lambda s: s.desk.assets["ES"].stack.four.color == "green", PATIENCE_SECONDS
        )
        manager.submit(GREEN)
        assert woken.result(PATIENCE_SECONDS) is True
    assert manager.wait_until(lambda snapshot: False, 0.05) is False


def test_what_was_answered_as_not_stored_is_not_stored_later(
    manager: StateManager, store: MoodyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_manager, "BEGIN_WITHIN_SECONDS", 0.3)
    store.may_commit.clear()
    with ThreadPoolExecutor(1) as slow:
        held_up = slow.submit(manager.submit, GREEN)
        assert store.is_committing.wait(PATIENCE_SECONDS)
        with pytest.raises(StoreDown):
            manager.submit(RED)
        store.may_commit.set()
        held_up.exception(PATIENCE_SECONDS)
    time.sleep(0.2)
    assert color(manager) != "red"


def test_a_new_start_begins_above_every_version_ever_shown(
    manager: StateManager, store: MoodyStore, tmp_path: Path
) -> None:
    manager.submit(GREEN)
    manager.submit(NotePrice("ES", price=Decimal(5250)))
    shown = manager.snapshot.version
    manager.stop()
    again = StateManager(SqliteStore(tmp_path / "desk.sqlite"), lambda now: RULES)
    begins_at = again.snapshot.version
    again.stop()
    assert begins_at > shown


def test_a_quiet_market_writes_twice_a_minute(store: MoodyStore) -> None:
    """Prices, 1pt bricks, heartbeats and snapshots without effect are kept every 30 s."""
    clock = [datetime(2026, 11, 20, 15, 0, tzinfo=UTC)]
    manager = StateManager(store, lambda now: RULES, lambda: clock[0])
    manager.submit(HearBridge(ts_connected=True))
    manager.submit(TakeSnapshot(balance=Decimal(50_000), positions=()))
    store.commits.clear()
    for second in range(300):
        clock[0] += timedelta(seconds=1)
        manager.submit(CloseBrick("ES", Stream.ONE, "green", bar_id=str(second), close=Decimal(5250)))
        manager.submit(NotePrice("ES", Decimal(5250) + second % 2, clock[0]))
        manager.submit(HearBridge(ts_connected=True))
        manager.submit(TakeSnapshot(balance=Decimal(50_000), positions=()))
        manager.submit(TickClock())
        manager.keep_observations()
    kinds = [row.kind for commit in store.commits for row in commit.rows]
    manager.stop()
    assert set(kinds) == {"KeepObservations"}
    assert len(kinds) == 300 // 30


def test_where_the_desk_builds_bricks_of_ticks_a_kill_forgets_five_seconds(store: MoodyStore) -> None:
    clock = [datetime(2026, 11, 20, 15, 0, tzinfo=UTC)]
    manager = StateManager(store, lambda now: replace(RULES, bricks_by_desk=("ES",)), lambda: clock[0])
    contract = RULES.contracts["ES"].symbol
    manager.submit(HearTicks("ES", contract, (ToldTick(clock[0], Decimal(5250), 0),)))
    store.commits.clear()
    for second in range(1, 61):
        clock[0] += timedelta(seconds=1)
        tick = ToldTick(clock[0], Decimal(5250) + Decimal("0.25") * (second % 2), second)
        manager.submit(HearTicks("ES", contract, (tick,)))
        manager.keep_observations()
    kinds = [row.kind for commit in store.commits for row in commit.rows]
    manager.stop()
    assert kinds == ["KeepObservations"] * (60 // 5)
