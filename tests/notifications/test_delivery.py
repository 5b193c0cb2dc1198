"""Notices on their way: stored with the events, a sender per target, nothing lost, nobody delayed."""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from cli import create_cli
from services.desk.manager import StateManager
from services.engine.model.bridge_commands import ClaimOrders, HearBridge
from services.engine.model.commands import (
    CloseBrick,
    EnterMarket,
    KeepObservations,
    NotePrice,
    SetLimits,
    SwitchEnv,
    TickClock,
)
from services.engine.model.replies import OrderTaken, Refusal
from services.notifications.delivery import (
    STOP_WITHIN_SECONDS,
    NoticeCounter,
    NoticeSender,
    NoticeSenders,
    WrongTarget,
    open_targets,
)
from services.notifications.kinds import Notifying
from services.notifications.stored import BACKOFF, is_outdated, waiting_notices
from services.ops.config import Config, ConfigError
from services.stores.records import Record
from services.stores.sqlite.store import SqliteStore
from services.stores.store import Head, StoreDown
from tests.support.desk_process import (
    BRIDGE_SECRET,
    FLASK_KEY,
    PATIENCE_SECONDS,
    REPOSITORY,
    TV_SECRET,
    DeskProcess,
    closing_connection,
    eventually,
    free_port,
)
from tests.support.fakes.notice_target import TOKEN, NoticeTarget, url_of
from tests.support.narrow import of_type
from tests.support.own_time import Stopwatch
from wire.types import Env, Stream

SETTINGS = {"TV_WEBHOOK_SECRET": TV_SECRET, "BRIDGE_HEARTBEAT_SECRET": BRIDGE_SECRET, "FLASK_SECRET_KEY": FLASK_KEY}
MORNING = datetime(2026, 11, 17, 14, 31, 10, tzinfo=UTC)
RULES = Config.from_env(SETTINGS).rules_at(MORNING)
FILLED = "[DEMO] ES long 5 @ 5250.25"
ENDS_WITHIN_SECONDS = 1.8  # before gunicorn loses patience, 2 s after it asked
WITHDRAWN = "withdrawn: the lock ends at another time"
WAITING = "SELECT title FROM notices WHERE next_try_at IS NOT NULL ORDER BY number"


@pytest.fixture
def phone() -> Iterator[NoticeTarget]:
    target = NoticeTarget()
    yield target
    target.leave()


@pytest.fixture
def second_phone() -> Iterator[NoticeTarget]:
    target = NoticeTarget()
    yield target
    target.leave()


# -- one sender, turn by turn, on a clock that the story moves ------------------------------------------------------


class StubbornStore(SqliteStore):
    """A real store that can refuse to write marks."""

    refuses_marks = False

    def mark_records(self, records: Sequence[Record], head: Head) -> Head:
        if self.refuses_marks:
            raise StoreDown("the disk is full")
        return super().mark_records(records, head)


class Outbox:
    """A desk with a phone: what happens on it, and one sender that works when it is told to."""

    def __init__(
        self, folder: Path, phone: NoticeTarget, kinds: frozenset[str] = frozenset({"env_switched"}), targets: int = 1
    ) -> None:
        self.now = MORNING
        self.path = folder / "desk.sqlite"
        self.store = StubbornStore(self.path)
        self.counter = NoticeCounter()
        self.manager = StateManager(
            self.store, lambda now: RULES, lambda: self.now, Notifying(kinds, targets), [self.counter]
        )
        self.phone = phone
        self.sender = NoticeSender(self.manager, open_targets([phone.url])[0], self.counter, threading.Event())

    def switches(self, *envs: Env) -> Self:
        for env in envs:
            self.manager.submit(HearBridge(ts_connected=True))
            self.manager.submit(SwitchEnv(env))
        return self

    def enters(self) -> Self:
        self.manager.submit(NotePrice("ES", Decimal(5250)))
        for stream in (Stream.MACRO, Stream.HIGH, Stream.MAIN):
            self.manager.submit(CloseBrick("ES", stream, "green"))
        assert of_type(OrderTaken, self.manager.submit(EnterMarket("ES", "SCALP", "6pt")).answer).order
        return self

    def later(self, **delta: float) -> Self:
        self.now += timedelta(**delta)
        return self

    def rows(self, columns: str = "title") -> list[Any]:
        with closing_connection(self.path) as connection:
            return connection.execute(f"SELECT {columns} FROM notices ORDER BY number").fetchall()  # noqa: S608

    def works(self) -> int:
        """Let the sender work until nothing is due; return how many turns that took."""
        turns = 0
        while self.sender.turn():
            turns += 1
        return turns


