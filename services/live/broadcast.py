"""Sends the desk's changes to every listener of the stream, from bounded queues (DESIGN 11).

One thread watches the state manager. For each new state it builds the document once, finds what changed, encodes it
once, and queues the same bytes for every listener. A listener that cannot keep up receives ``resync`` and must
reconnect. A change made by time alone (a cooldown ends) is published when it happens.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import structlog
from msgspec import Struct, structs

from services.desk.manager import StateManager
from services.desk.publication import Snapshot
from services.engine.model.state import Asset, AssetLive
from services.live.activity import ActivityLog, LogLine, line_view
from services.live.bricks import BrickStore, FreshBrick, brick_view
from services.live.event_feed import EventFeed
from services.live.packing import pack
from services.views.patches import changes
from services.views.state_view import history_view, live_document, whole_document
from wire.bridge import QuoteEvent
from wire.encoding import encode
from wire.state import LiveDocument
from wire.stream import BrickHeard, Change, Feed, LineHeard, Ping
from wire.tradingview import STREAM_POINTS

MESSAGES_QUEUED = 512
CHANGES_KEPT = 512  # changes and events, for listeners that reconnect
LOOK_AGAIN_SECONDS = 1.0
PING_SECONDS = 2.0
ANSWERS_FIRST_SECONDS = 0.004
"""A change waits so long for its stream: whoever made it has the answer first, and changes come together."""

NOBODY_LISTENS_SECONDS = 1.0
"""The same while no stream is open; the first listener ends it."""

log = structlog.get_logger(__name__)


class Message(Struct):
    """One message of the stream, encoded once for all listeners, and packed once for those who unpack it."""

    version: int
    event: str
    body: bytes
    wire: bytes
    _packed: bytes = b""

    @classmethod
    def of(cls, version: int, event: str, content: object) -> Message:
        """Encode a message as the lines of a server-sent event."""
        body = encode(content)
        return cls(version, event, body, b"id: %d\nevent: %s\ndata: %s\n\n" % (version, event.encode(), body))

    def packed(self) -> bytes:
        """Return the message compressed."""
        if not self._packed:
            self._packed = pack(self.wire)
        return self._packed


RESYNC = Message(0, "resync", b"{}", b"id:\nevent: resync\ndata: {}\n\n")
"""Its empty id makes a client forget its last one: resumed from there, it would miss the messages that were dropped."""


class Listener:
    """One client's bounded queue. With ``quotes_only`` it receives quotes alone, else every message.

    One that ``unpacks`` is sent its messages packed: they are packed before they are queued.
    """

    def __init__(self, *, quotes_only: bool, unpacks: bool = False) -> None:
        self.quotes_only = quotes_only
        self.unpacks = unpacks
        self._queue: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self.on_message: Callable[[], None] | None = None
        """Called in the sender's thread after a message was queued, and after the end."""

    def wants(self, message: Message) -> bool:
        return not self.quotes_only or message.event in ("quote", "ping")

    def offer(self, message: Message) -> bool:
        """Queue a message; return False when the queue is full and the client must resync."""
        if self._queue.qsize() >= MESSAGES_QUEUED:
            return False
        self._put(message)
        return True

    def _put(self, message: Message | None) -> None:
        if self.unpacks and message is not None:
            message.packed()
        self._queue.put(message)
        if self.on_message is not None:
            self.on_message()

    def end(self, last: Message | None = None) -> None:
        """Drop the queued messages and end the stream, after ``last`` if it is given."""
        self.take_queued()
        if last is not None:
            self._put(last)
        self._put(None)

    def take_queued(self) -> list[Message]:
        """Take the queued messages, oldest first, without waiting for more."""
        return self.take()[0]

    def take(self) -> tuple[list[Message], bool]:
        """Take the queued messages, oldest first, without waiting for more; say whether the stream goes on."""
        taken: list[Message] = []
        with suppress(queue.Empty):
            while True:
                message = self._queue.get_nowait()
                if message is None:
                    return taken, False
                taken.append(message)
        return taken, True


