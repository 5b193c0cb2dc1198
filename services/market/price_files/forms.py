"""What a file is: which field is the time, which the prices, how they are written. Found once, from its first rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import PurePosixPath
from typing import Literal

from msgspec import Struct, structs

from services.market.price_files.columns import BAR_PRICES, Columns, columns_of, holds_bars, says_utc
from services.market.price_files.headerless import columns_without_header, usual_width
from services.market.price_files.options import ReadingOptions, Stamp, Unrecognised, say, shortened, shown
from services.market.price_files.tables import Fields, Row, Table

Kind = Literal["bars", "ticks"]
FIXED_POINT = re.compile(r"-?\d{7,19}", re.ASCII)
OF_NINJATRADER = re.compile(r".*\.(?:Last|Bid|Ask)\.txt", re.IGNORECASE)
OF_HISTDATA = re.compile(r"DAT_(?:ASCII|NT|MT|MS|XLSX)_[A-Z0-9]+_.*", re.IGNORECASE)
OF_A_DAY = re.compile(r"(\d{4})(\d\d)(\d\d)_.+", re.ASCII)
OF_THE_CLOCK = re.compile(r"\d{1,2}:?\d\d(?::?\d\d(?:\.\d+)?)?(?: ?[AP]M)?", re.ASCII | re.IGNORECASE)


class Layout(Struct, frozen=True):
    """Where everything stands in a row. ``width`` is the number of its fields, ``options`` what is known of the form.

    ``time`` are one or two places: a date and its time of day. ``is_fixed_point``: prices are billionths.
    """

    program: str
    kind: Kind
    width: int
    time: tuple[int, ...]
    columns: Columns
    stamped: Stamp
    is_utc: bool
    options: ReadingOptions
    is_fixed_point: bool = False


def layout_of(table: Table, options: ReadingOptions) -> Layout:
    """Return the layout of a table. Raises Unrecognised, with what settles it."""
    if not table.sample:
        raise Unrecognised("it holds no row of prices")
    options = _with_name(table.name, options)
    named = options.columns if options.columns is not None else table.names
    if named is None:
        return _without_header(table, options)
    columns = columns_of(named)
    width = len(named)
    if options.columns is None:
        _refuse_shifted_header(table.sample, width)
    kind: Kind = "bars" if holds_bars(columns) else "ticks"
    if kind == "ticks" and "price" not in columns and "bid" not in columns:
        raise Unrecognised(
            f"the header was {shown(','.join(named))}, must name a time and open, high, low, close, or a price, or bid "
            f"and ask: name its columns by {say('columns')}",
            1,
        )
    time = _time_places(columns, table.sample)
    if kind == "bars" and _are_single_trades(columns, table.sample):
        kind, columns = "ticks", {**columns, "price": columns["close"]}
    _refuse_book_updates(columns, table.sample)
    columns = _without_constant_symbol(columns, table.sample, options)
    program = _program(named, columns)
    return Layout(
        program=program,
        kind=kind,
        width=width,
        time=time,
        columns=columns,
        stamped=options.stamped or ("end" if program == "TradeStation" else "start"),
        is_utc=any(says_utc(named[place]) for place in time),
        options=_known_of(program, options),
        is_fixed_point=program == "Databento" and _is_fixed_point(columns, table.sample),
    )


def _with_name(name: str, options: ReadingOptions) -> ReadingOptions:
    """Add what a file's name says for certain: the day of LEAN's files, HistData's clock, NinjaTrader's UTC."""
    name = PurePosixPath(name).name
    day = OF_A_DAY.fullmatch(name)
    if options.day is None and day is not None:
        try:
            options = structs.replace(options, day=date(int(day[1]), int(day[2]), int(day[3])))
        except ValueError:
            return options
    if OF_HISTDATA.fullmatch(name):  # "Eastern Standard Time without daylight saving", whatever the season
        return structs.replace(options, time_zone="Etc/GMT+5", stamped="start")
    if OF_NINJATRADER.fullmatch(name):  # its exports are in UTC, its bars carry the time of their end
        return structs.replace(options, time_zone="UTC", stamped="end")
    return options


def _without_header(table: Table, options: ReadingOptions) -> Layout:
    guess = columns_without_header([fields for _, fields in table.sample], options)
    columns = _without_constant_symbol(guess.columns, table.sample, options)
    if guess.needs_stamp and options.stamped is None:
        raise Unrecognised(
            "NinjaTrader and HistData write such rows, one with the end of a bar, the other with its start: say "
            f"which by {say('stamped')}, and the time zone by {say('time_zone')}"
        )
    return Layout(
        program=guess.program,
        kind="bars" if holds_bars(columns) else "ticks",
        width=usual_width([fields for _, fields in table.sample]),
        time=guess.time,
        columns=columns,
        stamped=options.stamped or "start",
        is_utc=False,
        options=options,
    )


def _time_places(columns: Columns, sample: Sequence[Row]) -> tuple[int, ...]:
    """Return the place of the time, or of date and time of day where they are two fields. Raises Unrecognised."""
    if "date" in columns and "clock" in columns and columns["date"] != columns["clock"]:
        clocks = [fields[columns["clock"]].strip() for _, fields in sample if len(fields) > columns["clock"]]
        if clocks and all(OF_THE_CLOCK.fullmatch(text) for text in clocks):
            return columns["date"], columns["clock"]
    if "time" not in columns:
        raise Unrecognised(f"the header names no time: name the columns by {say('columns')}", 1)
    return (columns["time"],)


def _refuse_shifted_header(sample: Sequence[Row], width: int) -> None:
    if all(len(fields) == width + 1 and fields[-1].strip() for _, fields in sample):
        raise Unrecognised(
            f"every row has {width + 1} fields and the header {width}: name all columns by {say('columns')}", 1
        )


def _are_single_trades(columns: Columns, sample: Sequence[Row]) -> bool:
    """Return whether bars are Sierra Chart's single trades: no open, the ask as high, the bid as low."""
    place = columns["open"]
    return all(len(fields) > place and fields[place].strip().strip("0.") == "" for _, fields in sample)


