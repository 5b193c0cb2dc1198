"""Signals over kills of feeds and of web, and for programs that come and go: each change once for every follower."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from tests.support.desk_process import PATIENCE_SECONDS, QUICK, DeskProcess, eventually
from tests.support.feeds_process import FeedsProcess
from tests.support.local_clients import Listener, Trading

pytestmark = pytest.mark.processes


class Program:
    """A program that follows the signals, comes back after every break, and keeps all that it hears."""

    def __init__(self, feeds: FeedsProcess, name: str | None) -> None:
        self.feeds = feeds
        self.query = "" if name is None else f"?client={name}"
        self.heard: list[dict[str, Any]] = []
        self.comes()

    def comes(self) -> None:
        listener: Listener = eventually(self._try)
        self.listener = listener

    def _try(self) -> Listener | None:
        try:
            return Listener(self.feeds.url("signals", "ws") + "/connect" + self.query)
        except OSError:
            return None

    def hears(self) -> dict[str, Any]:
        """Return the next signal; one that comes again under its id is dropped, as the contract says."""
        while True:
            signal = self.listener.hears(20, type="STRATEGY_SIGNAL")
            if signal["id"] not in {one["id"] for one in self.heard}:
                self.heard.append(signal)
                return signal

    def hears_nothing(self) -> bool:
        return self.listener.hears_nothing()

    def leaves(self) -> None:
        self.listener.leaves()


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[tuple[Trading, FeedsProcess]]:
    with (
        DeskProcess(tmp_path / "desk", **QUICK) as desk,
        FeedsProcess(desk, tmp_path / "feeds", ("signals",)) as feeds,
    ):
        yield Trading(desk), feeds.hears_web()


def is_taken_in(trading: Trading, feeds: FeedsProcess) -> bool:
    """Return whether feeds have taken in every event of the desk."""
    newest = trading.operator.get("/api/events", params={"since_id": 0, "limit": 1000}).json()["next"]
    health = requests.get(feeds.url("signals") + "/health", timeout=PATIENCE_SECONDS).json()
    return bool(health["cursor"] is not None and health["cursor"] >= newest)


def test_what_nobody_heard_waits_for_the_first_listener_alone(floor: tuple[Trading, FeedsProcess]) -> None:
    trading, feeds = floor
    trading.enters(5250)
    eventually(lambda: is_taken_in(trading, feeds))
    first = Program(feeds, "first")
    assert first.hears()["action"] == "BUY"
    second = Program(feeds, "second")
    assert second.hears_nothing()
    trading.exits(5251)
    assert [first.hears()["action"], second.hears()["action"]] == ["SELL", "SELL"]
    assert first.hears_nothing()
    assert second.hears_nothing()


def test_a_program_that_comes_back_hears_what_it_missed_while_another_stayed(
    floor: tuple[Trading, FeedsProcess],
) -> None:
    trading, feeds = floor
    stays, goes = Program(feeds, "stays"), Program(feeds, None)
    trading.enters(5250)
    assert goes.hears()["id"] == stays.hears()["id"]
    goes.listener.dies()
    trading.exits(5251)
    missed = stays.hears()
    goes.comes()
    assert goes.hears() == missed
    assert goes.hears_nothing()
    late = Program(feeds, f"late&since_id={stays.heard[0]['id']}")
    assert late.hears() == missed
    assert late.hears_nothing()


@pytest.mark.parametrize("rounds", [2, pytest.param(10, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
def test_kills_of_feeds_and_of_web_lose_and_repeat_nothing(floor: tuple[Trading, FeedsProcess], rounds: int) -> None:
    """A round: an entry while feeds are dead, a kill of web, an exit, and a kill of feeds within milliseconds of it."""
    trading, feeds = floor
    programs = [Program(feeds, None), Program(feeds, None), Program(feeds, "named")]
    amounts: list[int] = []
    for number in range(rounds):
        feeds.kill()
        amounts.append(trading.enters(5250)["qty"])
        feeds.start()
        for program in programs:
            program.comes()
            assert program.hears()["action"] == "BUY"
        trading.desk.kill()
        trading.desk.start()
        amounts.append(-trading.exits(5251)["qty"])
        time.sleep(0.007 * (number % 5))
        feeds.kill()
        feeds.start()
        for program in programs:
            drain(program)
            program.comes()
            eventually(partial(has_heard, program, len(amounts)))
    for program in programs:
        assert program.hears_nothing()
        by_id = {signal["id"]: signal for signal in program.heard}
        assert [signed(signal) for signal in by_id.values()] == amounts
        assert list(by_id) == sorted(by_id)


def signed(signal: dict[str, Any]) -> int:
    amount: int = signal["amount"]
    return amount if signal["action"] == "BUY" else -amount


def drain(program: Program) -> None:
    """Read what a killed feeds had still sent."""
    try:
        while (signal := program.listener.reads(0.05)) is not None:
            program.heard.append(signal)
    except (OSError, websocket.WebSocketException):
        return


def has_heard(program: Program, changes: int) -> bool:
    """Read on; a kill between sending and noting may repeat a signal under its id."""
    signal = program.listener.reads(0.2)
    if signal is not None:
        program.heard.append(signal)
    return len({signal["id"] for signal in program.heard}) == changes


def test_a_desk_restored_from_an_older_copy_tells_nothing_again(floor: tuple[Trading, FeedsProcess]) -> None:
    trading, feeds = floor
    program = Program(feeds, "copier")
    trading.enters(5250)
    trading.exits(5251)
    assert [program.hears()["action"], program.hears()["action"]] == ["BUY", "SELL"]
    trading.desk.terminate()
    older = trading.desk.database.read_bytes()
    trading.desk.start()
    trading.enters(5250)
    trading.exits(5251)
    assert [program.hears()["action"], program.hears()["action"]] == ["BUY", "SELL"]
    trading.desk.terminate()
    for left in trading.desk.folder.glob("desk.sqlite-*"):
        left.unlink()
    trading.desk.database.write_bytes(older)
    trading.desk.start()
    trading.enters(5260)
    signal = program.hears()
    assert (signal["action"], signal["price"]) == ("BUY", 5260), "only what the restored desk did itself"
    assert program.hears_nothing()
    ids = [one["id"] for one in program.heard]
    assert ids == sorted(set(ids)), "ids grow also where the desk's own begin again"
