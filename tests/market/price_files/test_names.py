"""The names of price files: whose prices they are, and which say so in no way."""

from __future__ import annotations

import pytest

from services.market.price_files.names import NamedSymbol, symbols_in


@pytest.mark.parametrize(
    ("place", "asset", "spelling"),
    [
        ("ES.csv", "ES", "ES"),
        ("es_ticks_20130901_extract.csv.gz", "ES", "es"),
        ("CME_MINI_ES1!, 1.csv", "ES", "ES1!"),
        ("ES 03-24.Last.txt", "ES", "ES 03-24"),
        ("ESH24.csv", "ES", "ESH24"),
        ("MESZ2026-CME.txt", "ES", "MESZ2026"),
        ("EURUSD1.csv", "EURUSD", "EURUSD"),
        ("XAUUSD_M1_202401150000_202401152359.csv", "XAUUSD", "XAUUSD"),
        ("BTC-USD.csv", "BTCUSD", "BTC-USD"),
        ("DAT_ASCII_GBPUSD_M1_2024.csv", "GBPUSD", "GBPUSD"),
        ("US30USD_2024.parquet", "US30", "US30USD"),
        ("NQ/whatever.csv", "NQ", "NQ"),
        ("CL/CLG24/minutes.csv", "CL", "CLG24"),
    ],
)
def test_a_name_says_whose_prices_they_are(place: str, asset: str, spelling: str) -> None:
    assert symbols_in(place) == (NamedSymbol(asset, spelling),)


@pytest.mark.parametrize("place", ["minutes.csv", "glbx-mdp3-20240115.ohlcv-1m.csv", "BTCUSDT-1m-2024-01.csv"])
def test_a_name_may_have_no_known_symbol(place: str) -> None:
    assert symbols_in(place) == ()


def test_a_name_may_have_several() -> None:
    assert [symbol.asset for symbol in symbols_in("NQ_ES_1m.csv")] == ["ES", "NQ"]
