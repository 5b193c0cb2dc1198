"""A request waited, and when its turn comes again no thread is to be had: what it held is given up (503)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from serving.front import Front
from serving.later import Pause
from serving.pools import Full, Pools


class Waits:
    """Stands where a request stands: of a caller who is there and has waited for the desk."""

    class Seen:
        """Who calls."""

        kind, shown = "anybody", None

    class Place:
        """Where from."""

        address = "127.0.0.1"

    def __init__(self) -> None:
        self.seen, self.place = self.Seen(), self.Place()
        self.is_gone = self.is_waiting = False
        self.on_gone: Callable[[], None] | None = None
        self.refused: list[bytes] = []

    def refuse(self, answer: bytes) -> None:
        """Hear the refusal."""
        self.refused.append(answer)


class NoConnections:
    """None is open."""

    everyone: tuple[Any, ...] = ()


def test_what_a_request_held_is_given_up_when_no_thread_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Pools, *request: object) -> None:
        raise Full

    monkeypatch.setattr(Pools, "submit", full)
    given_up: list[str] = []
    exchange = Waits()

    async def story() -> None:
        front = Front(lambda environ, start: [], NoConnections(), asyncio.get_running_loop())  # type: ignore[arg-type]
        pause = Pause(lambda: True, time.monotonic() + 60, "advisor", "a call", lambda: given_up.append("a call"))
        front._pause(exchange, pause)  # type: ignore[arg-type]  # noqa: SLF001 - what a view that waits leads to

    asyncio.run(story())
    assert given_up == ["a call"]
    assert exchange.refused[0].startswith(b"HTTP/1.1 503")
