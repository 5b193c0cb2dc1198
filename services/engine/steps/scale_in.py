"""Scale-in: add to the open trade, once, after a brick has unlocked it (SPEC 4)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.commands import ScaleIn
from services.engine.model.replies import OrderTaken, Refusal, Reply
from services.engine.model.trade_events import ScaleInUnlocked
from services.engine.rules.adding import refusal_of_scale_in
from services.engine.rules.gates import first_closed_for, ladder
from services.engine.rules.refusals import refuse
from services.engine.rules.verdicts import EntryRequest
from services.engine.steps.entries import block
from services.engine.steps.order_queue import queue_scale_in
from services.engine.transition import Transition
from wire.types import Color, Stream, color_with


def scale_in(transition: Transition, command: ScaleIn) -> Reply | Refusal:
    """Queue an order that adds to the trade in its direction. It uses no slot of the trade limit."""
    asset = transition.asset(command.asset)
    if asset.trade is None:
        return refuse("nothing_to_manage", f"{asset.symbol} is flat", asset=asset.symbol)
    request = EntryRequest(asset, asset.trade.side, is_scale_in=True)
    rungs = ladder(transition.desk, request, transition.now)
    shut = first_closed_for("scale_in", rungs)
    refusal = refusal_of_scale_in(transition.desk, asset, asset.trade)
    is_about_size = shut is not None and shut.gate == "risk"
    if shut is not None and not (is_about_size and refusal):  # no size helps what may not be added at all
        return block(transition, request, rungs, shut)
    if refusal is not None:
        return refusal
    trade = replace(asset.trade, scale_in_available=False, scale_in_used=True)
    return OrderTaken(queue_scale_in(transition, transition.put_asset(replace(asset, trade=trade)), trade))


def unlock_scale_in(transition: Transition, symbol: str, stream: Stream, color: Color, *, flipped: bool) -> None:
    """Make the scale-in available after a 6pt brick with the trade or a 4pt flip against it."""
    asset = transition.asset(symbol)
    trade = asset.trade
    if trade is None or trade.scale_in_available or trade.scale_in_used:
        return
    with_trade = color == color_with(trade.side)
    if stream is Stream.MAIN and with_trade:
        by = "6pt continuation"
    elif stream is Stream.FOUR and flipped and not with_trade:
        by = "4pt pullback"
    else:
        return
    transition.put_asset(replace(asset, trade=replace(trade, scale_in_available=True)))
    transition.record(ScaleInUnlocked(symbol, by))
