"""The changes of a position in committed events: which contracts were bought or sold, and at which price.

An event that changed a position has ``fills`` (docs/reference/api.md); no other event does.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import get_args

import msgspec
import structlog
from msgspec import Struct

from wire.events import EventFill, EventOrder, EventRow
from wire.local_feeds import MarkerKind
from wire.types import Env, Side

logger = structlog.get_logger(__name__)

KINDS: tuple[MarkerKind, ...] = get_args(MarkerKind)
FOLLOWED = "broker"  # the source of what the desk took over from the broker's position


class PositionFill(Struct, frozen=True, kw_only=True):
    """Contracts that were bought or sold and moved the position of an asset.

    ``price`` is None when nobody told it. ``source`` is what asked for them: the source of an order, or what happened
    at the broker (``stop``, ``liquidation``, ``manual``, ``flatten``, ``broker``). ``env`` is None without an order.
    ``kind`` is what it did: what an order was for, or the cause where a stop or a liquidation did it.
    """

    event_id: int
    at: datetime
    asset: str
    contract: str
    side: Side
    qty: int
    price: Decimal | None
    order_id: str | None
    source: str
    env: Env | None
    kind: MarkerKind

    @property
    def is_stop(self) -> bool:
        """Whether a stop that rested at the broker was executed."""
        return self.kind == "STOP"


class _Told(Struct, frozen=True):
    """What a row with fills says, as far as it concerns them."""

    fills: tuple[EventFill, ...]
    order: EventOrder | None = None
    order_id: str | None = None
    cause: str | None = None
    kind: str | None = None


def fills_of(event: EventRow) -> tuple[PositionFill, ...]:
    """Return the fills of an event. What cannot be read is logged and left out: it would be the same the next time."""
    asset = event.asset
    if asset is None or "fills" not in event.data:
        return ()
    try:
        told = msgspec.convert(event.data, _Told)
    except msgspec.ValidationError as error:
        logger.error("a change of the position cannot be read", event_id=event.id, kind=event.type, reason=str(error))
        return ()
    return tuple(_position_fill(event, asset, told, fill) for fill in told.fills if fill.qty > 0)


def _position_fill(event: EventRow, asset: str, told: _Told, fill: EventFill) -> PositionFill:
    return PositionFill(
        event_id=event.id,
        at=event.ts,
        asset=asset,
        contract=fill.contract,
        side=fill.side,
        qty=fill.qty,
        price=fill.price,
        order_id=told.order_id,
        source=_source_of(told),
        env=None if told.order is None else told.order.env,
        kind=_kind_of(told),
    )


def _kind_of(told: _Told) -> MarkerKind:
    """Return the cause where it is one, else what the fill did to its trade, else what its order was for."""
    named = (told.cause, told.kind, None if told.order is None else told.order.kind)
    return next((kind for name in named for kind in KINDS if kind == name), "RESIZE")


def _source_of(told: _Told) -> str:
    if told.order is not None:
        return told.order.source
    return FOLLOWED if told.cause is None else told.cause.lower()
