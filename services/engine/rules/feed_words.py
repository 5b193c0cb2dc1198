"""What is wrong with a feed, in words: the code, the title and the detail of each fault (SPEC 4 row 16). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from services.engine.model.feed import FaultKind, FeedFault
from services.engine.model.wording import sentence_of
from wire.tradingview import STREAM_POINTS
from wire.types import Stream

CODES: Mapping[FaultKind, str] = MappingProxyType(  # in the order in which they are named
    {
        "other_contract": "feed_of_other_contract",
        "silent": "feed_silent",
        "delayed": "feed_delayed",
        "roll": "feed_rolled",
        "source": "feed_changed",
        "restart": "feed_unheard",
        "missed_bar": "feed_gapped",
        "broken_chain": "feed_gapped",
        "unsettled": "feed_unsettled",
    }
)
FEED_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "feed_of_other_contract": "FEED OF ANOTHER CONTRACT",
        "feed_silent": "STREAM SILENT",
        "feed_delayed": "STREAM DELAYED",
        "feed_rolled": "FEED ROLLED",
        "feed_changed": "FEED CHANGED",
        "feed_unheard": "FEED NOT HEARD YET",
        "feed_gapped": "STREAM GAPPED",
        "feed_unsettled": "STREAM UNSETTLED",
    }
)
AGREE = "the next message must agree"


def sizes_named(streams: Sequence[Stream]) -> str:
    """Return sizes as a trader reads them, the small ones first: ``6pt, 8pt``; empty for none."""
    by_size = sorted(streams, key=lambda stream: STREAM_POINTS[stream])
    return ", ".join(f"{STREAM_POINTS[stream]:f}pt" for stream in by_size)


def detail_of(asset: str, faults: Sequence[FeedFault]) -> str:
    """Return the detail of faults of one kind: what was found, and what ends it."""
    fault = faults[0]
    sizes = sizes_named([fault.stream for fault in faults if fault.stream is not None])
    facts = fault.facts
    if "bricks" in facts or "suspect_price" in facts:
        return _detail_at_desk(asset, fault, sizes)
    match fault.kind:
        case "missed_bar":
            return f"messages of {asset} are missing and {sizes or 'bricks'} moved meanwhile: {AGREE}"
        case "broken_chain":
            ends = AGREE if facts.get("told") else "the next one must"
            return f"the last {sizes} brick does not continue the one before: {ends}"
        case "silent" if sizes:
            return f"the price is beyond the next {sizes} brick and none came"
        case "silent":
            return f"no bar of {asset} is heard although its market is open"
        case "delayed" if "symbol" in facts:
            return f"the alert's chart {facts.get('symbol')} has delayed quotes"
        case "delayed" if "ahead_seconds" in facts:
            return f"bars of {asset} are {facts.get('ahead_seconds')} s ahead of the desk's clock"
        case "delayed":
            return f"bars of {asset} come {facts.get('behind_seconds')} s late"
        case "other_contract":
            return f"the alert sends {facts.get('symbol')}, the desk trades {facts.get('contract')}"
        case "roll":
            return f"the feed of {asset} changed to another contract: {AGREE}"
        case "source" if "unit" in facts:
            return f"the alert counts in units of {facts.get('told_unit')}, the desk in units of {facts.get('unit')}"
        case "source":
            return f"the bricks of {asset} come from elsewhere than before: {AGREE}"
        case "restart":
            return f"nothing of {asset} was heard since the desk began"
        case _:
            return f"the {sizes or asset} bricks are not certain yet: {AGREE}"


def _detail_at_desk(asset: str, fault: FeedFault, sizes: str) -> str:
    """Return the detail of a fault of bricks that the desk builds itself: each size needs so many more bricks."""
    if "suspect_price" in fault.facts:
        return f"{asset} closed far away at {fault.facts['suspect_price']}: the next bar must confirm it"
    ends = f"each size is certain after its next {fault.facts['bricks']} bricks"
    match fault.kind:
        case "missed_bar":
            return f"prices of {asset} are missing: {ends}"
        case "source":
            return f"the bricks of {asset} are built of other prices than before: {ends}"
        case "restart":
            return f"prices of {asset} may have been missed since the desk ended: {ends}"
        case "roll":
            return f"the chart of {asset} changed to another contract: its jump fires no exit"
        case _:
            return f"the desk builds the {sizes} bricks, and they are not certain yet: {ends}"


def sentence_of_fault(asset: str, fault: FeedFault) -> str:
    """Return one fault as a sentence."""
    return sentence_of(FEED_TITLES[CODES[fault.kind]], detail_of(asset, (fault,)))
