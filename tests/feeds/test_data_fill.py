"""An empty store is filled at the start, and only where no real minute is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

from feeds.bars.store import BarStore
from feeds.bars.types import Bar
from feeds.bars.worker import BarWorker
from feeds.channels.data_fill import fill
from feeds.jobs.child import child_of
from feeds.jobs.registry import SyncJobs
from feeds.providers.provider import ProviderReport, ProviderStatus
from tests.support.data_floor import minutes


class Shelf:
    """A provider that says which symbols it has."""

    def __init__(self, name: str, *symbols: str) -> None:
        self.name = name
        self._symbols = symbols

    def status(self) -> ProviderStatus:
        return ProviderStatus(self.name, "ok")

    def covers(self, symbol: str) -> bool:
        return symbol in self._symbols

    def bars(self, symbol: str, start: datetime, end: datetime) -> Iterator[list[Bar]]:
        yield []

    def report(self) -> ProviderReport:
        return ProviderReport()


def begun(path: Path, *names: str) -> dict[str, str | None]:
    """Return which symbols are filled, and from where. Nothing runs the jobs."""

    async def begin() -> dict[str, str | None]:
        bars, jobs = BarWorker(path), SyncJobs(child_of)
        shelves = (Shelf("tapes", "ES", "GC"), Shelf("folder", "ES", "NQ", "CL"))
        await fill(names, shelves, bars, jobs)
        bars.close()
        return {job.order.symbol: job.order.provider for job in jobs.open}

    return asyncio.run(begin())


def test_each_symbol_is_filled_once_from_the_first_provider_that_has_it(tmp_path: Path) -> None:
    path = tmp_path / "bars.sqlite"
    assert begun(path) == {}
    assert begun(path, "tapes") == {"ES": "tapes", "GC": "tapes"}
    assert begun(path, "folder", "tapes") == {"ES": "tapes", "NQ": "folder", "GC": "tapes", "CL": "folder"}


def test_what_is_stored_is_left_as_it_is_and_simulated_bars_are_none(tmp_path: Path) -> None:
    path = tmp_path / "bars.sqlite"
    with closing(BarStore(path)) as store:
        store.put([*minutes("ES", [5000]), *minutes("GC", [4000], source="simulated")])
    assert begun(path, "tapes") == {"GC": "tapes"}


def test_a_file_that_cannot_be_read_is_not_filled(tmp_path: Path) -> None:
    path = tmp_path / "bars.sqlite"
    path.write_bytes(b"this is no database, and long enough to be looked at as one" * 100)
    assert begun(path, "tapes") == {}
