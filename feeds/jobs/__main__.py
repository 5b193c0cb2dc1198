"""The child process of a sync: ``python -m feeds.jobs ES 2026-01-01T00:00:00+00:00 2026-02-01T00:00:00+00:00 [tapes]``.

Feeds start it and read what it says (``messages.py``). It ends when feeds do: its standard input is then closed.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime

from msgspec import Struct

from feeds.bars.store import BarStore, BarsUnusable
from feeds.config import FeedsConfig
from feeds.jobs.providers import providers_of
from feeds.jobs.sync import SyncOrder, sync
from sidecar.children import end_with_parent
from sidecar.logs import set_up_logging
from sidecar.settings import SettingsInvalid
from wire.encoding import encode

NICENESS = 10
SECONDS_FOR_LAST_LINES = 0.2


def main(words: list[str]) -> int:
    """Run one sync. Return 0 when it came to its end, also when its providers failed."""
    os.nice(NICENESS)
    end_with_parent()  # what is committed by then is whole minutes
    log = set_up_logging()
    try:
        config = FeedsConfig.from_env()
        store = BarStore(config.bars_path)
    except (SettingsInvalid, BarsUnusable) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    try:
        say(sync(order_of(words), providers_of(config), store, say))
    finally:
        store.close()
        log.drain(SECONDS_FOR_LAST_LINES)
    return 0


def order_of(words: list[str]) -> SyncOrder:
    """Read what feeds asks for."""
    symbol, start, end, *more = words
    return SyncOrder(
        symbol=symbol,
        start=datetime.fromisoformat(start),
        end=datetime.fromisoformat(end),
        provider=more[0] if more else None,
    )


def say(message: Struct) -> None:
    """Write one line to feeds. Raises BrokenPipeError when they are gone."""
    sys.stdout.buffer.write(encode(message) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
