"""What reading price files costs: rows a second of each form, and a year of minutes from a file into the store."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from feeds.bars.store import BarStore
from feeds.providers.files import FileProvider
from services.market.price_files.options import ReadingOptions, RefusedRow
from services.market.price_files.reader import open_price_file
from tests.bench.bars import FIRST, LAST, year_of
from tests.bench.measure import Row

ROWS = 200_000
SLOWEST_TICKS, SLOWEST_BARS = 200_000, 100_000  # rows a second
START = datetime(2024, 1, 2, 0, 0, tzinfo=UTC)

Line = Callable[[datetime, Decimal], str]
TICKS: dict[str, tuple[str, Line]] = {
    "own tape": ("time_utc,price,size\n", lambda at, price: f"{at:%Y-%m-%dT%H:%M:%S.083Z},{price},2\n"),
    "NinjaTrader ticks": ("", lambda at, price: f"{at:%Y%m%d %H%M%S} 0830000;{price};{price};{price};2\n"),
    "MetaTrader 5 ticks": (
        "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\n",
        lambda at, price: f"{at:%Y.%m.%d\t%H:%M:%S.083}\t{price}\t{price}\t\t\n",
    ),
}
BARS: dict[str, tuple[str, Line]] = {
    "TradingView": (
        "time,open,high,low,close,Volume\n",
        lambda at, price: f"{int(at.timestamp())},{price},{price + 1},{price - 1},{price},12\n",
    ),
    "Databento": (
        "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n",
        lambda at, price: f"{int(at.timestamp())}000000000,33,1,7,{','.join([f'{price * 10**9:.0f}'] * 4)},12,ESH4\n",
    ),
}


def price_files(folder: Path) -> list[Row]:
    """Measure the reader by itself, and the way of a year of minutes from a file into the store."""
    rows = [_reading(form, lines, timedelta(seconds=1), SLOWEST_TICKS) for form, lines in TICKS.items()]
    rows += [_reading(form, lines, timedelta(minutes=1), SLOWEST_BARS) for form, lines in BARS.items()]
    return [*rows, _into_the_store(folder)]


def _reading(form: str, lines: tuple[str, Line], apart: timedelta, slowest: int) -> Row:
    header, line = lines
    text = header + "".join(line(at, price) for at, price in _walk(apart))
    stream = io.BytesIO(text.encode())
    began = time.process_time()
    prices = open_price_file(stream, "prices.txt", ReadingOptions(time_zone="Europe/Athens"))
    read = sum(not isinstance(row, RefusedRow) for row in prices.rows)
    rate = read / (time.process_time() - began)
    what = f"price files: {form}, {prices.kind}"
    return Row(what, f"{rate:,.0f} rows/s of cpu", f"≥ {slowest:,} rows/s", rate >= slowest and read == ROWS)


def _walk(apart: timedelta) -> Iterator[tuple[datetime, Decimal]]:
    chance, tick = random.Random(1), 19_133
    for number in range(ROWS):
        tick += chance.randint(-2, 2)
        yield START + number * apart, tick * Decimal("0.25")


def _into_the_store(folder: Path) -> Row:
    files = folder / "files"
    files.mkdir(parents=True, exist_ok=True)
    with (files / "ES_1m.csv").open("w") as file:
        file.write("time,open,high,low,close,Volume\n")
        for bar in year_of("ES"):
            file.write(f"{bar.t},{bar.open},{bar.high},{bar.low},{bar.close},{bar.volume}\n")
    store = BarStore(folder / "bars.sqlite")
    began = time.process_time()
    stored = sum(store.put(page) for page in FileProvider("folder", files).bars("ES", FIRST, LAST))
    took = time.process_time() - began
    store.close()
    what = f"price files: a year of ES ({stored:,} minutes) from a CSV of the drop folder into the store"
    return Row(what, f"{took:.1f} s of cpu", "≤ 15 s", took <= 15)
