"""The parts of feeds hear in their order; one that fails stops no other and is logged once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from feeds.desk import DeskPicture
from feeds.hub import Hub, Part
from wire.bridge import QuoteEvent
from wire.events import EventRow
from wire.stream import BrickHeard

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
QUOTE = QuoteEvent(symbol="MESZ6", asset="ES", price=Decimal(5000))
BRICK = BrickHeard(n=1, ts=NOON, color="green", open=None, close=None, asset="ES", size=Decimal(6))
FACT = EventRow(1000, NOON, "DayRolled", None, {})


class Listening(Part):
    """Notes what it hears."""

    def __init__(self, name: str, heard: list[str], fails: str = "") -> None:
        self._name, self._heard, self._fails = name, heard, fails

    def _note(self, what: str) -> None:
        self._heard.append(f"{self._name} {what}")
        if what == self._fails:
            raise ValueError("a fault of this part")

    def on_desk(self, desk: DeskPicture) -> None:
        self._note("desk")

    def on_quote(self, quote: QuoteEvent) -> None:
        self._note("quote")

    def on_brick(self, brick: BrickHeard) -> None:
        self._note("brick")

    def on_gap(self, since: datetime | None, until: datetime) -> None:
        self._note("gap")

    def on_fact(self, event: EventRow) -> None:
        self._note("fact")

    def on_facts_stored(self) -> None:
        self._note("stored")

    def on_second(self, now: datetime) -> None:
        self._note("second")


CALLS: dict[str, Callable[[Hub], Any]] = {
    "desk": lambda hub: hub.desk(DeskPicture()),
    "quote": lambda hub: hub.quote(QUOTE),
    "brick": lambda hub: hub.brick(BRICK),
    "gap": lambda hub: hub.gap(None, NOON),
    "stored": lambda hub: hub.facts_stored(),
    "second": lambda hub: hub.second(NOON),
}


@pytest.mark.parametrize("what", CALLS)
def test_a_part_that_fails_stops_no_other_and_is_logged_once(what: str) -> None:
    heard: list[str] = []
    hub = Hub([Listening("first", heard), Listening("broken", heard, fails=what), Listening("last", heard)])
    structlog.reset_defaults()
    with capture_logs() as lines:
        for _ in range(3):
            CALLS[what](hub)
    assert heard == [f"first {what}", f"broken {what}", f"last {what}"] * 3
    assert [line["part"] for line in lines] == ["Listening"]
    assert hub.failures == {"Listening": 3}


def test_a_fact_that_a_part_cannot_take_in_is_raised_on() -> None:
    heard: list[str] = []
    hub = Hub([Listening("first", heard), Listening("broken", heard, fails="fact"), Listening("last", heard)])
    with pytest.raises(ValueError, match="a fault"):
        hub.fact(FACT)
    assert heard == ["first fact", "broken fact"]


def test_a_part_may_leave_out_what_does_not_concern_it() -> None:
    hub = Hub([Part()])
    for call in CALLS.values():
        call(hub)
    hub.fact(FACT)
