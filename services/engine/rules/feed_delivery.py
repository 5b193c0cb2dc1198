"""How a message was delivered: in order, from the feed in use, in time, of the traded contract (SPEC 3). Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.bar_commands import CloseBar
from services.engine.model.feed import BASE_LENGTH, FeedPulse
from services.engine.model.state import Asset, Desk
from services.engine.model.times import AHEAD_TOLERANCE
from services.engine.rules.roll_week import delivery_of, watched
from wire.types import Instant

SOURCE_HOLDS = timedelta(seconds=150)  # a feed in use gives way to another one when it was silent for so long
LATE_AFTER = timedelta(seconds=60)
SAMPLE_AGE = timedelta(hours=24)  # SPEC 3: in DEMO an older time is a sample, not a delay
JUMP_OF_A_ROLL = Decimal(12)  # units
OWN_STOOD_STILL = Decimal(6)  # units
BASES = frozenset(BASE_LENGTH)

Place = Literal["next", "repeated", "late", "other_source", "unrelated"]
"""Where a message belongs.

``next``: it is the newest of the feed in use, or begins a new feed. ``repeated``: its bar was heard. ``late``: a newer
one was. ``other_source``: another feed is in use. ``unrelated``: it tells no bricks, and no bars make them.
"""


class Delivery(Struct, frozen=True):
    """What cannot be true of a message: ``ahead`` are the seconds by which it is before its time, 0 for none.

    ``rolled``: its feed jumped to the next contract.
    """

    ahead: int = 0
    rolled: bool = False


def place_of(asset: Asset, bar: CloseBar, now: Instant) -> Place:
    """Return where a message belongs. A feed of the traded contract takes over from one of another at once."""
    feed, pulse = asset.feed, asset.live.feed
    if not (bar.bricks or bar.last or is_in_use(asset, bar)):
        return "unrelated"
    if not is_in_use(asset, bar):
        return "next" if _may_take_over(asset, bar, now) else "other_source"
    if feed.source in BASES and pulse.newest_bar is not None and bar.started_at <= pulse.newest_bar:
        return "repeated" if bar.started_at == pulse.newest_bar else "late"
    return "next"


def is_in_use(asset: Asset, bar: CloseBar) -> bool:
    """Return whether the message comes from the feed that makes the asset's bricks."""
    return (asset.feed.source, asset.feed.symbol) == (bar.base, bar.symbol)


def _may_take_over(asset: Asset, bar: CloseBar, now: Instant) -> bool:
    if asset.feed.source not in BASES or not bases_are_heard(asset, now):
        return True
    return asset.feed.fault("other_contract") is not None and not is_of_other_contract(asset, bar)


def bases_are_heard(asset: Asset, now: Instant) -> bool:
    """Return whether bars make the asset's bricks and were heard not long ago."""
    heard_at = asset.live.feed.heard_at
    return asset.feed.source in BASES and heard_at is not None and now < heard_at + SOURCE_HOLDS


def is_of_other_contract(asset: Asset, bar: CloseBar) -> bool:
    return bar.delivery not in (None, delivery_of(watched(asset).symbol))


def pulse_after(asset: Asset, bar: CloseBar, now: Instant) -> FeedPulse:
    """Return what is remembered of the newest bar: what the next one is judged by."""
    own = asset.live.own
    return replace(
        asset.live.feed,
        newest_bar=bar.started_at,
        sent_at=bar.sent_at,
        heard_at=now,
        silent_at=bar.silent_at,
        close=bar.close,
        own=own.price if own is not None and own.contract == watched(asset).symbol else None,
        beyond=(),
    )


def bars_missed(pulse: FeedPulse, bar: CloseBar) -> int:
    """Return how many bars are absent between the newest one and this one while the market was open."""
    length = timedelta(seconds=BASE_LENGTH[bar.base])
    if pulse.newest_bar is None:
        return 0
    awaited, opened, closed = pulse.newest_bar + length, bar.hours.opened_at, bar.hours.closed_at
    if opened is None or awaited >= opened:
        return max(0, (bar.started_at - awaited) // length)
    before = 0 if closed is None else max(0, (closed - awaited) // length)
    return before + max(0, (bar.started_at - opened) // length)


def seconds_late(desk: Desk, pulse: FeedPulse, bar: CloseBar, now: Instant) -> int:
    """Return by how many seconds the feed is delayed, 0 when it is not.

    Without a trade a bar closes late: its message comes with the first trade of the next bar. So a bar is delayed only
    when it ended before the message before it was sent, or when its own message was long under way.
    """
    if desk.env == "DEMO" and bar.sent_at < now - SAMPLE_AGE:
        return 0
    ended_at = bar.started_at + timedelta(seconds=BASE_LENGTH[bar.base])
    is_old = pulse.sent_at is not None and ended_at < pulse.sent_at - LATE_AFTER / 2
    behind = bar.sent_at - ended_at if is_old else timedelta(0)
    behind = max(behind, now - bar.sent_at)
    return int(behind.total_seconds()) if behind > LATE_AFTER else 0


def seconds_ahead(bar: CloseBar, now: Instant) -> int:
    """Return by how many seconds a bar would end, or was sent, after its receipt; 0 for one that may be true."""
    ended_at = bar.started_at + timedelta(seconds=BASE_LENGTH[bar.base])
    ahead = max(ended_at, bar.sent_at) - now
    return int(ahead.total_seconds()) if ahead > AHEAD_TOLERANCE else 0


def as_of_receipt(asset: Asset, bar: CloseBar, now: Instant) -> CloseBar:
    """Return a bar that is before its time as the one that has just ended: what comes later is newer than it.

    So its bricks exit like those of any other bar, also while the desk's own clock is slow.
    """
    length = timedelta(seconds=BASE_LENGTH[bar.base])
    ended = int(now.timestamp() // length.total_seconds())
    started_at = datetime.fromtimestamp((ended - 1) * length.total_seconds(), UTC)
    newest = asset.live.feed.newest_bar
    if newest is not None and is_in_use(asset, bar) and started_at <= newest <= now + AHEAD_TOLERANCE - length:
        started_at = newest + length
    return replace(bar, started_at=started_at, sent_at=min(bar.sent_at, now))


def has_rolled(asset: Asset, bar: CloseBar) -> bool:
    """Return whether the feed jumped to the next contract: 12 units over a break, and the contract's own price did not.

    Without the contract's own price on both sides of the break a jump counts as a move of the market (SPEC 3).
    """
    pulse, own, opened = asset.live.feed, asset.live.own, bar.hours.opened_at
    if pulse.newest_bar is None or pulse.close is None or opened is None or pulse.newest_bar >= opened:
        return False
    if abs(bar.ohlc[0] - pulse.close) < JUMP_OF_A_ROLL * asset.contract.point:
        return False
    if pulse.own is None or own is None or own.contract != watched(asset).symbol or own.at < opened:
        return False
    return abs(own.price - pulse.own) <= OWN_STOOD_STILL * asset.contract.point
