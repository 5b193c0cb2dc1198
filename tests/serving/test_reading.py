"""Bytes become requests: whole, within limits, and read in one way only (docs/explanation/serving.md)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routes.http.error_codes import ERRORS
from serving import refusals
from serving.limits import BODY_BYTES, CHUNKED_BYTES, HEAD_BYTES, HEADERS_AT_MOST, PIPELINED_AT_MOST, URL_BYTES
from serving.reading import Request, RequestReader
from serving.refusals import FrontRefusal

HOST = b"Host: desk\r\n"
BRICK = b'{"asset":"ES","color":"green"}'
WEBHOOK = b"POST /tv_renko HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s" % (HOST, len(BRICK), BRICK)
STATE = b"GET /api/state?x=1 HTTP/1.1\r\n%sCookie: a=b\r\n\r\n" % HOST
CHUNKED = b"POST /tv_renko HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n" % HOST


def read(*pieces: bytes) -> tuple[list[Request], RequestReader]:
    reader = RequestReader()
    return [request for piece in pieces for request in reader.feed(piece)], reader


def refusal_of(*pieces: bytes) -> FrontRefusal | None:
    requests, reader = read(*pieces)
    assert requests == []
    assert reader.is_over
    return reader.refusal


def test_a_request_is_handed_on_when_its_last_byte_is_there() -> None:
    requests, reader = read(WEBHOOK[:-1])
    assert requests == []
    assert reader.stage.name == "BODY"
    [request] = reader.feed(WEBHOOK[-1:])
    assert (request.method, request.target, request.body, request.length) == ("POST", b"/tv_renko", BRICK, len(BRICK))
    assert request.headers == [(b"host", b"desk"), (b"content-length", b"30")]
    assert request.keeps_alive
    assert reader.stage.name == "BETWEEN"


@given(st.lists(st.integers(1, 40), max_size=30))
def test_however_the_bytes_are_cut_the_requests_are_the_same(cuts: list[int]) -> None:
    whole = WEBHOOK + STATE + CHUNKED + b'5\r\n{"a":\r\n3\r\n 1}\r\n0\r\n\r\n' + STATE
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(whole[at : at + cut])
        at += cut
    requests, reader = read(*pieces, whole[at:])
    assert [request.body for request in requests] == [BRICK, b"", b'{"a": 1}', b""]
    assert [request.target for request in requests] == [
        b"/tv_renko",
        b"/api/state?x=1",
        b"/tv_renko",
        b"/api/state?x=1",
    ]
    assert not reader.is_over


def test_http_1_0_and_close_end_the_connection_and_what_follows_is_nobodys_request() -> None:
    for first in (b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\n%sConnection: close\r\n\r\n" % HOST):
        requests, reader = read(first + STATE)
        assert [request.target for request in requests] == [b"/"]
        assert not requests[0].keeps_alive
        assert (reader.is_over, reader.refusal) == (True, None)


def test_an_upgrade_is_answered_as_it_stands_and_ends_the_connection() -> None:
    [request], reader = read(b"GET / HTTP/1.1\r\n%sConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nPRI" % HOST)
    assert not request.keeps_alive
    assert reader.is_over


def test_trailers_are_dropped() -> None:
    [request], _ = read(CHUNKED + b"2\r\n{}\r\n0\r\nX-Bridge-Secret: forged\r\n\r\n")
    assert request.body == b"{}"
    assert b"x-bridge-secret" not in dict(request.headers)


def test_who_waits_for_continue_is_known_until_the_body_comes() -> None:
    _, reader = read(WEBHOOK.replace(HOST, HOST + b"Expect: 100-continue\r\n")[: -len(BRICK)])
    assert reader.wants_continue
    assert [request.body for request in reader.feed(BRICK)] == [BRICK]
    assert not reader.wants_continue


# -- two readings of the same bytes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Content-Length: 4\r\nContent-Length: 4\r\n",
        b"Content-Length: +4\r\n",
        b"Content-Length: 4, 4\r\n",
        b"Content-Length: 0x4\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 99999999999999999999999\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: identity\r\nTransfer-Encoding: gzip\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n",
        b"X: a\r\n b\r\n",
        b"X\x00: a\r\n",
        b"X: a\x00b\r\n",
        b"X: a\rb\r\n",
        b"X y: a\r\n",
        b": nothing\r\n",
        b"no colon at all\r\n",
        b"Content-Length: 4\n\r\n",
    ],
)
def test_a_head_that_can_be_read_in_two_ways_is_refused(lines: bytes) -> None:
    refused = refusal_of(b"POST /tv_renko HTTP/1.1\r\n" + HOST + lines + b"\r\nbody")
    assert refused is not None
    assert refused.status.startswith("4")


@pytest.mark.parametrize(
    "chunks",
    [
        b"5;\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\nhello\r\n0\r\n\r\n",
        b" 5\r\nhello\r\n0\r\n\r\n",
        b"ffffffffffffffffff\r\n",
        b"g\r\n",
        b"\r\n",
    ],
)
def test_chunks_that_are_none_are_refused(chunks: bytes) -> None:
    assert refusal_of(CHUNKED + chunks) is not None


@pytest.mark.parametrize("hosts", [b"", HOST * 2, HOST + b"Host: other\r\n"])
def test_a_request_names_one_host(hosts: bytes) -> None:
    assert refusal_of(b"GET / HTTP/1.1\r\n" + hosts + b"\r\n") == refusals.HOST_UNCLEAR


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/0.9",
        b"GET / HTTP/2.0",
        b"GET / HTTP/9.9",
        b"GET /",
        b"PRI * HTTP/2.0",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /a b HTTP/1.1",
        b"G\x00T / HTTP/1.1",
    ],
)
def test_a_first_line_that_is_none_is_refused(line: bytes) -> None:
    assert refusal_of(line + b"\r\n" + HOST + b"\r\n") == refusals.MALFORMED


def test_what_else_is_expected_than_continue_is_refused() -> None:
    assert refusal_of(STATE.replace(HOST, HOST + b"Expect: a-miracle\r\n")) == refusals.UNMET


# -- limits ------------------------------------------------------------------------------------------------------------


def test_the_limits_of_a_head_hold_to_the_byte() -> None:
    longest = b"/" + b"a" * (URL_BYTES - 1)
    assert len(read(b"GET %s HTTP/1.1\r\n%s\r\n" % (longest, HOST))[0]) == 1
    assert refusal_of(b"GET %sa HTTP/1.1\r\n%s\r\n" % (longest, HOST)) == refusals.URL_LONG
    room = HEAD_BYTES - len(HOST) - len(b"X: \r\n")
    assert len(read(b"GET / HTTP/1.1\r\n%sX: %s\r\n\r\n" % (HOST, b"a" * room))[0]) == 1
    assert refusal_of(b"GET / HTTP/1.1\r\n%sX: %s\r\n\r\n" % (HOST, b"a" * (room + 1))) == refusals.HEAD_LONG
    others = HEADERS_AT_MOST - 1
    assert len(read(b"GET / HTTP/1.1\r\n" + HOST + b"a:b\r\n" * others + b"\r\n")[0]) == 1
    assert refusal_of(b"GET / HTTP/1.1\r\n" + HOST + b"a:b\r\n" * (others + 1) + b"\r\n") == refusals.HEAD_LONG


def test_a_header_without_an_end_is_not_collected() -> None:
    assert refusal_of(b"GET / HTTP/1.1\r\nX: ", *[b"a" * 1024] * 20) == refusals.HEAD_LONG


def test_a_body_that_is_announced_too_long_is_handed_on_without_it() -> None:
    head = b"POST /tv_renko HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n"
    [request], reader = read(head % (HOST, BODY_BYTES + 1))
    assert (request.body, request.length, request.keeps_alive) == (b"", BODY_BYTES + 1, False)
    assert reader.is_over
    [whole], reader = read(head % (HOST, BODY_BYTES) + b"x" * BODY_BYTES)
    assert len(whole.body) == BODY_BYTES
    assert not reader.is_over


def test_chunks_that_grow_too_long_are_cut_where_the_limit_is() -> None:
    [request], reader = read(CHUNKED, *[b"1000\r\n%s\r\n" % (b"x" * 0x1000)] * 20)
    assert request.body == b""
    assert request.length > BODY_BYTES
    assert reader.is_over


def test_chunks_that_weigh_more_than_what_they_carry_are_refused() -> None:
    tiny = b"1;name=%s\r\nx\r\n" % (b"v" * 200)
    assert refusal_of(CHUNKED, *[tiny] * (CHUNKED_BYTES // len(tiny) + 1)) == refusals.BODY_LONG


def test_no_more_requests_are_read_ahead_than_may_wait() -> None:
    requests, reader = read(STATE * 1000)
    assert len(requests) == PIPELINED_AT_MOST
    assert (reader.is_over, reader.refusal) == (True, None)


@given(st.binary(max_size=600))
def test_whatever_is_sent_nothing_is_raised(sent: bytes) -> None:
    read(sent)
    read(WEBHOOK[:60] + sent)
    read(CHUNKED + sent)


# -- what the front says by itself -------------------------------------------------------------------------------------


@pytest.mark.parametrize("refusal", refusals.EVERY)
def test_what_the_front_refuses_is_in_the_table_of_errors(refusal: FrontRefusal) -> None:
    kind = next(kind for code, kind in ERRORS.items() if code == refusal.code)
    assert refusal.title == kind.title
    assert int(refusal.status[:3]) in kind.statuses
