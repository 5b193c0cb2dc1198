"""Every order ends: what becomes of an order of which no report tells (SPEC 8.1).

A claimed order that shows no fill and no change of status for ``fate_seconds`` has an unknown fate. From then on the
broker's positions decide, and without them the operator does.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from services.engine.model.evidence import Streak
from services.engine.model.order import Order
from services.engine.model.proof_events import OrderFateSettled, OrderFateUnknown, OrderHandedOutAgain
from services.engine.rules.broker_word import BrokerWord
from services.engine.rules.fill_prices import Booked, known_price
from services.engine.steps.corrections import remember_untold
from services.engine.steps.doubts import begin_doubt
from services.engine.steps.exits import demand_exit, pursue_exit
from services.engine.steps.fills import fill_order
from services.engine.steps.order_queue import end_order
from services.engine.transition import Transition
from wire.types import OrderStatus, Price

UNREPORTED_AFTER = timedelta(seconds=15)
DOUBT_AFTER_FATE = timedelta(seconds=120)
READINGS_THAT_SETTLE = 3
READINGS_THAT_SHOW = 2
NEVER_SEEN = "never seen at the broker"


def watch_fates(transition: Transition) -> None:
    """Raise an alert for a claimed order without a report; after ``fate_seconds`` its fate is unknown."""
    wait = timedelta(seconds=transition.desk.rules.fate_seconds)
    for order in sorted(transition.desk.orders.values(), key=lambda order: (order.created_at, order.id)):
        moved_at = order.moved_at
        if not order.is_at_a_bridge or moved_at is None or order.fate_unknown_at is not None:
            continue
        if order.reported_at is None and not order.alerted and transition.now >= moved_at + UNREPORTED_AFTER:
            order = _warn_of_silence(transition, order)
        if transition.now >= moved_at + wait:
            _lose(transition, order)


def _warn_of_silence(transition: Transition, order: Order) -> Order:
    waited = int(UNREPORTED_AFTER.total_seconds())
    symbol = order.contract.symbol
    detail = f"{order.kind} {order.side} {order.qty} {symbol} was claimed {waited} s ago and nothing is heard of it"
    transition.alert("order_unreported", detail, order.asset, {**_facts(order), "waited_seconds": waited})
    return transition.put_order(replace(order, alerted=True))


def _lose(transition: Transition, order: Order) -> None:
    transition.put_order(replace(order, fate_unknown_at=transition.now))
    asset = transition.asset(order.asset)
    if asset.live.streak is not None:  # only what is read from here on decides
        transition.put_asset(replace(asset, live=replace(asset.live, streak=replace(asset.live.streak, count=0))))
    transition.record(OrderFateUnknown(order.id, order.asset))
    detail = f"{order.kind} {order.side} {order.qty} {order.contract.symbol}: the broker's positions decide, or you"
    transition.alert("order_fate_unknown", detail, order.asset, _facts(order))
    pursue_exit(transition, order.asset)


def _facts(order: Order) -> dict[str, str | int]:
    return {
        "order_id": order.id,
        "kind": order.kind,
        "side": order.side,
        "qty": order.qty,
        "symbol": order.contract.symbol,
        "status": order.status,
    }


def settle_fates(transition: Transition, symbol: str, word: BrokerWord, streak: Streak) -> bool:
    """Let three agreeing snapshots decide the asset's orders of unknown fate.

    Return whether they have ended orders without explaining the position: the broker is right then, and proven so.

    With a single order at a bridge the position shows what it did. With two (an exit beside an entry) it shows only
    their sum: the one whose report may still come is waited for; when both are lost both end, and the desk follows the
    broker.
    """
    held = [order for order in transition.desk.open_orders(symbol) if order.is_at_a_bridge]
    lost = [order for order in held if order.fate_unknown_at is not None]
    if not lost or len(lost) < len(held) or streak.count < READINGS_THAT_SETTLE:
        return False
    if len(lost) > 1:
        for order in lost:
            _end(transition, order, OrderStatus.CANCELLED, "the broker's position does not tell which order filled")
        return True
    order = lost[0]
    asset = transition.asset(symbol)
    filled = (word.position - asset.position) * order.sign
    if filled == 0 and order.kind == "EXIT" and asset.trade is not None and order.filled_qty:
        _end_rest(transition, order)
    elif filled == 0 and order.kind == "EXIT" and asset.trade is not None:
        _hand_out_again(transition, order)
    elif filled == 0:
        _end(transition, order, OrderStatus.EXPIRED, NEVER_SEEN)
    elif 0 < filled <= order.remaining:
        settle_by_broker(transition, order, filled, word)
    else:
        _end(transition, order, OrderStatus.CANCELLED, "the broker's position contradicts it")
        return True
    return False


def _end_rest(transition: Transition, order: Order) -> None:
    """End an exit that has filled in part: handed out again it would be executed twice. Its rule creates the next."""
    _end(transition, order, OrderStatus.CANCELLED, "its rest is not filled at the broker")
    if order.source != "manual" and transition.asset(order.asset).trade is not None:
        demand_exit(transition, order.asset, order.source)


def _hand_out_again(transition: Transition, order: Order) -> None:
    if not order.hand_out_again:
        transition.put_order(replace(order, hand_out_again=True))
        transition.record(OrderHandedOutAgain(order.id, order.asset))


def settle_before_exit(transition: Transition, symbol: str, word: BrokerWord, streak: Streak) -> None:
    """Believe two snapshots that show what a claimed entry has filled, when an exit waits for it (SPEC 7.2).

    The exit can then take out what the broker holds, although no report has told of it.
    """
    order = transition.desk.open_entry(symbol)
    asset = transition.asset(symbol)
    if order is None or order.cancelled_for is None or asset.due_exit is None or streak.count < READINGS_THAT_SHOW:
        return
    filled = (word.position - asset.position) * order.sign
    if transition.desk.open_exit(symbol) is not None or not 0 < filled <= order.remaining:
        return
    if filled == order.remaining:
        settle_by_broker(transition, order, filled, word)
    elif (price := fill_price_of(transition, order, word)) is not None:
        _record_settled(transition, order, filled, price, word)
        transition.put_order(settle(transition, order, filled, price))
        pursue_exit(transition, symbol)


def settle(transition: Transition, order: Order, qty: int, price: Price) -> Order:
    """Fill the order by what no report has told of; the report that may still come does not count again (SPEC 8.1)."""
    before = transition.asset(order.asset)
    filled = fill_order(transition, order, qty, price)
    remember_untold(transition, before, qty, Booked(price, estimated=False), order.id)
    return replace(filled, settled_qty=filled.settled_qty + qty)


def settle_by_broker(transition: Transition, order: Order, qty: int, word: BrokerWord) -> None:
    """Book what the broker's position shows as filled, and end the order. Without any price it stays undecided."""
    price = fill_price_of(transition, order, word)
    if price is None:
        return
    by_broker = "as the broker's position shows"
    _record_settled(transition, order, qty, price, word)
    filled = settle(transition, order, qty, price)
    status = OrderStatus.FILLED if filled.remaining == 0 else OrderStatus.CANCELLED
    _end(transition, filled, status, by_broker, recorded=True)


