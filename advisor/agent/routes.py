"""The router: plain English -> which tools are asked, and what. It knows words, it does not understand. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from advisor.agent.wording import WEEKDAYS
from services.market.instruments import INSTRUMENTS, resolve_asset
from wire.explain import ToolName
from wire.ml_engine import MlTimeframe
from wire.types import Side

Call = tuple[ToolName, dict[str, Any]]
PUNCTUATION = ".,;:?!()[]{}\"'`"
LONGEST_READ = 4_000


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(patterns) + r")\b", re.IGNORECASE | re.ASCII)


ENTERING = r"(?:buy|sell|long|short|enter|trade|go in|get in)"
WHAT_IF = _words("what if", "would have", "would've", "would (?:they|it|that|these|those)", "missed")
ATTEMPTS = _words(
    r"(?:blocked|refused|rejected)\s+(?:entries|attempts|tries|trades|orders|me)",
    "attempts",
    r"(?:gates?|desk)\s+(?:\w+\s+)?(?:refuse|refused|block|blocked)",
    r"how (?:many|often)\b.*\b(?:blocked|refused)",
)
BLOCK = _words(
    rf"(?:can(?:'|’)?t|can ?not|can|could|may|allowed|able)\b.*\b{ENTERING}",
    rf"why (?:not|no)\b.*\b{ENTERING}",
    r"(?:am i|is it|are we|why|what)\b.*\b(?:blocked|blocking|refused|locked|closed)",
    "ladder",
    r"which gates?",
    r"when (?:can|may|does)",
    "cooldown",
    r"candle lock",
)
STATISTICS = _words(
    *("better", "worse", "best", "worst", "coach", "statistics?", "stats", "win ?rate", "win share", "expectancy"),
    *("improve", "habits?", "patterns?", "edge", "mornings?", "afternoons?", "nights?", "weekdays?", "average", "mean"),
    *(f"{day}s" for day in WEEKDAYS),
    *("which hours?", "what hours?", "time of day", "overrides? cost", "mistakes?"),
)
RANGE = _words(
    "ranges?", "how far", "how (?:high|low|much)\\b.*\\b(?:go|move|reach|run|fall|rise)", "volatility", "atr"
)
SIGNAL = _words("signals?", "set-?ups?")
PHASE = _words("amd", "phases?", "accumulation", "manipulation", "distribution")
POSITIONS = _words(
    "positions?", "hold", "holding", "open trades?", "open orders?", "exposure", "what do i have", "flat"
)
CONSENSUS = _words("consensus", "colou?rs?", "bricks?", "zone", "structure", "trend", "bias")
OUTLOOK = _words("outlook", "forecast", "prediction", "expect", "what about", "analysis")
DAY = _words(
    *("my day", "day", "today", "yesterday", "review", "how did i do", "what did i do", "how was it", "my trades"),
    *WEEKDAYS,
    r"\d{4}-\d\d-\d\d",
)
NAMED_DAY = _words("today", "yesterday", *WEEKDAYS, r"\d{4}-\d\d-\d\d")
BUYING = _words("buy", "buying", "long")
SELLING = _words("sell", "selling", "short")
TIMEFRAMES: tuple[tuple[re.Pattern[str], MlTimeframe], ...] = (
    (_words("half (?:an? )?hour", r"30[ -]?m(?:in(?:ute)?s?)?"), "30m"),
    (_words("quarter", r"15[ -]?m(?:in(?:ute)?s?)?"), "15m"),
    (_words(r"5[ -]?m(?:in(?:ute)?s?)?", "five minutes?"), "5m"),
    (_words("hour", "1[ -]?h(?:our)?", "60[ -]?m(?:in(?:ute)?s?)?"), "1h"),
    (_words(r"1[ -]?m(?:in(?:ute)?)?", "(?:next|one) minute"), "1m"),
)
GROUPINGS: tuple[tuple[re.Pattern[str], str], ...] = (
    (_words("mornings?", "afternoons?", "nights?", "part of the day"), "part_of_day"),
    (_words("weekdays?", *(f"{day}s?" for day in WEEKDAYS)), "weekday"),
    (_words("hours?", "time of day"), "hour"),
    (_words("overrides?", "discipline", "rules", "forced"), "discipline"),
    (
        _words("trade of (?:the )?day", "first trade", "last trade", "(?:third|fourth|fifth|sixth) trade"),
        "trade_of_day",
    ),
    (_words("after (?:a |the )?cooldown", "revenge"), "after_cooldown"),
)


class Asked(NamedTuple):
    """What a message names besides its intent."""

    text: str
    asset: str | None
    direction: Side | None
    day: str | None
    timeframe: MlTimeframe


def route(message: str) -> tuple[Call, ...]:
    """Return the tools to ask, with their arguments; nothing when the message is about none, or lacks the asset."""
    asked = read(message)
    for name, pattern in INTENTS.items():
        if pattern.search(asked.text):
            return CALLS[name](asked)
    return ()


def lacks_asset(message: str) -> bool:
    """Return whether a message asks for something of one asset without naming it."""
    asked = read(message)
    found = next((name for name, pattern in INTENTS.items() if pattern.search(asked.text)), None)
    return found in OF_ONE_ASSET and asked.asset is None


def read(message: str) -> Asked:
    """Take a message apart. What it says besides is left alone: it is no instruction."""
    text = " ".join(message[:LONGEST_READ].replace("’", "'").split())
    day = NAMED_DAY.search(text)
    usual: MlTimeframe = "15m"
    frame = next((frame for pattern, frame in TIMEFRAMES if pattern.search(text)), usual)
    return Asked(text, asset_in(text), direction_in(text), day.group().lower() if day else None, frame)


def asset_in(text: str) -> str | None:
    """Return the first asset that a word of the text names."""
    for word in text.split():
        for spelled in (word, word.rstrip(PUNCTUATION).removesuffix("'s"), word.strip(PUNCTUATION)):
            found = resolve_asset(spelled, INSTRUMENTS)
            if found is not None:
                return found
    return None


def direction_in(text: str) -> Side | None:
    """Return the direction that a text names; none when it names both."""
    buys, sells = bool(BUYING.search(text)), bool(SELLING.search(text))
    if buys == sells:
        return None
    return "BUY" if buys else "SELL"


# -- which tools an intent asks -------------------------------------------------------------------------------------


def _given(**arguments: str | None) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _day_calls(asked: Asked) -> tuple[Call, ...]:
    day = _given(day=asked.day)
    return (("day_review", day), ("blocked_attempts", day), ("what_if_day", day))


def _statistics_calls(asked: Asked) -> tuple[Call, ...]:
    by = next((by for pattern, by in GROUPINGS if pattern.search(asked.text)), None)
    return (("journal_statistics", _given(asset=asked.asset, by=by)),)


def _range_calls(asked: Asked) -> tuple[Call, ...]:
    if asked.asset is None:
        return ()
    return (("range_forecast", {"asset": asked.asset, "timeframe": asked.timeframe}),)


def _of_bars(tool: ToolName, asked: Asked) -> tuple[Call, ...]:
    if asked.asset is None:
        return ()
    return ((tool, {"asset": asked.asset, "timeframe": asked.timeframe}),)


def _outlook_calls(asked: Asked) -> tuple[Call, ...]:
    return (*_of_bars("range_forecast", asked), *_of_bars("signal", asked), *_of_bars("amd_phase", asked))


INTENTS: Mapping[str, re.Pattern[str]] = MappingProxyType(  # the first that a message speaks of is what it is about
    {
        "what_if": WHAT_IF,
        "attempts": ATTEMPTS,
        "statistics": STATISTICS,
        "range": RANGE,
        "phase": PHASE,
        "signal": SIGNAL,
        "block": BLOCK,
        "positions": POSITIONS,
        "consensus": CONSENSUS,
        "outlook": OUTLOOK,
        "day": DAY,
    }
)
OF_ONE_ASSET = frozenset({"range", "phase", "signal", "consensus", "outlook"})
CALLS: Mapping[str, Callable[[Asked], tuple[Call, ...]]] = MappingProxyType(
    {
        "what_if": lambda asked: (("what_if_day", _given(day=asked.day)),),
        "attempts": lambda asked: (("blocked_attempts", _given(day=asked.day)),),
        "statistics": _statistics_calls,
        "range": _range_calls,
        "phase": lambda asked: _of_bars("amd_phase", asked),
        "signal": lambda asked: _of_bars("signal", asked),
        "block": lambda asked: (("explain_blocks", _given(asset=asked.asset, direction=asked.direction)),),
        "positions": lambda asked: (("positions", _given(asset=asked.asset)),),
        "consensus": lambda asked: (("consensus", {"asset": asked.asset}),) if asked.asset else (),
        "outlook": _outlook_calls,
        "day": _day_calls,
    }
)
