"""The points target fires from the newer of last price and the broker's PnL (SPEC 6.1, 6.6)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.support.trader import Trader


@pytest.mark.parametrize(
    ("opens", "price", "source"),
    [
        ("is_long", 5264.75, None),
        ("is_long", 5265, "points_tp"),
        ("is_long", 5265.25, "points_tp"),
        ("is_short", 5235.25, None),
        ("is_short", 5235, "points_tp"),
        ("is_short", 5234.75, "points_tp"),
    ],
)
def test_a_scalp_is_exited_at_exactly_fifteen_points(opens: str, price: float, source: str | None) -> None:
    trader = getattr(Trader(), opens)(5250).hears(price)
    assert trader.exit_source == source


@pytest.mark.parametrize(("open_pnl", "source"), [("374.99", None), ("375", "points_tp"), ("375.01", "points_tp")])
def test_the_brokers_open_pnl_is_converted_to_points_by_position_and_point_value(
    open_pnl: str, source: str | None
) -> None:
    trader = Trader().is_long(5250).broker_says(open_pnl=open_pnl)
    assert trader.exit_source == source


def test_a_runner_has_no_points_target() -> None:
    trader = Trader().is_long(5250, mode="RUNNER").hears(5400)
    assert trader.order is None
    assert trader.broker_says(open_pnl=3750).order is None


def test_the_target_is_a_setting_and_counted_in_pips_where_points_are_pips() -> None:
    assert Trader(points_tp_target=Decimal(4)).is_long(5250).hears(5254).exit_source == "points_tp"
    pips = Trader(assets=("EURUSD",)).is_long("1.08500")
    assert pips.hears("1.08649").order is None
    assert pips.hears("1.08650").exit_source == "points_tp"


def test_an_average_price_counts() -> None:
    trader = Trader().with_structure("green").enters("BUY").partly_filled(2, 5250).partly_filled(3, 5260)
    assert trader.hears(5270.75).order is None
    assert trader.hears(5271).exit_source == "points_tp"


def test_an_older_price_does_not_overrule_a_newer_snapshot() -> None:
    trader = Trader().is_long(5250).later(seconds=5).broker_says(open_pnl=50)
    trader.hears(5265, sent_at=trader.now - timedelta(seconds=1))
    assert (trader.asset.live.open_points, trader.order) == (Decimal(2), None)
    assert trader.asset.live.last_price == 5265


def test_a_newer_price_overrules_an_older_snapshot() -> None:
    trader = Trader().is_long(5250).broker_says(open_pnl=50).later(seconds=1).hears(5265)
    assert trader.exit_source == "points_tp"


def test_a_price_from_before_the_entry_does_not_count_for_the_trade() -> None:
    trader = Trader().is_long(5250)
    trader.hears(5265, sent_at=trader.now - timedelta(seconds=1))
    assert trader.order is None


def test_a_price_from_before_the_entry_does_not_count_after_another_fill() -> None:
    trader = Trader().with_structure("green").hears(5300).later(seconds=1).enters("BUY")
    trader.partly_filled(1, 5250).partly_filled(4, 5250)
    assert trader.asset.live.open_points is None
    assert trader.bricks(2.5, "green").order is None


def test_a_snapshot_of_another_position_does_not_count_for_the_trade() -> None:
    trader = Trader().is_long(5250).broker_says(position=10, open_pnl=3750)
    assert (trader.order, trader.asset.live.open_points) == (None, None)


def test_an_adopted_position_is_protected_like_a_scalp() -> None:
    trader = Trader().hears(5250).broker_says(position=-5, avg_price=5250).later(2)
    trader.broker_says(position=-5, avg_price=5250)
    assert trader.hears(5235).exit_source == "points_tp"
    assert trader.open_order.side == "BUY"


def test_open_points_follow_the_average_price_when_more_fills() -> None:
    trader = Trader(points_tp_target=Decimal(9)).with_structure("green").enters("BUY").partly_filled(1, 5250)
    trader.later(seconds=1).hears(5258).partly_filled(4, 5258)
    assert trader.asset.live.open_points == Decimal("1.6")


def test_another_fill_does_not_restore_a_price_that_a_snapshot_overruled() -> None:
    trader = Trader().with_structure("green").enters("BUY").partly_filled(1, 5250).later(seconds=1).hears(5264)
    trader.later(seconds=4).broker_says(open_pnl=-50)
    trader.partly_filled(4, 5240).bricks(2.5, "green")
    assert trader.exit_source is None
