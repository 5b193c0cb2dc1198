"""What became of a trade that MetaApi did not answer for: looked up in what is open, what rests and the history.

Only what is seen counts. That something is not seen never means that it was not done: it may still come. What remains
of a position that is closed in part may have another number: MetaTrader 4 gives it a new ticket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from msgspec import Struct

from advisor.mt4.metaapi_client import MetaApiClient
from advisor.mt4.metaapi_models import MetaDeal
from advisor.mt4.metaapi_views import text_of
from sidecar.problems import ServiceRefused

WINDOW = timedelta(days=1)
"""How far the clocks of broker and desk may be apart."""

ENTRIES_OUT = frozenset({"DEAL_ENTRY_OUT", "DEAL_ENTRY_OUT_BY", "DEAL_ENTRY_INOUT"})
CANCELED = "ORDER_STATE_CANCELED"
SKEW = timedelta(seconds=2)
"""A fill that is older than the request by more than this is of an earlier one."""

Seen = TypeVar("Seen")


class LookUps(Struct, frozen=True):
    """How often it is looked up, and how many seconds lie between."""

    tries: int = 3
    pause_seconds: float = 1.0
    apart_seconds: float = 30.0
    """Between one look for all that nobody knows and the next one."""


class Found(Struct, frozen=True):
    """What a trade became."""

    order_id: str | None
    position_id: str | None


class CloseSeen(Struct, frozen=True):
    """How a closing was seen. ``closed`` and ``remaining`` are null when only the fact is known."""

    closed: Decimal | None
    remaining: Decimal | None


class LookUp:
    """Looks at one account."""

    def __init__(self, client: MetaApiClient, look_ups: LookUps) -> None:
        """Ask `client`."""
        self._client = client
        self._look_ups = look_ups

    async def trade(self, client_id: str, sent_at: datetime) -> Found | None:
        """Return what a client id became, None when it is not seen."""
        return await self._repeat(lambda: self._trade(client_id, sent_at))

    async def closing(
        self, position_id: str, client_id: str, held: Decimal | None, volume: Decimal | None, sent_at: datetime
    ) -> CloseSeen | None:
        """Return how a position was closed, None when it is not seen."""
        return await self._repeat(lambda: self._closing(position_id, client_id, held, volume, sent_at))

    async def cancelling(self, order_id: str, sent_at: datetime) -> bool:
        """Return whether an order is seen to have been taken out."""
        return await self._repeat(lambda: self._cancelling(order_id, sent_at)) is not None

    async def _repeat(self, look: Callable[[], Coroutine[Any, Any, Seen | None]]) -> Seen | None:
        for number in range(self._look_ups.tries):
            if number:
                await asyncio.sleep(self._look_ups.pause_seconds)
            try:
                found = await look()
            except ServiceRefused:
                continue  # MetaApi cannot be read now: it stays unknown
            if found is not None:
                return found
        return None

    async def _trade(self, client_id: str, sent_at: datetime) -> Found | None:
        for position in await self._client.positions():
            if position.client_id == client_id:
                return Found(None, str(position.id))
        for order in await self._client.orders():
            if order.client_id == client_id:
                return Found(str(order.id), None)
        for deal in await self._client.history_deals(sent_at - WINDOW, sent_at + WINDOW):
            if deal.client_id == client_id:
                return Found(text_of(deal.order_id), text_of(deal.position_id))
        for order in await self._client.history_orders(sent_at - WINDOW, sent_at + WINDOW):
            if order.client_id == client_id and order.state == "ORDER_STATE_FILLED":
                return Found(str(order.id), text_of(order.position_id))
        return None

    async def _closing(
        self, position_id: str, client_id: str, held: Decimal | None, volume: Decimal | None, sent_at: datetime
    ) -> CloseSeen | None:
        deals = await self._client.history_deals(sent_at - WINDOW, sent_at + WINDOW)
        open_now = {str(one.id): one.volume for one in await self._client.positions()}  # never older than the fills
        own = [deal for deal in deals if deal.client_id == client_id and deal.entry_type in ENTRIES_OUT]
        if not own and position_id not in open_now:
            wanted = held if volume is None else volume
            own = [deal for deal in deals if _closes(deal, position_id, wanted) and deal.time >= sent_at - SKEW]
        if own:
            told = [deal.volume for deal in own if deal.volume is not None]
            closed = sum(told, Decimal(0)) if len(told) == len(own) else None
            return CloseSeen(closed, None if held is None or closed is None else held - closed)
        left = open_now.get(position_id)
        is_less = left is not None and held is not None and volume is not None and left == held - volume
        return CloseSeen(volume, left) if is_less else None

    async def _cancelling(self, order_id: str, sent_at: datetime) -> bool | None:
        ended = await self._client.history_orders(sent_at - WINDOW, sent_at + WINDOW)
        return True if any(str(one.id) == order_id and one.state == CANCELED for one in ended) else None


def _closes(deal: MetaDeal, position_id: str, volume: Decimal | None) -> bool:
    """Return whether a fill closes so much of a position; without a `volume` any part of it."""
    is_of_it = text_of(deal.position_id) == position_id and deal.entry_type in ENTRIES_OUT
    return is_of_it and volume in (None, deal.volume)
