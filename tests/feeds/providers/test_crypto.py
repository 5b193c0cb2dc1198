"""Bars of Bitcoin and Ether, asked over HTTP of a stand-in that answers as Coinbase Exchange does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from feeds.providers.crypto import CryptoProvider
from feeds.providers.provider import ProviderFailed, ProviderStatus
from tests.support.bar_server import Answered, Asked, BarServer, bar_server

START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def candles(asked: Asked) -> Answered:
    """Answer newest first, with one candle of before the asked time, as the real one may."""
    first = int(datetime.fromisoformat(asked.query["start"]).timestamp())
    last = int(datetime.fromisoformat(asked.query["end"]).timestamp())
    assert (last - first) // 60 < 300
    return Answered([[t, 99.5, 101.25, 100, 100.75, 0.125] for t in range(last // 60 * 60, first - 120, -60)])


def provider(server: BarServer, now: datetime = NOW) -> CryptoProvider:
    return CryptoProvider(True, server.url, lambda _: None, now.timestamp)


def test_minutes_are_asked_300_at_a_time_and_given_in_the_order_of_time() -> None:
    with bar_server(candles) as server:
        one = provider(server)
        pages = list(one.bars("BTCUSD", START, START + timedelta(minutes=750)))
    bars = [bar for page in pages for bar in page]
    assert [bar.t for bar in bars] == [int(START.timestamp()) + 60 * number for number in range(750)]
    first = bars[0]
    assert list(map(str, (first.open, first.high, first.low, first.close))) == ["100", "101.25", "99.5", "100.75"]
    assert (first.volume, first.source) == (Decimal("0.125"), "provider")
    assert [len(page) for page in pages] == [300, 300, 150]
    assert {asked.path for asked in server.asked} == {"/products/BTC-USD/candles"}
    assert {asked.query["granularity"] for asked in server.asked} == {"60"}
    assert all("Authorization" not in asked.headers for asked in server.asked)
    assert one.status() == ProviderStatus("crypto", "ok", bars[-1].t)


def test_a_minute_that_has_not_ended_is_not_given() -> None:
    with bar_server(candles) as server:
        one = provider(server, START + timedelta(seconds=150))
        bars = [bar for page in one.bars("ETHUSD", START, NOW) for bar in page]
    assert [bar.t - int(START.timestamp()) for bar in bars] == [0, 60]


def test_every_answer_is_a_sign_of_life_also_one_of_before_the_first_day() -> None:
    with bar_server(lambda asked: Answered([]) if len(server.asked) <= 2 else candles(asked)) as server:
        one = provider(server)
        pages = [len(page) for page in one.bars("BTCUSD", START, START + timedelta(minutes=750))]
    assert pages == [0, 0, 150]
    assert one.status().last_t == int((START + timedelta(minutes=749)).timestamp())


def test_what_came_before_a_failure_stands() -> None:
    def answer(asked: Asked) -> Answered:
        return candles(asked) if len(server.asked) == 1 else Answered({"message": "NotFound"}, 404)

    with bar_server(answer) as server:
        one = provider(server)
        pages = one.bars("BTCUSD", START, START + timedelta(hours=10))
        assert len(next(pages)) == 300
        with pytest.raises(ProviderFailed, match="answered 404"):
            next(pages)
    assert one.status().reason == "bad_answer"


def test_nobody_is_asked_unless_it_was_chosen() -> None:
    with bar_server(candles) as server:
        one = CryptoProvider(False, server.url)
        assert one.status() == ProviderStatus("crypto", "off", None, "not_chosen")
        with pytest.raises(ProviderFailed):
            list(one.bars("BTCUSD", START, NOW))
        with pytest.raises(ProviderFailed):
            list(provider(server).bars("ES", START, NOW))
    assert server.asked == []
