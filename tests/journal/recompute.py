"""Recompute results from the raw journal, sharing no code with the desk (SPEC 7.5).

Input are the rows of the export ``journal`` as JSON lines: ``at``, ``command`` and ``events``. Only fills count here:
what orders filled, what the broker told, and what each execution was told to cost. Nothing of what the desk itself says
a trade has made is read. Run ``python recompute.py FILE [MES=0.62 …]`` for a table.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

USD_OF_ONE = {  # USD per 1.00 of price and contract, micro contracts and small lots, from the exchanges' pages
    "ES": ("MES", "5"),
    "NQ": ("MNQ", "2"),
    "YM": ("MYM", "0.5"),
    "RTY": ("M2K", "5"),
    "CL": ("MCL", "100"),
    "GC": ("MGC", "10"),
    "XAUUSD": ("XAUUSD", "10"),
    "EURUSD": ("EURUSD", "10000"),
    "GBPUSD": ("GBPUSD", "10000"),
}
CENT = Decimal("0.01")


@dataclass
class Fill:
    asset: str
    signed: int
    price: Fraction
    exec_id: str | None


@dataclass
class Trade:
    asset: str
    signed: int = 0
    bought: int = 0
    sold: int = 0
    paid: Fraction = Fraction(0)
    received: Fraction = Fraction(0)
    commission: Fraction = Fraction(0)
    is_known: bool = True

    def gross(self, price: Fraction = Fraction(0)) -> Fraction:
        """USD so far if the rest were closed at ``price``."""
        return (self.received - self.paid + self.signed * price) * Fraction(USD_OF_ONE[self.asset][1])

    def net(self) -> Fraction:
        return self.gross() - self.commission


@dataclass
class Result:
    closed: list[Trade] = field(default_factory=list)
    held: dict[str, Trade] = field(default_factory=dict)

    def books(self, prices: Mapping[str, Fraction]) -> dict[str, Fraction]:
        """USD by asset: closed trades and open ones at ``prices``, less what they have paid."""
        by_asset: dict[str, Fraction] = {}
        for trade in self.closed:
            by_asset[trade.asset] = by_asset.get(trade.asset, Fraction(0)) + trade.net()
        for asset, trade in self.held.items():
            open_now = trade.gross(prices[asset]) - trade.commission
            by_asset[asset] = by_asset.get(asset, Fraction(0)) + open_now
        return by_asset

    def figures(self) -> dict[str, Any]:
        nets = [trade.net() for trade in self.closed]
        won, lost = sum(n for n in nets if n > 0), -sum(n for n in nets if n < 0)
        return {
            "trades": len(nets),
            "wins": sum(n > 0 for n in nets),
            "losses": sum(n < 0 for n in nets),
            "usd": sum(nets, Fraction(0)),
            "gross_usd": sum((trade.gross() for trade in self.closed), Fraction(0)),
            "commission_unknown": sum(not trade.is_known for trade in self.closed),
            "profit_factor": Fraction(won) / lost if lost else None,
        }


def recompute(rows: Iterable[Mapping[str, Any]], rates: Mapping[str, str]) -> Result:
    """Play the fills of the journal again. ``rates`` are USD per contract and side by product, as they were set."""
    listed = list(rows)
    told = dict(_told_commissions(listed))
    result = Result()
    for fill in _fills(listed):
        _take(result, fill, told, rates)
    return result


def _told_commissions(rows: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, Fraction]]:
    """What each execution was told to cost, whenever: per contract, because one fill may close and open."""
    for row in rows:
        command = row["command"]
        for said in (command, *command.get("fills", ())):
            if said.get("exec_id") is not None and said.get("commission") is not None:
                yield said["exec_id"], Fraction(said["commission"]) / said["qty"]


def _fills(rows: Iterable[Mapping[str, Any]]) -> Iterable[Fill]:
    sides: dict[str, str] = {}
    for row in rows:
        for event in row["events"]:
            kind = event["type"]
            if kind == "OrderQueued":
                sides[event["order_id"]] = event["side"]
            elif kind == "OrderReported" and event.get("qty"):
                sign = 1 if sides[event["order_id"]] == "BUY" else -1
                yield Fill(event["asset"], sign * event["qty"], Fraction(event["price"]), event.get("exec_id"))
            elif kind == "FillBooked" and event.get("kind") is not None:
                sign = 1 if event["side"] == "BUY" else -1
                yield Fill(event["asset"], sign * event["qty"], Fraction(event["price"]), event.get("exec_id"))


def _take(result: Result, fill: Fill, told: Mapping[str, Fraction], rates: Mapping[str, str]) -> None:
    left = fill.signed
    while left:
        trade = result.held.setdefault(fill.asset, Trade(fill.asset))
        closes = trade.signed * left < 0
        part = max(-abs(trade.signed), min(abs(trade.signed), left)) if closes else left
        _move(trade, part, fill, told, rates)
        left -= part
        if trade.signed == 0:
            result.closed.append(result.held.pop(fill.asset))


def _move(trade: Trade, part: int, fill: Fill, told: Mapping[str, Fraction], rates: Mapping[str, str]) -> None:
    trade.signed += part
    if part > 0:
        trade.bought, trade.paid = trade.bought + part, trade.paid + part * fill.price
    else:
        trade.sold, trade.received = trade.sold - part, trade.received - part * fill.price
    product = USD_OF_ONE[fill.asset][0]
    if fill.exec_id is not None and fill.exec_id in told:
        trade.commission += told[fill.exec_id] * abs(part)
    elif product in rates:
        trade.commission += Fraction(rates[product]) * abs(part)
    else:
        trade.is_known = False


def cents(amount: Fraction) -> Decimal:
    """Round to the cent, as a statement shows it."""
    return (Decimal(amount.numerator) / Decimal(amount.denominator)).quantize(CENT)


def main(path: str, *settings: str) -> None:
    rates = dict(setting.split("=", 1) for setting in settings)
    rows = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row["command"], row["events"] = (json.loads(row[name]) for name in ("command", "events"))
    result = recompute(rows, rates)
    for trade in result.closed:
        known = "" if trade.is_known else "  commission not all known"
        sys.stdout.write(f"{trade.asset:8} gross {cents(trade.gross()):>12} net {cents(trade.net()):>12}{known}\n")
    sys.stdout.write(f"{result.figures()}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
