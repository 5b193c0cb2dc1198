"""Orders, trades, gates and alerts, each as clients read it."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from services.engine.model import ladder, wording
from services.engine.model.alert import Alert
from services.engine.model.order import Order
from services.engine.model.state import Desk
from services.engine.model.times import seconds_until
from services.engine.model.trade_events import TradeClosed
from services.engine.rules.alert_times import Ends, is_over, key_of
from services.engine.rules.alerts import explanation_of
from services.engine.rules.gates import GATES_BY_NAME
from services.engine.rules.resting_stops import adopted_without_stop, stop_wanted
from services.market.units import earlier_point
from wire.asset import Explanation, Rung
from wire.bridge import OrderTicket, StopToRest
from wire.state import AlertRow, OrderRow, TradeRow
from wire.types import Instant

Fields = dict[str, Any]  # some fields of a Struct, by name


def rung_view(rung: ladder.Rung, now: Instant) -> Rung:
    """Return one gate of the ladder: whether it is open at ``now``, and why not."""
    return Rung(
        gate=rung.gate,
        state="open" if rung.is_open else "closed",
        sentence=rung.sentence,
        reopens_at=rung.reopens_at,
        retry_after_s=seconds_until(rung.reopens_at, now) if rung.reopens_at else None,
        reopens=rung.reopens,
        code=rung.code,
        title=rung.title,
        detail=rung.detail,
        facts=rung.facts,
        binds=GATES_BY_NAME[rung.gate].binds,
    )


def explanation_view(why: wording.Explanation) -> Explanation:
    """Return code, title, detail and facts of a refusal or an alert, without its sentence."""
    return Explanation(why.code, why.title, why.detail, why.facts)


def order_view(order: Order) -> OrderRow:
    """Return an order as the operator reads it: ``symbol`` is the contract, ``asset`` the operator's symbol."""
    return OrderRow(
        id=order.id,
        asset=order.asset,
        symbol=order.contract.symbol,
        exchange=order.contract.exchange,
        side=order.side,
        qty=order.qty,
        kind=order.kind,
        status=order.status,
        source=order.source,
        mode=order.mode,
        env=order.env,
        filled_qty=order.filled_qty,
        created_at=order.created_at,
        expires_at=order.expires_at,
        owner=order.owner,
        reason=order.reason,
        claimed_at=order.claimed_at,
        reported_at=order.reported_at,
        fate_unknown_at=order.fate_unknown_at,
        proposal=order.proposal,
        by=order.by,
    )


def handover_view(order: Order, redelivered: bool) -> OrderTicket:
    """Return an order as a bridge reads it: the wire's ``asset`` is the contract, its ``root`` the desk's asset."""
    return OrderTicket(
        id=order.id,
        client_order_id=order.id,
        contract=order.contract.symbol,
        root=order.asset,
        exchange=order.contract.exchange,
        side=order.side,
        qty=order.qty,
        mode=order.mode,
        env=order.env,
        kind=order.kind,
        source=order.source,
        stop_points=order.stop_points,
        tick_size=order.contract.tick_size,
        point_size=order.contract.point,
        point_value=order.contract.usd_per_price,
        unit=order.contract.point,
        created_at=order.created_at,
        expires_at=order.expires_at,
        redelivered=redelivered,
        reduce_only=order.kind == "EXIT",
        position=order.position,
    )


def stops_to_rest(desk: Desk) -> tuple[StopToRest, ...]:
    """Return the stops that a bridge is asked to rest for adopted trades (SPEC 8.4)."""
    wanted = [(trade.contract.exchange, stop_wanted(trade)) for trade in adopted_without_stop(desk)]
    return tuple(
        StopToRest(contract=stop.symbol, exchange=exchange, side=stop.side, qty=stop.qty, price=stop.price)
        for exchange, stop in wanted
    )


def trade_row(trade: TradeClosed) -> TradeRow:
    """Return a closed trade with the field names of SPEC 11's history."""
    return TradeRow(**trade_facts(trade))


def trade_facts(trade: TradeClosed) -> dict[str, Any]:
    """Return the fields of a closed trade's row. ``point_size`` is the unit that it was opened with (SPEC 2)."""
    facts = structs.asdict(trade)
    unit = facts.pop("unit")
    return {**facts, "point_size": earlier_point(trade.asset) if unit is None else unit}


def alert_view(alert: Alert, desk: Desk, ends: Ends) -> AlertRow:
    """Return an alert, whether it is over (None: it has no end, or its end is unknown), and since when if known."""
    why = explanation_of(alert)
    return AlertRow(
        at=alert.at,
        code=why.code,
        title=why.title,
        detail=why.detail,
        facts=why.facts,
        level=alert.level,
        sentence=alert.sentence,
        asset=alert.asset,
        over=is_over(alert, desk, ends),
        over_at=ends.get(key_of(alert)),
    )
