"""An asset's feed in the state document: each size's chain of bricks, and what is wrong (SPEC 3, 4 row 16)."""

from __future__ import annotations

from datetime import timedelta

from services.engine.model.feed import Chain, Feed, FeedFault
from services.engine.model.state import Asset, Desk
from services.engine.rules.feed_gate import counting_faults
from services.engine.rules.feed_words import sentence_of_fault
from wire.asset_feed import FeedFaultState, FeedState, StreamCondition, StreamFeedState
from wire.tradingview import STREAM_POINTS, STREAMS, StreamRow
from wire.types import Instant, Stream

UNSETTLED = frozenset({"unsettled", "restart", "source"})


def feed_view(desk: Desk, asset: Asset, now: Instant) -> FeedState:
    """Return the feed of an asset as of ``now``."""
    pulse = asset.live.feed
    return FeedState(
        source=asset.feed.source,
        newest_bar=pulse.newest_bar,
        behind_s=None if pulse.heard_at is None else (now - pulse.heard_at) // timedelta(seconds=1),
        whole=not counting_faults(desk, asset),
        streams=tuple([_stream_view(row, asset, now) for row in STREAMS]),
        faults=tuple([_fault_view(asset, fault) for fault in asset.feed.faults]),
    )


def _stream_view(row: StreamRow, asset: Asset, now: Instant) -> StreamFeedState:
    brick = asset.stream(row.stream)
    chain = asset.live.feed.one if row.stream is Stream.ONE else asset.feed.chain(row.stream)
    tick = asset.contract.tick_size
    fault = _fault_of(asset.feed, row.stream)
    return StreamFeedState(
        size=row.points,
        color=brick.color,
        lo=None if chain is None else chain.lo * tick,
        hi=None if chain is None else chain.hi * tick,
        state=_condition(fault, chain, is_stale=brick.is_stale(now)),
        since=None if fault is None else fault.since,
        to_settle=0 if chain is None else chain.to_settle,
    )


def _fault_of(feed: Feed, stream: Stream) -> FeedFault | None:
    """Return what is wrong with a size: its own fault before one of the whole feed."""
    own = (fault for fault in feed.faults if fault.stream is stream)
    return next(own, None) or next((fault for fault in feed.faults if fault.stream is None), None)


def _condition(fault: FeedFault | None, chain: Chain | None, *, is_stale: bool) -> StreamCondition:
    if fault is not None:
        return "unsettled" if fault.kind in UNSETTLED else "gapped"
    if chain is None:
        return "unknown"
    if chain.to_settle:
        return "unsettled"
    return "stale" if is_stale else "whole"


def _fault_view(asset: Asset, fault: FeedFault) -> FeedFaultState:
    size = None if fault.stream is None else STREAM_POINTS[fault.stream]
    return FeedFaultState(
        kind=fault.kind, size=size, since=fault.since, sentence=sentence_of_fault(asset.symbol, fault)
    )
