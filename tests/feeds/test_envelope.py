"""The envelope of the market WebSocket, as any JSON reader finds it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.envelope import enveloped

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(st.text(max_size=8), values, max_size=4)
zones = st.sampled_from([UTC, timezone(timedelta(hours=-5))])
instants = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(year=2000 + at.year % 100, day=1))


@given(st.text(max_size=20), st.integers(1, 10**12), bodies, instants, zones)
def test_every_message_has_the_four_fields_of_the_contract(
    name: str, number: int, body: dict[str, Any], now: datetime, zone: timezone
) -> None:
    message = json.loads(enveloped(name, number, json.dumps(body).encode(), now.astimezone(zone)))
    assert list(message) == ["type", "ts", "seq", "data"]
    assert (message["type"], message["seq"], message["data"]) == (name, str(number), body)
    assert datetime.fromisoformat(message["ts"]) == now


@pytest.mark.parametrize("microsecond", [0, 5, 123_456])
def test_the_time_has_six_places_and_the_offset_of_utc(microsecond: int) -> None:
    now = datetime(2026, 4, 10, 10, 35, 0, microsecond, tzinfo=timezone(timedelta(hours=-4)))
    message = json.loads(enveloped("quote", 42, b"{}", now))
    assert message["ts"] == f"2026-04-10T14:35:00.{microsecond:06d}+00:00"
