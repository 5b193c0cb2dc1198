"""Web believes feeds and no other program that answers at its address."""

import msgspec
import pytest

from tests.support.feeds_stand_in import HEALTH, port_of
from wire.feeds_answer import read_health

ANSWER = msgspec.structs.replace(HEALTH, ports=(*HEALTH.ports, port_of("signals", 0, "off")))
BODY = msgspec.json.encode(ANSWER)


def test_what_feeds_says_arrives() -> None:
    assert read_health(BODY) == ANSWER


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>It works!</html>",
        b"[]",
        b'{"ok": true, "status": "ok"}',
        BODY.replace(b"lockstep.feeds", b"another.program"),
        BODY.replace(b'"program":"lockstep.feeds",', b""),
        BODY.replace(b'"clients":2', b'"clients":-2'),
        BODY.replace(b"8765", b"876500"),
        BODY.replace(b'"listening"', b'"sleeping"'),
        BODY.replace(b'"ports":[', b'"ports":[' + (msgspec.json.encode(port_of("market", 1)) + b",") * 20),
        BODY + b"\xff",
    ],
)
def test_what_a_stranger_says_does_not(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read_health(body)
