"""Judge a feed by the newest message of its bars: what is wrong, what has recovered (SPEC 3, 4 row 16)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.bar_commands import CloseBar
from services.engine.model.feed import FaultKind, FeedFault
from services.engine.model.feed_events import FeedSourceChanged
from services.engine.model.state import Asset
from services.engine.rules.feed_chains import Finding, SizeTold, chain_of, told_unit
from services.engine.rules.feed_delivery import Delivery, bars_missed, is_in_use, is_of_other_contract, seconds_late
from services.engine.rules.roll_week import watched
from services.engine.steps.feed_faults import end_faults, find_faults
from services.engine.transition import Transition
from wire.types import Stream


class Heard(Struct, frozen=True):
    """What a message says of each size, compared with the chains that were known."""

    findings: Mapping[Stream, Finding]
    told: Mapping[Stream, SizeTold]
    delivery: Delivery

    def of(self, finding: Finding) -> list[Stream]:
        return [stream for stream, found in self.findings.items() if found == finding]


def judge_feed(transition: Transition, bar: CloseBar, before: Asset, heard: Heard) -> None:
    """Note what the message shows to be wrong, and end what it shows to be over. ``before`` is the asset before it."""
    is_new = not is_in_use(before, bar)
    _judge_unit(transition, bar, before)
    if is_new:
        _change_source(transition, bar, before)
    missed = 0 if is_new else bars_missed(before.live.feed, bar)
    _judge_sizes(transition, bar, before, heard, missed=missed, is_new=is_new)
    rolled = heard.delivery.rolled
    judge_delivery(transition, bar, before, heard.delivery)
    if rolled:
        find_faults(transition, bar.asset, "roll")
    unsure = rolled or is_new or bool(heard.of("gapped")) or (missed > 0 and not bar.last)
    if not unsure and not _unsettled(heard):
        end_faults(transition, bar.asset, "continued", lambda fault: _ends_with_all(fault, bar, before))
    if not rolled:
        continued = set(heard.of("continued"))
        end_faults(transition, bar.asset, "continued", lambda fault: fault.stream in continued)


def _change_source(transition: Transition, bar: CloseBar, before: Asset) -> None:
    """Let the bricks come from this feed. After another one it is unsure until its next message agrees."""
    asset = transition.asset(bar.asset)
    transition.put_asset(replace(asset, feed=replace(asset.feed, source=bar.base, symbol=bar.symbol)))
    transition.record(FeedSourceChanged(bar.asset, bar.base, bar.symbol))
    if before.feed.source is not None:
        find_faults(transition, bar.asset, "source")


def _judge_sizes(
    transition: Transition, bar: CloseBar, before: Asset, heard: Heard, *, missed: int, is_new: bool
) -> None:
    """Note the sizes that do not go on where they stood.

    Where messages tell the last bricks, an absent bar is no gap when the chains go on: without a trade there is none.
    """
    kind: FaultKind = "missed_bar" if missed else "broken_chain"
    find_faults(transition, bar.asset, kind, heard.of("gapped"), {"told": True, "missed": missed or None})
    if missed and not bar.last:
        unsure = [stream for stream in heard.of("untold") if chain_of(before, stream) is not None]
        find_faults(transition, bar.asset, "missed_bar", unsure, {"missed": missed})
    first = heard.of("first") if is_new else _unsettled(heard)
    find_faults(transition, bar.asset, "unsettled", first)


def _unsettled(heard: Heard) -> list[Stream]:
    """Return the sizes that a message places for the first time; one whose first brick it brings is certain."""
    return [stream for stream in heard.of("first") if not heard.told[stream].bricks]


def judge_delivery(transition: Transition, bar: CloseBar, before: Asset, delivery: Delivery) -> None:
    """Judge whether a message came in time, and from the traded contract."""
    symbol, pulse = bar.asset, before.live.feed
    end_faults(transition, symbol, "heard", lambda fault: fault.kind == "silent" and fault.stream is None)
    late = seconds_late(transition.desk, pulse, bar, transition.now)
    if delivery.ahead:
        find_faults(transition, symbol, "delayed", facts={"ahead_seconds": delivery.ahead})
    elif late:
        find_faults(transition, symbol, "delayed", facts={"behind_seconds": late})
    else:
        end_faults(transition, symbol, "on_time", lambda fault: fault.kind == "delayed")
    if is_of_other_contract(before, bar):
        facts = {"symbol": bar.symbol, "contract": watched(before).symbol}
        find_faults(transition, symbol, "other_contract", facts=facts)
    else:
        end_faults(transition, symbol, "own_contract", lambda fault: fault.kind == "other_contract")


def _judge_unit(transition: Transition, bar: CloseBar, before: Asset) -> None:
    """Note bricks of another unit first: of two reasons that close the gate this one names what to do."""
    symbol, unit = bar.asset, told_unit(bar)
    if unit is not None and unit != before.contract.point:
        find_faults(transition, symbol, "source", facts={"told_unit": unit, "unit": before.contract.point})


def _ends_with_all(fault: FeedFault, bar: CloseBar, before: Asset) -> bool:
    """Return whether a message that continues every chain ends this fault of the whole feed.

    Another source is believed once it has told bricks of the desk's own unit; one without bricks says nothing of that.
    """
    if fault.stream is not None or fault.kind not in ("restart", "source", "roll", "unsettled"):
        return False
    return fault.kind != "source" or told_unit(bar) == before.contract.point
