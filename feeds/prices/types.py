"""What the price book is told and what it answers. ``docs/explanation/strat.md`` defines the words."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, get_args

from msgspec import Struct

from wire.tradingview import STREAMS

Timeframe = Literal["1m", "15m", "30m", "60m", "4h", "1d", "1w"]
Scenario = Literal["1", "2U", "2D", "3"]
BreakScenario = Literal["2U", "2D", "3"]
Direction = Literal["up", "down"]
PriceSource = Literal["ticks", "heartbeat"]
CandleColor = Literal["green", "red", "flat"]
SetupName = Literal["2-1-2", "3-1-2", "2-2", "1-2-2", "3-2-2"]
Cohort = Literal["index_futures", "renko_stack"]

TIMEFRAMES: tuple[Timeframe, ...] = get_args(Timeframe)
STACK_SIZES: dict[Decimal, str] = {row.points: f"R{row.size}" for row in STREAMS}
"""The name of each brick size: ``R1``, ``R2.5`` … ``R12``."""
TFC_NAMES: dict[Timeframe, str] = {timeframe: timeframe.removesuffix("m") for timeframe in TIMEFRAMES}
"""The key of each timeframe in ``tfc``: minutes without their unit, ``15``; else the same, ``4h``."""


class PriceHeard(Struct, frozen=True, kw_only=True):
    """One price of a contract. ``size`` counts contracts; null is unknown, never none.

    ``seq`` is the bridge's number of the tick; the same number with the same time is the same tick. ``source`` is
    ``ticks`` for every trade that the bridge told, ``heartbeat`` for samples of TradingView's.
    """

    asset: str
    contract: str
    price: Decimal
    at: datetime
    size: int | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    seq: int | None = None
    source: PriceSource = "ticks"
    simulated: bool = False


class Candle(Struct, frozen=True, kw_only=True):
    """One candle of one contract, ``start`` included, ``end`` not. ``symbol`` is the asset.

    ``volume`` counts the contracts that were heard; null when a size was missing. ``is_partial`` says that some of its
    prices may not have been heard: its high and low trigger nothing afterwards. Without ``has_open`` its first price
    was not heard, and ``open`` is only the first that was. ``trigger_up`` and ``trigger_down`` are high and low of the
    candle before it, null when that is unknown or was not wholly heard. ``scenario`` is null where it is not known.
    """

    symbol: str
    contract: str
    timeframe: Timeframe
    start: datetime
    end: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int | None
    source: PriceSource
    simulated: bool
    is_closed: bool
    is_partial: bool
    has_open: bool
    trigger_up: Decimal | None = None
    trigger_down: Decimal | None = None
    scenario: Scenario | None = None


class InForce(Struct, frozen=True, kw_only=True):
    """The first price strictly beyond the trigger: once per symbol, timeframe, candle and direction.

    ``scenario`` is that of the candle at this price, null when a part of the candle was not heard (the other side may
    have been broken before).
    """

    symbol: str
    timeframe: Timeframe
    candle_start: datetime
    direction: Direction
    scenario: BreakScenario | None
    trigger: Decimal
    price: Decimal
    at: datetime
    contract: str | None = None
    simulated: bool = False


class Member(Struct, frozen=True, kw_only=True):
    """One break of a simultaneous break. A size of bricks is ``ES:R4`` in timeframe ``R4``.

    Its ``trigger`` is null when the bricks came without prices.
    """

    symbol: str
    timeframe: str
    trigger: Decimal | None
    at: datetime


class SimultaneousBreak(Struct, frozen=True, kw_only=True):
    """All members of a cohort broke in one direction within ``window_s`` seconds. ``at`` is the last break's time.

    ``simulated`` is null where nobody told: bricks do not say whose prices made them.
    """

    cohort: Cohort
    direction: Direction
    window_s: int
    members: tuple[Member, ...]
    at: datetime
    simulated: bool | None = None


class Setup(Struct, frozen=True, kw_only=True):
    """Two closed candles that wait for the third. Prices: ``trigger`` must be exceeded, ``stop`` is its other side.

    ``candle_start`` is the start of the second closed candle, whose high and low they are. ``is_in_force`` says that
    the current candle has broken the trigger, and only it.
    """

    symbol: str
    timeframe: Timeframe
    name: SetupName
    direction: Direction
    trigger: Decimal
    stop: Decimal
    candle_start: datetime
    is_in_force: bool


Alert = InForce | SimultaneousBreak
