"""Starts the child process of a sync and reads what it says; whatever happens, it is gone afterwards."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import msgspec

from feeds.jobs.messages import Said, read_line
from feeds.jobs.sync import SyncOrder

MODULE = "feeds.jobs"
LONGEST_LINE = 65_536
ENDS_WITHIN_SECONDS = 2.0


class ChildFailed(Exception):
    """The child could not be started, or ended before its job had; the message is one sentence."""


@asynccontextmanager
async def child_of(order: SyncOrder) -> AsyncIterator[AsyncIterator[Said]]:
    """Run `order` in a child and yield what it says. Raises `ChildFailed`."""
    words = [
        order.symbol,
        order.start.isoformat(),
        order.end.isoformat(),
        *([order.provider] if order.provider else []),
    ]
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", MODULE, *words, stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE
        )
    except OSError as error:
        raise ChildFailed(f"the sync could not be started: {error.strerror}") from error
    try:
        yield _said_by(process)
    finally:
        await _end(process)


async def _said_by(process: Process) -> AsyncIterator[Said]:
    """Yield its messages. Raises `ChildFailed` when it ends, or says what nobody understands."""
    lines = process.stdout
    while lines is not None:
        try:
            line = await lines.readline()
            message = read_line(line) if line else None
        except (msgspec.DecodeError, ValueError) as error:
            raise ChildFailed("the sync says what cannot be read: see the log") from error
        if message is None:
            break
        yield message
    raise ChildFailed("the sync ended early: see the log, and repeat it")


async def _end(process: Process) -> None:
    """Let it end, and kill it when it does not."""
    if process.stdin is not None:
        process.stdin.close()
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), ENDS_WITHIN_SECONDS)
        return
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
