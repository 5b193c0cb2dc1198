"""Units at the paper broker: the stop's distance, the value of price, and books of a bridge that knew no units."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.bridge.test_paper import PaperAccount

OF_NASDAQ: dict[str, Any] = {
    "tick_size": Decimal("0.25"),
    "point_value": Decimal(2),
    "point_size": Decimal(4),
    "unit": Decimal(4),
}
A_PIP = Decimal("0.0001")
OF_EURUSD: dict[str, Any] = {
    "tick_size": Decimal("0.00001"),
    "point_value": Decimal(10_000),
    "point_size": A_PIP,
    "unit": A_PIP,
}
EURUSD_OF_BEFORE = {**OF_EURUSD, "point_value": Decimal(1), "unit": None}  # USD per pip


@pytest.fixture
def account(tmp_path: Path) -> PaperAccount:
    return PaperAccount(tmp_path / "paper.sqlite")


def test_a_stop_of_fifteen_points_of_nasdaq_rests_sixty_dollars_of_price_away(account: PaperAccount) -> None:
    account.trades_at(18000).enters("BUY", 5, stop="15", **OF_NASDAQ)
    assert account.stop == ("SELL", 5, Decimal(17940))


def test_a_result_is_price_times_contracts_times_point_value(account: PaperAccount) -> None:
    account.trades_at(18000).enters("BUY", 5, stop="15", **OF_NASDAQ)
    account.trades_at(18060)
    assert account.broker.statement().unrealized == 60 * 5 * 2
    account.exits("SELL", 5, **OF_NASDAQ)
    assert account.broker.statement().realized == 600


def test_a_ticket_of_a_desk_that_knew_no_units_means_what_it_did(account: PaperAccount) -> None:
    account.trades_at("1.10000").enters("BUY", 3, stop="20", **EURUSD_OF_BEFORE)
    account.trades_at("1.10100")
    assert account.stop == ("SELL", 3, Decimal("1.09800"))
    assert account.broker.statement().unrealized == 30


def test_books_of_before_go_on_with_their_stop_and_their_result(account: PaperAccount) -> None:
    account.trades_at("1.10000").enters("BUY", 3, stop="20", **OF_EURUSD)
    earlier = {"point_size": 0.0001, "point_value": 10, "stop_price": None}  # lots of 100,000 EUR
    held = msgspec.json.decode(account.ledger.value("SELECT holding FROM paper_holdings"))
    held = {name: value for name, value in (held | earlier).items() if name not in ("unit", "stop_price")}
    with account.ledger.transaction() as connection:
        connection.execute("UPDATE paper_holdings SET holding = ?", (msgspec.json.encode(held).decode(),))
    account.restarts().trades_at("1.10100")
    assert account.stop == ("SELL", 3, Decimal("1.09800"))
    assert account.broker.statement().unrealized == 300
    account.exits("SELL", 3, **OF_EURUSD)
    assert account.broker.statement().realized == 300
    account.enters("BUY", 1, stop="20", **OF_EURUSD)
    account.trades_at("1.10200")
    statement = account.broker.statement()
    assert [statement.realized, statement.unrealized] == [300, 10]  # what was won stays, a lot is 10,000 EUR now


def test_a_changed_unit_holds_for_the_next_entry(account: PaperAccount) -> None:
    account.trades_at(18000).enters("BUY", 2, stop="15", **OF_NASDAQ)
    account.exits("SELL", 2, **OF_NASDAQ)
    halved = {**OF_NASDAQ, "unit": Decimal(2), "point_size": Decimal(2)}
    account.enters("BUY", 2, stop="15", **halved)
    assert account.stop == ("SELL", 2, Decimal(17970))
