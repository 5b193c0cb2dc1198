"""Build an asset's bricks from prices at the desk: where its chains stand, and what their bricks do (SPEC 3).

Whatever may have hidden a price (a gap, another source, a restart) unsettles the chains: the zone is none and the gate
``feed`` is closed until each size is certain again. Exits do not wait: a brick behind a gap is a true move of the
price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.bricks import Stack
from services.engine.model.commands import CloseBrick
from services.engine.model.events import ObservationsKept
from services.engine.model.feed import FaultKind, Feed, FeedPulse, FeedSource, SmallBrick
from services.engine.model.feed_events import FeedSourceChanged
from services.engine.model.state import Asset, AssetLive, Desk, Tempo
from services.engine.rules.build_chains import TO_SETTLE_AFTER_A_GAP, Chains, Formed, chains_of, unsettled
from services.engine.steps.bricks import adopt_brick, apply_brick
from services.engine.steps.feed_faults import end_faults, find_faults
from services.engine.transition import Transition
from wire.tradingview import JOURNALED, STREAM_POINTS
from wire.types import Instant, Stream

CAUSES: frozenset[FaultKind] = frozenset({"missed_bar", "source", "restart", "roll"})
"""What unsettles the desk's own chains; it is over when all of them are settled."""

STORED_SIZES = tuple([row.stream for row in JOURNALED])
NO_FACTS: Mapping[str, object] = MappingProxyType({})


class PriceTold(Struct, frozen=True):
    """What the bricks of one price have in common: ids that begin so, with ``{size}`` in them, and its time."""

    asset: str
    name: str
    at: Instant
    simulated: bool = False
    stale_at: Instant | None = None


def stand_at(transition: Transition, symbol: str, chains: Chains) -> None:
    """Put the chains on the desk: the 1pt chain beside the prices, because its bricks are not stored one by one."""
    asset = transition.asset(symbol)
    large = tuple([chain for chain in chains if chain.stream is not Stream.ONE])
    one = next((chain for chain in chains if chain.stream is Stream.ONE), None)
    feed = asset.feed if large == asset.feed.chains else replace(asset.feed, chains=large)
    live = replace(asset.live, feed=replace(asset.live.feed, one=one))
    transition.put_asset(replace(asset, feed=feed, live=live))


def show_small(transition: Transition, symbol: str, formed: Sequence[Formed]) -> None:
    """Keep the 1pt bricks of a message for the chart: the stream holds only the last of them."""
    asset = transition.asset(symbol)
    tick = asset.contract.tick_size
    ones = tuple([SmallBrick(brick.color, brick.close * tick) for brick in formed if brick.stream is Stream.ONE])
    if ones:
        live = replace(asset.live, feed=replace(asset.live.feed, ones=ones))
        transition.put_asset(replace(asset, live=live))


def close_formed(transition: Transition, told: PriceTold, formed: Sequence[Formed], *, fires: bool = True) -> None:
    """Let the bricks that one price closed take effect, each like one that TradingView had sent.

    Without ``fires`` they only give their colours: the price jumped to another contract.
    """
    tick = transition.asset(told.asset).contract.tick_size
    for brick in formed:
        newest = transition.asset(told.asset).stream(brick.stream).newest_bar_at
        command = CloseBrick(
            asset=told.asset,
            stream=brick.stream,
            color=brick.color,
            bar_id=f"{told.name.format(size=f'{STREAM_POINTS[brick.stream]:f}')}|{brick.k}",
            bar_at=told.at if newest is None else max(told.at, newest),
            close=brick.close * tick,
            simulated=told.simulated,
            stale_at=told.stale_at,
        )
        if fires:
            apply_brick(transition, command)
        else:
            adopt_brick(transition, command, (), fires=False)


# -- what is certain of the chains ------------------------------------------------------------------------------------


def change_source(transition: Transition, symbol: str, source: FeedSource, told_by: str) -> bool:
    """Let the bricks be built of these prices from here on; ``told_by`` names the chart or the contract.

    Returns whether they were built of others before.
    """
    asset = transition.asset(symbol)
    if (asset.feed.source, asset.feed.symbol) == (source, told_by):
        return False
    transition.put_asset(replace(asset, feed=replace(asset.feed, source=source, symbol=told_by)))
    transition.record(FeedSourceChanged(symbol, source, told_by))
    return chains_of(asset) is not None


