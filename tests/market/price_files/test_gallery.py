"""Files as people have them (tests/data/price_files), each with the right answer beside it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from services.market.price_files.options import (
    PriceBar,
    PriceFileError,
    PriceTick,
    ReadingOptions,
    RefusedRow,
)
from services.market.price_files.reader import open_price_file

GALLERY = Path(__file__).resolve().parents[2] / "data" / "price_files"
FILES = sorted(path.with_suffix("") for path in GALLERY.glob("*.json"))


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """What a file holds: bars (start, open, high, low, close, volume) or ticks (time, price, size), or why nothing.

    ``refused`` are rows: line and reason.
    """

    note: str
    options: ReadingOptions = ReadingOptions()
    program: str = ""
    bar_seconds: int | None = None
    bars: list[tuple[datetime, Decimal, Decimal, Decimal, Decimal, Decimal | None]] = []
    ticks: list[tuple[datetime, Decimal, Decimal | None]] = []
    refused: list[tuple[int, str]] = []
    error: str | None = None


def answer_of(path: Path) -> Answer:
    return msgspec.json.decode(path.with_name(f"{path.name}.json").read_bytes(), type=Answer)


def test_there_are_many_files_and_each_has_its_answer() -> None:
    assert len(FILES) >= 25
    assert {path.name for path in GALLERY.iterdir() if path.suffix != ".json"} == {path.name for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_read_as_it_was_meant_or_refused_with_the_reason(path: Path) -> None:
    answer = answer_of(path)
    found: list[Any] = []
    refused: list[tuple[int, str]] = []
    with path.open("rb") as stream:
        if answer.error is not None:
            with pytest.raises(PriceFileError) as caught:
                list(open_price_file(stream, path.name, answer.options).rows)
            assert caught.value.reason == answer.error
            return
        prices = open_price_file(stream, path.name, answer.options)
        for row in prices.rows:
            match row:
                case RefusedRow(line, reason):
                    refused.append((line, reason))
                case PriceBar():
                    found.append((row.start, row.open, row.high, row.low, row.close, row.volume))
                case PriceTick():
                    found.append((row.at, row.price, row.size))
    assert found == (answer.bars or answer.ticks)
    assert refused == answer.refused
    assert prices.program == answer.program
    seconds = None if prices.bar_length is None else prices.bar_length.total_seconds()
    assert seconds == answer.bar_seconds
