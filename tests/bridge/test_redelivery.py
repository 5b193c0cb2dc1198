"""Orders that come twice are looked up, others taken back; fills nobody ordered are told (SPEC 7.2, 8.2, 8.3)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.brokers.broker import Execution, OrderCancelled, UnorderedFill
from bridge.client import DeskClient, DeskUnavailable
from bridge.fill_sender import FillSender
from bridge.fills import FillOutbox
from bridge.limits import HardLimits
from tests.bridge.test_worker import Crew, MoodyBroker
from tests.support.fakes.desk_server import SECRET, DeskServer
from tests.support.narrow import known
from wire.bridge import StopToRest
from wire.types import Env


class PatientBroker(MoodyBroker):
    """A broker that also cancels, and keeps the stops it is asked to rest."""

    env: Env = "DEMO"

    def __init__(self) -> None:
        super().__init__()
        self.cancelled: list[str] = []
        self.rested: list[StopToRest] = []

    def cancel(self, client_tag: str, reason: str) -> None:
        self.cancelled.append(client_tag)
        known(self.listener).on_broker_event(OrderCancelled(client_tag, reason))

    def rest_stop(self, stop: StopToRest) -> None:
        self.rested.append(stop)


@pytest.fixture
def desk() -> Iterator[DeskServer]:
    with DeskServer() as desk:
        yield desk


@pytest.fixture
def broker() -> PatientBroker:
    return PatientBroker()


@pytest.fixture
def crew(desk: DeskServer, broker: PatientBroker, tmp_path: Path) -> Iterator[Crew]:
    crew = Crew(desk, broker, tmp_path / "ledger.sqlite", HardLimits())
    yield crew
    crew.ledger.close()


def loses_its_ledger(crew: Crew) -> Crew:
    """Start again as a bridge whose ledger is lost: the broker and the desk remember everything."""
    crew.ledger.close()
    crew.path = crew.path.with_name("empty.sqlite")
    return crew.comes_up()


def test_an_order_of_a_lost_ledger_that_the_broker_has_filled_is_reported_and_not_sent_again(
    crew: Crew, desk: DeskServer, broker: PatientBroker
) -> None:
    order = desk.queues("BUY", 5)
    crew.polls()
    loses_its_ledger(crew).works().looks_up()
    assert broker.submitted == [order]
    assert desk.statuses(order) == ["WORKING", "FILLED"]
    assert broker.position == 5


def test_a_redelivered_order_that_the_broker_never_had_is_sent_once(
    crew: Crew, desk: DeskServer, broker: PatientBroker
) -> None:
    order = desk.queues("BUY", 5)
    desk.hand_out("bridge", 20, 0)  # the answer was lost
    crew.works()
    assert broker.submitted == []
    crew.looks_up().works()
    assert broker.submitted == [order]


def test_nothing_is_sent_while_the_broker_cannot_tell(crew: Crew, desk: DeskServer, broker: PatientBroker) -> None:
    broker.position = 5
    order = desk.queues_exit("SELL", 5)
    desk.hand_out("bridge", 20, 0)
    broker.reachable = False
    for _ in range(3):
        crew.works().looks_up()
    assert (broker.submitted, desk.statuses(order)) == ([], [])
    broker.reachable = True
    crew.looks_up()
    assert broker.submitted == [order]


def test_a_redelivered_entry_that_has_expired_is_looked_up_and_never_sent(
    crew: Crew, desk: DeskServer, broker: PatientBroker
) -> None:
    order = desk.queues("BUY", 5)
    desk.hand_out("bridge", 20, 0)
    crew.ahead = timedelta(minutes=31)
    crew.works().looks_up()
    assert broker.submitted == []
    assert desk.waits_for(order, "CANCELLED")["reason"] == "expired before submit"


def test_the_rest_of_a_working_order_is_taken_back_at_the_broker(
    crew: Crew, desk: DeskServer, broker: PatientBroker
) -> None:
    broker.mood = "works"
    order = desk.queues("BUY", 5)
    crew.works()
    broker.execute(order, 2)
    desk.cancels.append(order)
    crew.works()
    assert broker.cancelled == [order]
    assert desk.statuses(order) == ["WORKING", "PARTIALLY_FILLED", "CANCELLED"]
    assert desk.applied[-1][2]["cum_qty"] == 2


def test_an_order_that_is_asked_back_with_its_own_handover_is_never_sent(
    crew: Crew, desk: DeskServer, broker: PatientBroker
) -> None:
    order = desk.queues("BUY", 5)
    desk.cancels.append(order)
    crew.works()
    assert broker.submitted == []
    assert desk.waits_for(order, "CANCELLED")["reason"] == "taken back by the desk"


def test_a_doubtful_order_that_is_asked_back_is_looked_up_first(
    crew: Crew, desk: DeskServer, broker: PatientBroker
) -> None:
    broker.mood = "breaks before"
    order = desk.queues("BUY", 5)
    crew.works()
    desk.cancels.append(order)
    crew.works().looks_up()
    assert broker.submitted == [order]
    assert desk.final_status(order) == "CANCELLED"


def test_an_order_that_neither_ledger_nor_broker_knows_is_ended(
    crew: Crew, desk: DeskServer, broker: PatientBroker
) -> None:
    order = desk.queues("BUY", 5)
    desk.owner_of[order] = "another"
    desk.cancels.append(order)
    crew.works().works()
    assert desk.statuses(order) == ["CANCELLED"]
    assert broker.cancelled == []


def test_an_order_that_only_the_broker_knows_is_cancelled_there(
    crew: Crew, desk: DeskServer, broker: PatientBroker
) -> None:
    broker.mood = "works"
    order = desk.queues("BUY", 5)
    crew.works()
    desk.cancels.append(order)
    loses_its_ledger(crew).works()
    assert broker.cancelled == [order]


def test_stops_for_adopted_positions_go_to_the_broker(crew: Crew, desk: DeskServer, broker: PatientBroker) -> None:
    stop = {"contract": "MESZ6", "exchange": "CME", "side": "SELL", "qty": 5, "price": 5235.25}
    desk.stops = [stop, {"contract": "MESZ6"}]
    desk.queues("BUY", 5)
    crew.works()
    price = Decimal("5235.25")
    assert broker.rested == [StopToRest(contract="MESZ6", exchange="CME", side="SELL", qty=5, price=price)]


# -- fills that nobody ordered ---------------------------------------------------------------------------------------


def stop_fill(exec_id: str = "stop-1") -> UnorderedFill:
    at = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
    execution = Execution(exec_id=exec_id, qty=5, price=Decimal("5235.25"), at=at)
    return UnorderedFill(contract="MESZ6", side="SELL", kind="STOP", execution=execution, commission=Decimal("3.10"))


def sends_fills(crew: Crew) -> bool:
    client = DeskClient(crew.desk.url, SECRET, "bridge", crew.ledger.instance)
    return FillSender(client, FillOutbox(crew.ledger, crew.clock), crew.broker, crew.ledger.instance).run()


def test_a_fired_stop_is_told_once_with_instance_env_and_account(crew: Crew, desk: DeskServer) -> None:
    crew.reporter.on_broker_event(stop_fill())
    crew.reporter.on_broker_event(stop_fill())
    assert sends_fills(crew)
    assert not sends_fills(crew)
    told = {
        "exec_id": "stop-1", "ts": "2026-11-20T17:00:00Z", "symbol": "MESZ6", "side": "SELL", "qty": 5,
        "price": 5235.25, "kind": "STOP", "order_id": None, "commission": 3.1,
    }  # fmt: skip
    whose = {"secret": SECRET, "instance": crew.ledger.instance, "env": "DEMO", "account": "MOODY-7"}
    assert desk.broker_fills == [{**whose, "fills": [told]}]


def test_a_fill_outlives_the_bridge_until_the_desk_has_it(crew: Crew, desk: DeskServer) -> None:
    crew.reporter.on_broker_event(stop_fill())
    assert sends_fills(crew.crashes())
    assert len(desk.broker_fills) == 1


def test_a_desk_that_is_away_gets_the_fill_later(crew: Crew, desk: DeskServer) -> None:
    crew.reporter.on_broker_event(stop_fill())
    desk.is_away = True
    with pytest.raises(DeskUnavailable):
        sends_fills(crew)
    desk.is_away = False
    assert sends_fills(crew)


def test_a_desk_that_takes_no_fills_is_not_asked_again(crew: Crew, desk: DeskServer) -> None:
    desk.takes_fills = False
    crew.reporter.on_broker_event(stop_fill())
    assert sends_fills(crew)
    assert not sends_fills(crew)
    order = desk.queues("BUY", 5)
    crew.works()
    assert desk.final_status(order) == "FILLED"


def test_a_fill_that_the_desk_refuses_for_good_is_kept_with_the_reason(crew: Crew, desk: DeskServer) -> None:
    desk.refused_fills["stop-1"] = "unknown_asset"
    crew.reporter.on_broker_event(stop_fill("stop-1"))
    crew.reporter.on_broker_event(stop_fill("stop-2"))
    assert sends_fills(crew)
    refusals = crew.ledger.rows("SELECT exec_id, refusal FROM broker_fills ORDER BY number")
    assert refusals == [("stop-1", "unknown_asset"), ("stop-2", None)]
