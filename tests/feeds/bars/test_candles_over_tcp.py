"""From TradingView's alert to a chart: web publishes bars, feeds stores minutes, web's page asks for candles."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from feeds.bars.store import BarStore
from tests.feeds.bars.market import at, walk
from tests.support.api_document import documented
from tests.support.desk_process import PATIENCE_SECONDS, QUICK, SERVICE_SECRET, DeskProcess, OperatorCaller, eventually
from tests.support.feeds_process import FeedsProcess
from tests.support.own_time import Stopwatch
from tests.support.tv_chart import Chart
from wire.candles import StoredCandles
from wire.keys import SERVICE_HEADER

pytestmark = pytest.mark.processes

MINUTE_MS = 60_000
PRICES = ([5250.25, 5252, 5249.5, 5251], [5251, 5251, 5248, 5248.5], [5248.5, 5250, 5248.25, 5250])


class Floor:
    """A desk and feeds that know each other's address."""

    def __init__(self, folder: Path) -> None:
        self.desk = DeskProcess(folder / "desk", **QUICK)
        self.feeds = FeedsProcess(self.desk, folder / "feeds")
        self.desk.settings["FEEDS_URL"] = self.feeds.url()
        self.bars = folder / "feeds" / "bars.sqlite"

    def operator(self) -> OperatorCaller:
        return self.desk.operator()

    def told(self, symbol: str, asset: str, prices: Any = PRICES, **fields: Any) -> int:
        """Send bars of a minute, the first of ten minutes ago; return when that began."""
        started = (int(time.time() * 1000) - 10 * MINUTE_MS) // MINUTE_MS * MINUTE_MS
        chart = Chart(symbol, tf="1", started_ms=started, asset=asset, **fields)
        for ohlc in prices:
            message = chart.closes(ohlc[-1], ohlc=ohlc, v=120, now=int(time.time() * 1000))
            answer = self.desk.tradingview().post("/tv", json=message)
            assert answer.status_code == 200, answer.text
        return started // 1000


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    floor = Floor(tmp_path_factory.mktemp("candles"))
    with floor.desk, floor.feeds:
        floor.feeds.hears_web()
        yield floor


def page_of(operator: OperatorCaller, status: int = 200, **query: Any) -> dict[str, Any]:
    answer = operator.get("/api/candles", params={"asset": "ES", "timeframe": "1m", **query})
    assert answer.status_code == status, answer.text[:300]
    documented(answer)
    document: dict[str, Any] = answer.json()
    return document


def prices_of(page: dict[str, Any]) -> list[list[float]]:
    return [[candle[name] for name in "ohlc"] for candle in page["candles"]]


def test_an_alerts_bars_become_candles_of_the_page(floor: Floor) -> None:
    operator = floor.operator()
    began = floor.told("ES", "ES")
    page = eventually(lambda: known if len((known := page_of(operator))["candles"]) == 3 else None)
    assert prices_of(page) == [list(ohlc) for ohlc in PRICES]
    first = page["candles"][0]
    assert (at(first["t"]), first["v"], first["complete"], first["source"]) == (began, 120, True, "heartbeat")
    assert (page["asset"], page["timeframe"], page["simulated"], page["before"]) == ("ES", "1m", False, None)
    days = page_of(operator, timeframe="1d")["candles"]  # two, where the three minutes lie around the roll
    extremes = [max(day["h"] for day in days), min(day["l"] for day in days)]
    assert [days[0]["o"], *extremes, days[-1]["c"]] == [5250.25, 5252, 5248, 5250]


def test_a_simulated_market_has_candles_of_its_own(floor: Floor) -> None:
    floor.told("NQ", "NQ", [[18000, 18002, 17999, 18001]], source="simulated")
    operator = floor.operator()
    page = eventually(lambda: known if (known := page_of(operator, asset="NQ"))["candles"] else None)
    assert page["simulated"] is True
    assert {candle["source"] for candle in page["candles"]} == {"simulated"}
    floor.told("NQ", "NQ", [[18000, 18001, 17999, 18001]])
    real = eventually(lambda: known if not (known := page_of(operator, asset="NQ"))["simulated"] else None)
    assert {candle["source"] for candle in real["candles"]} <= {"heartbeat", "sampled"}