def fill_price_of(transition: Transition, order: Order, word: BrokerWord) -> Price | None:
    """Return the price at which the broker seems to have filled the order: its average, its last fill, the last price.

    The average is that of the whole position, so it counts only for an order that began it.
    """
    last = known_price(transition.asset(order.asset).live.last_price, order.contract.symbol)
    return next((price for price in (*_told_prices(transition, order, word), last) if price is not None), None)


def _told_prices(transition: Transition, order: Order, word: BrokerWord) -> tuple[Price | None, Price | None]:
    is_its_own = transition.asset(order.asset).trade is None and order.kind != "EXIT"
    return (word.avg_price if is_its_own else None), word.last_fill_price


def _record_settled(transition: Transition, order: Order, qty: int, price: Price, word: BrokerWord) -> None:
    """Record what the broker's position shows as filled, before the position moves."""
    guessed = all(told is None for told in _told_prices(transition, order, word))
    transition.record(
        OrderFateSettled(order.id, order.asset, "broker", qty, price, estimated=transition.names(guessed))
    )


def _end(transition: Transition, order: Order, status: OrderStatus, reason: str, *, recorded: bool = False) -> None:
    if not recorded:
        transition.record(OrderFateSettled(order.id, order.asset, "broker", reason=reason))
    end_order(transition, order, status, reason)
    begin_doubt(transition, order.asset, "fate_ended", transition.now + DOUBT_AFTER_FATE)
    pursue_exit(transition, order.asset)
