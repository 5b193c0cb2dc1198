"""How passwords are checked: one at a time, few wrong ones, whoever sends them; and what a crowd of guesses costs."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil
import pytest
from argon2 import PasswordHasher
from requests import Response

from services.access.passwords import (
    AT_ONCE,
    WAITS_AT_MOST_SECONDS,
    WINDOW_SECONDS,
    WRONG_FROM_EVERYWHERE,
    PasswordChecks,
    Wait,
    caller_of,
)
from tests.access.test_access import From
from tests.support.desk_process import PASSWORD, PATIENCE_SECONDS, QUICK, DeskProcess, eventually
from tests.support.own_time import Stopwatch

RIGHT = "the right one"
GUESSES = 120
MEMORY_OF_A_DESK = 512 * 1024 * 1024  # compose.yaml and the systemd unit give it no more
SLOWEST_SECONDS = 0.5


class Clock:
    """A clock that is moved by hand."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def checks(clock: Clock) -> PasswordChecks:
    return PasswordChecks(lambda password: password == RIGHT, clock)


def guesses_from_everywhere(checks: PasswordChecks, count: int = WRONG_FROM_EVERYWHERE) -> None:
    for number in range(count):
        assert checks.check("guess", f"198.51.100.{number}") == "wrong"


# -- few wrong ones --------------------------------------------------------------------------------------------------


def test_the_sixth_try_of_an_address_waits_until_its_first_is_five_minutes_old(
    checks: PasswordChecks, clock: Clock
) -> None:
    for _ in range(5):
        assert checks.check("guess", "192.0.2.1") == "wrong"
        clock.now += 10
    assert checks.check(RIGHT, "192.0.2.1") == Wait("address", 250)
    assert checks.check(RIGHT, "192.0.2.2") == "right"
    clock.now += 249
    assert checks.check(RIGHT, "192.0.2.1") == Wait("address", 1)
    clock.now += 1
    assert checks.check(RIGHT, "192.0.2.1") == "right"


def test_a_right_password_forgets_the_wrong_ones_of_its_address(checks: PasswordChecks) -> None:
    for _ in range(4):
        checks.check("guess", "192.0.2.1")
    assert checks.check(RIGHT, "192.0.2.1") == "right"
    for _ in range(5):
        assert checks.check("guess", "192.0.2.1") == "wrong"


def test_a_whole_ipv6_network_is_one_address(checks: PasswordChecks) -> None:
    for number in range(5):
        assert checks.check("guess", f"2001:db8:1:2:{number}::9") == "wrong"
    assert checks.check(RIGHT, "2001:db8:1:2:ffff::1") == Wait("address", round(WINDOW_SECONDS))
    assert checks.check(RIGHT, "2001:db8:1:3::1") == "right"


@pytest.mark.parametrize(
    ("address", "caller"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1 ", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("[2001:db8::1]:4711", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
        ("x" * 4000, "x" * 64),
    ],
)
def test_who_an_address_is(address: str, caller: str) -> None:
    assert caller_of(address) == caller


def test_fifty_wrong_ones_from_everywhere_hold_up_new_addresses(checks: PasswordChecks, clock: Clock) -> None:
    assert checks.check(RIGHT, "192.0.2.1") == "right"
    guesses_from_everywhere(checks)
    assert checks.check(RIGHT, "203.0.113.9") == Wait("everywhere", 300)
    clock.now += WINDOW_SECONDS
    assert checks.check(RIGHT, "203.0.113.9") == "right"


def test_the_operators_own_address_is_not_held_up_by_others(checks: PasswordChecks) -> None:
    assert checks.check(RIGHT, "192.0.2.1") == "right"
    guesses_from_everywhere(checks)
    assert checks.check("a slip", "192.0.2.1") == "wrong"
    assert checks.check(RIGHT, "192.0.2.1") == "right"


# -- one at a time ---------------------------------------------------------------------------------------------------


