"""The reader of price files where files are hostile, long, or written in every way at once."""

from __future__ import annotations

import gzip
import io
import random
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from services.market.price_files.containers import open_content
from services.market.price_files.options import (
    PriceBar,
    PriceFileError,
    PriceRow,
    PriceTick,
    ReadingOptions,
    RefusedRow,
    Unrecognised,
)
from services.market.price_files.reader import count_rows, open_price_file
from services.market.price_files.zones import clock_of

START = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)
TICKS = "time_utc,price\n2024-01-02T14:30:00Z,4783.25\n"


def rows_of(content: bytes | str, name: str = "prices.csv", options: ReadingOptions | None = None) -> list[PriceRow]:
    raw = content.encode() if isinstance(content, str) else content
    return list(open_price_file(io.BytesIO(raw), name, options or ReadingOptions()).rows)


def zipped(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda raw: gzip.compress(raw, mtime=0),
    "zip": lambda raw: zipped(("prices.csv", raw)),
}


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS.keys())
def test_a_small_file_that_unpacks_without_end_is_stopped(pack: Callable[[bytes], bytes]) -> None:
    packed = pack(TICKS.encode() * (1 << 19))
    content = open_content(io.BytesIO(packed), "bomb").bytes
    pieces: list[int] = []
    with pytest.raises(Unrecognised, match="unpacks to more than"):
        pieces.extend(len(piece) for piece in iter(lambda: content.read(1 << 16), b""))
    read = sum(pieces)
    assert 15 << 20 < read <= max(16 << 20, len(packed) * 200) < len(TICKS) << 19


