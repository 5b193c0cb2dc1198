"""The last bricks of every asset and size, in memory, for the charts (SPEC 3).

Bricks of 2.5pt and more come from committed ``BrickApplied`` events and carry the journal's time. The 1pt brick is
never journaled, so it is read from the desk after each commit. After a start a thread reads the newest journal rows
while new bricks arrive. New bricks are numbered from ``FIRST_LIVE`` upwards, bricks from the journal from there
downwards, so that both are in order.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import structlog
from msgspec import Struct

from services.engine.model.bar_commands import CloseBar
from services.engine.model.bricks import BrickStream
from services.engine.model.commands import CloseBrick
from services.engine.model.events import BrickApplied, UnitChanged
from services.engine.model.feed import SmallBrick
from services.engine.model.state import Desk
from services.engine.model.ticks import HearTicks
from services.stores.codec.committed_events import CommittedEvent, committed_events
from services.stores.store import JournalRow, Store, StoreError
from wire.answers import BrickRow
from wire.tradingview import STREAM_POINTS
from wire.types import Color, Instant, Price, Stream

BRICKS_KEPT = 2_000
ROWS_REMEMBERED = 20_000
FIRST_LIVE = ROWS_REMEMBERED  # room for the journal's bricks below it: a row holds one brick at most
FRESH_KEPT = 2_000  # an overflow is a gap that a client sees by the numbers
CLOSE_BRICKS = {CloseBrick.kind_name(), CloseBar.kind_name(), HearTicks.kind_name()}
CHANGES_A_UNIT = b"UnitChanged"  # at a start, or with the trading day in a row of any kind

log = structlog.get_logger(__name__)

Series = tuple[str, Stream]
Remembered = dict[Series, deque[tuple[Instant, BrickApplied]]]


class Brick(Struct, frozen=True):
    """A closed brick; ``n`` grows by one within its series until the process ends."""

    n: int
    at: Instant
    color: Color
    close: Price | None


class FreshBrick(Struct, frozen=True):
    """A brick that was just committed, and its series."""

    asset: str
    stream: Stream
    brick: Brick


class BrickStore:
    """At most ``BRICKS_KEPT`` bricks of each asset and size. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[Series, deque[Brick]] = {}
        self._next: dict[Series, int] = {}
        self._ones: dict[str, Instant] = {}
        self._fresh: deque[FreshBrick] = deque(maxlen=FRESH_KEPT)
        self._first_heard: int | None = None
        self._begun_anew: set[str] = set()
        self._stopping = threading.Event()
        self._is_whole = threading.Event()

    # -- from commits -------------------------------------------------------------------------------------------

    def on_commit(self, rows: Sequence[JournalRow], events: Sequence[CommittedEvent], desk: Desk) -> None:
        """Add the committed bricks, and each asset's 1pt brick when it is a new one."""
        if rows and self._first_heard is None:
            self._first_heard = rows[0].sequence
        for one in events:
            if isinstance(brick := one.event, BrickApplied):
                self._add(brick.asset, brick.stream, one.at, brick.color, brick.close)
            elif isinstance(one.event, UnitChanged):
                self._begin_anew(one.event.asset)
        for symbol, asset in desk.assets.items():
            smallest = asset.live.one
            if smallest.at is not None and smallest.at != self._ones.get(symbol):
                self._ones[symbol] = smallest.at
                self._add_ones(symbol, smallest.at, smallest, asset.live.feed.ones)

    def _add_ones(self, asset: str, at: Instant, newest: BrickStream, ones: Sequence[SmallBrick]) -> None:
        """Add the 1pt bricks of the newest message; the stream holds only the last of them."""
        is_last = bool(ones) and (ones[-1].color, ones[-1].close) == (newest.color, newest.close)
        for one in ones[:-1] if is_last else ():
            self._add(asset, Stream.ONE, at, one.color, one.close)
        self._add(asset, Stream.ONE, at, newest.color, newest.close)

    def _add(self, asset: str, stream: Stream, at: Instant, color: Color, close: Price | None) -> None:
        if color == "neutral":
            return  # a neutral brick only clears the stream's colour; it has no price move to draw
        key = (asset, stream)
        with self._lock:
            number = self._next.get(key, FIRST_LIVE)
            brick = Brick(number, at, color, close)
            self._next[key] = number + 1
            self._series.setdefault(key, deque(maxlen=BRICKS_KEPT)).append(brick)
            self._fresh.append(FreshBrick(asset, stream, brick))

    def _begin_anew(self, asset: str) -> None:
        """Forget the bricks of an asset whose unit has changed: they have another size."""
        with self._lock:
            self._begun_anew.add(asset)
            for key in self._series:
                if key[0] == asset:
                    self._series[key].clear()

    # -- from the journal ---------------------------------------------------------------------------------------

    def remember(self, store: Store, through: int) -> None:
        """Start a thread that reads the newest rows up to the sequence ``through``; the start does not wait for it."""
        last = through if self._first_heard is None else min(through, self._first_heard - 1)
        threading.Thread(target=self._fill, args=(store, last), name="bricks", daemon=True).start()

    def _fill(self, store: Store, last: int) -> None:
        remembered: Remembered = {}
        try:
            rows = islice(store.journal(max(0, last - ROWS_REMEMBERED)), ROWS_REMEMBERED)
            for one in _events_of(row for row in rows if row.sequence <= last and not self._stopping.is_set()):
                _remember(remembered, one)
        except StoreError as error:
            log.warning("the charts begin with less than there was", error=str(error))
        with self._lock:
            for key, bricks in remembered.items():
                if key[0] not in self._begun_anew:
                    self._prepend(key, bricks)
        self._is_whole.set()

    def _prepend(self, key: Series, remembered: deque[tuple[Instant, BrickApplied]]) -> None:
        """Put the journal's bricks before those committed since the start; the caller holds the lock."""
        heard = self._series.get(key, ())
        coloured = [(at, event) for at, event in remembered if event.color != "neutral"]
        first = FIRST_LIVE - len(coloured)
        older = (Brick(first + place, at, e.color, e.close) for place, (at, e) in enumerate(coloured))
        self._series[key] = deque((*older, *heard), maxlen=BRICKS_KEPT)

    def stop(self) -> None:
        """Stop reading the journal: the store is about to be closed."""
        self._stopping.set()
        self._is_whole.wait(timeout=1.0)

    # -- for charts and the stream ------------------------------------------------------------------------------

    @property
    def is_whole(self) -> bool:
        """Whether the journal's bricks have been read; until then a chart must ask again."""
        return self._is_whole.is_set()

    def last(self, asset: str, stream: Stream, limit: int) -> list[Brick]:
        """Return the newest bricks of a series, oldest first."""
        with self._lock:
            bricks = list(self._series.get((asset, stream), ()))
        return bricks[-limit:]

    def take_fresh(self) -> list[FreshBrick]:
        """Return the bricks committed since the last call, in order. Only the broadcaster calls this."""
        with self._lock:
            fresh = list(self._fresh)
            self._fresh.clear()
        return fresh


