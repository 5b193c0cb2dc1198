"""Entries that wait for the next 6pt brick: the pre-order and the intent (SPEC 4)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.commands import CancelIntent, CancelPreOrder, EnterMarket, PlaceIntent, PlacePreOrder
from services.engine.model.events import IntentChanged, PreOrderEnded, PreOrderPlaced
from services.engine.model.replies import Done, Refusal, Reply
from services.engine.model.settings import Rules
from services.engine.model.state import Asset, Intent, PreOrder
from services.engine.model.zone import zone_of
from services.engine.rules.gates import Act, first_closed_for, ladder
from services.engine.rules.overrides import reason_given
from services.engine.rules.preorder_life import preorder_end
from services.engine.rules.refusals import explanation_of, refuse
from services.engine.rules.verdicts import EntryRequest
from services.engine.steps.entries import block, enter_market, refusal_of_size
from services.engine.steps.overrides import block_override, take_override
from services.engine.transition import Transition
from wire.types import Color, IntentStatus, color_with


def place_preorder(transition: Transition, command: PlacePreOrder) -> Reply | Refusal:
    """Place a pre-order. The whole ladder is checked again when it fires."""
    asset = transition.asset(command.asset)
    refusal = refusal_of_size(transition.desk.rules, command.qty, command.size_mode)
    if refusal is not None:
        return refusal
    direction = command.direction or (None if command.override else zone_of(asset, transition.now).direction)
    if direction is None:
        return refuse("direction_required", "a pre-order needs a direction while the structure gives none")
    reason = reason_given(transition.desk, command.override, command.override_reason)
    request = EntryRequest(asset, direction, command.override, override_reason=reason)
    refusal = _refusal(transition, request, "preorder") or block_override(transition, request)
    if refusal is not None:
        return refusal
    take_override(transition, request)
    preorder = PreOrder(
        status="WAITING",
        direction=direction,
        trade_mode=command.trade_mode,
        size_mode=command.size_mode,
        override=command.override,
        placed_at=transition.now,
        override_reason=reason,
        qty=command.qty,
    )
    transition.put_asset(replace(transition.asset(asset.symbol), preorder=preorder))
    transition.record(PreOrderPlaced(asset.symbol, direction))
    return Done()


def place_intent(transition: Transition, command: PlaceIntent) -> Reply | Refusal:
    """Record the operator's intent to enter after the next 6pt brick."""
    asset = transition.asset(command.asset)
    refusal = _refusal(transition, EntryRequest(asset), "intent")
    if refusal is not None:
        return refusal
    _put_intent(transition, asset, Intent("WAITING", transition.now))
    return Done()


def _refusal(transition: Transition, request: EntryRequest, act: Act) -> Refusal | None:
    """Return the refusal of the first closed gate that binds the act, or of an entry that waits already."""
    rungs = ladder(transition.desk, request, transition.now)
    shut = first_closed_for(act, rungs)
    if shut is not None:
        return block(transition, request, rungs, shut)
    return _refusal_by_pending_entry(request.asset)


def _refusal_by_pending_entry(asset: Asset) -> Refusal | None:
    detail = "cancel it first"
    if asset.preorder is not None and asset.preorder.is_active:
        return refuse("already_waiting", detail, "A PRE-ORDER WAITS ALREADY", asset=asset.symbol, waits="preorder")
    if asset.intent is not None and asset.intent.is_active:
        return refuse("already_waiting", detail, "AN INTENT WAITS ALREADY", asset=asset.symbol, waits="intent")
    return None


def cancel_preorder(transition: Transition, command: CancelPreOrder) -> Reply | Refusal:
    """Cancel the waiting pre-order."""
    asset = transition.asset(command.asset)
    if asset.preorder is None or not asset.preorder.is_active:
        return refuse("nothing_waiting", f"nothing waits for {asset.symbol}", "NO PRE-ORDER", asset=asset.symbol)
    _end_preorder(transition, asset, asset.preorder, "cancelled by the operator")
    return Done()


def cancel_intent(transition: Transition, command: CancelIntent) -> Reply | Refusal:
    """Cancel the intent."""
    asset = transition.asset(command.asset)
    if asset.intent is None or not asset.intent.is_active:
        return refuse("nothing_waiting", f"nothing waits for {asset.symbol}", "NO INTENT", asset=asset.symbol)
    _put_intent(transition, asset, replace(asset.intent, status="CANCELLED"))
    return Done()


def advance_intent(transition: Transition, symbol: str) -> None:
    """Advance the intent at a 6pt brick: from WAITING to READY, from READY to EXPIRED."""
    asset = transition.asset(symbol)
    if asset.intent is None or not asset.intent.is_active:
        return
    status: IntentStatus = "READY" if asset.intent.status == "WAITING" else "EXPIRED"
    _put_intent(transition, asset, replace(asset.intent, status=status))


def _put_intent(transition: Transition, asset: Asset, intent: Intent) -> None:
    transition.put_asset(replace(asset, intent=intent))
    transition.record(IntentChanged(asset.symbol, intent.status))


def fire_preorder(transition: Transition, symbol: str, color: Color) -> None:
    """Enter, through the whole ladder, at the 6pt brick that the pre-order waited for; else record why not."""
    asset = transition.asset(symbol)
    preorder = asset.preorder
    if preorder is None or not preorder.is_active:
        return
    if color != color_with(preorder.direction):
        _end_preorder(transition, asset, preorder, f"the 6pt brick came {color}")
        return
    transition.put_asset(replace(asset, preorder=replace(preorder, status="FIRED")))
    entry = EnterMarket(
        asset=symbol,
        trade_mode=preorder.trade_mode,
        size_mode=preorder.size_mode,
        direction=preorder.direction,
        override=preorder.override,
        override_reason=preorder.override_reason,
        qty=_size_now(transition.desk.rules, preorder),
    )
    answer = enter_market(transition, entry, override_is_taken=True)
    if isinstance(answer, Refusal):
        refused = replace(preorder, refusal=explanation_of(answer))
        _end_preorder(transition, transition.asset(symbol), refused, answer.sentence)
    else:
        transition.record(PreOrderEnded(symbol, fired=True))


def _size_now(rules: Rules, preorder: PreOrder) -> int | None:
    """Return the contracts that the pre-order named, at most as many as its size has by now."""
    return None if preorder.qty is None else min(preorder.qty, rules.entry_qty(preorder.size_mode))


def expire_preorders(transition: Transition) -> None:
    """Cancel the pre-orders whose time is over: the market that they were meant for is gone (SPEC 4)."""
    for symbol, asset in transition.desk.assets.items():
        end = preorder_end(transition.desk, asset)
        if end is not None and transition.now >= end.at:
            drop_preorder(transition, symbol, end.reason)


def drop_preorder(transition: Transition, symbol: str, reason: str) -> None:
    """Cancel the asset's pre-order if one waits."""
    asset = transition.asset(symbol)
    if asset.preorder is not None and asset.preorder.is_active:
        _end_preorder(transition, asset, asset.preorder, reason)


def drop_intent(transition: Transition, symbol: str) -> None:
    """Cancel the asset's intent if one is active."""
    asset = transition.asset(symbol)
    if asset.intent is not None and asset.intent.is_active:
        _put_intent(transition, asset, replace(asset.intent, status="CANCELLED"))


def _end_preorder(transition: Transition, asset: Asset, preorder: PreOrder, reason: str) -> None:
    transition.put_asset(replace(asset, preorder=replace(preorder, status="CANCELLED", reason=reason)))
    transition.record(PreOrderEnded(asset.symbol, fired=False, reason=reason))
