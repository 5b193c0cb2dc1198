"""Parquet files that are small on the disk and large in the memory, and columns that are no prices."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import pytest

from services.market.price_files.options import PriceBar, PriceFileError, PriceTick, ReadingOptions
from tests.market.price_files.test_reader import rows_of

pyarrow = pytest.importorskip("pyarrow")
TIMES = [f"2024-01-02T14:30:{second:02}Z" for second in range(60)]


def parquet_of(columns: Mapping[str, Sequence[object]], is_dictionary: bool = True) -> bytes:
    from pyarrow import parquet

    written = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), written, compression="zstd", use_dictionary=is_dictionary)
    return written.getvalue()


@pytest.mark.parametrize("role", ["symbol", "time", "price"])
def test_a_long_text_of_many_rows_is_refused_before_it_is_unpacked(role: str) -> None:
    columns: dict[str, Sequence[object]] = {"time": TIMES * 100, "price": [4783] * 6000}
    columns[role] = pyarrow.DictionaryArray.from_arrays([0] * 6000, ["a" * 1_000_000])
    before = pyarrow.total_allocated_bytes()
    raw = parquet_of(columns)
    assert len(raw) < 20_000
    with pytest.raises(PriceFileError, match="longer than 20000"):
        rows_of(raw, "ES.parquet")
    assert pyarrow.total_allocated_bytes() - before < 16 << 20
    assert pyarrow.default_memory_pool().max_memory() < 256 << 20  # 6 GB row by row


def test_texts_that_are_all_others_are_refused_by_what_they_unpack_to() -> None:
    texts = [f"{number}" + "a" * 1_000_000 for number in range(60)]
    raw = parquet_of({"time": TIMES, "price": [4783] * 60, "symbol": texts}, is_dictionary=False)
    assert len(raw) < 60_000
    with pytest.raises(PriceFileError, match="unpacks to more than"):
        rows_of(raw, "ES.parquet")


def test_a_column_without_a_role_is_not_read() -> None:
    raw = parquet_of({"remark": ["a" * 30_000] * 60, "time": TIMES, "price": [4783] * 60})
    assert len([row for row in rows_of(raw, "ES.parquet") if isinstance(row, PriceTick)]) == 60


def test_columns_may_be_named_by_option() -> None:
    raw = parquet_of({"a": TIMES[:2], "b": [1, 2], "c": [3, 4], "d": [1, 1], "e": [2, 3], "f": ["ES", None]})
    said = ReadingOptions(columns=("time", "open", "high", "low", "close", "remark"), bar_seconds=1)
    first, second = rows_of(raw, "ES.parquet", said)
    assert isinstance(first, PriceBar)
    assert isinstance(second, PriceBar)
    assert [float(price) for price in (first.high, second.close)] == [3, 3]


def test_a_header_without_prices_says_what_is_missing() -> None:
    with pytest.raises(PriceFileError, match="must name a time"):
        rows_of(parquet_of({"remark": ["a"] * 3, "other": [1, 2, 3]}), "ES.parquet")
