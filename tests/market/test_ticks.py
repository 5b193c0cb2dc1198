"""Reading tapes: what a file may hold, and the sentence for one that is broken."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.market.ticks import TapeError, Tick, count_ticks, read_ticks
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
    path = write(tmp_path, "time_utc,open,high,low,close,volume", "2020-01-05T23:00:00.000Z,1,4,1,3.5,99")
    assert list(read_ticks(path)) == [Tick(datetime(2020, 1, 5, 23, 1, tzinfo=UTC), Decimal("3.5"))]


EXPORTED = {  # what TradingView's "Export chart data" writes
    "in epoch seconds": ("time,open,high,low,close,Volume", "1578265200,1,4,1,3.5,99"),
    "in ISO 8601": ("time,open,high,low,close,Volume", "2020-01-05T18:00:00-05:00,1,4,1,3.5,99"),
    "with a plot": ("time,open,high,low,close,up brick,Volume,Volume MA", "2020-01-05T23:00:00Z,1,4,1,3.5,0,99,NaN"),
}


@pytest.mark.parametrize("rows", EXPORTED.values(), ids=EXPORTED.keys())
def test_tradingviews_own_export_is_a_tape(tmp_path: Path, rows: tuple[str, str]) -> None:
    path = write(tmp_path, *rows)
    assert list(read_ticks(path)) == [Tick(datetime(2020, 1, 5, 23, 1, tzinfo=UTC), Decimal("3.5"))]
    assert count_ticks(path) == 1


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
    path = write(tmp_path, "time_utc,price", "2020-01-05T23:00:00Z,1", "nonsense")
    ticks = read_ticks(path)
    assert next(ticks).price == 1
    with pytest.raises(TapeError):
        next(ticks)


@pytest.mark.parametrize(
    ("rows", "line", "reason"),
    [
        ((), 1, "header"),
        (("a,b", "1,2"), 1, "header was 'a,b'"),
        (("time_utc,price", "2020-01-05T23:00:00Z"), 2, "1 fields"),
        (("time_utc,price", "2020-01-05T23:00:00Z,1", "yesterday,1"), 3, "yesterday"),
        (("time_utc,price", "2020-01-05T23:00:00Z,cheap"), 2, "'cheap', must be a number"),
        (("time_utc,price", "2020-01-05T23:00:00Z,NaN"), 2, "finite"),
        (("time_utc,price", "2020-01-05T23:00:00Z,1e999999"), 2, "finite"),
        (("time_utc,price", "2020-01-05T23:00:01Z,1", "2020-01-05T23:00:00Z,1"), 3, "time went back"),
        (("time_utc,close", "9999-12-31T23:59:59Z,1"), 2, "out of range"),
    ],
)
def test_a_malformed_row_is_named_by_its_line(tmp_path: Path, rows: tuple[Any, ...], line: int, reason: str) -> None:
    with pytest.raises(TapeError, match=reason) as caught:
        list(read_ticks(write(tmp_path, *rows)))
    assert caught.value.line == line
    assert str(caught.value).startswith(f"tape.csv, line {line}: ")


@pytest.mark.parametrize(
    "broken", [b"no gzip at all", gzip.compress(b"time_utc,price\n" * 99)[:-9]], ids=["no gzip", "cut short"]
)
def test_a_broken_archive_is_no_tape(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "tape.csv.gz"
    path.write_bytes(broken)
    with pytest.raises(TapeError):
        list(read_ticks(path))
    with pytest.raises(TapeError):
        count_ticks(path)
