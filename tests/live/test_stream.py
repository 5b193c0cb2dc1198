"""The live stream over real HTTP: whole, then what changes; bounded, resumable, on time (DESIGN 11)."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from services.desk.manager import StateManager
from services.desk.publication import Snapshot
from services.engine.model.commands import CloseBrick
from services.live.activity import ActivityLog, LogLine
from services.live.broadcast import Broadcaster
from services.live.listeners import Listener, Message
from services.live.stream_places import PLACES, PLACES_OF_ONE_KEY
from services.ops.config import Config
from services.stores.sqlite.store import SqliteStore
from services.stores.store import JournalRow
from serving.limits import READ_AT_LEAST_BYTES, STREAM_UNREAD_SECONDS
from tests.support.desk_process import (
    BRIDGE_SECRET,
    FLASK_KEY,
    PATIENCE_SECONDS,
    QUICK,
    TV_SECRET,
    Caller,
    DeskProcess,
    OperatorCaller,
    error_of,
    eventually,
    without_the_clock,
)
from tests.support.own_time import Stopwatch
from tests.support.paths import REPOSITORY
from wire.state import Activity
from wire.types import Color, Stream

pytestmark = pytest.mark.processes


class Event(Struct):
    """One server-sent event and when it came in."""

    kind: str
    version: int
    body: dict[str, Any]
    heard_at: datetime


class Ear:
    """Listens to a stream in a thread of its own. It speaks HTTP/1.0, which has no chunks."""

    def __init__(self, caller: Caller, **headers: str) -> None:
        own = {name: value.decode() if isinstance(value, bytes) else value for name, value in caller.headers.items()}
        own["Accept-Encoding"] = "identity"
        lines = {**own, **headers, "Host": "desk"}
        if caller.cookies:
            lines["Cookie"] = caller.session_cookie
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._socket = socket.create_connection(("127.0.0.1", caller.desk.port), timeout=PATIENCE_SECONDS)
        self._socket.sendall(f"GET /api/stream HTTP/1.0\r\n{head}\r\n".encode())
        self._stream = self._socket.makefile("rb")
        status = self._stream.readline()
        assert b" 200 " in status, status
        self.events: list[Event] = []
        self.has_ended = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        kind, version = "", 0
        with suppress(OSError, ValueError):
            for line in self._stream:
                name, _, value = line.decode().rstrip().partition(": ")
                if name == "event":
                    kind = value
                elif name == "id":
                    version = int(value)
                elif name == "data":
                    self.events.append(Event(kind, version, json.loads(value), datetime.now(UTC)))
        self.close()
        self.has_ended.set()

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]

    def hears(self, kind: str, within: float = PATIENCE_SECONDS) -> Event:
        """Wait for the first event of a kind."""
        events: list[Event] = eventually(lambda: self.of(kind), within)
        return events[0]

    def document(self) -> dict[str, Any]:
        """Return the first document with every patch laid over it, as a client holds it."""
        first = self.hears("state")
        document = first.body
        for change in self.of("change"):
            document = patched(document, change.body["patch"])
            document["version"] = change.body["version"]
        return document

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def patched(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Lay a merge patch over a document; ``null`` stands for "nothing there"."""
    result = dict(document)
    for name, value in patch.items():
        both = isinstance(value, dict) and isinstance(result.get(name), dict)
        result[name] = patched(result[name], value) if both else value
    return result


@contextmanager
def ears(desk: DeskProcess, count: int = 1) -> Iterator[list[Ear]]:
    operator = desk.operator()
    with ExitStack() as stack:
        listening = [Ear(operator) for _ in range(count)]
        for ear in listening:
            stack.callback(ear.close)
        yield listening


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path, **QUICK) as desk:
        yield desk