@pytest.fixture
def outbox(tmp_path: Path, phone: NoticeTarget) -> Iterator[Outbox]:
    box = Outbox(tmp_path, phone)
    yield box
    box.manager.stop()


def test_a_notice_is_taken_once_and_marked(outbox: Outbox) -> None:
    assert outbox.switches("LIVE").works() == 1
    assert outbox.phone.titles == ["[LIVE] The desk trades LIVE now"]
    assert outbox.phone.messages[0]["type"] == "warning"
    assert outbox.rows("attempts, next_try_at IS NULL, sent_at IS NOT NULL, last_error") == [(1, 1, 1, None)]
    assert outbox.works() == 0


def test_a_row_belongs_to_the_commit_of_its_event(outbox: Outbox) -> None:
    heard = outbox.counter.count
    outbox.switches("LIVE")
    ((sequence,),) = outbox.rows("sequence")
    kinds = {row.sequence: row.kind for row in outbox.store.journal()}
    assert kinds[sequence] == "SwitchEnv"
    assert outbox.counter.count > heard


def test_what_was_not_taken_is_tried_again_later_and_later(outbox: Outbox) -> None:
    outbox.phone.fault = 500
    outbox.switches("LIVE")
    for attempt, wait in enumerate(BACKOFF, 1):
        assert outbox.works() == 1
        assert outbox.rows("attempts, last_error") == [(attempt, "the target answered 500")]
        outbox.later(seconds=wait.total_seconds() - 1)
        assert outbox.works() == 0
        outbox.later(seconds=1)
    outbox.phone.fault = None
    assert outbox.works() == 1
    assert outbox.phone.messages[0]["message"].endswith("(this was Tue 09:31:10 New York)")


def test_after_a_day_it_is_given_up_and_the_log_says_so(outbox: Outbox) -> None:
    outbox.phone.fault = 503
    outbox.switches("LIVE")
    with capture_logs() as told:
        for _ in range(40):
            outbox.works()
            outbox.later(hours=1)
    ((attempts, waiting, sent),) = outbox.rows("attempts, next_try_at, sent_at")
    assert (waiting, sent) == (None, None)
    assert 24 <= attempts <= 26
    assert [line["event"] for line in told].count("a notice was given up") == 1


def test_a_target_that_is_back_gets_at_once_what_waited(outbox: Outbox) -> None:
    outbox.phone.fault = 500
    outbox.switches("LIVE", "DEMO").works()
    outbox.phone.fault = None
    assert outbox.works() == 0
    outbox.switches("LIVE")
    assert outbox.works() == 3
    assert sorted(outbox.phone.titles) == ["[DEMO] The desk trades DEMO now"] + ["[LIVE] The desk trades LIVE now"] * 2


def test_while_a_mark_cannot_be_written_nothing_is_sent_twice(outbox: Outbox) -> None:
    outbox.switches("LIVE", "DEMO")
    outbox.store.refuses_marks = True
    for _ in range(3):
        with pytest.raises(StoreDown):
            outbox.sender.turn()
    assert len(outbox.phone.messages) == 1
    outbox.store.refuses_marks = False
    assert outbox.works() == 2
    assert len(outbox.phone.messages) == 2


