"""One compression for all readers of the stream: whatever part a reader hears, it is a whole gzip stream."""

import gzip
import socket
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.live.packing import GZIP_HEAD, PackedStream, pack
from tests.support.desk_process import PATIENCE_SECONDS, QUICK, DeskProcess

TEXTS = st.lists(st.binary(max_size=2000), max_size=20)


@given(TEXTS, st.integers(0, 20))
def test_packed_messages_may_be_joined_from_any_on(texts: list[bytes], first: int) -> None:
    heard, stream = texts[first:], PackedStream()
    for text in heard:
        stream.note(text)
    whole = GZIP_HEAD + b"".join(pack(text) for text in heard) + stream.end()
    assert gzip.decompress(whole) == b"".join(heard)


@given(TEXTS)
def test_a_message_is_readable_as_soon_as_it_is_there(texts: list[bytes]) -> None:
    reading = zlib.decompressobj(wbits=31)
    reading.decompress(GZIP_HEAD)
    assert [reading.decompress(pack(text)) for text in texts] == texts


@pytest.mark.processes
def test_a_page_that_unpacks_hears_the_state_in_a_fraction_and_the_end_when_the_desk_ends(tmp_path: Path) -> None:
    with DeskProcess(tmp_path, **QUICK) as desk:
        cookie = desk.operator().session_cookie
        desk.tradingview().opens_the_ladder()
        sent = {way: heard_until_the_end(desk, cookie, way) for way in ("gzip, br", "identity", "gzip;q=0")}
        desk.terminate()
        packed, plain, refused = (everything(wire) for wire in sent.values())
    assert b"Content-Encoding: gzip" in packed
    assert b"Content-Encoding" not in plain + refused
    unpacked = gzip.decompress(body_of(packed))
    assert unpacked.startswith(b"retry: 1000\n\nid: ")
    assert b"event: state\n" in unpacked
    assert len(packed) < len(plain) / 2


def heard_until_the_end(desk: DeskProcess, cookie: str, encodings: str) -> socket.socket:
    wire = socket.create_connection(("127.0.0.1", desk.port), timeout=PATIENCE_SECONDS)
    head = f"GET /api/stream HTTP/1.0\r\nCookie: {cookie}\r\nAccept-Encoding: {encodings}\r\n\r\n"
    wire.sendall(head.encode())
    assert wire.recv(10, socket.MSG_PEEK)
    return wire


def everything(wire: socket.socket) -> bytes:
    heard = bytearray()
    with wire:
        while piece := wire.recv(65536):
            heard += piece
    return bytes(heard)


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]