def a_day_of_trading(desk: DeskProcess) -> None:
    """Go through everything the stream must tell: bricks, refusals, an order, fills, an exit, an alert."""
    operator, bridge, alerts = desk.operator(), desk.bridge(), desk.tradingview()
    operator.enters("NQ")
    alerts.opens_the_ladder()
    bridge.post("/api/bridge/heartbeat", json={"tsConnected": True})
    bridge.snapshots(50_000)
    order = operator.enters_when_the_candle_allows(trade_mode="SCALP")
    bridge.fills(order, 5250.25)
    bridge.snapshots(50_100, MESM4=5)
    for size in (1, 2.5, 4, 12):
        alerts.brick(size, "red")
    alerts.brick(8, "red")
    [left] = bridge.claims()
    bridge.reports(left["id"], "FILLED", fill_price=5252, qty=5)
    bridge.reports(left["id"], "REJECTED")
    alerts.heartbeat(5253.5)


def test_first_everything_then_changes_that_add_up_to_the_state(desk: DeskProcess) -> None:
    with ears(desk) as [ear]:
        assert eventually(lambda: ear.events)[0].kind == "state"
        a_day_of_trading(desk)
        operator = desk.operator()
        eventually(lambda: without_the_clock(ear.document()) == without_the_clock(operator.state()))
        assert ear.of("change")
        assert {"log", "quote"} <= {event.kind for event in ear.events}
        state = operator.state()
        assert ear.document()["version"] <= state["version"]
        assert ear.document()["alerts"] == state["alerts"]
        assert ear.document()["history"] == state["history"]
        assert len(ear.of("state")) == 1


def test_the_log_is_told_line_by_line(desk: DeskProcess) -> None:
    with ears(desk) as [ear]:
        ear.hears("state")
        desk.tradingview().brick(6, "green")
        line = ear.hears("log").body
        assert (line["feed"], line["entry"]["kind"], line["replaces_last"]) == ("tradingview", "tv_renko_main", False)
        for _ in range(2):
            desk.tradingview().heartbeat(5250.25)
        eventually(lambda: len(ear.of("log")) == 3)
        assert ear.of("log")[2].body["replaces_last"] is True


def test_a_brick_is_told_as_its_event_then_the_change_then_its_log_line(desk: DeskProcess) -> None:
    with ears(desk) as [ear]:
        ear.hears("state")
        desk.tradingview().brick(8, "green")
        ear.hears("log")
        told = [event.kind for event in ear.events if event.kind in ("event", "change", "log")]
        assert told == ["event", "change", "log"]


def test_a_ping_comes_without_any_news(desk: DeskProcess) -> None:
    with ears(desk) as [ear]:
        ear.hears("state")
        watch = Stopwatch(desk.process)
        assert ear.hears("ping").body["version"] == ear.hears("state").version
        assert watch.seconds < 4


def test_versions_grow_over_a_restart(desk: DeskProcess) -> None:
    desk.tradingview().brick(6, "green")
    before = desk.operator().state()["version"]
    desk.restart()
    assert desk.operator().state()["version"] > before


# -- missed and asked again ------------------------------------------------------------------------------------------


def test_last_event_id_gives_what_was_missed(desk: DeskProcess) -> None:
    operator, alerts = desk.operator(), desk.tradingview()
    alerts.opens_the_ladder()
    ear = Ear(operator)
    ear.hears("state")
    alerts.brick(6, "red")
    eventually(lambda: ear.of("change"))
    ear.close()
    assert ear.has_ended.wait(PATIENCE_SECONDS)
    held, last = ear.document(), ear.events[-1].version

    a_day_of_trading(desk)
    operator.settled_state()
    again = Ear(operator, **{"Last-Event-ID": str(last)})

    def is_whole() -> bool:
        now_held = held
        for change in again.of("change"):
            now_held = patched(now_held, change.body["patch"])
        return without_the_clock(now_held) == without_the_clock(operator.state())

    eventually(is_whole)
    assert again.of("change") != []
    assert again.of("state") == []
    again.close()


@pytest.mark.parametrize("last", ["0", "1", "9" * 18, "-5", "NaN", "x" * 100, "1.5"])
def test_who_asks_for_what_is_not_kept_gets_everything(desk: DeskProcess, last: str) -> None:
    desk.tradingview().brick(6, "green")
    ear = Ear(desk.operator(), **{"Last-Event-ID": last})
    assert eventually(lambda: ear.events)[0].kind == "state"
    ear.close()


