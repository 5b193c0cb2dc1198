"""Read the body of ``POST /tv`` strictly: a message whose parts agree with each other, or the reason why not (SPEC 3).

Nothing is mended. A word that is misspelt, a number that is a text, a brick off the grid and bricks that contradict the
close are refused, because half a message would be a chain with a hole that nobody sees. Pure: it knows neither the
desk's assets nor the time; the caller checks secret, symbol and age.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import cache
from itertools import groupby, pairwise
from typing import Any, Literal, NoReturn

import msgspec
from msgspec import Struct

from wire.tradingview import BASE_SECONDS, STREAM_OF_SIZE, BarMessage, LastBrick, NewBrick

BarFault = Literal["unreadable", "repeated", "missing", "unknown", "invalid", "contradictory"]
"""What is wrong with a message.

``unreadable``: no JSON object. ``repeated``: a name comes twice. ``missing``, ``unknown``: of a field. ``invalid``: a
value cannot be what the field says. ``contradictory``: two parts of the message cannot both be true.
"""

LARGEST_BODY = 65_536  # bytes; a message of TradingView has at most 40,960 characters
LONGEST_TEXT = 500
LARGEST_PRICE = Decimal(10**9)
LARGEST_VOLUME = Decimal(10**15)
MOST_DECIMALS = 12
FIRST_T, LAST_T = 946_684_800_000, 4_102_444_800_000  # the years 2000 to 2099
BEFORE_THE_CLOSE_MS = 1_000  # an alert may fire so long before its bar ends; two clocks of TradingView
SIZES = frozenset(STREAM_OF_SIZE)
NUMBERS = frozenset({"v", "size", "lo", "hi"})
NESTED = frozenset({"bricks", "last"})


class BarRefusal(Struct, frozen=True):
    """Why a message was refused. ``field`` is its place, ``bricks[2].lo``, empty for the whole."""

    fault: BarFault
    field: str
    reason: str


class _Refused(Exception):
    def __init__(self, fault: BarFault, field: str, reason: str) -> None:
        super().__init__(reason)
        self.refusal = BarRefusal(fault, field, reason)


def read_bar_message(body: bytes) -> BarMessage | BarRefusal:
    """Return the message, its bricks ordered by size and number, or why it is refused. Never raises."""
    try:
        message = _converted(_object(body))
        for check in (_check_texts, _check_times, _check_prices, _check_bricks, _check_last):
            check(message)
    except _Refused as refused:
        return refused.refusal
    bricks = [msgspec.structs.replace(brick, size=Decimal(_name_of(brick.size))) for brick in message.bricks]
    return msgspec.structs.replace(message, bricks=tuple(sorted(bricks, key=_place_of)))


# -- from bytes to the fields ----------------------------------------------------------------------------------


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > LARGEST_BODY:
        raise _Refused("unreadable", "", f"the body had {len(body)} bytes, must have at most {LARGEST_BODY}")
    try:
        decoded = json.loads(
            body.decode(), parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_without_repeats
        )
    except (ValueError, RecursionError, InvalidOperation) as error:  # the last: an exponent of twenty digits
        raise _Refused("unreadable", "", f"the body was no JSON: {error}") from None
    if not isinstance(decoded, dict):
        raise _Refused("unreadable", "", f"the body was {_kind(decoded)}, must be an object")
    return decoded


def _refuse_constant(word: str) -> NoReturn:
    raise _Refused("unreadable", "", f"{word} is no JSON: leave out what is not known")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Refused("repeated", twice[:LONGEST_TEXT], "the name came twice in one object")
    return fields


def _converted(decoded: dict[str, Any]) -> BarMessage:
    """Return the message, once each field is there, known, and what it must be."""
    _check_fields("", decoded, BarMessage)
    for number, brick in enumerate(_listed(decoded, "bricks")):
        _check_fields(f"bricks[{number}].", brick, NewBrick)
    last = decoded.get("last", {})
    if not isinstance(last, dict):
        raise _Refused("invalid", "last", f"it was {_kind(last)}, must be an object of sizes")
    for size, brick in last.items():
        if size not in SIZES:
            raise _Refused("unknown", f"last.{size[:LONGEST_TEXT]}", f"the size must be one of {_sizes()}")
        _check_fields(f"last.{size}.", brick, LastBrick)
    return msgspec.convert(decoded, BarMessage)


def _listed(decoded: dict[str, Any], name: str) -> Iterable[Any]:
    value = decoded.get(name, [])
    if not isinstance(value, list):
        raise _Refused("invalid", name, f"it was {_kind(value)}, must be a list")
    return value


def _check_fields(where: str, value: Any, struct: type[Struct]) -> None:
    """Check the names of an object's fields, then their values; what is nested is checked by its own call."""
    if not isinstance(value, dict):
        raise _Refused("invalid", where.rstrip("."), f"it was {_kind(value)}, must be an object")
    known = _fields_of(struct)
    for name in value:
        if name not in known:
            raise _Refused("unknown", where + name[:LONGEST_TEXT], f"known are {', '.join(known)}")
    for name, field in known.items():
        if name in value and name not in NESTED:
            _check_value(where + name, value[name], field.type)
        elif field.required and name not in value:
            raise _Refused("missing", where + name, "the field is missing")


