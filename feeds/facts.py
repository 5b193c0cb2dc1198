"""Takes in web's committed events, each exactly once by its id (``GET /api/events``).

The cursor moves in the transaction that stores what follows from the events. When web's journal no longer holds what
follows the cursor, or is another journal, facts begin with the oldest event there is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import structlog

from feeds.health import Checkup
from feeds.hub import Hub
from feeds.store import Cursor, FeedsStore
from sidecar.pauses import Pauses
from sidecar.web import DeskAway, EventsGone, WebClient
from wire.events import EventRow, EventsAnswer

logger = structlog.get_logger(__name__)

EVENTS_OF_A_PAGE = 500
WAIT_SECONDS = 20
ANSWER_SECONDS = 30.0
FIRST_LOOK_BACK = timedelta(minutes=5)
"""A file of feeds that is new begins with the events of these minutes: nothing older is told as new."""

BETWEEN_EMPTY_PAGES_SECONDS = 0.5
"""Web answers at once when too many callers wait already; then it is asked no more often than this."""

_answers = msgspec.json.Decoder(EventsAnswer)


class FactFailed(Exception):
    """A part could not take in an event: the page was rolled back."""


class FactFollower:
    """Takes in events page by page. One task runs it."""

    def __init__(
        self,
        web: WebClient,
        store: FeedsStore,
        hub: Hub,
        checkup: Checkup,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Go on after the cursor of `store`."""
        self._web = web
        self._store = store
        self._hub = hub
        self._checkup = checkup
        self._clock = clock
        self._cursor = store.cursor()
        self._is_known = False  # whether the journal was found to be ours since web was last away
        self._page = EVENTS_OF_A_PAGE
        self.taken = 0
        """Events taken in since the start."""

        checkup.cursor = None if self._cursor is None else self._cursor.event_id

    async def run(self) -> None:
        """Take in events until the task is cancelled."""
        pauses = Pauses()
        while True:
            try:
                await self._turn()
                pauses.worked()
                continue
            except DeskAway:
                self._is_known = False  # the follower of the stream says why
            except FactFailed:
                self._page = 1  # so that the events before the one that fails are taken in
                logger.exception("an event could not be taken in, it is tried again")
            await asyncio.sleep(pauses.next_seconds())

    async def _turn(self) -> None:
        """Take in one page of events. Raises `DeskAway`, `FactFailed`."""
        try:
            if self._cursor is None:
                await self._begin()
            elif not self._is_known:
                await self._look_at_journal(self._cursor)
            await self._take_next_page()
        except EventsGone as gone:
            self._begin_at(gone.oldest)

    async def _begin(self) -> None:
        """Begin with a file that is new: with the events of the last minutes."""
        since = (self._clock() - FIRST_LOOK_BACK).isoformat()
        first = await self._ask(since_ts=since, limit=1)
        before = first.events[0].id - 1 if first.events else first.next
        self._move(Cursor(before, 0, ""))
        self._is_known = True

    async def _look_at_journal(self, cursor: Cursor) -> None:
        """Begin anew when web has another event than ours under the id that was taken in last."""
        if cursor.anchor_id:
            found = await self._ask(since_id=cursor.anchor_id - 1, limit=1)
            if not found.events or anchor_of(found.events[0]) != (cursor.anchor_id, cursor.anchor):
                logger.warning("web's journal is another one: its events are taken in from the first on")
                self._move(Cursor(0, 0, ""))
        self._is_known = True

    def _begin_at(self, oldest: int) -> None:
        """Go on with the oldest event that web has."""
        before = self._cursor
        if before is not None and before.event_id >= oldest:
            logger.warning("web's journal is another one: its events are taken in from the oldest on", oldest=oldest)
        else:
            logger.warning("events were pruned before they were taken in: feeds go on with the oldest", oldest=oldest)
        self._move(Cursor(oldest - 1, 0, ""))
        self._is_known = True

    async def _take_next_page(self) -> None:
        assert self._cursor is not None  # noqa: S101 - `_begin` sets it
        asked_at = time.monotonic()
        page = await self._ask(since_id=self._cursor.event_id, limit=self._page, wait=WAIT_SECONDS)
        self._checkup.facts_asked_at = time.monotonic()
        if page.events or page.next != self._cursor.event_id:
            self._take_in(page, self._cursor)
            self._page = EVENTS_OF_A_PAGE
        elif time.monotonic() - asked_at < BETWEEN_EMPTY_PAGES_SECONDS:
            await asyncio.sleep(BETWEEN_EMPTY_PAGES_SECONDS)

    def _take_in(self, page: EventsAnswer, before: Cursor) -> None:
        """Store what follows from the events, and the cursor, in one transaction. Raises `FactFailed`."""
        fresh = [event for event in page.events if event.id > before.event_id]
        anchor = anchor_of(fresh[-1]) if fresh else (before.anchor_id, before.anchor)
        try:
            with self._store.transaction():
                for event in fresh:
                    self._hub.fact(event)
                self._store.move_cursor(Cursor(page.next, *anchor))
        except Exception as error:
            raise FactFailed from error
        self._cursor = Cursor(page.next, *anchor)
        self._checkup.cursor = page.next
        self.taken += len(fresh)
        self._hub.facts_stored()

    def _move(self, cursor: Cursor) -> None:
        self._store.move_cursor(cursor)
        self._cursor = cursor
        self._checkup.cursor = cursor.event_id

    async def _ask(self, **query: str | int) -> EventsAnswer:
        answer = await self._web.get("/api/events", ANSWER_SECONDS, **query)
        try:
            return _answers.decode(answer)
        except msgspec.DecodeError as error:
            raise DeskAway("failing", f"the events cannot be read: {error}") from error


def anchor_of(event: EventRow) -> tuple[int, str]:
    """Return an event's id, and what no other event of that id has in another journal."""
    return event.id, f"{event.ts.isoformat()} {event.type} {event.asset}"
