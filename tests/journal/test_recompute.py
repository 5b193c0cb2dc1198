"""A seeded desk over all nine instruments, recomputed to the cent by a script that shares no code (SPEC 7.5)."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from itertools import count
from random import Random
from typing import Any

import pytest
from msgspec import UNSET, to_builtins

from services.engine.model.bridge_commands import BookFills, Execution
from services.engine.model.state import Asset
from services.engine.model.trade_events import TradeClosed, closed_trades
from services.engine.model.trading_day import trading_day_of
from services.engine.rules.beliefs import day_result
from services.engine.rules.books import asset_result
from services.history.flat import TABLES
from services.journal.statistics import figures_of
from services.journal.trades import JournalTrade
from tests.journal.recompute import USD_OF_ONE, cents, recompute
from tests.support.trader import Trader
from wire.types import Price

PRICES = {
    "ES": "5250",
    "NQ": "18000",
    "YM": "42000",
    "RTY": "2100",
    "CL": "70",
    "GC": "2650",
    "XAUUSD": "2650",
    "EURUSD": "1.05",
    "GBPUSD": "1.25",
}
SET = {"MES": "0.62", "MYM": "0.61", "MGC": "0.87", "XAUUSD": "0.7"}  # the others are told, or nobody knows


class SeededDesk:
    """Trades each asset twice with partial fills, a scale-in at the broker, partial exits and a turn."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.names = count(1)
        self.trader = Trader(
            at="08:00:00",
            assets=tuple(PRICES),
            max_trades_per_day=100,
            commissions={product: Decimal(rate) for product, rate in SET.items()},
        )

    def plays(self) -> Trader:
        for _ in range(2):
            for symbol in PRICES:
                self._trades(symbol)
        self._enters("ES")  # one stays open
        return self.trader.later(1).hears(PRICES["ES"])

    def _trades(self, symbol: str) -> None:
        side = self._enters(symbol)
        self._tells(symbol, side, 1, "MANUAL")  # the operator adds at the broker
        if self.random.random() < 0.3:  # or turns the position there: at the last price, from which the books count it
            held = abs(self._asset(symbol).position)
            self._tells(symbol, "SELL" if side == "BUY" else "BUY", held + 1, "MANUAL", price=Decimal(PRICES[symbol]))
        self.trader.exits(symbol, force=True).claims()
        while (order := self.trader.order) is not None:
            part = self.random.randint(1, order.remaining)
            self._reports(order, part)

    def _enters(self, symbol: str) -> str:
        side: Any = self.random.choice(("BUY", "SELL"))
        self.trader.later(600).turns_to(symbol).hears(PRICES[symbol]).broker_says().later(2).broker_says()
        self.trader.with_structure("green" if side == "BUY" else "red", symbol).enters(side, symbol)
        assert self.trader.refused_by is None, (symbol, self.trader.refused_by)
        self.trader.claims()
        order = self.trader.order
        assert order is not None, symbol
        first = self.random.randint(1, order.qty - 1)
        self._reports(order, first)
        assert self.trader.order is not None
        self._reports(self.trader.order, order.qty - first)
        return str(side)

    def _reports(self, order: Any, qty: int) -> None:
        status = "FILLED" if qty == order.remaining else "PARTIALLY_FILLED"
        price = self._price(order.asset)
        told = self._commission(qty)
        name = f"e{next(self.names)}"
        self.trader.reports(status, price, order, qty=qty, exec_id=name, commission=UNSET if told is None else told)
        if told is None and self.random.random() < 0.3:  # the broker tells it later
            self._tells(
                order.asset, order.side, qty, "ORDER", name, price, order.id, self._commission(qty, always=True)
            )

    def _tells(
        self,
        symbol: str,
        side: Any,
        qty: int,
        kind: Any,
        name: str | None = None,
        price: Price | None = None,
        order_id: str | None = None,
        told: Decimal | None = None,
    ) -> None:
        told = self._commission(qty) if told is None else told
        fill = Execution(
            exec_id=name or f"b{next(self.names)}",
            at=self.trader.now,
            symbol=self._asset(symbol).contract.symbol,
            asset=symbol,
            side=side,
            qty=qty,
            price=price or self._price(symbol),
            kind=kind,
            order_id=order_id,
            commission=UNSET if told is None else told,
        )
        self.trader.asks(BookFills("DEMO", "A1", "ledger of bridge", (fill,)))

    def _commission(self, qty: int, *, always: bool = False) -> Decimal | None:
        is_told = always or self.random.random() < 0.5
        return Decimal(self.random.randint(10, 250)) * qty / 100 if is_told else None

    def _price(self, symbol: str) -> Price:
        ticks = self.random.randint(-4, 4)
        return Decimal(PRICES[symbol]) + ticks * self._asset(symbol).contract.tick_size

    def _asset(self, symbol: str) -> Asset:
        return self.trader.desk.assets[symbol]


