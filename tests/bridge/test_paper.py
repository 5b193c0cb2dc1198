"""The paper broker as a trader meets it: what fills, what waits, what is refused."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.brokers.broker import (
    BrokerEvent,
    OrderCancelled,
    OrderExecuted,
    OrderRefused,
    OrderRejected,
    OrderWorking,
    PositionChanged,
)
from bridge.brokers.paper import PaperBroker
from bridge.config import PaperSettings
from bridge.ledger import Ledger
from tests.support.narrow import known
from wire.bridge import OrderTicket, Quote

OPENING = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
START = Decimal(50_000)


class LiveFeed:
    """Prices arrive; the stories hand them over themselves."""

    def is_live(self) -> bool:
        return True

    def follow(self, sink: Any, stop: Any) -> Any:
        raise AssertionError("the stories hand the prices over themselves")


class PaperAccount:
    """A trader with a paper account, in sentences."""

    def __init__(self, path: Path, slippage_ticks: int = 0, commission: str = "0") -> None:
        self.path = path
        self.settings = PaperSettings(START, slippage_ticks, Decimal(commission), tape=None)
        self.now = OPENING
        self.events: list[BrokerEvent] = []
        self.orders = 0
        self._open()

    def _open(self) -> None:
        self.ledger = Ledger(self.path)
        self.broker = PaperBroker(self.ledger, self.settings, LiveFeed(), lambda: self.now)
        self.broker.open(self)

    def on_broker_event(self, event: BrokerEvent) -> None:
        self.events.append(event)

    def restarts(self) -> "PaperAccount":
        self.ledger.close()
        self._open()
        return self

    def waits(self, seconds: float) -> "PaperAccount":
        self.now += timedelta(seconds=seconds)
        self.broker.on_clock(self.now)
        return self

    def trades_at(self, *prices: float | str, contract: str = "MESZ6") -> "PaperAccount":
        for price in prices:
            self.broker.on_quote(Quote(contract, Decimal(str(price)), self.now))
        return self

    def enters(self, side: str = "BUY", qty: int = 5, stop: str | None = "15", **terms: Any) -> str:
        stop_points = Decimal(stop) if stop is not None else None
        return self._submits(side=side, qty=qty, stop_points=stop_points, **({"kind": "ENTRY"} | terms))

    def scales_in(self, side: str = "BUY", qty: int = 5, stop: str | None = "15") -> str:
        return self.enters(side, qty, stop, kind="SCALE_IN")

    def exits(self, side: str = "SELL", qty: int = 5, **terms: Any) -> str:
        return self._submits(side=side, qty=qty, kind="EXIT", **terms)

    def _submits(self, **terms: Any) -> str:
        self.orders += 1
        ticket = OrderTicket(
            **{
                "id": f"order-{self.orders}",
                "contract": "MESZ6",
                "exchange": "CME",
                "env": "DEMO",
                "tick_size": Decimal("0.25"),
                "point_value": Decimal(5),
                **terms,
            }
        )
        self.broker.submit(ticket)
        return ticket.id

    def fills_of(self, order_id: str) -> list[tuple[int, Decimal]]:
        executed = [event for event in self.events if isinstance(event, OrderExecuted)]
        return [(e.execution.qty, e.execution.price) for e in executed if e.client_tag == order_id]

    def story_of(self, order_id: str) -> list[str]:
        return [type(e).__name__ for e in self.events if getattr(e, "client_tag", None) == order_id]

    def reason_of(self, order_id: str) -> str:
        ends = [e for e in self.events if isinstance(e, OrderRejected | OrderCancelled)]
        return next(e.reason for e in ends if e.client_tag == order_id)

    @property
    def position(self) -> int:
        return self.broker.statement().position_in("MESZ6")

    @property
    def stop(self) -> tuple[str, int, Decimal] | None:
        stops = self.broker.protective_stops()
        return (stops[0].side, stops[0].qty, stops[0].price) if stops else None

    @property
    def last_fill_price(self) -> Decimal | None:
        return self.broker.statement().contracts[0].last_fill_price


@pytest.fixture
def account(tmp_path: Path) -> PaperAccount:
    return PaperAccount(tmp_path / "paper.sqlite")


def test_market_order_fills_in_full_at_the_last_price(account: PaperAccount) -> None:
    order = account.trades_at(5250.00, 5250.25).enters("BUY", 5)
    assert account.story_of(order) == ["OrderWorking", "OrderExecuted"]
    assert account.fills_of(order) == [(5, Decimal("5250.25"))]
    assert account.events[-1] == PositionChanged("MESZ6")
    assert account.position == 5


def test_order_waits_for_the_first_price_and_fills_there(account: PaperAccount) -> None:
    order = account.enters()
    assert account.story_of(order) == ["OrderWorking"]
    assert account.position == 0
    account.trades_at(5251.00)
    assert account.fills_of(order) == [(5, Decimal("5251.00"))]


def test_price_of_another_contract_fills_nothing(account: PaperAccount) -> None:
    order = account.enters()
    account.trades_at(18_000.25, contract="MNQZ6")
    assert account.story_of(order) == ["OrderWorking"]


def test_stale_entry_is_cancelled_instead_of_filled_at_the_first_price(account: PaperAccount) -> None:
    order = account.enters(expires_at=OPENING + timedelta(seconds=30))
    account.now += timedelta(seconds=31)
    account.trades_at(5251.00)
    assert account.story_of(order) == ["OrderWorking", "OrderCancelled"]
    assert "expired" in account.reason_of(order)
    assert account.position == 0


def test_stale_entry_does_not_even_wait_for_a_price(account: PaperAccount) -> None:
    order = account.enters(expires_at=OPENING + timedelta(seconds=30))
    account.waits(29)
    assert account.story_of(order) == ["OrderWorking"]
    account.waits(1)
    assert account.story_of(order) == ["OrderWorking", "OrderCancelled"]


def test_entry_refuses_a_price_older_than_a_minute_and_exit_takes_it(account: PaperAccount) -> None:
    account.trades_at(5250.25).enters("BUY", 5)
    account.waits(61)
    scale_in = account.scales_in("BUY", 5)
    assert account.story_of(scale_in) == ["OrderWorking"]
    exit_order = account.exits("SELL", 5)
    assert account.fills_of(exit_order) == [(5, Decimal("5250.25"))]


def test_entry_that_found_only_an_old_price_fills_at_the_next_one(account: PaperAccount) -> None:
    account.trades_at(5250.25).waits(61)
    order = account.enters()
    account.trades_at(5249.50)
    assert account.fills_of(order) == [(5, Decimal("5249.50"))]


def test_a_price_that_arrives_late_is_not_the_last_price(account: PaperAccount) -> None:
    account.trades_at(5250.25)
    account.broker.on_quote(Quote("MESZ6", Decimal(5200), OPENING - timedelta(seconds=1)))
    assert account.fills_of(account.enters()) == [(5, Decimal("5250.25"))]


def test_slippage_is_always_against_the_trader(tmp_path: Path) -> None:
    account = PaperAccount(tmp_path / "paper.sqlite", slippage_ticks=2)
    bought = account.trades_at(5250.00).enters("BUY", 5)
    sold = account.exits("SELL", 5)
    assert account.fills_of(bought) == [(5, Decimal("5250.50"))]
    assert account.fills_of(sold) == [(5, Decimal("5249.50"))]
    assert account.broker.statement().realized == Decimal(-25)


def test_commission_is_paid_per_contract_and_side_and_is_not_part_of_realized(tmp_path: Path) -> None:
    account = PaperAccount(tmp_path / "paper.sqlite", commission="0.62")
    account.trades_at(5250.00).enters("BUY", 5)
    account.trades_at(5252.00).exits("SELL", 5)
    statement = account.broker.statement()
    assert statement.realized == Decimal(50)
    assert statement.equity == START + 50 - Decimal("6.20")


def test_open_pnl_is_marked_at_the_last_price_with_the_contracts_point_value(account: PaperAccount) -> None:
    account.trades_at(5250.25).enters("SELL", 3)
    account.trades_at(5248.25)
    statement = account.broker.statement()
    assert statement.unrealized == Decimal(30)
    assert statement.equity == START + 30
    assert (statement.contracts[0].position, statement.contracts[0].avg_price) == (-3, Decimal("5250.25"))


def test_exit_larger_than_the_position_closes_only_the_position(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 3)
    order = account.exits("SELL", 5)
    assert account.fills_of(order) == [(3, Decimal("5250.00"))]
    assert account.story_of(order) == ["OrderWorking", "OrderExecuted", "OrderCancelled"]
    assert account.position == 0


def test_exit_on_the_wrong_side_does_not_add_to_the_position(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 3)
    order = account.exits("BUY", 3)
    assert account.story_of(order) == ["OrderWorking", "OrderRejected"]
    assert account.position == 3


def test_live_order_is_refused(account: PaperAccount) -> None:
    account.trades_at(5250.00)
    with pytest.raises(OrderRefused, match="paper broker does not execute LIVE orders"):
        account.enters(env="LIVE")
    assert account.broker.look_up("order-1") is None


def test_resting_order_can_be_taken_back(account: PaperAccount) -> None:
    order = account.enters()
    account.broker.cancel(order, "the trader changed their mind")
    account.trades_at(5250.00)
    assert account.story_of(order) == ["OrderWorking", "OrderCancelled"]
    assert known(account.broker.look_up(order)).status == "CANCELLED"


def test_the_same_client_tag_is_never_executed_twice(account: PaperAccount) -> None:
    order = account.trades_at(5250.00).enters("BUY", 5)
    with pytest.raises(Exception, match="UNIQUE"):
        account.enters("BUY", 5, id=order)
    assert account.position == 5


def test_fill_that_its_listener_could_not_write_down_never_happened(account: PaperAccount) -> None:
    account.trades_at(5250.00)

    def fail(event: BrokerEvent) -> None:
        if isinstance(event, OrderExecuted):
            raise OSError("disk full")

    account.broker.open(type("Listener", (), {"on_broker_event": staticmethod(fail)})())
    with pytest.raises(OSError, match="disk full"):
        account.enters("BUY", 5)
    assert account.position == 0
    assert account.broker.look_up("order-1") is None


def test_flat_contract_leaves_the_statement_after_a_day(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 5)
    account.exits("SELL", 5)
    assert [held.position for held in account.broker.statement().contracts] == [0]
    account.now += timedelta(hours=25)
    assert account.broker.statement().contracts == ()


def test_listener_hears_working_before_the_fill(account: PaperAccount) -> None:
    order = account.trades_at(5250.00).enters()
    assert account.events[0] == OrderWorking(order)
