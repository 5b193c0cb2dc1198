"""The last bricks of every asset and size, in memory, for the charts (SPEC 3).

Sizes from 2.5pt on come from committed ``BrickApplied`` events, with their time in the journal. The 1pt brick is never
journaled, so it is taken from the desk of each commit. At a start the journal's newest rows are read in a thread of
their own, and what is heard meanwhile is placed behind them: bricks are numbered from ``FIRST_LIVE`` upwards as they
come and from there downwards as they are remembered.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import structlog
from msgspec import Struct

from services.engine.model.commands import CloseBrick
from services.engine.model.events import BrickApplied
from services.engine.model.state import Desk
from services.stores.codec.committed_events import CommittedEvent, committed_events
from services.stores.store import JournalRow, Store, StoreError
from wire.answers import BrickRow
from wire.tradingview import STREAM_POINTS
from wire.types import Color, Contract, Instant, Price, Stream

BRICKS_KEPT = 2_000
ROWS_REMEMBERED = 20_000
FIRST_LIVE = ROWS_REMEMBERED  # what is remembered is numbered below: a row holds one brick at most
FRESH_KEPT = 2_000  # an overflow is a gap that a client sees by the numbers
CLOSES_A_BRICK = CloseBrick.kind_name()

log = structlog.get_logger(__name__)

Series = tuple[str, Stream]


class Brick(Struct, frozen=True):
    """A closed brick; ``n`` grows by one within its series for as long as the process lives."""

    n: int
    at: Instant
    color: Color
    close: Price | None


class FreshBrick(Struct, frozen=True):
    """A brick that was just heard, and of which series it is."""

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
        self._stopping = threading.Event()
        self._is_whole = threading.Event()

    # -- what feeds it ------------------------------------------------------------------------------------------

    def on_commit(self, rows: Sequence[JournalRow], events: Sequence[CommittedEvent], desk: Desk) -> None:
        """Take the bricks that were committed, and each asset's 1pt brick when it is another one than before."""
        if rows and self._first_heard is None:
            self._first_heard = rows[0].sequence
        for one in events:
            if isinstance(brick := one.event, BrickApplied):
                self._add(brick.asset, brick.stream, one.at, brick.color, brick.close)
        for symbol, asset in desk.assets.items():
            smallest = asset.live.one
            if smallest.at is not None and smallest.at != self._ones.get(symbol):
                self._ones[symbol] = smallest.at
                self._add(symbol, Stream.ONE, smallest.at, smallest.color, smallest.close)

    def _add(self, asset: str, stream: Stream, at: Instant, color: Color, close: Price | None) -> None:
        if color == "neutral":
            return  # it takes the colour back, it moves no price
        key = (asset, stream)
        with self._lock:
            number = self._next.get(key, FIRST_LIVE)
            brick = Brick(number, at, color, close)
            self._next[key] = number + 1
            self._series.setdefault(key, deque(maxlen=BRICKS_KEPT)).append(brick)
            self._fresh.append(FreshBrick(asset, stream, brick))

    # -- the past -----------------------------------------------------------------------------------------------

    def remember(self, store: Store, through: int) -> None:
        """Read the newest rows up to the sequence ``through`` in a thread of its own; no start waits for it."""
        last = through if self._first_heard is None else min(through, self._first_heard - 1)
        threading.Thread(target=self._fill, args=(store, last), name="bricks", daemon=True).start()

    def _fill(self, store: Store, last: int) -> None:
        remembered: dict[Series, deque[tuple[Instant, BrickApplied]]] = {}
        try:
            rows = islice(store.journal(max(0, last - ROWS_REMEMBERED)), ROWS_REMEMBERED)
            for at, event in bricks_of(row for row in rows if row.sequence <= last and not self._stopping.is_set()):
                key = (event.asset, event.stream)
                remembered.setdefault(key, deque(maxlen=BRICKS_KEPT)).append((at, event))
        except StoreError as error:
            log.warning("the charts begin with less than there was", error=str(error))
        with self._lock:
            for key, bricks in remembered.items():
                self._prepend(key, bricks)
        self._is_whole.set()

    def _prepend(self, key: Series, remembered: deque[tuple[Instant, BrickApplied]]) -> None:
        """Put what is remembered before what was heard since; the caller holds the lock."""
        heard = self._series.get(key, ())
        coloured = [(at, event) for at, event in remembered if event.color != "neutral"]
        first = FIRST_LIVE - len(coloured)
        older = (Brick(first + place, at, e.color, e.close) for place, (at, e) in enumerate(coloured))
        self._series[key] = deque((*older, *heard), maxlen=BRICKS_KEPT)

    def stop(self) -> None:
        """Read no further; the store is about to be closed."""
        self._stopping.set()
        self._is_whole.wait(timeout=1.0)

    # -- who asks -----------------------------------------------------------------------------------------------

    @property
    def is_whole(self) -> bool:
        """Whether the past has been read; until then a chart is asked for again."""
        return self._is_whole.is_set()

    def last(self, asset: str, stream: Stream, limit: int) -> list[Brick]:
        """Return the newest bricks of a series, oldest first."""
        with self._lock:
            bricks = list(self._series.get((asset, stream), ()))
        return bricks[-limit:]

    def take_fresh(self) -> list[FreshBrick]:
        """Return what was heard since the last call, in order, for one listener: the broadcaster."""
        with self._lock:
            fresh = list(self._fresh)
            self._fresh.clear()
        return fresh


def brick_view(brick: Brick, stream: Stream, contract: Contract) -> BrickRow:
    """Return a brick as clients read it; where it opened follows from its close, size and colour."""
    height = STREAM_POINTS[stream] * contract.point_size * (1 if brick.color == "green" else -1)
    opened = None if brick.close is None else brick.close - height
    return BrickRow(
        n=brick.n, ts=brick.at, color="green" if brick.color == "green" else "red", open=opened, close=brick.close
    )


def bricks_of(rows: Iterable[JournalRow]) -> Iterator[tuple[Instant, BrickApplied]]:
    """Yield the bricks in journal rows; a row that cannot be read holds none."""
    for row in rows:
        if row.kind == CLOSES_A_BRICK:
            yield from ((one.at, one.event) for one in committed_events(row) if isinstance(one.event, BrickApplied))