# -- what only the clock does ----------------------------------------------------------------------------------------


def test_the_ends_of_candle_and_cooldown_come_at_their_instant(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, CANDLE_SECONDS="2", COOLDOWN_SECONDS="2") as desk, ears(desk) as [ear]:
        operator, bridge, alerts = desk.operator(), desk.bridge(), desk.tradingview()
        alerts.opens_the_ladder()
        watch = Stopwatch(desk.process)
        entry = operator.enters_when_the_candle_allows()
        candle_ends = operator.state()["global"]["five_min_trade_lock_expires_ts"]
        bridge.fills(entry, 5250.25)
        bridge.fills(operator.post("/api/exit", json={"asset": "ES", "force": True}).json()["order"], 5251)
        cooldown_ends = operator.state()["global"]["post_exit_lock_expires_ts"]
        for name, ends_at in (("five_min_trade_lock", candle_ends), ("post_exit_lock", cooldown_ends)):
            told = eventually(partial(changes_that_end, ear, f"{name}_active"))[-1]
            late_by = (told.heard_at - datetime.fromisoformat(ends_at)).total_seconds()
            assert 0 <= late_by < 0.3 + watch.queued, (name, late_by)


def changes_that_end(ear: Ear, lock: str) -> list[Event]:
    return [event for event in ear.of("change") if event.body["patch"].get("global", {}).get(lock) is False]


# -- who hears what --------------------------------------------------------------------------------------------------


def test_a_bridge_hears_quotes_and_nothing_else(desk: DeskProcess) -> None:
    ear = Ear(desk.bridge())
    a_day_of_trading(desk)
    desk.tradingview().heartbeat(5254.25)
    eventually(lambda: [quote for quote in ear.of("quote") if quote.body["price"] == 5254.25])
    eventually(lambda: ear.of("ping"))
    assert {event.kind for event in ear.events} == {"quote", "ping"}
    quote = ear.of("quote")[-1].body
    assert (quote["asset"], quote["symbol"]) == ("ES", "MESM4")
    ear.close()
    with desk.bridge().get("/api/stream?topics=state", stream=True) as answer:
        lines = answer.iter_lines()
        assert [next(lines) for _ in range(4)][3] == b"event: quote"


def test_topics_must_be_known(desk: DeskProcess) -> None:
    error_of(desk.operator().get("/api/stream?topics=everything"), 400)


# -- bounded ---------------------------------------------------------------------------------------------------------


def test_a_key_with_all_its_streams_takes_none_of_the_operators_or_the_bridges(desk: DeskProcess) -> None:
    operator, reader = desk.operator(), desk.stranger()
    reader.headers["X-API-Key"] = new_key(desk)
    eventually(lambda: is_served(reader))
    with ExitStack() as stack:
        listening = [opened(stack, reader) for _ in range(PLACES_OF_ONE_KEY)]
        for _ in range(200 - PLACES_OF_ONE_KEY):
            refused = reader.get("/api/stream")
            error_of(refused, 503)
            assert refused.json()["code"] == "too_many_streams"
            assert int(refused.headers["Retry-After"]) > 0
        opened(stack, operator).hears("state")
        opened(stack, desk.bridge())
        watch = Stopwatch(desk.process)
        desk.tradingview().opens_the_ladder()
        order = operator.enters_when_the_candle_allows()
        assert [handed["id"] for handed in desk.bridge().claims()] == [order["id"]]
        assert watch.seconds < 3
        eventually(lambda: all(ear.of("change") for ear in listening))
    eventually(lambda: is_served(reader))


