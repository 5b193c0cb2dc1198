"""How money, points, shares, times and lengths of time are written. Nothing else of the agent formats a number."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from wire.asset import Facts
from wire.types import Side

NEW_YORK = ZoneInfo("America/New_York")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LENGTHS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
VERBS: dict[Side, str] = {"BUY": "buy", "SELL": "sell"}
LARGEST_WHOLE = 2**53
"""Above it JSON readers with float numbers lose digits."""

Fact = str | int | float | bool


def usd(amount: Decimal) -> str:
    """Return ``+1,250.00 USD``; nought has no sign."""
    return f"{amount:+,.2f} USD" if amount else "0.00 USD"


def points(amount: Decimal) -> str:
    """Return ``-3.25 points``: at most two digits behind the point, and no noughts at the end."""
    rounded = _short(amount, 2)
    return f"{rounded:+,f} points" if rounded else "0 points"


def multiple(amount: Decimal) -> str:
    """Return ``+0.12 R``, a multiple of the risk at the entry; next to nothing has more digits, so that it is not 0."""
    digits = 2 if amount == 0 or abs(amount) >= Decimal("0.005") else 4
    return f"{amount:+.{digits}f} R" if amount else "0.00 R"


def price(amount: Decimal) -> str:
    """Return a price as it is, without noughts at the end."""
    return f"{_short(amount, 8):f}"


def percent(share: Decimal) -> str:
    """Return ``36 %`` for the share 0.36; next to nothing and next to all keep one digit more."""
    value = share * 100
    is_at_an_end = 0 < value < 1 or 99 < value < 100
    return f"{value:.1f} %" if is_at_an_end else f"{value:.0f} %"


def signed_percent(amount: Decimal) -> str:
    """Return ``-0.85 %`` for an amount that is in percent already."""
    rounded = _short(amount, 2)
    return f"{rounded:+f} %" if rounded else "0 %"


def lasting(seconds: int) -> str:
    """Return a length of time in full: 124 is ``2 min 4 s``, 0 is ``0 s``. Nothing of it is rounded."""
    parts = []
    left = seconds
    for name, length in LENGTHS:
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts) or "0 s"


def moment(instant: datetime, now: datetime) -> str:
    """Return ``10:32:04 New York time``, with its day when that is not the day of `now` in New York."""
    there = instant.astimezone(NEW_YORK)
    clock = f"{there:%H:%M:%S}" if there.second else f"{there:%H:%M}"
    is_of_today = there.date() == now.astimezone(NEW_YORK).date()
    return f"{clock} New York time" + ("" if is_of_today else f" on {day_words(there.date())}")


def day_words(day: date) -> str:
    """Return ``Tuesday 17 November 2026``."""
    return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}"


def counted(count: int, one: str, several: str | None = None) -> str:
    """Return ``1 trade`` or ``3 trades``."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def listed(parts: Iterable[str]) -> str:
    """Return ``a, b and c``."""
    *before, last = parts
    return f"{', '.join(before)} and {last}" if before else last


def facts_of(**values: object) -> Facts:
    """Return facts as JSON has them: decimals as numbers, times as RFC 3339 UTC. What is None is left out."""
    return {name: _fact(value) for name, value in values.items() if value is not None}


def _fact(value: object) -> Fact:
    match value:
        case Decimal():
            is_whole = value == value.to_integral_value() and abs(value) < LARGEST_WHOLE
            return int(value) if is_whole else float(value)
        case date():  # also a datetime, its subclass
            return value.isoformat().replace("+00:00", "Z")
        case str() | int() | float():
            return value
        case _:
            raise TypeError(f"a fact was {value!r}, it must be a number, an instant or a text")


def _short(amount: Decimal, digits: int) -> Decimal:
    rounded = amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
    return Decimal(0) if rounded == 0 else rounded.normalize()
