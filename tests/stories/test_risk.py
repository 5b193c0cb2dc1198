"""Each order is bounded in dollars and contracts (SPEC 4 `risk`, 5.9)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from services.engine.model.commands import EnterMarket, PlacePreOrder
from services.engine.model.evidence import RestingStop
from services.engine.rules.contract_caps import MICRO_ROOTS, as_full, is_micro
from services.engine.rules.day_left import left_of_day
from services.engine.rules.limits import limit_values, pending_limits
from services.engine.rules.risk import open_risk, risk_held
from services.market.instruments import INSTRUMENTS, TRADABLE, contract_for
from tests.support.builders import CONTRACTS
from tests.support.trader import Trader
from wire.types import Contract, SizeMode

NOVEMBER = date(2026, 11, 17)
ENTRY = 375  # USD: 5 MES with the stop 15 points away
FULL_ES = replace(CONTRACTS["ES"], symbol="ESZ6", point_value=Decimal(50))
INDICES = ("ES", "NQ", "YM", "CL")


def ready(*assets: str, **settings: Any) -> Trader:
    """Return a trader with every gate open for the assets, at prices that were heard, the first in hand."""
    names = assets or ("ES",)
    trader = Trader(assets=names, **{"cooldown_seconds": 0, "candle_seconds": 1, **settings})
    for asset in reversed(names):
        trader.turns_to(asset).hears(5250).with_structure("green", asset)
    return trader.turns_to(names[0])


def sized(trader: Trader, qty: int | None, size: SizeMode = "6pt") -> Trader:
    """Enter so many contracts."""
    return trader.asks(EnterMarket(trader.asset_in_hand, "SCALP", size, "BUY", qty=qty))


# -- an order by itself ---------------------------------------------------------------------------------------


def test_an_order_that_risks_exactly_what_one_may_passes() -> None:
    assert ready(max_risk_per_order_pct=Decimal("0.75")).enters("BUY").open_order.qty == 5


def test_one_that_risks_a_cent_more_is_refused_with_the_size_that_fits() -> None:
    trader = ready(demo_equity=Decimal("49999.33"), max_risk_per_order_pct=Decimal("0.75"))  # 374.99...
    assert trader.enters("BUY").refused_by == "risk"
    why = trader.rungs["risk"]
    assert why.sentence == "TOO LARGE FOR ONE ORDER — 5 MESZ6 risk 375.00 USD, one order may risk 374.99: 4 fit"
    assert (why.code, why.facts["fits"], why.facts["qty"], why.facts["risk_usd"]) == ("order_risk", 4, 5, ENTRY)
    assert sized(trader, 4).open_order.qty == 4
    assert trader.replays_equal()


def test_a_stop_of_which_not_one_contract_fits_lets_none_in() -> None:
    trader = ready(stop_points=Decimal(200)).enters("BUY")  # 1,000 USD a contract, 750 may be risked
    assert (trader.rungs["risk"].facts["fits"], trader.refused_by) == (0, "risk")
    assert "none fits" in trader.refusal.sentence
    assert sized(trader, 1).refused_by == "risk"


def test_commission_in_and_out_is_part_of_the_risk() -> None:
    trader = ready(max_risk_per_order_pct=Decimal("0.75"), commissions={"MES": Decimal("0.62")}).enters("BUY")
    assert trader.rungs["risk"].facts["risk_usd"] == float(Decimal(375) + 5 * 2 * Decimal("0.62"))
    assert trader.rungs["risk"].facts["fits"] == 4


@pytest.mark.parametrize("asset", TRADABLE)
@pytest.mark.parametrize(("size", "contracts"), [("6pt", 5), ("9pt", 3)])
def test_every_assets_default_entry_passes_at_fifty_thousand(asset: str, size: SizeMode, contracts: int) -> None:
    trader = Trader(contracts={asset: contract_for(asset, NOVEMBER)}).with_structure("green", asset)
    trader.enters("BUY", size=size)
    assert (trader.refused_by, trader.open_order.qty) == (None, contracts)


def test_a_full_size_contract_risks_ten_times_as_much() -> None:
    trader = Trader(contracts={"ES": FULL_ES}, demo_equity=Decimal(200_000))
    trader.with_structure("green", "ES").enters("BUY")
    assert (trader.rungs["risk"].facts["risk_usd"], trader.rungs["risk"].facts["fits"]) == (3750, 4)


# -- what is left of the day ----------------------------------------------------------------------------------


def test_open_risk_and_a_new_order_share_what_is_left_to_the_cent() -> None:
    trader = ready("ES", "NQ", demo_equity=Decimal(48_750)).is_long(5250, "ES").later(1)  # 2 % is 975
    assert trader.enters("BUY", "NQ").open_order.qty == 5
    less = ready("ES", "NQ", demo_equity=Decimal("48749.50")).is_long(5250, "ES").later(1)
    assert less.enters("BUY", "NQ").refused_by == "risk"
    assert less.rungs["risk"].code == "day_risk"
    assert less.refusal.sentence == (
        "TOO LARGE FOR WHAT IS LEFT — 5 MNQZ6 risk 600.00 USD, 974.99 are left of the day, 375.00 of it at risk "
        "already: 4 fit"
    )
    assert less.rungs["risk"].facts["open_risk_usd"] == ENTRY
    assert trader.replays_equal()


def test_an_entry_on_its_way_counts_with_its_own_risk() -> None:
    trader = ready("ES", "NQ", "YM").enters("BUY", "ES").later(1).enters("BUY", "NQ")
    assert open_risk(trader.desk) == ENTRY + 600
    assert trader.later(1).enters("BUY", "YM").refused_by == "risk"
    assert trader.rungs["risk"].facts["fits"] == 0  # 25 USD are left, a MYM risks 60


def test_an_entry_that_fills_in_parts_counts_once() -> None:
    trader = ready().enters("BUY").partly_filled(2, 5250)
    assert open_risk(trader.desk) == ENTRY
    trader.later(1).hears(5250)
    assert open_risk(trader.desk) == ENTRY


def test_an_exit_risks_nothing() -> None:
    trader = ready().is_long(5250).bricks(6, "green").exits()
    assert open_risk(trader.desk) == ENTRY  # of the position, until it is out
    assert open_risk(trader.filled_at(5250).desk) == 0


@pytest.mark.parametrize(("price", "risk"), [(5250, 375), (5240, 125), (5235, 0), (5230, 0), (5260, 625)])
def test_open_risk_counts_from_the_last_price_to_the_stop_and_never_below_zero(price: int, risk: int) -> None:
    trader = ready(points_tp_target=Decimal(100)).is_long(5250).later(1).hears(price)
    assert risk_held(trader.desk, trader.asset) == risk


def test_without_a_price_since_the_entry_it_counts_from_the_average() -> None:
    trader = Trader().is_long(5250)
    assert risk_held(trader.desk, trader.asset) == ENTRY


def test_a_stop_that_the_bridge_tells_counts_instead_of_the_planned_one() -> None:
    trader = ready("ES", "NQ").is_long(5250, "ES").later(1).hears(5250)
    told = replace(trader.desk.live, stops=(stop(5200),), stops_at=trader.now)
    assert risk_held(replace(trader.desk, live=told), trader.asset) == 5 * 50 * 5
    of_two = replace(trader.desk.live, stops=(stop(5240), stop(5230)), stops_at=trader.now)
    assert risk_held(replace(trader.desk, live=of_two), trader.asset) == 5 * 20 * 5
    earlier = replace(told, stops_at=trader.trade.opened_at)
    assert risk_held(replace(trader.desk, live=earlier), trader.asset) == ENTRY


def stop(price: int) -> RestingStop:
    return RestingStop("MESZ6", "SELL", 5, Decimal(price))


def test_what_was_lost_is_gone() -> None:
    trader = ready().is_long(5250).later(1).bricks(6, "green").exits().filled_at("5221.25").later(2).bricks(6, "green")
    assert left_of_day(trader.desk, trader.now).usd == Decimal("281.25")
    assert trader.enters("BUY").rungs["risk"].facts["fits"] == 3
    assert sized(trader, 3).open_order.qty == 3


def test_what_was_won_may_be_risked() -> None:
    trader = ready(points_tp_target=Decimal(200)).is_long(5250).later(1).bricks(6, "green").exits().filled_at(5290)
    assert left_of_day(trader.desk, trader.now).usd == 2000


def test_the_worst_of_the_ways_counts() -> None:
    trader = ready("ES", "NQ").broker_says(50_000)
    trader.is_long(5250, "ES").later(1).hears(5250)
    trader.later(2).broker_says(49_800, realized=-200)
    assert left_of_day(trader.desk, trader.now).usd == 800
    trader.later(1).hears(5215)
    assert left_of_day(trader.desk, trader.now).usd == 125  # by the desk's own books


def test_without_a_start_equity_nothing_is_left_to_reckon_with() -> None:
    trader = Trader(env="LIVE", is_heard=False)
    assert left_of_day(trader.desk, trader.now).usd is None
    trader.hears().with_structure("green").enters("BUY")
    assert trader.refused_by == "account"
    assert trader.rungs["risk"].code == "risk_unknown"


def test_an_override_does_not_skip_it() -> None:
    trader = ready(max_risk_per_order_pct=Decimal("0.5")).enters("SELL", override=True)
    assert trader.refused_by == "risk"


# -- contracts ------------------------------------------------------------------------------------------------


def test_three_correlated_indices_share_one_cap() -> None:
    trader = ready(*INDICES, max_contracts_correlated=Decimal("1.2"), stop_points=Decimal(5))
    for asset in ("ES", "NQ"):
        trader.enters("BUY", asset).filled_at(5250).later(2)
    assert trader.enters("BUY", "YM").refused_by == "risk"
    why = trader.rungs["risk"]
    assert (why.code, why.facts["cap"], why.facts["fits"]) == ("contract_cap", "correlated", 2)
    assert why.sentence == (
        "TOO MANY CONTRACTS — 5 MYMZ6 are too many, 1 of 1.2 full-size contracts of the cap of the index futures are "
        "taken: 2 fit"
    )
    assert sized(trader, 2).open_order.qty == 2
    assert trader.later(2).enters("BUY", "CL").refused_by is None  # oil moves by itself
    assert trader.replays_equal()


def test_the_cap_over_all_counts_every_asset_and_working_orders() -> None:
    trader = ready("ES", "CL", max_contracts=Decimal(1), stop_points=Decimal(5)).enters("BUY", "ES").later(2)
    assert trader.enters("BUY", "CL").open_order.qty == 5  # exactly 1.0
    less = ready("ES", "CL", max_contracts=Decimal("0.9"), stop_points=Decimal(5)).enters("BUY", "ES").later(2)
    assert less.enters("BUY", "CL").rungs["risk"].facts["fits"] == 4


def test_an_assets_own_cap_counts_its_contracts_whatever_their_size() -> None:
    trader = ready(max_contracts_by_asset={"ES": 4}).enters("BUY")
    assert (trader.rungs["risk"].facts["cap"], trader.rungs["risk"].facts["fits"]) == ("asset", 4)
    assert ready("ES", "NQ", max_contracts_by_asset={"NQ": 1}).enters("BUY", "ES").refused_by is None


def test_a_cap_of_nothing_shuts_an_asset() -> None:
    assert ready(max_contracts_by_asset={"ES": 0}).enters("BUY").rungs["risk"].facts["fits"] == 0


def test_a_micro_is_a_tenth_of_a_full_size_contract() -> None:
    assert as_full(CONTRACTS["ES"], 5) == Decimal("0.5")
    assert as_full(FULL_ES, 5) == 5
    assert as_full(Contract("XAUUSD", "OTC", Decimal("0.001"), Decimal(10)), 5) == 5


def test_the_micros_are_those_of_the_table_of_instruments() -> None:
    assert {row.micro.root for row in INSTRUMENTS.values() if row.micro} == set(MICRO_ROOTS)
    for asset in TRADABLE:
        assert is_micro(contract_for(asset, NOVEMBER).symbol) is (INSTRUMENTS[asset].micro is not None)
        assert not is_micro(contract_for(asset, NOVEMBER, "full").symbol)


def test_an_assets_cap_tightens_at_once_and_loosens_with_the_day() -> None:
    trader = ready().limits(max_contracts_es=3)
    assert trader.enters("BUY").rungs["risk"].facts["fits"] == 3
    trader.limits(max_contracts_es=None)
    assert pending_limits(trader.desk) == {"max_contracts_es": None}
    assert limit_values(trader.desk.rules)["max_contracts_es"] == 3
    trader.at("18:00:00").ticks()
    assert "max_contracts_es" not in limit_values(trader.desk.rules)
    assert trader.limits(max_contracts_xx=3).refused_by == "setting_invalid"
    assert trader.replays_equal()


def test_a_restart_without_the_cap_keeps_it_for_the_day() -> None:
    trader = ready(max_contracts_by_asset={"ES": 3}).restarts(max_contracts_by_asset={})
    assert trader.desk.rules.max_contracts_by_asset == {"ES": 3}
    assert "max_contracts_es" in trader.last_alert.sentence
    assert trader.at("18:00:00").ticks().desk.rules.max_contracts_by_asset == {}


# -- fewer contracts than the size ----------------------------------------------------------------------------


@pytest.mark.parametrize("qty", [0, -1, 6])
def test_a_quantity_that_the_size_does_not_have_is_refused_and_changes_nothing(qty: int) -> None:
    trader = ready()
    before = trader.desk
    assert sized(trader, qty).refused_by == "setting_invalid"
    assert "from 1 to 5" in trader.refusal.sentence
    assert trader.desk == before
    assert sized(trader, 4, "9pt").refused_by == "setting_invalid"
    trader.asks(PlacePreOrder("ES", "SCALP", "6pt", "BUY", qty=qty))
    assert (trader.refused_by, trader.asset.preorder) == ("setting_invalid", None)


def test_a_smaller_entry_is_that_large_at_the_broker() -> None:
    trader = sized(ready(), 2).filled_at(5250)
    assert trader.position == 2
    assert trader.replays_equal()


def test_a_pre_order_keeps_its_quantity_and_meets_the_gate_when_it_fires() -> None:
    trader = ready().asks(PlacePreOrder("ES", "SCALP", "6pt", "BUY", qty=2)).restarts().bricks(6, "green")
    assert trader.open_order.qty == 2
    refused = ready(max_risk_per_order_pct=Decimal("0.5")).preorders("BUY")
    assert refused.refused_by is None  # placing asks for no dollars
    refused.bricks(6, "green")
    assert (refused.order, refused.preorder.status) == (None, "CANCELLED")
    assert "3 fit" in (refused.preorder.reason or "")


def test_a_pre_order_is_never_larger_than_its_size_by_now() -> None:
    trader = ready().asks(PlacePreOrder("ES", "SCALP", "6pt", "BUY", qty=4)).limits(entry_qty_6pt=3)
    assert trader.bricks(6, "green").open_order.qty == 3


# -- scale-in -------------------------------------------------------------------------------------------------


def growing(price: object = 5250, **settings: Any) -> Trader:
    """Return a trader long 5 from 5250 whose scale-in is unlocked, at a price."""
    trader = ready(points_tp_target=Decimal(100), **settings).is_long(5250).bricks(6, "green")
    return trader.later(1).hears(price)


def test_a_scale_in_at_the_entry_passes_and_one_tick_below_it_is_into_a_loss() -> None:
    assert growing(5250).scales_in().refused_by is None
    trader = growing("5249.75").scales_in()
    assert (trader.refused_by, trader.refusal.title) == ("scale_in_unavailable", "SCALE-IN INTO A LOSS")
    assert trader.order is None
    assert trader.later(1).hears(5250).scales_in().refused_by is None
    assert trader.replays_equal()


def test_a_scale_in_without_open_points_is_refused() -> None:
    trader = Trader().is_long(5250).bricks(6, "green").scales_in()
    assert (trader.refused_by, trader.refusal.title) == ("scale_in_unavailable", "OPEN POINTS UNKNOWN")


def test_a_short_is_added_to_only_in_profit_too() -> None:
    trader = Trader(points_tp_target=Decimal(100)).is_short(5250).bricks(6, "red")
    assert trader.later(1).hears("5250.25").scales_in().refusal.title == "SCALE-IN INTO A LOSS"
    assert trader.later(1).hears(5245).scales_in().open_order.side == "SELL"


def test_it_adds_at_most_as_many_as_the_entry_had() -> None:
    trader = ready(scale_in_qty=5)
    sized(trader, 2).filled_at(5250).bricks(6, "green").later(1).hears(5250)
    assert trader.scales_in().open_order.qty == 2


def test_its_risk_counts_from_the_last_price_to_the_resting_stop() -> None:
    trader = growing(5256)  # 21 points to the stop: 525 USD, and the position's 525; 1,150 are left
    assert trader.scales_in().open_order.qty == 5
    trader = growing(5258).scales_in()  # 575 and 575 of 1,200
    assert trader.refused_by is None
    trader = growing(5266).scales_in()  # 775 by itself, 750 may be risked
    assert (trader.refused_by, trader.refusal.ladder[12].facts["fits"]) == ("risk", 4)


def test_its_risk_and_the_positions_must_fit_the_day() -> None:
    trader = growing(5250, demo_equity=Decimal(37_499)).scales_in()  # 749.98 are left, 375 and 375 asked for
    assert (trader.refused_by, trader.refusal.ladder[12].code) == ("risk", "day_risk")
    assert growing(5250, demo_equity=Decimal(37_500)).scales_in().refused_by is None


def test_a_working_scale_in_counts_with_its_own_risk() -> None:
    trader = growing(5250).scales_in()
    assert open_risk(trader.desk) == 2 * ENTRY


def test_a_scale_in_meets_the_caps() -> None:
    trader = growing(5250, max_contracts=Decimal("0.9")).scales_in()
    assert (trader.refused_by, trader.refusal.ladder[12].facts["fits"]) == ("risk", 4)


# -- earlier rules --------------------------------------------------------------------------------------------


def test_the_fourth_rules_bounded_no_dollars() -> None:
    trader = Trader(generation=4, max_risk_per_order_pct=Decimal("0.1"), max_contracts=Decimal("0.1"))
    trader.is_long(5250).bricks(6, "green").hears(5245).scales_in().filled_at(5245)
    assert trader.position == 10
    assert trader.replays_equal()


def test_the_fourth_rules_added_what_was_set_whatever_the_entry_had() -> None:
    trader = Trader(generation=4, entry_qty_6pt=2).is_long(5250).bricks(6, "green").scales_in()
    assert trader.open_order.qty == 5
