"""Orders between desk and bridge: claims and expiry (SPEC 8.1, 8.2)."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from services.engine.model.bridge_commands import ClaimOrders
from services.engine.model.events import OrderClaimed
from services.engine.model.order import Order
from services.engine.model.replies import Handover, OrdersHandedOver, Refusal, Reply
from services.engine.model.state import Desk
from services.engine.steps.exits import pursue_exit
from services.engine.steps.order_queue import end_order
from services.engine.steps.owner_fence import note_heard, refuse_claim
from services.engine.transition import Transition
from wire.types import Instant, OrderStatus

CLAIM_LEASE = timedelta(seconds=60)
EXIT_UNCLAIMED_AFTER = timedelta(seconds=10)


def is_claimable(desk: Desk, order: Order, owner: str, instance: str | None, now: Instant) -> bool:
    """Return whether this bridge gets the order when it claims (SPEC 8.2).

    An entry goes to one owner only, and after its expiry to nobody: handed out twice it could double the position. An
    exit is handed out again to the process that claimed it, to another one after the lease, and to anybody once its
    fate is unknown and the broker's position shows that it was never executed.
    """
    if order.status is OrderStatus.PENDING:
        return order.expires_at is None or now < order.expires_at
    if order.hand_out_again:
        return True
    if order.status is not OrderStatus.CLAIMED or order.claimed_at is None:
        return False
    if desk.generation == 1:
        lease_is_over = now >= order.claimed_at + CLAIM_LEASE
        return order.owner == owner or (order.kind == "EXIT" and lease_is_over)
    if order.owner == owner and order.instance == instance and instance is not None:
        return order.expires_at is None or now < order.expires_at
    is_another = instance is not None and order.instance != instance
    lease_is_over = order.lease_ended or now >= order.claimed_at + CLAIM_LEASE
    return is_another and order.kind == "EXIT" and lease_is_over and _still_held(desk, order)


def _still_held(desk: Desk, order: Order) -> bool:
    """Return whether no snapshot since the last fill shows the exit's contract flat."""
    streak = desk.assets[order.asset].live.streak
    return streak is None or streak.position != 0


def claim_orders(transition: Transition, command: ClaimOrders) -> Reply | Refusal:
    """Hand each claimable order to exactly one owner. An owner gets its own unreported orders again.

    A second process is refused while the first one is heard (SPEC 8.2).
    """
    if command.instance is not None and not note_heard(transition, command.instance):
        return refuse_claim(transition, command.owner, command.instance)
    desk = transition.desk
    claimable = [
        order
        for order in desk.orders.values()
        if is_claimable(desk, order, command.owner, command.instance, transition.now)
    ]
    handovers = []
    for order in claimable[: command.limit]:
        again = order.status is not OrderStatus.PENDING
        if order.owner != command.owner or order.instance != command.instance or order.hand_out_again:
            order = _claim(transition, order, command)
            transition.record(OrderClaimed(order.id, command.owner, redelivered=again))
        handovers.append(Handover(order, again))
    return OrdersHandedOver(tuple(handovers))


def _claim(transition: Transition, order: Order, command: ClaimOrders) -> Order:
    """Give the order to the bridge. Its time to report begins again."""
    return transition.put_order(
        replace(
            order,
            status=OrderStatus.CLAIMED if order.filled_qty == 0 else order.status,
            owner=command.owner,
            instance=command.instance,
            claimed_at=transition.now,
            alerted=False,
            fate_unknown_at=None,
            hand_out_again=False,
            lease_ended=False,
        )
    )


def expire_entries(transition: Transition) -> None:
    """Expire unclaimed entries: a stale market order must never execute (SPEC 4)."""
    for order in list(transition.desk.orders.values()):
        stale = order.expires_at is not None and transition.now >= order.expires_at
        if stale and order.status is OrderStatus.PENDING:
            ttl = transition.desk.rules.entry_ttl_seconds
            reason = f"not claimed by a bridge within {ttl} s"
            end_order(transition, order, OrderStatus.EXPIRED, reason)
            what = order.kind.replace("_", "-")
            facts = {"order_id": order.id, "order": what, "ttl_seconds": ttl}
            transition.alert("entry_expired", reason, order.asset, facts)
            pursue_exit(transition, order.asset)


def warn_of_unclaimed_exits(transition: Transition) -> None:
    """Raise an alert, once, for an exit that no bridge took within 10 s (SPEC 4)."""
    for order in list(transition.desk.orders.values()):
        waiting = order.kind == "EXIT" and order.status is OrderStatus.PENDING and not order.alerted
        if waiting and transition.now >= order.created_at + EXIT_UNCLAIMED_AFTER:
            transition.put_order(replace(order, alerted=True))
            symbol = order.contract.symbol
            detail = f"no bridge took the {order.source} exit of {symbol} for 10 s"
            facts = {"order_id": order.id, "source": order.source, "symbol": symbol, "waited_seconds": 10}
            transition.alert("exit_unclaimed", detail, order.asset, facts)
