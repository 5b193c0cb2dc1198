"""Two processes on one store: one holds the desk, the other stands by and follows (DESIGN 3)."""

import itertools
import json
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from services.desk import lease as tenure
from services.desk.commit_batch import Outcome
from services.desk.manager import StateManager
from services.engine.model.commands import AnyCommand, CloseBrick, EnterMarket, KeepDeadLetter, NotePrice
from services.live.activity import ActivityLog
from services.live.broadcast import Broadcaster
from services.notifications.delivery import Marked, NoticeCounter, NoticeSender, Target
from services.notifications.kinds import Notifying
from services.notifications.stored import not_taken, notice_record, taken, waiting_notices
from services.ops.config import Config
from services.ops.opening import open_store
from services.projections.trades import TRADES
from services.stores.records import Kind, Record
from services.stores.sqlite.store import SqliteStore
from services.stores.store import (
    Commit,
    Head,
    JournalRow,
    NotTheWriter,
    OutcomeUnknown,
    Stored,
    StoreDown,
    StoreError,
)
from tests.desk.test_manager import RULES
from tests.support.commits import Ear
from tests.support.desk_process import (
    PATIENCE_SECONDS,
    QUICK,
    DeskProcess,
    OperatorCaller,
    TradingViewCaller,
    error_of,
    eventually,
)
from tests.support.heard import chunks_of
from tests.support.narrow import known, of_type
from tests.support.own_time import Stopwatch
from wire.types import Stream

GREEN, RED = CloseBrick("ES", Stream.FOUR, "green"), CloseBrick("ES", Stream.FOUR, "red")


class PausableStore(SqliteStore):
    """A real store that a test can hold up, as a paused process or a dead network does."""

    def __init__(self, path: Path) -> None:
        self.goes = threading.Event()
        self.goes.set()
        self.loses_answers = 0
        self.renewals = 0
        self.looks: list[tuple[float, Head | None]] = []  # when each look at the head alone ended, and what it saw
        self._is_loading = False
        super().__init__(path)

    def load(self) -> Stored | None:
        self._is_loading = True
        try:
            return super().load()
        finally:
            self._is_loading = False

    def head(self) -> Head | None:
        assert self.goes.wait(PATIENCE_SECONDS)
        head = super().head()
        if not self._is_loading:
            self.looks.append((time.monotonic(), head))
        return head

    def renew(self, head: Head) -> Head:
        assert self.goes.wait(PATIENCE_SECONDS)
        renewed = super().renew(head)
        self.renewals += 1
        return renewed

    def commit(self, commit: Commit) -> Head:
        assert self.goes.wait(PATIENCE_SECONDS)
        head = super().commit(commit)
        if self.loses_answers:
            self.loses_answers -= 1
            raise OutcomeUnknown("the answer was lost")
        return head


@pytest.fixture(autouse=True)
def quick_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenure, "LEASE_SECONDS", 1.5)  # a busy machine may hold up the writer's renewal for a while
    monkeypatch.setattr(tenure, "RENEW_SECONDS", 0.15)
    monkeypatch.setattr(tenure, "LOOK_SECONDS", 0.05)


