"""The gate ``feed``: no entry on bricks that may be missing, late, or of another contract (SPEC 4 row 16). Pure."""

from __future__ import annotations

from services.engine.model.feed import FeedFault
from services.engine.model.state import Asset, Desk
from services.engine.rules.contract_life import contract_ends_soon, contract_has_ended, ends_in_this_session, has_ended
from services.engine.rules.feed_words import CODES, detail_of, sizes_named
from services.engine.rules.roll_week import watched
from services.engine.rules.verdicts import OPEN, EntryRequest, Verdict, closed
from wire.types import Instant


def feed_is_whole(desk: Desk, entry: EntryRequest, now: Instant) -> Verdict:
    """Close in the contract's last session and after it, and while a fault of the feed stands.

    Generation 4 closed only after the contract's end, earlier ones judged neither.
    """
    if desk.generation > 3 and has_ended(watched(entry.asset), now):
        return contract_has_ended(watched(entry.asset))
    if desk.generation > 4 and ends_in_this_session(watched(entry.asset), now):
        return contract_ends_soon(watched(entry.asset))
    faults = counting_faults(desk, entry.asset)
    if not faults:
        return OPEN
    kind = next(kind for kind in CODES if any(fault.kind == kind for fault in faults))
    alike = [fault for fault in faults if fault.kind == kind]
    sizes = sizes_named([fault.stream for fault in alike if fault.stream is not None]) or None
    since = min(fault.since for fault in alike)
    detail = detail_of(entry.asset.symbol, alike)
    return closed(CODES[kind], detail, asset=entry.asset.symbol, fault=kind, sizes=sizes, since=since)


def counting_faults(desk: Desk, asset: Asset) -> tuple[FeedFault, ...]:
    """Return the faults that close the gate: silence counts in LIVE only (SPEC 4 row 16)."""
    return tuple([fault for fault in asset.feed.faults if desk.env == "LIVE" or fault.kind != "silent"])