class SlowCheck:
    """A check that lasts until it is let go, and counts how many run at once."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.running = self.most = 0

    def __call__(self, password: str) -> bool:
        self.running += 1
        self.most = max(self.most, self.running)
        self.let_go.wait(30)
        time.sleep(0.01)
        self.running -= 1
        return password == RIGHT


def test_passwords_are_checked_one_at_a_time_and_a_crowd_is_refused_at_once() -> None:
    slow = SlowCheck()
    checks = PasswordChecks(slow)
    with ThreadPoolExecutor(20) as callers:
        asked = [callers.submit(checks.check, "guess", f"192.0.2.{number}") for number in range(20)]
        refused = eventually(lambda: [one for one in asked if one.done()][: 20 - AT_ONCE] or None)
        eventually(lambda: sum(one.done() for one in asked) == 20 - AT_ONCE)
        slow.let_go.set()
        verdicts = [one.result() for one in asked]
    assert {one.result() for one in refused} == {Wait("busy", 1)}
    assert verdicts.count("wrong") == AT_ONCE
    assert slow.most == 1


def test_nobody_waits_longer_than_two_seconds_for_the_check_before() -> None:
    slow = SlowCheck()
    checks = PasswordChecks(slow)
    with ThreadPoolExecutor(2) as callers:
        first = callers.submit(checks.check, RIGHT, "192.0.2.1")
        eventually(lambda: slow.running == 1)
        watch = Stopwatch()
        assert checks.check(RIGHT, "192.0.2.2") == Wait("busy", 1)
        assert watch.seconds < WAITS_AT_MOST_SECONDS + 1
        slow.let_go.set()
        assert first.result() == "right"
    assert checks.check(RIGHT, "192.0.2.2") == "right"


# -- what a crowd costs ----------------------------------------------------------------------------------------------


def memory_of(desk: DeskProcess) -> int:
    """Return the memory of gunicorn and its worker, in bytes."""
    master = psutil.Process(desk.spawned.pid)
    return sum(process.memory_info().rss for process in (master, *master.children(recursive=True)))


@contextmanager
def guessing(desk: DeskProcess) -> Iterator[list[Future[int]]]:
    """Let 120 strangers, each from an address of its own, send a wrong password at once. Give what they will hear."""
    begin = threading.Barrier(GUESSES)

    def guess(number: int) -> int:
        stranger = From(desk, f"127.0.{number + 1}.2")
        begin.wait(PATIENCE_SECONDS)
        asked = {"password": f"guess {number}"}  # strangers come last: on a busy machine they wait for minutes
        return stranger.post("/api/login", json=asked, timeout=5 * PATIENCE_SECONDS).status_code

    with ThreadPoolExecutor(GUESSES) as strangers:
        yield [strangers.submit(guess, number) for number in range(GUESSES)]


@pytest.mark.processes
@pytest.mark.timeout(600)
def test_120_wrong_passwords_at_once_take_neither_the_memory_nor_the_webhooks_nor_an_exit(tmp_path: Path) -> None:
    hashed = PasswordHasher().hash(PASSWORD)
    with DeskProcess(tmp_path, DASHBOARD_PASSWORD="", DASHBOARD_PASSWORD_HASH=hashed, **QUICK) as desk:
        operator, alerts = desk.operator(), desk.tradingview()
        alerts.opens_the_ladder()
        alerts.brick(8, "green")
        calls: list[Callable[[], Response]] = [
            lambda: alerts.brick(8, "green"),
            lambda: operator.post("/api/exit-all", json={}),
        ]
        most, took = memory_of(desk), []
        with guessing(desk) as guesses:
            while not all(guess.done() for guess in guesses):
                for call in calls:
                    began_at = time.monotonic()
                    assert call().status_code == 200
                    took.append(time.monotonic() - began_at)
                most = max(most, memory_of(desk))
                time.sleep(0.05)  # the strangers have a turn, too
        answers = [guess.result() for guess in guesses]
        assert set(answers) <= {401, 429, 503}
        assert 0 < answers.count(401) <= WRONG_FROM_EVERYWHERE
        assert most < MEMORY_OF_A_DESK, f"{most / 2**20:.0f} MiB"
        assert median(took) < SLOWEST_SECONDS, f"{took} s"
        assert operator.logs_in().status_code == 200  # its address knew the password before
