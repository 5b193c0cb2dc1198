"""One process claims: a second one is refused while the first is heard, until the operator takes over (SPEC 8.2)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.bridge_commands import NoteTwoBridges, TakeOverBridge
from services.engine.model.evidence import BridgeFence
from services.engine.model.proof_events import BridgeRefusalEnded, BridgeRefused, BridgeTakenOver, TwoBridgesNoted
from services.engine.model.replies import Done, Refusal, Reply
from services.engine.rules.owner_fence import FENCE, holder_of, is_fenced_out
from services.engine.rules.refusals import refuse
from services.engine.transition import Transition
from wire.types import OrderStatus


def note_heard(transition: Transition, instance: str | None) -> bool:
    """Record that a bridge process is heard. Return False when another process is the one that claims."""
    if instance is None:
        return True
    desk = transition.desk
    if is_fenced_out(desk, instance, transition.now):
        return False
    transition.change_desk(live=replace(desk.live, fence=BridgeFence(instance, transition.now)))
    if instance == desk.refused_bridge:
        _end_refusal(transition)
    return True


def refuse_claim(transition: Transition, owner: str, instance: str) -> Refusal:
    """Refuse the claim of a second process. The first refusal raises an alert."""
    desk = transition.desk
    holder = holder_of(desk)
    detail = f"the bridge {holder} claims orders, a second one ({owner}, {instance}) gets none"
    facts = {"owner": owner, "instance": instance, "holder": holder}
    if desk.refused_bridge in (None, instance):
        transition.change_desk(refused_bridge=instance, live=replace(desk.live, refused_heard_at=transition.now))
    if desk.refused_bridge is None:
        transition.record(BridgeRefused(instance, holder))
        transition.alert("owner_taken", detail, facts=facts)
    return refuse("owner_taken", detail, **facts)


def forget_refused_bridge(transition: Transition) -> None:
    """End the refusal of a process that has not asked for 60 s."""
    heard_at = transition.desk.live.refused_heard_at
    if transition.desk.refused_bridge is not None and (heard_at is None or transition.now >= heard_at + FENCE):
        _end_refusal(transition)


def _end_refusal(transition: Transition) -> None:
    instance = transition.desk.refused_bridge or ""
    live = replace(transition.desk.live, refused_heard_at=None)
    transition.change_desk(refused_bridge=None, live=live)
    transition.record(BridgeRefusalEnded(instance))


def take_over_bridge(transition: Transition, command: TakeOverBridge) -> Reply:
    """Let the process that is refused claim from now on, or whichever comes next, and end the leases of all exits.

    Without passing it on, the process that is replaced would be the next that is heard, if it still runs.
    """
    desk = transition.desk
    waiting = desk.refused_bridge
    fence = None if waiting is None else BridgeFence(waiting, transition.now)
    transition.record(BridgeTakenOver(holder_of(desk), waiting, command.reason))
    transition.change_desk(live=replace(desk.live, fence=fence))
    if waiting is not None:
        _end_refusal(transition)
    for order in list(transition.desk.orders.values()):
        if order.kind == "EXIT" and order.status is OrderStatus.CLAIMED:
            transition.put_order(replace(order, lease_ended=True))
    return Done()


def note_two_bridges(transition: Transition, command: NoteTwoBridges) -> Reply:
    """Raise the alert that two bridges without an instance ask in turns. Nothing is refused."""
    first, second = command.callers
    transition.record(TwoBridgesNoted(command.callers))
    detail = f"{first} and {second} ask for orders in turns; each order goes to one of them, stop the other"
    transition.alert("two_bridges", detail, facts={"first": first, "second": second})
    return Done()
