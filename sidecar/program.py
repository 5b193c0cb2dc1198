"""How a program on one asyncio loop runs: until SIGTERM or SIGINT, with its log written to the end."""

from __future__ import annotations

import asyncio
import resource
import signal

FILES = 16_384
SECONDS_FOR_LAST_LINES = 0.2


def allow_many_files() -> None:
    """Raise the number of open files, of which each socket is one, as far as the system lets this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` when the process is told to end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
