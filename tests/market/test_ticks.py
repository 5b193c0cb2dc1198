"""Reading tapes: what a file may hold, and the sentence for one that is broken."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.market.price_files.options import PriceFileError, ReadingOptions, RefusedRow
from services.market.ticks import Tick, count_ticks, read_ticks
from tests.support.paths import FIXTURES

EXTRACT = FIXTURES / "es_ticks_20130901_extract.csv.gz"


def write(folder: Path, *rows: str) -> Path:
    path = folder / "tape.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_ticks_are_read_by_their_header(tmp_path: Path) -> None:
    path = write(tmp_path, "size,time_utc,price", "3,2013-09-01T22:00:00.083Z,1640.25")
    assert list(read_ticks(path)) == [Tick(datetime(2013, 9, 1, 22, 0, 0, 83000, tzinfo=UTC), Decimal("1640.25"))]


def test_a_bar_is_its_close_at_its_end(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "time_utc,open,high,low,close,volume",
        "2020-01-05T23:00:00.000Z,3220.25,3222.5,3218.5,3219.5,5815",
        "2020-01-05T23:01:00.000Z,3219.75,3221,3218.75,3219.25,1542",
    )
    assert list(read_ticks(path)) == [
        Tick(datetime(2020, 1, 5, 23, 1, tzinfo=UTC), Decimal("3219.5")),
        Tick(datetime(2020, 1, 5, 23, 2, tzinfo=UTC), Decimal("3219.25")),
    ]


def test_the_length_of_one_bar_is_said_or_the_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "time_utc,open,high,low,close,volume", "2020-01-05T23:00:00.000Z,3,4,3,3.5,99")
    assert list(read_ticks(path, ReadingOptions(bar_seconds=300))) == [
        Tick(datetime(2020, 1, 5, 23, 5, tzinfo=UTC), Decimal("3.5"))
    ]
    with pytest.raises(PriceFileError, match="say it by --bar-seconds"):
        list(read_ticks(path))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "\ufefftime_utc,price\n{row}\n",
        "time_utc,price\n{row}\n\n",
        "time_utc,price\r\n{row}\r\n\r\n",
        "time_utc,price\n{row}\n  \n",
    ],
)
def test_a_byte_order_mark_and_blank_lines_end_no_tape(tmp_path: Path, text: str, packed: bool) -> None:
    raw = text.format(row="2020-01-05T23:00:00Z,3.5").encode()
    path = tmp_path / ("tape.csv.gz" if packed else "tape.csv")
    path.write_bytes(gzip.compress(raw) if packed else raw)
    assert [tick.price for tick in read_ticks(path)] == [Decimal("3.5")]
    assert count_ticks(path) == 1


def test_other_time_zones_become_utc(tmp_path: Path) -> None:
    path = write(tmp_path, "time_utc,price", "2020-01-05T18:00:00-05:00,1", "2020-01-05T23:00:01,1")
    assert [tick.at.isoformat() for tick in read_ticks(path)] == [
        "2020-01-05T23:00:00+00:00",
        "2020-01-05T23:00:01+00:00",
    ]


def test_a_packed_file_is_unpacked_on_the_way() -> None:
    assert count_ticks(EXTRACT) == 20_000
    assert next(iter(read_ticks(EXTRACT))).price == Decimal("1640.25")


def test_nothing_is_read_ahead(tmp_path: Path) -> None:
    path = write(tmp_path, "time_utc,price", "2020-01-05T23:00:00Z,1", "2020-01-05T23:00:00Z,1", "nonsense,1")
    ticks = read_ticks(path)
    assert [next(ticks).price, next(ticks).price] == [1, 1]
    with pytest.raises(PriceFileError):
        next(ticks)


def test_a_wrong_row_is_told_and_the_next_one_is_played(tmp_path: Path) -> None:
    rows = ("2020-01-05T23:00:00Z,5000", "2020-01-05T23:00:01Z,0", "2020-01-05T23:00:02Z,50000")
    path = write(tmp_path, "time_utc,price", *rows, "2020-01-05T23:00:03Z,5001")
    refused: list[RefusedRow] = []
    assert [tick.price for tick in read_ticks(path, refused=refused.append)] == [5000, 5001]
    assert [(row.line, row.reason) for row in refused] == [
        (3, "the price was 0, must be above 0"),
        (4, "the price 50000 was absurd beside 5000"),
    ]


@pytest.mark.parametrize(
    ("rows", "line", "reason"),
    [
        (("time_utc,price", "2020-01-05T23:00:00Z,1", "2020-01-05T23:00:00Z"), 3, "1 fields"),
        (("time_utc,price", "2020-01-05T23:00:00Z,1", "2020-01-05T23:00:00Z,1", "yesterday,1"), 4, "yesterday"),
        (("time_utc,price", "2020-01-05T23:00:00Z,cheap"), 2, "'cheap', must be a number"),
        (("time_utc,price", "2020-01-05T23:00:00Z,NaN"), 2, "must be a number"),
        (("time_utc,price", "2020-01-05T23:00:00Z,1e999999"), 2, "must be a number"),
        (("time_utc,price", "2020-01-05T23:00:01Z,1", "2020-01-05T23:00:00Z,1"), 3, "time went back"),
        (("a,b", "1,2"), 1, "header was 'a,b'"),
    ],
)
def test_a_malformed_row_is_named_by_its_line(tmp_path: Path, rows: tuple[Any, ...], line: int, reason: str) -> None:
    with pytest.raises(PriceFileError, match=reason) as caught:
        list(read_ticks(write(tmp_path, *rows)))
    assert caught.value.line == line
    assert str(caught.value).startswith(f"tape.csv, line {line}: ")


@pytest.mark.parametrize(
    "broken", [b"no gzip at all", gzip.compress(b"time_utc,price\n" * 99)[:-9]], ids=["no gzip", "cut short"]
)
def test_a_broken_archive_is_no_tape(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "tape.csv.gz"
    path.write_bytes(broken)
    with pytest.raises(PriceFileError):
        list(read_ticks(path))
