"""Readers that do not read: newest prices instead of all of them, every alert or 1013, 1011 for the silent."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from sidecar import sockets
from sidecar.mailbox import ROOM
from tests.support.desk_process import PATIENCE_SECONDS, eventually
from tests.support.market_floor import CLIENT_OPTIONS, IN_FORCE, Client, quotes
from tests.support.market_server import MarketServer
from tests.support.own_time import Stopwatch

MANY = 6_000  # more than the system's and the process's buffers hold
LITTLE_MEMORY = 4_096


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MarketServer]:
    with MarketServer(tmp_path_factory.mktemp("slow")) as server:
        yield server


def slow_socket(port: int) -> socket.socket:
    """Return a connection whose system takes little for a reader that does not read."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE_MEMORY)
    one.connect(("127.0.0.1", port))
    return one


def slow_client(market: MarketServer, account: str) -> Client:
    """Return a client that reads nothing by itself: the library reads no further than its bounded queue."""
    options = {**CLIENT_OPTIONS, "sock": slow_socket(market.use.port), "max_queue": 1, "ping_interval": None}
    return Client(connect(market.address, additional_headers={"X-API-Key": account}, **options))


def fill(market: MarketServer, prices: int) -> None:
    """Tell more prices than anybody's buffers hold."""

    def tell() -> None:
        for number in range(prices):
            market.hears_price(Decimal(5000) + Decimal(number % 400) / 4)

    market.does(tell)


def drained(client: Client, is_all: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """Read until all that must come has come, and then until nothing more comes for a second."""
    heard: list[dict[str, Any]] = []
    while True:
        try:
            heard.append(json.loads(client.connection.recv(timeout=1 if is_all(heard) else PATIENCE_SECONDS)))
        except TimeoutError:
            return heard


def has_the_price(price: float) -> Callable[[list[dict[str, Any]]], bool]:
    return lambda heard: any(message["data"].get("price") == price for message in heard)


def has_alerts(count: int) -> Callable[[list[dict[str, Any]]], bool]:
    return lambda heard: sum(message["type"] == "alert.in_force" for message in heard) >= count


def test_a_slow_reader_has_the_newest_price_and_a_sequence_without_holes(market: MarketServer) -> None:
    with slow_client(market, "slow") as slow, market.connects("quick") as quick:
        for client in (slow, quick):
            assert client.subscribes(quotes("ES"))["channels"] == ["quotes"]
        fill(market, MANY)
        market.does(lambda: market.hears_price(Decimal("5150.25")))
        heard = drained(slow, has_the_price(5150.25))
        assert heard[-1]["data"]["price"] == 5150.25
        assert [int(message["seq"]) for message in heard] == list(range(2, len(heard) + 2))
        assert len(heard) < 0.9 * MANY  # it was conflated
        prompt = drained(quick, has_the_price(5150.25))
        assert prompt[-1]["data"]["price"] == 5150.25
    assert market.channel.counts.conflated > 0


def test_no_alert_is_dropped_for_a_slow_reader_who_reads_on(market: MarketServer) -> None:
    with slow_client(market, "patient") as slow:
        slow.subscribes(quotes("ES"), IN_FORCE)
        fill(market, MANY)
        market.does(lambda: market.tells_alerts(range(1, ROOM - 10)))
        fill(market, 500)
        heard = drained(slow, has_alerts(ROOM - 11))
    alerts = [message["data"]["id"] for message in heard if message["type"] == "alert.in_force"]
    assert alerts == list(range(1, ROOM - 10))
    assert [int(message["seq"]) for message in heard] == list(range(2, len(heard) + 2))


def test_after_unsubscribed_nothing_comes_of_what_waited(market: MarketServer) -> None:
    with slow_client(market, "leaving") as slow:
        slow.subscribes(quotes("ES"), IN_FORCE)
        fill(market, MANY)
        market.does(lambda: market.tells_alerts(range(1, 10)))
        slow.sends({"op": "unsubscribe", "topics": [{"channel": "quotes"}]})

        def is_all(heard: list[dict[str, Any]]) -> bool:
            return has_alerts(9)(heard) and any(message["type"] == "unsubscribed" for message in heard)

        kinds = [message["type"] for message in drained(slow, is_all)]
    assert "quote" in kinds, "some were written before"
    end = kinds.index("unsubscribed")
    assert "quote" not in kinds[end:]
    assert kinds.count("alert.in_force") == 9


def test_a_reader_who_does_not_take_its_alerts_is_closed_with_1013(market: MarketServer) -> None:
    with slow_client(market, "overwhelmed") as slow:
        slow.subscribes(quotes("ES"), IN_FORCE)
        fill(market, MANY)
        market.does(lambda: market.tells_alerts(range(1, 2 * ROOM)))
        assert slow.closed_with() == 1013


def test_readers_who_never_read_are_cut(market: MarketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "CUT_SECONDS", 3.0)  # so long that a busy machine looks before it is over
    eventually(lambda: market.connections == 0)
    slow = [slow_client(market, f"deaf-{number}") for number in range(5)]
    for client in slow:
        client.subscribes(quotes("ES"), IN_FORCE)
    fill(market, MANY)
    market.does(lambda: market.tells_alerts(range(1, 2 * ROOM)))
    eventually(lambda: market.use.clients == 0)
    assert market.connections == len(slow)  # told 1013, and given a moment to read it
    eventually(lambda: market.connections == 0)
    for client in slow:
        client.connection.socket.close()


def test_the_silent_are_closed_with_1011(tmp_path: Path) -> None:
    with MarketServer(tmp_path, ping_seconds=1.0) as market:
        request = (
            "GET /ws/market/v1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nX-API-Key: mute\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", market.use.port), timeout=20) as mute:
            mute.sendall(request.encode())
            watch = Stopwatch()
            heard = b""
            while part := mute.recv(4096):
                heard += part
            assert watch.seconds < 15
        assert b"101 Switching Protocols" in heard
        assert heard.partition(b"\r\n\r\n")[2].startswith(b"\x89\x04")  # the ping that it did not answer
        assert b"\x03\xf3" in heard[-40:]  # 1011
        with market.connects("awake") as awake:
            time.sleep(2.5)  # longer than the mute one was waited for
            assert awake.subscribes(quotes("ES"))["channels"] == ["quotes"]
