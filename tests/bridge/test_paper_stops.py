"""Protective stops at the paper broker: where they rest, when they fire, and who comes first (SPEC 6.7)."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.brokers.broker import PositionChanged, UnorderedFill
from tests.bridge.test_paper import PaperAccount
from wire.bridge import StopToRest


@pytest.fixture
def account(tmp_path: Path) -> PaperAccount:
    return PaperAccount(tmp_path / "paper.sqlite")


def test_protective_stop_rests_as_soon_as_the_entry_fills(account: PaperAccount) -> None:
    assert account.stop is None
    account.trades_at(5250.25).enters("BUY", 5, stop="15")
    assert account.stop == ("SELL", 5, Decimal("5235.25"))


def test_protective_stop_of_a_short_rests_above(account: PaperAccount) -> None:
    account.trades_at(5250.25).enters("SELL", 3, stop="10")
    assert account.stop == ("BUY", 3, Decimal("5260.25"))


def test_stop_distance_counts_points_and_rests_on_a_tick(account: PaperAccount) -> None:
    account.trades_at(1.10005).enters(
        "BUY",
        1,
        stop="20",
        tick_size=Decimal("0.00005"),
        point_size=Decimal("0.0001"),
        point_value=Decimal("12.5"),
    )
    assert account.stop == ("SELL", 1, Decimal("1.09805"))


def test_stop_follows_a_scale_in_with_quantity_and_average(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 5, stop="15")
    account.trades_at(5252.00).scales_in("BUY", 3, stop="15")
    # average 5250.75
    assert account.stop == ("SELL", 8, Decimal("5235.75"))


def test_averaging_down_moves_the_quantity_of_the_stop_and_never_its_price_away(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 5, stop="15")
    account.trades_at(5240.00).scales_in("BUY", 5, stop="15")
    # average 5245, 15 points away would be 5230
    assert account.stop == ("SELL", 10, Decimal("5235.00"))


def test_averaging_a_short_up_never_moves_its_stop_away(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("SELL", 5, stop="15")
    account.trades_at(5260.00).scales_in("SELL", 5, stop="15")
    assert account.stop == ("BUY", 10, Decimal("5265.00"))


def test_stop_of_books_that_know_only_its_distance_rests_where_it_did(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 5, stop="15")
    text = account.ledger.value("SELECT holding FROM paper_holdings")
    with account.ledger.transaction() as connection:
        connection.execute("UPDATE paper_holdings SET holding = json_remove(?, '$.stop_price')", (text,))
    account.restarts()
    assert account.stop == ("SELL", 5, Decimal("5235.00"))
    account.trades_at(5252.00).exits("SELL", 2)
    assert account.stop == ("SELL", 3, Decimal("5235.00"))


def test_stop_of_the_other_side_is_not_inherited(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 5, stop="15")
    account.enters("SELL", 8, stop="10")
    assert account.stop == ("BUY", 3, Decimal("5260.00"))


def stop_to_rest(**terms: Any) -> StopToRest:
    usual: dict[str, Any] = {
        "contract": "MESZ6",
        "exchange": "CME",
        "side": "SELL",
        "qty": 5,
        "price": Decimal("5235.00"),
    }
    return StopToRest(**(usual | terms))


def test_stop_rests_for_a_position_that_has_none(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 5, stop=None)
    account.broker.rest_stop(stop_to_rest())
    assert account.stop == ("SELL", 5, Decimal("5235.00"))
    account.restarts().trades_at(5235.00)
    assert account.position == 0


def test_stop_that_rests_already_is_kept(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 5, stop="10")
    account.broker.rest_stop(stop_to_rest())
    assert account.stop == ("SELL", 5, Decimal("5240.00"))


@pytest.mark.parametrize("terms", [{"side": "BUY"}, {"contract": "MNQZ6"}], ids=["side", "contract"])
def test_no_stop_rests_for_what_the_account_does_not_hold(account: PaperAccount, terms: dict[str, Any]) -> None:
    account.trades_at(5250.00).enters("BUY", 5, stop=None)
    account.broker.rest_stop(stop_to_rest(**terms))
    assert account.stop is None


def test_stop_that_fires_is_told_as_a_fill_that_nobody_ordered(tmp_path: Path) -> None:
    account = PaperAccount(tmp_path / "paper.sqlite", commission="0.62")
    account.trades_at(5250.00).enters("BUY", 5, stop="15")
    account.trades_at(5230.25)
    (fill,) = [event for event in account.events if isinstance(event, UnorderedFill)]
    assert (fill.contract, fill.side, fill.kind) == ("MESZ6", "SELL", "STOP")
    assert (fill.execution.qty, fill.execution.price) == (5, Decimal("5230.25"))
    assert fill.commission == Decimal("3.10")


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
    [
        ("BUY", 5235.00, 5235.00),
        ("BUY", 5230.25, 5230.25),
        ("SELL", 5265.00, 5265.00),
        ("SELL", 5271.50, 5271.50),
    ],
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


def test_exit_that_waited_goes_before_the_stop_at_the_same_price(account: PaperAccount) -> None:
    account.trades_at(5250.00).enters("BUY", 5)
    order = account.restarts().exits("SELL", 5)
    account.trades_at(5230.00)
    assert account.fills_of(order) == [(5, Decimal("5230.00"))]
    assert account.position == 0
