"""What pairs the orders, positions and results of a real desk and of one under other rules. All functions are pure."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from services.engine.earlier.reconcile import broker_position
from services.engine.model.bridge_commands import BrokerPosition, TakeSnapshot
from services.engine.model.events import AnyEvent, OrderQueued
from services.engine.model.state import Asset
from services.engine.model.trade_events import TradeOpened

ZERO = Decimal(0)


def pairing(event: AnyEvent) -> tuple[tuple[str, str], str] | None:
    """Return the key by which two events are paired, and the id of the event's order or trade."""
    if isinstance(event, OrderQueued):
        return (event.asset, event.kind), event.order_id
    if isinstance(event, TradeOpened) and event.adopted:
        return (event.asset, "ADOPTED"), event.trade_id
    return None


def own_position(real: Asset, own: Asset, snapshot: TakeSnapshot, *, is_apart: bool) -> BrokerPosition:
    """Return what the broker would say of this desk's position: the real one's word, in this desk's contracts."""
    broker = broker_position(real, snapshot)
    contract = own.trade.contract if own.trade else own.contract
    position = 0 if broker.position == 0 and not is_apart else own.position
    open_pnl = None
    if broker.open_pnl is not None and real.position and own.position and not is_apart:
        open_pnl = broker.open_pnl * own.position / real.position
    return replace(broker, symbol=contract.symbol, position=position, open_pnl=open_pnl)


def worth(asset: Asset) -> Decimal:
    """Return the open trade's result so far in USD: its booked part and its open part."""
    trade = asset.trade
    if trade is None:
        return ZERO
    cost_of_exited = trade.entry_notional - trade.entry_price * trade.quantity  # what the contracts taken out had cost
    booked = (trade.exit_notional - cost_of_exited) * trade.sign
    unbooked = (asset.live.open_points or ZERO) * trade.contract.point * trade.quantity
    return trade.contract.usd(booked + unbooked)