def test_a_long_file_is_read_in_little_memory() -> None:
    seconds = (START + timedelta(seconds=number) for number in range(12_000))
    raw = b"time_utc,price\n" + b"".join(f"{at:%Y-%m-%dT%H:%M:%SZ},{4783 + at.second}\n".encode() for at in seconds)
    stream = io.BytesIO(raw)
    tracemalloc.start()
    count = sum(isinstance(row, PriceTick) for row in open_price_file(stream, "long.csv").rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 12_000
    assert peak < 1 << 20  # all rows together are more than that


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x00\x01\x02" * 1000, "no text"),
        (b"a" * 50_000, "longer than"),
        (b"\x28\xb5\x2f\xfd" + b"x" * 40, "Zstandard"),
        (b"7z\xbc\xaf'\x1c", "7-Zip"),
        (b"PAR1" + b"x" * 20, "Parquet file is broken"),
        (zipped(("a.csv", gzip.compress(TICKS.encode()))), "packed twice"),
        (zipped(("readme.txt", b"hello"), ("meta.json", b"{}")), "holds 0 files"),
        (zipped(("a.csv", TICKS.encode()))[:40], "cannot be unpacked"),
        (gzip.compress(TICKS.encode() * 100)[:-20], "cannot be unpacked"),
        (b"time,price\n", "no row of prices"),
        (b"\n\n  \n", "no row"),
        (b"time,price,price\n2024-01-02T14:30:00Z,1,2\n", "'price' twice"),
        (b"time,price\nnoon,1\nlunch,2\n", "not understood"),
        (b"time,price,size\nA,2024-01-02T14:30:00Z,1,2\nB,2024-01-02T14:31:00Z,1,2\n", "4 fields and the header 3"),
        (b'time,price\n"2024-01-02T14:30:00Z,1\n', "no row of prices"),
        (b"1704205800,1,2,3\n1704205860,1,2,3\n", "may be many things"),
        (b"date,open,high,low,close\n20240102,1,1,1,1\n20240103,1,1,1,1\n", "bars of a day"),
        (b"ts_event,action,price\n1704205800000000000,A,1\n1704205800000000000,C,1\n", "order book"),
        (b"20240115 143000;1;1;1\n20240115 143100;1;1;1\n", "may be many things"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_holds_no_prices_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(PriceFileError, match=reason):
        rows_of(content)


def test_an_encrypted_archive_is_refused() -> None:
    packed = bytearray(zipped(("a.csv", TICKS.encode())))
    for header, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(header) + place] |= 1
    with pytest.raises(PriceFileError, match="encrypted"):
        rows_of(bytes(packed))


def test_one_of_several_files_is_chosen() -> None:
    packed = zipped(("es_1.csv", TICKS.encode()), ("es_2.csv", TICKS.replace("4783", "4790").encode()))
    (tick,) = rows_of(packed, options=ReadingOptions(member="*_2.csv"))
    assert isinstance(tick, PriceTick)
    assert tick.price == Decimal("4790.25")


def test_a_hundred_wrong_rows_in_succession_end_the_file_and_fewer_do_not() -> None:
    good = "".join(f"2024-01-02T14:{minute:02}:00Z,4783.25\n" for minute in range(30, 50))
    wrong = "2024-01-02T14:50:00Z,word\n"
    after = "2024-01-02T14:51:00Z,4783.25\n"
    rows = rows_of("time_utc,price\n" + good + wrong * 99 + after)
    assert sum(isinstance(row, RefusedRow) for row in rows) == 99
    assert isinstance(rows[-1], PriceTick)
    with pytest.raises(PriceFileError, match="100 rows in succession") as caught:
        rows_of("time_utc,price\n" + good + wrong * 100 + after)
    assert caught.value.line == 121


def test_another_instrument_behind_the_first_one_is_no_price_of_it() -> None:
    one = "".join(f"2024-01-02T14:30:{second % 60:02}Z,4783.25\n" for second in range(600))
    other = "".join(f"2024-01-02T14:31:{second % 60:02}Z,16832.5\n" for second in range(120))
    with pytest.raises(PriceFileError, match=r"16832\.5 was absurd beside 4783\.25"):
        rows_of("time_utc,price\n" + one + other)


def test_a_second_contract_in_the_file_must_be_chosen_wherever_it_begins() -> None:
    rows = "".join(f"{1704205800 + 60 * number},ESH4,1,1,1,1\n" for number in range(500))
    with pytest.raises(PriceFileError, match="ESM4 after ESH4: say one by --symbol") as caught:
        rows_of("unix,symbol,open,high,low,close\n" + rows + "1704300000,ESM4,1,1,1,1\n")
    assert caught.value.line == 502


def test_bars_shorter_than_the_first_ones_are_refused_not_taken_for_long_ones() -> None:
    rows = [f"{1704205800 + 300 * number},1,1,1,1\n" for number in range(4)] + ["1704206760,1,1,1,1\n"]
    *_, last = rows_of("time,open,high,low,close\n" + "".join(rows))
    assert isinstance(last, RefusedRow)
    assert "began 60 s from the last one, in a file of bars of 300 s" in last.reason


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        ("UTC", "2024-07-01 12:00", "2024-07-01 12:00"),
        ("+05:30", "2024-07-01 12:00", "2024-07-01 06:30"),
        ("-4", "2024-07-01 12:00", "2024-07-01 16:00"),
        ("America/New_York", "2024-07-01 12:00", "2024-07-01 16:00"),
        ("America/New_York", "2024-12-02 12:00", "2024-12-02 17:00"),
        ("Chicago", "2024-12-02 12:00", "2024-12-02 18:00"),
        (
            "America/New_York+7",
            "2024-03-20 00:00",
            "2024-03-19 21:00",
        ),  # a broker keeps New York's summer, not Europe's
        ("America/New_York+7", "2024-12-02 00:00", "2024-12-01 22:00"),
        ("Etc/GMT+5", "2024-07-01 12:00", "2024-07-01 17:00"),
    ],
)
def test_a_clock_on_the_wall_is_turned_into_utc(zone: str, wall: str, instant: str) -> None:
    clock = clock_of(zone)
    assert clock.to_utc(datetime.fromisoformat(wall)) == datetime.fromisoformat(instant).replace(tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "EST5EDT4", "", "../../etc/passwd", "America/New_York+99x"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(PriceFileError, match="the time zone was"):
        rows_of("time,price\n2024-01-02 14:30,1\n", options=ReadingOptions(time_zone=zone))


def test_the_doubled_hour_of_a_file_that_is_newest_first() -> None:
    walls = ["02:00", "01:30", "01:00", "01:30", "01:00", "00:30"]
    text = "time,price\n" + "".join(f"2024-11-03 {wall}:00,1\n" for wall in walls)
    rows = rows_of(text, options=ReadingOptions(time_zone="America/New_York"))
    assert [row.at.strftime("%H:%M") for row in rows if isinstance(row, PriceTick)] == [
        "07:00",
        "06:30",
        "06:00",
        "05:30",
        "05:00",
        "04:30",
    ]


def test_rows_are_counted_without_being_read() -> None:
    assert count_rows(io.BytesIO(b"time,price\nx,1\ny,2\n\n"), "a.csv") == 2
    assert count_rows(io.BytesIO(b"1704205800,1\n1704205860,2\n"), "a.csv") == 2


class Dialect(NamedTuple):
    """One way to write the same bars."""

    delimiter: str
    decimal: str
    group: str
    time: str
    header: bool
    encoding: str
    ending: str
    quoted: bool
    zone: str


TIMES = (
    "%Y-%m-%d %H:%M:%S",
    "%Y.%m.%d %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%m/%d/%Y %I:%M %p",
    "%Y%m%d %H%M%S",
    "%s",
    "%s000",
)
ZONES = ("UTC", "America/New_York", "Asia/Tokyo")


def drawn(dice: random.Random) -> Dialect:
    delimiter = dice.choice(",;\t|")
    decimal = dice.choice(".,") if delimiter != "," else "."
    quoted = dice.random() < 0.3
    group = dice.choice(["", "," if decimal == "." else ".", "'"]) if delimiter != "," or quoted else ""
    return Dialect(
        delimiter=delimiter,
        decimal=decimal,
        group=group,
        time=dice.choice(TIMES),
        header=dice.random() < 0.7,
        encoding=dice.choice(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
        ending=dice.choice(["\n", "\r\n", "\r", "\n\n"]),
        quoted=quoted,
        zone=dice.choice(ZONES),
    )


def written(bars: Sequence[PriceBar], way: Dialect) -> bytes:
    lines = [way.delimiter.join(("Date", "Open", "High", "Low", "Close", "Volume"))] if way.header else []
    for bar in bars:
        time = bar.start.astimezone(ZoneInfo(way.zone)).strftime(
            way.time.replace("%s", str(int(bar.start.timestamp())))
        )
        prices = [
            f"{price:,.2f}".replace(",", "_").replace(".", way.decimal).replace("_", way.group)
            for price in (bar.open, bar.high, bar.low, bar.close)
        ]
        fields = [time, *prices, str(bar.volume)]
        lines.append(way.delimiter.join(f'"{field}"' if way.quoted else field for field in fields))
    return (way.ending.join(lines) + way.ending).encode(way.encoding)


@pytest.mark.parametrize("seed", range(60))
def test_the_same_bars_are_read_whatever_the_way_they_are_written(seed: int) -> None:
    dice = random.Random(seed)
    way = drawn(dice)
    bars = []
    price = Decimal("37560.25")
    for number in range(dice.randint(3, 40)):
        steps = [price + dice.randint(-40, 40) * Decimal("0.25") for _ in range(3)]
        start = datetime(2024, 1, 15, 14, tzinfo=UTC) + timedelta(minutes=number)
        close = steps[2]
        bars.append(
            PriceBar(0, start, price, max(price, *steps), min(price, *steps), close, Decimal(dice.randint(0, 5000)))
        )
        price = close
    options = ReadingOptions(time_zone=way.zone, stamped="start")
    read = rows_of(written(bars, way), options=options)
    assert [_plain(row) for row in read] == [_plain(bar) for bar in bars], way


def _plain(row: PriceRow) -> tuple[object, ...]:
    assert isinstance(row, PriceBar), row
    return (row.start, row.open, row.high, row.low, row.close, row.volume)


@pytest.mark.parametrize(
    ("texts", "instants"),
    [
        (("2024.01.15 14:30:01", "2024.01.15 14:30:02.5", "2024.01.15 14:30:03"), ("01", "02.500000", "03")),
        (
            ("2024.01.15 14:30:01.5", "2024.01.15 14:30:59.250", "2024.01.15 14:30:61.5"),
            ("01.500000", "59.250000", None),
        ),
        (("20240115 143001 0000005", "20240115 143001 9999999", "20240115 143002x0000000"), ("01", "01.999999", None)),
        (("20240115 143001", "20240115 14300a", "20240115 143009"), ("01", None, "09")),
    ],
)
def test_times_of_one_minute_are_read_alike(texts: Sequence[str], instants: Sequence[str | None]) -> None:
    rows = rows_of("time;price\n" + "".join(f"{text};1\n" for text in texts), options=ReadingOptions(time_zone="UTC"))
    expected = [None if text is None else datetime.fromisoformat(f"2024-01-15T14:30:{text}+00:00") for text in instants]
    assert [row.at if isinstance(row, PriceTick) else None for row in rows] == expected


def test_a_doubled_minute_is_not_read_by_its_seconds_alone() -> None:
    walls = ("01:30:10", "01:30:05")
    text = "time;price\n" + "".join(f"2024.11.03 {wall};1\n" for wall in walls)
    first, second = rows_of(text, options=ReadingOptions(time_zone="America/New_York"))
    assert isinstance(first, PriceTick)
    assert isinstance(second, PriceTick)
    assert second.at - first.at == timedelta(seconds=3595)


TWO_SYMBOLS = "unix,symbol,price\n" + "".join(
    f"{1704205800 + number},{symbol},{price}\n"
    for symbol, price in (("NQ", 16832), ("ES", 4783))
    for number in range(500)
)


def test_a_symbol_that_is_chosen_is_found_wherever_it_stands() -> None:
    rows = rows_of(TWO_SYMBOLS, options=ReadingOptions(symbol="ES"))
    assert len(rows) == 500
    assert {row.price for row in rows if isinstance(row, PriceTick)} == {Decimal(4783)}


@pytest.mark.parametrize(
    ("content", "symbol", "reason"),
    [(TWO_SYMBOLS, "YM", "no row of YM"), ("unix,price\n1704205800,1\n", "ES", "no column of symbols")],
)
def test_a_symbol_that_is_not_there_is_no_empty_file(content: str, symbol: str, reason: str) -> None:
    with pytest.raises(PriceFileError, match=reason):
        rows_of(content, options=ReadingOptions(symbol=symbol))


@pytest.mark.parametrize(
    "text",
    [
        "unix,price,simulated\n1704205800,1,false\n1704205801,1,true\n",
        '{"unix":1704205800,"price":1,"source":"ticks"}\n{"unix":1704205801,"price":1,"source":"simulated"}\n',
        "unix,price,source\n1704205800,1,1\n1704205801,1,simulated\n",
    ],
)
def test_an_invented_price_is_none_of_the_market(text: str) -> None:
    good, invented = rows_of(text)
    assert isinstance(good, PriceTick)
    assert isinstance(invented, RefusedRow)
    assert invented.reason == "the row is of a simulated market"


@pytest.mark.parametrize("text", ["1,5", "12,34,56", "1 5", "1,0000.5", ",5", "--5", "5e999", "٣", "0x10", "1_0"])
def test_a_number_with_marks_where_none_belong_is_no_price(text: str) -> None:
    good, wrong = rows_of(f'unix;price\n1704205800;4.5\n1704205801;"{text}"\n', options=ReadingOptions(decimal="."))
    assert isinstance(good, PriceTick)
    assert isinstance(wrong, RefusedRow), wrong


def test_what_a_file_says_of_itself_counts_more_than_what_is_said_of_it() -> None:
    said = ReadingOptions(time_zone="America/New_York", stamped="start")
    (tick,) = rows_of("time_utc,price\n2024-01-02T14:30:00,1\n", options=said)
    assert isinstance(tick, PriceTick)
    assert tick.at == START
    bars = rows_of("20240102 143100;1;1;1;1;1\n20240102 143200;1;1;1;1;1\n", "ES 03-24.Last.txt", said)
    assert isinstance(bars[0], PriceBar)
    assert bars[0].start == START