@pytest.fixture
def long_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no lease run out, though a busy machine holds up the writer's thread."""
    monkeypatch.setattr(tenure, "LEASE_SECONDS", 10 * PATIENCE_SECONDS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "desk.sqlite"


@pytest.fixture
def managers() -> Iterator[Callable[..., StateManager]]:
    opened = []

    def open_one(path: Path, **more: Any) -> StateManager:
        manager = StateManager(PausableStore(path), lambda now: RULES, **more)
        opened.append(manager)
        return manager

    yield open_one
    for manager in opened:
        store_of(manager).goes.set()
    for manager in opened:
        manager.stop()


def store_of(manager: StateManager) -> PausableStore:
    return of_type(PausableStore, manager.store)


def color(manager: StateManager) -> str | None:
    return manager.snapshot.desk.assets["ES"].stack.four.color


def kinds(manager: StateManager) -> list[str]:
    return [row.kind for row in manager.store.journal()]


def test_the_second_one_stands_by_and_shows_what_the_first_commits(
    path: Path, managers: Callable[..., StateManager]
) -> None:
    writer, standby = managers(path), managers(path)
    assert (writer.is_writer, standby.is_writer) == (True, False)
    assert standby.snapshot.writer == writer.snapshot.writer != ""
    writer.submit(GREEN)
    eventually(lambda: color(standby) == "green")
    assert standby.snapshot.desk.sequence == writer.snapshot.desk.sequence
    assert standby.snapshot.store == "up"


def test_the_standby_refuses_every_command_and_says_who_holds_the_desk(
    path: Path, managers: Callable[..., StateManager]
) -> None:
    writer, standby = managers(path), managers(path)
    before = kinds(writer)
    for command in (
        GREEN,
        EnterMarket("ES", "SCALP", "6pt"),
        NotePrice("ES", price=Decimal(5250)),
        KeepDeadLetter("/", "", ""),
    ):
        with pytest.raises(NotTheWriter) as refused:
            standby.submit(command, "key")
        assert refused.value.writer == writer.snapshot.writer
    assert kinds(writer) == before


def test_it_hears_of_every_row_that_it_follows(path: Path, managers: Callable[..., StateManager]) -> None:
    ear = Ear()
    writer, standby = managers(path), managers(path, subscribers=[ear])
    for number in range(20):
        writer.submit(KeepDeadLetter("/tv_renko", "why", str(number)))
    eventually(lambda: [row.kind for row in ear.rows].count("KeepDeadLetter") == 20)
    assert standby.snapshot.version > 0


def test_it_shows_when_a_rule_was_tried_last(path: Path, managers: Callable[..., StateManager]) -> None:
    writer, standby = managers(path), managers(path)
    assert (writer.snapshot.tried_at, standby.snapshot.tried_at) == (None, None)
    writer.submit(EnterMarket("ES", "SCALP", "6pt"))
    tried_at = writer.snapshot.tried_at
    assert tried_at is not None
    eventually(lambda: standby.snapshot.tried_at == tried_at)
    writer.submit(GREEN)
    eventually(lambda: color(standby) == "green")
    assert standby.snapshot.tried_at == tried_at
    writer.stop()
    eventually(lambda: standby.is_writer)
    assert standby.snapshot.tried_at == tried_at


def test_it_takes_over_at_once_when_the_writer_lets_go(
    path: Path, managers: Callable[..., StateManager], long_lease: None
) -> None:
    writer, standby = managers(path), managers(path)
    writer.submit(GREEN)
    writer.stop()
    eventually(lambda: standby.is_writer)
    assert [known(head).holder for _, head in store_of(standby).looks].count(
        ""
    ) == 1  # the first look that finds it free
    standby.submit(RED)
    assert color(standby) == "red"
    assert standby.snapshot.desk.alerts == ()


def test_it_takes_over_from_a_silent_writer_and_says_that_it_was_lost(
    path: Path, managers: Callable[..., StateManager]
) -> None:
    writer, standby = managers(path), managers(path)
    lost = writer.snapshot.writer
    store_of(writer).goes.clear()
    eventually(lambda: standby.is_writer)
    took_over_at = time.monotonic()
    silent_since, looks = silence_seen_by(standby)
    assert took_over_at - silent_since >= tenure.LEASE_SECONDS
    assert len([at for at in looks if at >= silent_since + tenure.LEASE_SECONDS]) in (1, 2)
    (alert,) = standby.snapshot.desk.alerts
    assert (alert.code, alert.level) == ("writer_lost", "warning")
    assert lost in alert.sentence
    assert kinds(standby)[-1] == "TakeOver"


def silence_seen_by(standby: StateManager) -> tuple[float, list[float]]:
    """Return when a standby that took over had seen the lost writer's last sign, and when it looked from then on."""
    _, last_sign = store_of(standby).looks[-1]  # a writer does not look
    looks = [at for at, head in store_of(standby).looks if head == last_sign]
    return looks[0], looks


def test_a_paused_writer_that_wakes_up_commits_nothing_and_steps_down(
    path: Path, managers: Callable[..., StateManager]
) -> None:
    writer, standby = managers(path), managers(path)
    store_of(writer).goes.clear()
    answers = []
    asking = threading.Thread(target=lambda: answers.append(_outcome(writer, RED)))
    asking.start()
    eventually(lambda: standby.is_writer)
    standby.submit(GREEN)
    before = kinds(standby)
    store_of(writer).goes.set()
    asking.join(PATIENCE_SECONDS)
    assert isinstance(answers[0], (NotTheWriter, StoreDown, OutcomeUnknown))
    eventually(lambda: not writer.is_writer)
    eventually(lambda: color(writer) == "green")
    assert "CloseBrick" not in kinds(standby)[len(before) :]
    assert writer.snapshot.writer == standby.snapshot.writer
    with pytest.raises(NotTheWriter):
        writer.submit(RED)


def _outcome(manager: StateManager, command: AnyCommand) -> Outcome | StoreError:
    try:
        return manager.submit(command)
    except StoreError as error:
        return error


def holds_the_desk(manager: StateManager) -> bool:
    return manager.is_writer


def stands_by(manager: StateManager) -> bool:
    return not manager.is_writer


def test_the_two_never_hold_the_desk_together_however_often_it_changes_hands(
    path: Path, managers: Callable[..., StateManager]
) -> None:
    pair = [managers(path), managers(path)]
    for _ in range(4):
        writer, standby = sorted(pair, key=lambda manager: not manager.is_writer)
        store_of(writer).goes.clear()
        eventually(partial(holds_the_desk, standby))
        store_of(writer).goes.set()
        eventually(partial(stands_by, writer))
    sequences = [row.sequence for row in pair[0].store.journal()]
    assert sequences == list(range(1, len(sequences) + 1))


def test_an_outage_of_the_standby_does_not_count_against_the_writer(
    path: Path, managers: Callable[..., StateManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenure, "LEASE_SECONDS", 3.0)  # the writer is renewed, and seen to be, over a whole lease
    writer, standby = managers(path), managers(path)
    store_of(standby).goes.clear()
    time.sleep(tenure.LEASE_SECONDS + 0.3)
    looked = len(store_of(standby).looks)
    store_of(standby).goes.set()
    eventually(lambda: len(store_of(standby).looks) >= looked + 6)
    assert writer.is_writer
    assert not standby.is_writer


def test_what_is_committed_while_the_standby_reads_is_followed_once(
    path: Path, managers: Callable[..., StateManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer commits between the standby's look at the desk and its look at the journal."""
    ear, writer = Ear(), managers(path)
    standby = managers(path, subscribers=[ear])
    load, between = standby.store.load, iter([True])

    def load_slowly() -> Stored | None:
        stored = load()
        if next(between, False):
            writer.submit(KeepDeadLetter("/tv_renko", "in between", ""))
        return stored

    monkeypatch.setattr(standby.store, "load", load_slowly)
    writer.submit(GREEN)
    eventually(lambda: standby.snapshot.desk.sequence == writer.snapshot.desk.sequence and next(between, None) is None)
    told = [row.sequence for row in ear.rows]
    assert told == sorted(set(told))


def test_a_standby_does_not_read_the_desk_for_a_renewed_lease(
    path: Path, managers: Callable[..., StateManager], long_lease: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, standby = managers(path), managers(path)
    loads: list[Stored | None] = []
    load = standby.store.load
    eventually(lambda: standby.snapshot.desk.sequence == writer.snapshot.desk.sequence)
    looks_on_after_a_renewal(standby, writer)

    def load_and_count() -> Stored | None:
        loads.append(load())
        return loads[-1]

    monkeypatch.setattr(standby.store, "load", load_and_count)
    version = standby.snapshot.version
    for _ in range(6):
        looks_on_after_a_renewal(standby, writer)
    assert (loads, standby.snapshot.version) == ([], version)


def looks_on_after_a_renewal(standby: StateManager, writer: StateManager) -> None:
    """Wait until the writer has renewed its lease and the standby has looked twice since."""
    renewals = store_of(writer).renewals
    eventually(lambda: store_of(writer).renewals > renewals)
    looks = len(store_of(standby).looks)
    eventually(lambda: len(store_of(standby).looks) >= looks + 2)


def test_versions_grow_though_the_next_machines_clock_is_behind(
    path: Path, managers: Callable[..., StateManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + 30 * 10**9)
    first = managers(path)
    first.submit(GREEN)
    for price in range(5):
        first.submit(NotePrice("ES", price=Decimal(5250 + price)))
    before = first.snapshot.version
    first.stop()
    monkeypatch.setattr(time, "time_ns", real)
    assert managers(path).snapshot.version > before


def test_a_page_of_the_process_before_begins_anew(path: Path, managers: Callable[..., StateManager]) -> None:
    """What the lost writer showed and never committed must not stay on a page that resumes at the next one."""
    log, writer = ActivityLog(), managers(path)
    standby = managers(path, subscribers=[log])
    broadcaster = Broadcaster(standby, log)
    writer.submit(CloseBrick("ES", Stream.ONE, "red"))
    seen = writer.snapshot.version
    store_of(writer).goes.clear()
    eventually(lambda: standby.is_writer)
    eventually(lambda: broadcaster._seen.role == "writer")
    first = next(chunks_of(broadcaster.listen(after=seen)))
    broadcaster.stop()
    assert b"event: state" in first


def test_a_sender_forgets_its_mark_when_another_process_holds_the_desk(
    path: Path, managers: Callable[..., StateManager]
) -> None:
    """Its notice was sent by the other one meanwhile: the old mark must not make it due again."""
    kinds = Notifying(frozenset({"writer_lost", "alert"}), 1)
    first, second = managers(path, notifying=kinds), managers(path, notifying=kinds)
    store_of(first).goes.clear()
    eventually(lambda: second.is_writer)  # the alert of the lost writer waits to be sent
    store_of(first).goes.set()
    eventually(lambda: not first.is_writer)
    (notice,) = waiting_notices(second.store, 1)
    sender = NoticeSender(first, Target(1, "json", None), NoticeCounter(), threading.Event())
    sender._unmarked = Marked(first.epoch, [not_taken(notice, first.now, "refused")])
    with pytest.raises(NotTheWriter):
        sender.turn()
    second.mark_records([notice_record(taken(notice, second.now))], second.epoch)
    second.stop()
    eventually(lambda: first.is_writer)
    assert sender._unmarked is None
    assert waiting_notices(first.store, 1) == []


def test_a_mark_of_an_earlier_turn_as_the_writer_changes_nothing(
    path: Path, managers: Callable[..., StateManager]
) -> None:
    """The desk went to the other process and came back while a notice was under way: the other's mark stands."""
    kinds = Notifying(frozenset({"writer_lost", "alert"}), 1)
    first, second = managers(path, notifying=kinds), managers(path, notifying=kinds)
    epoch = first.epoch
    store_of(first).goes.clear()
    eventually(lambda: second.is_writer)
    store_of(first).goes.set()
    eventually(lambda: not first.is_writer)
    (notice,) = waiting_notices(second.store, 1)
    second.mark_records([notice_record(taken(notice, second.now))], second.epoch)
    second.stop()
    eventually(lambda: first.is_writer)
    assert first.epoch == epoch + 2
    first.mark_records([notice_record(not_taken(notice, first.now, "refused"))], epoch)
    assert waiting_notices(first.store, 1) == []
    first.mark_records([notice_record(not_taken(notice, first.now, "refused"))], first.epoch)
    assert [one.attempts for one in waiting_notices(first.store, 1)] == [1]


# -- writes of which nobody knows ------------------------------------------------------------------------------------


def test_a_write_whose_answer_was_lost_is_found_and_not_repeated(
    path: Path, managers: Callable[..., StateManager]
) -> None:
    manager = managers(path)
    store_of(manager).loses_answers = 1
    with pytest.raises(OutcomeUnknown):
        manager.submit(GREEN, "key")
    eventually(lambda: color(manager) == "green")
    assert manager.snapshot.store == "up"
    assert manager.submit(GREEN, "key").repeated
    assert kinds(manager).count("CloseBrick") == 1


def test_a_write_in_doubt_cannot_come_through_after_it_was_settled(
    path: Path, managers: Callable[..., StateManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that hangs in the network while the writer gives up on it must find the door closed."""
    manager = managers(path)
    late: list[Commit] = []
    commit = manager.store.commit

    def hang(wanted: Commit) -> Head:
        late.append(wanted)
        raise OutcomeUnknown("no answer in time")

    monkeypatch.setattr(manager.store, "commit", hang)
    with pytest.raises(OutcomeUnknown):
        manager.submit(GREEN)
    monkeypatch.setattr(manager.store, "commit", commit)
    eventually(lambda: manager.snapshot.store == "up")
    assert color(manager) == "neutral"
    assert _commit_error(commit, late[0]) == "VersionConflict"
    manager.submit(RED)
    assert kinds(manager).count("CloseBrick") == 1


def test_a_fault_behind_the_commit_is_mended_from_what_is_stored(
    path: Path, managers: Callable[..., StateManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit stands and is remembered, but the program fails before anybody was shown it."""
    manager = managers(path)
    show, faults = manager._published.show, iter([True])

    def fail_once(**changes: Any) -> None:
        if next(faults, False):
            raise KeyError("a fault of ours")
        show(**changes)

    monkeypatch.setattr(manager._published, "show", fail_once)
    with pytest.raises(OutcomeUnknown):
        manager.submit(GREEN)
    eventually(lambda: color(manager) == "green")
    manager.submit(RED)
    assert color(manager) == "red"
    assert kinds(manager).count("CloseBrick") == 2


def test_a_doubt_lasts_until_what_is_stored_was_read(
    path: Path, managers: Callable[..., StateManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write had come through, and reading it fails at first: nothing may be written onto the old state."""
    manager = managers(path)
    store, failures = store_of(manager), iter([True, True, True])
    load = store.load

    def fail_at_first() -> Stored | None:
        if next(failures, False):
            raise StoreDown("not yet")
        return load()

    monkeypatch.setattr(store, "load", fail_at_first)
    store.loses_answers = 1
    with pytest.raises(OutcomeUnknown):
        manager.submit(GREEN)
    eventually(lambda: color(manager) == "green")
    assert next(failures, None) is None
    manager.submit(RED)
    sequences = [row.sequence for row in store.journal()]
    assert sequences == list(range(1, len(sequences) + 1))


def test_a_takeover_that_fails_half_way_is_tried_again(
    path: Path, managers: Callable[..., StateManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, standby = managers(path), managers(path)
    store, newest_records, failures = standby.store, standby.store.newest_records, iter([True, True])

    def fail_at_first(kind: Kind, *asked: Any) -> list[Record]:
        if kind is TRADES and next(failures, False):
            raise StoreDown("not yet")
        return newest_records(kind, *asked)

    monkeypatch.setattr(store, "newest_records", fail_at_first)
    writer.stop()
    eventually(lambda: standby.is_writer)
    assert next(failures, None) is None
    standby.submit(GREEN)


def _commit_error(commit: Callable[[Commit], Head], late: Commit) -> str | None:
    try:
        commit(late)
    except StoreError as error:
        return type(error).__name__
    return None


# -- real processes, on either store ---------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "firestore"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Where two webs meet: the settings that name the store."""
    if request.param == "sqlite":
        return {"SQLITE_PATH": str(tmp_path / "shared.sqlite")}
    host = request.getfixturevalue("firestore_host")
    project = f"standby-{secrets.token_hex(4)}"
    return {"STORE": "firestore", "GOOGLE_CLOUD_PROJECT": project, "FIRESTORE_EMULATOR_HOST": host}


@contextmanager
def two_webs(folder: Path, place: dict[str, str]) -> Iterator[tuple[DeskProcess, DeskProcess]]:
    with (
        DeskProcess(folder / "one", **QUICK, **place) as first,
        DeskProcess(folder / "two", **QUICK, **place) as second,
    ):
        yield first, second


def journal_of(desk: DeskProcess) -> list[JournalRow]:
    store = open_store(Config.from_env(desk.settings))
    try:
        return list(store.journal())
    finally:
        store.close()


def role_of(operator: OperatorCaller) -> str:
    role: str = operator.state()["global"]["role"]
    return role


@pytest.mark.processes
def test_a_second_web_stands_by_and_follows_a_killed_one(tmp_path: Path, place: dict[str, str]) -> None:
    with two_webs(tmp_path, place) as (first, second):
        first.tradingview().opens_the_ladder()
        operator = second.operator()
        eventually(lambda: operator.asset()["main_renko_color"] == "green")
        state = operator.state()["global"]
        assert (state["role"], state["store"]) == ("standby", "up")
        answer = second.tradingview().brick(4, "green")
        assert "STANDBY" in error_of(answer, 503)
        assert answer.headers["Retry-After"]
        assert answer.json()["writer"] == state["writer"]
        assert (answer.json()["code"], answer.json()["facts"]) == ("standby", {"writer": state["writer"]})
        assert "STANDBY" in error_of(operator.enters(), 503)
        first.kill()
        watch = Stopwatch(second.process)
        eventually(lambda: role_of(operator) == "writer")
        assert watch.seconds < 5  # on one machine the end of a process is seen, no lease need run out
        assert operator.enters_when_the_candle_allows()["status"] == "PENDING"


@pytest.mark.processes
def test_a_paused_web_is_followed_within_ten_seconds_and_steps_down_when_it_wakes(
    tmp_path: Path, place: dict[str, str]
) -> None:
    with two_webs(tmp_path, place) as (first, second):
        first.tradingview().opens_the_ladder()
        operator = second.operator()
        first.signal(signal.SIGSTOP)
        began, watch = time.monotonic(), Stopwatch(second.process)
        eventually(lambda: role_of(operator) == "writer")
        took, took_itself = time.monotonic() - began, watch.seconds
        order = operator.enters_when_the_candle_allows()
        first.signal(signal.SIGCONT)
        assert "STANDBY" in error_of(first.operator().enters(), 503)
        eventually(lambda: [one["id"] for one in first.operator().state()["orders"]] == [order["id"]])
        assert took > 4
        assert took_itself < 10
        rows = journal_of(second)
        assert [row.kind for row in rows if b"OrderQueued" in row.events] == ["EnterMarket"]
        assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))


@pytest.mark.processes
def test_a_rolling_deploy_loses_and_doubles_nothing(tmp_path: Path, place: dict[str, str]) -> None:
    """Old and new web overlap; TradingView sends each brick again until somebody takes it (503), to either of them."""
    with two_webs(tmp_path, place) as (old, new):
        sent: list[str] = []
        stop = threading.Event()

        def sends(number: int) -> None:
            webs = [old.tradingview(), new.tradingview()]
            while not stop.is_set():
                name = f"brick {number} {len(sent)}"
                sent.append(name)
                tries = itertools.count()
                eventually(partial(_is_taken_in_turn, webs, tries, name))

        with ThreadPoolExecutor(4) as senders:
            sending = [senders.submit(sends, number) for number in range(4)]
            eventually(lambda: len(sent) > 20)
            old.spawned.terminate()
            operator = new.operator()
            eventually(lambda: role_of(operator) == "writer")
            told = len(sent)
            eventually(lambda: len(sent) > max(told + 20, 40))
            stop.set()
            for sender in sending:
                sender.result(PATIENCE_SECONDS)
        rows = journal_of(new)
        applied = [json.loads(row.command)["bar_id"] for row in rows if b"BrickApplied" in row.events]
        assert sorted(applied) == sorted(sent)
        assert len(sent) > 40
        assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
        assert operator.state()["alerts"] == []


def _is_taken_in_turn(webs: list[TradingViewCaller], tries: Iterator[int], name: str) -> bool:
    """Send a brick to the next of the webs; return whether it was taken."""
    try:
        return webs[next(tries) % len(webs)].brick(2.5, "green", bar_id=name).status_code == 200
    except requests.RequestException:
        return False
