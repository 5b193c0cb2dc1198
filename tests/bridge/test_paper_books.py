"""The paper broker's books: they survive a restart and add up to the cent."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bridge.test_paper import START, PaperAccount
from tests.support.narrow import known


@pytest.fixture
def account(tmp_path: Path) -> PaperAccount:
    return PaperAccount(tmp_path / "paper.sqlite")


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
    assert known(account.broker.look_up(order)).status == "FILLED"


def test_exit_after_a_restart_waits_a_little_for_a_price_and_then_takes_the_last_known(
    account: PaperAccount,
) -> None:
    account.trades_at(5250.00).enters("BUY", 5)
    account.trades_at(5253.00).waits(1)
    order = account.restarts().exits("SELL", 5)
    assert account.waits(4).fills_of(order) == []
    assert account.waits(1).fills_of(order) == [(5, Decimal("5253.00"))]


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
