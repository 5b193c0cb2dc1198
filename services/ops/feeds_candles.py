"""Ask feeds for stored candles, when a page shows a chart: within 2 s, three at once."""

from __future__ import annotations

import threading
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from services.ops.beside_call import Away, Bounds, call
from wire.candles import CANDLES_PATH, LAST_SECOND, CandleTimeframe, StoredCandles
from wire.feeds_answer import Absence
from wire.hosts import is_read_on_the_way
from wire.keys import SERVICE_HEADER
from wire.types import Instant

BOUNDS = Bounds(seconds=2.0, longest=1_000_000)
MOST_AT_ONCE = 3
OK, FORBIDDEN, UNAVAILABLE = 200, 403, 503

_pages = msgspec.json.Decoder(StoredCandles)


class NoCandles(Exception):
    """Feeds gave no candles; the message is one sentence that says why."""


class TooManyAsk(Exception):
    """As many pages of candles are being asked for as may be."""


class CandlesAsked(Struct, frozen=True):
    """Which page: the newest `limit` candles that begin before an instant, None for now."""

    asset: str
    timeframe: CandleTimeframe
    before: Instant | None
    limit: int
    simulated: bool

    def path(self) -> str:
        """Return the address of the page at feeds."""
        query = {"symbol": self.asset, "timeframe": self.timeframe, "limit": self.limit}
        seconds = None if self.before is None else int(self.before.timestamp())
        before = {} if seconds is None else {"before": min(max(seconds, 0), LAST_SECOND)}
        return f"{CANDLES_PATH}?{urlencode({**query, **before, 'simulated': int(self.simulated)})}"


class FeedsCandles:
    """The candles of feeds. Any thread may ask."""

    def __init__(self, url: str | None, secret: str | None) -> None:
        """Ask feeds at `url` (None when it is off) with the services' `secret`."""
        self._url = url
        self._secret = secret
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)

    def page(self, asked: CandlesAsked) -> StoredCandles:
        """Return a page of candles. Raises NoCandles, TooManyAsk."""
        url, secret = self._address()
        if not self._places.acquire(blocking=False):
            raise TooManyAsk
        try:
            answered = call(url, asked.path(), BOUNDS, {SERVICE_HEADER: secret})
        except Away as error:
            raise NoCandles(SENTENCES[error.reason]) from error
        finally:
            self._places.release()
        if answered.status != OK:
            raise NoCandles(STATUSES.get(answered.status, SENTENCES["unreadable"]))
        return read_page(answered.body, asked)

    def _address(self) -> tuple[str, str]:
        """Return where to ask, and the secret that opens it. Raises NoCandles."""
        if self._url is None:
            raise NoCandles("feeds is off: FEEDS_URL names no address")
        if self._secret is None:
            raise NoCandles("feeds cannot be asked: SERVICE_SECRET is not set")
        if is_read_on_the_way(self._url):
            raise NoCandles("feeds is not asked over http across the internet: everybody on the way reads the secret")
        return self._url, self._secret


SENTENCES: dict[Absence, str] = {
    "refused": "feeds is away: nobody listens at its address",
    "unreachable": "feeds is away: its address cannot be reached",
    "silent": "feeds is away: it gave no whole answer within 2 s",
    "unreadable": "feeds is away: what answers at its address is no feeds of this version",
    "other_desk": "feeds is away: what answers is the feeds of another desk",
}
STATUSES = {
    FORBIDDEN: "feeds refuses the desk: both need the same SERVICE_SECRET",
    UNAVAILABLE: "feeds cannot read its bars now, its log says why",
}


def read_page(body: bytes, asked: CandlesAsked) -> StoredCandles:
    """Return the page that was asked for. Raises NoCandles for any other answer."""
    try:
        page = _pages.decode(body)
    except ValueError as error:  # DecodeError is one
        raise NoCandles(SENTENCES["unreadable"]) from error
    if (page.asset, page.timeframe, page.simulated) != (asked.asset, asked.timeframe, asked.simulated):
        raise NoCandles(SENTENCES["unreadable"])
    return page
