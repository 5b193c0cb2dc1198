"""What callers of the data service may write: nothing is guessed, and what is wrong is named."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from starlette.requests import Request
from starlette.types import Message

from services.market.instruments import INSTRUMENTS
from sidecar.problems import STATUS, ServiceRefused
from sidecar.queries import LONGEST_BODY, Parameters, known_symbol, read_body, read_time
from wire.data_service import SyncRequest


def asked(query: str, *allowed: str) -> Parameters:
    return Parameters(Request({"type": "http", "query_string": query.encode(), "headers": []}), *allowed)


@pytest.mark.parametrize(
    ("spelling", "symbol"),
    [
        ("ES", "ES"),
        (" es ", "ES"),
        ("CME_MINI:ES1!", "ES"),
        ("/ES", "ES"),
        ("ES=F", "ES"),
        ("MES 12-26", "ES"),
        ("EUR/USD", "EURUSD"),
        ("US30USD", "US30"),
    ],
)
def test_a_symbol_may_be_spelled_as_platforms_do(spelling: str, symbol: str) -> None:
    assert known_symbol(spelling, INSTRUMENTS) == symbol


@pytest.mark.parametrize(
    "spelling", ["", "AAPL", "NYSE:ES", "CME_DL:ES1!", "undefined", "ES'; DROP TABLE bars", "x" * 500]
)
def test_what_names_no_instrument_is_unknown(spelling: str) -> None:
    with pytest.raises(ServiceRefused) as refused:
        known_symbol(spelling, INSTRUMENTS)
    assert (refused.value.code, refused.value.status) == ("unknown_symbol", 404)
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-12-08T12:00:00Z", datetime(2025, 12, 8, 12, tzinfo=UTC)),
        ("2025-12-08t12:00:00z", datetime(2025, 12, 8, 12, tzinfo=UTC)),
        ("2025-12-08T12:00:00.250Z", datetime(2025, 12, 8, 12, 0, 0, 250_000, UTC)),
        ("2025-12-08T07:00:00-05:00", datetime(2025, 12, 8, 12, tzinfo=UTC)),
        ("2025-12-08 12:00Z", datetime(2025, 12, 8, 12, tzinfo=UTC)),
        ("2025-12-08", datetime(2025, 12, 8, tzinfo=UTC)),
    ],
)
def test_an_instant_names_its_time_zone_and_a_day_is_its_midnight_in_utc(text: str, instant: datetime) -> None:
    assert read_time("start", text) == instant


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2025-12-08T12:00:00", "time zone"),
        ("2025-12-08T12:00:00 01:00", "%2B"),
        ("1765195200", "must be like"),
        ("08.12.2025", "must be like"),
        ("2025-13-01", "must be like"),
        ("2025-02-30T00:00:00Z", "must be like"),
        ("", "must be like"),
        ("now", "must be like"),
        ("1889-01-01", "from 1990"),
        ("9999-12-31T23:59:59-14:00", "from 1990"),
        ("٢٠٢٥-12-08", "must be like"),
    ],
)
def test_an_instant_that_could_mean_two_things_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(ServiceRefused, match=says) as refused:
        read_time("start", text)
    assert refused.value.code == "invalid_parameter"
    assert "start" in str(refused.value)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("symbl=ES", "symbl"),
        ("limit=5&limit=6", "limit"),
        ("limit=0", "limit"),
        ("limit=10001", "limit"),
        ("limit=-1", "limit"),
        ("limit=1e3", "limit"),
        (f"limit={quote('²')}", "limit"),
        ("simulated=perhaps", "simulated"),
        ("timeframe=2m", "timeframe"),
        ("timeframe=", "timeframe"),
        ("", "timeframe"),
    ],
)
def test_a_wrong_parameter_is_named_and_never_replaced_by_a_default(query: str, named: str) -> None:
    with pytest.raises(ServiceRefused, match=named) as refused:
        read_all(query)
    assert refused.value.status == 400


def read_all(query: str) -> None:
    parameters = asked(query, "limit", "simulated", "timeframe")
    parameters.whole("limit", 1_000, 1, 10_000)
    parameters.flag("simulated")
    parameters.timeframe()


def test_an_hour_has_two_names() -> None:
    assert {asked(f"timeframe={name}", "timeframe").timeframe() for name in ("1h", "60m")} == {"1h"}


def body_of(*chunks: bytes) -> Request:
    waiting: list[Message] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    waiting.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        return waiting.pop(0)

    return Request({"type": "http", "headers": []}, receive)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_body"),
        (b"{", "invalid_body"),
        (b"[]", "invalid_body"),
        (b"{}", "invalid_body"),
        (b'{"start_date": 5}', "invalid_body"),
        (b'{"start_date": "2025-01-01", "end": "2025-02-01"}', "invalid_body"),
        (b"\xff\xfe", "invalid_body"),
        (b"[" * 16_000, "invalid_body"),
        (b" " * (LONGEST_BODY + 1), "body_too_large"),
    ],
)
def test_a_body_that_is_no_order_to_sync_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(ServiceRefused) as refused:
        asyncio.run(read_body(body_of(body[:10], body[10:]), SyncRequest, "an object"))
    assert refused.value.code == code


def test_every_error_has_a_status_of_the_contract_or_one_of_ours() -> None:
    assert set(STATUS.values()) == {400, 401, 403, 404, 405, 409, 413, 429, 500, 503}
