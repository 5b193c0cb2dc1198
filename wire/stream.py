"""What the stream says after the whole state: changes, bricks, log lines, signs of life.

Committed events are in ``wire/events.py``, quotes in ``wire/bridge.py``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import Struct

from wire.answers import BrickRow
from wire.state import LogRow
from wire.types import AwareTime, Price, says

Feed = Literal["tradingview", "rithmic"]


class Change(Struct, frozen=True):
    """The changes of the state since the previous message, as a JSON merge patch (RFC 7396)."""

    version: int
    now: AwareTime
    patch: Annotated[dict[str, Any], says("lists whole; null where a key is gone; nothing that only counts seconds")]


class BrickHeard(BrickRow, frozen=True, kw_only=True):
    """A brick that has just closed."""

    asset: str
    size: Annotated[Decimal, says("in points")]


class BarHeard(Struct, frozen=True, kw_only=True):
    """A bar of TradingView's chart, as its alert told it: sent to programs beside web alone, once for each message."""

    asset: str
    symbol: Annotated[str, says("as the message spelled it")]
    base: Annotated[Literal["15S", "1"], says("the chart's timeframe: 15 seconds or a minute")]
    started_at: AwareTime
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Annotated[Decimal | None, says("null when it was not told")]
    simulated: bool


class LineHeard(Struct, frozen=True):
    """A line of the log. With ``replaces_last`` it replaces the newest line, because the same message came again."""

    feed: Feed
    entry: LogRow
    replaces_last: bool


class Ping(Struct, frozen=True):
    """A sign of life. Nothing changed except the time."""

    now: AwareTime
    version: int
