"""Closes positions of an account at MetaApi. No part of one is closed twice, and all of one may always be closed.

All of a position is closed by its ticket, which cannot be done twice: for that nothing needs to be known or stored
before. A part can be done twice, so it is sent only when that is ruled out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import structlog
from msgspec import structs

from advisor.mt4.metaapi_answers import closed, unknown
from advisor.mt4.metaapi_client import MetaApiClient, OutcomeUnknown
from advisor.mt4.metaapi_lookup import LookUp
from advisor.mt4.metaapi_models import ClosingSent, MetaTrade, MetaTradeResponse
from advisor.mt4.metaapi_sending import Sender
from advisor.mt4.metaapi_settling import Settling
from advisor.mt4.sent import PARTIAL, WHOLE, Closing, SentBook, client_id_of
from sidecar.problems import ServiceRefused
from wire.encoding import encode
from wire.mt4 import CloseAnswer

logger = structlog.get_logger(__name__)
DONE_IN_PART, NO_CHANGES = 10_010, 10_025
GONE = ("ERR_INVALID_TICKET", "ERR_TRADE_POSITION_NOT_FOUND", "TRADE_RETCODE_POSITION_CLOSED")


class Closings:
    """The closings of one account."""

    def __init__(
        self, account_id: str, client: MetaApiClient, sent: SentBook, look_up: LookUp, settling: Settling
    ) -> None:
        """Send with `client`, keep in `sent`."""
        self._id = account_id
        self._client = client
        self._sent = sent
        self._sender = Sender(client, sent)
        self._look_up = look_up
        self._settling = settling

    async def close(self, position_id: str, volume: Decimal | None, name: str | None) -> CloseAnswer:
        """Close a position, or a part of it. While one closing is under way there is no second one."""
        turn = f"{self._id}:{position_id}"
        if turn in self._sent.under_way:
            raise ServiceRefused(
                "trade_refused", f"position {position_id} is being closed already", reason="close_under_way"
            )
        self._sent.under_way.add(turn)
        try:
            return await self._close(position_id, volume, name)
        finally:
            self._sent.under_way.discard(turn)

    async def _close(self, position_id: str, volume: Decimal | None, name: str | None) -> CloseAnswer:
        before = None if name is None else self._named(name, is_whole=volume is None)
        if before is not None:
            return await self._again(before, position_id, volume)
        doubts: list[Closing] = []
        if volume is not None:
            untold = None if name is not None else self._sent.untold(self._id, position_id, volume)
            if untold is not None:
                return self._told(untold)
            doubts = self._sent.open_parts(self._id, position_id)
        symbol, held = await self._held(position_id)
        answer = None if volume is None or not doubts else await self._after(doubts, volume, name)
        if answer is not None:
            return answer
        if volume is not None and held is not None and volume > held:
            raise ServiceRefused("trade_refused", f"{held:f} lots are held, fewer than that", reason="volume_held")
        return await self._send(symbol, position_id, held, volume, name)

    # -- what was sent before -----------------------------------------------------------------------------------

    def _named(self, name: str, *, is_whole: bool) -> Closing | None:
        """Return what was sent by a name. A file that cannot be read does not keep all of a position from closing."""
        try:
            return self._sent.named(name)
        except ServiceRefused:
            if is_whole:
                return None
            raise

    async def _again(self, before: Closing, position_id: str, volume: Decimal | None) -> CloseAnswer:
        """Answer a name that was sent: what became of it, or that nobody knows. Nothing is sent."""
        if (before.account, before.request.position_id, before.request.asked) != (self._id, position_id, volume):
            raise ServiceRefused("trade_refused", "this Idempotency-Key named another closing", reason="key_reused")
        if before.outcome == "unknown":
            await self._settling.settle()
            before = self._sent.closing(before.client_id) or before
        if before.outcome == "done":
            return closed(position_id, before.closed, before.remaining)
        if before.outcome == "refused":
            self._sent.frees(before.client_id)
            raise ServiceRefused(
                "trade_refused", "the closing of this name was not done: it may be used again", reason="not_done"
            )
        raise unknown("the closing of this name", "sent_before")

    async def _after(self, doubts: Sequence[Closing], volume: Decimal, name: str | None) -> CloseAnswer | None:
        """Return what became of an earlier part, None when it was not done. Nothing is sent while nobody knows.

        A call that is sent again sees the first one done here: it is answered as the first, and is no second part.
        """
        if any(self._is_open(one) for one in doubts):
            await self._settling.settle()
        for one in doubts:
            now = self._sent.closing(one.client_id)
            if now is None or now.outcome == "unknown":
                raise unknown("an earlier closing of a part of it", "close_unknown")
            if now.outcome == "done":
                if name is None and now.name is None and now.request.asked == volume:
                    return self._told(now)
                raise ServiceRefused(
                    "trade_refused",
                    "an earlier closing of a part of it was done meanwhile: look at the account first",
                    reason="closed_meanwhile",
                )
        return None

    def _is_open(self, one: Closing) -> bool:
        now = self._sent.closing(one.client_id)
        return now is not None and now.outcome == "unknown"

    def _told(self, one: Closing) -> CloseAnswer:
        self._sent.tells(one.client_id)
        return closed(one.request.position_id or "", one.closed, one.remaining)

    # -- sending ------------------------------------------------------------------------------------------------

    async def _held(self, position_id: str) -> tuple[str, Decimal | None]:
        """Return symbol and lots of a position. While nobody knows them closing goes on: the broker knows its tickets.

        A list without it does not say that it is closed: a terminal that has not synchronized shows no position.
        """
        try:
            rows = await self._client.positions()
        except ServiceRefused as refused:
            if refused.code in ("token_refused", "unknown_account"):
                raise
            return "CLOSE", None
        self._settling.by_positions(rows)
        found = next((one for one in rows if str(one.id) == position_id), None)
        return ("CLOSE", None) if found is None else (found.symbol, found.volume)

    async def _send(
        self, symbol: str, position_id: str, held: Decimal | None, volume: Decimal | None, name: str | None
    ) -> CloseAnswer:
        part = None if volume == held else volume
        client_id = client_id_of(symbol, None)
        action = WHOLE if part is None else PARTIAL
        request = MetaTrade(action_type=action, position_id=position_id, volume=part, client_id=client_id)
        sent_at = self._begin(client_id, ClosingSent(**structs.asdict(request), held_before=held, asked=volume), name)
        self._sent.under_way.add(client_id)
        try:
            code = (await self._sent_to_broker(client_id, request)).numeric_code
        except OutcomeUnknown as error:
            seen = await self._look_up.closing(position_id, client_id, held, part, sent_at)
            if seen is None:
                raise unknown(f"closing position {position_id}", error.code) from None
            self._sent.closes(client_id, seen.closed, seen.remaining, is_told=True)
            return closed(position_id, seen.closed, seen.remaining)
        finally:
            self._sent.under_way.discard(client_id)
        is_known = code not in (DONE_IN_PART, NO_CHANGES) and held is not None
        remaining = held - (part or held) if is_known and held is not None else None
        lots = (part or held) if is_known else None
        self._sent.closes(client_id, lots, remaining, is_told=True)
        return closed(position_id, lots, remaining)

    def _begin(self, client_id: str, request: ClosingSent, name: str | None) -> datetime:
        """Store what is about to be sent. All of a position is closed also when that cannot be done."""
        try:
            return self._sent.begin(client_id, self._id, encode(request).decode(), name)
        except ServiceRefused as refused:
            if request.action_type == PARTIAL:
                raise
            logger.error("a closing cannot be stored, and is sent all the same", reason=str(refused))
            return self._sent.now()

    async def _sent_to_broker(self, client_id: str, request: MetaTrade) -> MetaTradeResponse:
        try:
            return await self._sender.send(client_id, request)
        except ServiceRefused as refused:
            if refused.reason not in GONE:
                raise
            raise ServiceRefused("unknown_position", f"the account holds no position {request.position_id}") from None
