"""Finds the numbers of a text that no tool gave: a model may word facts, it may not make them.

A number may be rounded to the digits that are written, and written in another form: with thousands separators, as a
share in percent, as minutes and seconds, as a clock in New York or UTC, in words. Each kind is looked up among facts of
its kind: a percentage among shares, a length of time among seconds, money or points among what is no count.
What a trader wrote (``trader_wrote``) gives no facts: a number is not true because a note has it. Nor does a number in
a name that the bridge told. Not read are Roman numerals, and words of other languages than English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from msgspec import Struct

from advisor.agent.foreign_names import FOREIGN_NAMES
from advisor.agent.intervals import PCT
from advisor.agent.number_tokens import Token, tokens_of
from advisor.agent.wording import NEW_YORK
from wire.explain import ToolResult

TRADER_WROTE = "trader_wrote"
OF_SECONDS = re.compile(r"(?:_s|seconds?)$")
OF_PERCENT = re.compile(r"pct|percent")
OF_PRICES = re.compile(r"price|tick|point|delta|atr|stop|target|entry|usd|profit|loss|close|(?:^|_)r$|_s$")
OF_SHARES = re.compile(r"share|rate|prob|held|quantile|confidence|strength|coverage")
OF_COUNTS = re.compile(
    r"^(?:n|count|trades.*|wins|losses|closed|refused|judged|unknown|targets|stops|day_ends|overrides.*|forced_exits"
    r"|locked_exits|estimated|compared|taken|on_their_way|rows|limit|lookback|conviction.*|unequal_rows|quantity|filled"
    r"|size|position|simulated|.*_count|by_.*|to_settle|bricks)$"
)
ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?")
OF_INTERVALS = re.compile(r"^(?:lift|mean|win)\w*_low$")
"""The lower end of an interval of 95 %: a sentence that tells it may say which interval it is."""

NAME = re.compile(r"(?<![\w])[A-Za-z_]+\d[\w!]*")
HUNDRED = Decimal(100)
DAY_SECONDS = 86_400


class Facts(Struct):
    """Every number that results hold, by what it can be called."""

    numbers: set[Decimal]
    percents: set[Decimal]
    amounts: set[Decimal]
    durations: set[Decimal]
    clocks: set[Decimal]
    dates: set[date]
    names: set[str]


def invented_numbers(text: str, results: Sequence[ToolResult]) -> tuple[str, ...]:
    """Return the numbers of the text that occur in no result, as they are written, in order."""
    facts = facts_in(results)
    return tuple(token.text for token in tokens_of(text) if not _is_known(token, facts))


def facts_in(results: Sequence[ToolResult]) -> Facts:
    """Collect the numbers of results. Arguments give none: who asks may write anything into them."""
    facts = Facts(set(), set(), set(), set(), set(), set(), set())
    for result in results:
        _add_time(result.as_of, facts)
        _add(result.result, "", facts)
    return facts


# -- what is known --------------------------------------------------------------------------------------------------


def _add(value: Any, key: str, facts: Facts) -> None:
    match value:
        case bool() | None:
            return
        case dict():
            told = _foreign_names_in(value)
            for name, inner in value.items():
                if name in FOREIGN_NAMES:
                    _add_name(inner, facts)
                elif name != TRADER_WROTE:
                    _add(_without(inner, told) if name == "detail" else inner, str(name), facts)
                if inner is not None and OF_INTERVALS.search(str(name)):
                    facts.percents.add(Decimal(PCT))
        case list() | tuple():
            for inner in value:
                _add(inner, key, facts)
        case int() | float() | Decimal():
            _add_number(value, key, facts)
        case datetime():
            _add_time(value, facts)
        case date():
            facts.dates.add(value)
        case str():
            _add_text(value, facts)


def _foreign_names_in(result: dict[str, Any]) -> list[str]:
    """Return the names that the bridge told, beside a ``detail`` or among its facts: the detail repeats them."""
    beside = result.get("facts")
    places = [result, beside] if isinstance(beside, dict) else [result]
    return [name for place in places for key in FOREIGN_NAMES if isinstance(name := place.get(key), str) and name]


def _without(detail: Any, names: list[str]) -> Any:
    if isinstance(detail, str):
        for name in names:
            detail = detail.replace(name, " ")
    return detail


def _add_name(name: Any, facts: Facts) -> None:
    """Add a name as a name: ``SIM2`` may be said, and that is no 2. A name of digits alone is none."""
    if isinstance(name, str) and NAME.fullmatch(name):
        facts.names.add(name.lower())


def _add_number(value: int | float | Decimal, key: str, facts: Facts) -> None:
    number = Decimal(str(value))
    if not number.is_finite():
        return
    facts.numbers.add(number)
    if OF_SECONDS.search(key):
        facts.durations.add(number)
    elif OF_PERCENT.search(key):
        facts.percents.add(number)
    elif not (isinstance(value, int) and OF_COUNTS.search(key)):
        facts.amounts.add(number)
    is_share = (
        abs(number) <= 1
        and not OF_PERCENT.search(key)
        and (OF_SHARES.search(key) or (not isinstance(value, int) and not OF_PRICES.search(key)))
    )
    if is_share:
        facts.percents.add(number * HUNDRED)


def _add_text(text: str, facts: Facts) -> None:
    """Add what the desk's own texts say: times, and the numbers of its sentences."""
    for moment in _times_in(text):
        if isinstance(moment, datetime):
            _add_time(moment, facts)
        else:
            facts.dates.add(moment)
    rest = ISO.sub(" ", text)
    facts.names.update(name.lower() for name in NAME.findall(rest))
    for token in _tokens_of_text(rest) if any(one.isalnum() for one in rest) else ():
        signed = -token.value if token.sign == "-" else token.value
        match token.kind:
            case "percent":
                facts.percents.add(signed)
            case "duration":
                facts.durations.add(signed)
            case "clock":
                facts.clocks.add(signed)
            case "amount":
                facts.amounts.add(signed)
                facts.numbers.add(signed)
            case "number" | "ordinal":  # "2 of 2 trades taken": a count of a text is no money
                facts.numbers.add(signed)
            case _:
                continue


