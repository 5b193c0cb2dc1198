"""The parts of feeds, and what each of them hears. Everything runs on one loop; no part is called by two at once.

A fact is heard exactly once by its id (``on_fact``). Quotes, bricks and changes of the state are for display: they may
be missed while web is away, and the next state makes up for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

import structlog

from feeds.desk import DeskPicture
from wire.bridge import QuoteEvent
from wire.events import EventRow
from wire.stream import BarHeard, BrickHeard

logger = structlog.get_logger(__name__)


class Hears(Protocol):
    """One part that hears the desk. The parts are called in the order of assembly, one after the other."""

    def on_desk(self, desk: DeskPicture) -> None:
        """Hear a whole state, a change of it, or that web came or went (``desk.is_up``)."""

    def on_quote(self, quote: QuoteEvent) -> None:
        """Hear a price of the stream."""

    def on_brick(self, brick: BrickHeard) -> None:
        """Hear a brick of the stream. Bricks may be missed."""

    def on_bar(self, bar: BarHeard) -> None:
        """Hear a bar of TradingView's chart. Bars may be missed, and come again."""

    def on_gap(self, since: datetime | None, until: datetime) -> None:
        """Hear that prices and bricks between two instants may have been missed; since ever without ``since``."""

    def on_ticks_missed(self) -> None:
        """Hear that web left out ticks, because feeds did not read them in time; everything else was heard."""

    def on_fact(self, event: EventRow) -> None:
        """Hear a committed event, inside the transaction that moves the cursor: only write to the store here.

        Each event is heard once by its id. What raises here rolls the page back, and the page is heard again.
        """

    def on_facts_stored(self) -> None:
        """Hear that the facts of a page are stored: now tell sockets."""

    def on_second(self, now: datetime) -> None:
        """Hear that a second has passed."""


class Part:
    """A part that hears nothing. Parts are derived from it and override what concerns them."""

    def on_desk(self, desk: DeskPicture) -> None:
        """Hear nothing."""

    def on_quote(self, quote: QuoteEvent) -> None:
        """Hear nothing."""

    def on_brick(self, brick: BrickHeard) -> None:
        """Hear nothing."""

    def on_bar(self, bar: BarHeard) -> None:
        """Hear nothing."""

    def on_gap(self, since: datetime | None, until: datetime) -> None:
        """Hear nothing."""

    def on_ticks_missed(self) -> None:
        """Hear nothing."""

    def on_fact(self, event: EventRow) -> None:
        """Hear nothing."""

    def on_facts_stored(self) -> None:
        """Hear nothing."""

    def on_second(self, now: datetime) -> None:
        """Hear nothing."""


class Hub:
    """Calls the parts in order. One that fails is logged once for each kind of failure and stops no other."""

    def __init__(self, parts: Sequence[Hears]) -> None:
        self._parts = tuple(parts)
        self._logged: set[tuple[str, str, str]] = set()
        self.failures: Counter[str] = Counter()
        """How often each part has failed since the start, logged or not."""

    def desk(self, desk: DeskPicture) -> None:
        """Tell every part of the state."""
        for part in self._parts:
            self._call("on_desk", part, partial(part.on_desk, desk))

    def quote(self, quote: QuoteEvent) -> None:
        """Tell every part of a price."""
        for part in self._parts:
            self._call("on_quote", part, partial(part.on_quote, quote))

    def brick(self, brick: BrickHeard) -> None:
        """Tell every part of a brick."""
        for part in self._parts:
            self._call("on_brick", part, partial(part.on_brick, brick))

    def bar(self, bar: BarHeard) -> None:
        """Tell every part of a bar of TradingView."""
        for part in self._parts:
            self._call("on_bar", part, partial(part.on_bar, bar))

    def gap(self, since: datetime | None, until: datetime) -> None:
        """Tell every part that the stream was interrupted."""
        for part in self._parts:
            self._call("on_gap", part, partial(part.on_gap, since, until))

    def ticks_missed(self) -> None:
        """Tell every part that ticks were left out."""
        for part in self._parts:
            self._call("on_ticks_missed", part, part.on_ticks_missed)

    def fact(self, event: EventRow) -> None:
        """Tell every part of a committed event. What a part raises is raised on: the page must be rolled back."""
        for part in self._parts:
            part.on_fact(event)

    def facts_stored(self) -> None:
        """Tell every part that the page is stored."""
        for part in self._parts:
            self._call("on_facts_stored", part, part.on_facts_stored)

    def second(self, now: datetime) -> None:
        """Tell every part that a second has passed."""
        for part in self._parts:
            self._call("on_second", part, partial(part.on_second, now))

    def _call(self, heard: str, part: Hears, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:
            kind = (type(part).__name__, heard, type(error).__name__)
            self.failures[kind[0]] += 1
            if kind not in self._logged:
                self._logged.add(kind)
                logger.exception("a part of feeds failed, the others go on", part=kind[0], heard=heard)
