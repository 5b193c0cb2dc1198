"""A crowd of anonymous connections that hold what they can: half heads, half bodies, unread answers, and silence.

It runs in a process of its own, and opens anew what the desk has closed.
"""

from __future__ import annotations

import heapq
import multiprocessing
import resource
import select
import socket
import time
from contextlib import suppress
from multiprocessing.context import SpawnProcess
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from typing import NamedTuple, Self

HOST = b"Host: 127.0.0.1\r\n"
BODY = b"x" * 20_000
OPENED_AGAIN_AFTER_SECONDS = 0.5
LOOPBACK = tuple(f"127.0.0.{number}" for number in range(1, 65))
SMALL_WINDOW = 2048
WAYS: tuple[bytes, ...] = (
    b"GET /login HTTP/1.1\r\n" + HOST + b"X: ",  # half a head
    b"POST /tv_renko HTTP/1.1\r\n" + HOST + b"Content-Length: 60000\r\n\r\n" + BODY,  # half a body
    b"POST /tv_renko HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n" + BODY,  # half a chunk
    b"",  # silent
    (b"GET /static/vendor/lightweight-charts.js HTTP/1.1\r\n" + HOST + b"\r\n") * 8,  # never reading
    (b"GET /login HTTP/1.1\r\n" + HOST + b"\r\n") * 16,  # pipelined
)
NEVER_READING = WAYS[4]


class Crowd(NamedTuple):
    """Where to, how many, and from which addresses."""

    port: int
    how_many: int
    addresses: tuple[str, ...]


class Strangers:
    """The crowd, while the block runs."""

    def __init__(self, port: int, count: int, addresses: tuple[str, ...] = LOOPBACK[:1]) -> None:
        context = multiprocessing.get_context("spawn")
        self._leaving: Event = context.Event()
        self._opened: Synchronized[int] = context.Value("i", 0)
        crowd = Crowd(port, count, addresses)
        self._process: SpawnProcess = context.Process(
            target=_crowd, args=(crowd, self._opened, self._leaving), daemon=True
        )
        self.count = count

    @property
    def opened(self) -> int:
        """How many connections were opened so far, those that were opened anew with them."""
        return self._opened.value

    def __enter__(self) -> Self:
        self._process.start()
        deadline = time.monotonic() + 60
        while self.opened < self.count:
            assert time.monotonic() < deadline, f"only {self.opened} of {self.count} connections were opened"
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Close every connection."""
        self._leaving.set()
        self._process.join(20)
        self._process.kill()


def _crowd(crowd: Crowd, opened: Synchronized[int], leaving: Event) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    lines: dict[int, Line] = {}
    closed = select.epoll()
    due = [(0.0, number) for number in range(crowd.how_many)]
    while not leaving.is_set():
        for _ in range(50):
            if not due or due[0][0] > time.monotonic():
                break
            line = _open(crowd, heapq.heappop(due)[1])
            lines[line.wire.fileno()] = line
            closed.register(line.wire, line.events)
            opened.value += 1
        for file, _ in closed.poll(0.01 if due else 0.2):
            if not _is_open(lines[file]):
                line = lines.pop(file)
                line.wire.close()
                heapq.heappush(due, (time.monotonic() + OPENED_AGAIN_AFTER_SECONDS, line.number))
    for line in lines.values():
        line.wire.close()


class Line(NamedTuple):
    """One connection; ``events`` are those on which it looks whether it is still open."""

    wire: socket.socket
    number: int
    events: int


def _open(crowd: Crowd, number: int) -> Line:
    way = WAYS[number % len(WAYS)]
    wire = socket.socket()
    if way is NEVER_READING:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
    with suppress(OSError):
        wire.settimeout(2)
        wire.bind((crowd.addresses[number // len(WAYS) % len(crowd.addresses)], 0))
        wire.connect(("127.0.0.1", crowd.port))
        wire.setblocking(False)
        wire.send(way)
    return Line(wire, number, 0 if way is NEVER_READING else select.EPOLLIN)


def _is_open(line: Line) -> bool:
    """Read what was answered; who never reads is only asked when the connection has ended."""
    if not line.events:
        return False
    try:
        return bool(line.wire.recv(65536))
    except BlockingIOError:
        return True
    except OSError:
        return False
