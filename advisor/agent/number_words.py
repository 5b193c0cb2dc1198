"""Numbers that are written as words: ``twelve``, ``thirty-six``, ``two point five``, ``two thirds``. Pure, English."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SMALL = {
    **{word: value for value, word in enumerate(UNITS)},
    **{word: value * 10 for value, word in enumerate(TENS, start=2)},
}
SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
MULTIPLES = {
    2: "twice double doubles doubled doubling couple halve halves halved halving",
    3: "triple triples tripled tripling treble trebled thrice",
    4: "quadruple quadruples quadrupled quadrupling",
    5: "quintuple quintupled",
    6: "sextuple sextupled",
    7: "septuple septupled",
    8: "octuple octupled",
    12: "dozen dozens",
    20: "score scores",
}
OTHERS = {word: value for value, words in MULTIPLES.items() for word in words.split()} | {
    f"{word}fold": value for word, value in (SMALL | SCALES).items() if value > 1
}
VAGUE = {"hundreds": 100, "thousands": 1_000, "millions": 1_000_000, "billions": 1_000_000_000}
ORDINALS = {
    "third": 3,
    "fifth": 5,
    "eighth": 8,
    "ninth": 9,
    "twelfth": 12,
    **{f"{word}th": value for value, word in enumerate(UNITS) if value in (4, 6, 7, 10, 11) or value > 12},
    **{f"{word[:-1]}ieth": value * 10 for value, word in enumerate(TENS, start=2)},
    **{f"{word}th": value for word, value in SCALES.items()},
}
"""``first`` and ``second`` alone are left out: they order a text more often than they count, and one is a unit."""

ORDINAL_UNITS = {"first": 1, "second": 2} | {word: value for word, value in ORDINALS.items() if value < 10}
PARTS = {"half": 2, "quarter": 4, **ORDINALS}
PARTS |= {"halves": 2} | {f"{word}s": value for word, value in PARTS.items() if word != "half"}
_PART = "|".join(sorted((word for word in PARTS if word not in ("half", "halves")), key=len, reverse=True))
_COUNT = "|".join(sorted(SMALL, key=len, reverse=True))
FRACTION = re.compile(
    r"\b(?:(?P<count>an?|one|two|three|four)[\s-]+)?(?P<part>half|halves)\b"
    rf"|\b(?P<some>{_COUNT})[\s-]+(?P<parts>(?:{_PART})(?<=s))\b"
    rf"|\b(?:an?|one)[\s-]+(?P<one>{_PART})"
    r"(?:\s+of\b|(?=\s+(?:more|less|fewer|higher|lower|better|worse)\b|[.,;!?]|\s*$))",
    re.IGNORECASE,
)
WORD = re.compile(r"[A-Za-z]+")
COUNTED = re.compile(
    r"\s*-?\s*(?:open |closed |refused |winning |losing |more )?"
    r"(?:trades?|entr(?:y|ies)|gates?|wins?|loss(?:es)?|overrides?|exits?|attempts?|contracts?|orders?|positions?"
    r"|bars?|sessions?|days?|minutes?|seconds?|hours?|points?|dollars?|percent|per cent|lots?|bricks?)\b",
    re.IGNORECASE,
)


class WordNumber(NamedTuple):
    """A number in words: its value, how many digits behind the point it has, and where it stands."""

    value: Decimal
    digits: int
    begin: int
    end: int
    is_fraction: bool = False
    is_ordinal: bool = False


def word_numbers(text: str) -> Iterator[WordNumber]:
    """Yield the numbers in words, in order.

    ``one`` counts only before what the tools count ("one trade"): elsewhere it is a pronoun. ``no`` and ``none`` are
    no numbers.
    """
    taken: list[tuple[int, int]] = []
    for found in FRACTION.finditer(text):
        taken.append(found.span())
        yield _fraction(found)
    words = [word for word in WORD.finditer(text) if not any(a <= word.start() < b for a, b in taken)]
    place = 0
    while place < len(words):
        number, place = _number_at(words, place, text)
        if number is not None:
            yield number


def _fraction(found: re.Match[str]) -> WordNumber:
    part = found["part"] or found["parts"] or found["one"]
    count = (found["some"] or found["count"] or "one").lower()
    above = SMALL.get(count, 1)
    return WordNumber(Decimal(above) / PARTS[part.lower()], 2, found.start(), found.end(), is_fraction=True)


def _number_at(words: Sequence[re.Match[str]], place: int, text: str) -> tuple[WordNumber | None, int]:
    """Return the number that begins with a word, and the place behind what was read."""
    first = words[place]
    word = first.group().lower()
    for table in (OTHERS, VAGUE, ORDINALS):
        if word in table:
            number = WordNumber(Decimal(table[word]), 0, first.start(), first.end(), is_ordinal=table is ORDINALS)
            return number, place + 1
    if word not in SMALL and word not in SCALES:
        return None, place + 1
    run = _run(words, place, text)
    value = _value([one.group().lower() for one in run])
    last = place + len(run)
    ordinal = _ordinal_behind(words, last, text)
    if ordinal is not None:
        return WordNumber(value + ordinal, 0, first.start(), words[last].end(), is_ordinal=True), last + 1
    tail = _behind_the_point(words, last, text)
    end = words[last + len(tail)].end() if tail else run[-1].end()
    if tail:
        value += Decimal("0." + "".join(tail))
        last += len(tail) + 1
    if value == 1 and len(run) == 1 and not tail and not COUNTED.match(text, end):
        return None, last
    return WordNumber(value, len(tail), first.start(), end), last


def _ordinal_behind(words: Sequence[re.Match[str]], at: int, text: str) -> int | None:
    """Return the end of an ordinal: 1 of ``twenty-first``."""
    if at >= len(words) or words[at - 1].group().lower() not in TENS:
        return None
    return (
        None
        if text[words[at - 1].end() : words[at].start()].strip(" -")
        else ORDINAL_UNITS.get(words[at].group().lower())
    )


def _run(words: Sequence[re.Match[str]], place: int, text: str) -> list[re.Match[str]]:
    """Return the words of one number: ``two hundred and fifty-one``. ``five, six`` are two numbers."""
    run = [words[place]]
    for at in range(place + 1, len(words)):
        between = text[run[-1].end() : words[at].start()]
        if between.strip(" -") or not _belongs(words, at):
            break
        run.append(words[at])
    return run


def _belongs(words: Sequence[re.Match[str]], at: int) -> bool:
    """Return whether a word goes on with the number of the word before."""
    before, word = words[at - 1].group().lower(), words[at].group().lower()
    if word == "and":
        return before in SCALES and _follows_small(words, at)
    if before == "and":
        return word in SMALL
    return word in SCALES or (word in SMALL and _continues(before, word))


def _continues(before: str, word: str) -> bool:
    """Return whether a small number belongs to the word before: ``thirty six``, ``hundred six``, not ``six seven``."""
    return before in SCALES or (before in TENS and 0 < SMALL[word] < 10)


def _follows_small(words: Sequence[re.Match[str]], at: int) -> bool:
    return at + 1 < len(words) and words[at + 1].group().lower() in SMALL


def _value(run: Sequence[str]) -> Decimal:
    total = current = 0
    for word in run:
        if word in SMALL:
            current += SMALL[word]
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word in SCALES:
            total += max(current, 1) * SCALES[word]
            current = 0
    return Decimal(total + current)


def _behind_the_point(words: Sequence[re.Match[str]], at: int, text: str) -> list[str]:
    """Return the digits behind a spoken point: ``2``, ``5`` of ``one point two five``."""
    if (
        at >= len(words)
        or words[at].group().lower() != "point"
        or text[words[at - 1].end() : words[at].start()].strip()
    ):
        return []
    digits: list[str] = []
    for word in words[at + 1 :]:
        value = SMALL.get(word.group().lower())
        if value is None or value > 9 or text[words[at + len(digits)].end() : word.start()].strip(" -"):
            break
        digits.append(str(value))
    return digits
