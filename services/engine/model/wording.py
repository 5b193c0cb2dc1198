"""What a refusal, a closed gate or an alert says: a stable code, a title, a detail and facts.

Programs read the code and the facts. A sentence is composed here, for people, and no other module takes one apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum

from msgspec import Struct

from services.engine.model.times import countdown

Fact = str | int | float | bool
Facts = dict[str, Fact]
DASH = " — "
REMAINING = "remaining_s"  # this fact counts down: whole seconds until the sentence is no longer true
LARGEST_WHOLE = 2**53  # beyond it JSON readers lose digits


class Explanation(Struct, frozen=True, omit_defaults=True):
    """Why something was refused or reported.

    ``detail`` holds no time left: that is the fact ``remaining_s``, which the sentence shows as a countdown.
    """

    code: str
    title: str = ""
    detail: str = ""
    facts: Facts = {}

    @property
    def sentence(self) -> str:
        left = self.facts.get(REMAINING)
        return sentence_of(self.title, self.detail, left if isinstance(left, int) else None)


def sentence_of(title: str, detail: str = "", remaining_s: int | None = None) -> str:
    """Compose the sentence: ``TITLE — detail (04:23 remaining)``; what is empty is left out."""
    said = DASH.join(part for part in (title, detail) if part)
    return said if remaining_s is None else f"{said} ({countdown(timedelta(seconds=remaining_s))} remaining)"


def parts_of(sentence: str) -> tuple[str, str]:
    """Return title and detail of a stored sentence that counts nothing down: the inverse of ``sentence_of``."""
    title, _, detail = sentence.partition(DASH)
    return title, detail


def facts_of(values: Mapping[str, object]) -> Facts:
    """Return facts as JSON has them: decimals are numbers, instants RFC 3339 UTC, statuses their names.

    What is None is left out: a fact is known, or it is not there.
    """
    return {name: _fact(value) for name, value in values.items() if value is not None}


def _fact(value: object) -> Fact:
    match value:
        case Enum():
            return str(value.value)
        case Decimal():
            is_whole = value == value.to_integral_value() and abs(value) < LARGEST_WHOLE
            return int(value) if is_whole else float(value)
        case date():  # a datetime is one too
            return value.isoformat().replace("+00:00", "Z")
        case str() | int() | float():
            return value
        case _:
            raise TypeError(f"a fact was {value!r}, it must be a number, an instant or a name")