@cache
def _fields_of(struct: type[Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    """Return the fields of a struct by name; looking them up takes longer than reading a message."""
    return {field.name: field for field in msgspec.structs.fields(struct)}


def _check_value(field: str, value: Any, kind: Any) -> None:
    name = field.rpartition(".")[2]
    if name in NUMBERS:
        _check_number(field, value, LARGEST_VOLUME if name == "v" else LARGEST_PRICE)
    elif name == "ohlc" and isinstance(value, list):
        for place, price in enumerate(value):
            _check_number(f"{field}[{place}]", price, LARGEST_PRICE)
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _Refused("invalid", field, str(error)) from None


def _check_number(field: str, value: Any, limit: Decimal) -> None:
    """Refuse a number that is written as a text, which msgspec would read, a boolean, and one beyond all markets."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _Refused("invalid", field, f"it was {_kind(value)}, must be a number")
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    if abs(number) > limit or not isinstance(exponent, int) or exponent < -MOST_DECIMALS:
        raise _Refused("invalid", field, f"it must be at most {limit}, with at most {MOST_DECIMALS} decimals")


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


# -- what the fields say of each other -------------------------------------------------------------------------


def _check_texts(message: BarMessage) -> None:
    for field, text in (("secret", message.secret), ("symbol", message.symbol), ("source", message.source)):
        if text is not None and not 0 < len(text) <= LONGEST_TEXT:
            raise _Refused("invalid", field, f"it had {len(text)} characters, must have 1 to {LONGEST_TEXT}")
        if text is not None and not text.isprintable():
            raise _Refused("invalid", field, "it had characters that cannot be printed")


def _check_times(message: BarMessage) -> None:
    length = BASE_SECONDS[message.tf] * 1000
    for field, moment in (("t", message.t), ("now", message.now)):
        if not FIRST_T <= moment <= LAST_T:
            raise _Refused("invalid", field, f"it was {moment}, must be milliseconds since 1970")
    if message.t % length:
        raise _Refused("contradictory", "t", f"no bar of {length // 1000} s starts at {message.t}")
    if message.now < message.t + length - BEFORE_THE_CLOSE_MS:
        raise _Refused("contradictory", "now", "the alert fired before its bar was over")


def _check_prices(message: BarMessage) -> None:
    opened, high, low, closed = message.ohlc
    if not low <= min(opened, closed) <= max(opened, closed) <= high:
        raise _Refused("contradictory", "ohlc", "open and close must lie between low and high")
    if message.v is not None and message.v < 0:
        raise _Refused("invalid", "v", f"it was {message.v}, must not be negative")


def _check_bricks(message: BarMessage) -> None:
    for number, brick in enumerate(message.bricks):
        if _name_of(brick.size) not in SIZES:
            raise _Refused("invalid", f"bricks[{number}].size", f"it was {brick.size}, must be one of {_sizes()}")
        _check_place(f"bricks[{number}]", brick.lo, brick.hi, brick.size, _unit(message))
    for size, group in groupby(sorted(message.bricks, key=_place_of), key=lambda brick: brick.size):
        _check_run(size, list(group), message.ohlc[3], _unit(message))


def _check_run(size: Decimal, bricks: list[NewBrick], close: Decimal, unit: Decimal) -> None:
    """Check the bricks of one size: one close formed them, so they are one run up or down that ends at the close."""
    if [brick.k for brick in bricks] != list(range(1, len(bricks) + 1)):
        raise _Refused("contradictory", "bricks", f"the k of size {size} must be 1 to {len(bricks)}, each once")
    if len({brick.color for brick in bricks}) > 1:
        raise _Refused("contradictory", "bricks", f"the bricks of size {size} had two colours, one close gives one")
    is_green = bricks[0].color == "green"
    for before, after in pairwise(bricks):
        if (after.lo != before.hi) if is_green else (after.hi != before.lo):
            raise _Refused("contradictory", "bricks", f"brick {after.k} of size {size} does not follow the one before")
    passed = close - bricks[-1].hi if is_green else bricks[-1].lo - close
    if passed < -unit / 2:
        raise _Refused("contradictory", "bricks", f"the close does not reach the last brick of size {size}")


def _check_last(message: BarMessage) -> None:
    unit, close = _unit(message), message.ohlc[3]
    newest = {_name_of(brick.size): brick for brick in sorted(message.bricks, key=_place_of)}
    for size, brick in message.last.items():
        _check_place(f"last.{size}", brick.lo, brick.hi, Decimal(size), unit)
        new = newest.get(size)
        if new is not None and (new.color, new.lo, new.hi) != (brick.color, brick.lo, brick.hi):
            raise _Refused("contradictory", f"last.{size}", "it is not the last of the new bricks")
        width, margin = brick.hi - brick.lo, unit / 2  # the close may lie between two ticks, and bricks count ticks
        if not brick.lo - width - margin < close < brick.hi + width + margin:
            raise _Refused("contradictory", f"last.{size}", "the close lies beyond the next brick of this size")
    forgotten = newest.keys() - message.last.keys()
    if message.last and forgotten:
        raise _Refused("contradictory", "last", f"it leaves out size {min(forgotten)}, which has new bricks")


def _check_place(field: str, lo: Decimal, hi: Decimal, size: Decimal, unit: Decimal) -> None:
    if lo >= hi:
        raise _Refused("contradictory", f"{field}.lo", f"it was {lo}, must be below hi {hi}")
    if hi - lo != size * unit:
        raise _Refused("contradictory", field, f"{hi - lo} is not {size:f} units of {unit}: all sizes have one unit")
    if lo % (hi - lo):
        raise _Refused("contradictory", f"{field}.lo", f"it was {lo}, must be a multiple of the brick's {hi - lo}")


def _unit(message: BarMessage) -> Decimal:
    """Return the price of one unit by the first brick that tells it; the others must agree."""
    for brick in message.bricks:
        return (brick.hi - brick.lo) / brick.size
    for size, last in message.last.items():
        return (last.hi - last.lo) / Decimal(size)
    return Decimal(0)


def _name_of(size: Decimal) -> str:
    """Return a size as the table writes it: ``6`` for 6.0."""
    return f"{size.normalize():f}"


def _place_of(brick: NewBrick) -> tuple[Decimal, int]:
    return brick.size, brick.k


def _sizes() -> str:
    return ", ".join(STREAM_OF_SIZE)
