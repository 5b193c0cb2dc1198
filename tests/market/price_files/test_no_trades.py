"""Rows in which nothing was traded: minutes of NaN, quotes of a future. None is a price, and none is wrong."""

from __future__ import annotations

import pytest

from services.market.price_files.options import PriceBar, PriceFileError, PriceTick, ReadingOptions, RefusedRow
from tests.market.price_files.test_reader import rows_of

HEADER = "Timestamp,Open,High,Low,Close,Volume_(BTC)\n"
FIRST = 1704205800


@pytest.mark.parametrize("nothing", ["NaN", "", "null"])
def test_minutes_without_a_trade_are_passed_over_however_many(nothing: str) -> None:
    empty = "".join(f"{FIRST + 60 * number}{f',{nothing}' * 5}\n" for number in range(2, 300))
    last = f"{FIRST + 60 * 300},43000,43010,42990,43005,0.5\n"
    rows = rows_of(
        f"{HEADER}{FIRST},43000,43010,42990,43005,1.5\n{FIRST + 60},43000,43000,43000,43000,2\n{empty}{last}"
    )
    assert [float(row.volume or 0) for row in rows if isinstance(row, PriceBar)] == [1.5, 2, 0.5]
    assert len(rows) == 3


def test_a_bar_with_some_of_its_prices_is_a_wrong_row() -> None:
    first, wrong = rows_of(f"{HEADER}{FIRST},4,4,4,4,1\n{FIRST + 60},4,NaN,4,4,1\n")
    assert isinstance(first, PriceBar)
    assert isinstance(wrong, RefusedRow)


def test_a_file_without_any_price_is_refused() -> None:
    with pytest.raises(PriceFileError, match="none of its rows has a price"):
        rows_of(HEADER + "".join(f"{FIRST + 60 * number},NaN,NaN,NaN,NaN,NaN\n" for number in range(200)))


QUOTES = "time_utc,bid,ask,last\n" + "".join(
    f"2024-01-02T14:30:0{second}Z,{4783 + second},{4784 + second},{last}\n"
    for second, last in enumerate(("", "4783.5", "0", "0.00", "4786"))
)


@pytest.mark.parametrize(("asset", "prices"), [("ES", [4783.5, 4786]), ("XAUUSD", [4783, 4783.5, 4785, 4786, 4786])])
def test_the_quotes_of_a_future_are_passed_over_and_those_of_a_cfd_are_its_bids(
    asset: str, prices: list[float]
) -> None:
    rows = rows_of(QUOTES, options=ReadingOptions(asset=asset))
    assert [float(row.price) for row in rows if isinstance(row, PriceTick)] == prices
    assert len(rows) == len(prices)


@pytest.mark.parametrize(
    "text", ["time_utc,bid,ask\n2024-01-02T14:30:00Z,4783,4784\n", "20240115 143000500,4783,4784,0\n" * 2]
)
def test_a_file_of_quotes_alone_is_none_of_a_future(text: str) -> None:
    with pytest.raises(PriceFileError, match="bids and no trades"):
        rows_of(text, options=ReadingOptions(asset="ES", time_zone="UTC"))
    rows = rows_of(text, options=ReadingOptions(asset="XAUUSD", time_zone="UTC"))
    assert all(isinstance(row, PriceTick) for row in rows)


@pytest.mark.parametrize(
    ("volume", "is_read"), [("1000K", True), ("1000000B", True), ("1000001B", False), ("9e14B", False)]
)
def test_a_volume_is_bounded_as_it_is_meant(volume: str, is_read: bool) -> None:
    good = f"{FIRST},4,4,4,4,1\n"
    row = rows_of(f"{HEADER}{good}{FIRST + 60},4,4,4,4,{volume}\n")[1]
    assert isinstance(row, PriceBar) is is_read
