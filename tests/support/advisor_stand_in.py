"""A program at both ports of the advisor that answers what a test wants, call by call, over real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from tests.support.feeds_stand_in import http
from wire.agent import AgentHealth, ChatAnswer, DoneEvent, TokenEvent
from wire.encoding import encode
from wire.ml_engine import MlHealth, RangeBand, RangeBands
from wire.service_problem import ServiceFault, ServiceProblem

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
ML_HEALTH = MlHealth(
    status="healthy", version="1", models_loaded=True, timestamp=NOON, models=("es-5m",), trouble=(), feeds=True
)
AGENT_HEALTH = AgentHealth(
    status="healthy", llm_provider="rules", model="none", gpu_available=False, web=True, reason=None
)
BANDS = RangeBands(
    asset="ES",
    timeframe="5m",
    close=Decimal(5250),
    as_of=NOON,
    valid_until=NOON,
    atr=Decimal("4.25"),
    method="hour",
    model="es-5m",
    bands=(
        RangeBand(
            quantile=Decimal("0.8"), high=Decimal("5254.25"), low=Decimal(5246), held_high=None, held_low=None, n=3
        ),
    ),
)
WORDS = "The cooldown holds for 42 s."
WHOLE = ChatAnswer(response=WORDS, tool_calls=(), conversation_id="conv-1", source="rules")
DONE = DoneEvent(response=WORDS, tool_calls=(), conversation_id="conv-1", source="rules")
TOKEN = TokenEvent(text="The cooldown")
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
CHUNKED = STREAM_HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

Says = bytes | Callable[[socket.socket], None]


class Heard(NamedTuple):
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def said(body: object) -> bytes:
    """Return an answer of 200 with this body."""
    return http(encode(body))


def refusal(code: ServiceFault, detail: str, head: str) -> bytes:
    """Return a refusal in the dialect of the services; ``head`` is like ``503 Service Unavailable``."""
    body = encode(ServiceProblem(error=code, detail=detail, timestamp=NOON))
    return http(body, f"HTTP/1.1 {head}\r\nContent-Type: application/json")


def event(told: object) -> bytes:
    """Return an event as the agent sends it."""
    return b"data: " + encode(told) + b"\n\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class AdvisorStandIn:
    """Answers each path with what ``says`` has for it; both healths are well. A call that is not there hangs."""

    def __init__(self) -> None:
        self.says: dict[str, Says] = {"/health": said(ML_HEALTH), "/api/v1/health": said(AGENT_HEALTH)}
        self.heard: list[Heard] = []
        self.open = 0
        """Connections that have neither been answered nor given up."""

        self.given_up = 0
        self._counting = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def asked(self) -> list[Heard]:
        """The requests that are no look at its health."""
        return [heard for heard in self.heard if "health" not in heard.path]

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line: socket.socket) -> None:
        with line:
            try:
                heard = read_request(line)
                self.heard.append(heard)
                says = self.says.get(heard.path.partition("?")[0])
                if says is None:
                    self._hang(line)
                elif isinstance(says, bytes):
                    line.sendall(says)
                else:
                    says(line)
            except OSError:
                return

    def _hang(self, line: socket.socket) -> None:
        """Answer nothing until the asker goes."""
        self._count(1)
        try:
            until_gone(line)
        finally:
            self._count(-1)

    def _count(self, by: int) -> None:
        with self._counting:
            self.open += by
            self.given_up += by < 0


def until_gone(line: socket.socket) -> None:
    """Wait until the asker has hung up."""
    while line.recv(4096):
        pass


def read_request(line: socket.socket) -> Heard:
    """Read one request with its body."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += _more(line)
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rest)}
    while len(body) < int(headers.get("content-length", 0)):
        body += _more(line)
    return Heard(method, path, headers, body)


def _more(line: socket.socket) -> bytes:
    data = line.recv(65536)
    if not data:
        raise ConnectionError("it hung up")
    return data


@contextmanager
def advisor() -> Iterator[AdvisorStandIn]:
    """Run a stand-in."""
    running = AdvisorStandIn()
    try:
        yield running
    finally:
        running.close()


def events_of(body: bytes) -> list[dict[str, Any]]:
    """Return the events of a stream, without the lines that keep it alive."""
    lines = [line[5:].strip() for line in body.splitlines() if line.startswith(b"data:")]
    return [msgspec.json.decode(line) for line in lines]
