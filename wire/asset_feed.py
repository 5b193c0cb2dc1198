"""What an asset hears of its market, as the state shows it: each size's chain of bricks, and what is wrong (SPEC 3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Struct

from wire.types import AwareTime, Color, Price, says

StreamCondition = Literal["whole", "gapped", "unsettled", "unknown", "stale"]


class StreamFeedState(Struct, frozen=True, kw_only=True):
    """One brick size: where its chain stands and whether it can be relied on."""

    size: Annotated[Decimal, says("in units")]
    color: Color
    lo: Annotated[Price | None, says("the last brick's lower end; null while that is not known")]
    hi: Annotated[Price | None, says("its upper end; null while that is not known")]
    state: Annotated[
        StreamCondition,
        says(
            "gapped: bricks may be missing; unsettled: not certain yet; unknown: its chain was never told; "
            "stale: the colour is too old to count"
        ),
    ]
    since: Annotated[AwareTime | None, says("since when it is gapped or unsettled; null otherwise")]
    to_settle: Annotated[int, says("bricks still to form until a chain that the desk builds is certain")]


class FeedFaultState(Struct, frozen=True, kw_only=True):
    """One thing that is wrong. While any is, the gate `feed` is closed; `silent` counts in LIVE only."""

    kind: Literal[
        "missed_bar",
        "broken_chain",
        "silent",
        "delayed",
        "other_contract",
        "roll",
        "source",
        "restart",
        "unsettled",
    ]
    size: Annotated[Decimal | None, says("null when it concerns all sizes")]
    since: AwareTime
    sentence: str


class FeedState(Struct, frozen=True, kw_only=True):
    """Where an asset's bricks come from, how fresh they are, and whether they are whole."""

    source: Annotated[
        Literal["15S", "1", "ticks", "single"] | None,
        says("bars of 15 seconds or 1 minute, ticks, alerts of single sizes; null while nothing was heard"),
    ]
    newest_bar: Annotated[AwareTime | None, says("when the newest bar started; null while none was heard")]
    behind_s: Annotated[int | None, says("seconds since the newest message was heard; null while none was")]
    whole: Annotated[bool, says("nothing is wrong: the gate `feed` is open")]
    streams: tuple[StreamFeedState, ...]
    faults: tuple[FeedFaultState, ...]
