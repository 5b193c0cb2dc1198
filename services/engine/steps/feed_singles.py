"""Bricks of alerts of single sizes: does each continue its chain (SPEC 3, 4 row 16)?

They tell colour and perhaps close. Without a close nothing can be judged. The 1pt bricks are only shown and not judged.
"""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.commands import CloseBrick
from services.engine.model.feed import Chain, FeedFault
from services.engine.model.feed_events import FeedSourceChanged
from services.engine.rules.feed_chains import chain_of, holes_between, single_chain, with_hole_filled
from services.engine.rules.feed_delivery import BASES
from services.engine.steps.feed_faults import IN_ANY_ORDER, end_faults, find_faults
from services.engine.transition import Transition
from wire.types import Stream


def judge_single(transition: Transition, brick: CloseBrick) -> None:
    """Judge a brick that counts, before it takes effect. A fault of its size ends with the next one that continues."""
    if brick.stream is Stream.ONE:
        return
    _use_singles(transition, brick)
    _judge_chain(transition, brick)
    _end_with_sizes(transition, brick.asset)


def _judge_chain(transition: Transition, brick: CloseBrick) -> None:
    """Judge whether a brick continues the chain of its size, and store where it stands then.

    Bricks of one base bar come in any order: until the last of them that was overtaken has come, the fault stands.
    """
    asset = transition.asset(brick.asset)
    known = chain_of(asset, brick.stream)
    if brick.close is None or brick.color == "neutral":
        put_chain(transition, brick.asset, brick.stream, None)
        _end(transition, brick, "unjudged")
        return
    told = replace(single_chain(asset.contract, brick.stream, brick.color, brick.close), bar_at=brick.bar_at)
    if known is None:
        put_chain(transition, brick.asset, brick.stream, told)
        return
    awaited = known.holes if _is_of_its_bar(known, told) else ()
    if told.close in awaited:
        _fill_hole(transition, brick, known, told.close)
    elif known.continues(told.color, told.lo, told.hi):
        put_chain(transition, brick.asset, brick.stream, replace(told, holes=awaited))
        if not awaited:
            _end(transition, brick, "continued")
    elif not known.stands_at(told.color, told.lo, told.hi):  # the same brick once more contradicts nothing
        overtaken = holes_between(known, told) if told.bar_at is not None else ()
        holes = (*awaited, *overtaken) if overtaken else ()
        put_chain(transition, brick.asset, brick.stream, replace(told, holes=holes))
        find_faults(transition, brick.asset, "broken_chain", [brick.stream], {IN_ANY_ORDER: len(holes) or None})


def put_chain(transition: Transition, symbol: str, stream: Stream, chain: Chain | None) -> None:
    """Store where a size's chain stands; None: nobody knows."""
    asset = transition.asset(symbol)
    if stream is Stream.ONE:
        pulse = replace(asset.live.feed, one=chain)
        transition.put_asset(replace(asset, live=replace(asset.live, feed=pulse)))
        return
    others = tuple([known for known in asset.feed.chains if known.stream is not stream])
    chains = others if chain is None else (*others, chain)
    if chains != asset.feed.chains:
        transition.put_asset(replace(asset, feed=replace(asset.feed, chains=chains)))


def _use_singles(transition: Transition, brick: CloseBrick) -> None:
    """Let alerts of single sizes make the bricks. After bars each size is unsure until it goes on.

    What else is wrong with the whole feed stands until then: one brick proves nothing of the other sizes.
    """
    asset = transition.asset(brick.asset)
    before = asset.feed.source
    if before == "single":
        return
    transition.put_asset(replace(asset, feed=replace(asset.feed, source="single", symbol=None)))
    if before not in BASES:
        return
    transition.record(FeedSourceChanged(brick.asset, "single"))
    end_faults(transition, brick.asset, "other_source", _is_of_bars_delivery)
    find_faults(transition, brick.asset, "source", [chain.stream for chain in asset.feed.chains])


def _is_of_bars_delivery(fault: FeedFault) -> bool:
    return fault.stream is None and fault.kind in ("silent", "delayed")


def _end_with_sizes(transition: Transition, symbol: str) -> None:
    """End what was wrong with the whole feed once nothing is wrong with any size: each was heard since."""
    faults = transition.asset(symbol).feed.faults
    if faults and all(fault.stream is None for fault in faults):
        end_faults(transition, symbol, "other_source", lambda fault: fault.stream is None)


def _fill_hole(transition: Transition, brick: CloseBrick, known: Chain, close: int) -> None:
    """A brick that was overtaken by a later one of its bar has come: with the last of them the chain is whole."""
    filled = with_hole_filled(known, close)
    put_chain(transition, brick.asset, brick.stream, filled)
    if not filled.holes:
        _end(transition, brick, "continued")


def _is_of_its_bar(known: Chain, told: Chain) -> bool:
    return told.bar_at is not None and known.bar_at == told.bar_at and known.color == told.color


def _end(transition: Transition, brick: CloseBrick, how: str) -> None:
    def is_of_its_size(fault: FeedFault) -> bool:
        return fault.stream is brick.stream

    end_faults(transition, brick.asset, how, is_of_its_size)
