"""An exit larger than the broker's position is not sent: it would open one (SPEC 7.2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.limits import HardLimits, exit_refusal
from tests.bridge.test_worker import Crew, MoodyBroker
from tests.support.fakes.desk_server import DeskServer
from wire.bridge import OrderTicket, decode_order


@pytest.fixture
def desk() -> Iterator[DeskServer]:
    with DeskServer() as desk:
        yield desk


@pytest.fixture
def broker() -> MoodyBroker:
    return MoodyBroker()


@pytest.fixture
def crew(desk: DeskServer, broker: MoodyBroker, tmp_path: Path) -> Iterator[Crew]:
    crew = Crew(desk, broker, tmp_path / "ledger.sqlite", HardLimits())
    yield crew
    crew.ledger.close()


def test_it_is_reported_with_what_the_account_holds(crew: Crew, desk: DeskServer, broker: MoodyBroker) -> None:
    broker.position = 3
    order = desk.queues_exit("SELL", 5)
    crew.works()
    assert broker.submitted == []
    reason = desk.waits_for(order, "REJECTED")["reason"]
    assert reason == "the account holds 3 MESZ6: SELL 5 would open a position"
    assert crew.reporter.position_changed.is_set()  # the desk hears at once what the account holds
    right = desk.queues_exit("SELL", 3)
    crew.works()
    assert (broker.submitted, broker.position) == ([right], 0)


@pytest.mark.parametrize(("position", "side"), [(-5, "SELL"), (5, "BUY")])
def test_one_of_the_wrong_side_adds_to_no_position(
    crew: Crew, desk: DeskServer, broker: MoodyBroker, position: int, side: str
) -> None:
    broker.position = position
    order = desk.queues_exit(side, 5)
    crew.works()
    assert (broker.submitted, desk.final_status(order)) == ([], "REJECTED")


def test_after_a_restart_the_account_is_asked_again(crew: Crew, desk: DeskServer, broker: MoodyBroker) -> None:
    """The bridge dies before the exit reaches the broker, and the stop fires meanwhile."""
    broker.position, broker.mood = 5, "breaks before"
    order = desk.queues_exit("SELL", 5)
    crew.works()
    broker.position, broker.mood = 0, "fills"
    crew.crashes().looks_up()
    assert (broker.submitted, broker.position) == ([order], 0)
    assert desk.waits_for(order, "REJECTED")["reason"] == "no position"


def test_two_exits_together_close_no_more_than_is_held(crew: Crew, desk: DeskServer, broker: MoodyBroker) -> None:
    broker.position, broker.mood = 5, "works"
    first, second = desk.queues_exit("SELL", 5), desk.queues_exit("SELL", 5)
    crew.works()
    assert broker.submitted == [first]
    assert "5 of them on their way out" in desk.waits_for(second, "REJECTED")["reason"]


def test_an_exit_of_which_nobody_can_tell_is_sent(crew: Crew, desk: DeskServer, broker: MoodyBroker) -> None:
    """Exits are never blocked by what is unknown."""
    broker.reachable = False
    order = desk.queues_exit("SELL", 5)
    crew.works()
    assert broker.submitted == [order]


def test_a_list_that_is_older_than_the_last_fill_blocks_no_exit(
    crew: Crew, desk: DeskServer, broker: MoodyBroker
) -> None:
    broker.as_of = datetime.now(UTC) - timedelta(seconds=2.2)
    entry = desk.queues("BUY", 5)
    crew.works()
    broker.position = 0  # the broker's list lags
    order = desk.queues_exit("SELL", 5)
    crew.works()
    assert broker.submitted == [entry, order]


@pytest.mark.parametrize(
    ("side", "position", "exiting", "is_sent"),
    [("SELL", 5, 0, True), ("SELL", 6, 1, True), ("SELL", 5, 1, False), ("BUY", -5, 0, True), ("BUY", -4, 0, False)],
)
def test_what_is_left_to_close_is_what_no_other_exit_takes(
    side: str, position: int, exiting: int, is_sent: bool
) -> None:
    body = f'"id": "x", "asset": "MESZ6", "exchange": "CME", "side": "{side}", "qty": 5, "env": "DEMO", "kind": "EXIT"'
    ticket = decode_order(f'{{{body}, "tick_size": 0.25, "point_value": 5}}'.encode())
    assert isinstance(ticket, OrderTicket)
    assert (exit_refusal(ticket, position, exiting) is None) is is_sent
