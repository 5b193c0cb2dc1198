"""What the stream says after the whole state: changes, quotes, bricks, log lines, signs of life."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import Struct

from wire.answers import BrickRow
from wire.state import LogRow
from wire.types import AwareTime, says

Feed = Literal["tradingview", "rithmic"]


class Change(Struct, frozen=True):
    """What changed in the state since the message before, as a JSON merge patch (RFC 7396)."""

    version: int
    now: AwareTime
    patch: Annotated[dict[str, Any], says("lists whole; null where a key is gone; nothing that only counts seconds")]


class BrickHeard(BrickRow, frozen=True, kw_only=True):
    """A brick that has just closed."""

    asset: str
    size: Annotated[Decimal, says("in points")]


class LineHeard(Struct, frozen=True):
    """A line of the log; it takes the place of the newest one when that only came again."""

    feed: Feed
    entry: LogRow
    replaces_last: bool


class Ping(Struct, frozen=True):
    """The desk lives; nothing changed but the time."""

    now: AwareTime
    version: int
