"""Requests to MetaApi and the answers that they become (pure)."""

from __future__ import annotations

from decimal import Decimal

from advisor.mt4.asked import OrderAsked
from advisor.mt4.metaapi_models import MetaTrade
from advisor.mt4.sent import LONGEST
from sidecar.problems import ServiceRefused
from wire.mt4 import CloseAnswer, TradeAnswer


def request_of(order: OrderAsked, client_id: str) -> MetaTrade:
    """Return an order as MetaApi takes it. Of the comment stays what has room beside the client id."""
    return MetaTrade(
        action_type=f"ORDER_TYPE_{order.action}",
        symbol=order.symbol,
        volume=order.volume,
        open_price=order.price,
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        comment=order.comment[: LONGEST - len(client_id)] or None,
        client_id=client_id,
    )


def unknown(what: str, code: str) -> ServiceRefused:
    """Return the refusal of what nobody knows."""
    return ServiceRefused(
        "unknown_outcome", f"nobody knows what became of {what}: look at the account first", reason=code
    )


def refused_by_broker(code: str) -> ServiceRefused:
    """Return the refusal of what was not done."""
    return ServiceRefused("trade_refused", f"the broker refuses it: {code}", reason=code)


def traded(order_id: str | None, position_id: str | None) -> TradeAnswer:
    """Return the answer to an order."""
    return TradeAnswer(success=True, order_id=order_id, position_id=position_id, price=None, proposal=None)


def closed(position_id: str, volume: Decimal | None, remaining: Decimal | None) -> CloseAnswer:
    """Return the answer to a closing; null is what nobody told."""
    return CloseAnswer(
        success=True, position_id=position_id, closed_volume=volume, remaining_volume=remaining, price=None
    )
