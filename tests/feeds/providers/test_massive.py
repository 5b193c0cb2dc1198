"""Bars of Massive, asked over HTTP of a stand-in that answers as its documentation says."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from feeds.bars.types import Bar
from feeds.providers.massive import MassiveProvider, spans_of
from feeds.providers.provider import ProviderFailed, ProviderStatus
from tests.support.bar_server import Answered, Asked, BarServer, bar_server

KEY = "a-key-that-nobody-may-read"
MONDAY = datetime(2026, 3, 9, 14, 30, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def nanoseconds(at: datetime) -> int:
    return int(at.timestamp()) * 10**9


def future(at: datetime, price: float, **changes: Any) -> dict[str, Any]:
    plain = {"open": price, "high": price + 1, "low": price - 1, "close": price, "volume": 7, "ticker": "ESH6"}
    return {**plain, "window_start": nanoseconds(at), "session_end_date": "2026-03-09", **changes}


def pair(at: datetime, price: float) -> dict[str, Any]:
    return {"t": int(at.timestamp()) * 1000, "o": price, "h": price, "l": price, "c": price, "v": 112, "n": 112}


def provider(server: BarServer, waited: list[float] | None = None) -> MassiveProvider:
    pauses = waited if waited is not None else []
    return MassiveProvider(KEY, server.url, pauses.append, NOW.timestamp)


def all_bars(one: MassiveProvider, symbol: str, start: datetime = MONDAY, end: datetime = MONDAY + HOUR) -> list[Bar]:
    return [bar for page in one.bars(symbol, start, end) for bar in page]


def test_a_future_is_asked_contract_by_contract_and_page_by_page() -> None:
    def answer(asked: Asked) -> Answered:
        if "cursor" in asked.query:
            return Answered({"status": "OK", "results": [future(MONDAY + timedelta(minutes=1), 6001.25)]})
        more = f"https://elsewhere.example{asked.path}?cursor=abc"
        return Answered({"status": "OK", "results": [future(MONDAY, 6000.5)], "next_url": more})

    with bar_server(answer) as server:
        bars = all_bars(provider(server), "ES")
    assert [(bar.t, bar.close, bar.volume) for bar in bars] == [
        (int(MONDAY.timestamp()), Decimal("6000.5"), 7),
        (int(MONDAY.timestamp()) + 60, Decimal("6001.25"), 7),
    ]
    assert [asked.path for asked in server.asked] == ["/futures/v1/aggs/ESH6"] * 2
    assert server.asked[0].query == {
        "resolution": "1min",
        "window_start.gte": str(nanoseconds(MONDAY)),
        "window_start.lt": str(nanoseconds(MONDAY + HOUR)),
        "sort": "window_start.asc",
        "limit": "50000",
    }


def test_the_key_travels_in_a_header_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with bar_server(lambda _: Answered({"error": "no"}, 403)) as server:
        one = provider(server)
        with pytest.raises(ProviderFailed) as failed:
            all_bars(one, "ES")
    assert [asked.headers["Authorization"] for asked in server.asked] == [f"Bearer {KEY}"]
    assert not any(KEY in asked.path or KEY in str(asked.query) for asked in server.asked)
    for shown in (str(failed.value), repr(one.status()), repr(one.report()), caplog.text):
        assert KEY not in shown
    assert (failed.value.code, failed.value.is_permanent) == ("unauthorized", True)
    assert one.status() == ProviderStatus("massive", "error", None, "unauthorized")


def test_a_pair_is_asked_by_the_call_for_pairs() -> None:
    with bar_server(lambda _: Answered({"status": "OK", "results": [pair(MONDAY, 1.0951)]})) as server:
        (bar,) = all_bars(provider(server), "EURUSD")
    assert (bar.symbol, bar.close, bar.volume, bar.source) == ("EURUSD", Decimal("1.0951"), 112, "provider")
    from_ms = int(MONDAY.timestamp()) * 1000
    assert server.asked[0].path == f"/v2/aggs/ticker/C%3AEURUSD/range/1/minute/{from_ms}/{from_ms + 3_600_000 - 1}"


def test_who_asks_too_often_waits_as_long_as_the_server_says() -> None:
    answers = [
        Answered("{}", 429, {"Retry-After": "13"}),
        Answered("", 503),
        Answered({"results": [future(MONDAY, 6000)]}),
    ]
    waited: list[float] = []
    with bar_server(lambda _: answers.pop(0)) as server:
        assert len(all_bars(provider(server, waited), "ES")) == 1
    assert waited == [13, 2]


@pytest.mark.parametrize(
    ("answer", "code", "calls"),
    [
        (lambda _: Answered("{}", 429), "rate_limited", 5),
        (lambda _: Answered(status=0), "unreachable", 5),
        (lambda _: Answered("", 500), "unreachable", 5),
        (lambda _: Answered("", 302, {"Location": "https://elsewhere.example/"}), "bad_answer", 1),
        (lambda _: Answered("", 404), "bad_answer", 1),
        (lambda _: Answered("<html>maintenance</html>"), "bad_answer", 1),
        (lambda _: Answered({"results": [{"window_start": "soon"}]}), "bad_answer", 1),
        (lambda asked: Answered({"results": [], "next_url": f"https://x.example{asked.path}"}), "bad_answer", 1),
    ],
    ids=["429", "no answer", "500", "redirect", "404", "no JSON", "no bars", "a page that is its own next"],
)
def test_what_is_no_answer_ends_the_call_with_a_code(
    answer: Callable[[Asked], Answered], code: str, calls: int
) -> None:
    with bar_server(answer) as server:
        one = provider(server)
        with pytest.raises(ProviderFailed) as failed:
            all_bars(one, "ES")
    assert failed.value.code == code
    assert len(server.asked) == calls
    assert one.status().reason == code


def test_what_cannot_be_a_bar_is_reported_and_the_others_are_given() -> None:
    rows = [
        future(MONDAY, 6000),
        future(MONDAY + timedelta(minutes=1), 6000, high=5000),
        future(MONDAY + timedelta(minutes=2), 0, low=0, open=0, close=0),
        future(MONDAY + timedelta(seconds=190), 6000),
        future(MONDAY - timedelta(minutes=5), 6000),
        future(MONDAY + timedelta(minutes=4), 6000, volume=-1),
        future(MONDAY + timedelta(minutes=5), 6002),
    ]
    with bar_server(lambda _: Answered({"results": rows})) as server:
        one = provider(server)
        assert [bar.close for bar in all_bars(one, "ES")] == [6000, 6002]
    report = one.report()
    assert report.left_out == 4
    assert [left.place for left in report.named] == ["ESH6"] * 4
    assert "outside" in report.named[0].reason


def test_a_minute_that_has_not_ended_is_not_asked_for() -> None:
    with bar_server(lambda _: Answered({"results": []})) as server:
        one = MassiveProvider(KEY, server.url, lambda _: None, lambda: MONDAY.timestamp() + 90)
        assert all_bars(one, "ES") == []
    assert server.asked[0].query["window_start.lt"] == str(nanoseconds(MONDAY + timedelta(minutes=1)))


def test_each_day_is_asked_of_the_contract_that_was_in_front() -> None:
    end = datetime(2026, 4, 1, tzinfo=UTC)
    spans = list(spans_of("ES", datetime(2026, 3, 2, tzinfo=UTC), int(end.timestamp())))
    assert [span.ticker for span in spans] == ["ESH6", "ESM6"]
    assert spans[0].until_t == spans[1].from_t
    assert datetime.fromtimestamp(spans[1].from_t, UTC) == datetime(2026, 3, 13, 22, tzinfo=UTC)
    assert spans[1].until_t == int(end.timestamp())


def test_without_a_key_nothing_is_asked() -> None:
    with bar_server(lambda _: Answered({"results": []})) as server:
        one = MassiveProvider(None, server.url)
        assert one.status() == ProviderStatus("massive", "off", None, "no_key")
        assert not one.covers("ES")
        with pytest.raises(ProviderFailed, match="MASSIVE_API_KEY"):
            all_bars(one, "ES")
    assert server.asked == []


def test_it_has_futures_and_pairs_and_no_index_cfd() -> None:
    one = MassiveProvider(KEY)
    assert [one.covers(symbol) for symbol in ("ES", "CL", "XAUUSD", "BTCUSD", "US30", "AAPL")] == [True] * 4 + [
        False
    ] * 2


def test_the_next_page_is_asked_of_the_chosen_server_whatever_host_it_names() -> None:
    with bar_server(lambda _: Answered({"results": []})) as other:

        def answer(asked: Asked) -> Answered:
            following = {} if asked.query.get("cursor") else {"next_url": f"{other.url}{asked.path}?cursor=2"}
            return Answered({"results": [], **following})

        with bar_server(answer) as server:
            assert all_bars(provider(server), "ES") == []
    assert len(server.asked) == 2
    assert other.asked == []
