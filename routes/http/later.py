"""Wait for a change of the desk without a thread: the view leaves a pause or a feed with the front.

Where no front called (Flask's own test client, another server) `WaitsInItsThread` waits in the request's thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn

from flask import Flask

from routes.http.errors import Paused
from services.desk.manager import StateManager
from serving.later import KEY, Caller, Feed, Later, Pause

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

LOOK_AGAIN_SECONDS = 1.0
CURRENT: ContextVar[Later] = ContextVar("later")


def install(app: Flask, manager: StateManager) -> None:
    """Give every request its `Later`: the front's, or one that waits in the request's own thread."""
    app.wsgi_app = WaitsInItsThread(app.wsgi_app, manager)  # type: ignore[method-assign]


def seconds_left(wanted: float) -> float:
    """Return how long this request may still wait, of the seconds that its caller asked for."""
    return CURRENT.get().seconds_left(wanted)


def is_first_call() -> bool:
    """Return whether this request has not waited yet."""
    return CURRENT.get().deadline is None


def remembered(otherwise: Any) -> Any:
    """Return what this request remembered when it began to wait, or ``otherwise`` if it did not wait yet."""
    later = CURRENT.get()
    return otherwise if later.deadline is None else later.remembered


def wait_for(
    is_over: Callable[[], bool],
    seconds: float,
    place: str,
    remembering: object,
    on_gone: Callable[[], None] | None = None,
) -> NoReturn:
    """Answer later: the view is called again once ``is_over``, after so many seconds at most. Raises `Paused`.

    ``on_gone`` is called when the caller goes before.
    """
    later = CURRENT.get()
    later.pause = Pause(is_over, time.monotonic() + seconds, place, remembering, on_gone)
    raise Paused


def stream_from(feed: Feed) -> None:
    """Let the answer go on with what the feed gives."""
    CURRENT.get().feed = feed


def name_caller(caller: Caller) -> None:
    """Say whom a guard has admitted, so that its next requests get the threads of their kind."""
    later = CURRENT.get(None)
    if later is not None:
        later.caller = caller


class WaitsInItsThread:
    """Calls the application. Without a front it does a front's work: it waits, and iterates over a stream."""

    def __init__(self, application: WSGIApplication, manager: StateManager) -> None:
        self._application = application
        self._manager = manager

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        given = environ.get(KEY)
        if given is not None:
            CURRENT.set(given)
            return self._application(environ, start_response)
        later = Later()
        while True:
            CURRENT.set(later)
            begun: list[Any] = []
            parts = self._application(environ, lambda *args, kept=begun: kept.append(args))
            if later.pause is None:
                break
            self._wait(later.pause)
            later = Later(later.pause.deadline, later.pause.remembered)
        start_response(*begun[0])
        return parts if later.feed is None else chain(parts, _chunks(later.feed))

    def _wait(self, pause: Pause) -> None:
        while (left := pause.deadline - time.monotonic()) > 0:
            if self._manager.wait_until(lambda _: pause.is_over(), min(left, LOOK_AGAIN_SECONDS)):
                return


def _chunks(feed: Feed) -> Iterator[bytes]:
    ready = threading.Event()
    feed.start(ready.set)
    goes_on = True
    try:
        while goes_on:
            ready.wait()
            ready.clear()
            chunk, goes_on = feed.take()
            yield chunk
    finally:
        feed.close()
