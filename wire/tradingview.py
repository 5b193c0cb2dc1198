"""TradingView's streams in one table: what each size of bricks is called, where it arrives and what it is for (SPEC 3).

Parser, tape, activity log, state document, set-up page and charts are made from it.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec
from msgspec import Struct

from wire.types import Color, Price, Stream

HEARTBEAT_PATH = "/tv_heartbeat"
LEVEL_PATH = "/tv_level_exit"


class StreamRow(Struct, frozen=True):
    """One size of bricks.

    ``points`` is the bricks' size, ``paths`` the webhooks that take them (the first is the one we name),
    ``state_name`` what their colour and time are called in the state document before ``_color`` and ``_ts``, ``role``
    the word beside the brick, ``use`` what the set-up page says of the alert, ``set_up_place`` the order in which a
    trader sets the alerts up.
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
        """What the log calls a message of this stream, whichever of its paths it took."""
        return self.path.strip("/")

    @property
    def size(self) -> str:
        """The size as it is written: ``2.5``."""
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
JOURNALED = tuple(row for row in STREAMS if row.stream is not Stream.ONE)
"""The streams whose bricks are kept one by one; the 1pt bricks are shown and forgotten."""


class PriceAlert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of ``POST /tv_heartbeat``: a price, and when it was; ``source`` names a market that is not real."""

    secret: str
    symbol: str
    price: Price
    timestamp: str
    source: str | None = None


class BrickAlert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of a brick's webhook: one closed brick. The path names its size, ``bar_id`` tells it from all others."""

    secret: str
    asset: str
    color: Color
    bar_id: str
    bar_ts: str
    close: Price
    source: str | None = None


encode = msgspec.json.Encoder(decimal_format="number").encode
