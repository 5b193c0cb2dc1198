"""Hard limits of the bridge's own, whatever the desk says. Exits are never limited: they reduce risk."""

from collections.abc import Callable
from dataclasses import dataclass

from wire.bridge import OrderTicket


@dataclass(frozen=True)
class HardLimits:
    """What the bridge lets through: contracts per order, contracts held, entries per minute."""

    max_order_qty: int = 20
    max_position: int = 20
    max_orders_per_minute: int = 30


@dataclass(frozen=True)
class Exposure:
    """What is at risk before an order: the signed position, what may still fill, entries of the last minute."""

    position: int
    working_qty: int
    entries_in_last_minute: int


def order_quantity(limits: HardLimits, ticket: OrderTicket, _: Exposure) -> str | None:
    """Keep one order from being larger than anybody meant."""
    if ticket.qty <= limits.max_order_qty:
        return None
    return f"bridge limit: {ticket.qty} contracts in one order, at most {limits.max_order_qty} allowed"


def position_size(limits: HardLimits, ticket: OrderTicket, exposure: Exposure) -> str | None:
    """Keep the position within its limit even if everything that works fills as well."""
    after = abs(exposure.position + exposure.working_qty + ticket.signed_qty)
    if after <= limits.max_position:
        return None
    return f"bridge limit: the position would be {after} contracts, at most {limits.max_position} allowed"


def order_rate(limits: HardLimits, _: OrderTicket, exposure: Exposure) -> str | None:
    """Keep a runaway desk from trading in a loop."""
    if exposure.entries_in_last_minute < limits.max_orders_per_minute:
        return None
    return f"bridge limit: {limits.max_orders_per_minute} orders within a minute already"


LIMITS: tuple[Callable[[HardLimits, OrderTicket, Exposure], str | None], ...] = (
    order_quantity,
    position_size,
    order_rate,
)
"""Order is precedence: the first refusal is the reason the trader reads."""


def refusal(limits: HardLimits, ticket: OrderTicket, exposure: Exposure) -> str | None:
    """Give the reason why `ticket` must not be sent, None when it may."""
    if ticket.is_exit:
        return None
    return next((reason for limit in LIMITS if (reason := limit(limits, ticket, exposure))), None)
