"""Apply a closed brick as one atomic step (SPEC 3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from msgspec.structs import replace

from services.engine.model.bricks import APPLIED_BRICKS_KEPT, BrickStream
from services.engine.model.commands import CloseBrick
from services.engine.model.events import (
    BrickApplied,
    InitialExitLockReleased,
    LateBrickIgnored,
    TempoArmed,
)
from services.engine.model.replies import BrickTaken, Reply
from services.engine.model.state import Asset, Desk
from services.engine.model.times import AHEAD_TOLERANCE
from services.engine.rules.brick_identity import digest_of, is_out_of_order, with_brick_counted
from services.engine.rules.environment import SIMULATED, is_of_no_market, marked
from services.engine.rules.exit_rules import Trigger
from services.engine.rules.feed_delivery import bases_are_heard
from services.engine.steps.exits import check_exits
from services.engine.steps.feed_singles import judge_single
from services.engine.steps.pending_entries import advance_intent, fire_preorder
from services.engine.steps.protections import count_signal
from services.engine.steps.scale_in import unlock_scale_in
from services.engine.transition import Transition
from wire.types import Instant, Stream

Judge = Callable[[Transition, CloseBrick], None]
EARLIER_COLORS_HOLD = timedelta(hours=96)


def close_brick(transition: Transition, command: CloseBrick) -> Reply:
    """Apply one closed brick of an alert of a single size, and say what it caused.

    While bars make the asset's bricks, or the desk itself, it would count twice: it is ignored.
    """
    if is_of_no_market(transition.desk, simulated=command.simulated):
        return BrickTaken(ignored=SIMULATED)
    if command.asset in transition.desk.rules.bricks_by_desk:
        return BrickTaken(ignored="built_by_desk")
    is_judged = transition.desk.generation > 3
    if is_judged and bases_are_heard(transition.asset(command.asset), transition.now):
        return BrickTaken(ignored="other_source")
    taken = apply_brick(transition, command, judge_single if is_judged else None)
    if taken.duplicate or taken.stale or command.stream is Stream.ONE:
        return taken
    effects = tuple(event.kind_name() for event in transition.events)
    return replace(taken, effects=effects, orders=tuple(transition.orders.values()))


def apply_brick(transition: Transition, command: CloseBrick, judge: Judge | None = None) -> BrickTaken:
    """Apply one closed brick: colour, then token, locks and exits, in the order of SPEC 3.

    ``judge`` is told of a brick that counts before it takes effect: an entry that it lets go passes the ladder.
    """
    asset = transition.asset(command.asset)
    before = asset.stream(command.stream)
    is_told_by_close = transition.desk.generation > 1
    digest = digest_of(command, by_close=is_told_by_close)
    if digest is not None and digest in before.applied:
        return BrickTaken(duplicate=True)
    bar_at = _believable(command.bar_at, transition.now)
    if _is_late(before, bar_at) or (is_told_by_close and is_out_of_order(before, command)):
        if command.stream is not Stream.ONE:
            transition.record(LateBrickIgnored(asset.symbol, command.stream, command.color))
        return BrickTaken(stale=True)
    if judge is not None:
        judge(transition, command)
        asset = transition.asset(command.asset)
    counted = with_brick_counted(before, command, digest, bar_at) if is_told_by_close else _counted(before, digest)
    after = replace(
        counted,
        color=command.color,
        at=transition.now,
        bar_id=command.bar_id,
        close=command.close,
        newest_bar_at=bar_at or before.newest_bar_at,
        stale_at=command.stale_at,
        simulated=command.simulated and transition.desk.generation > 3,
    )
    asset = transition.put_asset(_with_brick(transition.desk, asset, command, after))
    if command.stream is Stream.ONE:
        return BrickTaken()
    transition.record(BrickApplied(asset.symbol, command.stream, command.color, command.close))
    if command.color != "neutral":
        _take_effect(transition, command, before)
    return BrickTaken()


def adopt_brick(transition: Transition, last: CloseBrick, known: Sequence[CloseBrick], *, fires: bool) -> None:
    """Take over the brick at which a size stands behind a gap (SPEC 3).

    It sets the colour, and with ``fires`` it exits like any other brick: what protects never waits. It arms no tempo,
    moves no intent and no pre-order, unlocks no scale-in and releases no lock, because bricks before it may be missing.
    ``known`` are the message's own bricks of this size: sent again they are duplicates.
    """
    asset = transition.asset(last.asset)
    before = asset.stream(last.stream)
    counted = before
    for brick in known:
        counted = with_brick_counted(counted, brick, digest_of(brick, by_close=True), last.bar_at)
    times = [at for at in (before.newest_bar_at, _believable(last.bar_at, transition.now)) if at is not None]
    after = replace(
        counted,
        color=last.color,
        at=transition.now,
        bar_id=None,
        close=last.close,
        newest_bar_at=max(times, default=None),
        stale_at=last.stale_at,
        simulated=last.simulated,
    )
    transition.put_asset(_with_brick(transition.desk, asset, last, after))
    if last.stream is Stream.ONE:
        return
    transition.record(BrickApplied(asset.symbol, last.stream, last.color, last.close, adopted=True))
    if not fires:
        return
    if last.stream is Stream.HIGH:
        _note_fresh_brick(transition, asset.symbol, last.stream)
    if last.stream is Stream.MAIN:
        count_signal(transition, asset.symbol, last.color)
    check_exits(transition, asset.symbol, Trigger("brick", last.stream, last.color))


def age_earlier_colors(transition: Transition) -> None:
    """Let the colours age that an earlier program applied: nobody told when they grow too old (SPEC 3).

    Each holds for 96 h by the clock, which is a day of session over the longest weekend.
    """
    for asset in transition.desk.assets.values():
        bricks = {name: getattr(asset.stack, name) for name in asset.stack.__struct_fields__}
        aged = {
            name: replace(brick, stale_at=brick.at + EARLIER_COLORS_HOLD)
            for name, brick in bricks.items()
            if brick.at is not None and brick.stale_at is None
        }
        transition.put_asset(replace(asset, stack=replace(asset.stack, **aged)))


def _is_late(before: BrickStream, bar_at: Instant | None) -> bool:
    return bar_at is not None and before.newest_bar_at is not None and bar_at < before.newest_bar_at


def _counted(before: BrickStream, digest: str | None) -> BrickStream:
    """Remember a brick as generation 1 did: no brick is ever new again."""
    applied = (*before.applied, digest)[-APPLIED_BRICKS_KEPT:] if digest else before.applied
    return BrickStream(applied=applied)


def _believable(bar_at: Instant | None, now: Instant) -> Instant | None:
    """Return the bar time, None for one in the future: it would make every later brick count as late."""
    return bar_at if bar_at is not None and bar_at <= now + AHEAD_TOLERANCE else None


def _with_brick(desk: Desk, asset: Asset, command: CloseBrick, brick: BrickStream) -> Asset:
    live = marked(desk, asset.live, simulated=command.simulated)
    if command.stream is Stream.ONE:
        return replace(asset, live=replace(live, one=brick))
    stack = replace(asset.stack, **{command.stream.value: brick})
    return replace(asset, stack=stack, live=live)


def _take_effect(transition: Transition, command: CloseBrick, before: BrickStream) -> None:
    """Apply the brick's effects in the order of SPEC 3: token, locks, intent, scale-in, exits, pre-order."""
    symbol = command.asset
    stream = command.stream
    color = command.color
    asset = transition.asset(symbol)
    is_main = stream is Stream.MAIN
    flipped = before.color not in ("neutral", color)
    if is_main:
        _arm_tempo(transition, asset, "6pt brick")
    elif stream is Stream.FOUR and flipped and asset.tempo.flip_may_rearm and asset.trade is None:
        _arm_tempo(transition, asset, "4pt flip")
    _note_fresh_brick(transition, symbol, stream)
    if is_main:
        advance_intent(transition, symbol)
        count_signal(transition, symbol, color)
    unlock_scale_in(transition, symbol, stream, color, flipped=flipped)
    check_exits(transition, symbol, Trigger("brick", stream, color))
    if is_main:
        fire_preorder(transition, symbol, color)


