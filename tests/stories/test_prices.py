"""One price proves nothing: what is suspect is shown, and fires nothing until a later one agrees (SPEC 1, 3)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from services.engine.model.commands import NotePrice, TakeOver
from services.engine.model.replies import PriceNoted
from services.engine.model.state import GENERATION
from services.engine.rules.prices import EARLIER_UNITS, TRADES_BELOW_ZERO
from services.market.instruments import INSTRUMENTS, TRADABLE, can_trade_at
from tests.support.trader import Trader


def holder() -> Trader:
    """Return a trader who is long 5 ES from 5250 with a target of 15 points and protect at -2."""
    return Trader().hears(5250).is_long(5250).hears(5250).unlocks_management().protects(-2)


def last_and_suspect(trader: Trader) -> tuple[object, object]:
    return trader.asset.live.last_price, trader.asset.live.watch.suspect


@pytest.mark.parametrize("price", [0, -1, "-0.0", "-5250"])
def test_a_price_at_which_the_market_cannot_trade_is_no_price(price: object) -> None:
    trader = holder().later(5).hears(price)
    assert trader.answered(PriceNoted).ignored == "impossible_price"
    assert last_and_suspect(trader) == (5250, None)
    assert trader.later(5).hears(price).order is None


def test_a_price_that_cannot_be_freshens_nothing() -> None:
    trader = Trader().with_structure("green").hears(5250).goes_silent().later(600).hears(0)
    assert trader.gate_for("BUY") == "heartbeat"


@pytest.mark.parametrize("price", [52502.5, 525.025, 5305.25, 5195, 1])
def test_one_price_far_from_the_last_fires_nothing_and_is_shown_beside_it(price: float) -> None:
    trader = holder().later(5).hears(price)
    assert trader.answered(PriceNoted).suspect
    assert last_and_suspect(trader) == (5250, Decimal(str(price)))
    assert trader.asset.live.open_points == 0
    assert trader.order is None
    assert trader.later(5).hears(5251).asset.live.watch.suspect is None


@pytest.mark.parametrize(("away", "suspect"), [(40, False), ("40.25", True), (-40, False), ("-40.25", True)])
def test_forty_units_are_the_mark(away: object, suspect: bool) -> None:
    trader = Trader().hears(5250).later(5).hears(5250 + Decimal(str(away)))
    assert trader.answered(PriceNoted).suspect is suspect


@pytest.mark.parametrize(
    ("asset", "last", "good", "far"),
    [
        ("NQ", 21000, 21160, 21161),
        ("YM", 44000, 44320, 44321),
        ("EURUSD", "1.1000", "1.1040", "1.1041"),
        ("ES", 3000, 3030, "3030.25"),
    ],
    ids=["NQ by its unit of 4", "YM by its unit of 8", "EURUSD by the pip", "ES by 1 % where that is smaller"],
)
def test_the_mark_is_in_the_assets_own_units(asset: str, last: object, good: object, far: object) -> None:
    assert not Trader(assets=(asset,)).hears(last).later(5).hears(good).answered(PriceNoted).suspect
    assert Trader(assets=(asset,)).hears(last).later(5).hears(far).answered(PriceNoted).suspect


@pytest.mark.parametrize("second", [5310, 5295, 5305, 5400], ids=["near", "near below", "equal", "further"])
def test_a_second_later_price_that_agrees_is_believed_and_fires(second: object) -> None:
    trader = holder().later(5).hears(5305).later(1).hears(second)
    assert last_and_suspect(trader) == (Decimal(str(second)), None)
    assert trader.exit_source == "points_tp"
    assert trader.replays_equal()


def test_a_fall_is_confirmed_by_a_price_further_down() -> None:
    trader = holder().later(5).hears(5200).later(1).hears(5100)
    assert trader.exit_source == "protect"


def test_the_same_message_twice_confirms_nothing() -> None:
    trader = holder().later(5)
    sent_at = trader.now
    trader.hears(5305, sent_at=sent_at).later(1).hears(5305, sent_at=sent_at)
    assert trader.order is None
    assert last_and_suspect(trader) == (5250, 5305)


def test_a_suspect_in_the_other_direction_confirms_nothing() -> None:
    trader = holder().later(5).hears(5305).later(5).hears(5195)
    assert trader.order is None
    assert last_and_suspect(trader) == (5250, 5195)


def test_a_good_price_between_two_suspect_ones_parts_them() -> None:
    trader = holder().later(5).hears(5305).later(5).hears(5251).later(5).hears(5305)
    assert trader.order is None
    assert last_and_suspect(trader) == (5251, 5305)


def test_a_suspect_price_freshens_the_heartbeat() -> None:
    trader = Trader().with_structure("green").hears(5250).goes_silent().later(599).hears(5305).later(599)
    assert trader.gate_for("BUY") is None


def test_ten_minutes_later_only_the_day_is_the_measure() -> None:
    assert not Trader().hears(5250).later(601).hears(5305).answered(PriceNoted).suspect
    assert Trader().hears(5250).later(601).hears(5525).answered(PriceNoted).suspect
    assert Trader().hears(5250).later(601).hears(4980).answered(PriceNoted).suspect


def test_the_first_price_of_a_trading_day_is_measured_by_the_last_one_before() -> None:
    assert not Trader().hears(5250).at("18:30:00").hears(5500).answered(PriceNoted).suspect
    assert Trader().hears(5250).at("18:30:00").hears(5600).answered(PriceNoted).suspect
    assert not Trader().hears(5250).at("18:30:00").hears(5600).later(5).hears(5601).answered(PriceNoted).suspect


def test_a_range_of_the_day_before_is_no_measure() -> None:
    trader = Trader().hears(5000).later(700).hears(5200).later(700).hears(5000).at("18:30:00").hears(5240)
    assert not trader.answered(PriceNoted).suspect
    trader = Trader().hears(5000).later(700).hears(5200).later(700).hears(5000).at("18:30:00").hears(5260)
    assert trader.answered(PriceNoted).suspect


def test_a_first_price_times_ten_takes_no_trade_out_that_is_held_over_the_roll() -> None:
    trader = holder().at("18:30:00").hears(52500)
    assert (trader.answered(PriceNoted).suspect, trader.order) == (True, None)
    assert trader.later(5).hears(5251).order is None


def test_the_first_price_is_believed_and_a_wrong_one_is_found_out_by_two() -> None:
    trader = Trader().hears(52500).later(5).hears(5250)
    assert last_and_suspect(trader) == (52500, 5250)
    assert last_and_suspect(trader.later(5).hears(5251)) == (5251, None)


def test_a_suspect_price_is_known_after_a_restart() -> None:
    trader = holder().later(5).hears(5305).restarts()
    assert last_and_suspect(trader) == (5250, 5305)
    assert trader.later(5).hears(5306).exit_source == "points_tp"


# -- the price within the broker's open PnL ---------------------------------------------------------------------------


@pytest.mark.parametrize("open_pnl", [1375, -1375, -131_250])
def test_open_pnl_that_means_a_suspect_price_fires_nothing(open_pnl: int) -> None:
    trader = holder().later(5).broker_says(open_pnl=open_pnl)
    assert trader.asset.live.open_points != Decimal(open_pnl) / 25
    assert trader.asset.live.worst_points == 0
    assert trader.order is None


@pytest.mark.parametrize(("open_pnl", "source"), [(1375, "points_tp"), (-1375, "protect")])
def test_a_second_snapshot_confirms_it(open_pnl: int, source: str) -> None:
    trader = holder().later(5).broker_says(open_pnl=open_pnl).later(2).broker_says(open_pnl=open_pnl)
    assert trader.exit_source == source
    assert trader.replays_equal()


def test_a_snapshot_confirms_what_tradingview_said() -> None:
    assert holder().later(5).hears(5305).later(2).broker_says(open_pnl=1375).exit_source == "points_tp"


def test_a_snapshot_of_a_short_is_read_on_its_own_side() -> None:
    trader = Trader().hears(5250).is_short(5250).later(5).broker_says(open_pnl=250)
    assert trader.asset.live.open_points == 10
    assert trader.asset.live.watch.price == 5240


# -- the contract and the time of a heartbeat ------------------------------------------------------------------------


def test_prices_of_earlier_desks_are_judged_by_the_same_units() -> None:
    assert {asset: INSTRUMENTS[asset].unit for asset in TRADABLE} == EARLIER_UNITS


def test_engine_and_instruments_name_the_same_markets_that_trade_below_zero() -> None:
    assert {symbol for symbol in INSTRUMENTS if can_trade_at(symbol, Decimal(-1))} == TRADES_BELOW_ZERO


def test_a_sample_time_in_demo_counts_as_absent() -> None:
    trader = Trader().with_structure("green").goes_silent().later(3600)
    trader.hears(5250, sent_at=trader.now - timedelta(hours=24, seconds=1))
    assert trader.answered(PriceNoted).flagged
    assert trader.asset.live.last_heartbeat_at == trader.now
    assert trader.gate_for("BUY") is None


@pytest.mark.parametrize(("env", "age"), [("LIVE", timedelta(days=300)), ("DEMO", timedelta(hours=23))])
def test_a_time_that_is_only_late_freshens_nothing(env: str, age: timedelta) -> None:
    trader = Trader(env=env).with_structure("green").goes_silent().later(3600)  # type: ignore[arg-type]
    trader.hears(5250, sent_at=trader.now - age)
    assert trader.answered(PriceNoted).too_old
    assert trader.gate_for("BUY") == "heartbeat"


@pytest.mark.parametrize("delivery", ["H7", "U6", "2!", "Z2016"])
def test_the_price_of_another_contract_is_not_used(delivery: str) -> None:
    trader = holder().goes_silent().later(700)
    trader.asks(NotePrice("ES", Decimal(5235), delivery=delivery))
    assert trader.answered(PriceNoted) == PriceNoted(flagged=True, ignored="other_contract")
    assert last_and_suspect(trader) == (5250, None)
    assert trader.order is None
    assert trader.desk.assets["ES"].is_silent


def test_the_contract_that_is_held_counts_and_not_the_next() -> None:
    trader = holder().later(5).asks(NotePrice("ES", Decimal(5251), delivery="Z6"))
    assert trader.asset.live.last_price == 5251


def test_a_suspect_price_from_before_a_restart_is_not_confirmed_after_it() -> None:
    trader = holder().later(5).hears(52_500)
    trader.restarts().asks(TakeOver("desk-2", 2, "1", counts_ids=True, generation=GENERATION))
    assert trader.later(5).hears(52_510).order is None
    assert last_and_suspect(trader) == (5250, 52_510)
    assert trader.replays_equal()
