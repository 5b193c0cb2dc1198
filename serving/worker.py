"""The gunicorn worker that serves `app:app` through the front. `gunicorn.conf.py` names it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress

import uvloop
from gunicorn.workers.base import Worker

from serving.accepting import Entrance
from serving.connections import Connections
from serving.front import Front
from serving.limits import PER_ADDRESS_AT_MOST

LEAVES_WITHIN_SECONDS = 1.0
NOTIFIED_EVERY_SECONDS = 1.0
SWITCHES_AFTER_SECONDS = 0.002
"""How long a busy thread may keep the others waiting. A webhook changes threads several times; Python's own is 5 ms."""

ENDED_BY = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class FrontWorker(Worker):  # type: ignore[misc]  # gunicorn comes without types
    """Runs the event loop until gunicorn asks it to end, or until gunicorn itself has gone."""

    def run(self) -> None:
        """Serve until the end."""
        signal.set_wakeup_fd(-1)  # the loop sets its own
        sys.setswitchinterval(SWITCHES_AFTER_SECONDS)
        uvloop.run(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        leaving = asyncio.Event()
        for number in ENDED_BY:
            loop.add_signal_handler(number, leaving.set)
        desk = self.wsgi.extensions.get("lockstep")  # none: some other application, as the bench has one
        proxies = desk.config.trusted_proxies if desk is not None else 0
        front = Front(self.wsgi, Connections(per_address=None if proxies else PER_ADDRESS_AT_MOST), loop, proxies)
        if desk is not None:
            desk.manager.on_change(front.wake)
        entrances = [Entrance(loop, listening, front) for listening in self.sockets]
        while self.alive and not leaving.is_set() and self.ppid == os.getppid():
            self.notify()
            with suppress(TimeoutError):
                await asyncio.wait_for(leaving.wait(), NOTIFIED_EVERY_SECONDS)
        for entrance in entrances:
            entrance.close()
        if desk is not None:
            desk.end_streams()
        await front.leave(LEAVES_WITHIN_SECONDS)
