"""Which contract the desk trades on which day, and which symbols mean it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.market.instruments import (
    INSTRUMENTS,
    TRADABLE,
    DataOnly,
    UnknownInstrument,
    continuous_named,
    contract_for,
    contract_named,
    delayed_asset,
    delivery_named,
    instrument_for,
    refuse_shared_roots,
    resolve_asset,
)
from services.market.rolls import crude_last_trading_day

ASSETS = tuple(INSTRUMENTS)


@pytest.mark.parametrize(
    ("symbol", "asset"),
    [("CME_MINI_DL:ES1!", "ES"), ("FX_DLY:EURUSD", "EURUSD"), ("CME_MINI:ES1!", None), ("NYSE_DL:ES", None)],
)
def test_delayed_quotes_are_known_for_what_they_are(symbol: str, asset: str | None) -> None:
    assert delayed_asset(symbol, ("ES", "EURUSD")) == asset


def test_an_asset_becomes_this_quarters_micro_contract() -> None:
    contract = contract_for("ES", date(2026, 11, 20))
    assert (contract.symbol, contract.exchange) == ("MESZ6", "CME")
    assert (contract.tick_size, contract.point_value) == (Decimal("0.25"), Decimal(5))


def test_the_full_contract_has_its_own_name_and_point_value() -> None:
    contract = contract_for("YM", date(2026, 11, 20), "full")
    assert (contract.symbol, contract.exchange, contract.point_value) == ("YMZ6", "CBOT", Decimal(5))


@pytest.mark.parametrize(
    ("asset", "size", "usd"),
    [
        ("ES", "full", "50"),
        ("ES", "micro", "5"),
        ("NQ", "full", "20"),
        ("NQ", "micro", "2"),
        ("YM", "micro", "0.5"),
        ("RTY", "full", "50"),
        ("RTY", "micro", "5"),
        ("CL", "full", "1000"),
        ("CL", "micro", "100"),
        ("GC", "full", "100"),
        ("GC", "micro", "10"),
        ("US30", "micro", "1"),
        ("EURUSD", "full", "10000"),  # 10,000 EUR: a pip is a dollar
        ("GBPUSD", "full", "10000"),
        ("XAUUSD", "full", "10"),  # 10 oz
    ],
)
def test_usd_per_dollar_of_price(asset: str, size: Literal["micro", "full"], usd: str) -> None:
    assert contract_for(asset, date(2026, 11, 20), size).point_value == Decimal(usd)


@pytest.mark.parametrize("asset", ["US30", "EURUSD", "GBPUSD", "XAUUSD"])
def test_a_cfd_has_no_expiry_and_no_micro(asset: str) -> None:
    for size in ("micro", "full"):
        contract = contract_for(asset, date(2026, 11, 20), size)
        assert (contract.symbol, contract.exchange) == (asset, "OTC")


@pytest.mark.parametrize("asset", ["BTCUSD", "ETHUSD"])
def test_a_cryptocurrency_is_known_for_its_data_and_not_traded(asset: str) -> None:
    assert instrument_for(asset).is_data_only
    assert asset not in TRADABLE
    with pytest.raises(DataOnly, match=f"{asset} is known for its data only .* cannot be traded: ES, NQ"):
        contract_for(asset, date(2026, 11, 20))


def test_everything_else_is_traded() -> None:
    assert set(INSTRUMENTS) - set(TRADABLE) == {"BTCUSD", "ETHUSD"}
    assert all(contract_for(asset, date(2026, 11, 20)).tick_size > 0 for asset in TRADABLE)


def test_a_point_of_eurusd_is_a_pip() -> None:
    contract = contract_for("EURUSD", date(2026, 11, 20))
    assert contract.points(Decimal("1.0862") - Decimal("1.0850")) == 12


@pytest.mark.parametrize(
    ("asset", "on", "symbol"),
    [
        ("ES", date(2026, 12, 11), "MESZ6"),  # the Friday before the roll
        ("ES", date(2026, 12, 13), "MESZ6"),
        ("ES", date(2026, 12, 14), "MESH7"),  # Monday of expiry week
        ("ES", date(2026, 12, 31), "MESH7"),
        ("ES", date(2027, 1, 1), "MESH7"),
        ("ES", date(2027, 3, 14), "MESH7"),
        ("ES", date(2027, 3, 15), "MESM7"),
        ("NQ", date(2029, 12, 17), "MNQH0"),  # the year is one digit
        ("RTY", date(2026, 9, 13), "M2KU6"),
        ("RTY", date(2026, 9, 14), "M2KZ6"),
        ("CL", date(2026, 11, 16), "MCLZ6"),  # Z6 ends Fri 20 Nov; three business days before is the 17th
        ("CL", date(2026, 11, 17), "MCLF7"),
        ("CL", date(2026, 12, 15), "MCLF7"),
        ("CL", date(2026, 12, 16), "MCLG7"),
        ("CL", date(2027, 1, 1), "MCLG7"),
        ("GC", date(2026, 11, 24), "MGCZ6"),  # first notice Mon 30 Nov, Thanksgiving does not count
        ("GC", date(2026, 11, 25), "MGCG7"),
        ("GC", date(2026, 8, 3), "MGCZ6"),  # October is thinly traded: December follows August
        ("GC", date(2026, 10, 15), "MGCZ6"),
        ("GC", date(2027, 1, 1), "MGCG7"),
        ("GC", date(2027, 2, 1), "MGCJ7"),
    ],
)
def test_roll(asset: str, on: date, symbol: str) -> None:
    assert contract_for(asset, on).symbol == symbol


@pytest.mark.parametrize(
    ("delivery", "last_day"),
    [
        ((2024, 7), date(2024, 6, 20)),
        ((2024, 12), date(2024, 11, 20)),
        ((2025, 1), date(2024, 12, 19)),  # the 25th is Christmas: four business days
        ((2025, 2), date(2025, 1, 21)),  # the 25th is a Saturday, the 20th Martin Luther King Jr. Day
    ],
)
def test_crude_oil_ends_when_nymex_says(delivery: tuple[int, int], last_day: date) -> None:
    assert crude_last_trading_day(*delivery) == last_day


@given(st.sampled_from(["ES", "CL", "GC"]), st.dates(date(2020, 1, 1), date(2090, 1, 1)))
def test_there_is_a_contract_on_every_day_and_it_never_rolls_back(asset: str, on: date) -> None:
    roll = instrument_for(asset).roll
    assert roll is not None
    today, tomorrow = roll.front_delivery(on), roll.front_delivery(on + timedelta(days=1))
    assert (on.year, on.month) <= today <= tomorrow
    assert (today == tomorrow) == (on + timedelta(days=1) < roll.roll_day(*today))


def test_an_unknown_asset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownInstrument, match=r"'DOGE': known are ES, NQ, YM"):
        contract_for("DOGE", date(2026, 11, 20))


@pytest.mark.parametrize(
    ("symbol", "asset"),
    [
        ("ES", "ES"),
        ("es", "ES"),
        ("ES1!", "ES"),
        ("ES2!", "ES"),
        ("CME_MINI:ES1!", "ES"),
        ("cme_mini:es1!", "ES"),
        ("ESZ2026", "ES"),
        ("ESZ26", "ES"),
        ("ESZ6", "ES"),
        ("MES", "ES"),
        ("MES1!", "ES"),
        ("CME_MINI:MES1!", "ES"),
        ("MESZ6", "ES"),
        ("M2K1!", "RTY"),
        ("M2KZ2026", "RTY"),
        ("CBOT_MINI:YM1!", "YM"),
        ("NYMEX:CL1!", "CL"),
        ("COMEX:MGC1!", "GC"),
        ("US30", "US30"),
        ("CAPITALCOM:US30", "US30"),
        ("FX:EURUSD", "EURUSD"),
        ("OANDA:XAUUSD", "XAUUSD"),
        ("OANDA:US30USD", "US30"),
        ("US30USD", "US30"),
        ("US30_USD", "US30"),
        ("EUR_USD", "EURUSD"),
        ("EUR/USD", "EURUSD"),
        ("FX:GBPUSD", "GBPUSD"),
        ("FX_IDC:GBPUSD", "GBPUSD"),
        ("GBPUSD=X", "GBPUSD"),
        ("XAU/USD", "XAUUSD"),
        ("BTC-USD", "BTCUSD"),
        ("BINANCE:BTCUSD", "BTCUSD"),
        ("COINBASE:ETHUSD", "ETHUSD"),
        ("/ES", "ES"),
        ("/es", "ES"),
        ("/M2K", "RTY"),
        ("/ESZ26", "ES"),
        ("/MNQZ6", "NQ"),
        ("/ES:XCME", "ES"),
        ("/CL:XNYM", "CL"),
        ("ES=F", "ES"),
        ("MES=F", "ES"),
        ("GC=F", "GC"),
        ("ES 12-26", "ES"),
        ("MES 12-26", "ES"),
        ("CME:M2K 12-26", "RTY"),
    ],
)
def test_symbols_that_mean_an_asset(symbol: str, asset: str) -> None:
    assert resolve_asset(symbol, ASSETS) == asset


@pytest.mark.parametrize(
    "symbol",
    [
        "CME_MINI_DL:ES1!",  # delayed
        "CME_MINI_DLY:ES1!",
        "FX_DL:EURUSD",
        "NYSE:ES",  # a share
        "NASDAQ:GC",
        "NYSE:ES=F",
        "NASDAQ:EURUSD",
        "CME:EURUSD",
        "BTCUSDT",  # a pair against another coin
        "BINANCE:BTCUSDT",
        "BTCUSD.P",  # a perpetual future
        "CME:BTC1!",
        "USDEUR",
        "GOLD",
        "DJI",  # the index itself
        "US500",
        "COINBASE_DLY:BTCUSD",
        "/",
        "//ES",
        "/ES:NYSE",
        "/ESX6:XCME_DL",
        "ES=",
        "ES=X",
        "=F",
        "MES 13-26",
        "MES 00-26",
        "MES  12-26",
        "MES 12-2026",
        "EURUSD 12-26",
        "ESX",
        "ESA6",  # no such month
        "ESZ206",
        "ESZ1999",
        "EURUSD1!",
        "ES!",
        "ES1!!",
        "ES 1!",
        " ES",
        "ES\n",
        ":ES",
        "CME:",
        "A:B:ES",
        "",
        "ＥＳ",  # full-width letters
        "ES1١",  # an Arabic digit
        "ES\x00",
        "E" * 100_000,
        "CME_MINI:" + "1" * 32,
    ],
)
def test_symbols_that_mean_nothing(symbol: str) -> None:
    assert resolve_asset(symbol, ASSETS) is None


def test_only_the_desks_own_assets_are_meant() -> None:
    assert resolve_asset("NQ1!", ["ES"]) is None
    assert resolve_asset("ES1!", []) is None
    assert resolve_asset("TSLA", ["TSLA"]) == "TSLA"


@given(st.text())
def test_no_text_raises(text: str) -> None:
    assert resolve_asset(text, ASSETS) in (None, *ASSETS)


@pytest.mark.parametrize(
    ("symbol", "asset", "delivery"),
    [
        ("ES", "ES", None),
        ("MES", "ES", None),
        ("ES1!", "ES", None),
        ("CME_MINI:MES1!", "ES", None),
        ("ES2!", "ES", "2!"),
        ("ESZ6", "ES", "Z6"),
        ("mesz26", "ES", "Z6"),
        ("CME_MINI:ESZ2026", "ES", "Z6"),
        ("ESH7", "ES", "H7"),
        ("ESZ2016", "ES", "Z2016"),
        ("ESU6", "ES", "U2026"),
        ("/ES", "ES", None),
        ("ES=F", "ES", None),
        ("/ESZ26", "ES", "Z6"),
        ("MES 12-26", "ES", "Z6"),
        ("MES 12-16", "ES", "Z2016"),
        ("EURUSD", "EURUSD", None),
        ("DAX", "DAX", None),
    ],
)
def test_the_delivery_that_a_symbol_names(symbol: str, asset: str, delivery: str | None) -> None:
    assert delivery_named(symbol, asset, date(2026, 11, 17)) == delivery


@pytest.mark.parametrize(
    ("symbol", "asset", "on", "delivery"),
    [
        ("ES1!", "ES", date(2026, 12, 13), "Z6"),
        ("CME_MINI:mes1!", "ES", date(2026, 12, 14), "H7"),
        ("GC1!", "GC", date(2026, 10, 15), "Z6"),
        ("ES", "ES", date(2026, 12, 14), None),
        ("ES2!", "ES", date(2026, 12, 14), None),
        ("/ES", "ES", date(2026, 12, 14), "H7"),  # the active contract, whatever the desk trades
        ("/MES:XCME", "ES", date(2026, 12, 14), "H7"),
        ("ES=F", "ES", date(2026, 12, 13), "Z6"),
        ("/ESZ26", "ES", date(2026, 12, 14), None),
        ("MES 12-26", "ES", date(2026, 12, 14), None),
        ("ESH2027", "ES", date(2026, 12, 14), None),
        ("EURUSD", "EURUSD", date(2026, 12, 14), None),
        ("DAX1!", "DAX", date(2026, 12, 14), None),
    ],
)
def test_the_delivery_that_the_calendar_gives_a_continuous_contract(
    symbol: str, asset: str, on: date, delivery: str | None
) -> None:
    assert continuous_named(symbol, asset, on) == delivery


@pytest.mark.parametrize(
    ("spelling", "asset", "symbol"),
    [
        ("MESZ6", "ES", "MESZ6"),
        ("/MESZ26", "ES", "MESZ6"),
        ("MES 12-26", "ES", "MESZ6"),
        (" mes 12-26 ", "ES", "MESZ6"),
        ("/CLF27:XNYM", "CL", "CLF7"),
        ("US30USD", "US30", "US30"),
        ("OANDA:EUR_USD", "EURUSD", "EURUSD"),
        ("GBP/USD", "GBPUSD", "GBPUSD"),
    ],
)
def test_a_contract_as_a_broker_spells_it(spelling: str, asset: str, symbol: str) -> None:
    named = contract_named(spelling, date(2026, 11, 20))
    assert named is not None
    assert (named.asset, named.symbol) == (asset, symbol)


@pytest.mark.parametrize("spelling", ["/MES", "MES=F", "MES1!", "MES", "MES 12-2026", "BTCUSDT", "GOLD", ""])
def test_what_names_no_contract(spelling: str) -> None:
    assert contract_named(spelling, date(2026, 11, 20)) is None


@given(st.text(), st.dates(date(2000, 1, 1), date(2099, 1, 1)))
def test_no_spelling_of_a_contract_raises(text: str, on: date) -> None:
    named = contract_named(text, on)
    assert named is None or named.asset in INSTRUMENTS


@given(st.from_regex(r"(?:[A-Z_]{1,8}:)?/?[A-Z0-9]{1,6}(?:=[FX]|!| \d\d-\d\d)?", fullmatch=True))
def test_no_symbol_names_two_assets(symbol: str) -> None:
    assert sum(resolve_asset(symbol, [asset]) is not None for asset in ASSETS) <= 1


def test_two_assets_that_share_a_root_are_refused() -> None:
    twin = msgspec.structs.replace(instrument_for("NQ"), symbol="NX", micro=instrument_for("ES").micro)
    with pytest.raises(ValueError, match="MES would name both ES and NX"):
        refuse_shared_roots([*INSTRUMENTS.values(), twin])


def test_two_assets_that_share_a_spelling_are_refused() -> None:
    twin = msgspec.structs.replace(instrument_for("US30"), symbol="DOW")
    with pytest.raises(ValueError, match="US30USD would name both US30 and DOW"):
        refuse_shared_roots([*INSTRUMENTS.values(), twin])


def test_the_table_shares_no_root() -> None:
    assert refuse_shared_roots(INSTRUMENTS.values()) == tuple(INSTRUMENTS.values())
