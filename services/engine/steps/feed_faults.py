"""Note what is wrong with a feed and how it recovered, each with its event; alert a person (SPEC 4 row 16)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from msgspec.structs import replace

from services.engine.model.alert import Alert
from services.engine.model.feed import FaultKind, FeedFault
from services.engine.model.feed_events import FeedFaultEnded, FeedFaultFound
from services.engine.model.wording import facts_of
from services.engine.rules.feed_words import CODES, FEED_TITLES, detail_of, sizes_named
from services.engine.transition import Transition
from wire.types import Instant, Stream

SAME_TROUBLE = timedelta(minutes=10)  # a fault that returns within this time is counted in its alert
EXPECTED: frozenset[FaultKind] = frozenset({"restart", "unsettled"})  # what every start brings alerts nobody
COME_WITHIN = timedelta(seconds=10)
IN_ANY_ORDER = "in_any_order"  # the fact that so many bricks of one base bar have been overtaken by a later one
NO_FACTS: Mapping[str, object] = MappingProxyType({})


def find_faults(
    transition: Transition,
    symbol: str,
    kind: FaultKind,
    streams: Sequence[Stream | None] = (None,),
    facts: Mapping[str, object] = NO_FACTS,
) -> None:
    """Note a fault of the whole feed, or of sizes; one that stands already keeps its time and its facts."""
    asset = transition.asset(symbol)
    fresh = [stream for stream in streams if asset.feed.fault(kind, stream) is None]
    if not fresh:
        return
    found = [FeedFault(kind, transition.now, stream, facts_of(facts)) for stream in fresh]
    transition.put_asset(replace(asset, feed=replace(asset.feed, faults=(*asset.feed.faults, *found))))
    for fault in found:
        transition.record(FeedFaultFound(symbol, kind, fault.stream, fault.facts))
    if kind not in EXPECTED and IN_ANY_ORDER not in found[0].facts:
        _alert(transition, symbol, found)


def alert_overdue(transition: Transition, symbol: str) -> None:
    """Alert a person to bricks of one base bar that are still missing: they may come in any order, but at once."""
    asset = transition.asset(symbol)
    overdue = [f for f in asset.feed.faults if IN_ANY_ORDER in f.facts and transition.now >= f.since + COME_WITHIN]
    if not overdue:
        return
    plain = [replace(fault, facts={}) if fault in overdue else fault for fault in asset.feed.faults]
    transition.put_asset(replace(asset, feed=replace(asset.feed, faults=tuple(plain))))
    _alert(transition, symbol, [replace(fault, facts={}) for fault in overdue])


def end_faults(transition: Transition, symbol: str, how: str, is_over: Callable[[FeedFault], bool]) -> None:
    """End the faults of which this is true. ``how`` is the code of what ended them."""
    asset = transition.asset(symbol)
    over = [fault for fault in asset.feed.faults if is_over(fault)]
    if not over:
        return
    left = tuple([fault for fault in asset.feed.faults if fault not in over])
    transition.put_asset(replace(asset, feed=replace(asset.feed, faults=left)))
    for fault in over:
        transition.record(FeedFaultEnded(symbol, fault.kind, how, fault.stream))


def _alert(transition: Transition, symbol: str, found: Sequence[FeedFault]) -> None:
    """Raise one alert for the sizes found together, or count it in the last one of its kind."""
    kind = found[0].kind
    sizes = sizes_named([fault.stream for fault in found if fault.stream is not None]) or None
    about = f"{symbol} {kind}"
    facts = {"headline": FEED_TITLES[CODES[kind]], "fault": kind, "sizes": sizes, "about": about, **found[0].facts}
    if any(_is_recent(alert, about, transition.now) for alert in transition.desk.alerts):
        transition.alert_again("feed", detail_of(symbol, found), symbol, facts, "about")
    else:
        transition.alert("feed", detail_of(symbol, found), symbol, facts)


def _is_recent(alert: Alert, about: str, now: Instant) -> bool:
    is_alike = alert.code == "feed" and isinstance(alert.facts, dict) and alert.facts.get("about") == about
    return is_alike and now < alert.at + SAME_TROUBLE
