"""Apply a bar of the base timeframe as one atomic step: its price, then its bricks, small sizes first (SPEC 3)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.bar_commands import CloseBar
from services.engine.model.commands import CloseBrick, NotePrice
from services.engine.model.events import LateBrickIgnored, ObservationsKept
from services.engine.model.feed import SmallBrick, ToldBrick, ToldLast
from services.engine.model.replies import BarTaken, BrickTaken, PriceNoted, Reply
from services.engine.model.state import Asset
from services.engine.rules.brick_identity import digest_of
from services.engine.rules.environment import SIMULATED, is_of_no_market
from services.engine.rules.feed_chains import Finding, SizeTold, chain_at, chain_of, finding_of, in_ticks
from services.engine.rules.feed_delivery import (
    BASES,
    Delivery,
    Place,
    as_of_receipt,
    has_rolled,
    is_of_other_contract,
    place_of,
    pulse_after,
    seconds_ahead,
)
from services.engine.steps.bricks import adopt_brick, apply_brick
from services.engine.steps.build_of_bars import build_of_bar, place_at_desk
from services.engine.steps.feed_faults import find_faults
from services.engine.steps.feed_judging import Heard, judge_feed
from services.engine.steps.feed_singles import put_chain
from services.engine.steps.prices import note_price
from services.engine.transition import Transition
from wire.tradingview import STREAMS
from wire.types import Stream


class Counts(Struct):
    """What became of the bricks of a message."""

    applied: int = 0
    duplicates: int = 0
    late: int = 0

    def add(self, taken: BrickTaken) -> None:
        self.duplicates += taken.duplicate
        self.late += taken.stale
        self.applied += not (taken.duplicate or taken.stale)


def close_bar(transition: Transition, bar: CloseBar) -> Reply:
    """Apply one message of TradingView's alert.

    The price comes first, so that bricks are decided by a fresh one. The whole message is judged before its bricks take
    effect, so that no entry passes on a feed that it shows to be gapped.
    """
    if is_of_no_market(transition.desk, simulated=bar.simulated):
        return BarTaken(PriceNoted(flagged=True, ignored=SIMULATED), ignored=SIMULATED)
    before = transition.asset(bar.asset)
    ahead = seconds_ahead(bar, transition.now)
    if ahead:
        bar = as_of_receipt(before, bar, transition.now)
    is_built_here = bar.asset in transition.desk.rules.bricks_by_desk
    place = (place_at_desk if is_built_here else place_of)(before, bar, transition.now)
    rolled = place == "next" and has_rolled(before, bar)
    noted = note_price(transition, price_in(bar, is_used=not rolled))
    if rolled:
        noted = replace(noted, flagged=True, ignored="feed_rolled")
    elif ahead:
        noted = replace(noted, flagged=True)
    if is_built_here:
        return build_of_bar(transition, bar, before, noted, place, Delivery(ahead, rolled=rolled))
    if place != "next":
        return _put_aside(transition, bar, place, noted)
    return _take_bar(transition, bar, before, noted, Delivery(ahead, rolled=rolled))


def _take_bar(transition: Transition, bar: CloseBar, before: Asset, noted: PriceNoted, delivery: Delivery) -> BarTaken:
    """Judge the newest message of the feed in use, then let its bricks take effect."""
    told = {row.stream: SizeTold(row.stream, bar) for row in STREAMS}  # small sizes first
    findings = {stream: _finding(before, bar, size) for stream, size in told.items()}
    rolled = delivery.rolled
    judge_feed(transition, bar, before, Heard(findings, told, delivery))
    fires = not rolled and not is_of_other_contract(before, bar)
    counts, adopted = _take_sizes(transition, bar, told, findings, fires=fires)
    _hear(transition, bar)
    _keep_feed(transition, before)
    return BarTaken(
        noted=noted,
        applied=counts.applied,
        duplicates=counts.duplicates,
        late=counts.late,
        differs=tuple([stream for stream, finding in findings.items() if finding == "gapped"]),
        adopted=adopted,
        effects=tuple([event.kind_name() for event in transition.events]),
        orders=tuple(transition.orders.values()),
    )


def _finding(before: Asset, bar: CloseBar, size: SizeTold) -> Finding:
    """Return what a message says of a size. A chain of another contract's bricks is none that it could continue."""
    found = finding_of(before, size, bool(bar.last))
    was_other = before.feed.fault("other_contract") is not None and not is_of_other_contract(before, bar)
    return "gapped" if was_other and found == "continued" else found


def price_in(bar: CloseBar, *, is_used: bool = True) -> NotePrice:
    """Return the heartbeat that a bar is: its close, at the time at which the alert fired."""
    return NotePrice(
        asset=bar.asset,
        price=bar.close if is_used else None,
        sent_at=bar.sent_at,
        simulated=bar.simulated,
        delivery=bar.delivery,
        continuous=bar.continuous,
    )


def brick_in(bar: CloseBar, brick: ToldBrick | ToldLast) -> CloseBrick:
    """Return one of the bar's bricks as the command that it is on its own. A last brick has no id."""
    return CloseBrick(
        asset=bar.asset,
        stream=brick.stream,
        color=brick.color,
        bar_id=brick.bar_id if isinstance(brick, ToldBrick) else None,
        bar_at=bar.started_at,
        close=brick.close,
        simulated=bar.simulated,
        stale_at=bar.stale_at,
    )


