"""The bricks before, during and after a closed trade, for the chart in the journal.

They come from memory when it reaches back far enough, else from the journal; one request reads a bounded number of
rows. A brick's time is the time of its close; a brick that closed at the instant of the exit counts as after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice, takewhile

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.trade_events import TradeClosed
from services.live.bricks import BRICKS_KEPT, Brick, BrickStore, bricks_of
from services.stores.store import JournalRow, Store
from wire.tradingview import STREAM_POINTS
from wire.types import Stream

# Most bricks shown of each part.
BEFORE = 40
BETWEEN = 540
AFTER = 20
ROWS_AT_MOST = 20_000  # journal rows of one request, decoded at about 36,000 a second
ROWS_BETWEEN = 10_000
ROWS_AFTER = 4_000  # the rest of ROWS_AT_MOST is for the bricks before
FIRST_LOOK_BACK = 1_000  # rows; each further step back doubles them

PRUNED = "The bricks of this trade are no longer in the journal."
NONE_CLOSED = "The journal holds no {size:f} point brick from around this trade."


class Gap(Struct, frozen=True):
    """Bricks of a long trade left out after the brick numbered ``after``; ``left_out`` is None when uncounted."""

    after: int
    left_out: int | None


class TradeBricks(Struct, frozen=True):
    """Bricks around a trade, oldest first, numbered from 1; ``between`` counts those that closed while it was open.

    ``absence`` is a sentence that says why there are none.
    """

    bricks: Sequence[Brick]
    between: int = 0
    gap: Gap | None = None
    absence: str | None = None


class _Stretches(Struct, frozen=True):
    """The bricks found. ``entry`` and ``exit`` are those of the open trade: from its start and up to its end.

    When none are missing between the two, ``exit`` is empty.
    """

    before: list[Brick]
    entry: list[Brick]
    exit: list[Brick]
    after: list[Brick]
    left_out: int | None = 0


def bricks_around(trade: TradeClosed, stream: Stream, store: Store, memory: BrickStore) -> TradeBricks:
    """Return at most 600 bricks of one size around a trade, or the reason why there are none.

    A longer trade loses the bricks in its middle. Raises StoreDown, StoreUnreadable.
    """
    found = _remembered(trade, memory.last(trade.asset, stream, BRICKS_KEPT)) or _journaled(trade, stream, store)
    if found is None:
        return TradeBricks([], absence=PRUNED)
    shown = _shortened(found)
    bricks = [*shown.before, *shown.entry, *shown.exit, *shown.after]
    if not bricks:
        return TradeBricks([], absence=NONE_CLOSED.format(size=STREAM_POINTS[stream]))
    return TradeBricks(
        bricks=[replace(brick, n=number) for number, brick in enumerate(bricks, 1)],
        between=len(shown.entry) + len(shown.exit),
        gap=None if shown.left_out == 0 else Gap(len(shown.before) + len(shown.entry), shown.left_out),
    )


def _remembered(trade: TradeClosed, bricks: Sequence[Brick]) -> _Stretches | None:
    """Return the bricks in memory around a trade; None when memory may not reach back far enough."""
    before = [brick for brick in bricks if brick.at < trade.entry_ts]
    if len(before) < BEFORE:
        return None
    between = [brick for brick in bricks if trade.entry_ts <= brick.at < trade.exit_ts]
    after = [brick for brick in bricks if brick.at >= trade.exit_ts]
    return _Stretches(before[-BEFORE:], between, [], after[:AFTER])


def _journaled(trade: TradeClosed, stream: Stream, store: Store) -> _Stretches | None:
    """Return the bricks in the journal around a trade; None when the rows of its entry were pruned."""
    entered = store.sequence_before(trade.entry_ts)
    left = max(entered, store.sequence_before(trade.exit_ts))
    if entered == 0 and any(row.sequence > 1 for row in islice(store.journal(), 1)):
        return None
    reading = _Reading(store, trade.asset, stream)
    if left - entered <= ROWS_BETWEEN:
        between = reading.stretch(entered, left)
        exit_part = []
        left_out = 0
    else:
        between = reading.stretch(entered, entered + ROWS_BETWEEN // 2)
        exit_part = reading.stretch(left - ROWS_BETWEEN // 2, left)
        left_out = None
    after = reading.first(left, AFTER)
    return _Stretches(reading.last(entered, BEFORE), between, exit_part, after, left_out)


def _shortened(found: _Stretches) -> _Stretches:
    """Keep as many bricks after the entry as before the exit, and leave out the middle of a long trade."""
    half = BETWEEN // 2
    if found.left_out is None:
        return replace(found, entry=found.entry[:half], exit=found.exit[-half:])
    missing = len(found.entry) - BETWEEN
    if missing <= 0:
        return found
    return replace(found, entry=found.entry[:half], exit=found.entry[-half:], left_out=missing)


class _Reading:
    """Reads the bricks of one series from the journal, ``ROWS_AT_MOST`` rows in all."""

    def __init__(self, store: Store, asset: str, stream: Stream) -> None:
        self._store = store
        self._asset = asset
        self._stream = stream
        self._rows_left = ROWS_AT_MOST

    def stretch(self, after: int, through: int) -> list[Brick]:
        """Return the bricks of the rows after the sequence ``after``, up to and with ``through``."""
        rows = takewhile(lambda row: row.sequence <= through, self._store.journal(after))
        return list(self._bricks(islice(rows, through - after)))

    def first(self, after: int, count: int) -> list[Brick]:
        """Return the next ``count`` bricks after a row, as far as ``ROWS_AFTER`` rows hold them."""
        return list(islice(self._bricks(islice(self._store.journal(after), ROWS_AFTER)), count))

    def last(self, through: int, count: int) -> list[Brick]:
        """Return the last ``count`` bricks up to a row: read further back until there are enough."""
        found: list[Brick] = []
        step = FIRST_LOOK_BACK
        while through > 0 and self._rows_left > 0 and len(found) < count:
            after = max(0, through - min(step, self._rows_left))
            found = [*self.stretch(after, through), *found]
            through = after
            step = 2 * step
        return found[-count:]

    def _bricks(self, rows: Iterable[JournalRow]) -> Iterable[Brick]:
        for at, event in bricks_of(self._counted(rows)):
            if event.asset == self._asset and event.stream == self._stream and event.color != "neutral":
                yield Brick(0, at, event.color, event.close)

    def _counted(self, rows: Iterable[JournalRow]) -> Iterable[JournalRow]:
        """Yield the asset's rows until the limit of rows is reached."""
        for row in rows:
            if self._rows_left <= 0:
                return
            self._rows_left -= 1
            if row.asset == self._asset:
                yield row
