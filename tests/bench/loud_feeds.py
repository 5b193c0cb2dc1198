"""Feeds that tell every socket 20 messages of 1 KB a second: ``python -m tests.bench.loud_feeds``."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Coroutine
from typing import Any

from feeds.__main__ import main
from feeds.assembly import Feeds
from feeds.channels.topics import QUOTES
from sidecar.mailbox import Letter

PER_SECOND = 20
MESSAGE_BYTES = 1_024
ENVELOPE_BYTES = 90


class LoudFeeds(Feeds):
    """Feeds with one more task."""

    def _running(self) -> tuple[Coroutine[Any, Any, None], ...]:
        return (*super()._running(), self._speak())

    async def _speak(self) -> None:
        """Tell the time, padded to the size of a message, at a fixed pace."""
        due = time.monotonic()
        padding = b'"' + b"x" * (MESSAGE_BYTES - ENVELOPE_BYTES - 30) + b'"'
        while True:
            body = b'{"sent":%016.6f,"padding":%b}' % (time.monotonic(), padding)
            self._market.tell(QUOTES, "ES", Letter("quote", body, (QUOTES, "ES")))
            due += 1 / PER_SECOND
            await asyncio.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    sys.exit(main(LoudFeeds))
