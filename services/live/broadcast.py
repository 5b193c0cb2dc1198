"""Sends the desk's changes to every listener of the stream, from bounded queues (DESIGN 11).

One thread watches the state manager. For each new state it builds the document once, finds what changed, encodes it
once, and queues the same bytes for every listener. A listener that cannot keep up receives ``resync`` and must
reconnect. A change made by time alone (a cooldown ends) is published when it happens.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import timedelta

import structlog
from msgspec import structs

from services.desk.manager import StateManager
from services.desk.publication import Snapshot
from services.engine.model.state import Asset, AssetLive
from services.engine.rules.ticks import is_told_by_tick
from services.live.activity import ActivityLog, LogLine, line_view
from services.live.bricks import BrickStore, FreshBrick, brick_view
from services.live.event_feed import EventFeed
from services.live.listeners import RESYNC, Listener, Message
from services.live.ticks import newest_of_each
from services.views.patches import changes
from services.views.state_view import history_view, live_document, whole_document
from wire.bridge import QuoteEvent, QuoteSource
from wire.state import LiveDocument
from wire.stream import BarHeard, BrickHeard, Change, Feed, LineHeard, Ping
from wire.tradingview import STREAM_POINTS
from wire.types import Price

TICK_SHOWN_EVERY_SECONDS = 0.25  # of a contract, to listeners that do not take every tick
CHANGES_KEPT = 512  # changes and events, for listeners that reconnect
LOOK_AGAIN_SECONDS = 1.0
PING_SECONDS = 2.0
ANSWERS_FIRST_SECONDS = 0.004
"""A change waits so long for its stream: whoever made it has the answer first, and changes come together."""

NOBODY_LISTENS_SECONDS = 1.0
"""The same while no stream is open; the first listener ends it."""

log = structlog.get_logger(__name__)


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
        self._tick_shown_at: dict[str, float] = {}
        activity.on_line = self._publish_line
        self._thread = threading.Thread(target=self._watch, name="broadcast", daemon=True)
        self._thread.start()

    # -- for the stream's route -------------------------------------------------------------------------------

    def listen(
        self,
        *,
        quotes_only: bool = False,
        after: int | None = None,
        unpacks: bool = False,
        every_tick: bool = False,
    ) -> Listener:
        """Return a new listener; it starts with the full state, or with the messages it missed since ``after``."""
        listener = Listener(quotes_only=quotes_only, unpacks=unpacks, every_tick=every_tick)
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

    def publish_ticks(self, quotes: Sequence[QuoteEvent]) -> None:
        """Send the quotes of ticks that a bridge has told. They are not kept for listeners that reconnect."""
        if not quotes:
            return
        with self._lock:
            version = self._seen.version
            every = Message.of_quotes(version, quotes)
            shown = self._quotes_to_show(quotes)
            newest = Message.of_quotes(version, shown) if shown else None
            for listener in self._listeners:
                message = every if listener.every_tick else newest
                if message is not None and not listener.quotes_only:
                    listener.offer_ticks(message)

    def publish_bar(self, bar: BarHeard) -> None:
        """Send a bar of TradingView to the listeners that take every tick. It is not kept for those that reconnect."""
        with self._lock:
            message = Message.of(self._seen.version, "bar", bar)
            for listener in self._listeners:
                if listener.every_tick and not listener.quotes_only:
                    listener.offer_ticks(message)

    def _quotes_to_show(self, quotes: Sequence[QuoteEvent]) -> tuple[QuoteEvent, ...]:
        """Return the newest quote of each contract that was shown long enough ago."""
        now = time.monotonic()
        due = [
            quote
            for quote in newest_of_each(quotes)
            if now - self._tick_shown_at.get(quote.symbol, float("-inf")) >= TICK_SHOWN_EVERY_SECONDS
        ]
        self._tick_shown_at |= {quote.symbol: now for quote in due}
        return tuple(due)

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
            return [*_new_quotes(None, snapshot), *_new_quotes(None, snapshot, of="ticks")]
        oldest_kept = self._kept[0].version if self._kept else None
        is_ours = after is not None and after in self._versions  # a version of another process needs the full state
        if after is not None and is_ours and oldest_kept is not None and oldest_kept <= after:
            return [message for message in self._kept if message.version >= after]
        # Not absorbed anew: the line of a commit that came meanwhile would be sent under the lock that is held here.
        whole = whole_document(self._document, snapshot, self._activity.absorbed())
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
        for message in _new_quotes(before, snapshot, of="ticks"):
            self._send(message, quotes_only=True)  # the others have heard the ticks themselves

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

    def _send(self, message: Message, *, quotes_only: bool = False) -> None:
        for listener in [listener for listener in self._listeners if listener.wants(message)]:
            if quotes_only and not listener.quotes_only:
                continue
            if not listener.offer(message):
                listener.end(RESYNC)
                self._listeners.discard(listener)


def _brick_message(fresh: FreshBrick, asset: Asset, version: int) -> Message:
    seen = brick_view(fresh.brick, fresh.stream, asset.contract.point)
    heard = BrickHeard(asset=fresh.asset, size=STREAM_POINTS[fresh.stream], **structs.asdict(seen))
    return Message.of(version, "brick", heard)


def _new_quotes(before: Snapshot | None, after: Snapshot, of: QuoteSource = "heartbeat") -> list[Message]:
    """Return a quote for every asset whose price is known, has moved, and was told so."""
    quotes = []
    for symbol, asset in after.desk.assets.items():
        earlier = before.desk.assets.get(symbol) if before is not None else None
        price = asset.live.last_price
        source: QuoteSource = "ticks" if is_told_by_tick(asset) else "heartbeat"
        if price is not None and source == of and (earlier is None or _moved(earlier.live, asset.live)):
            quotes.append(Message.of(after.version, "quote", _quote(symbol, asset, price, source)))
    return quotes


def _quote(symbol: str, asset: Asset, price: Price, source: QuoteSource) -> QuoteEvent:
    ticks = asset.live.ticks
    is_simulated = ticks.simulated if source == "ticks" and ticks is not None else asset.live.is_price_simulated
    return QuoteEvent(
        asset=symbol,
        symbol=asset.contract.symbol,
        price=price,
        ts=asset.live.price_at,
        source=source,
        simulated=is_simulated,
    )


def _moved(earlier: AssetLive, later: AssetLive) -> bool:
    return (earlier.last_price, earlier.price_at) != (later.last_price, later.price_at)
