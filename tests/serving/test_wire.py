"""A real desk on its socket: deadlines, the order of answers, what ends a connection (docs/explanation/serving.md)."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from serving.limits import BODY_BYTES, PIPELINED_AT_MOST
from tests.support.desk_process import BRIDGE_SECRET, PATIENCE_SECONDS, QUICK, TV_SECRET, DeskProcess, eventually
from tests.support.own_time import Stopwatch

pytestmark = pytest.mark.processes

HOST = b"Host: desk\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\n%s\r\n" % HOST
ASK_STATE = b"GET /api/state HTTP/1.1\r\n%s\r\n" % HOST
BRICK = json.dumps({"secret": TV_SECRET, "asset": "ES", "color": "green"}).encode()
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("wire"), **QUICK) as desk:
        yield desk


def calls(desk: DeskProcess, *pieces: bytes, hangs_up: bool = False) -> bytes:
    """Send the pieces, and return everything that is answered until the desk hangs up."""
    with socket.create_connection(("127.0.0.1", desk.port), timeout=PATIENCE_SECONDS) as wire:
        for piece in pieces:
            wire.sendall(piece)
            time.sleep(0.01)
        if hangs_up:
            wire.shutdown(socket.SHUT_WR)
        return everything(wire)


def everything(wire: socket.socket) -> bytes:
    heard = bytearray()
    while piece := wire.recv(65536):
        heard += piece
    return bytes(heard)


def statuses(heard: bytes) -> list[int]:
    return [int(status) for status in STATUS.findall(heard)]


def closing(request: bytes) -> bytes:
    return request.replace(HOST, HOST + b"Connection: close\r\n", 1)


def webhook(body: bytes, *headers: bytes) -> bytes:
    head = b"POST /tv_renko HTTP/1.1\r\n" + HOST + b"Connection: close\r\n"
    return head + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body


def test_answers_come_in_the_order_of_the_requests(desk: DeskProcess) -> None:
    heard = calls(desk, HEALTH + ASK_STATE + HEALTH + closing(b"GET /nowhere HTTP/1.1\r\n%s\r\n" % HOST))
    assert statuses(heard) == [200, 401, 200, 404]


def test_a_connection_serves_one_request_after_the_other(desk: DeskProcess) -> None:
    heard = calls(desk, HEALTH, HEALTH, HEALTH[:20], HEALTH[20:], closing(HEALTH))
    assert statuses(heard) == [200] * 4


def test_of_too_many_requests_in_one_piece_the_first_are_answered(desk: DeskProcess) -> None:
    heard = calls(desk, HEALTH * 200)
    assert statuses(heard) == [200] * PIPELINED_AT_MOST


def test_head_has_the_length_and_no_body(desk: DeskProcess) -> None:
    head, _, body = calls(desk, closing(HEALTH).replace(b"GET", b"HEAD")).partition(b"\r\n\r\n")
    whole = calls(desk, closing(HEALTH)).partition(b"\r\n\r\n")[2]
    assert body == b""
    assert b"Content-Length: %d" % len(whole) in head


def test_every_answer_has_its_date_and_names_no_server(desk: DeskProcess) -> None:
    heard = calls(desk, closing(HEALTH))
    assert re.search(rb"\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", heard)
    assert b"\r\nServer:" not in heard
    assert b"\r\nX-Request-Id:" in heard


def test_a_webhook_may_come_in_chunks_or_after_continue(desk: DeskProcess) -> None:
    in_chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (BRICK[:7], BRICK[7:])) + b"0\r\n\r\n"
    assert statuses(calls(desk, webhook(in_chunks, b"Transfer-Encoding: chunked"))) == [200]
    with socket.create_connection(("127.0.0.1", desk.port), timeout=PATIENCE_SECONDS) as wire:
        wire.sendall(webhook(b"", b"Content-Length: %d" % len(BRICK), b"Expect: 100-continue"))
        assert wire.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.sendall(BRICK)
        assert statuses(everything(wire)) == [200]


def test_a_body_that_is_too_long_is_refused_before_it_is_sent(desk: DeskProcess) -> None:
    announced = b"Content-Length: %d" % (BODY_BYTES + 1)
    assert statuses(calls(desk, webhook(b"", announced, b"Expect: 100-continue"))) == [413]
    heard = calls(desk, webhook(b"x" * (BODY_BYTES + 1), announced))
    assert statuses(heard) == [413]
    assert json.loads(heard.partition(b"\r\n\r\n")[2])["code"] == "too_large"
    chunk = b"1000\r\n%s\r\n" % (b"x" * 0x1000)
    assert statuses(calls(desk, webhook(chunk * 20 + b"0\r\n\r\n", b"Transfer-Encoding: chunked"))) == [413]


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"hello\r\n\r\n", 400, "request_invalid"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "request_invalid"),
        (b"GET /%s HTTP/1.1\r\n%s\r\n" % (b"a" * 5000, HOST), 414, "too_large"),
        (b"GET / HTTP/1.1\r\n%sX: %s\r\n\r\n" % (HOST, b"a" * 9000), 431, "too_large"),
        (HEALTH.replace(HOST, HOST + b"Expect: more\r\n"), 417, "request_invalid"),
        (webhook(b"z\r\n", b"Transfer-Encoding: chunked"), 400, "request_invalid"),
    ],
)
def test_what_cannot_be_read_is_told_why_in_the_form_of_every_error(
    desk: DeskProcess, sent: bytes, status: int, code: str
) -> None:
    heard = calls(desk, HEALTH + sent)
    assert statuses(heard) == [200, status]
    problem = json.loads(heard.rpartition(b"\r\n\r\n")[2])
    assert problem["ok"] is False
    assert problem["code"] == code
    assert {"error", "title", "detail", "facts"} <= problem.keys()


def test_who_says_no_more_still_hears_the_answer(desk: DeskProcess) -> None:
    assert statuses(calls(desk, HEALTH, hangs_up=True)) == [200]
    assert calls(desk, HEALTH[:-2], hangs_up=True) == b""


def test_http_1_0_hears_a_stream_without_chunks(desk: DeskProcess) -> None:
    ask = b"GET /api/stream HTTP/1.0\r\nX-Bridge-Secret: %s\r\n\r\n" % BRIDGE_SECRET.encode()
    with socket.create_connection(("127.0.0.1", desk.port), timeout=PATIENCE_SECONDS) as wire:
        wire.sendall(ask)
        heard = b""
        while b"retry: 1000\n\n" not in heard:
            heard += wire.recv(4096)
        assert heard.partition(b"\r\n\r\n")[2].startswith(b"retry: 1000\n\n")
        assert b"chunked" not in heard


def test_a_header_with_an_underscore_passes_for_no_other(desk: DeskProcess) -> None:
    forged = b"GET /api/orders/pending HTTP/1.1\r\n%sX_Bridge_Secret: %s\r\n\r\n" % (HOST, BRIDGE_SECRET.encode())
    assert statuses(calls(desk, closing(forged))) == [401]


def test_a_path_is_read_as_it_was_sent(desk: DeskProcess) -> None:
    for path, status in ((b"/%68ealthz", 200), (b"/healthz%00", 404), (b"/%ff", 404)):
        assert statuses(calls(desk, closing(b"GET %s HTTP/1.1\r\n%s\r\n" % (path, HOST)))) == [status], path
    assert statuses(calls(desk, closing(b"GET http://desk/healthz HTTP/1.1\r\n%s\r\n" % HOST))) == [200]
    assert statuses(calls(desk, closing(b"OPTIONS * HTTP/1.1\r\n%s\r\n" % HOST))) == [404]


def test_what_is_half_sent_ends_after_five_seconds(desk: DeskProcess) -> None:
    """Each begins something and stops, or goes on so slowly that it never ends."""
    halves = {
        b"": [],
        HEALTH[:10]: [408],
        HEALTH[:-2]: [408],
        HEALTH + HEALTH[:10]: [200, 408],
        webhook(BRICK[:5], b"Content-Length: %d" % len(BRICK)): [408],
        webhook(b"5\r\nhel", b"Transfer-Encoding: chunked"): [408],
    }
    with ThreadPoolExecutor(len(halves) + 1) as callers:
        began, watch = time.monotonic(), Stopwatch(desk.process)
        dripping = callers.submit(drips, desk)
        heard = {half: callers.submit(calls, desk, half) for half in halves}
        assert {half: statuses(answer.result()) for half, answer in heard.items()} == halves
        assert dripping.result() == [408]
        assert time.monotonic() - began > 4.5
        assert watch.seconds < 8


def drips(desk: DeskProcess) -> list[int]:
    """Send a header's letters one by one, until the desk answers."""
    with socket.create_connection(("127.0.0.1", desk.port), timeout=0.2) as wire:
        wire.sendall(HEALTH[:-2] + b"X: ")
        while True:
            try:
                wire.sendall(b"a")
                heard = wire.recv(4096)
            except TimeoutError:
                continue
            return statuses(heard)


def test_a_long_poll_whose_caller_has_gone_takes_no_order(tmp_path: Path) -> None:
    """The order waits for a bridge that is there, not for the lease of one that has left."""
    with DeskProcess(tmp_path, **QUICK) as own_desk:
        operator = own_desk.operator()
        own_desk.tradingview().opens_the_ladder()
        ask = b"GET /api/orders/pending?wait=25 HTTP/1.1\r\n%sX-Bridge-Secret: %s\r\n\r\n"
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", own_desk.port)) as gone:
                gone.sendall(ask % (HOST, BRIDGE_SECRET.encode()))
                time.sleep(0.2)
        order = operator.enters_when_the_candle_allows()
        [handed] = eventually(own_desk.bridge().claims)
        assert (handed["id"], handed["redelivered"]) == (order["id"], False)
