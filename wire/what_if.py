"""A trading day decided again: what would have become of the entries that the desk refused (``GET /api/what-if/day``).

An entry that never happened has no fill. What is said of it follows from the prices that the journal kept: entered at
the attempt's price, with the size, stop and target of that moment, without slippage or commission.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Struct

from wire.answers import OkAnswer
from wire.types import AwareTime, Env, Price, Side, TradeMode, Usd, says

WhatIfOutcome = Literal["target", "stop", "day_end"]
WhyUnjudged = Literal["no_direction", "no_price", "no_terms", "no_prices_after", "in_position", "repeated"]


class RefusedEntry(Struct, frozen=True, kw_only=True):
    """An entry that a gate refused, and what would have become of it."""

    row: Annotated[int, says("its row of the journal")]
    at: AwareTime
    env: Env
    asset: str
    direction: Annotated[Side | None, says("null when it waited for a colour that gives one")]
    mode: Annotated[TradeMode | None, says("SCALP has the points target, RUNNER none; null when it is not known")]
    price: Annotated[Price | None, says("the price of the attempt; null when the desk knew none")]
    simulated: Annotated[bool, says("whether the price was of the simulated market")]
    gate: Annotated[str, says("the gate that refused it, by its name of the ladder")]
    sentence: Annotated[str, says("what the page said then")]
    limits_only: Annotated[
        bool,
        says(
            "whether it would have been accepted without the limits that a setting loosens: cooldown, candle lock, "
            "trades a day, daily stop, 2.5pt filter; false: another gate would have refused it, too"
        ),
    ]
    outcome: Annotated[
        WhatIfOutcome | None,
        says("which came first of target, stop and the day's last price so far; null when it is not judged"),
    ]
    ended_at: Annotated[AwareTime | None, says("when that was; null when it is not judged")]
    points: Annotated[Decimal | None, says("what it would have made, in points of the asset; null: `why` says why")]
    usd: Annotated[Usd | None, says("the same for its contracts; null: `why` says why")]
    contracts: Annotated[int | None, says("its size by the rules of that moment; null when it is not known")]
    prices: Annotated[int, says("how many kept prices that follows from: few are few")]
    why: Annotated[
        WhyUnjudged | None,
        says(
            "why it is not judged: no direction, no price at the attempt, mode and size not known (`no_terms`), no "
            "price kept after it, a position was held, "
            "or an earlier refused one of the asset would have been open still (`repeated`); null when it is judged"
        ),
    ] = None


class WhatIfSums(Struct, frozen=True, kw_only=True):
    """The refused entries together. Those of the simulated market are counted with the others."""

    refused: int
    judged: Annotated[int, says("how many of them have an outcome")]
    targets: int
    stops: int
    day_ends: int
    points: Annotated[Decimal | None, says("of those judged; null when none is")]
    usd: Annotated[Usd | None, says("of those judged; null when none is")]
    limits_only: Annotated[int, says("how many were refused by limits alone")]
    limits_only_usd: Annotated[Usd | None, says("of those judged among them; null when none is")]


class TakenSums(Struct, frozen=True, kw_only=True):
    """What the day's accepted entries really made."""

    entries: int
    trades: Annotated[int, says("closed trades")]
    usd: Usd


class WhatIfDay(OkAnswer, frozen=True, kw_only=True):
    """A trading day decided again by its journal."""

    day: date
    head: Annotated[int, says("the last row of the journal when it was asked: a day that goes on has more later")]
    rows: Annotated[int, says("rows of the day")]
    replay_equal: Annotated[bool, says("whether this program decides every row of the day as the journal says")]
    unequal_rows: Annotated[int, says("how many rows of the day it decides differently")]
    refused: Annotated[tuple[RefusedEntry, ...], says("oldest first, at most the first 500")]
    truncated: Annotated[bool, says("whether there were more; `sums` counts all of them")]
    sums: WhatIfSums
    taken: TakenSums
