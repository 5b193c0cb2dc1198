"""Reads the numbers of a text, each as what it is: a number, a share, an amount, a length of time, a clock, a date.

Marks that no reader sees are taken away first, and every digit of Unicode is its value: ``½`` is a half. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from advisor.agent.number_words import word_numbers
from advisor.agent.wording import MONTHS

Kind = Literal["number", "percent", "amount", "duration", "clock", "date", "name", "ordinal", "brick"]
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
MULTIPLES = {"k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?" for month in MONTHS).replace("Sep(?:", "Sept?(?:")
THOUSANDS = r"[,'’ \u00a0\u202f\u2009]"
NUMBER = (
    rf"(?:\d{{1,3}}(?:{THOUSANDS}\d{{3}})+(?!\d)(?:\.\d+)?|\d{{1,3}}(?:\.\d{{3}}){{2,}}(?!\d)(?:,\d+)?"
    r"|\d+(?:[.,]\d+)?|\.\d+)(?:[eE][+-]?\d{1,2}\b)?"
)
TIME_UNIT = r"(?P<{0}>seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?)\b"
DIGITS = re.compile(
    rf"(?P<iso>\d{{4}}-\d\d-\d\d)(?:[T ](?=\d\d:\d\d))?"
    rf"|(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<month>{MONTH})\b\.?(?:,? (?P<year>\d{{4}})\b(?!-))?"
    rf"|\b(?P<month2>{MONTH})\.? (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<year2>\d{{4}})\b(?!-))?"
    r"|(?P<clock>\d{1,3}:\d\d(?::\d\d)?)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?\s?(?P<half>(?i:[ap]\.?m)\b\.?)?"
    r"|(?P<hour>\d{1,2})\s?(?P<half2>(?i:[ap]\.?m)\b\.?|o'clock)"
    r"|(?P<name>(?<![\w])[A-Za-z_]+\d[\w!]*)"
    r"|(?P<sign>(?<![\w.)%])[-+]|\bminus |\bplus )?(?:(?P<money>(?:US)?[$€£]|\bUSD ?)(?P<sign2>[-+])?)?"
    rf"(?P<number>{NUMBER})"
    r"(?P<ordinal>(?:st|nd|rd|th)\b)?"
    r"(?:[\s-]?(?P<unit>%|percent(?:age points?)?|per cent|pct|points?\b|pts?\b|R\b|USD\b|dollars?\b|\$"
    r"|(?P<multiple>thousand|million|billion|k|K|M|bn)\b(?:\s(?P<money2>USD|dollars?|points?)\b)?"
    rf"|{TIME_UNIT.format('time')}))?",
)
HALF_AN_HOUR = re.compile(r"\bhalf[ -](?:an |a )?hour\b", re.IGNORECASE)
_BRICK = r"(?:1|2\.5|4|6|8|12)pt\b(?:\s(?:red|green))?"
OF_A_BRICK = re.compile(
    rf"(?:\s*(?:,|and|or|,\s*and|,\s*or)\s+{_BRICK})*[\s-]*(?:\(|:|is\s|are\s|was\s|has\s)?\s*"
    r"(?:bricks?|zones?|filters?|colou?rs?|flips?|signals?|tokens?|gates?|green|red|too old|stale|moved|agrees?|says?"
    r"|not (?:seen|renewed|known)|stands?)\b",
    re.IGNORECASE,
)
BRICKS = frozenset({Decimal(1), Decimal("2.5"), Decimal(4), Decimal(6), Decimal(8), Decimal(12)})
PART_OF_UNIT = re.compile(
    rf"[\s-]*(?:(?P<pct>%|percent(?:age points?)?|per cent|pct)|(?P<amount>points?\b|dollars?\b|USD\b|R\b)|"
    rf"{TIME_UNIT.format('time')})"
)
MARKET_NAMES = re.compile(
    r"\b(?:S ?& ?P ?500|Nasdaq[- ]?100|Russell ?2000)\b"
    r"(?![\s-]*(?:%|per|points?|pts?|ticks?|USD|dollars?|contracts?|trades?))",
    re.IGNORECASE,
)
"""Their numbers are names, unless something is counted behind them: "the Nasdaq 100 points higher"."""

LIST_ITEM = re.compile(r"^[ \t]*(\d{1,2})[.)][ \t]+(?=\S)", re.MULTILINE)


class Token(Struct, frozen=True):
    """A number of a text. ``step`` is the size of its last written digit: 0.01 of ``12.25``, 60 of ``2 min``.

    Of a clock ``value`` is seconds since midnight, with ``step`` 1, 60 or 3600; of a date it is ``YYYYMMDD``, the year
    0 when none is written.
    """

    text: str
    kind: Kind
    value: Decimal = Decimal(0)
    step: Decimal = Decimal(1)
    sign: Literal["", "+", "-"] = ""
    begin: int = 0
    end: int = 0


def tokens_of(text: str) -> tuple[Token, ...]:
    """Return the numbers of a text. The numbers of a numbered list, 1, 2, 3 at line starts, count nothing."""
    plain = MARKET_NAMES.sub(_blank, without_list_numbers(seen(text)))
    found = sorted([*_of_digits(plain), *_of_words(plain)], key=lambda token: token.begin)
    return tuple(_joined_durations(found, plain))


def seen(text: str) -> str:
    """Return a text as a reader sees it, in ASCII digits and signs."""
    shown = (one for one in text if unicodedata.category(one) not in ("Cf", "Cc") or one in "\n\t ")
    return re.sub(r"(?<![\d)])–(?=[\d$.])", "-", "".join(_plain(one) for one in shown)).replace("–", " – ")


def _plain(one: str) -> str:
    if one.isascii():
        return one
    if one.isdecimal():
        return str(unicodedata.decimal(one))
    if one.isnumeric():
        return f" {unicodedata.numeric(one):g} "
    if one in "−‐‑﹣－":
        return "-"
    return {"％": "%", "﹪": "%", "＋": "+", "．": ".", "，": ",", "：": ":", "＄": "$"}.get(one, one)


def without_list_numbers(text: str) -> str:
    """Take the numbers of a list away where they run 1, 2, 3: they only order lines, and say nothing of the desk."""
    items = list(LIST_ITEM.finditer(text))
    runs = [int(item[1]) for item in items] == list(range(1, len(items) + 1))
    if len(items) < 2 or not runs:
        return text
    return LIST_ITEM.sub(_blank, text)


def _blank(found: re.Match[str]) -> str:
    return " " * len(found.group())


# -- digits ---------------------------------------------------------------------------------------------------------


def _of_digits(text: str) -> Iterator[Token]:
    for found in DIGITS.finditer(text):
        token = _token(found)
        if token is not None:
            yield replace(token, text=found.group().strip().rstrip("."), begin=found.start(), end=found.end())


def _token(found: re.Match[str]) -> Token | None:
    if found["iso"]:
        return Token("", "date", Decimal(found["iso"].replace("-", "")))
    if found["day"] or found["day2"]:
        return _date(found)
    if found["clock"] or found["hour"]:
        return _clock(found)
    if found["name"]:
        return Token("", "name")
    return _number(found)


def _date(found: re.Match[str]) -> Token:
    name = found["month"] or found["month2"]
    month = next(at for at, full in enumerate(MONTHS, start=1) if full.startswith(name[:3]))
    year = found["year"] or found["year2"] or "0"
    return Token("", "date", Decimal(int(year) * 10_000 + month * 100 + int(found["day"] or found["day2"])))


def _clock(found: re.Match[str]) -> Token:
    parts = [int(part) for part in (found["clock"] or found["hour"]).split(":")]
    half = (found["half"] or found["half2"] or "").replace(".", "").lower()
    hours = parts[0] % 12 + (12 if half == "pm" else 0) if half in ("am", "pm") else parts[0]
    seconds = sum(part * size for part, size in zip([hours, *parts[1:]], (3_600, 60, 1), strict=False))
    return Token("", "clock", Decimal(seconds), Decimal((3_600, 60, 1)[len(parts) - 1]))


def _number(found: re.Match[str]) -> Token | None:
    value, step = read_number(found["number"])
    unit = (found["unit"] or "").lower()
    is_money = found["money"] or found["money2"]
    sign: Literal["", "+", "-"] = ""
    written = (found["sign"] or found["sign2"] or "").strip()
    if written:
        sign = "-" if written in ("-", "minus") else "+"
    if unit == "pt" and value in BRICKS and not sign and found["number"] + "pt" == found.group().strip():
        if OF_A_BRICK.match(found.string, found.end()):
            return None  # the name of a brick size, which the desk always has
        return Token("", "brick", value, step)
    if found["ordinal"]:
        return Token("", "ordinal", value)
    kind: Kind = "number"
    if unit.startswith(("%", "per", "pct")):
        kind = "percent"
    elif found["time"] and not is_money:
        size = SECONDS[unit[0]]
        return Token("", "duration", value * size, step * size, sign)
    elif is_money or unit.startswith(("point", "pt", "dollar")) or unit in ("r", "usd", "$"):
        kind = "amount"
    if found["multiple"]:
        multiple = MULTIPLES[{"t": "k"}.get(unit[0], unit[0])]
        return Token("", kind, value * multiple, step * multiple, sign)
    return Token("", kind, value, step, sign)


def read_number(text: str) -> tuple[Decimal, Decimal]:
    """Return the value of digits and the size of the last written one.

    ``1,250`` and ``1 250`` are 1250, ``12,25`` is 12.25, ``1.250.000`` is a million and more.
    """
    digits = text
    if re.fullmatch(rf"\d{{1,3}}(?:{THOUSANDS}\d{{3}})+(?:\.\d+)?(?:[eE][+-]?\d{{1,2}})?", digits):
        digits = re.sub(THOUSANDS, "", digits)
    elif digits.count(".") > 1 or re.fullmatch(r"[1-9]\d{0,2}\.000", digits):
        digits = digits.replace(".", "")  # a thousand as others write it: a price does not end in three noughts
    value = Decimal(digits.replace(",", "."))
    exponent = value.as_tuple().exponent
    return value, Decimal(1).scaleb(min(exponent, 0) if isinstance(exponent, int) else 0)


# -- words ----------------------------------------------------------------------------------------------------------


def _of_words(text: str) -> Iterator[Token]:
    for found in HALF_AN_HOUR.finditer(text):
        yield Token(found.group(), "duration", Decimal(1_800), Decimal(1_800), begin=found.start(), end=found.end())
    for number in word_numbers(HALF_AN_HOUR.sub(_blank, text)):
        unit = PART_OF_UNIT.match(text, number.end)
        end = unit.end() if unit else number.end
        written = text[number.begin : end].strip()
        token = Token(written, "number", number.value, Decimal(1).scaleb(-number.digits), "", number.begin, end)
        if number.is_fraction:
            token = replace(token, kind="percent", value=number.value * 100, step=Decimal(2))
        elif number.is_ordinal:
            token = replace(token, kind="ordinal")
        elif unit and unit["pct"]:
            token = replace(token, kind="percent")
        elif unit and unit["amount"]:
            token = replace(token, kind="amount")
        elif unit and unit["time"]:
            size = SECONDS[unit["time"][0].lower()]
            token = replace(token, kind="duration", value=token.value * size, step=token.step * size)
        yield token


# -- lengths of time ------------------------------------------------------------------------------------------------


def _joined_durations(tokens: list[Token], text: str) -> Iterator[Token]:
    """Put ``2 min 4 s`` together: parts that follow each other, each of a smaller unit."""
    waiting: Token | None = None
    for token in tokens:
        if waiting is not None and _is_more_of(waiting, token, text):
            written = text[waiting.begin : token.end].strip()
            total = waiting.value + token.value
            waiting = replace(waiting, text=written, value=total, step=token.step, end=token.end)
            continue
        if waiting is not None:
            yield waiting
        waiting = token if token.kind == "duration" else None
        if waiting is None:
            yield token
    if waiting is not None:
        yield waiting


def _is_more_of(waiting: Token, token: Token, text: str) -> bool:
    between = text[waiting.end : token.begin].strip(" ,")
    return token.kind == "duration" and between in ("", "and") and token.value < waiting.step
