"""Damaged files: the gallery with bytes changed, cut, doubled and mixed. Each is read or refused, and nothing else."""

from __future__ import annotations

import io
import random

import pytest

from services.market.price_files.options import PriceBar, PriceFileError, PriceTick, ReadingOptions
from services.market.price_files.reader import count_rows, open_price_file
from tests.market.price_files.test_gallery import FILES
from tests.market.price_files.test_reader import TICKS, rows_of, zipped

SPLINTERS = (
    *(b",", b";", b'"', b"\n", b"\r", b"\x00", b"9" * 30, b"-", b"e9", b"\xff\xfe", b"NaN", b" ", b".", b"1e400"),
    *(b"\t", b"Z", b"+99:99", b"24:00", b"0001-01-01", b"9999-12-31", "²٣\u2028".encode()),
)
ZONES = (None, "UTC", "America/New_York", "America/New_York+7")


def damaged(content: bytes, other: bytes, dice: random.Random) -> bytes:
    raw = bytearray(content)
    for _ in range(dice.randint(1, 5)):
        place = dice.randint(0, len(raw))
        match dice.randint(0, 4):
            case 0:
                raw[place : place + 1] = bytes((dice.randint(0, 255),))
            case 1:
                raw[place:place] = dice.choice(SPLINTERS)
            case 2:
                del raw[place : place + dice.randint(1, 20)]
            case 3:
                begin = dice.randint(0, len(other))
                raw[place:place] = other[begin : begin + dice.randint(1, 200)]
            case _:
                del raw[place:]
    return bytes(raw)


def options_drawn(dice: random.Random) -> ReadingOptions:
    return ReadingOptions(
        asset=dice.choice((None, "ES", "CL")),
        time_zone=dice.choice(ZONES),
        stamped=dice.choice((None, "start", "end")),
        decimal=dice.choice((None, ".", ",")),
        symbol=dice.choice((None, None, "ESH4")),
        bar_seconds=dice.choice((None, 60)),
    )


def check(content: bytes, name: str, options: ReadingOptions) -> None:
    lowest = None if options.asset == "CL" else 0
    for row in open_price_file(io.BytesIO(content), name, options).rows:
        if isinstance(row, PriceBar):
            assert row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high
            assert lowest is None or row.low > lowest
        elif isinstance(row, PriceTick):
            assert lowest is None or row.price > lowest


@pytest.mark.parametrize("seed", [*range(8), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(8, 200))])
def test_a_damaged_file_is_read_or_refused_and_no_false_price_is_given(seed: int) -> None:
    dice = random.Random(seed)
    contents = {path.name: path.read_bytes() for path in FILES}
    refused = 0
    for _ in range(100):
        name, other = dice.choice(list(contents)), dice.choice(list(contents.values()))
        content = damaged(contents[name], other, dice)
        try:
            check(content, name, options_drawn(dice))
            count_rows(io.BytesIO(content), name)
        except PriceFileError:
            refused += 1
    assert refused > 0  # most are; what is still read was checked price by price


LONG = "A" * 15_000


@pytest.mark.parametrize(
    "content",
    [
        f"unix,symbol,price\n1704205800,{LONG},1\n1704205801,B,1\n".encode(),
        b"unix,symbol,price\n" + b"1704205800,B,1\n" * 500 + f"1704205801,{LONG},1\n".encode(),
        f"unix;price\n1704205800;{LONG},783\n1704205801;4,783\n".encode(),
        zipped((f"{LONG}.csv", TICKS.encode()), (f"{LONG}2.csv", TICKS.encode())),
    ],
)
def test_no_file_makes_a_long_sentence(content: bytes) -> None:
    with pytest.raises(PriceFileError) as caught:
        rows_of(content)
    assert len(caught.value.reason) < 500
