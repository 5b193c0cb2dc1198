"""Builds feeds from their parts and runs them on one loop until they are told to stop."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import structlog

from feeds.bars.recorder import BarRecorder
from feeds.bars.worker import BarWorker
from feeds.channels.candles_door import CandlesDoor
from feeds.channels.data_port import DataService
from feeds.channels.health import health_route
from feeds.channels.market import MarketChannel
from feeds.channels.market_port import MarketPort
from feeds.channels.market_rest import KeyedCalls, MarketRest
from feeds.channels.minutes_door import MinutesDoor
from feeds.channels.price_door import PriceDoor
from feeds.config import FeedsConfig
from feeds.desk import DeskPicture
from feeds.facts import FactFollower
from feeds.follower import Follower
from feeds.health import Checkup
from feeds.hub import Hears, Hub
from feeds.local_feeds import LocalFeeds
from feeds.metrics import Figures, metrics_route
from feeds.price_keeper import PriceKeeper
from feeds.store import FeedsStore
from sidecar.keys import KeyDoor
from sidecar.listen import LOOPBACKS, Listener
from sidecar.tasks import kept_running
from sidecar.web import WebClient

logger = structlog.get_logger(__name__)

MARKET = "market"
CONSENSUS = "consensus"
TELEMETRY = "telemetry"
JOURNAL = "journal"
SIGNALS = "signals"
DATA = "data"
SECONDS_TO_STOP = 4.0


class Feeds:
    """All parts of feeds."""

    def __init__(self, config: FeedsConfig) -> None:
        """Build them; nothing listens before `run`. Raises `StoreUnusable`."""
        self.stop = asyncio.Event()
        self._store = FeedsStore(config.path)
        self._web = WebClient(config.lockstep_url, config.service_secret)
        self._desk = DeskPicture()
        self._checkup = Checkup(ports_of(config), self._desk)
        self._keys = KeyDoor(self._web)
        self._keeper = PriceKeeper(self._store)
        self._bars = BarWorker(config.bars_path)
        self._bars_read = BarWorker(config.bars_path)  # so that no question waits for a write
        self._recorder = BarRecorder(self._bars)
        self._market = MarketChannel(
            self._keeper, self._desk, self._keys, self._checkup.use_of(MARKET), config.cors_origins
        )
        self._local = LocalFeeds(config, self._checkup, self._desk, self._web, self._store, self._keys)
        self._data = DataService(config, self._checkup.use_of(DATA), self._keys, self._keeper, self._desk)
        self._hub = Hub(self._parts())
        self._follower = Follower(self._web, self._desk, self._hub)
        self._facts = FactFollower(self._web, self._store, self._hub, self._checkup)
        self._listeners = self._listening(config)

    def _parts(self) -> tuple[Hears, ...]:
        """Return what hears the desk, in the order in which it does."""
        return self._keeper, self._market, *self._local.parts, self._recorder, *self._data.parts

    def _listening(self, config: FeedsConfig) -> tuple[Listener, ...]:
        """Return one listener for each feed."""
        market = self._checkup.use_of(MARKET)
        served = Listener(market, market_hosts(config), self._market_app(config), config.ping_seconds)
        return (served, *self._local.listeners(), self._data.listener())

    def _market_app(self, config: FeedsConfig) -> MarketPort:
        """Return what the market port serves."""
        calls = KeyedCalls(self._keys, config.cors_origins)
        rest = MarketRest(self._keeper, self._desk, self._store, calls, self._checkup.use_of(MARKET))
        figures = Figures(
            self._checkup,
            self._desk,
            self._hub,
            self._follower,
            self._facts,
            self._keeper,
            self._market.counts,
            self._recorder,
            self._data.jobs,
        )
        beside = health_route(self._checkup), metrics_route(figures, config.metrics_token, calls)
        candles = CandlesDoor(self._bars_read, config.service_secret)
        minutes = MinutesDoor(self._bars_read, config.service_secret)
        price = PriceDoor(self._bars_read, self._keeper, config.service_secret)
        stored = candles.route(), *minutes.routes(), price.route()
        return MarketPort(self._market, (*beside, *stored, *rest.routes()), config.cors_origins)

    async def run(self) -> None:
        """Run until `stop` is set. What fails is begun anew: the end of feeds would end the desk beside it, too."""
        running = [asyncio.create_task(one) for one in self._running()]
        listening = [asyncio.create_task(kept_running(one.run)) for one in self._listeners]
        try:
            await self.stop.wait()
        finally:
            self._data.stop()
            for listener in self._listeners:
                listener.stop()
            await asyncio.wait(listening, timeout=SECONDS_TO_STOP)
            for task in (*running, *listening):
                task.cancel()
            await asyncio.gather(*running, *listening, return_exceptions=True)
            await self._web.close()
            await self._recorder.finish()
            await self._data.close()
            self._keep_and_close()

    def _keep_and_close(self) -> None:
        try:
            self._keeper.keep()
            self._store.close()
            self._bars.close()
            self._bars_read.close()
        except sqlite3.Error:
            logger.exception("the last candles could not be stored")

    def _running(self) -> tuple[Coroutine[Any, Any, None], ...]:
        own = self._follower.run, self._facts.run, self._keys.run, self._count_seconds, *self._data.running()
        return (*map(kept_running, own), *self._local.running())

    async def _count_seconds(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._hub.second(datetime.now(UTC))


def ports_of(config: FeedsConfig) -> dict[str, int]:
    """Return the port of each feed by its name, 0 for one that is switched off."""
    return {
        MARKET: config.market_port,
        CONSENSUS: config.consensus_port,
        TELEMETRY: config.telemetry_port,
        JOURNAL: config.journal_port,
        SIGNALS: config.engine_port,
        DATA: config.data_port,
    }


def market_hosts(config: FeedsConfig) -> tuple[str, ...]:
    """Return the addresses of the market port: both loopbacks unless ``FEEDS_HOST`` names another address."""
    return LOOPBACKS if config.host in ("localhost", *LOOPBACKS) else (config.host,)
