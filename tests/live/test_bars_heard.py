"""Bars of TradingView's alert on the stream: for programs beside web, once a message, and only when believed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.test_ticks import feeds_of, hearing
from tests.support.desk_process import DeskProcess, eventually
from tests.support.tv_chart import Chart

pytestmark = pytest.mark.processes

OHLC = [5250.0, 5252.5, 5249.75, 5251.25]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskProcess]:
    with DeskProcess(tmp_path_factory.mktemp("bars"), ASSETS="ES,NQ") as desk:
        yield desk


def sends(desk: DeskProcess, symbol: str, asset: str = "ES", **fields: Any) -> dict[str, Any]:
    chart = Chart(symbol, tf="15S", asset=asset)
    message = chart.closes(fields.get("ohlc", OHLC)[-1], now=int(time.time() * 1000), **fields)
    answer = desk.tradingview().post("/tv", json=message)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return {**body, "t": message["t"]}


def test_a_program_beside_web_hears_each_bar_and_a_page_hears_none(desk: DeskProcess) -> None:
    with hearing(feeds_of(desk)) as feeds, hearing(desk.operator()) as page:
        sent = sends(desk, "ES", ohlc=OHLC, v=321.5, source="simulated")
        [bar] = eventually(lambda: feeds.of("bar"))
        started = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(sent['t'] / 1000))}Z"
        assert bar.body == {
            "asset": "ES",
            "symbol": "ES",
            "base": "15S",
            "started_at": started,
            **dict(zip(("open", "high", "low", "close"), OHLC, strict=True)),
            "volume": 321.5,
            "simulated": True,
        }
        eventually(lambda: page.of("quote"))
        assert page.of("bar") == []


def test_a_volume_that_was_not_told_is_null(desk: DeskProcess) -> None:
    with hearing(feeds_of(desk)) as feeds:
        sends(desk, "NQ", "NQ", ohlc=[18000] * 4)
        [bar] = eventually(lambda: feeds.of("bar"))
        assert bar.body["volume"] is None


def test_bars_of_another_contract_and_of_prices_that_are_not_believed_are_not_sent(desk: DeskProcess) -> None:
    with hearing(feeds_of(desk)) as feeds:
        assert sends(desk, "ES2!", ohlc=[5200] * 4)["ignored"] == "other_contract"
        sends(desk, "NQ", "NQ", ohlc=[18000] * 4)
        assert sends(desk, "NQ", "NQ", ohlc=[36000] * 4)["suspect"] is True
        sends(desk, "ES", ohlc=OHLC)
        eventually(lambda: len(feeds.of("bar")) > 1)
        assert [bar.body["close"] for bar in feeds.of("bar")] == [18000, OHLC[-1]]