@lru_cache(maxsize=1_024)
def _tokens_of_text(text: str) -> tuple[Token, ...]:
    """Read a text of the desk: the same few come in result after result."""
    return tokens_of(text)


def _times_in(text: str) -> Iterator[date | datetime]:
    for found in ISO.finditer(text):
        moment = _read_iso(found.group())
        if moment is not None:
            yield moment


def _read_iso(text: str) -> date | datetime | None:
    try:
        if len(text) == len("2026-11-17"):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _add_time(moment: datetime, facts: Facts) -> None:
    for zone in (UTC, NEW_YORK):
        there = moment.astimezone(zone)
        facts.dates.add(there.date())
        facts.clocks.add(Decimal(there.hour * 3_600 + there.minute * 60 + there.second))


# -- looking a number up --------------------------------------------------------------------------------------------


def _is_known(token: Token, facts: Facts) -> bool:
    match token.kind:
        case "name":
            return token.text.lower() in facts.names
        case "date":
            return any(_is_day(token.value, day) for day in facts.dates)
        case "clock":
            return _is_clock(token, facts)
        case "percent":
            return _is_among(token, facts.percents)
        case "duration":
            return _is_among(token, facts.durations)
        case "amount" | "brick":
            return _is_among(token, facts.amounts)
        case "ordinal":
            return _is_among(token, facts.numbers) or any(day.day == token.value for day in facts.dates)
        case _:
            is_year = token.step == 1 and any(day.year == token.value for day in facts.dates)
            return is_year or _is_among(token, facts.numbers)


def _is_among(token: Token, known: set[Decimal]) -> bool:
    return any(fits(token, fact) for fact in known)


def fits(token: Token, fact: Decimal) -> bool:
    """Return whether a fact, rounded to the written digits, is the number. A sign that is written must be its own."""
    if token.sign == "-" and fact > 0:
        return False
    if token.sign == "+" and fact < 0:
        return False
    size = abs(fact)
    if token.value == size:
        return True
    if token.value == 0 and token.step >= 1:
        return False  # next to nothing is not nothing
    try:
        rounded = {(size / token.step).quantize(Decimal(1), way) for way in (ROUND_HALF_EVEN, ROUND_HALF_UP)}
    except InvalidOperation:
        return False  # too large for so fine a step
    return token.value / token.step in rounded


def _is_day(written: Decimal, day: date) -> bool:
    year, month_and_day = divmod(int(written), 10_000)
    return month_and_day == day.month * 100 + day.day and year in (0, day.year)


def _is_clock(token: Token, facts: Facts) -> bool:
    """Return whether a clock is that of a fact, cut to what is written, or ``2:04`` is a length of time."""
    if any(is_cut(token, clock) for clock in facts.clocks):
        return True
    return any(token.value == length for length in _lengths(token, facts.durations))


def is_cut(token: Token, clock: Decimal) -> bool:
    """Return whether a clock that is written is this one, in seconds since midnight, cut to what is written."""
    if token.step == 3_600:
        return token.value == clock  # nine o'clock is nine sharp
    return token.value == clock - clock % token.step


def _lengths(token: Token, durations: set[Decimal]) -> Iterator[Decimal]:
    """Yield lengths of time as the clock would write them: 124 s as 2:04, which reads as 2 h 4 min."""
    for length in durations:
        if token.step == 1:
            yield length
        elif token.step == 60:
            yield length * 60
