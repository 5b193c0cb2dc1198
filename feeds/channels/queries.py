"""Queries of the REST half: strict, so that a misspelled field is an error and never silently the default."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import TypeVar

from starlette.requests import Request

from feeds.errors import CallRefused
from feeds.prices.types import TIMEFRAMES, Timeframe
from feeds.symbols import desk_symbol

Choice = TypeVar("Choice", bound=str)
HIGHEST_ID = 2**63 - 1
DEFAULT_TIMEFRAME: Timeframe = "15m"


class Query:
    """The fields of one request. Every reader raises `CallRefused` (400) and names the field."""

    def __init__(self, request: Request, *fields: str) -> None:
        """Allow these fields, each once."""
        self._fields: dict[str, str] = {}
        for name, value in request.query_params.multi_items():
            if name not in fields:
                raise CallRefused("invalid_query", f"{name[:40]}: is no field of this call")
            if name in self._fields:
                raise CallRefused("invalid_query", f"{name}: was given twice")
            self._fields[name] = value

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`."""
        text = self._fields.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
            raise CallRefused("invalid_query", f"{name}: was {text[:40]!r}, it must be from {low} to {high}")
        return int(text)

    def choice(self, name: str, known: Collection[Choice]) -> Choice:
        """Return one of the known names."""
        text = self._fields.get(name, "")
        found = next((one for one in known if one == text), None)
        if found is None:
            raise CallRefused("invalid_query", f"{name}: was {text[:40]!r}, it must be one of {', '.join(known)}")
        return found

    def since_id(self) -> int | None:
        """Return the id after which to begin, None without one."""
        return self.whole("since_id", 0, 0, HIGHEST_ID) if "since_id" in self._fields else None

    def timeframe(self) -> Timeframe:
        """Return the timeframe."""
        text = self._fields.get("timeframe", DEFAULT_TIMEFRAME)
        if text not in TIMEFRAMES:
            raise CallRefused(
                "invalid_query", f"timeframe: was {text[:40]!r}, it must be one of {', '.join(TIMEFRAMES)}"
            )
        return text

    def symbols(self, known: Mapping[str, str | None], on: date) -> tuple[str, ...]:
        """Return the named symbols, all that are known when none are named. Raises `CallRefused` (404) for others."""
        text = self._fields.get("symbols")
        if text is None:
            return tuple(known)
        named = [part for part in text.split(",") if part.strip()]
        if not named:
            raise CallRefused("invalid_query", "symbols: names no symbol")
        return tuple(dict.fromkeys(known_symbol(symbol, known, on) for symbol in named))


def known_symbol(symbol: str, known: Mapping[str, str | None], on: date) -> str:
    """Return the symbol as the desk spells it, whoever's spelling was asked. Raises `CallRefused` (404)."""
    named = desk_symbol(symbol, known, on)
    if named is None:
        asked = symbol.strip().upper()
        raise CallRefused("unknown_symbol", f"{asked[:20]!r} is no symbol of the desk: {', '.join(known)}")
    return named
