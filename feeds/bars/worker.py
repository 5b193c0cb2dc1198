"""A thread with a bar store of its own, so that the loop never waits for the file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import structlog

from feeds.bars.store import BarStore, BarsUnusable

logger = structlog.get_logger(__name__)

MOST_WAITING = 32
Found = TypeVar("Found")


class BarsAway(Exception):
    """The bars cannot be read or written now; the message says why. ``is_busy``: too many wait already."""

    def __init__(self, sentence: str, *, is_busy: bool = False) -> None:
        super().__init__(sentence)
        self.is_busy = is_busy


class BarWorker:
    """Does one thing after the other with the store. The file is opened when it is first needed."""

    def __init__(self, path: Path, most_waiting: int = MOST_WAITING) -> None:
        """Keep bars at `path`; refuse more than `most_waiting` questions at once."""
        self._path = path
        self._most_waiting = most_waiting
        self._waiting = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bars")
        self._store: BarStore | None = None
        self.trouble: str | None = None
        """Why the file could not be used when that was last tried; None while it can."""

    async def ask(self, question: Callable[[BarStore], Found]) -> Found:
        """Return what `question` finds in the store. Raises `BarsAway`, and what the question raises."""
        if self._waiting >= self._most_waiting:
            raise BarsAway("too many ask for bars at once", is_busy=True)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, question)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Finish what was begun, drop what waits, and close the file."""
        self._thread.submit(self._close).result()
        self._thread.shutdown(cancel_futures=True)

    def _answer(self, question: Callable[[BarStore], Found]) -> Found:
        try:
            found = question(self._opened())
        except (BarsUnusable, sqlite3.Error) as error:
            self._note_trouble(str(error))
            raise BarsAway(f"the bars cannot be used: {error}") from error
        self.trouble = None
        return found

    def _opened(self) -> BarStore:
        """Return the store, a new one after its file was deleted or replaced. Raises `BarsUnusable`."""
        if self._store is not None and not self._store.has_its_name():
            logger.warning("the file of bars was deleted or replaced: another one begins", file=str(self._path))
            self._store.leave_open()
            self._store = None
        if self._store is None:
            self._store = BarStore(self._path)
        return self._store

    def _note_trouble(self, reason: str) -> None:
        if self.trouble != reason:
            logger.error("bars cannot be read or written; they are tried again", file=str(self._path), reason=reason)
        self.trouble = reason

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
