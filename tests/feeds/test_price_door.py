"""The newest price, at which the paper account trades: for programs with the secret alone, of the market meant."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest
import requests

from feeds.bars.store import BarStore
from feeds.bars.types import Bar
from tests.support.desk_process import PATIENCE_SECONDS, SERVICE_SECRET, eventually
from tests.support.market_floor import MarketFloor
from wire.keys import SERVICE_HEADER
from wire.minutes import PRICE_PATH

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MarketFloor]:
    folder = tmp_path_factory.mktemp("price")
    with MarketFloor(folder) as floor:
        now = int(time.time()) // 60 * 60
        real, simulated = Decimal("1.1"), Decimal("1.2")
        with closing(BarStore(folder / "feeds" / "bars.sqlite")) as store:
            store.put([Bar("EURUSD", now - 60, real, real, real, real, None, "provider")])
            store.put([Bar("EURUSD", now - 600, simulated, simulated, simulated, simulated, None, "simulated")])
        yield floor


def asked(floor: MarketFloor, secret: str | None = SERVICE_SECRET, **query: Any) -> requests.Response:
    headers = {} if secret is None else {SERVICE_HEADER: secret}
    return requests.get(floor.feeds.url() + PRICE_PATH, params=query, headers=headers, timeout=PATIENCE_SECONDS)


def test_a_heard_price_comes_first_and_then_a_stored_one(floor: MarketFloor) -> None:
    floor.desk.tradingview().heartbeat(price=5250.25)
    heard = eventually(lambda: asked(floor, symbol="ES").json()["price"])
    assert (heard["last_price"], heard["source"], heard["simulated"]) == (5250.25, "heartbeat", False)
    stored = asked(floor, symbol="EURUSD").json()["price"]
    assert (stored["last_price"], stored["source"], stored["bid"]) == (1.1, "bar", None)
    assert asked(floor, symbol="EURUSD", simulated=1).json()["price"]["last_price"] == 1.2
    assert asked(floor, symbol="EURUSD", simulated=0).json()["price"]["last_price"] == 1.1
    assert asked(floor, symbol="XAUUSD").json() == {"ok": True, "price": None}
    assert asked(floor, symbol="ES", simulated=1).json() == {"ok": True, "price": None}


@pytest.mark.parametrize("secret", [None, "another-secret-than-the-desk"])
def test_nobody_else_is_answered(floor: MarketFloor, secret: str | None) -> None:
    answer = asked(floor, secret, symbol="ES")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "service_only")


@pytest.mark.parametrize(
    "query", [{}, {"symbol": "XYZ"}, {"symbol": "es"}, {"symbol": "ES", "simulated": "2"}, {"symbol": "ES", "x": "1"}]
)
def test_an_odd_question_is_refused(floor: MarketFloor, query: dict[str, str]) -> None:
    answer = asked(floor, **query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_query")
