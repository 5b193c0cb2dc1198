"""The desk as the tools read it: web's answers over its service door, decoded strictly by the wire's own shapes."""

from __future__ import annotations

from datetime import date
from typing import Protocol, TypeVar

import msgspec
from msgspec import Struct

from sidecar.web import DeskAway, EventsGone
from wire.journal import DayAnswer, StatisticsAnswer, TradesAnswer
from wire.state import LiveDocument
from wire.types import Env
from wire.what_if import WhatIfDay

MOST_TRADES = 500
"""The longest page of the journal. Of a day with more trades what only all of them tell stays unknown."""

STATE_SECONDS = 4.0
JOURNAL_SECONDS = 8.0
WHAT_IF_SECONDS = 20.0
Shape = TypeVar("Shape", bound=Struct)


class Web(Protocol):
    """What reads web: `sidecar.web.WebClient`."""

    async def get(self, path: str, answer_seconds: float = ..., **query: str | int) -> bytes:
        """Return the body of an answer. Raises `DeskAway`, `EventsGone`."""


class DeskReader:
    """Reads web. Every call raises `DeskAway`, also when an answer is not of the shape that the wire says."""

    def __init__(self, web: Web) -> None:
        """Ask through `web`."""
        self._web = web

    async def state(self) -> LiveDocument:
        """Return the desk as it is now, without the closed trades and the log."""
        return _read(await self._get("/api/state", STATE_SECONDS), LiveDocument)

    async def day(self, day: date, env: Env) -> DayAnswer:
        """Return one trading day of an environment. Its refused attempts are those of both."""
        body = await self._get("/api/journal/day", JOURNAL_SECONDS, day=day.isoformat(), env=env)
        return _read(body, DayAnswer)

    async def trades(self, day: date, env: Env) -> TradesAnswer:
        """Return the trades that closed on a trading day, newest first."""
        body = await self._get("/api/journal/trades", JOURNAL_SECONDS, day=day.isoformat(), env=env, limit=MOST_TRADES)
        return _read(body, TradesAnswer)

    async def statistics(
        self, env: Env, asset: str | None, first_day: date | None, last_day: date | None
    ) -> StatisticsAnswer:
        """Return the figures of many days of an environment, at most of its newest 5,000 trades."""
        filters = {"asset": asset, "first_day": first_day, "last_day": last_day}
        asked = {name: str(value) for name, value in filters.items() if value is not None}
        return _read(await self._get("/api/journal/statistics", JOURNAL_SECONDS, env=env, **asked), StatisticsAnswer)

    async def what_if(self, day: date) -> WhatIfDay:
        """Return a trading day decided again. It is the slowest call: web replays the journal for it."""
        return _read(await self._get("/api/what-if/day", WHAT_IF_SECONDS, day=day.isoformat()), WhatIfDay)

    async def _get(self, path: str, seconds: float, **query: str | int) -> bytes:
        try:
            return await self._web.get(path, seconds, **query)
        except EventsGone as error:
            raise DeskAway("failing", f"web answers {path} with 410") from error


def _read(body: bytes, shape: type[Shape]) -> Shape:
    """Decode an answer. A field that is missing or of another kind is no answer: nothing stands in for it."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DeskAway("failing", f"web's answer is no {shape.__name__}: {error}") from error
