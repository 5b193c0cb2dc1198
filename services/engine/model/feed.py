"""What an asset hears of its market: where the chain of each brick size stands, and what is wrong (SPEC 3, 4 row 16).

A *chain* is the last brick of a size: it decides where the next one closes, so a lost message is visible. *Faults* keep
the gate ``feed`` closed. These structs are stored under their field names; a new field needs a default.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from services.engine.model.price_readings import PriceWatch
from services.engine.model.wording import Facts
from wire.types import Color, Instant, Price, Stream

BaseName = Literal["15S", "1"]
BASE_LENGTH: dict[BaseName, int] = {"15S": 15, "1": 60}  # seconds
FeedSource = Literal["15S", "1", "ticks", "single"]
"""Where the bricks of an asset come from: bars of one base timeframe, ticks, or the alerts of single sizes."""

FaultKind = Literal[
    "missed_bar",
    "broken_chain",
    "silent",
    "delayed",
    "other_contract",
    "roll",
    "source",
    "restart",
    "unsettled",
]
"""What may be wrong with a feed.

``missed_bar``: bars are absent while the market was open. ``broken_chain``: a brick does not continue its chain.
``silent``: nothing is heard although the market is open. ``delayed``: what is heard is old, or its time lies ahead.
``other_contract``: it is of one that is not traded. ``roll``: it changed to the next contract. ``source``: it comes
from elsewhere than before. ``restart``: the desk began anew and has heard nothing since. ``unsettled``: a chain is not
known for certain.
"""


class ToldBrick(Struct, frozen=True):
    """A brick that a bar's close formed, as the message told it. ``k`` is its number in the bar, from 1."""

    stream: Stream
    k: int
    color: Color
    lo: Price
    hi: Price
    bar_id: str

    @property
    def close(self) -> Price:
        return self.hi if self.color == "green" else self.lo


class ToldLast(Struct, frozen=True):
    """The last brick of a size, as the message told it."""

    stream: Stream
    color: Color
    lo: Price
    hi: Price

    @property
    def close(self) -> Price:
        return self.hi if self.color == "green" else self.lo


class MarketHours(Struct, frozen=True):
    """What the calendar says around a bar: the market has been open since ``opened_at``, closed from ``closed_at``.

    Both are None for a market that never stops.
    """

    closed_at: Instant | None = None
    opened_at: Instant | None = None


class Chain(Struct, frozen=True, omit_defaults=True):
    """The last brick of a size: its ends in ticks of the contract. The next one closes one width beyond an end.

    ``bar_at`` is the base bar that closed it. ``holes`` are the closes of bricks of that bar that are still missing:
    alerts of single sizes may come in any order. ``to_settle`` counts the bricks still to form until a chain that the
    desk builds is certainly the one that saw every price.
    """

    stream: Stream
    color: Color
    lo: int
    hi: int
    bar_at: Instant | None = None
    holes: tuple[int, ...] = ()
    to_settle: int = 0

    @property
    def close(self) -> int:
        return self.hi if self.color == "green" else self.lo

    def continues(self, color: Color, lo: int, hi: int) -> bool:
        """Return whether a brick is the next one of this chain; the last brick's colour does not matter."""
        return hi - lo == self.hi - self.lo and (lo == self.hi if color == "green" else hi == self.lo)

    def stands_at(self, color: Color, lo: int, hi: int) -> bool:
        return (self.color, self.lo, self.hi) == (color, lo, hi)


class FeedFault(Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with the feed of an asset, or of one of its sizes."""

    kind: FaultKind
    since: Instant
    stream: Stream | None = None
    facts: Facts = {}


class Feed(Struct, frozen=True, omit_defaults=True):
    """The feed of an asset as it is stored: it changes only with an event. The 1pt chain is in ``FeedPulse``.

    ``source`` and ``symbol`` say where the chains come from.
    """

    source: FeedSource | None = None
    symbol: str | None = None
    chains: tuple[Chain, ...] = ()
    faults: tuple[FeedFault, ...] = ()

    def chain(self, stream: Stream) -> Chain | None:
        return next((chain for chain in self.chains if chain.stream is stream), None)

    def fault(self, kind: FaultKind, stream: Stream | None = None) -> FeedFault | None:
        return next((fault for fault in self.faults if (fault.kind, fault.stream) == (kind, stream)), None)


class SmallBrick(Struct, frozen=True):
    """A 1pt brick: it is shown, not stored."""

    color: Color
    close: Price


class Beyond(Struct, frozen=True):
    """Since when the price lies beyond the next brick of a size, though none came."""

    stream: Stream
    since: Instant


class FeedPulse(Struct, frozen=True, omit_defaults=True):
    """What changes with every message without being stored at once.

    ``newest_bar`` is when the newest bar started, ``sent_at`` when its message was sent, ``heard_at`` when it came.
    From ``silent_at`` on, which the calendar knows, a feed that says nothing is silent. ``one`` is the 1pt chain,
    ``ones`` are the 1pt bricks of the newest message that formed any, oldest first. ``close`` is the newest bar's,
    ``own`` the contract's own price at that time.
    """

    newest_bar: Instant | None = None
    sent_at: Instant | None = None
    heard_at: Instant | None = None
    silent_at: Instant | None = None
    one: Chain | None = None
    ones: tuple[SmallBrick, ...] = ()
    beyond: tuple[Beyond, ...] = ()
    close: Price | None = None
    own: Price | None = None


class BarsHeard(Struct, frozen=True, omit_defaults=True):
    """What the closes of bars are judged by where the desk builds bricks of them: among themselves (SPEC 3).

    ``hole`` says why prices may be missing before a close that is still suspect.
    """

    watch: PriceWatch = PriceWatch()
    hole: FaultKind | None = None