def new_key(desk: DeskProcess) -> str:
    """Return the text of a new key that may read the state."""
    words = ["-m", "flask", "desk", "keys", "add", "display", "--scope", "state:read"]
    environment = {"PATH": "/usr/bin:/bin", **desk.settings}
    added = subprocess.run(
        [sys.executable, *words],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return added.stdout.strip()


def opened(stack: ExitStack, caller: Caller) -> Ear:
    ear = Ear(caller)
    stack.callback(ear.close)
    return ear


def is_served(caller: Caller) -> bool:
    with caller.get("/api/stream", stream=True) as answer:
        return answer.status_code == 200


def test_asking_for_the_head_of_a_stream_takes_no_place(desk: DeskProcess) -> None:
    for _ in range(PLACES["bridge"] + 10):
        assert desk.bridge().head("/api/stream").status_code == 200
    eventually(lambda: is_served(desk.bridge()))


def test_a_listener_that_does_not_listen_is_told_to_resync_and_holds_up_nobody(desk: DeskProcess) -> None:
    operator, bridge = desk.operator(), desk.bridge()
    desk.tradingview().opens_the_ladder()
    order = operator.enters_when_the_candle_allows()
    bridge.fills(order, 5250.25)
    with deaf_listener(desk, operator) as deaf, ears(desk) as [good]:
        good.hears("state")
        slowest, watch, read_at = 0.0, Stopwatch(desk.process), time.monotonic()
        number = 0
        while len(good.of("change")) < 900:  # each is counted in an alert, so each change has the list of them
            number += 1  # a busy desk tells several in one change
            assert number < 9_000
            watch.restart()
            assert bridge.reports(f"{number:032x}", "REJECTED").status_code == 404
            slowest = max(slowest, watch.seconds)
            if time.monotonic() - read_at > STREAM_UNREAD_SECONDS / 3:  # a busy machine would cut who reads nothing
                reads_a_little(deaf)
                read_at = time.monotonic()
        assert slowest < 1
        heard = everything_from(deaf)
        assert "event: resync" in heard
        assert [line.strip() for line in heard.splitlines() if line.startswith("id:")][-1] == "id:"
        assert good.of("resync") == []
        assert not good.has_ended.is_set()


@contextmanager
def deaf_listener(desk: DeskProcess, operator: OperatorCaller) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        listener.settimeout(PATIENCE_SECONDS)
        listener.connect(("127.0.0.1", desk.port))
        request = f"GET /api/stream HTTP/1.1\r\nHost: desk\r\nCookie: {operator.session_cookie}\r\n\r\n"
        listener.sendall(request.encode())
        listener.recv(256)
        yield listener


def reads_a_little(listener: socket.socket) -> None:
    """Read some of what waits: far less than is told meanwhile."""
    read = 0
    listener.settimeout(0.2)
    with suppress(TimeoutError):
        while read < 4 * READ_AT_LEAST_BYTES and (piece := listener.recv(4_096)):
            read += len(piece)
    listener.settimeout(PATIENCE_SECONDS)


def everything_from(listener: socket.socket) -> str:
    heard = bytearray()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while b"event: resync" not in heard and time.monotonic() < deadline:
        piece = listener.recv(65536)
        if not piece:
            break
        heard += piece
    return heard.decode("utf-8", "replace")


def test_streams_that_come_and_go_under_a_rain_of_webhooks_stop_nobody(desk: DeskProcess) -> None:
    operator, over = desk.operator(), threading.Event()
    taken, opened = [0] * 8, [0] * 12

    def rains(number: int) -> None:
        alerts = desk.tradingview()
        while not over.is_set():
            assert alerts.brick(1, "green").status_code == 200
            taken[number] += 1

    def comes_and_goes(number: int) -> None:
        while not over.is_set():
            ear = Ear(operator)
            ear.hears("state")
            ear.close()
            opened[number] += 1

    threads = [threading.Thread(target=rains, args=(number,), daemon=True) for number in range(len(taken))]
    threads += [threading.Thread(target=comes_and_goes, args=(number,), daemon=True) for number in range(len(opened))]
    for thread in threads:
        thread.start()
    time.sleep(3)
    half_way = [*taken, *opened]
    eventually(lambda: all(later > earlier for later, earlier in zip([*taken, *opened], half_way, strict=True)))
    over.set()
    assert desk.tradingview().brick(6, "green").status_code == 200


# -- the end ---------------------------------------------------------------------------------------------------------


def test_sigterm_ends_streams_and_long_polls(desk: DeskProcess) -> None:
    polled: list[list[dict[str, Any]]] = []
    polling = threading.Thread(target=lambda: polled.append(desk.bridge().claims(wait=25)))
    operator = desk.operator()
    listening = [Ear(operator) for _ in range(5)]
    for ear in listening:
        ear.hears("state")
    gets_under_way(polling, desk)
    watch = Stopwatch(desk.process)
    desk.spawned.terminate()
    assert watch.waits_until(lambda: all(ear.has_ended.is_set() for ear in listening)) < 1
    assert watch.waits_until(lambda: not polling.is_alive()) < 2.5
    assert polled == [[]]
    watch.waits_for_end_of(desk.spawned)
    assert watch.seconds < 4.5
    assert desk.spawned.returncode == 0


def gets_under_way(polling: threading.Thread, desk: DeskProcess) -> None:
    """Start a poll and wait until web has read it: one still in the backlog is reset, and its bridge asks again."""
    before = connections(desk)
    polling.start()
    eventually(lambda: connections(desk).keys() - before.keys() and not any(connections(desk).values()))


def connections(desk: DeskProcess) -> dict[str, int]:
    """Return how many bytes web has not yet read of each established connection, by the caller's address."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    served = [line for line in lines if int(line[1].split(":")[1], 16) == desk.port and line[3] == "01"]
    return {line[2]: int(line[4].split(":")[1], 16) for line in served}


def test_sigterm_ends_the_process_within_two_seconds(desk: DeskProcess) -> None:
    polling = threading.Thread(target=lambda: desk.bridge().claims(wait=25))
    gets_under_way(polling, desk)
    watch = Stopwatch(desk.process)
    desk.spawned.terminate()
    watch.waits_for_end_of(desk.spawned)
    polling.join(PATIENCE_SECONDS)
    assert watch.seconds < 2


# -- races, told step by step ----------------------------------------------------------------------------------------


class StagedManager(StateManager):
    """The real writer; the test says when the watching thread may look at its news."""

    def __init__(self, *args: Any) -> None:
        self.is_waiting, self.may_look = threading.Event(), threading.Event()
        self.during_a_look: Callable[[], object] | None = None
        super().__init__(*args)

    def wait_until(self, is_true: Callable[[Snapshot], bool], timeout: float) -> bool:
        if threading.current_thread().name != "broadcast":
            return super().wait_until(is_true, timeout)
        self.is_waiting.set()
        self.may_look.wait()
        self.is_waiting.clear()
        self.may_look.clear()
        return True

    @property
    def now(self) -> datetime:
        act, self.during_a_look = self.during_a_look, None
        if act is not None:
            thread = threading.Thread(target=act, daemon=True)
            thread.start()
            thread.join(0.3)
        return super().now

    def lets_look(self, while_it_does: Callable[[], object] | None = None) -> None:
        """Let the watching thread look once; something else may happen meanwhile in another thread."""
        assert self.is_waiting.wait(PATIENCE_SECONDS)
        self.during_a_look = while_it_does
        self.is_waiting.clear()
        self.may_look.set()
        assert self.is_waiting.wait(PATIENCE_SECONDS)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[StagedManager]:
    settings = {
        "TV_WEBHOOK_SECRET": TV_SECRET,
        "BRIDGE_HEARTBEAT_SECRET": BRIDGE_SECRET,
        "FLASK_SECRET_KEY": FLASK_KEY,
    }
    manager = StagedManager(SqliteStore(tmp_path / "desk.sqlite"), Config.from_env(settings).rules_at)
    yield manager
    manager.stop()


def closes(manager: StateManager, color: Color) -> None:
    manager.submit(CloseBrick("ES", Stream.FOUR, color))


def a_line(manager: StateManager) -> LogLine:
    return LogLine(manager.now, "tv_renko", "ES", "four green", "ok")


def document_of(messages: list[Message]) -> dict[str, Any]:
    """Return what a client holds who heard these messages."""
    document: dict[str, Any] = {}
    for message in messages:
        body = json.loads(message.body)
        if message.event == "state":
            document = body
        elif message.event == "change":
            document = patched(document, body["patch"])
    return document


def test_a_stream_that_opens_while_a_webhook_is_logged_stops_neither(manager: StagedManager) -> None:
    class PatientLog(ActivityLog):
        """Lets the other thread come first, as a busy machine does."""

        def absorbed(self) -> Activity:
            opening.set()
            noting.wait(PATIENCE_SECONDS)
            time.sleep(0.1)
            return super().absorbed()

    opening, noting = threading.Event(), threading.Event()
    activity = PatientLog()
    broadcaster = Broadcaster(manager, activity)

    def note() -> None:
        opening.wait(PATIENCE_SECONDS)
        noting.set()
        activity.note("tradingview", a_line(manager))

    threads = [threading.Thread(target=act, daemon=True) for act in (broadcaster.listen, note)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert not any(thread.is_alive() for thread in threads)


def test_a_stream_opens_although_a_webhook_is_committed_meanwhile(manager: StagedManager, tmp_path: Path) -> None:
    class BusyLog(ActivityLog):
        """Hears of a commit just after it has absorbed those before."""

        def absorb(self) -> None:
            super().absorb()
            if late:
                self._waiting.append(late.pop())

    closes(manager, "red")
    with closing(SqliteStore(tmp_path / "desk.sqlite")) as store:
        row = [row for row in store.journal(0) if row.origin == "tradingview"][-1]
    late: list[JournalRow] = []
    activity = BusyLog()
    broadcaster = Broadcaster(manager, activity)
    late.append(row)
    opened: list[Listener] = []
    threading.Thread(target=lambda: opened.append(broadcaster.listen()), daemon=True).start()
    eventually(lambda: opened)
    activity.absorb()
    assert [message.event for message in opened[0].take_queued()][:1] == ["state"]


def test_no_change_is_older_than_the_state_it_follows(manager: StagedManager) -> None:
    broadcaster = Broadcaster(manager, ActivityLog())
    opened = []

    def joins() -> None:
        closes(manager, "red")
        opened.append(broadcaster.listen())

    closes(manager, "green")
    manager.lets_look(while_it_does=joins)
    eventually(lambda: opened)
    manager.lets_look()
    state, *others = opened[0].take_queued()
    assert state.event == "state"
    assert all(other.version >= state.version for other in others)


def test_who_joins_between_two_looks_ends_up_with_the_truth(manager: StagedManager) -> None:
    broadcaster = Broadcaster(manager, ActivityLog())
    closes(manager, "green")
    manager.lets_look()
    closes(manager, "red")
    listener = broadcaster.listen()
    closes(manager, "green")
    manager.lets_look()
    assert document_of(listener.take_queued())["assets"]["ES"]["renko_color"] == "green"


def test_resuming_after_a_log_line_misses_no_change(manager: StagedManager) -> None:
    activity = ActivityLog()
    broadcaster = Broadcaster(manager, activity)
    listener = broadcaster.listen()
    closes(manager, "red")
    manager.lets_look()
    heard = listener.take_queued()

    def is_logged() -> None:
        manager.submit(CloseBrick("ES", Stream.MACRO, "red"))
        activity.note("tradingview", a_line(manager))

    manager.submit(CloseBrick("ES", Stream.HIGH, "green"))
    manager.lets_look(while_it_does=is_logged)
    later: list[Message] = []

    def is_told() -> bool:
        later.extend(listener.take_queued())
        return any(message.event == "log" for message in later)

    eventually(is_told)
    manager.lets_look()
    cut = next(number for number, message in enumerate(later) if message.event == "log")
    heard += later[: cut + 1]
    missed = broadcaster.listen(after=heard[-1].version).take_queued()
    asset = document_of([*heard, *missed])["assets"]["ES"]
    assert (asset["high_renko_color"], asset["macro_renko_color"]) == ("green", "red")
