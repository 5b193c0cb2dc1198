"""Apply a fill to its order and to the trade (SPEC 8.3)."""

from __future__ import annotations

from hashlib import blake2b

from msgspec.structs import replace

from services.engine.model.order import Order
from services.engine.steps.positions import Cause, move_position
from services.engine.steps.trades import fill_entry, fill_exit
from services.engine.transition import Transition
from wire.types import Price, Usd

FILLS_KEPT = 256


def fill_order(
    transition: Transition,
    order: Order,
    qty: int,
    price: Price,
    *,
    estimated: bool = False,
    commission: Usd | None = None,
    exec_id: str | None = None,
) -> Order:
    """Move the position by ``qty`` contracts and return the order with its fill. The caller puts it on the desk.

    ``estimated`` is true when nobody told the price; ``commission`` is in USD, None when nobody
    told it; ``exec_id`` names the execution.
    """
    filled = with_fill(order, qty, price)
    if transition.desk.generation == 1:
        _fill_by_kind(transition, order, qty, price)
        return filled
    cause = Cause(order.source, order.contract, order, estimated, commission, exec_id)
    move_position(transition, order.asset, order.sign * qty, price, cause)
    note_fill(transition, order.asset)
    return filled


def with_fill(order: Order, qty: int, price: Price) -> Order:
    """Return the order with ``qty`` more contracts filled."""
    return replace(order, filled_qty=order.filled_qty + qty, filled_notional=order.filled_notional + price * qty)


def _fill_by_kind(transition: Transition, order: Order, qty: int, price: Price) -> None:
    if order.kind == "EXIT":
        fill_exit(transition, order, qty, price)
    else:
        fill_entry(transition, order, qty, price)


def note_fill(transition: Transition, symbol: str) -> None:
    """Begin the streak of readings again: snapshots read before a fill prove nothing after it (SPEC 8.4)."""
    asset = transition.asset(symbol)
    transition.put_asset(replace(asset, last_fill_at=transition.now, live=replace(asset.live, streak=None)))


def remember_execution(transition: Transition, symbol: str, account: str, exec_id: str | None) -> None:
    """Remember an execution by a digest, so that it is recognised after a restart; the last 256 are kept."""
    asset = transition.asset(symbol)
    if exec_id is None or digest_of(account, exec_id) in asset.fills_seen:
        return
    seen = (*asset.fills_seen, digest_of(account, exec_id))[-FILLS_KEPT:]
    transition.put_asset(replace(asset, fills_seen=seen))


def digest_of(account: str, exec_id: str) -> str:
    """Return the digest of an execution; a report does not name its account, so that is empty."""
    return blake2b(f"{account}|{exec_id}".encode(), digest_size=6).hexdigest()
