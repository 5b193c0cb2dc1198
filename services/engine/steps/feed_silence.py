"""Notice a feed that has fallen silent: all of it by the calendar, one size by the price (SPEC 4 row 16).

An alert of TradingView stops without a word: then prices go on and the bricks of one size do not come.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from services.engine.model.bar_commands import NoteDelayedQuotes
from services.engine.model.feed import Beyond, FeedFault
from services.engine.model.replies import Done, Reply
from services.engine.model.state import Asset
from services.engine.rules.feed_chains import is_beyond
from services.engine.rules.feed_delivery import BASES, bases_are_heard
from services.engine.steps.feed_faults import alert_overdue, end_faults, find_faults
from services.engine.transition import Transition
from wire.types import Instant, Price, Stream

ALWAYS_HEARD = {*BASES, "ticks"}
BRICK_IS_OVERDUE = timedelta(seconds=180)  # the base bar of the chart closes within it, however slow the alert


def watch_silence(transition: Transition) -> None:
    """Note each feed of bars that is silent although its market is open; in DEMO silence is no fault (SPEC 4)."""
    is_live = transition.desk.env == "LIVE"
    for symbol, asset in transition.desk.assets.items():
        silent_at = asset.live.feed.silent_at
        if not is_live:
            end_faults(transition, symbol, "not_live", lambda fault: fault.kind == "silent")
        elif asset.feed.source in ALWAYS_HEARD and silent_at is not None and transition.now >= silent_at:
            find_faults(transition, symbol, "silent")
        alert_overdue(transition, symbol)
        end_aged(transition, transition.asset(symbol))


def note_delayed_quotes(transition: Transition, command: NoteDelayedQuotes) -> Reply:
    """Note that the alert whose bars make the bricks changed to delayed quotes. Beside a feed that is heard: nothing.

    Where no bars were heard before, the gate ``heartbeat`` is closed.
    """
    asset = transition.asset(command.asset)
    if asset.feed.source in BASES and not bases_are_heard(asset, transition.now):
        find_faults(transition, command.asset, "delayed", facts={"symbol": command.symbol})
    return Done()


def end_aged(transition: Transition, asset: Asset) -> None:
    """End the fault of a size whose colour is too old to count: nobody waits for an alert that was taken away.

    Its zone is closed without it, and its next brick begins a new chain.
    """

    def is_aged(fault: FeedFault) -> bool:
        return fault.stream is not None and asset.stream(fault.stream).is_stale(transition.now)

    if asset.feed.source != "single" or not any(is_aged(fault) for fault in asset.feed.faults):
        return
    end_faults(transition, asset.symbol, "aged", is_aged)
    left = tuple([chain for chain in asset.feed.chains if not asset.stream(chain.stream).is_stale(transition.now)])
    changed = transition.asset(asset.symbol)
    transition.put_asset(replace(changed, feed=replace(changed.feed, chains=left)))


def watch_sizes(transition: Transition, symbol: str, price: Price, at: Instant) -> None:
    """Note each size whose next brick the price has passed for 3 minutes without that it came.

    Only for alerts of single sizes: bars tell the last brick of each size. One price proves nothing: a second one that
    is later must lie beyond, too.
    """
    asset = transition.asset(symbol)
    if asset.feed.source != "single":
        return
    passed = [chain.stream for chain in asset.feed.chains if is_beyond(chain, asset.contract, price)]
    known = {beyond.stream: beyond.since for beyond in asset.live.feed.beyond}
    now_beyond = tuple([Beyond(stream, known.get(stream, at)) for stream in passed])
    if now_beyond != asset.live.feed.beyond:
        pulse = replace(asset.live.feed, beyond=now_beyond)
        transition.put_asset(replace(asset, live=replace(asset.live, feed=pulse)))
    overdue: list[Stream | None] = [one.stream for one in now_beyond if at >= one.since + BRICK_IS_OVERDUE]
    if transition.desk.env == "LIVE":
        find_faults(transition, symbol, "silent", overdue)
