"""Closings that nobody knows the outcome of: looked up again until the account shows what became of them.

Nothing is sent here, and that something is not seen ends nothing, with one exception: a day after it was sent no
request is on its way any more. Then a history that can be read, and has no fill of it, beside a position that is held
with all its lots, says that it was not done. Without that a doubt about a part would have no end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

from msgspec import structs

from advisor.mt4.metaapi_client import MetaApiClient
from advisor.mt4.metaapi_lookup import ENTRIES_OUT, WINDOW, LookUps
from advisor.mt4.metaapi_models import MetaDeal, MetaPosition
from advisor.mt4.metaapi_views import text_of
from advisor.mt4.sent import PARTIAL, Closing, SentBook
from sidecar.problems import ServiceRefused
from wire.mt4 import UnknownClosing

FIRST_SECONDS, LONGEST_SECONDS = 60.0, 900.0
"""From look to look while the account is connected; each pause is twice the one before."""

NOT_DONE_AFTER = timedelta(days=1)
LOOKED_UP_FOR = timedelta(days=30)
"""The history of a longer time has more rows than are read: what is older stays unknown."""


class Settling:
    """Ends the doubts of one account."""

    def __init__(
        self,
        client: MetaApiClient,
        account_id: str,
        sent: SentBook,
        look_ups: LookUps,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read with `client`; `sent` has what nobody knows. `clock` counts seconds."""
        self._client = client
        self._account = account_id
        self._sent = sent
        self._apart = look_ups.apart_seconds
        self._clock = clock
        self._last: float | None = None
        self._is_asked = asyncio.Event()

    async def run(self) -> None:
        """Look while the account is connected, until the task is cancelled."""
        pause = FIRST_SECONDS
        while True:
            await self.settle()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_asked.wait(), pause)
            self._is_asked.clear()
            pause = min(2 * pause, LONGEST_SECONDS) if self._open() else FIRST_SECONDS

    def ask(self) -> None:
        """Ask for a look beside whatever is read now, if there is a doubt and the last look is some time ago."""
        if self._is_due() and self._open():
            self._is_asked.set()

    async def settle(self) -> None:
        """Look once, if there is a doubt and the last look is some time ago. What cannot be read ends nothing."""
        rows = self._open()
        if not rows or not self._is_due():
            return
        self._last = self._clock()
        first = min(one.sent_at for one in rows) - WINDOW
        with suppress(ServiceRefused):
            deals = await self._client.history_deals(first, max(one.sent_at for one in rows) + WINDOW)
            self.by_deals(deals)
            positions = await self._client.positions()  # never older than the fills
            self.by_positions(positions)
            self._by_time([one for one in rows if one in self._open()], deals, positions)

    def by_deals(self, deals: Sequence[MetaDeal]) -> None:
        """End the closings that have a fill of their own client id. Other hands trade, too: no volume says whose."""
        out = [deal for deal in deals if deal.entry_type in ENTRIES_OUT]
        for one in self._open() if out else ():
            own = [deal.volume for deal in out if deal.client_id == one.client_id]
            if own:
                told = [volume for volume in own if volume is not None]
                closed = sum(told, Decimal(0)) if len(told) == len(own) else None
                held = one.request.held_before
                remaining = None if held is None or closed is None else held - closed
                self._sent.closes(one.client_id, closed, remaining, is_told=False)

    def by_positions(self, positions: Sequence[MetaPosition]) -> None:
        """End the closings of a part whose position is seen with so many lots fewer.

        That it is not seen at all says nothing: a terminal that has not synchronized shows no position.
        """
        held = {str(one.id): one.volume for one in positions}
        for one in self._open():
            now, part, before = held.get(one.request.position_id or ""), one.request.volume, one.request.held_before
            if now is None or part is None or one.request.action_type != PARTIAL:
                continue
            if before is None:
                self._sent.notes_held(one.client_id, structs.replace(one.request, held_before=now))
            elif now <= before - part:
                self._sent.closes(one.client_id, part, now, is_told=False)

    def unknown(self) -> tuple[UnknownClosing, ...] | None:
        """Return what nobody knows, also of a closing that is looked up no more; None while the file cannot be read."""
        try:
            rows = self._sent.open_closings(self._account)
        except ServiceRefused:
            return None
        return tuple(
            UnknownClosing(position_id=one.request.position_id or "", volume=one.request.volume, sent_at=one.sent_at)
            for one in rows
        )

    def _by_time(self, rows: Sequence[Closing], deals: Sequence[MetaDeal], positions: Sequence[MetaPosition]) -> None:
        """End what was not done: a day has passed, no fill is of it or of nobody, and the position has all its lots."""
        held = {str(one.id): one.volume for one in positions}
        for one in rows:
            ticket = one.request.position_id
            has_passed = self._sent.now() - one.sent_at >= NOT_DONE_AFTER
            is_whole = one.request.held_before is not None and held.get(ticket or "") == one.request.held_before
            is_touched = any(
                text_of(deal.position_id) == ticket and deal.entry_type in ENTRIES_OUT and not deal.client_id
                for deal in deals
            )
            if has_passed and is_whole and not is_touched:
                self._sent.was_not_done(one.client_id)

    def _is_due(self) -> bool:
        return self._last is None or self._clock() - self._last >= self._apart

    def _open(self) -> list[Closing]:
        """Return what nobody knows and is still looked up; while the file cannot be read none of it ends."""
        try:
            rows = self._sent.open_closings(self._account)
        except ServiceRefused:
            return []
        return [one for one in rows if self._sent.now() - one.sent_at < LOOKED_UP_FOR]
