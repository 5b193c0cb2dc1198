"""Orders, trades, gates and alerts, each as the JSON that clients read."""

from __future__ import annotations

from typing import Any

from services.engine.model.events import TradeClosed
from services.engine.model.ladder import Rung
from services.engine.model.order import Order
from services.engine.model.state import Alert, Desk
from services.engine.model.times import seconds_until
from services.engine.model.wording import Explanation
from services.engine.rules.alerts import Ends, explanation_of, is_over, key_of
from services.engine.rules.gates import GATES_BY_NAME
from wire.types import Instant

Json = dict[str, Any]


def rung_view(rung: Rung, now: Instant) -> Json:
    """Return one gate of the ladder as it stands now."""
    return {
        "gate": rung.gate,
        "state": "open" if rung.is_open else "closed",
        "sentence": rung.sentence,
        "reopens_at": rung.reopens_at,
        "retry_after_s": seconds_until(rung.reopens_at, now) if rung.reopens_at else None,
        "reopens": rung.reopens,
        "code": rung.code,
        "title": rung.title,
        "detail": rung.detail,
        "facts": rung.facts,
        "binds": GATES_BY_NAME[rung.gate].binds,
    }


def explanation_view(why: Explanation) -> Json:
    """Return why something was refused or reported, without its sentence."""
    return {"code": why.code, "title": why.title, "detail": why.detail, "facts": why.facts}


def order_view(order: Order) -> Json:
    """Return an order as the operator reads it: ``symbol`` is the contract, ``asset`` the operator's symbol."""
    return {
        "id": order.id,
        "asset": order.asset,
        "symbol": order.contract.symbol,
        "exchange": order.contract.exchange,
        "side": order.side,
        "qty": order.qty,
        "kind": order.kind,
        "status": order.status,
        "source": order.source,
        "mode": order.mode,
        "env": order.env,
        "filled_qty": order.filled_qty,
        "created_at": order.created_at,
        "expires_at": order.expires_at,
        "owner": order.owner,
        "reason": order.reason,
    }


def handover_view(order: Order, redelivered: bool) -> Json:
    """Return an order as a bridge reads it: ``asset`` is the contract (the contract's word), ``root`` ours."""
    return {
        "id": order.id,
        "client_order_id": order.id,
        "asset": order.contract.symbol,
        "root": order.asset,
        "exchange": order.contract.exchange,
        "side": order.side,
        "qty": order.qty,
        "mode": order.mode,
        "env": order.env,
        "kind": order.kind,
        "source": order.source,
        "stop_points": order.stop_points,
        "tick_size": order.contract.tick_size,
        "point_size": order.contract.point_size,
        "point_value": order.contract.point_value,
        "created_at": order.created_at,
        "expires_at": order.expires_at,
        "redelivered": redelivered,
    }


def trade_row(trade: TradeClosed) -> Json:
    """Return a closed trade: the names of SPEC 11's history."""
    return {name: getattr(trade, name) for name in trade.__struct_fields__}


def alert_view(alert: Alert, desk: Desk, ends: Ends) -> Json:
    """Return an alert, whether it is over (None: it does not last, or nobody can tell), and since when if known."""
    return {
        "at": alert.at,
        "level": alert.level,
        "sentence": alert.sentence,
        "asset": alert.asset,
        **explanation_view(explanation_of(alert)),
        "over": is_over(alert, desk, ends),
        "over_at": ends.get(key_of(alert)),
    }
