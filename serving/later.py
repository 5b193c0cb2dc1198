"""How a Flask view answers later without holding a thread.

A view that must wait leaves a `Pause` with the request and returns; the front calls it again when the pause is over. A
view that streams leaves a `Feed`: the front sends the head of the answer at once, and then what the feed gives.
Without the front (Flask's test client) there is no `Desk of what comes later` in the environ, and views wait in their
own thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

KEY = "lockstep.later"
"""Where the front leaves its `Later` in the WSGI environ."""


@dataclass(frozen=True)
class Pause:
    """Until when the answer waits: ``is_over`` becomes true, or ``deadline`` passes, in seconds of the monotonic clock.

    ``is_over`` is asked on the event loop after each change of the desk: it must be quick and never block.
    """

    is_over: Callable[[], bool]
    deadline: float
    place: str
    """Pauses of one place share its limit."""


class Feed(Protocol):
    """What a stream sends. All methods are called on the event loop."""

    def start(self, wake: Callable[[], None]) -> None:
        """Begin; call ``wake``, from any thread, when there is something to take."""

    def take(self) -> tuple[bytes, bool]:
        """Return what is ready to be sent, and whether the stream goes on after it."""

    def close(self) -> None:
        """The stream has ended or its reader has gone. Called once."""


@dataclass
class Later:
    """What a view leaves for the front, and what the front tells a view that it calls again."""

    deadline: float | None = None
    """Of the first pause of this request, None when the view is called for the first time."""

    pause: Pause | None = None
    feed: Feed | None = None
    caller: str = field(default="", init=False)
    """Whom a guard has recognised: the front then gives the caller's next requests the threads of its kind."""

    def seconds_left(self, wanted: float) -> float:
        """Return how long the request may still wait, of the ``wanted`` seconds that its caller asked for."""
        return wanted if self.deadline is None else max(0.0, self.deadline - time.monotonic())
