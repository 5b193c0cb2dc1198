"""The text of a refusal, a closed gate or an alert: a stable code, a title, a detail and facts.

Programs read the code and the facts. Only this module composes sentences for people, and only it splits them again.
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
REMAINING = "remaining_s"  # this fact counts down: whole seconds until the refusal or lock ends
LARGEST_WHOLE = 2**53  # above it JSON readers with float numbers lose digits


class Explanation(Struct, frozen=True, omit_defaults=True):
    """Why something was refused, closed or alerted.

    ``detail`` never holds the time left. The fact ``remaining_s`` holds it; the sentence shows it as a countdown.
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
    """Compose the sentence ``TITLE — detail (04:23 remaining)``. Empty parts are left out."""
    sentence = DASH.join(part for part in (title, detail) if part)
    return sentence if remaining_s is None else f"{sentence} ({countdown(timedelta(seconds=remaining_s))} remaining)"


def parts_of(sentence: str) -> tuple[str, str]:
    """Return title and detail of a stored sentence without a countdown: the inverse of ``sentence_of``."""
    title, _, detail = sentence.partition(DASH)
    return title, detail


def facts_of(values: Mapping[str, object]) -> Facts:
    """Convert facts to JSON values: decimals to numbers, instants to RFC 3339 UTC, enums to their values.

    A value of None is left out.
    """
    return {name: _fact(value) for name, value in values.items() if value is not None}


def _fact(value: object) -> Fact:
    match value:
        case Enum():
            return str(value.value)
        case Decimal():
            is_whole = value == value.to_integral_value() and abs(value) < LARGEST_WHOLE
            return int(value) if is_whole else float(value)
        case date():  # also matches datetime, its subclass
            return value.isoformat().replace("+00:00", "Z")
        case str() | int() | float():
            return value
        case _:
            raise TypeError(f"a fact was {value!r}, it must be a number, an instant or a name")
