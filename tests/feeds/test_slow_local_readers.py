"""Programs at the local feeds that do not read: they cost no memory without bound, and nobody else waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from starlette.routing import BaseRoute

from feeds.channels.signals import SignalChannel
from feeds.channels.telemetry import TelemetryChannel
from feeds.desk import DeskPicture
from feeds.store import FeedsStore
from sidecar.use import Use
from sidecar.web import WebClient
from tests.support.desk_process import eventually
from tests.support.local_clients import Listener
from tests.support.local_server import LocalServer
from wire.bridge import QuoteEvent
from wire.events import EventRow
from wire.stream import BrickHeard

FULL = 40_000  # messages that fill the buffers of a socket nobody reads: some megabytes
A_PAGE = 200


class Signals(LocalServer):
    """The engine socket; each trade is one fill at the broker."""

    def __init__(self, folder: Path) -> None:
        super().__init__("signals", self._routes)
        self._path = folder / "feeds.sqlite"
        self.row = 0

    def _routes(self, use: Use) -> list[BaseRoute]:
        self.channel = SignalChannel(use, None, FeedsStore(self._path))
        return [self.channel.route("/connect")]

    def trades(self, count: int) -> None:
        """Change the position so many times, in one page of events."""
        self.does(lambda: self._take_in(count))

    def _take_in(self, count: int) -> None:
        for _ in range(count):
            self.row += 1
            fill = {"side": "BUY", "qty": 1, "price": 5250.25, "contract": "MESZ6"}
            told = {"cause": "MANUAL", "order_id": None, "fills": [fill]}
            self.channel.on_fact(EventRow(self.row * 1000, datetime.now(UTC), "FillBooked", "ES", told))
        self.channel.on_facts_stored()


@pytest.fixture
def signals(tmp_path: Path) -> Iterator[Signals]:
    with Signals(tmp_path) as server:
        yield server


def test_a_listener_that_does_not_read_is_closed_and_told_the_rest_when_it_comes_back(signals: Signals) -> None:
    with Listener(signals.url() + "/connect?client=slow") as slow, Listener(signals.url() + "/connect") as other:
        eventually(lambda: signals.use.clients == 2)
        sent = 0
        while signals.use.clients == 2 and sent < FULL:
            signals.trades(A_PAGE)
            sent += A_PAGE
            for _ in range(A_PAGE):
                assert other.hears(type="STRATEGY_SIGNAL")
        assert 0 < sent < FULL, "the slow listener was never closed"
        ids = []
        while (signal := reads_until_closed(slow)) is not None:
            ids.append(signal)
        assert ids == [number * 1000 for number in range(1, len(ids) + 1)], "each once, in order, none left out"
        with Listener(signals.url() + f"/connect?client=slow&since_id={ids[-1]}") as again:
            rest = [again.hears()["id"] for _ in range(sent - len(ids))]
            assert rest == [number * 1000 for number in range(len(ids) + 1, sent + 1)]


def reads_until_closed(listener: Listener) -> int | None:
    """Return the id of the next signal, None when the server has closed with 1013."""
    opcode, body = listener.socket.recv_data(control_frame=True)
    if opcode == 8:
        assert int.from_bytes(body[:2], "big") == 1013
        return None
    return int(body.split(b'"id":')[1].split(b",")[0])


def test_ticks_conflate_for_a_chart_that_does_not_read_and_bricks_do_not(tmp_path: Path) -> None:
    desk = DeskPicture()
    desk.take({"global": {}, "assets": {"ES": {"symbol": "ES", "point_size": 1}}})
    desk.came()

    def routes(use: Use) -> list[BaseRoute]:
        channels.append(TelemetryChannel(use, None, desk, WebClient("http://127.0.0.1:9", None)))
        return [channels[0].route("/{path:path}")]

    channels: list[TelemetryChannel] = []
    brick = BrickHeard(asset="ES", size=Decimal(6), n=1, ts=datetime.now(UTC), color="green", open=None, close=None)
    with LocalServer("telemetry", routes) as server, Listener(server.url() + "/") as chart:
        assert chart.hears(type="snapshot")

        def tick_often() -> None:
            now = datetime.now(UTC)
            for number in range(1, 60_001):
                price = Decimal(number) / 4
                channels[0].on_quote(QuoteEvent(symbol="MESZ6", asset="ES", price=price, ts=now, source="ticks"))

        server.does(tick_often)
        server.does(lambda: channels[0].on_brick(brick))
        last = chart.hears(type="brick")
        ticks = [message for message in chart.heard if message["type"] == "tick"]
        assert last["n"] == 1
        assert ticks[-1]["price"] == 15_000, "the newest tick was not left out"
        assert len(ticks) < 60_000, "older ones were"
        prices = [one["price"] for one in ticks]
        assert prices == sorted(prices)
        assert server.use.clients == 1
