"""The paper broker as a trader meets it: fills, stops, restarts, and books that add up to the cent."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from bridge.wire import OrderTicket, Quote

OPENING = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
START = Decimal(50_000)


class LiveFeed:
    """Prices arrive; the stories hand them over themselves."""

    def is_live(self) -> bool:
        return True

    def follow(self, sink: Any, stop: Any) -> Any:
        raise NotImplementedError


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

    def trades_at(self, *prices: float, contract: str = "MESZ6") -> "PaperAccount":
        for price in prices:
            self.broker.on_quote(Quote(contract, Decimal(str(price)), self.now))
        return self

    def enters(self, side: str = "BUY", qty: int = 5, stop: str | None = "15", **terms: Any) -> str:
        stop_points = Decimal(stop) if stop is not None else None
        return self._submits(side=side, qty=qty, stop_points=stop_points, **({"kind": "ENTRY"} | terms))

    def scales_in(self, side: str = "BUY", qty: int = 5, stop: str | None = "15") -> str:
        return self.enters(side, qty, stop, kind="SCALE_IN")

    def exits(self, side: str = "SELL", qty: int = 5) -> str:
        return self._submits(side=side, qty=qty, kind="EXIT")

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


def test_protective_stop_rests_as_soon_as_the_entry_fills(account: PaperAccount) -> None:
    assert account.stop is None
    account.trades_at(5250.25).enters("BUY", 5, stop="15")
    assert account.stop == ("SELL", 5, Decimal("5235.25"))


def test_protective_stop_of_a_short_rests_above(account: PaperAccount) -> None:
    account.trades_at(5250.25).enters("SELL", 3, stop="10")
    assert account.stop == ("BUY", 3, Decimal("5260.25"))


def test_stop_distance_counts_points_and_rests_on_a_tick(account: PaperAccount) -> None:
    account.trades_at(1.10005).enters(
        "BUY", 1, stop="20", tick_size=Decimal("0.00005"), point_size=Decimal("0.0001"), point_value=Decimal("12.5")
    )
    assert account.stop == ("SELL", 1, Decimal("1.09805"))


def test_stop_follows_a_scale_in_with_quantity_and_average(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 5, stop="15")
    account.trades_at(5252.00).scales_in("BUY", 3, stop="15")
    # average 5250.75
    assert account.stop == ("SELL", 8, Decimal("5235.75"))


def test_stop_keeps_its_price_and_shrinks_with_a_partial_exit(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 5, stop="15")
    account.trades_at(5252.00).exits("SELL", 2)
    assert account.stop == ("SELL", 3, Decimal("5235.00"))


def test_stop_is_removed_when_flat(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 5)
    account.exits("SELL", 5)
    assert account.stop is None
    account.trades_at(5200.00)
    assert account.position == 0


def test_entry_without_stop_points_rests_no_stop(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 5, stop=None)
    assert account.stop is None
    account.trades_at(5000.00)
    assert account.position == 5


@pytest.mark.parametrize(
    ("side", "traded", "filled_at"),
    [("BUY", 5235.00, 5235.00), ("BUY", 5230.25, 5230.25), ("SELL", 5265.00, 5265.00), ("SELL", 5271.50, 5271.50)],
    ids=["long at the stop", "long gaps through", "short at the stop", "short gaps through"],
)
def test_stop_fires_at_its_price_or_at_the_gap(
    account: PaperAccount, side: str, traded: float, filled_at: float
) -> None:
    account.trades_at(5250.00).enters(side, 5, stop="15")
    account.trades_at(traded)
    assert account.position == 0
    assert account.last_fill_price == Decimal(str(filled_at))
    assert account.events[-1] == PositionChanged("MESZ6")


def test_stop_that_fires_slips_too(tmp_path: Path) -> None:
    account = PaperAccount(tmp_path / "paper.sqlite", slippage_ticks=1)
    account.trades_at(5250.00).enters("BUY", 5, stop="15")  # filled at 5250.25, stop 5235.25
    account.trades_at(5235.25)
    assert account.last_fill_price == Decimal("5235.00")


def test_stop_does_not_fire_one_tick_early(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 5, stop="15")
    account.trades_at(5235.25)
    assert account.position == 5


def test_exit_after_the_stop_fired_finds_no_position(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 5, stop="15")
    account.trades_at(5230.00)
    late = account.exits("SELL", 5)
    assert account.story_of(late) == ["OrderWorking", "OrderRejected"]
    assert account.reason_of(late) == "no position"
    assert account.position == 0


def test_scale_in_after_the_stop_fired_opens_nothing(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 5, stop="15")
    account.trades_at(5230.00)
    late = account.scales_in("BUY", 5)
    assert account.reason_of(late) == "no position to scale into"
    assert account.position == 0


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
    assert account.broker.look_up(order).status == "CANCELLED"


def test_the_same_client_tag_is_never_executed_twice(account: PaperAccount) -> None:
    order = account.trades_at(5250.00).enters("BUY", 5)
    with pytest.raises(Exception, match="UNIQUE"):
        account.enters("BUY", 5, id=order)
    assert account.position == 5


def test_restart_keeps_position_stop_and_money(tmp_path: Path) -> None:
    account = PaperAccount(tmp_path / "paper.sqlite", commission="0.62")
    account.trades_at(5250.00).enters("BUY", 5)
    account.trades_at(5251.50).waits(1)
    before = account.broker.statement()
    account.restarts()
    assert account.broker.statement() == before
    assert account.stop == ("SELL", 5, Decimal("5235.00"))
    account.trades_at(5220.00)
    assert account.last_fill_price == Decimal("5220.00")


def test_restart_keeps_a_waiting_order(account: PaperAccount) -> None:
    order = account.enters()
    account.restarts().trades_at(5250.00)
    assert account.fills_of(order) == [(5, Decimal("5250.00"))]
    assert account.broker.look_up(order).status == "FILLED"


def test_exit_after_a_restart_waits_a_little_for_a_price_and_then_takes_the_last_known(
    account: PaperAccount,
) -> None:
    account.trades_at(5250.00).enters("BUY", 5)
    account.trades_at(5253.00).waits(1)
    order = account.restarts().exits("SELL", 5)
    assert account.waits(4).fills_of(order) == []
    assert account.waits(1).fills_of(order) == [(5, Decimal("5253.00"))]


def test_exit_that_waited_goes_before_the_stop_at_the_same_price(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 5)
    order = account.restarts().exits("SELL", 5)
    account.trades_at(5230.00)
    assert account.fills_of(order) == [(5, Decimal("5230.00"))]
    assert account.position == 0


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


ticks = st.integers(min_value=20_900, max_value=21_100)
deeds = st.lists(
    st.one_of(
        st.tuples(st.just("price"), ticks),
        st.tuples(st.just("enter"), st.sampled_from(["BUY", "SELL"]), st.integers(1, 7)),
        st.tuples(st.just("scale"), st.sampled_from(["BUY", "SELL"]), st.integers(1, 7)),
        st.tuples(st.just("exit"), st.sampled_from(["BUY", "SELL"]), st.integers(1, 9)),
        st.tuples(st.just("restart")),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(deeds=deeds, slippage=st.integers(0, 3))
def test_position_is_the_sum_of_fills_and_equity_adds_up_to_the_cent(deeds: list[Any], slippage: int) -> None:
    with TemporaryDirectory() as folder:
        account = PaperAccount(Path(folder) / "paper.sqlite", slippage_ticks=slippage, commission="0.62")
        account.trades_at(5250.00)
        mark = Fraction(5250)
        for deed in deeds:
            match deed:
                case ("price", tick):
                    mark = Fraction(tick, 4)
                    account.trades_at(tick / 4)
                case ("enter", side, qty):
                    account.enters(side, qty, stop="15")
                case ("scale", side, qty):
                    account.scales_in(side, qty)
                case ("exit", side, qty):
                    account.exits(side, qty)
                case _:
                    account.waits(0).restarts()
            books_add_up(account, mark)


def books_add_up(account: PaperAccount, mark: Fraction) -> None:
    """Compare the statement with nothing but the cash that changed hands."""
    rows = account.ledger.rows("SELECT signed_qty, price FROM paper_executions")
    fills = [(qty, Fraction(price)) for qty, price in rows]
    position = sum(qty for qty, _ in fills)
    cash = -sum(qty * price * 5 for qty, price in fills) - sum(abs(qty) for qty, _ in fills) * Fraction(62, 100)
    statement = account.broker.statement()
    assert account.position == position
    assert Fraction(statement.equity) == Fraction(START) + cash + position * mark * 5
    commission = sum(abs(qty) for qty, _ in fills) * Decimal("0.62")
    assert statement.equity == START + statement.realized - commission + statement.unrealized
    assert (account.stop is None) == (position == 0)
    assert account.stop is None or account.stop[1] == abs(position)
