"""Whoever a guard has admitted gets the threads of their kind, known by what they show."""

from __future__ import annotations

import pytest

from serving.callers import Callers, Kind
from serving.later import Caller
from serving.reading import Request

OK, DENIED = "200 OK", "401 UNAUTHORIZED"


def asks(*headers: tuple[bytes, bytes], target: bytes = b"/api/events") -> Request:
    return Request(target=target, method="GET", headers=list(headers))


@pytest.mark.parametrize(
    ("header", "caller", "kind"),
    [
        ((b"x-service-secret", b"s"), "service", "service"),
        ((b"x-bridge-secret", b"s"), "bridge", "bridge"),
        ((b"x-api-key", b"lk_"), "reader", "reader"),
        ((b"cookie", b"lockstep=1"), "operator", "operator"),
    ],
)
def test_who_was_admitted_is_known_and_who_was_refused_is_not(
    header: tuple[bytes, bytes], caller: Caller, kind: Kind
) -> None:
    callers = Callers()
    seen = callers.look_at(asks(header))
    assert seen.kind == "unproven"
    callers.learn(seen.shown, caller, OK)
    assert callers.look_at(asks(header)).kind == kind
    assert callers.look_at(asks((header[0], b"another"))).kind == "unproven"
    callers.learn(seen.shown, None, DENIED)
    assert callers.look_at(asks(header)).kind == "unproven"


def test_who_shows_nothing_is_anybody() -> None:
    assert Callers().look_at(asks((b"user-agent", b"x"))).kind == "anybody"
