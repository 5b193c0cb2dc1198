"""Prices become alerts on the wire: once, to whom has asked for them, as the reference says."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from services.market.instruments import instrument_for
from tests.support.market_floor import BREAKS, IN_FORCE, quotes
from tests.support.market_server import NOON, MarketServer
from wire.market import MarketInForce


def minute(number: float) -> timedelta:
    return timedelta(minutes=number)


def hears(market: MarketServer, *prices: str, at: float) -> None:
    """Hear trades some minutes after noon."""

    def hear() -> None:
        market.now = NOON + minute(at)
        for price in prices:
            market.hears_price(Decimal(price))

    market.does(hear)


def test_the_first_price_beyond_the_trigger_is_told_once_to_who_asked(tmp_path: Path) -> None:
    with MarketServer(tmp_path) as market, market.connects("anna") as anna, market.connects("ben") as ben:
        assert anna.subscribes(IN_FORCE, BREAKS)["channels"] == ["alerts.in_force", "alerts.simultaneous_breaks"]
        ben.subscribes(quotes("ES"))
        hears(market, "5002", at=0.5)  # the minute of the start: a part of it was not heard
        hears(market, "5001", "5004", "5000", "5002", at=1.1)
        market.does(lambda: market.passes_to(NOON + minute(2.05)))
        hears(market, "5004", "5004.25", "5005", at=2.2)
        alert = anna.hears_of("alert.in_force")
        assert set(alert) == set(MarketInForce.__struct_fields__)
        assert (alert["symbol"], alert["timeframe"], alert["direction"]) == ("ES", "1m", "up")
        assert (alert["trigger"], alert["price"], alert["scenario"]) == (5004, 5004.25, "2U")
        assert alert["candle_start"] == "2026-11-20T17:02:00Z"
        assert alert["simulated"] is False
        hears(market, "4999.75", at=2.3)
        down = anna.hears()
        assert (down["type"], down["seq"]) == ("alert.in_force", "3")  # nothing else came in between
        assert (down["data"]["direction"], down["data"]["scenario"]) == ("down", "3")
        assert down["data"]["id"] > alert["id"]
        heard = [ben.hears_of("quote")["price"] for _ in range(9)]
        assert heard == [5002, 5001, 5004, 5000, 5002, 5004, 5004.25, 5005, 4999.75]


def test_the_volume_of_the_day_counts_what_was_heard_and_is_unknown_without_a_size(tmp_path: Path) -> None:
    with MarketServer(tmp_path) as market, market.connects("anna") as anna:
        anna.subscribes(quotes("ES"))
        market.does(lambda: market.hears_price(Decimal(5000), size=3))
        market.does(lambda: market.hears_price(Decimal(5001), size=2, bid=Decimal("5000.75"), ask=Decimal("5001.25")))
        told = [anna.hears_of("quote") for _ in range(2)]
        is_a_day = instrument_for("ES").calendar.is_open(
            datetime.fromisoformat(told[0]["ts"])
        )  # between two sessions is none
        assert [quote["volume"] for quote in told] == ([3, 5] if is_a_day else [None, None])
        assert (told[0]["bid"], told[1]["bid"], told[1]["ask"]) == (None, 5000.75, 5001.25)
        market.does(lambda: market.hears_price(Decimal(5002), size=None))
        assert anna.hears_of("quote")["volume"] is None