def _arm_tempo(transition: Transition, asset: Asset, by: str) -> None:
    """Arm the tempo token (SPEC 5.7). Every 6pt brick renews its colour and age."""
    was_ready = asset.tempo.ready
    color = asset.stack.main.color
    tempo = replace(asset.tempo, ready=True, color=color, armed_at=transition.now)
    transition.put_asset(replace(asset, tempo=tempo))
    if not was_ready:
        transition.record(TempoArmed(asset.symbol, by))


def _note_fresh_brick(transition: Transition, symbol: str, stream: Stream) -> None:
    """Count the 6pt and 8pt bricks since entry. The first 6pt brick releases the initial exit lock (SPEC 5.3)."""
    asset = transition.asset(symbol)
    trade = asset.trade
    if trade is None or stream not in (Stream.MAIN, Stream.HIGH):
        return
    if stream is Stream.HIGH:
        transition.put_asset(replace(asset, trade=replace(trade, fresh_high_bricks=trade.fresh_high_bricks + 1)))
        return
    counted = replace(trade, initial_exit_locked=False, fresh_main_bricks=trade.fresh_main_bricks + 1)
    transition.put_asset(replace(asset, trade=counted))
    if trade.initial_exit_locked:
        transition.record(InitialExitLockReleased(symbol))
