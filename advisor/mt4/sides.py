"""Whether the prices of an order stand on their right sides (pure). MetaTrader calls all of it error 130 or 10016."""

from __future__ import annotations

from decimal import Decimal

from advisor.mt4.asked import OrderAsked
from sidecar.problems import ServiceRefused


def refuse_off_tick(order: OrderAsked, tick: Decimal) -> None:
    """Refuse a price between two ticks. Raises `ServiceRefused` (400)."""
    for name, price in (
        ("price", order.price),
        ("stop_loss", order.stop_loss),
        ("take_profit", order.take_profit),
    ):
        if price is not None and price % tick:
            raise ServiceRefused("invalid_parameter", f"{name} must be a multiple of {tick:f}, was {price:f}")


def refuse_wrong_sides(order: OrderAsked, bid: Decimal, ask: Decimal) -> None:
    """Refuse an order whose price, stop-loss or take-profit is on the wrong side. Raises `ServiceRefused` (409)."""
    if order.price is not None:
        _refuse_wrong_price(order, order.price, bid, ask)
    entry = order.price if order.price is not None else (ask if order.side == "BUY" else bid)
    is_long = order.side == "BUY"
    if order.stop_loss is not None and (order.stop_loss >= entry if is_long else order.stop_loss <= entry):
        raise _refused("stop_side", "stop_loss", order.stop_loss, "below" if is_long else "above", entry)
    if order.take_profit is not None and (order.take_profit <= entry if is_long else order.take_profit >= entry):
        raise _refused("target_side", "take_profit", order.take_profit, "above" if is_long else "below", entry)


def _refuse_wrong_price(order: OrderAsked, price: Decimal, bid: Decimal, ask: Decimal) -> None:
    match order.action:
        case "BUY_LIMIT" if price >= ask:
            raise _refused("price_side", "the price of BUY_LIMIT", price, "below", ask)
        case "SELL_LIMIT" if price <= bid:
            raise _refused("price_side", "the price of SELL_LIMIT", price, "above", bid)
        case "BUY_STOP" if price <= ask:
            raise _refused("price_side", "the price of BUY_STOP", price, "above", ask)
        case "SELL_STOP" if price >= bid:
            raise _refused("price_side", "the price of SELL_STOP", price, "below", bid)
        case _:
            return


def _refused(reason: str, what: str, price: Decimal, where: str, than: Decimal) -> ServiceRefused:
    return ServiceRefused("trade_refused", f"{what} must be {where} {than:f}, was {price:f}", reason=reason)
