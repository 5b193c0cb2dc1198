"""Market entries, checked by the whole ladder (SPEC 4)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.commands import EnterMarket
from services.engine.model.events import EntryAccepted, EntryBlocked, IntentChanged, PreOrderEnded
from services.engine.model.ladder import Rung
from services.engine.model.order import EntryTerms
from services.engine.model.replies import OrderTaken, Refusal, Reply
from services.engine.model.settings import Rules
from services.engine.model.state import Asset
from services.engine.model.times import candle_end, candle_start
from services.engine.model.zone import zone_of
from services.engine.rules.gates import ladder
from services.engine.rules.overrides import reason_given
from services.engine.rules.refusals import refuse, refuse_closed
from services.engine.rules.verdicts import EntryRequest
from services.engine.steps.order_queue import queue_entry
from services.engine.steps.overrides import block_override, take_override
from services.engine.steps.proposals import end_clicked, refusal_of_click
from services.engine.transition import Transition
from wire.types import Side, SizeMode


def enter_market(transition: Transition, command: EnterMarket, *, override_is_taken: bool = False) -> Reply | Refusal:
    """Queue a market entry if every gate is open; else refuse with the first closed gate.

    A click on a proposal is such an entry, and ends the proposal either way. ``override_is_taken`` is true for a
    pre-order, which used its override when it was placed.
    """
    refusal = refusal_of_size(transition.desk.rules, command.qty, command.size_mode)
    refusal = refusal or refusal_of_click(transition, command)
    if refusal is not None:
        return refusal
    answer = _enter(transition, command, override_is_taken=override_is_taken)
    end_clicked(transition, command, answer)
    return answer


def _enter(transition: Transition, command: EnterMarket, *, override_is_taken: bool) -> Reply | Refusal:
    asset = transition.asset(command.asset)
    if command.override and command.direction is None:
        return refuse("direction_required", "entry_override needs a direction: it skips the zone that would give one")
    zone = zone_of(asset, transition.now)
    direction = command.direction or zone.direction
    request = EntryRequest(
        asset,
        direction,
        command.override,
        is_attempt=True,
        override_reason=reason_given(transition.desk, command.override, command.override_reason),
        proposal=command.proposal,
        quantity=command.qty or transition.desk.rules.entry_qty(command.size_mode),
    )
    rungs = ladder(transition.desk, request, transition.now)
    shut = next((rung for rung in rungs if not rung.is_open), None)
    if shut is not None or direction is None:
        return block(transition, request, rungs, shut)
    if not override_is_taken:
        refusal = block_override(transition, request)
        if refusal is not None:
            return refusal
        take_override(transition, request)
    terms = EntryTerms(
        trade_mode=command.trade_mode,
        size_mode=command.size_mode,
        zone=zone.kind,
        override=command.override,
        candle=candle_start(transition.now, transition.desk.rules.candle_seconds),
    )
    return _accept(transition, request, direction, terms)


def refusal_of_size(rules: Rules, qty: int | None, size_mode: SizeMode) -> Refusal | None:
    """Refuse fewer contracts than 1, and more than the size has (SPEC 4)."""
    most = rules.entry_qty(size_mode)
    if qty is None or 1 <= qty <= most:
        return None
    detail = f"qty was {qty}, it must be a whole number from 1 to {most}, the contracts of {size_mode}"
    return refuse("setting_invalid", detail, field="qty", was=qty, highest=most)


def block(transition: Transition, request: EntryRequest, rungs: tuple[Rung, ...], shut: Rung | None) -> Refusal:
    """Refuse the attempt because of the closed gate ``shut``, and record it (SPEC 4)."""
    if shut is None:
        raise ValueError("an entry without direction passed every gate")
    asset = request.asset
    transition.record(
        EntryBlocked(
            asset=asset.symbol,
            direction=request.direction,
            price=asset.live.last_price,
            gate=shut.gate,
            sentence=shut.sentence or shut.gate,
            stack=asset.stack.colors(),
            override=request.override,
            override_reason=request.override_reason,
            proposal=request.proposal,
        )
    )
    return refuse_closed(shut, rungs, transition.now)


def _accept(transition: Transition, request: EntryRequest, direction: Side, terms: EntryTerms) -> Reply:
    """Lock the candle, spend the tempo token, queue the order."""
    asset = request.asset
    until = candle_end(terms.candle, transition.desk.rules.candle_seconds)
    transition.change_desk(locks=replace(transition.desk.locks, candle_used=terms.candle, candle_until=until))
    tempo = replace(asset.tempo, ready=False, flip_may_rearm=False)
    asset = transition.put_asset(replace(_end_pending(transition, asset), tempo=tempo))
    order = queue_entry(transition, asset, direction, terms, request.proposal, request.quantity)
    transition.record(
        EntryAccepted(
            asset=asset.symbol,
            direction=direction,
            price=asset.live.last_price,
            order_id=order.id,
            zone=terms.zone,
            stack=asset.stack.colors(),
            override=terms.override,
            override_reason=request.override_reason,
            proposal=request.proposal,
        )
    )
    return OrderTaken(order)


def _end_pending(transition: Transition, asset: Asset) -> Asset:
    """Mark the intent as used and cancel the pre-order, because an entry was accepted."""
    intent = asset.intent
    preorder = asset.preorder
    if intent is not None and intent.is_active:
        intent = replace(intent, status="USED")
        transition.record(IntentChanged(asset.symbol, intent.status))
    if preorder is not None and preorder.is_active:
        preorder = replace(preorder, status="CANCELLED", reason="another entry was accepted")
        transition.record(PreOrderEnded(asset.symbol, fired=False, reason=preorder.reason))
    return replace(asset, intent=intent, preorder=preorder)
