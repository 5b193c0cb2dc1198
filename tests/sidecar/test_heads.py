"""Requests that never become whole, and heads without an end: cut, and nobody else notices."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar import sockets
from tests.support.desk_process import PATIENCE_SECONDS, eventually
from tests.support.market_floor import quotes
from tests.support.market_server import MarketServer
from tests.support.own_time import Stopwatch


@pytest.fixture
def market(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MarketServer]:
    monkeypatch.setattr(sockets, "HEAD_SECONDS", 1.5)  # a good one is sent by then on a busy machine, too
    with MarketServer(tmp_path) as server:
        yield server


def answer_to(market: MarketServer, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send parts one after the other, and return what came until the connection ended."""
    heard = b""
    with socket.create_connection(("127.0.0.1", market.use.port), timeout=PATIENCE_SECONDS) as stranger:
        try:
            for part in parts:
                stranger.sendall(part)
                time.sleep(pause)
            while received := stranger.recv(4096):
                heard += received
        except (ConnectionResetError, BrokenPipeError):
            pass  # cut
    return heard


@pytest.mark.parametrize("begun", [b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: a\r\n"])
def test_who_does_not_ask_is_cut(market: MarketServer, begun: bytes) -> None:
    watch = Stopwatch()
    assert answer_to(market, begun) == b""
    assert watch.seconds < 5
    with market.connects("anna") as client:
        assert client.subscribes(quotes("ES"))["channels"] == ["quotes"]


def test_a_head_that_comes_byte_by_byte_is_cut_too(market: MarketServer) -> None:
    assert answer_to(market, *[b"X"] * 40, pause=0.1) == b""


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"H%d: %b\r\n" % (n, b"x" * 100) for n in range(200)) + b"\r\n",
        b"not http at all\r\n\r\n",
    ],
    ids=["address", "headers", "nonsense"],
)
def test_a_head_that_is_too_long_or_none_is_answered_400(market: MarketServer, head: bytes) -> None:
    assert answer_to(market, head).startswith(b"HTTP/1.1 400")


def test_a_socket_stays_open_longer_than_a_head_may_take(market: MarketServer) -> None:
    with market.connects("anna") as client:
        time.sleep(2.0)
        assert client.subscribes(quotes("ES"))["channels"] == ["quotes"]


def test_more_connections_than_a_port_takes_are_cut(market: MarketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "MOST_CONNECTIONS", 1)
    with market.connects("anna") as client:
        assert answer_to(market, b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n") == b""
        assert client.subscribes(quotes("ES"))["channels"] == ["quotes"]
    eventually(lambda: market.connections == 0)
