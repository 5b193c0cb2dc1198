"""The operator says what became of an order whose fate is unknown (SPEC 8.1)."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from services.engine.model.bridge_commands import ResolveOrder
from services.engine.model.evidence import Resolved, SuspectFill
from services.engine.model.order import Order
from services.engine.model.proof_events import OrderFateConfirmed, OrderFateSettled
from services.engine.model.replies import Done, Refusal, Reply
from services.engine.model.times import seconds_until
from services.engine.rules.fill_prices import gain_over_last_price, known_price
from services.engine.rules.hand_prices import range_by_hand
from services.engine.rules.refusals import refuse
from services.engine.steps.doubts import doubt_resolved, end_resolved
from services.engine.steps.exits import demand_exit, pursue_exit
from services.engine.steps.fates import settle
from services.engine.steps.order_queue import end_order
from services.engine.steps.suspect_fills import prove_fills
from services.engine.transition import Transition
from wire.types import OrderStatus, Price, Usd

SAID_AGAIN_AFTER = timedelta(seconds=60)


def resolve_order(transition: Transition, command: ResolveOrder) -> Reply | Refusal:
    """End an order of unknown fate as the operator says. ``reconcile`` stays closed until a snapshot agrees.

    In DEMO without snapshots the same word, at least 60 s later, opens it.
    """
    order = transition.desk.orders.get(command.order_id)
    doubted = _doubted_fills(transition, command.order_id)
    if doubted is not None and (order is None or order.fate_unknown_at is None):
        return _confirm_price(transition, command, *doubted)
    if order is None:
        return _say_again(transition, command)
    if order.fate_unknown_at is None:
        detail = f"order {order.id} is {order.status}; only an order of unknown fate is resolved by hand"
        return refuse("fate_known", detail, order_id=order.id, status=order.status)
    gained = Usd(0)
    if command.outcome == "filled":
        filled = _fill_by_hand(transition, order, command)
        if isinstance(filled, Refusal):
            return filled
        gained = filled
    order = transition.desk.orders.get(order.id, order)
    status = OrderStatus.FILLED if order.remaining == 0 else OrderStatus.CANCELLED
    end_order(transition, order, status, f"resolved by hand: {command.reason}")
    doubt_resolved(transition, order.asset, _word_of(command, transition), gained)
    if order.kind == "EXIT" and order.source != "manual" and transition.asset(order.asset).trade is not None:
        demand_exit(transition, order.asset, order.source)  # its rule creates the next (SPEC 7.2)
    pursue_exit(transition, order.asset)
    return Done()


def _word_of(command: ResolveOrder, transition: Transition) -> Resolved:
    return Resolved(command.order_id, command.outcome, transition.now, command.qty, command.price)


def _fill_by_hand(transition: Transition, order: Order, command: ResolveOrder) -> Usd | Refusal:
    """Book the fill and return what it has added to the desk's books, as far as the last price shows it."""
    asset = transition.asset(order.asset)
    qty = order.remaining if command.qty is None else command.qty
    if not 0 < qty <= order.remaining:
        detail = f"qty was {qty}, {order.remaining} are left of the order"
        return refuse("report_invalid", detail, field="qty", qty=qty, left=order.remaining)
    price = _price_by_hand(transition, order, command)
    if isinstance(price, Refusal):
        return price
    gained = gain_over_last_price(asset, order.contract, order.sign * qty, price)
    guessed = transition.names(command.price is None)
    transition.record(OrderFateSettled(order.id, order.asset, "operator", qty, price, command.reason, guessed))
    transition.put_order(settle(transition, order, qty, price))
    return gained


def _price_by_hand(transition: Transition, order: Order, command: ResolveOrder) -> Price | Refusal:
    """Return the price that was told, else the last one; refuse one that the market did not trade near today."""
    asset = transition.asset(order.asset)
    price = known_price(asset.live.last_price) if command.price is None else command.price
    if price is None:
        return refuse("report_invalid", "price was missing and no last price is known", field="price")
    allowed = range_by_hand(asset)
    if not allowed.holds(price):
        detail = f"price was {price:f}, the day's range allows {_bound(allowed.low)} to {_bound(allowed.high)}"
        return refuse("report_invalid", detail, field="price", price=price, low=allowed.low, high=allowed.high)
    return price


def _bound(price: Price | None) -> str:
    return "any price" if price is None else f"{price:f}"


# -- the price of a fill -------------------------------------------------------------------------------------------


def _doubted_fills(transition: Transition, order_id: str) -> tuple[str, list[SuspectFill]] | None:
    """Return the asset and the fills of the order whose price is not proven (SPEC 8.3), None without any."""
    for symbol, asset in transition.desk.assets.items():
        fills = [fill for fill in asset.suspect_fills if fill.order_id == order_id]
        if fills:
            return symbol, fills
    return None


def _confirm_price(
    transition: Transition, command: ResolveOrder, symbol: str, fills: list[SuspectFill]
) -> Reply | Refusal:
    """Take the operator's word that a fill really had the price that the bridge told."""
    told = [fill for fill in fills if command.price in (None, fill.price)]
    if command.outcome != "filled" or not told:
        prices = ", ".join(f"{fill.price:f}" for fill in fills)
        detail = f"the order was filled at {prices}; only that can be confirmed"
        return refuse("report_invalid", detail, field="price", price=command.price)
    prove_fills(transition, symbol, "operator", lambda fill: fill in told)
    return Done()


# -- the same word again --------------------------------------------------------------------------------------------


def _say_again(transition: Transition, command: ResolveOrder) -> Reply | Refusal:
    """Take the operator's word as proven when it is the same as 60 s ago, in DEMO, and no snapshot speaks."""
    symbol, known = _resolved_before(transition, command.order_id)
    if symbol is None or known is None:
        return refuse("unknown_order", f"order {command.order_id} is not open", order_id=command.order_id)
    refusal = _why_not_again(transition, symbol, known, command)
    if refusal is not None:
        return refusal
    transition.record(OrderFateConfirmed(known.order_id, symbol, command.reason))
    end_resolved(transition, symbol, known)
    return Done()


def _resolved_before(transition: Transition, order_id: str) -> tuple[str | None, Resolved | None]:
    for symbol, asset in transition.desk.assets.items():
        for resolved in () if asset.doubt is None else asset.doubt.resolved:
            if resolved.order_id == order_id:
                return symbol, resolved
    return None, None


def _why_not_again(transition: Transition, symbol: str, known: Resolved, command: ResolveOrder) -> Refusal | None:
    said = f"order {known.order_id} was resolved as {known.outcome}"
    if not known.says_the_same(replace(_word_of(command, transition), at=known.at)):
        return refuse("fate_known", f"{said}; only the same again confirms it", order_id=known.order_id)
    if transition.desk.env == "LIVE" or _snapshots_speak(transition, symbol):
        return refuse("fate_known", f"{said}; a snapshot of the broker must agree", order_id=known.order_id)
    again_at = known.at + SAID_AGAIN_AFTER
    if transition.now < again_at:
        wait = seconds_until(again_at, transition.now)
        detail = f"{said}; the same again confirms it once a minute has passed"
        return refuse("fate_known", detail, order_id=known.order_id, remaining_s=wait)
    return None


def _snapshots_speak(transition: Transition, symbol: str) -> bool:
    """Return whether a snapshot has told the asset's position within the last 60 s."""
    streak = transition.asset(symbol).live.streak
    return streak is not None and transition.now < streak.counted_at + SAID_AGAIN_AFTER
