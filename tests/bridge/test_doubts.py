"""Orders whose fate is unknown: looked up at the broker, never sent again blindly (SPEC 8.6)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.brokers.broker import (
    LinkRestored,
)
from bridge.limits import HardLimits
from tests.bridge.test_worker import Crew, MoodyBroker
from tests.support.fakes.desk_server import DeskServer


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


def test_order_that_vanished_in_a_timeout_is_looked_up_and_not_sent_again(
    crew: Crew, desk: DeskServer, broker: MoodyBroker
) -> None:
    broker.mood = "takes it and breaks"
    order = desk.queues()
    crew.works()
    assert crew.orders.state_of(order) == "IN_DOUBT"
    assert desk.statuses(order) == []
    crew.looks_up()
    assert broker.submitted == [order]
    assert desk.statuses(order) == ["WORKING", "FILLED"]


def test_doubt_stays_as_long_as_the_broker_cannot_tell(crew: Crew, desk: DeskServer, broker: MoodyBroker) -> None:
    broker.mood = "takes it and breaks"
    order = desk.queues()
    crew.works()
    broker.reachable = False
    crew.looks_up().crashes().looks_up()
    assert crew.orders.state_of(order) == "IN_DOUBT"
    broker.reachable = True
    crew.looks_up()
    assert desk.final_status(order) == "FILLED"
    assert broker.submitted == [order]


def test_order_that_never_reached_the_broker_is_sent_once_that_is_certain(
    crew: Crew, desk: DeskServer, broker: MoodyBroker
) -> None:
    broker.mood = "breaks before"
    order = desk.queues()
    crew.works()
    broker.mood = "fills"
    crew.looks_up()
    assert desk.final_status(order) == "FILLED"
    assert broker.position == 5


def test_entry_that_never_reached_the_broker_is_not_sent_when_it_is_too_late(
    crew: Crew, desk: DeskServer, broker: MoodyBroker
) -> None:
    broker.mood = "breaks before"
    order = desk.queues()
    crew.works()
    crew.ahead = timedelta(minutes=31)
    crew.looks_up()
    assert desk.final_status(order) == "CANCELLED"
    assert broker.submitted == [order]


def test_fills_during_an_outage_of_the_link_are_caught_up(crew: Crew, desk: DeskServer, broker: MoodyBroker) -> None:
    broker.mood = "works"
    order = desk.queues()
    crew.works()
    broker.execute(order, 5, heard=False)
    crew.reporter.on_broker_event(LinkRestored())
    crew.looks_up()
    assert desk.statuses(order) == ["WORKING", "FILLED"]


class PowerCut(BaseException):
    """The machine goes dark; nothing below may catch it."""


def cut_before(function: Callable[..., Any]) -> Callable[..., Any]:
    def dark(*_: Any, **__: Any) -> Any:
        raise PowerCut

    return dark


def cut_after(function: Callable[..., Any]) -> Callable[..., Any]:
    def dark(*args: Any, **named: Any) -> Any:
        function(*args, **named)
        raise PowerCut

    return dark


@pytest.mark.parametrize("cut", [cut_before, cut_after])
@pytest.mark.parametrize(
    ("part", "step"),
    [
        ("orders", "accept"),
        ("orders", "begin_submission"),
        ("broker", "submit"),
        ("orders", "move"),
        ("outbox", "settle"),
        ("reporter", "on_broker_event"),
    ],
)
def test_power_cut_at_any_step_loses_nothing_and_sends_nothing_twice(
    crew: Crew, desk: DeskServer, broker: MoodyBroker, part: str, step: str, cut: Callable[..., Any]
) -> None:
    order = desk.queues()
    whole = getattr(getattr(crew, part), step)
    setattr(getattr(crew, part), step, cut(whole))
    with pytest.raises(PowerCut):
        crew.works()
    setattr(broker, "submit", type(broker).submit.__get__(broker))  # noqa: B010 - the broker survives the cut
    crew.crashes().looks_up()
    if desk.final_status(order) is None:
        crew.works().looks_up()  # an order that the ledger does not know is looked up first
    assert desk.statuses(order) == ["WORKING", "FILLED"]
    assert broker.position == 5
    assert len(desk.fills()) == 1