def test_history_is_read_back_page_by_page(floor: Floor) -> None:
    store = BarStore(floor.bars)
    store.put(walk("ES", [at("2026-03-02T15:00") + 60 * minute for minute in range(600)]))
    store.close()
    operator = floor.operator()
    query: dict[str, Any] = {"timeframe": "5m", "limit": 50}
    candles: list[dict[str, Any]] = []
    while True:
        page = page_of(operator, **query)
        candles = page["candles"] + candles
        if page["before"] is None:
            break
        assert len(page["candles"]) == 50
        query["before"] = page["before"]
    assert len([one for one in candles if "2026-03" < one["t"] < "2026-04"]) == 120
    assert [one["t"] for one in candles] == sorted({one["t"] for one in candles})


@pytest.mark.parametrize(
    "query",
    [
        {"asset": "ZZ"},
        {"asset": "BTCUSD"},
        {"timeframe": "60m"},
        {"timeframe": "2h"},
        {"limit": 0},
        {"limit": 2001},
        {"before": "yesterday"},
    ],
    ids=str,
)
def test_a_question_that_cannot_be_is_refused(floor: Floor, query: dict[str, Any]) -> None:
    refused = page_of(floor.operator(), 400, **query)
    assert refused["ok"] is False


def test_nobody_but_the_operator_asks_web_and_nobody_but_web_asks_feeds(floor: Floor) -> None:
    asked = "/api/candles?asset=ES&timeframe=1m"
    assert floor.desk.stranger().get(asked).status_code == 401
    assert floor.desk.bridge().get(asked).status_code == 401
    door = floor.feeds.url() + "/api/candles?symbol=ES&timeframe=1m"
    for headers in ({}, {SERVICE_HEADER: "not the secret"}, {"Authorization": f"Bearer {SERVICE_SECRET}"}):
        refused = requests.get(door, headers=headers, timeout=PATIENCE_SECONDS)
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "service_only"
    answer = requests.get(door, headers={SERVICE_HEADER: SERVICE_SECRET}, timeout=PATIENCE_SECONDS)
    msgspec.json.decode(answer.content, type=StoredCandles)


@pytest.mark.parametrize("wrong", ["symbol=AAPL", "timeframe=2h", "limit=2001", "before=-1", "simulated=yes", "x=1"])
def test_the_door_of_feeds_refuses_what_it_does_not_know(floor: Floor, wrong: str) -> None:
    name = wrong.partition("=")[0]
    rest = "&".join(one for one in ("symbol=ES", "timeframe=1m") if not one.startswith(name))
    answer = requests.get(
        f"{floor.feeds.url()}/api/candles?{wrong}&{rest}",
        headers={SERVICE_HEADER: SERVICE_SECRET},
        timeout=PATIENCE_SECONDS,
    )
    assert answer.status_code == 400
    assert name in answer.json()["error"]["message"]


def test_while_feeds_is_away_the_page_is_told_so_and_afterwards_nothing_is_lost(floor: Floor) -> None:
    operator = floor.operator()
    store = BarStore(floor.bars)
    store.put(walk("ES", [at("2026-02-02T15:00")]))
    store.close()
    query: dict[str, Any] = {"timeframe": "1h", "before": "2026-02-03T00:00:00Z"}
    before = page_of(operator, **query)
    assert len(before["candles"]) == 1
    floor.feeds.kill()
    watch = Stopwatch(floor.desk.process)
    away = page_of(operator, 503)
    assert watch.seconds < 2.5
    assert (away["code"], away["error"]) == ("feeds_away", "feeds is away: nobody listens at its address")
    floor.feeds.start().hears_web()
    assert page_of(operator, **query) == before


def test_a_damaged_file_of_bars_ends_no_other_feed(floor: Floor, tmp_path: Path) -> None:
    damaged = tmp_path / "bars.sqlite"
    damaged.write_bytes(b"no database " * 1000)
    with FeedsProcess(floor.desk, tmp_path / "feeds", BARS_PATH=str(damaged)) as feeds:
        feeds.hears_web()
        answer = requests.get(
            feeds.url() + "/api/candles?symbol=ES&timeframe=1m",
            headers={SERVICE_HEADER: SERVICE_SECRET},
            timeout=PATIENCE_SECONDS,
        )
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "bars_unknown"
        assert feeds.health()["status"] == "ok"
    assert damaged.read_bytes() == b"no database " * 1000
