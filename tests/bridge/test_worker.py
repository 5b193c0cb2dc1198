"""Orders on their way through the bridge: from a real HTTP desk to a broker and back, one turn at a time."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.brokers.broker import (
    AccountStatement,
    BrokerListener,
    BrokerOrder,
    BrokerUnavailable,
    ContractPosition,
    Execution,
    OrderCancelled,
    OrderExecuted,
    OrderRefused,
    OrderWorking,
)
from bridge.client import DeskClient, DeskUnavailable, SecretRefused
from bridge.clock import DeskTime
from bridge.fills import FillOutbox
from bridge.ledger import Ledger
from bridge.limits import HardLimits
from bridge.orders import OrderRecord
from bridge.reports import Outbox, Reporter
from bridge.sender import ReportSender
from bridge.worker import Worker
from tests.support.fakes.desk_server import SECRET, DeskServer
from tests.support.fakes.unasked_broker import UnaskedBroker
from tests.support.narrow import known
from wire.bridge import OrderTicket

PRICE = Decimal("5250.25")


class MoodyBroker(UnaskedBroker):
    """An asynchronous broker that outlives the bridge, and does what the story needs.

    `mood` decides what a submission does: "works", "fills", "refuses", "takes it and breaks", "breaks before".
    """

    account = "MOODY-7"
    trade_route = "FAKE"

    def __init__(self) -> None:
        self.mood = "fills"
        self.as_of = datetime.now(UTC)
        self.reachable = True
        self.position = 0
        self.submitted: list[str] = []
        self.orders: dict[str, BrokerOrder] = {}
        self.tickets: dict[str, OrderTicket] = {}
        self.listener: BrokerListener | None = None

    def open(self, listener: BrokerListener) -> None:
        self.listener = listener

    def submit(self, order: OrderTicket) -> None:
        self.submitted.append(order.id)
        if self.mood == "refuses":
            raise OrderRefused("margin exceeded")
        if self.mood == "breaks before":
            raise TimeoutError("no answer")
        self.tickets[order.id] = order
        self.orders[order.id] = BrokerOrder(status="WORKING")
        if self.mood == "takes it and breaks":
            self.execute(order.id, order.qty, heard=False)
            raise TimeoutError("no answer")
        fill = self.execute(order.id, order.qty, heard=False) if self.mood == "fills" else None
        listener = known(self.listener)
        listener.on_broker_event(OrderWorking(order.id))
        if fill is not None:
            listener.on_broker_event(fill)

    def execute(self, tag: str, qty: int, heard: bool = True) -> OrderExecuted:
        standing, ticket = self.orders[tag], self.tickets[tag]
        exec_id = f"{tag}/{len(standing.executions) + 1}"
        execution = Execution(exec_id=exec_id, qty=qty, price=PRICE, at=datetime.now(UTC))
        executions = (*standing.executions, execution)
        is_full = sum(fill.qty for fill in executions) >= ticket.qty
        self.orders[tag] = BrokerOrder(status="FILLED" if is_full else "WORKING", executions=executions)
        self.position += ticket.sign * qty
        event = OrderExecuted(tag, execution)
        if heard:
            known(self.listener).on_broker_event(event)
        return event

    def look_up(self, client_tag: str) -> BrokerOrder | None:
        if not self.reachable:
            raise BrokerUnavailable("link down")
        return self.orders.get(client_tag)

    def statement(self) -> AccountStatement:
        if not self.reachable:
            raise BrokerUnavailable("link down")
        zero = Decimal(0)
        held = ContractPosition(
            contract="MESZ6", position=self.position, avg_price=None, last_fill_price=None, open_pnl=zero
        )
        return AccountStatement(as_of=self.as_of, realized=zero, unrealized=zero, equity=zero, contracts=(held,))

    def on_clock(self, now: datetime) -> None:
        pass


class Crew:
    """A bridge taken apart, so that a story decides which part has its turn."""

    def __init__(
        self,
        desk: DeskServer,
        broker: MoodyBroker,
        path: Path,
        limits: HardLimits,
        learns_time: Callable[[], DeskTime] | None = None,
    ) -> None:
        self.desk, self.broker, self.path, self.limits = desk, broker, path, limits
        self.learns_time = learns_time
        desk.waits_at_most = 0.0  # nothing comes while a part has its turn
        self.ahead = timedelta(0)
        self.seconds = 0.0
        self.comes_up()

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def comes_up(self, secret: str = SECRET) -> "Crew":
        """Start as a new process would: everything comes from the ledger."""
        self.ledger = Ledger(self.path)
        self.orders = OrderRecord(self.ledger)
        self.outbox = Outbox(self.ledger, self.clock)
        self.reporter = Reporter(self.ledger, self.orders, self.outbox, FillOutbox(self.ledger, self.clock))
        desk_time = self.learns_time() if self.learns_time is not None else None
        client = DeskClient(self.desk.url, secret, "bridge", clock=desk_time)
        self.sender = ReportSender(client, self.outbox, monotonic=lambda: self.seconds)
        self.worker = Worker(
            desk=client,
            broker=self.broker,
            orders=self.orders,
            outbox=self.outbox,
            reporter=self.reporter,
            hard_limits=self.limits,
            clock=desk_time or self.clock,
            is_time_known=desk_time.is_known if desk_time is not None else lambda: True,
        )
        self.broker.open(self.reporter)
        self.worker.recover()
        return self

    def crashes(self) -> "Crew":
        self.ledger.close()
        return self.comes_up()

    def polls(self) -> bool:
        return self.worker.poll()

    def reports(self) -> "Crew":
        while self.sender.run():
            pass
        return self

    def works(self) -> "Crew":
        self.polls()
        return self.reports()

    def looks_up(self) -> "Crew":
        self.worker.resolve_doubts()
        return self.reports()


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


def test_order_is_executed_and_its_fill_reported(crew: Crew, desk: DeskServer) -> None:
    order = desk.queues("BUY", 5)
    crew.works()
    assert desk.statuses(order) == ["WORKING", "FILLED"]
    assert desk.waits_for(order, "FILLED") == {
        "symbol": "MESZ6",
        "side": "BUY",
        "fill_price": 5250.25,
        "qty": 5,
        "cum_qty": 5,
        "exec_id": f"{order}/1",
    }


def test_partial_fills_are_reported_one_by_one(crew: Crew, desk: DeskServer, broker: MoodyBroker) -> None:
    broker.mood = "works"
    order = desk.queues("BUY", 5)
    crew.works()
    broker.execute(order, 2)
    broker.execute(order, 3)
    crew.reports()
    assert desk.statuses(order) == ["WORKING", "PARTIALLY_FILLED", "FILLED"]
    assert [extra["cum_qty"] for _, status, extra in desk.applied if "FILLED" in status] == [2, 5]


def test_fill_the_broker_tells_twice_is_reported_once(crew: Crew, desk: DeskServer, broker: MoodyBroker) -> None:
    broker.mood = "works"
    order = desk.queues("BUY", 5)
    crew.works()
    crew.reporter.on_broker_event(broker.execute(order, 2))
    crew.reports()
    assert [status for _, status, _ in desk.reports] == ["WORKING", "PARTIALLY_FILLED"]


def test_rest_of_a_partly_filled_order_may_be_cancelled(crew: Crew, desk: DeskServer, broker: MoodyBroker) -> None:
    broker.mood = "works"
    order = desk.queues("BUY", 5)
    crew.works()
    broker.execute(order, 2)
    crew.reporter.on_broker_event(OrderCancelled(order, "market closed"))
    crew.reports()
    assert desk.statuses(order) == ["WORKING", "PARTIALLY_FILLED", "CANCELLED"]
    assert desk.applied[-1][2]["cum_qty"] == 2


def test_redelivered_order_is_not_executed_twice_but_reported_again(
    crew: Crew, desk: DeskServer, broker: MoodyBroker
) -> None:
    order = desk.queues()
    crew.works()
    desk.applied.clear()  # the desk lost what it was told
    crew.works()
    assert broker.submitted == [order]
    assert desk.statuses(order) == ["WORKING", "FILLED"]


def test_reports_that_crossed_a_redelivery_on_the_way_are_not_repeated(crew: Crew, desk: DeskServer) -> None:
    desk.queues()
    crew.polls()
    asked_at = crew.clock()
    crew.reports()
    crew.outbox.resend("order-0001", settled_before=asked_at)
    assert crew.outbox.heads() == []


def test_exits_of_one_answer_go_first(crew: Crew, desk: DeskServer, broker: MoodyBroker) -> None:
    broker.position = 5
    entry, exit_order = desk.queues("BUY", 5), desk.queues_exit("SELL", 5)
    crew.works()
    assert broker.submitted == [exit_order, entry]


def test_expired_entry_is_not_sent(crew: Crew, desk: DeskServer, broker: MoodyBroker) -> None:
    order = desk.queues("BUY", 5)
    crew.ahead = timedelta(minutes=31)
    crew.works()
    assert broker.submitted == []
    assert desk.waits_for(order, "CANCELLED")["reason"] == "expired before submit"


def test_exit_never_expires(crew: Crew, desk: DeskServer, broker: MoodyBroker) -> None:
    broker.position = 5
    order = desk.queues_exit("SELL", 5, expires_at=datetime(2020, 1, 1, tzinfo=UTC).isoformat())
    crew.works()
    assert broker.submitted == [order]


def test_refusal_of_the_broker_is_reported_with_its_reason(crew: Crew, desk: DeskServer, broker: MoodyBroker) -> None:
    broker.mood = "refuses"
    order = desk.queues()
    crew.works()
    assert desk.statuses(order) == ["REJECTED"]
    assert desk.waits_for(order, "REJECTED")["reason"] == "margin exceeded"


@pytest.mark.parametrize(
    "flaw",
    [
        {"qty": 0},
        {"qty": "five"},
        {"side": "HOLD"},
        {"tick_size": 0},
        {"asset": None},
        {"expires_at": "soon"},
    ],
    ids=lambda flaw: next(iter(flaw)),
)
def test_malformed_order_is_rejected_and_its_neighbour_lives(
    crew: Crew, desk: DeskServer, broker: MoodyBroker, flaw: dict[str, Any]
) -> None:
    bad, good = desk.queues(**flaw), desk.queues()
    crew.works()
    assert "malformed order" in desk.waits_for(bad, "REJECTED")["reason"]
    assert broker.submitted == [good]


def test_desk_that_is_down_is_an_outage_and_not_an_end(crew: Crew, desk: DeskServer) -> None:
    desk.queues()
    desk.fails("pending", 503, "cut")
    for _ in range(2):
        with pytest.raises(DeskUnavailable):
            crew.polls()
    crew.works()
    assert desk.final_status("order-0001") == "FILLED"


def test_wrong_secret_is_told_apart_from_an_outage(crew: Crew, desk: DeskServer) -> None:
    crew.ledger.close()
    crew.comes_up(secret="another-secret")
    with pytest.raises(SecretRefused):
        crew.polls()
