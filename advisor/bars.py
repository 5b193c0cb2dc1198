"""The minutes that the advisor looks at, read from feeds and kept up to date.

Of each symbol that somebody asked for the newest 10,000 closed minutes are held. Feeds is asked every few seconds what
it has stored; what is new is fetched, with the last hour once more, because a better source may have replaced it. When
the count of stored minutes says that more has changed, or more is new than a window holds, all of it is read again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec
import structlog
from msgspec import Struct

from advisor.ml.bars import Minute
from advisor.shared import PATIENCE_SECONDS, SharedWork, StillUnderWay
from sidecar.web import DeskAway, EventsGone, WebClient
from wire.candles import BarSource
from wire.minutes import LONGEST_PAGE, MINUTES_PATH, STORED_PATH, StoredSymbol, StoredSymbols

logger = structlog.get_logger(__name__)

FOLLOW_SECONDS = 3.0
ANSWER_SECONDS = 8.0
OVERLAP_SECONDS = 3_600
RELOAD_SECONDS = 3_600.0
COUNT_MAY_DIFFER = 2
"""By so many minutes the count of feeds may differ from ours: one may be stored between two calls."""


class _Row(Struct, frozen=True, array_like=True, gc=False):
    """A `MinuteRow` with prices as models read them: exact ones would be made and thrown away by the thousand."""

    t: int
    o: float
    h: float
    l: float  # noqa: E741 - as the row names it
    c: float
    v: float | None
    source: BarSource


class _Page(Struct, frozen=True):
    """What is read of `StoredMinutes`."""

    minutes: list[_Row]
    next: int | None


_pages = msgspec.json.Decoder(_Page)
_stored = msgspec.json.Decoder(StoredSymbols)


class BarsAway(Exception):
    """No bars can be read; the message is one sentence that says why."""


class Window(Struct):
    """The newest minutes of a symbol. ``edition`` changes with each change of them."""

    minutes: list[Minute]
    edition: int
    stored: int
    """How many minutes feeds has of the symbol, as far as we have followed it."""

    loaded_at: float
    known_until: float = 0.0
    """In seconds of the epoch: when feeds was last asked, and answered, what it has of the symbol."""


class FeedsBars:
    """Asks feeds for stored minutes."""

    def __init__(self, feeds: WebClient | None) -> None:
        """Ask `feeds`; None when there is none to ask."""
        self._feeds = feeds

    async def stored(self) -> dict[str, StoredSymbol]:
        """Return what is stored of each symbol of a real market. Raises `BarsAway`."""
        body = await self._get(STORED_PATH)
        try:
            return {row.symbol: row for row in _stored.decode(body).symbols if not row.simulated}
        except msgspec.DecodeError as error:
            raise BarsAway(f"feeds answers what cannot be read: {error}") from error

    async def newest(self, symbol: str, before: int | None = None) -> list[Minute]:
        """Return the newest 10,000 closed minutes, also those before a second of the epoch. Raises `BarsAway`."""
        earlier: dict[str, int] = {} if before is None else {"before": before}
        return minutes_of((await self._page(symbol=symbol, limit=LONGEST_PAGE, **earlier)).minutes)

    async def after(self, symbol: str, t: int) -> AsyncIterator[list[Minute]]:
        """Yield pages of the closed minutes that begin after a second of the epoch. Raises `BarsAway`."""
        following: int | None = t
        while following is not None:
            page = await self._page(symbol=symbol, after=following, limit=LONGEST_PAGE)
            yield minutes_of(page.minutes)
            following = page.next

    async def _page(self, **query: str | int) -> _Page:
        body = await self._get(MINUTES_PATH, **query)
        try:
            return _pages.decode(body)
        except msgspec.DecodeError as error:
            raise BarsAway(f"feeds answers what cannot be read: {error}") from error

    async def _get(self, path: str, **query: str | int) -> bytes:
        if self._feeds is None:
            raise BarsAway("feeds is off: FEEDS_URL names no address")
        try:
            return await self._feeds.get(path, ANSWER_SECONDS, **query)
        except (DeskAway, EventsGone) as error:
            raise BarsAway("the stored bars cannot be read: feeds is away, or refuses the advisor") from error


class BarBook:
    """The windows of the symbols that were asked for. Everything runs on one loop."""

    def __init__(
        self,
        feeds: FeedsBars,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Hold nothing yet. Who asks for a new symbol waits so long; it is read to the end all the same."""
        self._feeds = feeds
        self._clock = clock
        self._wall = wall
        self._windows: dict[str, Window] = {}
        self._loading: SharedWork[Window] = SharedWork(patience_seconds)
        self._edition = 0
        self.is_up = False
        """Whether feeds answered when it was last asked."""

    async def window(self, symbol: str) -> Window:
        """Return the newest minutes of a symbol, which are followed from then on. Raises `BarsAway`."""
        held = self._windows.get(symbol)
        if held is not None:
            return held
        try:
            return await self._loading.result(symbol, lambda: self._load_first(symbol))
        except StillUnderWay as error:
            raise BarsAway(f"the bars of {symbol} are being read: ask again") from error

    async def _load_first(self, symbol: str) -> Window:
        asked_at = self._wall()
        await self._load(symbol, (await self._stored()).get(symbol))
        window = self._windows[symbol]
        window.known_until = asked_at
        return window

    async def run(self) -> None:
        """Follow what is held, until the task is cancelled."""
        while True:
            was_up = self.is_up
            try:
                await self.follow()
            except BarsAway as error:
                if was_up:
                    logger.warning("bars are not followed until feeds answers", reason=str(error))
            await asyncio.sleep(FOLLOW_SECONDS)

    async def follow(self) -> None:
        """Ask once what is new, and take it in. Raises `BarsAway`."""
        asked_at = self._wall()
        stored = await self._stored()
        for symbol, window in tuple(self._windows.items()):
            row = stored.get(symbol)
            is_much = row is not None and row.rows - window.stored > LONGEST_PAGE
            if row is None or is_much or self._clock() - window.loaded_at > RELOAD_SECONDS:
                await self._load(symbol, row)
            elif row.rows != window.stored or not window.minutes or row.last_t > window.minutes[-1].t:
                await self._extend(symbol, window, row)
            self._windows[symbol].known_until = asked_at

    async def _stored(self) -> dict[str, StoredSymbol]:
        try:
            stored = await self._feeds.stored()
        except BarsAway:
            self.is_up = False
            raise
        self.is_up = True
        return stored

    async def _load(self, symbol: str, row: StoredSymbol | None) -> None:
        """Read all of a window. Raises `BarsAway`."""
        minutes = [] if row is None else await self._feeds.newest(symbol)
        self._hold(symbol, minutes, 0 if row is None else row.rows, self._clock())

    async def _extend(self, symbol: str, window: Window, row: StoredSymbol) -> None:
        """Read what follows a window, and all of it again when the past has changed. Raises `BarsAway`."""
        if not window.minutes:
            await self._load(symbol, row)
            return
        since = window.minutes[-1].t - OVERLAP_SECONDS
        kept = [minute for minute in window.minutes if minute.t <= since]
        tail = await self._tail(symbol, since)
        if tail is None:
            await self._load(symbol, row)
            return
        added = len(tail) - (len(window.minutes) - len(kept))
        if abs(window.stored + added - row.rows) > COUNT_MAY_DIFFER:
            await self._load(symbol, row)
            return
        minutes = (kept + tail)[-LONGEST_PAGE:]
        if minutes == window.minutes:
            window.stored = row.rows
        else:
            self._hold(symbol, minutes, row.rows, window.loaded_at)

    async def _tail(self, symbol: str, since: int) -> list[Minute] | None:
        """Return what follows a minute; None when it is more than a window holds. Raises `BarsAway`."""
        tail: list[Minute] = []
        async for page in self._feeds.after(symbol, since):
            tail += page
            if len(tail) > LONGEST_PAGE:
                return None
        return tail

    def _hold(self, symbol: str, minutes: list[Minute], stored: int, loaded_at: float) -> None:
        """Replace a window. Until when it is known is said once all of it was read."""
        self._edition += 1
        before = self._windows.get(symbol)
        known_until = 0.0 if before is None else before.known_until
        self._windows[symbol] = Window(minutes, self._edition, stored, loaded_at, known_until)


def minutes_of(rows: Sequence[_Row]) -> list[Minute]:
    """Return minutes as models read them. Equal prices are one object: there are thousands of them."""
    known: dict[float, float] = {}
    shared = known.setdefault
    return [
        Minute(
            row.t,
            shared(row.o, row.o),
            shared(row.h, row.h),
            shared(row.l, row.l),
            shared(row.c, row.c),
            None if row.v is None else shared(row.v, row.v),
            row.source,
        )
        for row in rows
    ]
