"""Each kind of change of a position at a real desk is one STRATEGY_SIGNAL at the engine socket."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.desk_process import QUICK, DeskProcess, eventually
from tests.support.feeds_process import FeedsProcess
from tests.support.local_clients import Listener, Trading
from tests.support.narrow import known
from tests.support.own_time import Stopwatch
from wire.signals import StrategySignal

pytestmark = pytest.mark.processes

CONTRACT = "MESM4"


class Follower(Trading):
    """A desk with feeds, and a program that follows its position."""

    def __init__(self, desk: DeskProcess, feeds: FeedsProcess) -> None:
        super().__init__(desk)
        self.feeds = feeds
        self.listener = Listener(feeds.url("signals", "ws") + "/connect?client=follower")
        self.executions = 0

    def told(self, count: int = 1) -> list[tuple[str, int, float | None, str]]:
        """Return the next signals in short, and check that no other follows."""
        signals = [self.listener.hears(type="STRATEGY_SIGNAL") for _ in range(count)]
        assert self.listener.hears_nothing(), self.listener.heard[-1]
        for signal in signals:
            msgspec.convert(signal, StrategySignal)
        return [(one["action"], one["amount"], one["price"], one["strategyName"]) for one in signals]

    def fills_in_part(self, order: dict[str, Any], qty: int, price: float) -> None:
        self.executions += 1
        report = self.bridge.reports(
            order["id"], "PARTIALLY_FILLED", fill_price=price, qty=qty, exec_id=f"{order['id'][:20]}-{self.executions}"
        )
        assert report.status_code == 200, report.text

    def executes_at_the_broker(self, side: str, qty: int, price: float, kind: str) -> None:
        """Let the bridge tell a fill that the desk did not order."""
        self.executions += 1
        fill = {"exec_id": f"broker-{self.executions}", "symbol": CONTRACT, "side": side, "qty": qty, "price": price}
        fill |= {"kind": kind, "order_id": None, "commission": None, "ts": self.operator.state()["now"]}
        body = {"instance": "a-bridge", "env": "DEMO", "account": "DEMO-1", "fills": [fill]}
        answer = self.bridge.post("/api/bridge/fills", json=body)
        assert (answer.status_code, answer.json()["taken"]) == (200, 1), answer.text

    def is_followed_to(self, held: int) -> bool:
        """Tell the desk what the broker holds, and return whether it holds that, too."""
        self.bridge.snapshots(**{CONTRACT: held})
        return self.position() == held

    def position(self) -> int:
        position: int = self.operator.asset()["position"]
        return position


@pytest.fixture
def follower(tmp_path: Path) -> Iterator[Follower]:
    with (
        DeskProcess(tmp_path / "desk", **QUICK) as desk,
        FeedsProcess(desk, tmp_path / "feeds", ("signals", "market")) as feeds,
    ):
        follower = Follower(desk, feeds.hears_web())
        yield follower
        heard = [one["amount"] if one["action"] == "BUY" else -one["amount"] for one in follower.listener.heard]
        assert sum(heard) == follower.position(), "whoever adds up the signals holds what the desk holds"
        follower.listener.leaves()


def test_entry_and_exit_in_parts_and_at_once(follower: Follower) -> None:
    entry = follower.queues_entry()
    follower.bridge.claims()
    follower.fills_in_part(entry, 2, 5250)
    follower.fills_in_part(entry, 3, 5251)
    assert follower.told() == [("BUY", 5, 5250.6, "lockstep.entry")]
    assert follower.listener.heard[0]["symbol"] == "ES"
    assert follower.listener.heard[0]["contract"] == CONTRACT
    follower.exits(5255)
    assert follower.told() == [("SELL", 5, 5255, "lockstep.manual")]


def test_an_entry_that_ends_partly_filled_and_its_late_fill(follower: Follower) -> None:
    entry = follower.queues_entry()
    follower.bridge.claims()
    follower.fills_in_part(entry, 2, 5250)
    assert follower.bridge.reports(entry["id"], "CANCELLED", reason="no more").status_code == 200
    assert follower.told() == [("BUY", 2, 5250, "lockstep.entry")]
    follower.fills_in_part(entry, 3, 5252)
    assert follower.told() == [("BUY", 3, 5252, "lockstep.entry")]


def test_a_part_whose_rest_hangs_is_told_within_seconds(follower: Follower) -> None:
    entry = follower.queues_entry()
    follower.bridge.claims()
    follower.fills_in_part(entry, 2, 5250)
    watch = Stopwatch(follower.desk.process, known(follower.feeds).process)
    assert follower.listener.hears()["amount"] == 2
    assert watch.seconds < 8
    follower.fills_in_part(entry, 3, 5251)
    assert follower.told() == [("BUY", 3, 5251, "lockstep.entry")]


def test_stop_liquidation_and_hand_at_the_broker(follower: Follower) -> None:
    follower.enters(5250)
    assert follower.told() == [("BUY", 5, 5250, "lockstep.entry")]
    follower.executes_at_the_broker("SELL", 1, 5249, "MANUAL")
    assert follower.told() == [("SELL", 1, 5249, "lockstep.manual")]
    follower.executes_at_the_broker("SELL", 1, 5240, "LIQUIDATION")
    assert follower.told() == [("SELL", 1, 5240, "lockstep.liquidation")]
    follower.executes_at_the_broker("SELL", 3, 5235.25, "STOP")
    assert follower.told() == [("SELL", 3, 5235.25, "lockstep.stop")]
    assert [one["orderType"] for one in follower.listener.heard] == ["Market", "Market", "Market", "Stop"]
    assert {one["tradeType"] for one in follower.listener.heard} == {"paper"}


def test_what_the_desk_takes_over_from_the_broker(follower: Follower) -> None:
    """The broker holds another position than the desk, and nobody told of a fill: desk and signals follow."""
    follower.enters(5250)
    follower.told()
    for held in (3, 0, -2):
        eventually(partial(follower.is_followed_to, held))
    signals = [follower.listener.hears(type="STRATEGY_SIGNAL") for _ in range(3)]
    assert [(one["action"], one["amount"]) for one in signals] == [("SELL", 2), ("SELL", 3), ("SELL", 2)]
    assert {one["strategyName"] for one in signals} == {"lockstep.broker"}
    assert follower.listener.hears_nothing()