class Broadcaster:
    """Watches the desk and sends its changes to the listeners."""

    def __init__(
        self,
        manager: StateManager,
        activity: ActivityLog,
        bricks: BrickStore | None = None,
        events: EventFeed | None = None,
    ) -> None:
        self._manager = manager
        self._activity = activity
        self._bricks = bricks
        self._events = events
        self._listeners: set[Listener] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._has_joined = threading.Event()
        self._kept: deque[Message] = deque(maxlen=CHANGES_KEPT)
        self._versions: deque[int] = deque(maxlen=4 * CHANGES_KEPT)  # versions that this process published
        self._seen: Snapshot = manager.snapshot
        self._document: LiveDocument = live_document(self._seen, manager.now)
        self._pinged_at = time.monotonic()
        activity.on_line = self._publish_line
        self._thread = threading.Thread(target=self._watch, name="broadcast", daemon=True)
        self._thread.start()

    # -- for the stream's route -------------------------------------------------------------------------------

    def listen(self, *, quotes_only: bool = False, after: int | None = None, unpacks: bool = False) -> Listener:
        """Return a new listener; it starts with the full state, or with the messages it missed since ``after``."""
        listener = Listener(quotes_only=quotes_only, unpacks=unpacks)
        with self._activity.lock:
            self._activity.absorb()
            return self._listen(listener, after)

    def _listen(self, listener: Listener, after: int | None) -> Listener:
        with self._lock:
            self._publish_changes()  # so that the new listener starts from the document the others have
            for message in self._opening(listener.quotes_only, after):
                listener.offer(message)
            self._listeners.add(listener)
        self._has_joined.set()
        return listener

    @property
    def listeners(self) -> int:
        """Number of open streams."""
        return len(self._listeners)

    def leave(self, listener: Listener) -> None:
        with self._lock:
            self._listeners.discard(listener)

    def stop(self) -> None:
        """End every stream: the process is about to stop."""
        self._stopping.set()
        self._has_joined.set()
        with self._lock:
            for listener in self._listeners:
                listener.end()
            self._listeners.clear()

    def _opening(self, quotes_only: bool, after: int | None) -> list[Message]:
        snapshot = self._seen
        if quotes_only:
            return _new_quotes(None, snapshot)
        oldest_kept = self._kept[0].version if self._kept else None
        is_ours = after is not None and after in self._versions  # a version of another process needs the full state
        if after is not None and is_ours and oldest_kept is not None and oldest_kept <= after:
            return [message for message in self._kept if message.version >= after]
        whole = whole_document(self._document, snapshot, self._activity.as_document())
        return [Message.of(snapshot.version, "state", whole)]

    # -- the watching thread ----------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._stopping.is_set():
            if self._manager.wait_until(self._is_news, self._seconds_to_wait()):
                self._let_answers_go_first()
            try:
                with self._lock:
                    self._publish_changes()
                    self._ping_when_due()
                self._activity.absorb()  # after the change: a page draws what comes first in a frame of its own
            except Exception:
                log.exception("a change could not be published")

    def _let_answers_go_first(self) -> None:
        if self._listeners:
            self._stopping.wait(ANSWERS_FIRST_SECONDS)
            return
        self._has_joined.clear()
        if not self._listeners and not self._stopping.is_set():
            self._has_joined.wait(NOBODY_LISTENS_SECONDS)

    def _is_news(self, snapshot: Snapshot) -> bool:
        return snapshot.version != self._seen.version

    def _seconds_to_wait(self) -> float:
        """Return the seconds until time alone may change the document, at most one."""
        now = self._manager.now
        rungs = (rung for asset in self._document.assets.values() for rung in asset.ladder)
        ends = [rung.reopens_at for rung in rungs if rung.reopens_at is not None]
        next_end = min((end - now for end in ends if end > now), default=timedelta(seconds=LOOK_AGAIN_SECONDS))
        return min(LOOK_AGAIN_SECONDS, next_end.total_seconds())

    def _publish_changes(self) -> None:
        """Send what changed since the last call; the caller holds the lock."""
        before = self._seen
        snapshot = self._manager.snapshot
        now = self._manager.now
        document = live_document(snapshot, now)
        patch = changes(self._document, document)
        if snapshot.history is not before.history:
            patch["history"] = history_view(snapshot)
        self._seen = snapshot
        self._document = document
        if not self._versions or self._versions[-1] != snapshot.version:
            self._versions.append(snapshot.version)
        kept = self._event_messages(snapshot.version)  # before the change, so that a page can name its reason
        if patch:
            kept.append(Message.of(snapshot.version, "change", Change(snapshot.version, now, patch)))
        self._kept.extend(kept)
        for message in (*kept, *self._brick_messages(snapshot), *_new_quotes(before, snapshot)):
            self._send(message)  # all are encoded by now, so that they reach a page together

    def _event_messages(self, version: int) -> list[Message]:
        fresh = self._events.take_fresh() if self._events is not None else ()
        return [Message.of(version, "event", row) for row in fresh]

    def _brick_messages(self, snapshot: Snapshot) -> list[Message]:
        fresh = self._bricks.take_fresh() if self._bricks is not None else ()
        return [
            _brick_message(one, asset, snapshot.version)
            for one in fresh
            if (asset := snapshot.desk.assets.get(one.asset))
        ]

    def _publish_line(self, feed: Feed, line: LogLine, replaces_last: bool) -> None:
        heard = LineHeard(feed, line_view(line), replaces_last)
        with self._lock:
            self._send(Message.of(self._seen.version, "log", heard))

    def _ping_when_due(self) -> None:
        if time.monotonic() - self._pinged_at < PING_SECONDS:
            return
        self._pinged_at = time.monotonic()
        version = self._seen.version
        self._send(Message.of(version, "ping", Ping(self._manager.now, version)))

    def _send(self, message: Message) -> None:
        for listener in [listener for listener in self._listeners if listener.wants(message)]:
            if not listener.offer(message):
                listener.end(RESYNC)
                self._listeners.discard(listener)


def _brick_message(fresh: FreshBrick, asset: Asset, version: int) -> Message:
    seen = brick_view(fresh.brick, fresh.stream, asset.contract)
    heard = BrickHeard(asset=fresh.asset, size=STREAM_POINTS[fresh.stream], **structs.asdict(seen))
    return Message.of(version, "brick", heard)


def _new_quotes(before: Snapshot | None, after: Snapshot) -> list[Message]:
    """Return a quote for every asset whose price is known and has moved."""
    quotes = []
    for symbol, asset in after.desk.assets.items():
        earlier = before.desk.assets.get(symbol) if before is not None else None
        price = asset.live.last_price
        if price is not None and (earlier is None or _moved(earlier.live, asset.live)):
            heard = QuoteEvent(asset=symbol, symbol=asset.contract.symbol, price=price, ts=asset.live.price_at)
            quotes.append(Message.of(after.version, "quote", heard))
    return quotes


def _moved(earlier: AssetLive, later: AssetLive) -> bool:
    return (earlier.last_price, earlier.price_at) != (later.last_price, later.price_at)
