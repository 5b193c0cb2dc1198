"""The bridge's own hard limits, independent of the desk. No limit binds an exit, except what the account holds."""

from collections.abc import Callable
from dataclasses import dataclass

from wire.bridge import OrderTicket


@dataclass(frozen=True)
class HardLimits:
    """The most the bridge allows: contracts per order, contracts held, entries per minute; none with `kill_switch`."""

    max_order_qty: int = 20
    max_position: int = 20
    max_orders_per_minute: int = 30
    kill_switch: bool = False


@dataclass(frozen=True)
class Exposure:
    """The exposure before an order: signed position, contracts that may still fill, entries of the last minute."""

    position: int
    working_qty: int
    entries_in_last_minute: int


def no_entries(limits: HardLimits, _: OrderTicket, __: Exposure) -> str | None:
    """Refuse every entry while the operator's kill switch is on."""
    return "bridge limit: the kill switch is on (BRIDGE_KILL_SWITCH)" if limits.kill_switch else None


def order_quantity(limits: HardLimits, ticket: OrderTicket, _: Exposure) -> str | None:
    """Limit the size of one order, against a mistake in a setting."""
    if ticket.qty <= limits.max_order_qty:
        return None
    return f"bridge limit: {ticket.qty} contracts in one order, at most {limits.max_order_qty} allowed"


def position_size(limits: HardLimits, ticket: OrderTicket, exposure: Exposure) -> str | None:
    """Limit the position that results if this order and all working orders fill."""
    after = abs(exposure.position + exposure.working_qty + ticket.signed_qty)
    if after <= limits.max_position:
        return None
    return f"bridge limit: the position would be {after} contracts, at most {limits.max_position} allowed"


def order_rate(limits: HardLimits, _: OrderTicket, exposure: Exposure) -> str | None:
    """Limit the orders per minute, against a desk that sends orders in a loop."""
    if exposure.entries_in_last_minute < limits.max_orders_per_minute:
        return None
    return f"bridge limit: {limits.max_orders_per_minute} orders within a minute already"


LIMITS: tuple[Callable[[HardLimits, OrderTicket, Exposure], str | None], ...] = (
    no_entries,
    order_quantity,
    position_size,
    order_rate,
)
"""In order of precedence: the trader reads the first refusal."""


def exit_refusal(ticket: OrderTicket, position: int, exiting_qty: int) -> str | None:
    """Return why an exit is larger than what the account holds and no other exit takes out; None when it is not.

    `position` is signed, `exiting_qty` what open exits of the same side may still fill.
    """
    left = max(0, -position * ticket.sign - exiting_qty)
    if ticket.qty <= left:
        return None
    if not position:
        return "no position"
    beside = f", {exiting_qty} of them on their way out" if exiting_qty else ""
    return f"the account holds {position} {ticket.contract}{beside}: {ticket.side} {ticket.qty} would open a position"


def refusal(limits: HardLimits, ticket: OrderTicket, exposure: Exposure) -> str | None:
    """Return the reason why `ticket` must not be sent, None when it may."""
    if ticket.is_exit:
        return None
    return next((reason for limit in LIMITS if (reason := limit(limits, ticket, exposure))), None)
