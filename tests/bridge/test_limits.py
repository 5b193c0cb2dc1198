"""The bridge's own limits: they hold whatever the desk says, and never for an exit."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

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


def test_limits_of_the_bridge_hold_whatever_the_desk_says(crew: Crew, desk: DeskServer, broker: MoodyBroker) -> None:
    too_large = desk.queues("BUY", 21)
    crew.works()
    assert "at most 20 allowed" in desk.waits_for(too_large, "REJECTED")["reason"]
    desk.queues("BUY", 20)
    crew.works()
    too_much = desk.queues("BUY", 1)
    crew.works()
    assert "position would be 21" in desk.waits_for(too_much, "REJECTED")["reason"]
    assert broker.position == 20


def test_orders_that_may_still_fill_count_towards_the_position_limit(
    crew: Crew, desk: DeskServer, broker: MoodyBroker
) -> None:
    broker.mood = "works"
    waiting = desk.queues("BUY", 12)
    crew.works()
    broker.execute(waiting, 4)
    crew.reports()
    assert crew.orders.working_qty("MESZ6") == 8
    too_much = desk.queues("BUY", 9)
    crew.works()
    assert "position would be 21" in desk.waits_for(too_much, "REJECTED")["reason"]


def test_orders_per_minute_are_limited_and_the_minute_ends(
    desk: DeskServer, broker: MoodyBroker, tmp_path: Path
) -> None:
    crew = Crew(desk, broker, tmp_path / "ledger.sqlite", HardLimits(max_orders_per_minute=2))
    for side in ("BUY", "SELL", "BUY"):
        desk.queues(side, 1)
        crew.works()
    assert "2 orders within a minute" in desk.waits_for("order-0003", "REJECTED")["reason"]
    crew.ahead = timedelta(seconds=61)
    desk.queues("BUY", 1, expires_at=None)
    crew.works()
    assert desk.final_status("order-0004") == "FILLED"


def test_exits_know_no_limit(desk: DeskServer, broker: MoodyBroker, tmp_path: Path) -> None:
    limits = HardLimits(max_order_qty=1, max_position=1, max_orders_per_minute=1)
    crew = Crew(desk, broker, tmp_path / "ledger.sqlite", limits)
    broker.position = 60
    for _ in range(3):
        desk.queues_exit("SELL", 20)
        crew.works()
    assert broker.position == 0


def test_entry_is_refused_while_the_position_is_unknown(crew: Crew, desk: DeskServer, broker: MoodyBroker) -> None:
    broker.reachable = False
    order = desk.queues()
    crew.works()
    assert desk.waits_for(order, "REJECTED")["reason"] == "the position at the broker is unknown"
    assert broker.submitted == []
