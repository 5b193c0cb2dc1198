"""Build bricks of the closes of TradingView's bars: what the message says of bricks is only compared (SPEC 3)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.bar_commands import CloseBar
from services.engine.model.events import ObservationsKept
from services.engine.model.feed import BarsHeard, Chain, FaultKind
from services.engine.model.price_readings import PriceWatch
from services.engine.model.replies import BarTaken, PriceNoted
from services.engine.model.state import Asset
from services.engine.rules.build_chains import Chains, built, chains_of
from services.engine.rules.feed_chains import in_ticks
from services.engine.rules.feed_delivery import (
    Delivery,
    Place,
    bars_missed,
    bases_are_heard,
    is_in_use,
    is_of_other_contract,
    pulse_after,
)
from services.engine.rules.prices import JUDGED_BY_LAST_FOR, is_confirmed_by, judged, judged_by
from services.engine.rules.roll_week import is_rolling
from services.engine.rules.ticks import ticks_build_bricks
from services.engine.steps.build_bricks import (
    NO_FACTS,
    PriceTold,
    change_source,
    close_formed,
    end_settled,
    lose_prices,
    note_uncertain,
    show_small,
    stand_at,
)
from services.engine.steps.feed_faults import end_faults, find_faults
from services.engine.steps.feed_judging import judge_delivery
from services.engine.transition import Transition
from wire.types import Instant, Price, Stream

BY_DESK = "built_by_desk"


class Compared(Struct, frozen=True):
    """The chains behind a bar, compared with the last bricks that its message told.

    A size that stands where the message says is certain: the message's chain missed nothing. ``differs`` are the others
    that it tells.
    """

    chains: Chains
    differs: tuple[Stream, ...] = ()

    @property
    def is_certain(self) -> bool:
        """Whether every size is."""
        return bool(self.chains) and not any(chain.to_settle for chain in self.chains)


class Doubt(Struct, frozen=True):
    """What may have hidden prices before a bar, None when nothing did."""

    cause: FaultKind | None = None
    facts: Mapping[str, object] = NO_FACTS


def build_of_bar(
    transition: Transition, bar: CloseBar, before: Asset, noted: PriceNoted, place: Place, delivery: Delivery
) -> BarTaken:
    """Build the bricks that a bar's close forms; ``before`` is the asset before its price was noted.

    Each bar is committed.
    """
    asset = transition.asset(bar.asset)
    taken = BarTaken(noted, stale=place == "late", ignored=BY_DESK if bar.bricks else None)
    if place == "repeated" and asset.live.feed.close not in (None, bar.close):
        lose_prices(transition, bar.asset, "source")  # nobody knows which of the two closes is the true one
    elif place != "next":
        return taken
    else:
        judge_delivery(transition, bar, asset, delivery)
        if not is_of_other_contract(asset, bar):
            at = min(bar.sent_at, transition.now)
            is_suspect = not delivery.rolled and judged(before, bar.close, at).verdict != "good"
            taken = _build(transition, bar, taken, is_suspect=is_suspect, rolled=delivery.rolled)
    if not transition.events:
        transition.record(ObservationsKept())
    effects = tuple([event.kind_name() for event in transition.events])
    return replace(taken, effects=effects, orders=tuple(transition.orders.values()))


def _build(transition: Transition, bar: CloseBar, taken: BarTaken, *, is_suspect: bool, rolled: bool) -> BarTaken:
    asset = transition.asset(bar.asset)
    before = chains_of(asset)
    doubt = _doubt_of(transition, bar, asset, rolled=rolled)
    closes, watch = closes_to_feed(asset, bar, transition.now, is_suspect=is_suspect)
    rolled = rolled or (doubt.cause == "roll" and len(closes) > 1)  # its first close was suspect
    is_gap = doubt.cause is not None and before is not None
    after = built(asset.contract, before, closes, after_gap=is_gap)
    compared = compared_with(asset, after.chains, bar) if closes and not rolled else Compared(after.chains)
    stand_at(transition, bar.asset, compared.chains)
    _hear(transition, bar, BarsHeard(watch, None if closes else doubt.cause))
    if not (is_gap and compared.is_certain):
        note_uncertain(transition, bar.asset, doubt.cause if is_gap else None, doubt.facts)
    _judge_close(transition, bar, is_believed=bool(closes))
    show_small(transition, bar.asset, after.formed)
    told = PriceTold(bar.asset, _name(bar), bar.started_at, bar.simulated, bar.stale_at)
    close_formed(transition, told, after.formed, fires=not rolled)
    end_settled(transition, bar.asset)
    return replace(taken, applied=len(after.formed), differs=compared.differs)


def _judge_close(transition: Transition, bar: CloseBar, *, is_believed: bool) -> None:
    """Let no entry pass while a close waits for the next one to confirm it: the colours may be over."""
    if is_believed:
        end_faults(transition, bar.asset, "confirmed", lambda fault: fault.kind == "unsettled" and fault.stream is None)
    else:
        find_faults(transition, bar.asset, "unsettled", facts={"suspect_price": bar.close})


def place_at_desk(asset: Asset, bar: CloseBar, now: Instant) -> Place:
    """Return where a bar belongs: one base timeframe of one chart at a time makes bricks, and none beside ticks."""
    if ticks_build_bricks(asset, now):
        return "other_source"
    newest = asset.live.feed.newest_bar
    if not is_in_use(asset, bar):
        return "other_source" if bases_are_heard(asset, now) and not _is_wrong(asset, bar) else "next"
    if newest is not None and bar.started_at <= newest:
        return "repeated" if bar.started_at == newest else "late"
    return "next"


def _is_wrong(asset: Asset, bar: CloseBar) -> bool:
    """Return whether the chart in use is of another contract, and this one is not."""
    return asset.feed.fault("other_contract") is not None and not is_of_other_contract(asset, bar)


def closes_to_feed(asset: Asset, bar: CloseBar, now: Instant, *, is_suspect: bool) -> tuple[list[int], PriceWatch]:
    """Return the closes that count, in ticks, and what is remembered of closes: a far one waits for the next (SPEC 3).

    Closes are judged among themselves: in a roll week the chart's contract is not the traded one. Else one that no
    close of the last 10 minutes judges is not believed where it ``is_suspect`` as a price of the contract. A
    time ahead of the clock makes no close an old one's.
    """
    known, at = asset.live.bars.watch, min(bar.sent_at, now)
    judgement = judged_by(known, asset, bar.close, at)
    if not judgement.is_good:
        return [], judgement.watch
    closes: list[Price] = [bar.close]
    if known.suspect is not None and is_confirmed_by(known.suspect, known.price, bar.close):
        closes = [known.suspect, bar.close]
    elif is_suspect and not is_rolling(asset, bar.continuous) and not _is_fresh(known, at):
        return [], replace(known, suspect=bar.close, suspect_at=at)
    return [in_ticks(asset.contract, close) for close in closes], judgement.watch


def _is_fresh(known: PriceWatch, at: Instant) -> bool:
    return known.at is not None and at <= known.at + JUDGED_BY_LAST_FOR


def compared_with(asset: Asset, chains: Chains, bar: CloseBar) -> Compared:
    """Compare the desk's chains with the last bricks of the message, where both count in the same unit."""
    told = {last.stream: last for last in bar.last}
    differs: list[Stream] = []
    standing: list[Chain] = []
    for chain in chains:
        last = told.get(chain.stream)
        if last is None or chain.color == "neutral":
            standing.append(chain)
            continue
        ends = in_ticks(asset.contract, last.lo), in_ticks(asset.contract, last.hi)
        is_same = chain.stands_at(last.color, *ends)
        standing.append(replace(chain, to_settle=0) if is_same else chain)
        differs += [] if is_same else [chain.stream]
    return Compared(tuple(standing), tuple(differs))


def _doubt_of(transition: Transition, bar: CloseBar, before: Asset, *, rolled: bool) -> Doubt:
    if change_source(transition, bar.asset, bar.base, bar.symbol):
        return Doubt("source")
    if rolled:
        return Doubt("roll")
    missed, hole = bars_missed(before.live.feed, bar), before.live.bars.hole
    return Doubt("missed_bar", {"missed": missed}) if missed and hole != "roll" else Doubt(hole)


def _name(bar: CloseBar) -> str:
    """Return the beginning of the ids of its bricks: those that the script gives them, so that both are one brick."""
    return f"{bar.symbol}|{bar.base}|{{size}}|{round(bar.started_at.timestamp() * 1000)}"


def _hear(transition: Transition, bar: CloseBar, bars: BarsHeard) -> None:
    """Remember the newest bar: what the next one is judged by."""
    asset = transition.asset(bar.asset)
    pulse = pulse_after(asset, bar, transition.now)
    transition.put_asset(replace(asset, live=replace(asset.live, feed=pulse, bars=bars)))
