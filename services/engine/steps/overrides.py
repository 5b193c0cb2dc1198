"""Take overrides from the day's budget, and journal those that it refuses (SPEC 5.10)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.events import EntryBlocked
from services.engine.model.override_events import OverrideTaken
from services.engine.model.replies import Refusal
from services.engine.rules.overrides import NO_REASON, refusal_of_override
from services.engine.rules.verdicts import EntryRequest
from services.engine.transition import Transition


def block_override(transition: Transition, request: EntryRequest) -> Refusal | None:
    """Refuse the override when the budget does, and record the attempt (SPEC 4)."""
    if not request.override or transition.desk.generation < 5:
        return None
    refusal = refusal_of_override(transition.desk, request.override_reason)
    if refusal is None:
        return None
    asset = request.asset
    transition.record(
        EntryBlocked(
            asset=asset.symbol,
            direction=request.direction,
            price=asset.live.last_price,
            gate=refusal.code,
            sentence=refusal.sentence,
            stack=asset.stack.colors(),
            override=True,
            override_reason=request.override_reason,
            proposal=request.proposal,
        )
    )
    return refusal


def take_override(transition: Transition, request: EntryRequest) -> None:
    """Use one override of the day. One that ends without a fill is not given back: the decision was made."""
    if not request.override or transition.desk.generation < 5:
        return
    symbol = request.asset.symbol
    day = transition.desk.day
    is_unexplained = request.override_reason == NO_REASON
    taken = day.overrides_taken + 1
    unexplained = day.overrides_unexplained + is_unexplained
    transition.change_desk(day=replace(day, overrides_taken=taken, overrides_unexplained=unexplained))
    transition.record(OverrideTaken(symbol, taken, request.override_reason or NO_REASON))
    if is_unexplained:
        detail = f"an override of {symbol} was taken, {NO_REASON}; the next one today needs one"
        transition.alert("override_unexplained", detail, symbol, {"taken": taken})
