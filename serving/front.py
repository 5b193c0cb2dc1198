"""The front: hands each whole request to the application in a thread of its caller's kind, and sends the answer."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING

import structlog

from serving.callers import Callers
from serving.connections import Connections
from serving.exchange import Exchange
from serving.later import Later, Pause
from serving.pauses import Pauses
from serving.pools import Full, Pools
from serving.refusals import BUSY, FAULT, FrontRefusal
from serving.soon import call_soon
from serving.streams import Streams
from serving.wsgi import Answer, call, environ_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOOK_SECONDS = 0.5
"""How often deadlines are looked at."""

REFUSALS_LOGGED_EVERY_SECONDS = 1.0
FORWARDED_FOR = b"x-forwarded-for"

log = structlog.get_logger(__name__)


class Front:
    """Serves one application. Everything but the application itself runs on the event loop."""

    def __init__(
        self,
        application: WSGIApplication,
        connections: Connections,
        loop: asyncio.AbstractEventLoop,
        proxies: int = 0,
    ) -> None:
        """Serve ``application``, which stands behind so many ``proxies`` of its own."""
        self.connections = connections
        self.callers = Callers()
        self._application = application
        self._loop = loop
        self._proxies = proxies
        self._pools = Pools()
        self._pauses = Pauses(loop)
        self._streams = Streams(loop)
        self._date = b""
        self._refused = 0
        self._may_log_at = 0.0
        self._look()

    # -- one request --------------------------------------------------------------------------------------------

    def take(self, exchange: Exchange) -> None:
        """Have a request answered; its turn has come."""
        self._ask(exchange, Later())

    def _ask(self, exchange: Exchange, later: Later, waited: Pause | None = None) -> None:
        """Have the view called. With no thread to be had, give up what the pause ``waited``, which is over, held."""
        try:
            self._pools.submit(exchange.seen.kind, self._address_of(exchange), partial(self._work, exchange, later))
        except Full:
            if waited is not None and waited.on_gone is not None:
                waited.on_gone()
            exchange.refuse(BUSY.as_bytes())

    def _work(self, exchange: Exchange, later: Later) -> None:
        """Call the application. Runs in a thread of the caller's kind."""
        answer: Answer | None = None
        try:
            answer = call(self._application, environ_of(exchange.request, exchange.place), later)
        except Exception:
            log.exception("the application failed")
        call_soon(self._loop, self._answered, exchange, later, answer)

    def _answered(self, exchange: Exchange, later: Later, answer: Answer | None) -> None:
        self._pools.done(exchange.seen.kind, self._address_of(exchange))
        if exchange.is_gone or answer is None:
            self._drop(exchange, later)
            return
        if later.pause is None or later.caller is not None:
            self.callers.learn(exchange.seen.shown, later.caller, answer.status)
            self.connections.served(exchange.connection, later.caller, exchange.seen.shown)
        if later.pause is not None:
            self._pause(exchange, later.pause)
        elif later.feed is None:
            exchange.answer(answer, self._date)
        elif exchange.request.method == "HEAD":
            later.feed.close()
            exchange.begin_stream(answer, self._date)
        else:
            exchange.begin_stream(answer, self._date)
            self._streams.begin(exchange, later.feed, answer.body)

    def _drop(self, exchange: Exchange, later: Later) -> None:
        """Give up an answer that cannot be sent."""
        if later.feed is not None:
            later.feed.close()
        if later.pause is not None and later.pause.on_gone is not None:
            later.pause.on_gone()
        if not exchange.is_gone:
            exchange.refuse(FAULT.as_bytes())

    def _pause(self, exchange: Exchange, pause: Pause) -> None:
        again = Later(pause.deadline, pause.remembered)
        if not self._pauses.add(exchange, pause, partial(self._ask, exchange, again, pause)):
            self._ask(exchange, Later(time.monotonic(), pause.remembered), pause)

    def _address_of(self, exchange: Exchange) -> str:
        """Return whose request it is: through proxies of ours the address that they name."""
        if self._proxies:
            named = [value for name, value in exchange.request.headers if name == FORWARDED_FOR]
            hops = b",".join(named).split(b",")
            return hops[-min(self._proxies, len(hops))].strip().decode("latin-1")
        return exchange.place.address

    # -- beside requests ----------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Let every pause look whether it is over. Called from any thread, after each change of the desk."""
        self._pauses.wake()

    def note_refused(self, address: str, refusal: FrontRefusal) -> None:
        """Log what could not be read, one line a second at most. Nothing of it is shown: it may hold a secret."""
        self._refused += 1
        now = time.monotonic()
        if now >= self._may_log_at:
            log.warning(f"Invalid request: {refusal.detail}", address=address, requests=self._refused)
            self._refused = 0
            self._may_log_at = now + REFUSALS_LOGGED_EVERY_SECONDS

    def _look(self) -> None:
        """End what has taken too long, and set the clock of the answers."""
        self._date = f"Date: {formatdate(usegmt=True)}\r\n".encode()
        now = time.monotonic()
        for connection in self.connections.everyone:
            connection.look(now)
        self._looks_again = self._loop.call_later(LOOK_SECONDS, self._look)

    async def leave(self, seconds: float) -> None:
        """Let every connection end after the answer that is under way, within ``seconds``; cut what is left."""
        ends_at = time.monotonic() + seconds
        self._pauses.wake()
        for connection in self.connections.everyone:
            connection.leave()
        while len(self.connections) and time.monotonic() < ends_at:
            await asyncio.sleep(0.01)
        for connection in self.connections.everyone:
            connection.cut()
        self._looks_again.cancel()
        self._pools.stop()
        await asyncio.sleep(0)  # what was cut says so
