"""Which ticks of a bridge count, and for how long they outrank TradingView's prices (SPEC 3). Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.price_readings import PriceWatch
from services.engine.model.state import Asset, Desk
from services.engine.model.ticks import HeardTicks, HearTicks, ToldTick
from services.engine.model.times import is_younger
from services.engine.rules.prices import is_confirmed_by, judged_by, watch_of
from services.engine.rules.roll_week import watched
from wire.types import Instant, Price

OUTRANKS_FOR = timedelta(seconds=10)
BARS_WAIT = timedelta(seconds=60)
OLDEST = timedelta(seconds=60)
AHEAD = timedelta(seconds=5)  # a bridge's clock may be so far ahead: such a tick counts as of now
SENDER_KEEPS = timedelta(seconds=5)
SKIPPED_KEPT = 16

WhyNot = Literal["simulated", "other_contract", "other_sender"]
"""Why ticks do not count.

``simulated``: they are of a simulated market, and the desk trades LIVE or hears a real one. ``other_contract``: of one
whose price does not count. ``other_sender``: another one tells ticks of this contract.
"""


class GoodTick(Struct, frozen=True):
    """A tick that counts. ``at`` is never later than its receipt."""

    at: Instant
    price: Price
    seq: int


def reason_against(desk: Desk, asset: Asset, command: HearTicks, now: Instant) -> WhyNot | None:
    """Return why ticks do not count, None when they do."""
    if command.contract != watched(asset).symbol:
        return "other_contract"
    if command.simulated and (desk.env == "LIVE" or _hears_a_real_market(desk, asset, now)):
        return "simulated"
    known = asset.live.ticks
    if known is None or known.contract != command.contract or known.instance == command.instance:
        return None
    return "other_sender" if now < known.heard_at + SENDER_KEEPS else None


def _hears_a_real_market(desk: Desk, asset: Asset, now: Instant) -> bool:
    """Return whether TradingView or a bridge has told prices of a market that is not simulated just now."""
    live, max_age = asset.live, desk.rules.heartbeat_max_age_seconds
    if live.last_heartbeat_at is not None and not live.simulated:
        return is_younger(live.last_heartbeat_at, max_age, now)
    return live.ticks is not None and not live.ticks.simulated and is_younger(live.ticks.at, max_age, now)


def outranks(desk: Desk, asset: Asset, now: Instant) -> bool:
    """Return whether a tick of the contract whose price counts is new enough to outrank TradingView (SPEC 3)."""
    ticks = asset.live.ticks
    if ticks is None or ticks.at is None or ticks.contract != watched(asset).symbol:
        return False
    return not (ticks.simulated and desk.env == "LIVE") and now <= ticks.at + OUTRANKS_FOR


def price_heard_at(desk: Desk, asset: Asset) -> Instant | None:
    """Return when the asset was last heard: by TradingView; where the desk builds its bricks, by any price (SPEC 4)."""
    heard_at, ticks = asset.live.last_heartbeat_at, asset.live.ticks
    if asset.symbol not in desk.rules.bricks_by_desk or ticks is None or ticks.at is None:
        return heard_at
    return ticks.at if heard_at is None else max(heard_at, ticks.at)


def ticks_build_bricks(asset: Asset, now: Instant) -> bool:
    """Return whether the asset's bricks are built of ticks that were heard just now: then bars make none."""
    ticks = asset.live.ticks
    return asset.feed.source == "ticks" and ticks is not None and ticks.at is not None and now < ticks.at + BARS_WAIT


def is_told_by_tick(asset: Asset) -> bool:
    """Return whether the last price is that of a tick."""
    live = asset.live
    if live.ticks is None or live.ticks.at is None or live.price_at is None:
        return False
    return live.ticks.price == live.last_price and live.price_at <= live.ticks.at + OUTRANKS_FOR


class Told(Struct, frozen=True):
    """What a message of ticks told: what is known of their sender after it, and the ticks that were not heard before.

    ``is_lossy``: it shows that ticks of the sender were lost, or came too late to be taken in their order.
    """

    sender: HeardTicks | None
    fresh: list[GoodTick]
    is_lossy: bool = False


