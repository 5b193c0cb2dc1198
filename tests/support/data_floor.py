"""A desk with feeds whose data service is on, and what a test stores in its bars."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import requests

from feeds.bars.store import BarStore
from feeds.bars.types import Bar
from tests.support.desk_process import PATIENCE_SECONDS
from tests.support.feeds_process import FeedsProcess
from tests.support.local_clients import Listener
from tests.support.market_floor import MarketFloor
from wire.candles import BarSource

BEGINS = datetime(2024, 11, 18, 14, 30, tzinfo=UTC)


class DataFloor(MarketFloor):
    """One desk, one feeds with the market port and the data service."""

    def __init__(self, folder: Path, **feeds_settings: str) -> None:
        super().__init__(folder)
        self.bars_path = folder / "feeds" / "bars.sqlite"
        self.feeds = FeedsProcess(self.desk, folder / "feeds", ("market", "data"), **feeds_settings)

        self._usual: dict[str, str] = {}

    def runs_with(self, **settings: str) -> Self:
        """Have feeds run with these settings and the usual ones else; they are started anew only when one differs."""
        for name in settings:
            self._usual.setdefault(name, self.feeds.settings.get(name, ""))
        wanted = {**self._usual, **settings}
        if any(self.feeds.settings.get(name, "") != value for name, value in wanted.items()):
            self.feeds.restart(**wanted)
        return self

    # -- bars -----------------------------------------------------------------------------------------------------

    def stores(self, bars: Iterable[Bar]) -> int:
        """Store bars as another process does."""
        with closing(BarStore(self.bars_path)) as store:
            return store.put(bars)

    def stored(self, symbol: str, *, simulated: bool = False) -> list[Bar]:
        """Return all stored minutes of a symbol."""
        with closing(BarStore(self.bars_path)) as store:
            return store.minutes(symbol, 0, None, 1_000_000, simulated=simulated)

    # -- calls ----------------------------------------------------------------------------------------------------

    def data(self, path: str, **query: Any) -> requests.Response:
        """Read something of the data service."""
        return requests.get(self.feeds.url("data") + path, params=query, timeout=PATIENCE_SECONDS)

    def syncs(self, symbol: str, token: str | None, **body: Any) -> requests.Response:
        """Ask for a sync."""
        headers = {} if token is None else {"X-API-Key": token}
        url = f"{self.feeds.url('data')}/api/sync/{symbol}"
        return requests.post(url, json=body, headers=headers, timeout=PATIENCE_SECONDS)

    def streams(self, *headers: str, **more: Any) -> Listener:
        """Connect a program to the stream."""
        return Listener(self.feeds.url("data", "ws") + "/ws/stream", *headers, **more)


def minutes(
    symbol: str, closes: Iterable[float], begins: datetime = BEGINS, source: BarSource = "provider"
) -> list[Bar]:
    """Return minutes with these closes, one after the other."""
    prices = [Decimal(str(close)) for close in closes]
    starts = [int((begins + timedelta(minutes=n)).timestamp()) for n in range(len(prices))]
    return [Bar(symbol, t, price, price, price, price, None, source) for t, price in zip(starts, prices, strict=True)]