def _take_sizes(
    transition: Transition,
    bar: CloseBar,
    told: Mapping[Stream, SizeTold],
    findings: Mapping[Stream, Finding],
    *,
    fires: bool,
) -> tuple[Counts, tuple[Stream, ...]]:
    """Apply the bricks of each size, or take over its last one where the chain is broken. Return what was done.

    Without ``fires`` they only give their colours: they are of another contract, or the feed rolled.
    """
    counts, adopted = Counts(), list[Stream]()
    for stream, size in told.items():
        is_run = findings[stream] in ("continued", "first") and fires
        if is_run and size.bricks:
            for brick in size.bricks:
                counts.add(apply_brick(transition, brick_in(bar, brick)))
        elif size.newest is not None and (size.bricks or findings[stream] != "continued"):
            is_news = _adopt(transition, bar, size, size.newest, is_first=findings[stream] == "first", fires=fires)
            adopted += [stream] * is_news
        if size.newest is not None:
            _stand(transition, bar, size.newest)
    _show_small(transition, bar, told[Stream.ONE])
    return counts, tuple(adopted)


def _adopt(
    transition: Transition, bar: CloseBar, size: SizeTold, newest: ToldBrick | ToldLast, *, is_first: bool, fires: bool
) -> bool:
    """Take over the last brick of a size; return whether that was a change.

    A colour that was known before the chain was is no news, and a colour of a size that was never heard may be older
    than the trade: neither exits (SPEC 1).
    """
    color = transition.asset(bar.asset).stream(size.stream).color
    if is_first and color == newest.color:
        return False
    bricks = [brick_in(bar, brick) for brick in size.bricks]
    adopt_brick(transition, brick_in(bar, newest), bricks, fires=fires and color != "neutral")
    return True


def _stand(transition: Transition, bar: CloseBar, newest: ToldBrick | ToldLast) -> None:
    """Store where the chain of a size stands behind the message."""
    asset = transition.asset(bar.asset)
    chain, known = chain_at(asset.contract, newest, bar), chain_of(asset, newest.stream)
    if known is None or not known.stands_at(chain.color, chain.lo, chain.hi):
        put_chain(transition, bar.asset, newest.stream, chain)


def _show_small(transition: Transition, bar: CloseBar, size: SizeTold) -> None:
    """Keep the 1pt bricks of the message for the chart: the stream holds only the last of them."""
    if size.bricks:
        asset = transition.asset(bar.asset)
        ones = tuple([SmallBrick(brick.color, brick.close) for brick in size.bricks])
        transition.put_asset(replace(asset, live=replace(asset.live, feed=replace(asset.live.feed, ones=ones))))


def _hear(transition: Transition, bar: CloseBar) -> None:
    """Remember the newest bar: what the next one is judged by."""
    asset = transition.asset(bar.asset)
    pulse = pulse_after(asset, bar, transition.now)
    transition.put_asset(replace(asset, live=replace(asset.live, feed=pulse)))


def _keep_feed(transition: Transition, before: Asset) -> None:
    """Have a change of the stored feed committed, also when nothing else happened."""
    if transition.asset(before.symbol).feed != before.feed and not transition.events:
        transition.record(ObservationsKept())


# -- messages that are not the next one -----------------------------------------------------------------------------


def _put_aside(transition: Transition, bar: CloseBar, place: Place, noted: PriceNoted) -> BarTaken:
    """Take the price only. What comes late or twice changes no brick; what another feed tells makes none."""
    if place == "unrelated":
        _note_pulse(transition, bar)
        return BarTaken(noted)
    if place == "other_source":
        return BarTaken(noted, ignored="other_source")
    asset, counts = transition.asset(bar.asset), Counts()
    for told in bar.bricks:
        brick = brick_in(bar, told)
        is_known = digest_of(brick, by_close=True) in asset.stream(brick.stream).applied
        counts.add(BrickTaken(duplicate=is_known, stale=not is_known))
        if not is_known and brick.stream is not Stream.ONE:
            transition.record(LateBrickIgnored(bar.asset, brick.stream, brick.color))
    differs = _contradictions(asset, bar) if place == "repeated" else ()
    if differs:
        find_faults(transition, bar.asset, "source", facts={"contradicted": True})
    return BarTaken(
        noted,
        duplicates=counts.duplicates,
        late=counts.late,
        differs=differs,
        stale=place == "late",
        effects=tuple([event.kind_name() for event in transition.events]),
    )


def _contradictions(asset: Asset, bar: CloseBar) -> tuple[Stream, ...]:
    """Return the sizes of which a second message of the newest bar says something else than the first one."""
    differs = []
    for row in STREAMS:
        chain, newest = chain_of(asset, row.stream), SizeTold(row.stream, bar).newest
        if chain is None or newest is None:
            continue
        if not chain.stands_at(newest.color, in_ticks(asset.contract, newest.lo), in_ticks(asset.contract, newest.hi)):
            differs.append(row.stream)
    return tuple(differs)


def _note_pulse(transition: Transition, bar: CloseBar) -> None:
    """Remember when prices alone were heard, where no bars make the bricks."""
    asset = transition.asset(bar.asset)
    pulse = asset.live.feed
    if asset.feed.source in BASES or (pulse.newest_bar is not None and bar.started_at < pulse.newest_bar):
        return
    pulse = replace(pulse, newest_bar=bar.started_at, heard_at=transition.now)
    transition.put_asset(replace(asset, live=replace(asset.live, feed=pulse)))