def heard_after(asset: Asset, command: HearTicks, now: Instant) -> Told:
    """Return what a message told.

    A tick is heard once. A counter that begins anew with later ticks is that of a sender that was started anew. One
    that is too old or from the future is none, and so is one that a later one has overtaken: its price is lost.
    """
    known = asset.live.ticks
    if known is not None and known.contract != command.contract:
        known = None
    fresh: list[GoodTick] = []
    is_lossy = False
    for tick in command.ticks:
        if _is_repeated(known, command.instance, tick):
            is_lossy = is_lossy or _was_skipped(known, command.instance, tick)
            continue
        if not now - OLDEST <= tick.at <= now + AHEAD:
            is_lossy = is_lossy or known is None or tick.at > known.newest
            continue
        at = min(tick.at, now)
        fresh.append(GoodTick(at, tick.price, tick.seq))
        known = _sender_after(known, command, tick.seq, at, now)
    is_lossy = is_lossy or (command.gap and not fresh)
    if known is not None and is_lossy:
        known = replace(known, skipped=())  # what they tell from here on was lost before the loss that is noted now
    return Told(known, fresh, is_lossy)


def _sender_after(known: HeardTicks | None, command: HearTicks, seq: int, at: Instant, now: Instant) -> HeardTicks:
    if known is None:
        return HeardTicks(command.contract, command.instance, seq, at, now, simulated=command.simulated)
    skipped = known.skipped
    if known.instance != command.instance or seq <= known.seq:
        skipped = ()
    elif seq > known.seq + 1:
        skipped = (*skipped, (known.seq + 1, seq - 1))[-SKIPPED_KEPT:]
    told = {"seq": seq, "newest": max(known.newest, at), "heard_at": now, "simulated": command.simulated}
    return replace(known, instance=command.instance, skipped=skipped, **told)


def _was_skipped(known: HeardTicks | None, instance: str | None, tick: ToldTick) -> bool:
    """Return whether a tick that counts as repeated was never heard: a later one has overtaken it."""
    if known is None or known.instance != instance:
        return False
    return any(first <= tick.seq <= last for first, last in known.skipped)


def _is_repeated(known: HeardTicks | None, instance: str | None, tick: ToldTick) -> bool:
    if known is None:
        return False
    if known.instance != instance:  # what a new sender tells of the time before may have been told by the one before it
        return tick.at < known.newest
    return tick.seq <= known.seq and tick.at <= known.newest


class Believed(Struct, frozen=True):
    """The good ticks, what is remembered of prices after them, and the suspect one that waits for a later one."""

    good: list[GoodTick]
    watch: PriceWatch
    doubted: GoodTick | None = None


def believed(asset: Asset, ticks: Iterable[GoodTick]) -> Believed:
    """Judge each tick by those before it, like any price (SPEC 3).

    A suspect one counts once the next one with a later time confirms it: one of the same time is no second reading. A
    price that is no whole number of ticks is no price of the contract.
    """
    good: list[GoodTick] = []
    watch = watch_of(asset)
    tick_size = watched(asset).tick_size
    doubted = _doubted(asset.live.ticks)
    for tick in ticks:
        if tick.price % tick_size:
            continue
        judgement = judged_by(watch, asset, tick.price, tick.at)
        is_later = doubted is None or tick.at > doubted.at
        if judgement.is_good:
            if doubted is not None and is_later and is_confirmed_by(doubted.price, watch.price, tick.price):
                good.append(GoodTick(tick.at, doubted.price, tick.seq))
            good.append(tick)
        if is_later:
            doubted = tick if judgement.verdict == "suspect" else None
        watch = judgement.watch
    return Believed(good, watch, doubted)


def _doubted(known: HeardTicks | None) -> GoodTick | None:
    if known is None or known.doubted is None:
        return None
    return GoodTick(known.doubted_at or known.newest, known.doubted, known.seq)


def places_of_news(asset: Asset, good: Sequence[GoodTick], now: Instant) -> list[int]:
    """Return the places of the ticks that are the price now: they decide what prices decide.

    One that is older than 10 s, than a price that came another way, or than the trade says what was: it builds bricks
    only. Ticks of one sender follow each other by its numbers, whatever their times say.
    """
    known, trade = asset.live.price_at, asset.trade
    if is_told_by_tick(asset) or (known is not None and known > now):
        known = None  # TradingView's clock may be ahead: that makes no tick old
    return [
        place
        for place, tick in enumerate(good)
        if now <= tick.at + OUTRANKS_FOR
        and (known is None or tick.at >= known)
        and (trade is None or tick.at >= trade.opened_at)
    ]


def turning_points(good: Sequence[GoodTick], places: Sequence[int]) -> set[int]:
    """Return the places of the lowest, the highest and the last price: no rule of prices sees more in the others."""
    if not places:
        return set()
    lowest = min(places, key=lambda place: good[place].price)
    highest = max(places, key=lambda place: good[place].price)
    return {lowest, highest, places[-1]}