def rows_of(trader: Trader) -> list[dict[str, Any]]:
    return [{"command": json.loads(row.command), "events": json.loads(row.events)} for row in trader.journal]


def closed_of(trader: Trader) -> list[TradeClosed]:
    told = closed_trades(event for decision in trader.decisions for event in decision.events)
    return list({trade.id: trade for trade in told}.values())


@pytest.fixture(scope="module", params=[17, 4242])
def trader(request: pytest.FixtureRequest) -> Trader:
    return SeededDesk(request.param).plays()


def test_all_nine_instruments_are_traded(trader: Trader) -> None:
    assert {trade.asset for trade in closed_of(trader)} == set(USD_OF_ONE)
    assert {trade.commission_known for trade in closed_of(trader)} == {True, False}


def test_each_trade_is_what_its_fills_make(trader: Trader) -> None:
    again = recompute(rows_of(trader), SET).closed
    told = [(t.asset, t.pnl_usd, t.commission_usd, t.pnl_net_usd, t.commission_known) for t in closed_of(trader)]
    assert [(t.asset, cents(t.gross()), cents(t.commission), cents(t.net()), t.is_known) for t in again] == told


def test_the_books_of_the_day_are_what_the_fills_make(trader: Trader) -> None:
    prices = {s: Fraction(a.live.last_price) for s, a in trader.desk.assets.items() if a.live.last_price is not None}
    books = recompute(rows_of(trader), SET).books(prices)
    assert {s: asset_result(trader.desk, a) for s, a in trader.desk.assets.items()} == {
        symbol: cents(result) for symbol, result in books.items()
    }
    assert day_result(trader.desk).books == cents(sum(books.values(), Fraction(0)))


def test_the_statistics_are_what_the_fills_make(trader: Trader) -> None:
    entries = [JournalTrade(t, trading_day_of(t.exit_ts, "18:00")) for t in closed_of(trader)]
    figures = to_builtins(figures_of(entries), builtin_types=(Decimal,))
    again = recompute(rows_of(trader), SET).figures()
    ratio = again.pop("profit_factor")
    assert abs(Fraction(figures["profit_factor"]) - ratio) < Fraction(1, 10**18)
    assert {name: Fraction(figures[name]) for name in again} == {n: Fraction(value) for n, value in again.items()}
    assert figures["points"] is None  # of nine assets


def test_the_export_is_what_the_fills_make(trader: Trader) -> None:
    exported = list(TABLES["trades"].records(trader.journal))
    again = recompute(rows_of(trader), SET).closed
    assert [(row["asset"], row["pnl_net_usd"]) for row in exported] == [(t.asset, cents(t.net())) for t in again]


@pytest.mark.parametrize("what", ["price", "qty", "commission", "rate"])
def test_another_number_comes_out_otherwise(trader: Trader, what: str) -> None:
    rows, rates = rows_of(trader), dict(SET)
    before = recompute(rows, rates).figures()["usd"]
    if what == "rate":
        rates["MES"] = "0.63"
    elif what == "commission":
        told = [row["command"] for row in rows if row["command"].get("commission") is not None]
        told[0]["commission"] = str(Decimal(told[0]["commission"]) + Decimal("0.01"))
    else:
        fills = [event for row in rows for event in row["events"] if event["type"] == "OrderReported"]
        amount = next(event for event in fills if event.get("qty"))
        amount[what] = amount[what] + 1 if what == "qty" else str(Decimal(amount[what]) + 1)
    assert recompute(rows, rates).figures()["usd"] != before


def test_the_desk_comes_out_equal_from_its_journal(trader: Trader) -> None:
    assert trader.replays_equal()
