"""Protective stops at the paper broker: where they rest, when they fire, and who comes first (SPEC 6.7)."""

from decimal import Decimal
from pathlib import Path

import pytest

from bridge.brokers.broker import (
    PositionChanged,
)
from tests.bridge.test_paper import PaperAccount


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
