"""A symbol of the portfolio names one contract, or is refused: a wrong point value would be ten times the money."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from services.market.instruments import INSTRUMENTS
from services.portfolio.groups import GROUP_OF, group_of
from services.portfolio.naming import UnknownMarket, market_named, point_value_of
from tests.support.trader import Trader

ON = date(2026, 11, 17)


@pytest.mark.parametrize(
    ("text", "symbol", "contract", "point_value"),
    [
        ("ES", "ES", "MESZ6", 5),
        ("es", "ES", "MESZ6", 5),
        ("MES", "ES", "MESZ6", 5),
        ("MESZ6", "ES", "MESZ6", 5),
        ("ESZ6", "ES", "ESZ6", 50),
        ("CME_MINI:ESH2027", "ES", "ESH7", 50),
        ("MES 12-26", "ES", "MESZ6", 5),
        ("M2K", "RTY", "M2KZ6", 5),
        ("RTY", "RTY", "RTYZ6", 50),
        ("/MCL", "CL", "MCLF7", 100),
        ("EUR/USD", "EURUSD", "EURUSD", 10_000),
        ("BTCUSD", "BTCUSD", "BTCUSD", 1),
    ],
)
def test_a_symbol_names_a_contract(text: str, symbol: str, contract: str, point_value: int) -> None:
    named = market_named(text, Trader().desk, ON)
    assert (named.symbol, named.contract, named.point_value) == (symbol, contract, Decimal(point_value))


@pytest.mark.parametrize(
    "text", ["AAPL", "ESZ5", "NYSE:ES", "CME_MINI_DL:ES1!", "MESS6 ", "", "ES;", "é", "E" * 41, "MESZ99", "MESZ2036"]
)
def test_a_symbol_that_names_none_for_certain_is_refused(text: str) -> None:
    with pytest.raises(UnknownMarket):
        market_named(text, Trader().desk, ON)


def test_every_market_is_in_one_group() -> None:
    assert set(GROUP_OF) == set(INSTRUMENTS)
    assert (group_of("ES"), group_of("AAPL")) == ("us_index", "other")


def test_every_contract_has_its_point_value() -> None:
    for instrument in INSTRUMENTS.values():
        assert point_value_of(instrument.contract(ON, "full").symbol, ON) == instrument.point_value
        if instrument.micro:
            assert point_value_of(instrument.contract(ON).symbol, ON) == instrument.micro.point_value
    assert point_value_of("nothing known", ON) is None
