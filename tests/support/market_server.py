"""The market channel behind a real port, in a thread of the test: it can be told prices and alerts that no desk gives.

Its keys are words: the token ``anna`` opens everything for the account ``anna``.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Self, cast

from websockets.sync.client import connect

from feeds.channels.market import MarketChannel
from feeds.channels.market_port import MarketPort
from feeds.desk import DeskPicture
from feeds.price_keeper import PriceKeeper
from feeds.prices.types import InForce
from feeds.store import FeedsStore
from sidecar.keys import Hold, KeyDoor
from sidecar.listen import Listener
from sidecar.use import Use
from tests.support.desk_process import PATIENCE_SECONDS, eventually
from tests.support.market_floor import ALL_SCOPES, CLIENT_OPTIONS, PATH, Client
from tests.support.ports import free_port
from wire.bridge import QuoteEvent
from wire.keys import KeyCheck

ASSETS = ("ES", "NQ")
NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


class WordKeys:
    """Keys that are words: each is its own account."""

    def __init__(self) -> None:
        self.holds: set[Hold] = set()

    async def check(self, token: str) -> KeyCheck | None:
        await asyncio.sleep(0)  # as a question to web does
        return KeyCheck(active=True, id=token, account=token, scopes=ALL_SCOPES)

    def hold(self, hold: Hold, check: KeyCheck) -> None:
        self.holds.add(hold)

    def release(self, hold: Hold) -> None:
        self.holds.discard(hold)


class MarketServer:
    """One market port. Everything of it runs on a loop in a thread of its own."""

    def __init__(self, folder: Path, ping_seconds: float = 20.0, assets: tuple[str, ...] = ASSETS) -> None:
        self.use = Use("market", free_port())
        self._folder = folder
        self._ping_seconds = ping_seconds
        self.now: datetime | None = None
        self._desk = DeskPicture()
        self._desk.take({"global": {}, "assets": {symbol: {"symbol": symbol} for symbol in assets}})
        self._desk.came()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    async def _build(self) -> None:
        self._store = FeedsStore(self._folder / "feeds.sqlite")
        self._keeper = PriceKeeper(self._store, self.clock)
        self._keeper.on_desk(self._desk)
        keys = cast("KeyDoor", WordKeys())
        self.channel = MarketChannel(self._keeper, self._desk, keys, self.use, frozenset())
        app = MarketPort(self.channel, (), frozenset())
        self._listener = Listener(self.use, ("127.0.0.1",), app, self._ping_seconds)
        self._serving = asyncio.create_task(self._listener.run())

    async def _end(self) -> None:
        self._listener.stop()
        await self._serving
        self._store.close()

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._build(), self._loop).result(PATIENCE_SECONDS)
        eventually(lambda: self.use.state == "listening")
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(PATIENCE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)

    # -- what it is told ----------------------------------------------------------------------------------------

    def does(self, act: Callable[[], Any]) -> None:
        """Do something on the loop and wait until it is done."""
        done = threading.Event()

        def run() -> None:
            act()
            done.set()

        self._loop.call_soon_threadsafe(run)
        assert done.wait(PATIENCE_SECONDS)

    def hears_price(self, price: Decimal, symbol: str = "ES", **more: Any) -> None:
        """Hear one trade, as the stream tells it."""
        more = {"source": "ticks", "size": 1, **more}
        quote = QuoteEvent(symbol=f"M{symbol}Z6", asset=symbol, price=price, ts=self.clock(), **more)
        self._keeper.on_quote(quote)
        self.channel.on_quote(quote)

    def passes_to(self, now: datetime) -> None:
        """Let the time be this from now on, and a second of it pass."""
        self.now = now
        self._keeper.on_second(now)

    def clock(self) -> datetime:
        """Return the time that a test has set, else the machine's."""
        return self.now or datetime.now(UTC)

    def tells_alerts(self, numbers: Iterable[int]) -> None:
        """Tell an alert with each of these ids."""
        for number in numbers:
            self._tell_alert(number)

    def _tell_alert(self, number: int) -> None:
        alert = InForce(
            symbol="ES",
            timeframe="15m",
            candle_start=NOON,
            direction="up",
            scenario="2U",
            trigger=Decimal(5000),
            price=Decimal("5000.25"),
            at=NOON,
        )
        self.channel.on_alert(number, alert)

    @property
    def connections(self) -> int:
        """How many connections the port holds, closing ones too."""
        server = self._listener.server
        return 0 if server is None else len(server.server_state.connections)

    # -- clients ------------------------------------------------------------------------------------------------

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.use.port}{PATH}"

    def connects(self, account: str, **options: Any) -> Client:
        return Client(connect(self.address, additional_headers={"X-API-Key": account}, **{**CLIENT_OPTIONS, **options}))
