"""Opens a price file and reads its rows: the one entrance for the tape, the drop folder and every test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import chain, islice, pairwise
from typing import BinaryIO

from msgspec import Struct, structs

from services.market.instruments import INSTRUMENTS
from services.market.price_files.checks import Plausible
from services.market.price_files.columns import BAR_PRICES
from services.market.price_files.containers import open_content
from services.market.price_files.forms import Kind, Layout, layout_of, texts_at
from services.market.price_files.numbers import Numbers, decimal_mark, is_not_there
from services.market.price_files.options import (
    SAY_NOTHING,
    PriceBar,
    PriceFileError,
    PriceRow,
    PriceTick,
    ReadingOptions,
    RefusedRow,
    Stamp,
    Unrecognised,
    WrongRow,
    say,
    shortened,
)
from services.market.price_files.tables import SAMPLE_ROWS, Fields, Row, Table, open_table
from services.market.price_files.times import ReadTime, way_of_times
from wire.types import Instant, Price

MOST_WRONG_IN_SUCCESSION = 100
LONGEST_BAR = timedelta(hours=12)
FIXED_POINT_SCALE = Decimal(10**9)
NO_TIME = timedelta(0)
ReadRow = Callable[[int, Fields], PriceRow | None]
BEYOND = "a time or a number is beyond what can be counted"
SAYS_YES = {"true", "1", "yes"}


class PriceFile(Struct, frozen=True):
    """An open file whose form is known. ``rows`` can be read once, and raises PriceFileError where no row fits.

    ``bar_length`` is None for ticks. ``program`` is who wrote it, ``unknown`` for a form of many. ``symbol`` is what a
    column says, None without one.
    """

    name: str
    program: str
    kind: Kind
    bar_length: timedelta | None
    stamped: Stamp
    symbol: str | None
    rows: Iterator[PriceRow]

    @property
    def sentence(self) -> str:
        """What was recognised, for the operator."""
        program = f" of {self.program}" if self.program != "unknown" else ""
        if self.bar_length is None:
            return f"{self.name}: ticks{program}"
        return (
            f"{self.name}: bars{program} of {self.bar_length.total_seconds():.0f} s, "
            f"with the time of their {self.stamped}"
        )


def open_price_file(stream: BinaryIO, name: str, options: ReadingOptions = SAY_NOTHING) -> PriceFile:
    """Recognise a seekable stream of bytes and return its rows, which are read one by one.

    Raises PriceFileError for a file that holds no prices, or whose form means two things: the sentence says which
    option settles it.
    """
    try:
        table = open_table(open_content(stream, name, options.member), options.columns)
        return _price_file(name, table, options)
    except Unrecognised as unknown:
        raise PriceFileError(name, unknown.line, str(unknown)) from unknown
    except WrongRow as wrong:
        raise PriceFileError(name, 1, str(wrong)) from wrong
    except ArithmeticError as beyond:  # an option or a first row that no calendar and no price can hold
        raise PriceFileError(name, None, BEYOND) from beyond


def count_rows(stream: BinaryIO, name: str, member: str | None = None) -> int:
    """Return how many rows a file holds, without reading them. Raises PriceFileError."""
    try:
        return sum(1 for _ in open_table(open_content(stream, name, member)).rows)
    except Unrecognised as unknown:
        raise PriceFileError(name, unknown.line, str(unknown)) from unknown
    except WrongRow as wrong:
        raise PriceFileError(name, 1, str(wrong)) from wrong


def _price_file(name: str, table: Table, options: ReadingOptions) -> PriceFile:
    layout = layout_of(table, options)
    table = _of_symbol(table, layout)
    numbers = _numbers(table, layout)
    time_of, starts = _times(table.sample, layout)
    prices = _prices(table.sample, layout, numbers)
    length = _bar_length(starts, layout.options) if layout.kind == "bars" else None
    plausible = Plausible(layout.options.asset, prices, length)
    read: ReadRow
    if length is None:
        read = _tick_reader(layout, numbers, time_of, plausible)
    else:
        shift = length if layout.stamped == "end" else NO_TIME
        read = _bar_reader(layout, numbers, time_of, shift, plausible)
    symbol = _symbol_of(table, layout)
    return PriceFile(
        name, layout.program, layout.kind, length, layout.stamped, symbol, _rows(name, table, layout, read)
    )


def _rows(name: str, table: Table, layout: Layout, read: ReadRow) -> Iterator[PriceRow]:
    """Yield the rows, and pass over those without any price.

    A wrong one is refused by its line; too many in succession, or no good one, end the file.
    """
    wrong_in_succession = 0
    first_wrong: RefusedRow | None = None
    is_any_read = False
    check = _row_check(table, layout)
    number = 0
    try:
        for number, fields in table.rows:
            try:
                if isinstance(fields, WrongRow):
                    raise fields
                check(number, fields)
                row = _within_bounds(read, number, fields)
                if row is None:
                    continue
            except WrongRow as wrong:
                wrong_in_succession += 1
                if wrong_in_succession >= MOST_WRONG_IN_SUCCESSION:
                    reason = f"{wrong_in_succession} rows in succession were refused, at last because {wrong}"
                    raise Unrecognised(reason, number) from wrong
                refused = RefusedRow(number, str(wrong))
                first_wrong = first_wrong or refused
                yield refused
            else:
                wrong_in_succession, is_any_read = 0, True
                yield row
        if first_wrong is not None and not is_any_read:
            raise Unrecognised(first_wrong.reason, first_wrong.line)
        if number and not is_any_read:
            raise Unrecognised("none of its rows has a price")
    except Unrecognised as unknown:
        raise PriceFileError(name, unknown.line or number + 1, str(unknown)) from unknown


def _within_bounds(read: ReadRow, number: int, fields: Fields) -> PriceRow | None:
    """Read a row. Raises WrongRow also for a time before the year 1 or behind 9999, on the wall or in UTC."""
    try:
        return read(number, fields)
    except ArithmeticError as beyond:
        raise WrongRow(BEYOND) from beyond


def _row_check(table: Table, layout: Layout) -> Callable[[int, Fields], None]:
    """Return what raises WrongRow for another width or a simulated market, Unrecognised for another symbol."""
    width, columns = layout.width, layout.columns
    symbol_at, simulated_at, source_at = columns.get("symbol"), columns.get("simulated"), columns.get("source")
    symbol = _symbol_of(table, layout)

    def check(number: int, fields: Fields) -> None:
        if len(fields) != width and not (len(fields) == width + 1 and not fields[-1].strip()):
            raise WrongRow(f"the row had {len(fields)} fields, the others have {width}")
        if symbol_at is not None and fields[symbol_at].strip() != symbol:
            named = shortened(fields[symbol_at].strip())
            raise Unrecognised(f"it holds {named} after {shortened(symbol or '')}: say one by {say('symbol')}", number)
        if simulated_at is not None and fields[simulated_at].strip().lower() in SAYS_YES:
            raise WrongRow("the row is of a simulated market")
        if source_at is not None and fields[source_at].strip().lower() == "simulated":
            raise WrongRow("the row is of a simulated market")

    return check


def _symbol_of(table: Table, layout: Layout) -> str | None:
    place = layout.columns.get("symbol")
    first = next((fields for _, fields in table.sample if len(fields) >= layout.width), None)
    return None if place is None or first is None else first[place].strip()


def _of_symbol(table: Table, layout: Layout) -> Table:
    """Return the rows of the chosen symbol alone, with their own sample. Raises Unrecognised when there is none."""
    chosen, place = layout.options.symbol, layout.columns.get("symbol")
    if chosen is None:
        return table
    if place is None:
        raise Unrecognised(f"it has no column of symbols: leave {chosen} out")
    rows = (
        (number, fields)
        for number, fields in table.rows
        if isinstance(fields, WrongRow) or (len(fields) > place and fields[place].strip() == chosen)
    )
    head = list(islice(rows, SAMPLE_ROWS))
    sample = tuple((number, fields) for number, fields in head if not isinstance(fields, WrongRow))
    if not sample:
        raise Unrecognised(f"it holds no row of {chosen}")
    return structs.replace(table, sample=sample, rows=chain(head, rows))


def _tick_reader(layout: Layout, numbers: Numbers, time_of: ReadTime, plausible: Plausible) -> ReadRow:
    """Return how one row becomes a tick. A quote without a trade has the bid as its price, as MetaTrader draws it.

    The bars of a future are of its trades: its quotes are passed over, and a file of them alone is refused.
    """
    places, columns = layout.time, layout.columns
    price_at, bid_at, size_at = columns.get("price"), columns.get("bid"), columns.get("size")
    newest_bid: list[str] = []
    instrument = INSTRUMENTS.get(layout.options.asset or "")
    is_future = instrument is not None and instrument.roll is not None
    if is_future and price_at is None:
        raise Unrecognised("it holds bids and no trades: the bars of a future are of its trades")

    def read(number: int, fields: Fields) -> PriceTick | None:
        at = time_of(fields[places[0]] if len(places) == 1 else texts_at(fields, places))
        written = fields[price_at] if price_at is not None else ""
        if bid_at is not None:
            if fields[bid_at].strip():
                newest_bid[:] = (fields[bid_at],)
            if not written.strip(" 0."):
                if is_future:
                    return None
                written = newest_bid[0] if newest_bid else written
        size = None if size_at is None else numbers.size(fields[size_at])
        tick = PriceTick(number, at, numbers.price(written), size)
        plausible.check_tick(tick)
        return tick

    return read


def _bar_reader(layout: Layout, numbers: Numbers, time_of: ReadTime, shift: timedelta, plausible: Plausible) -> ReadRow:
    """Return how one row becomes a bar; a minute without a trade, all four prices NaN or nothing, becomes none."""
    places = layout.time
    open_at, high_at, low_at, close_at = (layout.columns[role] for role in BAR_PRICES)
    volume_at, counted_at = layout.columns.get("volume"), layout.columns.get("counted")

    def read(number: int, fields: Fields) -> PriceBar | None:
        if is_not_there(fields[open_at]) and all(is_not_there(fields[place]) for place in (high_at, low_at, close_at)):
            return None
        start = time_of(fields[places[0]] if len(places) == 1 else texts_at(fields, places)) - shift
        volume = None if volume_at is None else numbers.size(fields[volume_at])
        if counted_at is not None and not volume:
            volume = numbers.size(fields[counted_at])
        price = numbers.price
        bar = PriceBar(
            number,
            start,
            price(fields[open_at]),
            price(fields[high_at]),
            price(fields[low_at]),
            price(fields[close_at]),
            volume,
        )
        plausible.check_bar(bar)
        return bar

    return read


def _numbers(table: Table, layout: Layout) -> Numbers:
    options = layout.options
    places = [layout.columns[role] for role in ("close", "price", "bid", "open") if role in layout.columns]
    texts = [fields[place] for _, fields in table.sample for place in places if len(fields) > place]
    scale = options.price_scale
    if scale is not None and not (scale.is_finite() and scale > 0):
        raise Unrecognised(f"the price scale was {scale}, must be finite and above 0")
    if scale is None and layout.is_fixed_point:
        scale = FIXED_POINT_SCALE
    if scale is None and layout.program == "LEAN" and all(text.strip().isdigit() for text in texts):
        raise Unrecognised(f"its prices may be scaled by 10000: say 1 or 10000 by {say('price_scale')}")
    instrument = INSTRUMENTS.get(options.asset or "")
    mark = options.decimal or decimal_mark(texts)
    return Numbers(mark, scale, None if instrument is None else instrument.tick_size)


def _times(sample: Sequence[Row], layout: Layout) -> tuple[ReadTime, list[Instant]]:
    """Return how the times are read, and those of the sample; a way of its own keeps the order of doubled hours."""
    width = max(layout.time) + 1
    texts = [texts_at(fields, layout.time) for _, fields in sample if len(fields) >= width]
    found = _read_all(way_of_times(texts, layout.options, layout.is_utc), texts)
    backward = sum(later < earlier for earlier, later in pairwise(found))
    newest_first = backward > sum(later > earlier for earlier, later in pairwise(found))
    return way_of_times(texts, layout.options, layout.is_utc, newest_first), found


def _read_all(read: ReadTime, texts: Sequence[str]) -> list[Instant]:
    found = []
    for text in texts:
        try:
            found.append(read(text))
        except (WrongRow, ArithmeticError):
            continue  # it is refused by its line when it is read again
    return found


def _prices(sample: Sequence[Row], layout: Layout, numbers: Numbers) -> list[Price]:
    place = next(layout.columns[role] for role in ("close", "price", "bid") if role in layout.columns)
    if layout.kind == "ticks" and "price" in layout.columns:
        place = layout.columns["price"]
    found = []
    for _, fields in sample:
        try:
            price = numbers.price(fields[place])
        except (WrongRow, IndexError, ArithmeticError):
            continue  # it is refused by its line when it is read again
        if price:
            found.append(price)
    return found


def _bar_length(starts: Sequence[Instant], options: ReadingOptions) -> timedelta:
    """Return how long each bar is: as said, or the most frequent distance that most others are multiples of."""
    if options.bar_seconds is not None:
        return timedelta(seconds=options.bar_seconds)
    apart = [abs(later - earlier) for earlier, later in pairwise(starts) if later != earlier]
    if not apart:
        raise Unrecognised(f"one bar does not tell how long it is: say it by {say('bar_seconds')}")
    counts = Counter(apart)
    for length in sorted(counts, key=lambda distance: (-counts[distance], distance)):
        if sum(not distance % length for distance in apart) * 4 >= len(apart) * 3:  # a row may have a wrong time
            if length > LONGEST_BAR:
                raise Unrecognised("its bars are of a day or longer: bars of a day are not read, only shorter ones")
            return length
    raise Unrecognised(f"its bars are of different lengths, or no bars of time: say one by {say('bar_seconds')}")
