"""The groups of trades that the coach compares, and how each is named in a sentence. Pure.

Left out on purpose: ``reason`` (how a trade ended is known afterwards: that stops lose is no discovery), ``tag`` (the
trader's own words), ``zone_gate`` (what ``zone`` and ``discipline`` say together), ``unknown`` groups.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

UNKNOWN = "unknown"
PART_OF_DAY = "part_of_day"
PARTS: Mapping[str, tuple[int, int]] = MappingProxyType(  # from this hour to that one, New York
    {"night": (18, 6), "morning": (6, 12), "afternoon": (12, 18)}
)
DISCIPLINE = {
    "by the rules": "entered and left by the rules",
    "override": "entered by override",
    "forced exit": "left by a forced exit",
    "override and forced exit": "entered by override and left by a forced exit",
}
COOLDOWN = {
    "first of the day": "before the first cooldown of the day",
    "within 5 min": "within 5 min after a cooldown",
    "within 30 min": "between 5 min and 30 min after a cooldown",
    "later": "more than 30 min after a cooldown",
}
BESIDE = {
    "with the trade": "with the 2.5pt brick in favour",
    "neutral": "with no 2.5pt colour",
    "against the trade": "with the 2.5pt brick against them",
}


def _hour(name: str) -> str:
    return f"entered between {name}:00 and {(int(name) + 1) % 24:02d}:00 New York time"


def part_words(name: str) -> str:
    """Return ``entered in the morning (06:00 to 12:00 New York time)``."""
    begin, end = PARTS[name]
    when = "at night" if name == "night" else f"in the {name}"
    return f"entered {when} ({begin:02d}:00 to {end:02d}:00 New York time)"


WORDS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "hour": _hour,
        PART_OF_DAY: part_words,
        "weekday": lambda name: f"made on a {name}",
        "zone": lambda name: f"entered in zone {name}",
        "discipline": lambda name: DISCIPLINE[name],
        "mode": lambda name: f"made as {name}",
        "asset": lambda name: f"made in {name}",
        "daily_stop_used": lambda name: f"entered with {name} of the daily stop used",
        "trade_of_day": lambda name: f"entered as trade {name} of the day",
        "after_cooldown": lambda name: f"entered {COOLDOWN[name]}",
        "candle_minute": lambda name: f"entered in minute {name} of the candle",
        "tempo_age": lambda name: f"entered on a tempo token of {name}",
        "tempo_armed_by": lambda name: f"entered on a tempo token of a {name}",
        "two_half": lambda name: f"entered {BESIDE[name]}",
        "entered_by": lambda name: f"entered by {name}",
    }
)
CHOSEN = frozenset(
    {
        "hour",
        PART_OF_DAY,
        "weekday",
        "discipline",
        "mode",
        "trade_of_day",
        "after_cooldown",
        "candle_minute",
        "two_half",
    }
)
"""What a trader decides about before the entry: only of these advice can be given."""


def part_of(hour: str) -> str:
    """Return the part of the day that an hour, ``09``, lies in."""
    at = int(hour)
    for name, (begin, end) in PARTS.items():
        if begin <= at < end or (begin > end and (at >= begin or at < end)):
            return name
    raise ValueError(f"{hour} is in no part of the day")


def words_of(by: str, name: str) -> str | None:
    """Return how the trades of a group are named; None for a group that this program does not know."""
    if by not in WORDS or name == UNKNOWN:
        return None
    try:
        return WORDS[by](name)
    except (KeyError, ValueError):
        return None