def brick_view(brick: Brick, stream: Stream, point: Price) -> BrickRow:
    """Return a brick as clients read it; its open is computed from close, size and colour. ``point`` is in price."""
    height = STREAM_POINTS[stream] * point * (1 if brick.color == "green" else -1)
    opened = None if brick.close is None else brick.close - height
    return BrickRow(
        n=brick.n, ts=brick.at, color="green" if brick.color == "green" else "red", open=opened, close=brick.close
    )


def bricks_of(rows: Iterable[JournalRow]) -> Iterator[tuple[Instant, BrickApplied]]:
    """Yield the bricks in journal rows and skip rows that cannot be decoded."""
    for one in _events_of(rows):
        if isinstance(one.event, BrickApplied):
            yield one.at, one.event


def _events_of(rows: Iterable[JournalRow]) -> Iterator[CommittedEvent]:
    """Yield the events of the rows that may tell of bricks; decoding the others would take long."""
    for row in rows:
        if row.kind in CLOSE_BRICKS or CHANGES_A_UNIT in row.events:
            yield from committed_events(row)


def _remember(remembered: Remembered, one: CommittedEvent) -> None:
    if isinstance(brick := one.event, BrickApplied):
        key = (brick.asset, brick.stream)
        remembered.setdefault(key, deque(maxlen=BRICKS_KEPT)).append((one.at, brick))
    elif isinstance(one.event, UnitChanged):
        for key in [known for known in remembered if known[0] == one.event.asset]:
            del remembered[key]
