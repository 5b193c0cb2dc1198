"""The bridge as a real process beside a real HTTP desk: started, stopped, and killed where it hurts."""

import fcntl
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.fakes.desk_server import PATIENCE_SECONDS, SECRET, DeskServer
from tests.support.narrow import known
from tests.support.own_time import Stopwatch
from tests.support.paths import REPOSITORY

pytestmark = pytest.mark.processes


class Machine:
    """The machine the bridge runs on: one ledger, one process at a time."""

    def __init__(self, desk: DeskServer, folder: Path) -> None:
        self.desk, self.folder = desk, folder
        self.ledger = folder / "ledger.sqlite"
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0
        self.starts_so_far = 0
        self.log = folder / "stderr.log"

    def starts(self, *flags: str, log: Path | None = None, **environ: str) -> subprocess.Popen[bytes]:
        """Start the bridge and leave it running."""
        self._process = self.runs(*flags, log=log, **environ)
        return self._process

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that was started last."""
        return known(self._process)

    def runs(self, *flags: str, log: Path | None = None, **environ: str) -> subprocess.Popen[bytes]:
        settings = {
            "PYTHONPATH": str(REPOSITORY),
            "LOCKSTEP_URL": self.desk.url,
            "BRIDGE_HEARTBEAT_SECRET": SECRET,
            "BRIDGE_LEDGER_PATH": str(self.ledger),
            "BRIDGE_MAX_ORDERS_PER_MINUTE": "10000",
            "BRIDGE_MAX_POSITION": "1000",
        }
        self.log = log or self.folder / f"stderr-{self.starts_so_far}.log"
        self.starts_so_far += 1
        with self.log.open("w") as stderr:
            return subprocess.Popen(
                [sys.executable, "-m", "bridge", "--broker", "paper", *flags],
                cwd=self.folder,
                env=os.environ | settings | environ,
                stderr=stderr,
            )

    def is_killed(self) -> None:
        """Pull the plug."""
        self.kills += 1
        os.kill(self.process.pid, signal.SIGKILL)

    def is_killed_at(self, moment: str, after_seconds: float | None) -> None:
        """Pull the plug once, when the desk sees `moment`: before it answers, or so long after that."""
        pulled = threading.Event()

        def watch(what: str, order_id: str) -> None:
            if what != moment or not order_id or pulled.is_set():
                return
            pulled.set()
            if after_seconds is None:
                self.is_killed()
            else:
                threading.Timer(after_seconds, self.is_killed).start()

        self.desk.at = watch

    def comes_back(self) -> None:
        """Wait until the process is dead and start the next one on the same ledger."""
        assert self.process.wait(PATIENCE_SECONDS) == -signal.SIGKILL
        self.starts()

    def stops(self) -> tuple[int, str, float]:
        """Ask the bridge to stop; gives exit code, stderr and the seconds of its own that it took."""
        watch = Stopwatch(self.process)
        self.process.send_signal(signal.SIGTERM)
        watch.waits_for_end_of(self.process)
        return self.process.returncode, self.log.read_text(), watch.seconds

    def fills_in_the_books(self) -> list[tuple[str, int]]:
        with sqlite3.connect(self.ledger) as connection:
            return connection.execute("SELECT client_tag, signed_qty FROM paper_executions").fetchall()


@pytest.fixture
def desk() -> Iterator[DeskServer]:
    with DeskServer() as desk:
        yield desk


@pytest.fixture
def machine(desk: DeskServer, tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(desk, tmp_path)
    yield machine
    if machine.process is not None and machine.process.poll() is None:
        machine.process.kill()
        machine.process.wait()


def position_in(snapshot: tuple[float, dict[str, Any]]) -> int:
    return sum(contract["position"] for contract in snapshot[1]["symbols"])


def test_a_trade_from_order_to_flat(machine: Machine, desk: DeskServer) -> None:
    desk.quotes_price(5250.25)
    machine.starts(PAPER_COMMISSION="0.50")
    entry = desk.queues("BUY", 5)
    assert desk.waits_for(entry, "FILLED")["fill_price"] == 5250.25
    filled_at, watch = time.monotonic(), Stopwatch(machine.process)
    desk.waits_until(lambda: [s for s in desk.snapshots if position_in(s) == 5])
    first = next(at for at, body in desk.snapshots if position_in((at, body)) == 5)
    assert first - filled_at < 0.5 + watch.queued
    desk.quotes_price(5252.25)
    exit_order = desk.queues_exit("SELL", 5)
    desk.waits_for(exit_order, "FILLED")
    flat = desk.waits_until(lambda: [s for s in desk.snapshots if s[0] > first and position_in(s) == 0])
    assert flat[0][1]["realized"] == 50
    assert flat[0][1]["accountBalance"] == 50_045
    assert flat[0][1]["symbols"][0]["lastFillPrice"] == 5252.25


def test_two_snapshots_the_desk_can_compare_follow_a_change(machine: Machine, desk: DeskServer) -> None:
    desk.quotes_price(5250.25)
    machine.starts()
    desk.waits_for(desk.queues("BUY", 5), "FILLED")
    watch = Stopwatch(machine.process)
    held = desk.waits_until(lambda: [at for at, body in desk.snapshots if position_in((at, body)) == 5][1:])
    in_the_queue = watch.queued
    first = next(at for at, body in desk.snapshots if position_in((at, body)) == 5)
    assert 2.0 - in_the_queue <= held[0] - first < 3.0 + in_the_queue


def test_heartbeat_comes_at_once_and_again_when_prices_arrive(machine: Machine, desk: DeskServer) -> None:
    machine.starts()
    desk.waits_until(lambda: [beat for beat in desk.heartbeats if beat["mdConnected"]])
    assert all(beat["tsConnected"] and beat["repoOk"] for beat in desk.heartbeats)


def test_bridge_stops_within_a_second_in_the_middle_of_a_long_poll(machine: Machine, desk: DeskServer) -> None:
    machine.starts()
    desk.waits_until(lambda: desk.snapshots and desk.polls_waiting)
    code, errors, seconds = machine.stops()
    assert (code, seconds < 1.0) == (0, True)
    assert "bridge stopped" in errors
    assert SECRET not in errors


@pytest.mark.parametrize("kind", ["ENTRY", "EXIT"])
def test_a_bridge_whose_ledger_is_deleted_claims_nothing_and_says_so(
    machine: Machine, desk: DeskServer, kind: str
) -> None:
    """The call that already waits for orders takes one: it is refused at once, and no other call asks for orders."""
    desk.quotes_price(5250.25)
    machine.starts()
    desk.waits_until(lambda: desk.snapshots and desk.polls_waiting)
    for part in ("", "-wal", "-shm"):
        machine.ledger.with_name(machine.ledger.name + part).unlink()
    watch = Stopwatch(machine.process)
    desk.waits_until(lambda: desk.heartbeats and not desk.heartbeats[-1]["repoOk"])
    assert watch.seconds < 2.0
    waiting = desk.queues() if kind == "ENTRY" else desk.queues_exit()
    assert "restore the ledger and restart the bridge" in desk.waits_for(waiting, "REJECTED")["reason"]
    later = desk.queues()
    watch.waits_until(lambda: "no order is claimed" in machine.log.read_text())
    assert not desk.polls_waiting
    assert later not in desk.owner_of
    machine.stops()
    machine.starts()
    desk.waits_for(later, "FILLED")


def test_second_bridge_on_a_ledger_is_refused_in_one_sentence(machine: Machine, desk: DeskServer) -> None:
    machine.starts()
    desk.waits_until(lambda: desk.snapshots)
    second = machine.runs()
    assert second.wait(PATIENCE_SECONDS) == 1
    assert machine.log.read_text() == f"Another bridge is already running on the ledger {machine.ledger}.\n"


def test_bridge_without_a_secret_says_so_and_ends(machine: Machine) -> None:
    process = machine.starts(BRIDGE_HEARTBEAT_SECRET="")
    assert process.wait(PATIENCE_SECONDS) == 1
    assert machine.log.read_text() == "BRIDGE_HEARTBEAT_SECRET is not set: the desk would refuse every call.\n"


def test_prices_may_come_from_a_tape(machine: Machine, desk: DeskServer, tmp_path: Path) -> None:
    tape = tmp_path / "prices.jsonl"
    tape.write_text('{"symbol":"MESZ6","price":5111.75,"ts":"2024-01-15T14:30:00Z"}\n')
    machine.starts("--tape", str(tape))
    assert desk.waits_for(desk.queues(), "FILLED")["fill_price"] == 5111.75


def test_a_tape_of_the_bridges_own_is_told_to_the_desk(machine: Machine, desk: DeskServer, tmp_path: Path) -> None:
    tape = tmp_path / "prices.jsonl"
    tape.write_text('{"symbol":"MESZ6","price":5111.75,"ts":"2024-01-15T14:30:00Z"}\n')
    machine.starts("--tape", str(tape))
    desk.waits_until(lambda: desk.ticks)
    told = desk.ticks[0]
    assert (told["symbol"], told["simulated"], told["secret"]) == ("MESZ6", True, SECRET)
    assert (told["ticks"][0]["price"], told["ticks"][0]["seq"]) == (5111.75, 1)


def test_a_desk_that_knows_no_ticks_is_not_asked_on_and_orders_fill(
    machine: Machine, desk: DeskServer, tmp_path: Path
) -> None:
    desk.takes_ticks = False
    tape = tmp_path / "prices.jsonl"
    lines = [f'{{"symbol":"MESZ6","price":{5111 + n},"ts":"2024-01-15T14:30:0{n}Z"}}\n' for n in range(4)]
    tape.write_text("".join(lines))
    machine.starts("--tape", str(tape))
    desk.waits_until(lambda: desk.asked_for_ticks)
    assert desk.waits_for(desk.queues(), "FILLED")["fill_price"] >= 5111
    desk.waits_until(lambda: len(desk.snapshots) >= 3)
    assert desk.asked_for_ticks == 1


def test_what_the_desk_told_is_not_told_back(machine: Machine, desk: DeskServer) -> None:
    desk.quotes_price(5250.25)
    machine.starts()
    desk.waits_for(desk.queues("BUY", 5), "FILLED")
    desk.quotes_price(5251)
    desk.waits_until(lambda: len(desk.snapshots) >= 3)
    assert desk.asked_for_ticks == 0


def test_protective_stop_outlives_the_bridge(machine: Machine, desk: DeskServer) -> None:
    desk.quotes_price(5250.25)
    machine.starts()
    desk.waits_for(desk.queues("BUY", 5), "FILLED")
    machine.is_killed()
    desk.quotes_price(5230.00)  # far through the stop at 5235.25
    machine.comes_back()
    flat = desk.waits_until(lambda: [s for s in desk.snapshots if s[1]["symbols"] and position_in(s) == 0])
    assert flat[-1][1]["symbols"][0]["lastFillPrice"] == 5230.00
    late = desk.queues_exit("SELL", 5)
    assert desk.waits_for(late, "REJECTED")["reason"] == "no position"


def test_log_that_nobody_reads_holds_up_no_order(machine: Machine, desk: DeskServer, tmp_path: Path) -> None:
    pipe = tmp_path / "log.pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    desk.quotes_price(5250.25)
    machine.starts(log=pipe)
    orders = [desk.queues(side, 1, stop_points=None) for side in ("BUY", "SELL") * 20]
    for order in orders:
        desk.waits_for(order, "FILLED")
    machine.process.kill()
    os.close(reader)


def test_desk_may_go_away_and_come_back(machine: Machine, desk: DeskServer) -> None:
    desk.quotes_price(5250.25)
    machine.starts()
    order = desk.queues("BUY", 5)
    desk.at = lambda what, _: desk.goes_away() if what == "WORKING" else None
    desk.waits_for(order, "WORKING")
    time.sleep(0.5)
    with desk.comes_back() as successor:
        machine.desk = successor
        assert successor.waits_for(order, "FILLED")["cum_qty"] == 5
        successor.waits_for(successor.queues_exit("SELL", 5), "FILLED")
        assert [qty for _, _, qty, _ in successor.fills()] == [5, -5]


MOST_WAITING = 20
MOMENTS = [
    ("claimed", None),
    *[("claimed", milliseconds / 1000) for milliseconds in (0, 1, 2, 3, 5)],
    ("WORKING", None),
    ("WORKING", 0.0005),
    ("FILLED", None),
    ("FILLED", 0.0005),
]


def test_killed_at_every_stage_of_an_order_each_is_executed_and_reported_once(
    machine: Machine, desk: DeskServer
) -> None:
    desk.quotes_price(5250.25)
    machine.starts()
    orders = []
    for number, (moment, after_seconds) in enumerate(MOMENTS):
        machine.is_killed_at(moment, after_seconds)
        orders.append(desk.queues("BUY", number + 1, stop_points=None))
        machine.comes_back()
        desk.waits_for(orders[-1], "FILLED")
    assert machine.kills == len(MOMENTS)
    everything_happened_once(machine, desk, orders)


def test_killed_again_and_again_in_a_stream_of_orders(machine: Machine, desk: DeskServer) -> None:
    desk.quotes_price(5250.25)
    dice, orders, quiet = random.Random(7), [], threading.Event()

    def trade() -> None:
        while not quiet.wait(0.01):
            # A busy machine takes seconds for a start: what waits meanwhile must not grow without end.
            desk.waits_until(lambda: quiet.is_set() or unfinished() < MOST_WAITING)
            orders.append(desk.queues(dice.choice(["BUY", "SELL"]), 1, stop_points=None))

    def unfinished() -> int:
        return len(orders) - sum(desk.final_status(order) is not None for order in orders)

    machine.starts()
    trader = threading.Thread(target=trade)
    trader.start()
    for _ in range(7):
        reported = len(desk.applied)
        desk.waits_until(partial(has_applied_more_than, desk, reported + 3))
        time.sleep(dice.uniform(0, 0.05))
        machine.is_killed()
        machine.comes_back()
    quiet.set()
    trader.join()
    desk.fails("report", 503, "cut", "cut after")
    desk.waits_until(lambda: all(desk.final_status(order) for order in orders))
    everything_happened_once(machine, desk, orders)


def has_applied_more_than(desk: DeskServer, reports: int) -> bool:
    return len(desk.applied) > reports


def everything_happened_once(machine: Machine, desk: DeskServer, orders: list[str]) -> None:
    assert sorted(desk.orders) == sorted(orders)
    assert all(desk.statuses(order) == ["WORKING", "FILLED"] for order in orders)
    assert sorted(order for order, _, _, _ in desk.fills()) == sorted(orders)
    assert {(order, qty) for order, _, qty, _ in desk.fills()} == set(machine.fills_in_the_books())
    position = sum(qty for _, _, qty, _ in desk.fills())
    at_the_end = time.monotonic()
    desk.waits_until(lambda: [s for s in desk.snapshots if s[0] > at_the_end and position_in(s) == position])
    code, _, _ = machine.stops()
    assert code == 0
