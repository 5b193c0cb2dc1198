"""The table of TradingView's streams: the names, webhook paths and use of each brick size (SPEC 3).

Parser, tape, activity log, state document, set-up page and charts are made from it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from wire.types import Color, Price, Stream, says

BAR_PATH = "/tv"
HEARTBEAT_PATH = "/tv_heartbeat"
LEVEL_PATH = "/tv_level_exit"

# The messages of the alerts. TradingView replaces {{...}}; ASSET, COLOR and the secret are replaced before pasting.
HEARTBEAT_MESSAGE = (
    '{"secret": "YOUR TV_WEBHOOK_SECRET", "symbol": "{{ticker}}", "price": {{close}}, "timestamp": "{{timenow}}"}'
)
# No placeholder of TradingView is a colour, so up and down bricks need an alert each. Several bricks of one base bar
# have the same {{time}}; the close distinguishes them.
BRICK_MESSAGE = (
    '{"secret": "YOUR TV_WEBHOOK_SECRET", "asset": "ASSET", "color": "COLOR", '
    '"bar_id": "{{time}}/{{close}}", "bar_ts": "{{time}}", "close": {{close}}}'
)
LEVEL_MESSAGE = '{"secret": "YOUR TV_WEBHOOK_SECRET", "asset": "ASSET"}'
BRICK_ALERTS = {"up brick": "green", "down brick": "red"}
"""The two alerts of each size: the indicator's condition and the colour in the message."""
BRICK_INDICATOR = """//@version=6
indicator("Lockstep bricks", overlay = true)
alertcondition(close > open, "up brick")
alertcondition(close < open, "down brick")
plot(close, display = display.none)
"""
"""A Pine script for a Renko chart. Its conditions are those of ``BRICK_ALERTS``."""


class StreamRow(Struct, frozen=True):
    """One size of bricks.

    ``points`` is the size of the bricks, ``paths`` their webhooks (the set-up page shows the first). ``state_name``
    is the part before ``_color`` and ``_ts`` of their fields in the state document. ``role`` is shown beside the brick,
    ``use`` on the set-up page. ``set_up_place`` is the order in which a trader sets up the alerts.
    """

    stream: Stream
    points: Decimal
    paths: tuple[str, ...]
    state_name: str
    role: str
    use: str
    set_up_place: int

    @property
    def path(self) -> str:
        return self.paths[0]

    @property
    def kind(self) -> str:
        """The name of this stream's messages in the log, the same for each of its paths."""
        return self.path.strip("/")

    @property
    def size(self) -> str:
        """The size as text: ``2.5``."""
        return f"{self.points:f}"


_LOCK = "management lock"
_TEMPO = "tempo token: the right to one entry"
_HIGH = "structure: the zone, and the structure exit"
_PULLBACK = "pullback: scale-in, 4pt invalidation"

STREAMS = (  # by size
    StreamRow(Stream.ONE, Decimal(1), ("/tv_renko_small", "/tv_renko_one"), "one_renko", "visual", "shown only", 6),
    StreamRow(Stream.TWO_HALF, Decimal("2.5"), ("/tv_renko_two_half",), "two_half_renko", "management", _LOCK, 5),
    StreamRow(Stream.FOUR, Decimal(4), ("/tv_renko",), "renko", "pullback", _PULLBACK, 4),
    StreamRow(Stream.MAIN, Decimal(6), ("/tv_renko_main",), "main_renko", "tempo", _TEMPO, 1),
    StreamRow(Stream.HIGH, Decimal(8), ("/tv_renko_high",), "high_renko", "structure", _HIGH, 2),
    StreamRow(Stream.MACRO, Decimal(12), ("/tv_renko_macro",), "macro_renko", "structure", "structure: the zone", 3),
)
STREAM_POINTS = {row.stream: row.points for row in STREAMS}
STREAM_OF_SIZE = {row.size: row.stream for row in STREAMS}
STREAM_OF_PATH = {path: row.stream for row in STREAMS for path in row.paths}
WEBHOOK_PATHS = (BAR_PATH, HEARTBEAT_PATH, LEVEL_PATH, *STREAM_OF_PATH)
"""Every path that takes a message of TradingView."""
JOURNALED = tuple(row for row in STREAMS if row.stream is not Stream.ONE)
"""The streams whose bricks are stored one by one; the 1pt bricks are only shown."""


class PriceAlert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of ``POST /tv_heartbeat``: a price and its time. ``source`` names a simulated market."""

    secret: str
    symbol: str
    price: Price
    timestamp: str
    source: str | None = None


class BrickAlert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of a brick's webhook: one closed brick. The path gives its size; ``bar_id`` identifies it."""

    secret: str
    asset: str
    color: Color
    bar_id: str
    bar_ts: str
    close: Price
    source: str | None = None


BaseTimeframe = Literal["15S", "1"]
BASE_SECONDS: dict[BaseTimeframe, int] = {"15S": 15, "1": 60}
"""The base timeframes of bricks as TradingView writes them, in seconds. 10 s would stop the alert: 18 in 3 minutes."""

ClosedColor = Literal["green", "red"]
EpochMilliseconds = int
"""Milliseconds since 1970-01-01 UTC."""


class NewBrick(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A brick that the bar's close formed. Bricks of one size and bar have one colour and follow each other."""

    size: Annotated[Decimal, says("in units: 1, 2.5, 4, 6, 8 or 12")]
    k: Annotated[int, Meta(ge=1), says("its number among the bricks of its size in this bar, from 1")]
    color: ClosedColor
    lo: Annotated[Price, says("its lower end, a multiple of its width")]
    hi: Annotated[Price, says("its upper end")]

    @property
    def close(self) -> Price:
        """The price at which it closed: its upper end when it is green."""
        return self.hi if self.color == "green" else self.lo


class LastBrick(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The last brick of a size: all that decides where the next one closes."""

    color: ClosedColor
    lo: Price
    hi: Price


class BarMessage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``POST /tv``: one bar of the base timeframe, with or without the bricks it formed (SPEC 3).

    Without ``bricks`` and ``last`` it is prices alone. ``last`` makes a lost message visible: a chain that does not
    continue there has a gap. ``wire/bar_message.py`` reads it and says what is wrong with one that cannot be.
    """

    secret: str
    symbol: Annotated[str, says("as the chart names it", "CME_MINI:ES1!")]
    tf: Annotated[BaseTimeframe, says("the base timeframe: 15 seconds or 1 minute", "15S")]
    t: Annotated[EpochMilliseconds, says("when the bar started, in ms since 1970-01-01 UTC", 1_796_048_985_000)]
    now: Annotated[EpochMilliseconds, says("when the alert fired, likewise", 1_796_049_000_213)]
    ohlc: Annotated[
        tuple[Price, Price, Price, Price],
        says("open, high, low and close of the bar", [5250.25, 5251.5, 5249.75, 5251]),
    ]
    v: Annotated[Decimal | None, says("its volume; left out where there is none")] = None
    bricks: Annotated[tuple[NewBrick, ...], says("what its close formed; may be left out when too many")] = ()
    last: Annotated[dict[str, LastBrick], says("the last brick of each size that has one, by size")] = field(
        default_factory=dict
    )
    source: Annotated[str | None, says("names a simulated market")] = None

    def brick_id(self, brick: NewBrick) -> str:
        """Return what identifies a brick: the same for every delivery, and for no other brick."""
        return f"{self.symbol}|{self.tf}|{brick.size:f}|{self.t}|{brick.k}"
