"""Bars of BTCUSD and ETHUSD from Coinbase Exchange: public, without a key or an account.

One plain call, ``GET /products/{product}/candles``, gives at most 300 minutes, newest first, back to the first day of
the product, against real dollars. A library for all exchanges would be 84 MB for this one call. Nothing is asked unless
``CRYPTO_SPOT=coinbase`` is set.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType

from feeds.bars.types import MINUTE, Bar
from feeds.providers.answers import AnsweredBar, sound_bars
from feeds.providers.asking import Asker
from feeds.providers.provider import ProviderFailed
from feeds.providers.server import Query, ServerProvider

DEFAULT_URL = "https://api.exchange.coinbase.com"
PRODUCTS: Mapping[str, str] = MappingProxyType({"BTCUSD": "BTC-USD", "ETHUSD": "ETH-USD"})
MINUTES_OF_A_CALL = 300
PAUSE_SECONDS = 0.15  # of 10 calls a second that everybody may make

Candle = tuple[int, Decimal, Decimal, Decimal, Decimal, Decimal]  # start, low, high, open, close, volume


class CryptoProvider(ServerProvider):
    """Asks Coinbase Exchange for minutes. Off unless it was chosen."""

    name = "crypto"

    def __init__(
        self,
        is_chosen: bool,
        url: str = DEFAULT_URL,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Ask at `url`; ``clock`` says which minutes have ended."""
        super().__init__(url, pause, clock)
        self._is_chosen = is_chosen

    @property
    def off(self) -> ProviderFailed | None:
        """Why it is off; None when it was chosen."""
        return None if self._is_chosen else ProviderFailed("not_chosen", "CRYPTO_SPOT is not coinbase.", True)

    def covers(self, symbol: str) -> bool:
        """Return whether it has the asset."""
        return self._is_chosen and symbol in PRODUCTS

    def _asker(self) -> Asker:
        return Asker("Coinbase", self._url, pause=self._pause)

    def _pages(self, asker: Asker, symbol: str, start: datetime, until_t: int) -> Iterator[list[Bar]]:
        """Yield 300 minutes at a time."""
        product = PRODUCTS.get(symbol)
        if product is None:
            raise ProviderFailed("not_chosen", f"{symbol} is none of Coinbase's products.", True)
        for from_t in range(_minute_from(start), until_t, MINUTES_OF_A_CALL * MINUTE):
            last_t = min(from_t + (MINUTES_OF_A_CALL - 1) * MINUTE, until_t - 1)
            query: Query = {"granularity": MINUTE, "start": _written(from_t), "end": _written(last_t)}
            rows = [_answered(candle) for candle in asker.get(f"/products/{product}/candles", query, list[Candle])]
            yield sound_bars(symbol, rows, from_t, min(last_t + 1, until_t), product, self._left_out)
            self._pause(PAUSE_SECONDS)


def _minute_from(start: datetime) -> int:
    """Return the first minute that starts at or after an instant."""
    return -(-int(start.timestamp()) // MINUTE) * MINUTE


def _written(t: int) -> str:
    return datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _answered(candle: Candle) -> AnsweredBar:
    start, low, high, opened, closed, volume = candle
    return AnsweredBar(Decimal(start), opened, high, low, closed, volume)
