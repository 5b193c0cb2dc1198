"""What is asked of the ML engine: symbols, timeframes, ratios. Every reader raises `ServiceRefused` (400, 404)."""

from __future__ import annotations

from typing import get_args

from services.market.instruments import INSTRUMENTS
from sidecar.problems import ServiceRefused
from sidecar.queries import ALSO_SPELLED, known_symbol, named
from wire.ml_engine import MlTimeframe, RrConfig

TIMEFRAMES: tuple[MlTimeframe, ...] = get_args(MlTimeframe)
RR_CONFIGS: tuple[RrConfig, ...] = get_args(RrConfig)
USUAL_TIMEFRAME: MlTimeframe = "15m"
USUAL_RR: RrConfig = "rr_2_1"
ALL = frozenset({"", "undefined"})
"""What stands for all symbols. The contract's own page sends the text ``undefined``."""

MOST_SYMBOLS = 50


def symbol_named(text: str) -> str:
    """Return the symbol that a spelling names."""
    return known_symbol(text, INSTRUMENTS)


def timeframe_named(text: str) -> MlTimeframe:
    """Return a timeframe of the ML engine; ``60m`` is ``1h``."""
    spelled = ALSO_SPELLED.get(text, text)
    found = next((one for one in TIMEFRAMES if one == spelled), None)
    if found is None:
        raise ServiceRefused("invalid_parameter", f"timeframe must be one of {named(TIMEFRAMES)}, was {text[:40]!r}")
    return found


def rr_named(text: str) -> RrConfig:
    """Return the ratio of target and stop."""
    found = next((one for one in RR_CONFIGS if one == text), None)
    if found is None:
        raise ServiceRefused("invalid_parameter", f"rr_config must be one of {named(RR_CONFIGS)}, was {text[:40]!r}")
    return found


def names_in(text: str) -> tuple[str, ...] | None:
    """Return the names of a list, each once; None for all."""
    if text.strip().lower() in ALL:
        return None
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names:
        raise ServiceRefused("invalid_parameter", "symbols names no symbol")
    if len(names) > MOST_SYMBOLS:
        raise ServiceRefused("invalid_parameter", f"symbols may have {MOST_SYMBOLS} names")
    return names
