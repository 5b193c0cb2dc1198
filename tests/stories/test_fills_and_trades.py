"""From the first fill to flat: positions, averages, PnL to the cent (SPEC 2, 7.5)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from services.engine.model.commands import ConfigureDesk
from services.engine.model.trade_events import TradeOpened
from tests.support.builders import WITH
from tests.support.trader import Trader
from wire.types import Side


@pytest.mark.parametrize(
    ("asset", "side", "entry", "exit_", "points", "usd"),
    [
        ("ES", "BUY", "5250.25", "5252.00", "1.75", "43.75"),
        ("ES", "BUY", "5250.25", "5250.00", "-0.25", "-6.25"),
        ("ES", "SELL", "5250.25", "5240.00", "10.25", "256.25"),
        ("ES", "SELL", "5250.25", "5250.50", "-0.25", "-6.25"),
        ("NQ", "BUY", "18000.25", "18001.50", "0.3125", "12.50"),
        ("NQ", "SELL", "18000.25", "18001.50", "-0.3125", "-12.50"),
        ("YM", "BUY", "39000", "39001", "0.125", "2.50"),
        ("EURUSD", "BUY", "1.08501", "1.08513", "1.2", "6.0"),
        ("EURUSD", "SELL", "1.08501", "1.08513", "-1.2", "-6.0"),
    ],
)
def test_pnl_is_exact_by_the_contracts_point_value(
    asset: str, side: Side, entry: str, exit_: str, points: str, usd: str
) -> None:
    color = WITH[side]
    trader = Trader(assets=(asset,)).with_structure(color).enters(side).filled_at(entry)
    assert trader.position == (5 if side == "BUY" else -5)
    trader.bricks(6, color).exits().filled_at(exit_)
    (trade,) = trader.trades
    assert (trade.pnl_points, trade.pnl_usd) == (Decimal(points), Decimal(usd))
    assert (trade.side, trade.size, trade.reason) == (side, 5, "manual")
    assert (trade.entry_price, trade.exit_price) == (Decimal(entry), Decimal(exit_))
    assert trader.replays_equal()


def test_a_closed_trade_carries_times_mode_zone_and_environment() -> None:
    trader = Trader(at="09:31:10").with_structure("green").enters("BUY", mode="RUNNER").at("09:31:12")
    entered_at = trader.filled_at(5250).now
    trader.at("09:45:00").bricks(6, "green").exits().filled_at(5251)
    (trade,) = trader.trades
    assert (trade.entry_ts, trade.exit_ts) == (entered_at, trader.now)
    assert (trade.mode, trade.zone, trade.env, trade.contract) == ("RUNNER", "NORMAL", "DEMO", "MESZ6")
    assert not trade.forced_exit


def test_partial_fills_change_the_position_by_the_filled_contracts() -> None:
    trader = Trader().with_structure("green").enters("BUY").partly_filled(2, 5250)
    assert (trader.position, trader.open_order.filled_qty, trader.open_order.status) == (2, 2, "PARTIALLY_FILLED")
    trader.partly_filled(1, "5250.25")
    assert trader.position == 3
    trader.reports("FILLED", "5250.50", qty=2, exec_id="last")
    assert (trader.position, trader.order) == (5, None)
    assert len(trader.told(TradeOpened)) == 1


def test_the_entry_price_is_the_average_weighted_by_contracts() -> None:
    trader = Trader().with_structure("green").enters("BUY").partly_filled(2, 5250).partly_filled(3, "5252.50")
    assert trader.trade.entry_price == Decimal("5251.5")
    trader.bricks(6, "green").exits().partly_filled(1, 5250).partly_filled(4, 5260)
    (trade,) = trader.trades
    assert trade.exit_price == 5258
    assert (trade.pnl_points, trade.pnl_usd) == (Decimal("6.5"), Decimal("162.50"))


def test_a_third_of_a_contract_price_loses_no_cent() -> None:
    trader = Trader().with_structure("green").enters("BUY", size="9pt")
    trader.partly_filled(1, 5250).partly_filled(1, 5250).partly_filled(1, "5250.25")
    trader.bricks(6, "green").exits().partly_filled(2, "5251.00").partly_filled(1, "5251.25")
    assert trader.trades[-1].pnl_usd == Decimal("15.00")


def test_every_trade_starts_its_open_points_at_zero() -> None:
    trader = Trader(cooldown_seconds=0).is_long(5250).hears(5260)
    assert trader.asset.live.open_points == 10
    trader.bricks(6, "green").exits().filled_at(5250).at("09:35:00").is_long(5250)
    assert trader.asset.live.open_points is None


@pytest.mark.parametrize(
    ("side", "prices", "exit_price", "worst", "best"),
    [
        ("BUY", (5248, 5255, 5251), 5252, Decimal(-2), Decimal(5)),
        ("SELL", (5248, 5255, 5251), 5252, Decimal(-5), Decimal(2)),
        ("BUY", (5251, 5252), 5253, Decimal(0), Decimal(3)),
        ("BUY", (5249,), 5240, Decimal(-10), Decimal(0)),
        ("BUY", (), 5250, Decimal(0), Decimal(0)),
    ],
)
def test_the_trade_keeps_its_worst_and_best_points(
    side: Side, prices: tuple[Any, ...], exit_price: int, worst: Decimal, best: Decimal
) -> None:
    color = WITH[side]
    trader = Trader().with_structure(color).enters(side).filled_at(5250).bricks(6, color)
    for price in prices:
        trader.later(seconds=1).hears(price)
    trader.exits().filled_at(exit_price)
    assert (trader.trades[-1].mae_points, trader.trades[-1].mfe_points) == (worst, best)


def test_the_protective_stop_lies_fifteen_points_behind_the_entry() -> None:
    assert Trader().is_long(5250).trade.stop_price == 5235
    assert Trader().is_short(5250).trade.stop_price == 5265
    assert Trader(stop_points=Decimal(8)).is_long(5250).trade.stop_price == 5242
    pips = Trader(assets=("EURUSD",)).is_long("1.08500").trade
    assert pips.stop_price == Decimal("1.0835")


def test_a_trade_stays_on_the_contract_it_was_opened_on() -> None:
    trader = Trader().is_long(5250)
    new_rules = trader.desk.rules
    rolled = replace(new_rules.contracts["ES"], symbol="MESH7")
    trader.asks(ConfigureDesk(replace(new_rules, contracts={"ES": rolled})))
    trader.broker_says(open_pnl=25)
    assert (trader.asset.disagreement, trader.asset.live.open_points) == (None, Decimal(1))
    trader.bricks(6, "green").exits()
    assert trader.open_order.contract.symbol == "MESZ6"
    trader.filled_at(5251)
    assert trader.trades[-1].contract == "MESZ6"
    trader.at("09:40:00").bricks(6, "green").enters("BUY")
    assert trader.open_order.contract.symbol == "MESH7"
    assert trader.replays_equal()