def test_a_mark_that_fails_harms_no_command(outbox: Outbox) -> None:
    outbox.store.refuses_marks = True
    outbox.switches("LIVE")
    with pytest.raises(StoreDown):
        outbox.sender.turn()
    outbox.switches("DEMO")
    assert outbox.manager.snapshot.store == "up"


def test_marks_are_not_journaled_and_move_no_sequence(outbox: Outbox) -> None:
    outbox.switches("LIVE")
    outbox.manager.submit(KeepObservations())
    before = (outbox.manager.snapshot.desk.sequence, outbox.manager.snapshot.version, len(list(outbox.store.journal())))
    outbox.works()
    after = (outbox.manager.snapshot.desk.sequence, outbox.manager.snapshot.version, len(list(outbox.store.journal())))
    assert after == before


def test_words_that_fail_cost_a_notice_never_the_decision(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumbles(*_: object) -> None:
        raise ValueError("no words")

    monkeypatch.setattr("services.projections.notices.notices_of", stumbles)
    outbox.switches("LIVE")
    assert outbox.manager.snapshot.desk.env == "LIVE"
    assert outbox.rows() == []


def test_a_commit_that_fails_leaves_no_row(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox.manager.submit(HearBridge(ts_connected=True))
    monkeypatch.setattr(outbox.store, "_write", lambda commit: (_ for _ in ()).throw(StoreDown("no")))
    with pytest.raises(StoreDown):
        outbox.manager.submit(SwitchEnv("LIVE"))
    assert outbox.rows() == []


def test_a_week_old_row_goes_when_a_new_one_comes(outbox: Outbox) -> None:
    outbox.switches("LIVE").works()
    outbox.later(days=6).switches("DEMO").works()
    assert len(outbox.rows()) == 2
    outbox.later(days=2).switches("LIVE")
    assert [title for (title,) in outbox.rows()] == [
        "[DEMO] The desk trades DEMO now",
        "[LIVE] The desk trades LIVE now",
    ]


# -- locks whose end only the clock brings ---------------------------------------------------------------------------


@pytest.fixture
def locks(tmp_path: Path, phone: NoticeTarget) -> Iterator[Outbox]:
    box = Outbox(tmp_path, phone, frozenset({"lock_ended"}))
    yield box
    box.manager.stop()


def test_the_end_of_a_lock_is_told_when_it_ends_and_not_before(locks: Outbox) -> None:
    assert locks.enters().works() == 0
    assert locks.later(seconds=10).works() == 0
    refused = locks.manager.submit(EnterMarket("ES", "SCALP", "6pt")).answer
    assert of_type(Refusal, refused).gate == "candle_lock"
    locks.now = MORNING.replace(minute=35, second=0)
    locks.works()
    assert "[DEMO] The candle is free" in locks.phone.titles


def test_a_lock_that_was_given_back_takes_its_announcement_with_it(locks: Outbox) -> None:
    assert locks.enters().rows("slot") == [("candle",)]
    locks.later(seconds=30).manager.submit(TickClock())
    locks.later(hours=1)
    assert locks.works() == 1
    assert locks.phone.titles == []
    assert locks.rows("sent_at, next_try_at, last_error") == [(None, None, WITHDRAWN)]


def test_a_lock_that_begins_again_and_ends_when_the_first_did_is_announced_once(locks: Outbox) -> None:
    locks.enters().later(seconds=30).manager.submit(TickClock())
    locks.enters()
    assert len(set(locks.rows("due_at"))) == 1
    locks.now = MORNING.replace(minute=35, second=0)
    assert locks.works() == 2
    assert locks.phone.titles == ["[DEMO] The candle is free"]
    assert locks.rows("sent_at IS NULL, last_error") == [(1, WITHDRAWN), (0, None)]


def test_an_announcement_that_is_newer_than_the_desk_is_sent(locks: Outbox) -> None:
    """After a write in doubt a reader may still see the desk of before: it cannot say that the lock has moved."""
    desk = locks.manager.snapshot.desk
    (notice,) = waiting_notices(locks.enters().store, 1)
    assert desk.sequence < notice.sequence
    assert not is_outdated(notice, [notice], desk)
    assert is_outdated(notice, [notice], replace(desk, sequence=notice.sequence))


def test_a_newer_lock_replaces_the_announcement_of_the_older(locks: Outbox) -> None:
    locks.phone.fault = 500
    locks.enters().later(seconds=400).works()
    ((first, attempts),) = locks.rows("number, attempts")
    assert attempts == 1
    locks.enters()
    (_, (number, attempts, due_at)) = locks.rows("number, attempts, due_at")
    assert (attempts, due_at[:19]) == (0, "2026-11-17T14:40:00")
    assert number > first, "a sender that is still under way would mark the wrong notice"
    locks.phone.fault = None
    locks.now = MORNING.replace(minute=40, second=0)
    locks.works()
    assert locks.phone.titles == ["[DEMO] The candle is free"]
    assert locks.rows("sent_at IS NULL, last_error") == [(1, WITHDRAWN), (0, None)]


def test_a_lock_that_a_longer_candle_brings_back_is_announced_to_a_sender_that_sleeps(locks: Outbox) -> None:
    locks.enters().manager.submit(ClaimOrders("bridge"))
    locks.now = MORNING.replace(minute=35, second=10)
    assert locks.works() == 1
    heard = locks.counter.count
    locks.manager.submit(SetLimits({"candle_seconds": Decimal(600)}))
    assert locks.rows("due_at")[-1][0][:19] == "2026-11-17T14:40:00"
    assert locks.counter.count > heard


# -- settings --------------------------------------------------------------------------------------------------------


def complaint(**settings: Any) -> str:
    with pytest.raises((ConfigError, WrongTarget)) as refusal:
        open_targets(Config.from_env({**SETTINGS, **settings}).notify_urls)
    return str(refusal.value)


def test_urls_are_separated_by_commas_or_spaces_that_a_url_follows() -> None:
    text = f"json://h/{TOKEN}?to=a,b , tgram://1/2\n ntfy://x,"
    assert Config.from_env({**SETTINGS, "NOTIFY_URLS": text}).notify_urls == (
        f"json://h/{TOKEN}?to=a,b",
        "tgram://1/2",
        "ntfy://x",
    )


@pytest.mark.parametrize("url", [f"nonsense://{TOKEN}", f"tgram://{TOKEN}"])
def test_a_wrong_url_is_named_by_its_place(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    sentence = complaint(NOTIFY_URLS=f"json://127.0.0.1/, {url}")
    assert "NOTIFY_URLS: number 2 of 2 was no apprise URL" in sentence
    assert TOKEN not in sentence + "".join(capfd.readouterr())


def test_what_is_no_url_or_no_kind_is_said() -> None:
    for sentence in (complaint(NOTIFY_URLS=TOKEN), complaint(NOTIFY_URLS=f"json://h {TOKEN}")):
        assert "NOTIFY_URLS must be apprise URLs" in sentence
        assert TOKEN not in sentence
    assert "NOTIFY_KINDS: no kind is called gates" in complaint(NOTIFY_KINDS="+gates")
    assert "10 are the most" in complaint(NOTIFY_URLS=" ".join(["json://h/"] * 11))


def test_the_test_command_says_what_became_of_it_without_secrets(
    phone: NoticeTarget, second_phone: NoticeTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    second_phone.fault = 401
    dead = url_of(free_port())
    for name, value in {**SETTINGS, "NOTIFY_URLS": f"{phone.url} {second_phone.url} {dead}"}.items():
        monkeypatch.setenv(name, value)
    result = create_cli().test_cli_runner().invoke(args=["desk", "notify-test"])
    assert phone.titles == ["[TEST] Lockstep can reach you"]
    assert result.output.splitlines() == [
        "1. json: delivered",
        "2. json: the target answered 401",
        "3. json: the target could not be reached",
        "Error: 2 of 3 targets did not take the message.",
    ]
    assert result.exit_code == 1
    monkeypatch.setenv("NOTIFY_URLS", phone.url)
    assert create_cli().test_cli_runner().invoke(args=["desk", "notify-test"]).exit_code == 0
    monkeypatch.setenv("NOTIFY_URLS", " ")
    assert "nobody to notify" in create_cli().test_cli_runner().invoke(args=["desk", "notify-test"]).output


# -- real threads, real processes ------------------------------------------------------------------------------------


def test_the_post_stops_at_once_though_a_target_hangs(
    tmp_path: Path, phone: NoticeTarget, second_phone: NoticeTarget
) -> None:
    phone.fault = "hang"
    outbox = Outbox(tmp_path, phone, targets=2)
    before = set(threading.enumerate())
    post = NoticeSenders(outbox.manager, open_targets([phone.url, second_phone.url]), outbox.counter)
    senders = set(threading.enumerate()) - before
    assert len(senders) == 2
    outbox.switches("LIVE")
    second_phone.waits_for(lambda p: p.titles)
    phone.waits_for(lambda p: p.refused)
    watch = Stopwatch()
    post.stop()
    assert watch.seconds < STOP_WITHIN_SECONDS + 0.4
    assert any(thread.is_alive() for thread in senders)  # the one that hangs is not waited for
    phone.leaving.set()
    eventually(lambda: not any(thread.is_alive() for thread in senders))
    outbox.manager.stop()


def fills_an_entry(desk: DeskProcess) -> dict[str, Any]:
    desk.tradingview().opens_the_ladder()
    order: dict[str, Any] = desk.operator().enters().json()["order"]
    assert desk.bridge().fills(order, 5250.25).status_code == 200
    return order


@pytest.mark.processes
def test_a_fill_is_on_the_phone_in_a_moment_and_a_blocked_entry_is_not(tmp_path: Path, phone: NoticeTarget) -> None:
    with DeskProcess(tmp_path, NOTIFY_URLS=phone.url, NOTIFY_KINDS="") as desk:
        fills_an_entry(desk)
        watch, reported_at = Stopwatch(desk.process), time.time()
        phone.waits_for(lambda p: FILLED in p.titles)
        assert phone.messages[-1]["arrived"] - reported_at < 2.0 + watch.queued
        assert desk.operator().enters().status_code == 409
        eventually(lambda: desk.rows("SELECT sent_at IS NOT NULL FROM notices") == [(1,)])
        assert phone.titles == [FILLED]


@pytest.mark.processes
def test_without_a_target_nothing_is_written(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, NOTIFY_URLS="", NOTIFY_KINDS="") as desk:
        fills_an_entry(desk)
        assert desk.rows("SELECT count(*) FROM notices") == [(0,)]


@pytest.mark.processes
def test_a_wrong_url_ends_the_start_with_a_sentence_and_no_secret(tmp_path: Path) -> None:
    desk = DeskProcess(tmp_path, NOTIFY_URLS=f"nonsense://{TOKEN}", NOTIFY_KINDS="")
    assert desk.spawn().wait(PATIENCE_SECONDS) not in (0, None)
    assert "NOTIFY_URLS: number 1 of 1 was no apprise URL" in desk.log()
    assert "Traceback" not in desk.log()
    assert TOKEN not in desk.log()


STARTS = """
import sys
from app import create_app
from services.ops.config import Config
app = create_app(Config.from_env(dict(pair.split("=", 1) for pair in sys.argv[1:])))
print("apprise" in sys.modules)
app.extensions["lockstep.close"]()
"""


@pytest.mark.processes
@pytest.mark.parametrize(("urls", "is_loaded"), [("", "False"), (url_of(9), "True")])
def test_apprise_is_loaded_only_for_a_target(tmp_path: Path, urls: str, is_loaded: str) -> None:
    settings = {**SETTINGS, "SQLITE_PATH": str(tmp_path / "desk.sqlite"), "NOTIFY_URLS": urls}
    pairs = [f"{name}={value}" for name, value in settings.items()]
    started = subprocess.run(
        [sys.executable, "-c", STARTS, *pairs], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=True
    )
    assert started.stdout.strip() == is_loaded


@pytest.mark.processes
def test_a_target_that_hangs_delays_neither_web_nor_another_target(
    tmp_path: Path, phone: NoticeTarget, second_phone: NoticeTarget
) -> None:
    phone.fault = "hang"
    with DeskProcess(tmp_path, NOTIFY_URLS=f"{phone.url},{second_phone.url}", NOTIFY_KINDS="") as desk:
        quiet = webhook_seconds(desk)
        fills_an_entry(desk)
        second_phone.waits_for(lambda p: p.titles == [FILLED])
        phone.waits_for(lambda p: p.refused)
        hanging = webhook_seconds(desk)
        assert statistics.median(hanging) < 3 * statistics.median(quiet) + 0.01, (quiet, hanging)
        assert max(hanging) < 2.0
        assert desk.terminate() < ENDS_WITHIN_SECONDS
        assert_no_secrets(desk)


def webhook_seconds(desk: DeskProcess, count: int = 60) -> list[float]:
    alerts, seconds, watch = desk.tradingview(), [], Stopwatch(desk.process)
    for number in range(count):
        watch.restart()
        assert alerts.brick(2.5, ("green", "red")[number % 2]).status_code == 200
        seconds.append(watch.seconds)
    return seconds


@pytest.mark.processes
def test_a_dead_target_gets_it_when_it_is_back(tmp_path: Path) -> None:
    port = free_port()
    with DeskProcess(tmp_path, NOTIFY_URLS=url_of(port), NOTIFY_KINDS="", LOG_LEVEL="DEBUG") as desk:
        fills_an_entry(desk)
        eventually(lambda: desk.rows("SELECT last_error FROM notices") == [("the target could not be reached",)])
        assert max(webhook_seconds(desk)) < 2.0
        phone = NoticeTarget(port)
        phone.fault = 500
        phone.waits_for(lambda p: p.refused)
        phone.fault = None
        desk.bridge().snapshots(50_000, MESM4=5)
        desk.bridge().snapshots(49_300, MESM4=5)  # news: it is tried at once, and brings the other along
        phone.waits_for(lambda p: len(p.titles) == 2)
        assert phone.titles == ["[DEMO] 70% of the daily stop used", FILLED]
        phone.leave()
        assert_no_secrets(desk)


@pytest.mark.processes
def test_killed_between_event_and_send_it_is_delivered_after_the_restart(tmp_path: Path, phone: NoticeTarget) -> None:
    phone.fault = "hang"
    with DeskProcess(tmp_path, NOTIFY_URLS=phone.url, NOTIFY_KINDS="+lock_started") as desk:
        fills_an_entry(desk)
        phone.waits_for(lambda p: p.refused == 1)
        desk.kill()
        waited = [title for (title,) in desk.rows(WAITING)]
        assert waited == ["[DEMO] Candle used until " + waited[0][-8:], "[DEMO] ES exit locked", FILLED]
        causes = desk.rows("SELECT n.title, j.kind FROM notices n JOIN journal j USING (sequence) ORDER BY n.number")
        assert [kind for _, kind in causes] == ["EnterMarket", "ReportExecution", "ReportExecution"]
        phone.fault = None
        desk.start()
        phone.waits_for(lambda p: len(p.titles) == 4)
        eventually(lambda: desk.rows(WAITING) == [])
        time.sleep(0.2)
        assert [title for title in phone.titles if title != "[DEMO] Writer lost"] == waited
        assert_no_secrets(desk)


def assert_no_secrets(desk: DeskProcess) -> None:
    """Look for the URL's token in everything the desk wrote: its log and every byte of its files."""
    written = [path.read_bytes() for path in desk.folder.rglob("*") if path.is_file()]
    assert len(written) >= 2
    assert not [True for content in written if TOKEN.encode() in content]
