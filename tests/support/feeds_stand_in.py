"""A program at the port of feeds that answers what a test wants: feeds itself, or a stranger."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal

from msgspec.json import encode
from msgspec.structs import replace

from tests.support.desk_process import DeskProcess
from wire.feeds_health import FeedsHealth, FeedsPort, FeedsWeb, PortState, mark_of


def port_of(
    name: str, port: int, state: PortState = "listening", clients: int = 0, sent_at: datetime | None = None
) -> FeedsPort:
    return FeedsPort(name=name, port=port, state=state, clients=clients, sent=0, last_sent_at=sent_at)


WRITER = "machine/1234"
HEALTH = FeedsHealth(
    status="ok",
    uptime_s=3,
    web=FeedsWeb(is_up=True, since=datetime(2026, 11, 17, 14, 30, tzinfo=UTC), why=None, desk=mark_of(WRITER)),
    ports=(port_of("market", 8765, clients=2),),
    cursor=7,
    facts_lag_s=0.5,
)


def http(body: bytes, head: str = "HTTP/1.1 200 OK\r\nContent-Type: application/json") -> bytes:
    return f"{head}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


class Program:
    """A program at a port, that answers everybody with these bytes; with ``pause_seconds`` one byte at a time.

    It answers while ``answers`` is set.
    """

    def __init__(self, answer: bytes, pause_seconds: float = 0) -> None:
        self.answer, self.pause_seconds, self.asked = answer, pause_seconds, 0
        self.answers = threading.Event()
        self.answers.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def says_of(self, desk: DeskProcess, *ports: FeedsPort, status: Literal["ok", "degraded"] = "ok") -> None:
        """Answer from now on as the feeds of this desk, with these ports."""
        writer = desk.operator().state()["global"]["writer"]
        web = replace(HEALTH.web, desk=mark_of(writer))
        self.answer = http(encode(replace(HEALTH, web=web, status=status, ports=ports or HEALTH.ports)))

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            self.asked += 1
            threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line: socket.socket) -> None:
        with line:
            try:
                line.recv(65536)
                self.answers.wait()
                pieces = [self.answer] if not self.pause_seconds else [bytes([byte]) for byte in self.answer]
                for piece in pieces:
                    line.sendall(piece)
                    time.sleep(self.pause_seconds)
            except OSError:
                return


@contextmanager
def program(answer: bytes, pause_seconds: float = 0) -> Iterator[Program]:
    running = Program(answer, pause_seconds)
    try:
        yield running
    finally:
        running.answers.set()
        running.listener.shutdown(socket.SHUT_RDWR)  # wakes the accept that still holds it
        running.listener.close()
