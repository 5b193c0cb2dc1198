"""The events of an asset's feed: what was found wrong with it, and how it recovered (SPEC 3, 4 row 16)."""

from __future__ import annotations

from msgspec import field

from services.engine.model.event import Event
from services.engine.model.feed import FaultKind, FeedSource
from services.engine.model.wording import Facts
from wire.types import Stream


class FeedFaultFound(Event, frozen=True, tag="FeedFaultFound"):
    """Something is wrong with the feed of an asset, or of one of its sizes: the gate ``feed`` is closed (SPEC 4)."""

    asset: str
    kind: FaultKind
    stream: Stream | None = None
    facts: Facts = field(default_factory=dict)


class FeedFaultEnded(Event, frozen=True, tag="FeedFaultEnded"):
    """The feed has recovered. ``how`` says by what, a code."""

    asset: str
    kind: FaultKind
    how: str
    stream: Stream | None = None


class FeedSourceChanged(Event, frozen=True, tag="FeedSourceChanged"):
    """The bricks of an asset come from here now. ``symbol`` is the chart's, None for alerts of single sizes."""

    asset: str
    source: FeedSource
    symbol: str | None = None


OfFeeds = FeedFaultFound | FeedFaultEnded | FeedSourceChanged
