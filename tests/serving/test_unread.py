"""How long an answer may stay unread: a slow reader gets all of it, who reads nothing is cut."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from serving.connection import Connection
from serving.connections import Connections
from serving.front import Front
from serving.limits import READ_AT_LEAST_BYTES, STREAM_UNREAD_SECONDS, UNREAD_SECONDS

LONG_ANSWER = 1_000_000


class Wire:
    """A transport whose other side reads when it is told to."""

    def __init__(self) -> None:
        self.unsent = 0
        self.is_cut = False

    def get_extra_info(self, name: str) -> object:
        return ("127.0.0.1", 1) if name in ("peername", "sockname") else None

    def set_write_buffer_limits(self, high: int) -> None:
        assert high > 0

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def abort(self) -> None:
        self.is_cut = True


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def connection(wire: Wire) -> Connection:
    """A connection whose long answer has begun to wait for its reader."""
    front = SimpleNamespace(connections=Connections(at_most=10))
    connection = Connection(cast(Front, front))
    connection.connection_made(cast(Any, wire))
    wire.unsent = LONG_ANSWER
    connection.pause_writing()
    return connection


def test_a_slow_reader_is_not_cut_while_it_reads_on(connection: Connection, wire: Wire) -> None:
    now = time.monotonic()
    for round_ in range(1, 20):
        wire.unsent -= READ_AT_LEAST_BYTES
        connection.look(now + round_ * (UNREAD_SECONDS + 1))
    assert not wire.is_cut


@pytest.mark.parametrize("read", [0, 1, READ_AT_LEAST_BYTES - 1])
def test_who_reads_almost_nothing_is_cut(connection: Connection, wire: Wire, read: int) -> None:
    now = time.monotonic()
    wire.unsent -= read
    connection.look(now + UNREAD_SECONDS - 1)
    assert not wire.is_cut
    connection.look(now + UNREAD_SECONDS + 1)
    assert wire.is_cut


def test_a_stream_has_its_own_patience_each_time(connection: Connection, wire: Wire) -> None:
    connection._current = cast(Any, SimpleNamespace(is_waiting=True))  # noqa: SLF001 - a stream, without its request
    connection.pause_writing()
    now = time.monotonic()
    wire.unsent -= READ_AT_LEAST_BYTES
    for moment in (STREAM_UNREAD_SECONDS - 1, STREAM_UNREAD_SECONDS + 1, 2 * STREAM_UNREAD_SECONDS - 1):
        connection.look(now + moment)
        assert not wire.is_cut
    connection.look(now + 2 * STREAM_UNREAD_SECONDS + 3)
    assert wire.is_cut


def test_who_has_read_on_for_long_and_stops_is_cut(connection: Connection, wire: Wire) -> None:
    now = time.monotonic()
    wire.unsent -= READ_AT_LEAST_BYTES
    connection.look(now + UNREAD_SECONDS + 1)
    assert not wire.is_cut
    connection.look(now + 2 * (UNREAD_SECONDS + 1))
    assert wire.is_cut
