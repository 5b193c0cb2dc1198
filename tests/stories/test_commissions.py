"""What a trade has made is what is left of it: commissions told, set, unknown, and told late (SPEC 5.6, 7.5, 8.3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from services.engine.model.bridge_commands import BookFills, Execution
from services.engine.model.commands import ConfigureDesk
from services.engine.model.events import OrderQueued
from services.engine.model.trade_events import TradeClosed, closed_trades
from services.engine.rules.beliefs import day_result
from services.engine.rules.books import asset_result, daily_stop_price
from services.engine.rules.limits import tightened
from tests.support.narrow import known
from tests.support.trader import Trader

MES = {"MES": Decimal("0.62")}


def long_at_5250(commissions: dict[str, Decimal] | None = None, told: str | None = None, **settings: Any) -> Trader:
    trader = (
        Trader(commissions=commissions or {}, **settings).hears(5250).with_structure("green").enters("BUY").claims()
    )
    return trader.reports("FILLED", 5250, qty=5, exec_id="in", commission=UNSET if told is None else Decimal(told))


def out_at(trader: Trader, price: object, told: str | None = None) -> Trader:
    trader.exits(force=True).claims()
    return trader.reports("FILLED", price, qty=5, exec_id="out", commission=UNSET if told is None else Decimal(told))


def last_told(trader: Trader) -> TradeClosed:
    return closed_trades(event for decision in trader.decisions for event in decision.events)[-1]


def tells(trader: Trader, exec_id: str, side: Any, price: object, commission: str, **more: Any) -> Trader:
    facts: dict[str, Any] = {"kind": "ORDER", "qty": 5, "asset": "ES", "symbol": trader.asset.contract.symbol, **more}
    fill = Execution(
        exec_id=exec_id, at=trader.now, side=side, price=Decimal(str(price)), commission=Decimal(commission), **facts
    )
    return trader.asks(BookFills("DEMO", "A1", "ledger of bridge", (fill,)))


def test_a_win_of_a_tick_is_a_loss_by_what_it_cost() -> None:
    """Seen: the journal showed +12.50 where the account had lost 24.70."""
    closed = last_told(out_at(long_at_5250(told="18.60"), "5250.50", told="18.60"))
    assert (closed.pnl_usd, closed.commission_usd, closed.pnl_net_usd) == (
        Decimal("12.5"),
        Decimal("37.20"),
        Decimal("-24.70"),
    )
    assert closed.commission_known


def test_what_nobody_told_costs_what_the_operator_has_set() -> None:
    closed = last_told(out_at(long_at_5250(MES), 5251))
    assert (closed.commission_usd, closed.commission_known) == (Decimal("6.20"), True)
    assert (closed.risk_usd, closed.pnl_net_usd) == (Decimal("381.20"), Decimal("18.80"))
    assert closed.r == Decimal("18.80") / Decimal("381.20")


def test_what_is_told_counts_in_place_of_what_is_set() -> None:
    closed = last_told(out_at(long_at_5250(MES, told="5"), 5251))
    assert (closed.commission_usd, closed.commission_known) == (Decimal("8.10"), True)


def test_a_commission_that_nobody_knows_counts_nothing_and_is_flagged() -> None:
    closed = last_told(out_at(long_at_5250(), 5251, told="3.10"))
    assert (closed.commission_usd, closed.commission_known) == (Decimal("3.10"), False)
    assert closed.pnl_net_usd == Decimal("21.90")


def test_a_commission_of_zero_is_known() -> None:
    assert last_told(out_at(long_at_5250(told="0"), 5251, told="0")).commission_known


def test_a_late_commission_replaces_the_assumed_one_and_counts_once() -> None:
    trader = long_at_5250(MES)
    entry = trader.trade.id
    tells(trader, "in", "BUY", 5250, "4", order_id=entry)
    assert trader.trade.costs == 4
    tells(trader, "in", "BUY", 5250, "4", order_id=entry)
    assert trader.trade.costs == 4
    assert trader.replays_equal()


def test_a_late_commission_corrects_the_closed_trade_and_the_books() -> None:
    trader = out_at(long_at_5250(), 5251)
    assert last_told(trader).commission_known is False
    orders = [event.order_id for event in trader.told(OrderQueued)]
    tells(trader, "in", "BUY", 5250, "4", order_id=orders[0])
    assert last_told(trader).commission_known is False
    tells(trader, "out", "SELL", 5251, "2", order_id=orders[1])
    closed = last_told(trader)
    assert (closed.commission_usd, closed.commission_known, closed.pnl_net_usd) == (Decimal(6), True, Decimal(19))
    assert day_result(trader.desk).books == Decimal(19)
    assert trader.asset.closed_uncharged is None
    assert trader.replays_equal()


def test_a_stop_at_the_broker_tells_its_commission() -> None:
    trader = long_at_5250(told="3")
    tells(trader, "stop", "SELL", 5235, "3", kind="STOP", order_id=None)
    closed = last_told(trader)
    assert (closed.reason, closed.commission_usd, closed.pnl_net_usd) == ("PROTECTIVE_STOP", Decimal(6), Decimal(-381))


def test_a_fill_that_closes_and_opens_pays_for_each_by_its_contracts() -> None:
    trader = long_at_5250(told="5")
    tells(trader, "turn", "SELL", 5250, "8", kind="MANUAL", order_id=None, qty=8)
    assert last_told(trader).commission_usd == Decimal(10)
    assert (trader.trade.side, trader.trade.costs) == ("SELL", Decimal(3))


def test_the_trade_that_the_broker_no_longer_holds_is_charged_and_corrected() -> None:
    trader = long_at_5250(MES)
    for _ in range(3):
        trader.later(2).broker_says(position=0)
    closed = last_told(trader)
    assert (closed.reason, closed.commission_usd) == ("BROKER_FLAT", Decimal("6.20"))
    tells(trader, "stop", "SELL", 5235, "9", kind="STOP", order_id=None)
    closed = last_told(trader)
    assert (closed.exit_price, closed.commission_usd) == (Decimal(5235), Decimal("12.10"))
    assert closed.pnl_net_usd == Decimal(-375) - Decimal("12.10")
    assert day_result(trader.desk).books == closed.pnl_net_usd


# -- the day's books ------------------------------------------------------------------------------------------------


def test_the_books_count_what_the_open_trade_has_paid() -> None:
    trader = long_at_5250(MES).hears(5252)
    assert day_result(trader.desk).books == Decimal(50) - Decimal("3.10")
    assert asset_result(trader.desk, trader.asset) == day_result(trader.desk).books
    assert sum(known(asset_result(trader.desk, one)) for one in trader.desk.assets.values()) == Decimal("46.90")


def test_the_price_of_the_daily_stop_is_the_first_tick_that_reaches_it() -> None:
    """1,000 of 50,000 USD; 3.10 are paid: 199.38 points are left, 199.50 reach it, 199.25 do not."""
    trader = long_at_5250(MES).hears(5250)
    price = known(daily_stop_price(trader.desk, trader.asset))
    assert -5 * 5 * (price - 5250) >= Decimal(1000) - Decimal("3.10")
    assert -5 * 5 * (price + Decimal("0.25") - 5250) < Decimal(1000) - Decimal("3.10")


def test_the_price_of_the_daily_stop_lies_above_a_short_position() -> None:
    trader = Trader(commissions=MES).hears(5250).with_structure("red").enters("SELL").claims()
    trader.reports("FILLED", 5250, qty=5, exec_id="in")
    price = known(daily_stop_price(trader.desk, trader.asset))
    assert 25 * (price - 5250) >= Decimal("996.90") > 25 * (price - Decimal("0.25") - 5250)


def test_there_is_no_price_of_the_daily_stop_while_flat() -> None:
    trader = Trader().hears(5250)
    assert daily_stop_price(trader.desk, trader.asset) is None


def test_books_of_an_earlier_program_stay_gross() -> None:
    trader = out_at(long_at_5250(MES, generation=4), 5251)
    closed = last_told(trader)
    assert (closed.commission_usd, closed.pnl_net_usd, closed.r) == (None, None, None)
    assert day_result(trader.desk).books == Decimal(25)
    assert asset_result(trader.desk, trader.asset) is None


# -- what is set ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "in_force"),
    [({"MES": "0.70"}, "0.70"), ({"MES": "0.50"}, "0.62"), ({}, "0.62")],
)
def test_a_lower_commission_waits_for_the_next_day(wanted: dict[str, str], in_force: str) -> None:
    trader = Trader(commissions=MES)
    rules = replace(trader.desk.rules, commissions={name: Decimal(rate) for name, rate in wanted.items()})
    assert tightened(trader.desk.rules, rules, 5).commissions == {"MES": Decimal(in_force)}
    trader.asks(ConfigureDesk(rules))
    assert trader.desk.rules.commissions == {"MES": Decimal(in_force)}
    assert trader.desk.wanted.commissions == rules.commissions
