"""One call to a program beside web: directly, whatever ``http_proxy`` says, bounded in time and length."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from types import MappingProxyType
from urllib.parse import urlsplit

from msgspec import Struct

from wire.feeds_answer import Absence

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
JSON = "application/json"


class Away(Exception):
    """The program gave no answer. ``reason`` says why."""

    def __init__(self, reason: Absence) -> None:
        super().__init__(reason)
        self.reason: Absence = reason


class Answered(Struct, frozen=True):
    """What the program answered, whatever the status."""

    status: int
    body: bytes


class Bounds(Struct, frozen=True):
    """How long an answer may take and how many bytes it may have.

    ``seconds`` are for the whole answer, ``silence`` for the time without a byte (None: no shorter), ``connect`` for
    each address that its name has.
    """

    seconds: float
    longest: int
    silence: float | None = None
    connect: float | None = None


class Question(Struct, frozen=True):
    """What is asked. With a ``body``, which is JSON, it is posted."""

    path: str
    headers: Mapping[str, str] = NO_HEADERS
    method: str = "GET"
    body: bytes | None = None
    accepts: str = JSON


class Connection:
    """A connection for one question. Any thread may `cut` it: whoever reads it then hears ``silent``."""

    def __init__(self, url: str, bounds: Bounds) -> None:
        """Ask at `url`, later. The time of the whole answer begins now."""
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._bounds = bounds
        self._ends_at = time.monotonic() + bounds.seconds
        self._connection = kind(parts.hostname or "", parts.port, timeout=bounds.connect or bounds.seconds)
        self._is_cut = False

    def ask(self, question: Question) -> HTTPResponse:
        """Send the question and read the head of the answer. Raises OSError, HTTPException, ValueError."""
        self._connection.connect()
        line = self._connection.sock
        if self._is_cut:
            raise TimeoutError("it was given up")
        line.settimeout(max(0.001, self._ends_at - time.monotonic()))
        headers = {"Accept": question.accepts, "Connection": "close", **question.headers}
        if question.body is not None:
            headers["Content-Type"] = JSON
        self._connection.request(question.method, question.path, question.body, headers)
        response = HTTPResponse(_Line(line, self._ends_at, self._bounds.silence), method=question.method)  # type: ignore[arg-type]
        response.begin()
        return response

    def cut(self) -> None:
        """End it now."""
        self._is_cut = True
        line = self._connection.sock
        if line is not None:
            _hang_up(line)

    def close(self) -> None:
        """Give its file back. Called by whoever asked, when nothing is read any more."""
        self._connection.close()


def _hang_up(line: socket.socket) -> None:
    """Wake whoever reads the line. Past an encrypted one: its own goodbye may not be said by another thread."""
    try:
        socket.socket.shutdown(line, socket.SHUT_RDWR)
    except OSError:
        return  # it has ended already


def call(url: str, path: str, bounds: Bounds, headers: Mapping[str, str] = NO_HEADERS) -> Answered:
    """Ask the program at `url` once. Raises Away."""
    connection = Connection(url, bounds)
    try:
        return answer_of(connection, Question(path, headers), bounds)
    finally:
        connection.close()


def answer_of(connection: Connection, question: Question, bounds: Bounds) -> Answered:
    """Return the whole answer. Raises Away."""
    try:
        with connection.ask(question) as response:
            return read_whole(response, bounds)
    except FAILURES as error:
        raise away_by(error) from error


def read_whole(response: HTTPResponse, bounds: Bounds) -> Answered:
    """Read what follows the head. Raises OSError, HTTPException, and ValueError when it is too long."""
    body = response.read(bounds.longest + 1)
    if len(body) > bounds.longest:
        raise ValueError("the answer is too long")
    return Answered(response.status, body)


FAILURES = (OSError, HTTPException, ValueError)


def away_by(error: OSError | HTTPException | ValueError) -> Away:
    """Return what a failed call says of the program."""
    if isinstance(error, TimeoutError):
        return Away("silent")
    if isinstance(error, ConnectionRefusedError):
        return Away("refused")
    if isinstance(error, HTTPException | ConnectionError | ValueError):
        return Away("unreadable")
    return Away("unreachable")


class _Line(io.RawIOBase):
    """Reads a socket up to one deadline for the whole answer: a byte now and then does not make it longer."""

    def __init__(self, line: socket.socket, ends_at: float, silence: float | None) -> None:
        self._line = line
        self._ends_at = ends_at
        self._silence = silence

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what `HTTPResponse` reads from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read what has come. Raises TimeoutError after the deadline."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("no whole answer in time")
        self._line.settimeout(left if self._silence is None else min(left, self._silence))
        return self._line.recv_into(buffer)
