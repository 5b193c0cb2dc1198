"""Build bricks of the ticks of the traded contract: they outrank bars while they are heard (SPEC 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby

from msgspec.structs import replace

from services.engine.model.feed import FaultKind
from services.engine.model.state import Desk
from services.engine.model.ticks import HeardTicks, HearTicks
from services.engine.model.times import is_younger
from services.engine.rules.build_chains import Formed, built, chains_of
from services.engine.rules.ticks import GoodTick
from services.engine.steps.build_bricks import (
    PriceTold,
    change_source,
    close_formed,
    note_uncertain,
    show_small,
    stand_at,
)
from services.engine.steps.feed_faults import end_faults
from services.engine.transition import Transition
from wire.types import Instant

OF_DELIVERY: frozenset[FaultKind] = frozenset({"silent", "delayed", "other_contract"})
"""What was wrong with bars, or that nobody was heard: ticks of the contract that come just now end it."""

MAY_PAUSE = timedelta(seconds=60)
"""So long a market may say nothing. Longer only while the bridge says that it hears the market."""


def hole_before(
    desk: Desk, known: HeardTicks | None, command: HearTicks, now: Instant, *, is_lossy: bool
) -> FaultKind | None:
    """Return what may have hidden ticks since the newest that is known, None when nothing did."""
    if known is None or known.contract != command.contract:
        return None
    if known.hole is not None:
        return known.hole
    if command.gap or is_lossy or known.instance != command.instance:
        return "missed_bar"
    return "missed_bar" if _silence(known, command, now) > MAY_PAUSE and not _hears_the_market(desk, now) else None


def _silence(known: HeardTicks, command: HearTicks, now: Instant) -> timedelta:
    """Return how long the sender said nothing at a stretch while the market was open."""
    opened, closed = command.hours.opened_at, command.hours.closed_at
    if opened is None or known.newest >= opened:
        return now - known.newest
    return now - opened if closed is None else max(now - opened, closed - known.newest)


def _hears_the_market(desk: Desk, now: Instant) -> bool:
    live = desk.live
    return live.md_connected and is_younger(live.bridge_heartbeat_at, desk.rules.bridge_max_age_seconds, now)


def formed_of_ticks(
    transition: Transition, command: HearTicks, good: Sequence[GoodTick], hole: FaultKind | None
) -> Mapping[int, Sequence[Formed]]:
    """Feed believed ticks to the asset's chains; return the bricks behind the place of the tick that closed them."""
    symbol = command.asset
    cause: FaultKind | None = "source" if change_source(transition, symbol, "ticks", command.contract) else hole
    asset = transition.asset(symbol)
    prices = [round(tick.price / asset.contract.tick_size) for tick in good]
    chains = chains_of(asset)
    after = built(asset.contract, chains, prices, after_gap=cause is not None)
    stand_at(transition, symbol, after.chains)
    show_small(transition, symbol, after.formed)
    end_faults(transition, symbol, "heard", lambda fault: fault.kind in OF_DELIVERY)
    end_faults(transition, symbol, "other_source", lambda fault: fault.kind == "unsettled" and fault.stream is None)
    _hear(transition, command)
    note_uncertain(transition, symbol, cause if chains is not None else None)
    return {place: tuple(bricks) for place, bricks in groupby(after.formed, key=lambda brick: brick.place)}


def close_by_tick(transition: Transition, command: HearTicks, tick: GoodTick, formed: Sequence[Formed]) -> None:
    """Let the bricks that one tick closed take effect."""
    if not formed:
        return
    milliseconds = round(tick.at.timestamp() * 1000)
    name = f"{command.contract}|ticks|{{size}}|{milliseconds}.{tick.seq}.{formed[0].place}"
    close_formed(transition, PriceTold(command.asset, name, tick.at, command.simulated, command.stale_at), formed)


def _hear(transition: Transition, command: HearTicks) -> None:
    """Remember when the feed was heard. What is known of bars is of another feed."""
    asset = transition.asset(command.asset)
    heard = {"heard_at": transition.now, "silent_at": command.silent_at}
    pulse = replace(asset.live.feed, newest_bar=None, sent_at=None, close=None, own=None, **heard)
    transition.put_asset(replace(asset, live=replace(asset.live, feed=pulse)))
