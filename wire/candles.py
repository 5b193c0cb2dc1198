"""The candles of the bar store: ``GET /api/candles`` of web for pages, and of feeds for web."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, get_args

from msgspec import Struct

from wire.answers import OkAnswer
from wire.types import AwareTime, Price, says

BarSource = Literal["ticks", "bridge", "provider", "heartbeat", "sampled", "simulated"]
CandleTimeframe = Literal["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"]
CANDLE_TIMEFRAMES: tuple[CandleTimeframe, ...] = get_args(CandleTimeframe)
CANDLES_PATH = "/api/candles"
LONGEST_PAGE = 2_000
USUAL_PAGE = 500
LAST_SECOND = 4_102_444_800
"""The end of 2099: a page without `before` is the one before it."""


class StoredCandle(Struct, frozen=True, kw_only=True):
    """One candle. A period without a price has none: a gap stays a gap."""

    t: Annotated[AwareTime, says("when its period begins")]
    o: Price
    h: Price
    l: Price  # noqa: E741 - as charts name it
    c: Price
    v: Annotated[Decimal | None, says("null when that of any minute is unknown")]
    complete: Annotated[bool, says("false: its period has not ended")]
    source: Annotated[BarSource, says("the least certain one of its minutes")]


class StoredCandles(OkAnswer, frozen=True, kw_only=True):
    """A page of candles, oldest first."""

    asset: str
    timeframe: CandleTimeframe
    simulated: Annotated[bool, says("of the simulated market; real and simulated candles are never mixed")]
    candles: tuple[StoredCandle, ...]
    before: Annotated[AwareTime | None, says("the `before` of the older page; null when there is nothing older")]
