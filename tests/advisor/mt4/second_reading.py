"""The paper account read a second time: from the orders and the minutes alone, in whole points, without its code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

POINTS = 100_000
USD_OF_A_POINT = 0.01
"""Of 0.01 lots of EURUSD: 1,000 EUR by 0.00001."""


@dataclass
class Asked:
    """An order as it was sent. ``at`` is a second of the epoch, volume counts 0.01 lots, prices are points."""

    action: str
    volume: int
    at: int
    price: int
    stop: int | None = None
    target: int | None = None


@dataclass
class Bar:
    t: int
    o: int
    h: int
    l: int  # noqa: E741 - as charts name it
    c: int


@dataclass
class Became:
    """What an order became: its fills as (minute's end, in or out, price), and points won."""

    fills: list[tuple[int, str, int]] = field(default_factory=list)
    points: int = 0


def follow(order: Asked, bars: Sequence[Bar]) -> Became:
    """Follow one order over all minutes, as the page of the account says it."""
    told = Became()
    up = 1 if order.action.startswith("BUY") else -1
    entry = order.price if order.action in ("BUY", "SELL") else None
    for bar in bars:
        if bar.t + 60 <= order.at:
            continue
        whole = bar.t >= order.at
        o, worst_for_buyer, best_for_buyer = (bar.o, bar.l, bar.h) if whole else (bar.c, bar.c, bar.c)
        low, high = worst_for_buyer, best_for_buyer
        adverse, favourable = (low, high) if up == 1 else (high, low)
        entered_now = False
        if entry is None:
            if order.action.endswith("LIMIT"):
                entry = order.price if (order.price - adverse) * up > 0 else None
            elif (favourable - order.price) * up >= 0:
                entry = order.price if (o - order.price) * up <= 0 else o
            if entry is None:
                continue
            told.fills.append((bar.t + 60, "in", entry))
            entered_now = True
        left = None
        if order.stop is not None and (order.stop - adverse) * up >= 0:
            left = order.stop if entered_now or (o - order.stop) * up >= 0 else o
        elif order.target is not None and not entered_now and (favourable - order.target) * up > 0:
            left = order.target
        if left is not None:
            told.fills.append((bar.t + 60, "out", left))
            told.points = (left - entry) * up
            return told
    return told
