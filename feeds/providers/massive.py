"""Bars of Massive (Polygon): futures contract by contract, and pairs; with a key of the user's own.

Futures have a call of their own, ``/futures/v1/aggs/{ticker}``; pairs are ``/v2/aggs/ticker/{ticker}/range``. The key
travels in a header, never in an address. A page names the next one; only its path is followed, on the server that was
chosen. A minute without a trade has no bar. The volume of pairs counts quotes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import quote, urlsplit

from msgspec import Struct

from feeds.bars.types import Bar
from feeds.providers.answers import AnsweredBar, sound_bars
from feeds.providers.asking import Asker
from feeds.providers.provider import ProviderFailed
from feeds.providers.server import Query, ServerProvider
from services.market.instruments import INSTRUMENTS

DEFAULT_URL = "https://api.massive.com"
BARS_OF_A_PAGE = 50_000
MOST_PAGES = 10_000
NANOSECONDS = 10**9
MILLISECONDS = 10**3
PAIRS: Mapping[str, str] = MappingProxyType(
    {
        "EURUSD": "C:EURUSD",
        "GBPUSD": "C:GBPUSD",
        "XAUUSD": "C:XAUUSD",
        "BTCUSD": "X:BTCUSD",
        "ETHUSD": "X:ETHUSD",
    }
)


class FuturesBar(Struct, frozen=True):
    """One row of ``/futures/v1/aggs``; ``window_start`` in nanoseconds."""

    window_start: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None = None

    def answered(self) -> AnsweredBar:
        """Return the row as any server's."""
        seconds = Decimal(self.window_start) / NANOSECONDS
        return AnsweredBar(seconds, self.open, self.high, self.low, self.close, self.volume)


class PairBar(Struct, frozen=True):
    """One row of ``/v2/aggs``; ``t`` in milliseconds."""

    t: int
    o: Decimal
    h: Decimal
    l: Decimal  # noqa: E741 - the name of the field on the wire
    c: Decimal
    v: Decimal | None = None

    def answered(self) -> AnsweredBar:
        """Return the row as any server's."""
        return AnsweredBar(Decimal(self.t) / MILLISECONDS, self.o, self.h, self.l, self.c, self.v)


class FuturesPage(Struct, frozen=True):
    """One answer about a contract."""

    results: list[FuturesBar] | None = None
    next_url: str | None = None


class PairPage(Struct, frozen=True):
    """One answer about a pair."""

    results: list[PairBar] | None = None
    next_url: str | None = None


AnyPage = TypeVar("AnyPage", FuturesPage, PairPage)


class ContractSpan(Struct, frozen=True):
    """The time in which one contract is the front one."""

    ticker: str
    from_t: int
    until_t: int


class MassiveProvider(ServerProvider):
    """Asks Massive for minutes. Without a key it is off, and nothing is sent."""

    name = "massive"

    def __init__(
        self,
        key: str | None,
        url: str = DEFAULT_URL,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Use the key at `url`; ``clock`` says which minutes have ended."""
        super().__init__(url, pause, clock)
        self._key = key

    @property
    def off(self) -> ProviderFailed | None:
        """Why it is off; None when there is a key."""
        return None if self._key is not None else ProviderFailed("no_key", "MASSIVE_API_KEY is not set.", True)

    def covers(self, symbol: str) -> bool:
        """Return whether Massive has the asset: futures and pairs, no index CFD."""
        if self._key is None or symbol not in INSTRUMENTS:
            return False
        return symbol in PAIRS or INSTRUMENTS[symbol].roll is not None

    def _asker(self) -> Asker:
        return Asker("Massive", self._url, {"Authorization": f"Bearer {self._key}"}, self._pause)

    def _pages(self, asker: Asker, symbol: str, start: datetime, until_t: int) -> Iterator[list[Bar]]:
        """Yield page by page; futures from the contract that was the front one."""
        if symbol in PAIRS:
            return self._of_pair(asker, symbol, int(start.timestamp()), until_t)
        return self._of_future(asker, symbol, start, until_t)

    def _of_pair(self, asker: Asker, symbol: str, from_t: int, until_t: int) -> Iterator[list[Bar]]:
        if from_t >= until_t:
            return
        span = f"{from_t * MILLISECONDS}/{until_t * MILLISECONDS - 1}"
        path = f"/v2/aggs/ticker/{quote(PAIRS[symbol])}/range/1/minute/{span}"
        query: Query = {"adjusted": "false", "sort": "asc", "limit": BARS_OF_A_PAGE}
        for page in _pages(asker, path, query, PairPage):
            rows = (row.answered() for row in page.results or ())
            yield sound_bars(symbol, rows, from_t, until_t, PAIRS[symbol], self._left_out)

    def _of_future(self, asker: Asker, symbol: str, start: datetime, until_t: int) -> Iterator[list[Bar]]:
        for span in spans_of(symbol, start, until_t):
            query: Query = {
                "resolution": "1min",
                "window_start.gte": span.from_t * NANOSECONDS,
                "window_start.lt": span.until_t * NANOSECONDS,
                "sort": "window_start.asc",
                "limit": BARS_OF_A_PAGE,
            }
            for page in _pages(asker, f"/futures/v1/aggs/{quote(span.ticker)}", query, FuturesPage):
                rows = (row.answered() for row in page.results or ())
                yield sound_bars(symbol, rows, span.from_t, span.until_t, span.ticker, self._left_out)


def spans_of(symbol: str, start: datetime, until_t: int) -> Iterator[ContractSpan]:
    """Yield the front contracts of a future from an instant on, each with the time of its trade dates."""
    instrument = INSTRUMENTS[symbol]
    calendar = instrument.calendar
    at, ticker, from_t = start, None, int(start.timestamp())
    while int(at.timestamp()) < until_t:
        day = calendar.trade_date(at)
        front = instrument.contract(day, "full").symbol
        if ticker is not None and front != ticker:
            yield ContractSpan(ticker, from_t, int(at.timestamp()))
            from_t = int(at.timestamp())
        ticker = front
        at = max(calendar.day_of(day)[1], at + timedelta(minutes=1))
    if ticker is not None:
        yield ContractSpan(ticker, from_t, until_t)


def _pages(asker: Asker, path: str, query: Query, shape: type[AnyPage]) -> Iterator[AnyPage]:
    """Yield an answer and the pages that follow it. Raises `ProviderFailed` when they never end."""
    for _ in range(MOST_PAGES):
        page = asker.get(path, query, shape)
        yield page
        if page.next_url is None:
            return
        path, query = _next(page.next_url, path), {}
    raise ProviderFailed("bad_answer", f"Massive named more than {MOST_PAGES} pages.")


def _next(next_url: str, path: str) -> str:
    """Return path and query of the next page, never its host: the key is sent to nobody else."""
    parts = urlsplit(next_url)
    following = f"{parts.path}?{parts.query}" if parts.query else parts.path
    if not parts.path.startswith("/") or parts.path.startswith("//") or following == path:
        raise ProviderFailed("bad_answer", "Massive named a next page that is none.")
    return following