def note_uncertain(
    transition: Transition, symbol: str, cause: FaultKind | None, facts: Mapping[str, object] = NO_FACTS
) -> None:
    """Note the sizes that are not certain, and the cause where there is one besides their beginning."""
    chains = chains_of(transition.asset(symbol)) or ()
    if cause is not None:
        find_faults(transition, symbol, cause, facts={**facts, "bricks": TO_SETTLE_AFTER_A_GAP})
    for bricks in sorted({chain.to_settle for chain in chains if chain.to_settle}):
        sizes = [chain.stream for chain in chains if chain.to_settle == bricks]
        find_faults(transition, symbol, "unsettled", sizes, {"bricks": bricks})


def lose_prices(transition: Transition, symbol: str, cause: FaultKind) -> None:
    """Note that prices may have been missed: each size is certain again with its third brick from here on."""
    chains = chains_of(transition.asset(symbol))
    if chains is not None:
        stand_at(transition, symbol, tuple([unsettled(chain) for chain in chains]))
        note_uncertain(transition, symbol, cause)


def end_settled(transition: Transition, symbol: str) -> None:
    """End what was unsure of the sizes that are certain now, and the cause when all of them are."""
    faults = transition.asset(symbol).feed.faults
    chains = chains_of(transition.asset(symbol)) if faults else None
    if chains is None:
        return
    certain = {chain.stream for chain in chains if not chain.to_settle}
    end_faults(transition, symbol, "settled", lambda fault: fault.kind == "unsettled" and fault.stream in certain)
    if len(certain) == len(chains):
        end_faults(transition, symbol, "settled", lambda fault: fault.kind in CAUSES)


# -- who builds -------------------------------------------------------------------------------------------------------


def begin_with_builders(transition: Transition, before: Desk) -> None:
    """Let the chains of the assets begin anew whose bricks are built by another one than before (``BRICKS``).

    The colours stay: what protects a trade goes on with them. No entry counts on them until the chains are certain.
    """
    by_desk, earlier = (set(desk.rules.bricks_by_desk) for desk in (transition.desk, before))
    for symbol in sorted(by_desk | earlier):
        asset = transition.desk.assets.get(symbol)
        if asset is None or not (asset.feed.source or _has_colors(asset)):
            continue
        if symbol in by_desk ^ earlier or (symbol in by_desk and chains_of(asset) is None):
            transition.put_asset(replace(asset, feed=Feed(), live=replace(asset.live, feed=FeedPulse())))
            find_faults(transition, symbol, "source", (None,) if symbol in by_desk else STORED_SIZES)


def _has_colors(asset: Asset) -> bool:
    return any(asset.stream(stream).color != "neutral" for stream in Stream)


def hear_no_ticks(transition: Transition, symbol: str, hole: FaultKind) -> None:
    """Note that ticks may be missing behind the newest, whether or not another one comes."""
    asset = transition.asset(symbol)
    if asset.live.ticks is None or asset.feed.source != "ticks":
        return
    ticks = replace(asset.live.ticks, hole=hole, skipped=())
    transition.put_asset(replace(asset, live=replace(asset.live, ticks=ticks)))
    lose_prices(transition, symbol, hole)
    if transition.asset(symbol).feed != asset.feed and not transition.events:
        transition.record(ObservationsKept())


def forget_simulated(transition: Transition) -> None:
    """Let nothing of a simulated market count in LIVE (SPEC 3): its prices and bricks are none of the real one.

    A real price that came after them makes none of its bricks real. Earlier generations let them count.
    """
    if transition.desk.generation < 4:
        return
    for symbol, asset in list(transition.desk.assets.items()):
        ticks = asset.live.ticks
        has_ticks = ticks is not None and ticks.simulated
        if not (has_ticks or asset.live.is_simulated or any(asset.stream(stream).simulated for stream in Stream)):
            continue
        live = AssetLive(ticks=None if has_ticks else ticks, contract=asset.live.contract)
        transition.put_asset(replace(asset, feed=Feed(), stack=Stack(), tempo=Tempo(), live=live))
        find_faults(transition, symbol, "source", (None, *STORED_SIZES))
