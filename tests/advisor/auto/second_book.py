"""The shadow book reckoned a second time, from the words of docs/reference/agent.md alone and with none of its code.

It reads what a program reads: a decision as JSON, and the market's minutes. Prices are fractions of a tick.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from hashlib import sha256
from statistics import fmean, stdev
from typing import Any, Protocol

Json = dict[str, Any]
TICK = Fraction(1, 4)
UNTRUE = {"sampled", "simulated"}
T_975 = {19: 2.093, 29: 2.045, 39: 2.023, 59: 2.001, 99: 1.984}
"""Student's quantiles from a printed table, by degrees of freedom."""


class Row(Protocol):
    """A minute of the market: its start, its four prices, where it came from."""

    @property
    def t(self) -> int: ...

    @property
    def o(self) -> float: ...

    @property
    def h(self) -> float: ...

    @property
    def l(self) -> float: ...  # noqa: E743 - as charts name it

    @property
    def c(self) -> float: ...

    @property
    def source(self) -> str: ...


def second(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def to_tick(price: float) -> Fraction:
    """Return the nearest price of the grid."""
    return round(Fraction(str(price)) / TICK) * TICK


def coin(decision: str) -> str:
    return "SELL" if sha256(decision.encode()).hexdigest()[1] in "13579bdf" else "BUY"


def bars_of(minutes: Sequence[Row], begins: int) -> list[list[Row] | None]:
    """Return the minutes of the twelve bars from the one on in which the trade begins; None for a missing bar."""
    first = begins - begins % 900
    found: list[list[Row] | None] = []
    for number in range(12):
        start = first + 900 * number
        inside = [row for row in minutes if start <= row.t < start + 900]
        is_there = len(inside) >= 7.5 and not any(row.source in UNTRUE for row in inside)
        found.append(inside if is_there else None)
    return found


def trade_again(side: str, distance: Fraction, begins: int, minutes: Sequence[Row]) -> Json:
    """Return what becomes of a trade of this side, told as the reference tells it."""
    bars = bars_of(minutes, begins)
    up = side == "BUY"
    entry: Fraction | None = None
    last: Row | None = None
    for bar in bars:
        if bar is None:
            return {"entry": entry, "result": "unknown", "exit": None, "at": None}
        for row in (row for row in bar if row.t >= begins):
            if entry is None:
                entry = to_tick(row.o)
            stop = entry - distance if up else entry + distance
            target = entry + 2 * distance if up else entry - 2 * distance
            low, high, opens = Fraction(str(row.l)), Fraction(str(row.h)), to_tick(row.o)
            if (up and low <= stop) or (not up and high >= stop):
                behind = (opens < stop) if up else (opens > stop)
                return {"entry": entry, "result": "sl", "exit": opens if behind else stop, "at": row.t + 60}
            if (up and high >= target) or (not up and low <= target):
                return {"entry": entry, "result": "tp", "exit": target, "at": row.t + 60}
            last = row
    if last is None:
        return {"entry": None, "result": "unknown", "exit": None, "at": None}
    return {"entry": entry, "result": "timeout", "exit": to_tick(last.c), "at": begins - begins % 900 + 12 * 900}


def in_r(side: str, trade: Json, distance: Fraction) -> float | None:
    if trade["exit"] is None:
        return None
    gained = trade["exit"] - trade["entry"]
    return round(float((gained if side == "BUY" else -gained) / distance), 4)


def shadow_again(decision: Json, minutes: Sequence[Row]) -> Json:
    """Return the `shadow` of a decision, as far as a second reckoning can know it: of one whose bars are over."""
    signal, begins = decision["ml_signal"], second(decision["shadow"]["entry_from"])
    distance = abs(Fraction(str(signal["entry_price"])) - Fraction(str(signal["stop_loss"])))
    side, other = decision["action"], coin(decision["id"])
    own, thrown = (trade_again(one, distance, begins, minutes) for one in (side, other))
    entry = own["entry"]
    away = distance if side == "BUY" else -distance
    return {
        "entry": None if entry is None else float(entry),
        "stop": None if entry is None else float(entry - away),
        "target": None if entry is None else float(entry + 2 * away),
        "exit": None if own["exit"] is None else float(own["exit"]),
        "result": own["result"],
        "exit_at": own["at"],
        "r": in_r(side, own, distance),
        "counted": None not in bars_of(minutes, begins),
        "coin_side": other,
        "coin_result": thrown["result"],
        "coin_r": in_r(other, thrown, distance),
    }


def told(decision: Json) -> Json:
    """Return the same of a decision as the program told it."""
    shadow = decision["shadow"]
    names = ("entry", "stop", "target", "exit", "r", "counted", "coin_side", "coin_result", "coin_r")
    found = {name: shadow[name] for name in names}
    at = None if shadow["exit_at"] is None else second(shadow["exit_at"])
    return {**found, "result": decision["result"], "exit_at": at}


def mean_again(values: Sequence[float]) -> Json:
    """Return mean and 95 % interval; below 20 values nothing. Quantiles between the printed ones are interpolated."""
    if len(values) < 20:
        return {"mean": None, "low": None, "high": None}
    half = quantile(len(values) - 1) * stdev(values) / len(values) ** 0.5
    mean = fmean(values)
    return {"mean": mean, "low": mean - half, "high": mean + half}


def quantile(freedom: int) -> float:
    """Return Student's 97.5 % quantile between the printed ones, which lie on a line over 1/freedom."""
    below = max((one for one in T_975 if one <= freedom), default=19)
    above = min((one for one in T_975 if one >= freedom), default=None)
    if above is None:
        return 1.96 + (T_975[99] - 1.96) * 99 / freedom
    if above == below:
        return T_975[below]
    share = (1 / below - 1 / freedom) / (1 / below - 1 / above)
    return T_975[below] + share * (T_975[above] - T_975[below])
