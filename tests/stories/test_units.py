"""Every asset has its own point: bricks, stop, target and protect are counted in its unit (SPEC 2)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.engine.model.bricks import Stack
from services.engine.model.events import UnitChanged
from services.engine.model.state import Tempo
from services.market.instruments import INSTRUMENTS, TRADABLE, contract_for
from services.market.units import checked_unit
from tests.support.builders import CONTRACTS, WITH
from tests.support.trader import Trader
from wire.types import Contract, Price, Side

NOVEMBER = date(2026, 11, 17)
PRICES = {"EURUSD": Decimal("1.08500"), "GBPUSD": Decimal("1.27000"), "CL": Decimal("75.00")}  # else 5250
BEFORE_UNITS = Contract("MNQZ6", "CME", tick_size=Decimal("0.25"), point_value=Decimal(2))


def trading(asset: str, unit: Price | None = None, **settings: object) -> Trader:
    """Return a trader of the asset's contract, with a unit of the operator's own."""
    contract = contract_for(asset, NOVEMBER, unit=unit)
    return Trader(assets=(asset,), contracts={asset: contract}, **settings)  # type: ignore[arg-type]


@given(
    asset=st.sampled_from(TRADABLE),
    half_ticks=st.integers(1, 40),
    halves=st.integers(4, 60),
    side=st.sampled_from(["BUY", "SELL"]),
    entry_ticks=st.integers(-50, 50),
    moved_ticks=st.integers(-200, 200),
)
def test_stop_and_result_follow_from_unit_and_point_value(
    asset: str, half_ticks: int, halves: int, side: Side, entry_ticks: int, moved_ticks: int
) -> None:
    tick = INSTRUMENTS[asset].tick_size
    unit, stop_points = checked_unit(asset, 2 * half_ticks * tick), Decimal(halves) / 2
    entry = PRICES.get(asset, Decimal(5250)) + entry_ticks * tick
    leaves = entry + moved_ticks * tick
    trader = (
        trading(asset, unit, stop_points=stop_points, demo_equity=Decimal(10**9))
        .with_structure(WITH[side])
        .enters(side)
        .filled_at(entry)
    )
    trade = trader.trade
    sign = 1 if side == "BUY" else -1
    assert trade.stop_price == entry - sign * stop_points * unit
    assert trade.stop_price % tick == 0
    trader.bricks(6, WITH[side]).exits(force=True).filled_at(leaves)
    [closed] = trader.trades
    value = contract_for(asset, NOVEMBER).point_value
    assert closed.pnl_usd == (leaves - entry) * sign * 5 * value
    assert closed.pnl_points * unit == pytest.approx((leaves - entry) * sign)
    assert closed.unit == unit


def test_fifteen_points_of_nasdaq_are_sixty_dollars_of_price() -> None:
    trader = trading("NQ").hears(18000).is_long(18000, "NQ")
    assert trader.trade.stop_price == 17940
    assert trader.protections.points_tp_target == 15
    assert trader.later(1).hears("18059.75").exit_source is None
    assert trader.later(1).hears(18060).exit_source == "points_tp"


def test_protect_at_two_points_below_is_eight_dollars_of_price() -> None:
    trader = trading("NQ").hears(18000).is_long(18000, "NQ", mode="RUNNER").unlocks_management().protects(-2)
    assert trader.later(1).hears("17992.25").exit_source is None
    assert trader.later(1).hears(17992).exit_source == "protect"


def test_the_brokers_open_pnl_is_read_in_units() -> None:
    """5 MNQ at 2 USD per 1.00 of price: 300 USD are 30.00 of price, 7.5 units."""
    trader = trading("NQ").hears(18000).is_long(18000, "NQ").later(5).broker_says(open_pnl=300)
    assert trader.asset.live.open_points == Decimal("7.5")
    assert trader.asset.live.watch.price == 18030


def test_a_price_is_suspect_forty_units_away_in_the_operators_own_unit() -> None:
    assert trading("NQ").hears(18000).later(1).hears(18159).asset.live.watch.suspect is None
    assert trading("NQ", Decimal(2)).hears(18000).later(1).hears(18079).asset.live.watch.suspect is None
    assert trading("NQ", Decimal(2)).hears(18000).later(1).hears(18081).asset.live.watch.suspect == 18081


# -- the unit changes ------------------------------------------------------------------------------------------------


def desk_of_before() -> Trader:
    """A desk of a program that knew no units: a point of NQ was 1.00 of price."""
    return Trader(assets=("NQ",), generation=4, contracts={"NQ": BEFORE_UNITS})


def upgraded(trader: Trader) -> Trader:
    return trader.restarts(contracts={"NQ": CONTRACTS["NQ"]})


def test_an_open_trade_keeps_the_unit_it_was_opened_with() -> None:
    trader = upgraded(desk_of_before().hears(18000).is_long(18000, "NQ"))
    assert trader.trade.contract.point == 1
    assert trader.trade.stop_price == 17985
    assert trader.later(1).hears("18014.75").exit_source is None
    assert trader.later(1).hears(18015).exit_source == "points_tp"
    trader.filled_at(18015)
    [closed] = trader.trades
    assert [closed.pnl_points, closed.pnl_usd, closed.unit] == [15, 150, None]
    assert trader.replays_equal()


def test_contracts_added_to_an_open_trade_have_its_unit() -> None:
    trader = upgraded(desk_of_before().hears(18000).is_long(18000, "NQ"))
    trader.later(1).hears(18004).bricks(6, "green").scales_in()
    assert (trader.open_order.kind, trader.open_order.contract) == ("SCALE_IN", BEFORE_UNITS)


def test_the_next_trade_has_the_new_unit() -> None:
    trader = upgraded(desk_of_before().hears(18000).is_long(18000, "NQ"))
    trader.bricks(6, "green").exits(force=True).filled_at(18002).later(600).hears(18002).is_long(18002, "NQ")
    assert trader.trade.stop_price == 17942
    assert trader.replays_equal()


def test_bricks_of_another_unit_give_no_zone_and_no_token() -> None:
    trader = upgraded(desk_of_before().with_structure("green", "NQ").bricks(2.5, "red"))
    asset = trader.asset
    assert (asset.stack, asset.tempo) == (Stack(), Tempo())
    [changed] = trader.told(UnitChanged)
    assert changed == UnitChanged("NQ", Decimal(1), Decimal(4))
    assert trader.enters("BUY").refused_by == "tempo"
    assert trader.with_structure("green", "NQ").enters("BUY").refused_by is None


def test_the_operator_is_told_that_a_point_has_another_price() -> None:
    alert = upgraded(desk_of_before().is_long(18000, "NQ")).desk.alerts[-1]
    assert (alert.code, alert.asset, alert.level) == ("unit_changed", "NQ", "warning")
    assert alert.facts == {"was": 1, "now": 4}
    assert "A point of NQ is 4 of price, it was 1" in alert.sentence
    assert "the open trade keeps what it was opened with" in alert.sentence


def test_an_upgrade_that_changes_no_unit_keeps_the_colours() -> None:
    earlier = replace(CONTRACTS["ES"], unit=None)
    trader = Trader().restarts(contracts={"ES": earlier}).with_structure("green")
    trader.restarts(contracts={"ES": CONTRACTS["ES"]})
    assert trader.asset.contract.unit == 1
    assert not trader.told(UnitChanged)
    assert trader.enters("BUY").refused_by is None
