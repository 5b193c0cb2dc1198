"""Fills an empty store at the start from the providers that DATA_FILL names, so that the first call answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import structlog

from feeds.bars.worker import BarWorker
from feeds.channels.data_bars import ask_bars
from feeds.jobs.registry import SymbolBusy, SyncJobs, TooManyJobs
from feeds.jobs.sync import SyncOrder
from feeds.providers.provider import Provider
from services.market.instruments import INSTRUMENTS
from sidecar.problems import ServiceRefused

logger = structlog.get_logger(__name__)

SINCE = datetime(2010, 1, 1, tzinfo=UTC)


async def fill(names: Sequence[str], providers: Iterable[Provider], bars: BarWorker, jobs: SyncJobs) -> None:
    """Sync every symbol that one of the named providers has and of which no real minute is stored."""
    chosen = [one for one in providers if one.name in names]
    if not chosen:
        return
    try:
        stored = await ask_bars(bars, lambda store: {row.symbol for row in store.symbols() if not row.simulated})
    except ServiceRefused as error:
        logger.warning("the store of bars is not filled", reason=str(error))
        return
    now = datetime.now(UTC)
    wanted = [symbol for symbol in INSTRUMENTS if symbol not in stored]
    for symbol, provider in await asyncio.to_thread(_covered, wanted, chosen):
        _begin(SyncOrder(symbol=symbol, start=SINCE, end=now, provider=provider), jobs)


def _covered(symbols: Iterable[str], providers: Sequence[Provider]) -> list[tuple[str, str]]:
    """Return each symbol that a provider has, with the first one that has it. It looks at folders."""
    first = {symbol: next((one.name for one in providers if one.covers(symbol)), None) for symbol in symbols}
    return [(symbol, name) for symbol, name in first.items() if name is not None]


def _begin(order: SyncOrder, jobs: SyncJobs) -> None:
    try:
        jobs.begin(order)
    except (SymbolBusy, TooManyJobs) as error:
        logger.info("a symbol is not filled", symbol=order.symbol, reason=str(error) or "too many syncs wait")
