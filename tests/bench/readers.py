"""A thousand readers of the market WebSocket in one process, so light that they do not measure themselves.

They speak the protocol by hand: a handshake, one subscription, pongs. No line of feeds or of a library is in it.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from multiprocessing.connection import Connection
from typing import NamedTuple, cast

import uvloop

SENT = b'"sent":'
PING, PONG, TEXT = 0x89, 0x8A, 0x81
AT_ONCE = 20
WARM_UP_SECONDS = 3.0


class Heard(NamedTuple):
    """What all readers heard: lags in seconds, the seconds that connecting took, sockets that ended early."""

    lags: list[float]
    connecting_seconds: float
    lost: int


def masked(opcode: int, payload: bytes) -> bytes:
    """Return a frame of a client; its mask is nought, which the protocol allows."""
    length = len(payload)
    head = bytes((opcode, 0x80 | length)) if length < 126 else bytes((opcode, 0xFE)) + length.to_bytes(2, "big")
    return head + b"\0\0\0\0" + payload


class Reader(asyncio.Protocol):
    """One connection."""

    def __init__(self, key: str, lags: list[float]) -> None:
        self._key = key
        self._lags = lags
        self._waiting = b""
        self._is_open = False
        self.connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Shake hands."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is of no class of asyncio
        self.transport.write(
            b"GET /ws/market/v1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nX-API-Key: %b\r\n\r\n"
            % self._key.encode()
        )

    def data_received(self, received: bytes) -> None:
        """Read what is whole."""
        self._waiting += received
        if not self._is_open:
            head, found, rest = self._waiting.partition(b"\r\n\r\n")
            if not found:
                return
            assert b" 101 " in head, head
            self._is_open, self._waiting = True, rest
            self.connected.set_result(None)
        self._read_frames()

    def _read_frames(self) -> None:
        begin, waiting = 0, self._waiting
        while len(waiting) - begin >= 4:
            length, head = waiting[begin + 1], 2
            if length == 126:
                length, head = int.from_bytes(waiting[begin + 2 : begin + 4], "big"), 4
            end = begin + head + length
            if len(waiting) < end:
                break
            self._take(waiting[begin], waiting[begin + head : end])
            begin = end
        self._waiting = waiting[begin:]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self.transport.write(masked(PONG, payload))
            return
        place = payload.find(SENT)
        if place >= 0:
            begin = place + len(SENT)
            self._lags.append(time.monotonic() - float(payload[begin : begin + 16]))

    def subscribe(self) -> None:
        """Ask for the quotes."""
        topics = [{"channel": "quotes", "symbols": ["ES"]}]
        self.transport.write(masked(TEXT, json.dumps({"op": "subscribe", "topics": topics}).encode()))

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that it ended early."""
        self.is_lost = True
        if not self.connected.done():
            self.connected.set_exception(ConnectionError("the connection ended"))


def read_all(port: int, keys: list[str], seconds: float, told: Connection) -> None:
    """Connect every key, say so, read for a while, and send what was heard."""
    os.nice(15)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        told.send(runner.run(_read(port, keys, seconds, told)))


async def _read(port: int, keys: list[str], seconds: float, told: Connection) -> Heard:
    lags: list[float] = []
    readers: list[Reader] = []
    waiting = iter(keys)
    loop = asyncio.get_running_loop()

    async def connect_some() -> None:
        for key in waiting:
            _, reader = await loop.create_connection(lambda key=key: Reader(key, lags), "127.0.0.1", port)  # type: ignore[misc]
            await asyncio.wait_for(reader.connected, 60)
            readers.append(reader)

    began = time.monotonic()
    await asyncio.gather(*(connect_some() for _ in range(AT_ONCE)))
    took = time.monotonic() - began
    for reader in readers:
        reader.subscribe()
    await asyncio.sleep(WARM_UP_SECONDS)
    lags.clear()
    told.send(took)
    await asyncio.sleep(seconds)
    return Heard(list(lags), took, sum(reader.is_lost for reader in readers))