def _refuse_book_updates(columns: Columns, sample: Sequence[Row]) -> None:
    place = columns.get("action")
    if place is not None and any(fields[place].strip() != "T" for _, fields in sample if len(fields) > place):
        raise Unrecognised("it holds updates of an order book: export trades, or bars")


def _without_constant_symbol(columns: Columns, sample: Sequence[Row], options: ReadingOptions) -> Columns:
    """Leave the symbol out of what is read where nobody chose one of many. Raises Unrecognised for several."""
    place = columns.get("symbol")
    if place is None or options.symbol is not None:
        return columns
    found = sorted({fields[place].strip() for _, fields in sample if len(fields) > place})
    if len(found) > 1:
        raise Unrecognised(
            f"it holds several symbols ({', '.join(map(shortened, found[:5]))}): say one by {say('symbol')}"
        )
    return columns


def _is_fixed_point(columns: Columns, sample: Sequence[Row]) -> bool:
    place = columns.get("close", columns.get("price", 0))
    texts = [fields[place].strip() for _, fields in sample if len(fields) > place]
    return all(FIXED_POINT.fullmatch(text) for text in texts)


def _program(names: Sequence[str], columns: Columns) -> str:
    plain = {name.strip().strip('"').lower() for name in names}
    if "rtype" in plain or "publisher_id" in plain:
        return "Databento"
    if "time_utc" in plain:
        return "Lockstep"
    if "<date>" in plain:
        return "MetaTrader 5"
    if "ups" in columns and "downs" in columns:
        return "TradeStation"
    if "trades" in columns and "close" in columns and "last" in plain:
        return "Sierra Chart"
    if "gmt time" in plain or "local time" in plain:
        return "Dukascopy"
    if list(names)[:5] == ["time", *BAR_PRICES]:
        return "TradingView"
    return "unknown"


def _known_of(program: str, options: ReadingOptions) -> ReadingOptions:
    """Add what is known of a program's files: Dukascopy writes the day first."""
    if program == "Dukascopy" and options.date_order is None:
        return structs.replace(options, date_order="dmy")
    return options


def texts_at(fields: Fields, places: tuple[int, ...]) -> str:
    """Return the text of the time of a row: one field, or date and time of day."""
    return fields[places[0]] if len(places) == 1 else " ".join(fields[place].strip() for place in places)
