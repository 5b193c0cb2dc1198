"""Follows web's stream: the state with its changes, prices and bricks. Facts come from ``facts.py``.

When the stream breaks, feeds stay up, say that web is away, and try again. With ``Last-Event-ID`` the stream goes on
where it broke while web remembers; else it begins with the whole state.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import structlog
from msgspec import Struct

from feeds.desk import DeskPicture
from feeds.hub import Hub
from sidecar.pauses import Pauses
from sidecar.web import DeskAway, WebClient
from wire.bridge import QuoteEvent
from wire.stream import BarHeard, BrickHeard

logger = structlog.get_logger(__name__)

SILENCE_SECONDS = 8.0
"""Web sends a ping every 2 s; a stream without a byte for this long is dead."""

LONGEST_MESSAGE_BYTES = 32 * 2**20
NOTHING_TO_MERGE_WITH = "a change came before the state"

_documents = msgspec.json.Decoder(dict[str, Any])
_quotes = msgspec.json.Decoder(QuoteEvent)
_bricks = msgspec.json.Decoder(BrickHeard)
_bars = msgspec.json.Decoder(BarHeard)


class Told(Struct, frozen=True):
    """One message of the stream. ``id`` is None where it has none, empty where the last one is to be forgotten."""

    event: str
    id: str | None
    body: bytes


class Resync(Exception):
    """The stream must begin anew with the whole state."""


class Follower:
    """Follows the stream and calls the hub. One task runs it."""

    def __init__(self, web: WebClient, desk: DeskPicture, hub: Hub) -> None:
        """Keep `desk` current and tell `hub`."""
        self._web = web
        self._desk = desk
        self._hub = hub
        self._last_id: str | None = None
        self._unreadable: set[str] = set()
        self._heard_at: datetime | None = None
        self._is_interrupted = False  # prices may have been missed since ``_heard_at``
        self.restarts = 0
        """How often the stream was opened anew."""

        self._takes: dict[str, Callable[[bytes], None]] = {
            "state": self._take_state,
            "change": self._take_change,
            "quote": lambda body: self._hub.quote(_quotes.decode(body)),
            "brick": lambda body: self._hub.brick(_bricks.decode(body)),
            "bar": lambda body: self._hub.bar(_bars.decode(body)),
            "missed": lambda _: self._hub.ticks_missed(),
        }

    async def run(self) -> None:
        """Follow until the task is cancelled."""
        pauses = Pauses()
        while True:
            try:
                await self._listen(pauses)
                self._went(DeskAway("broke_off", "web ended the stream"))
            except Resync:
                self._last_id = None
            except DeskAway as error:
                self._went(error)
            self.restarts += 1
            self._is_interrupted = True
            await asyncio.sleep(pauses.next_seconds())

    async def _listen(self, pauses: Pauses) -> None:
        async with self._web.stream("/api/stream", SILENCE_SECONDS, self._last_id) as answer:
            async for told in messages_of(answer):
                if told.event:
                    self._hear(told)
                    pauses.worked()

    def _hear(self, told: Told) -> None:
        if told.event == "resync":
            raise Resync
        now = datetime.now(UTC)
        if self._is_interrupted:
            self._is_interrupted = False
            self._hub.gap(self._heard_at, now)
        self._heard_at = now
        take = self._takes.get(told.event)
        if take is not None:
            self._take(told, take)
        if told.id is not None:
            self._last_id = told.id or None
        if self._desk.document is not None and not self._desk.is_up:
            self._came()

    def _take(self, told: Told, take: Callable[[bytes], None]) -> None:
        """Take one message; one that cannot be read is logged once for its kind. A lost change: all anew."""
        try:
            take(told.body)
        except msgspec.MsgspecError as error:
            if told.event not in self._unreadable:
                self._unreadable.add(told.event)
                logger.warning("a message of the stream cannot be read", event_type=told.event, reason=str(error))
            if told.event in ("state", "change"):
                raise DeskAway("failing", "the state cannot be read") from error

    def _take_state(self, body: bytes) -> None:
        self._desk.take(_documents.decode(body))
        if self._desk.is_up:
            self._hub.desk(self._desk)
        else:
            self._came()

    def _take_change(self, body: bytes) -> None:
        if not self._desk.patch(_documents.decode(body)):
            raise Resync
        if self._desk.is_up:
            self._hub.desk(self._desk)

    def _came(self) -> None:
        self._desk.came()
        logger.info("web is heard", version=self._desk.version)
        self._hub.desk(self._desk)

    def _went(self, error: DeskAway) -> None:
        """Say that web is away, once for each reason. Parts hear it when it was there before."""
        was_up, said = self._desk.is_up, self._desk.why
        self._desk.went(error.why)
        if error.why == "refused":
            self._last_id = None
        if was_up or said != error.why:
            logger.warning("web is away: feeds stay up and go on trying", why=error.why, reason=str(error))
        if was_up:
            self._hub.desk(self._desk)


async def messages_of(answer: httpx.Response) -> AsyncIterator[Told]:
    """Yield the messages of a stream of server-sent events. Raises `DeskAway` for one without an end."""
    waiting = b""
    async for chunk in answer.aiter_raw():
        *whole, waiting = (waiting + chunk).split(b"\n\n")
        for lines in whole:
            yield read_message(lines)
        if len(waiting) > LONGEST_MESSAGE_BYTES:
            raise DeskAway("failing", "a message of the stream has no end")


def read_message(lines: bytes) -> Told:
    """Read the lines of one message; unknown fields are passed over, as the format wants it."""
    event, number, body = "", None, []
    for line in lines.split(b"\n"):
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"event":
            event = value.decode("utf-8", "replace")
        elif name == b"id":
            number = value.decode("utf-8", "replace")
        elif name == b"data":
            body.append(value)
    return Told(event, number, b"\n".join(body))
