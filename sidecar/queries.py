"""Queries and bodies of the services on 8001, 8002, 8003: strict, so that no misspelled one is silently the default."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import TypeVar, get_args

import msgspec
from msgspec import Struct
from starlette.requests import Request

from services.market.instruments import resolve_asset
from sidecar.problems import ServiceRefused
from wire.data_service import DataTimeframe

TIMEFRAMES: tuple[DataTimeframe, ...] = get_args(DataTimeframe)
ALSO_SPELLED: dict[str, DataTimeframe] = {"60m": "1h", "1min": "1m"}
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
ISO = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|z|[+-]\d\d:\d\d)?)?", re.ASCII)
LOST_PLUS = re.compile(r".*T.* \d\d:\d\d", re.ASCII)
LONGEST_BODY = 16_384
Shape = TypeVar("Shape", bound=Struct)
YES = {"1": True, "true": True, "0": False, "false": False}


class Parameters:
    """The query of one request. Every reader raises `ServiceRefused` (400) and names the parameter."""

    def __init__(self, request: Request, *allowed: str) -> None:
        """Allow these parameters, each once."""
        self._fields: dict[str, str] = {}
        for name, value in request.query_params.multi_items():
            if name not in allowed:
                known = ", ".join(allowed) or "none"
                raise ServiceRefused("invalid_parameter", f"{name[:40]!r} is no parameter: there are {known}")
            if name in self._fields:
                raise ServiceRefused("invalid_parameter", f"{name} was given twice")
            self._fields[name] = value

    def needed(self, name: str) -> str:
        """Return a parameter that must be there."""
        text = self._fields.get(name, "").strip()
        if not text:
            raise ServiceRefused("invalid_parameter", f"{name} is missing")
        return text

    def text(self, name: str, default: str) -> str:
        """Return a parameter as it was given, `default` without one."""
        return self._fields.get(name, default)

    def timeframe(self) -> DataTimeframe:
        """Return the timeframe; ``60m`` is ``1h``."""
        return read_timeframe(self.needed("timeframe"))

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`."""
        text = self._fields.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
            raise ServiceRefused("invalid_parameter", f"{name} must be from {low} to {high}, was {text[:40]!r}")
        return int(text)

    def time(self, name: str) -> datetime | None:
        """Return an instant, None without one."""
        text = self._fields.get(name)
        return None if text is None else read_time(name, text)

    def has(self, name: str) -> bool:
        """Return whether a parameter was given."""
        return name in self._fields

    def flag(self, name: str) -> bool:
        """Return whether a switch is on; by itself it is off."""
        text = self._fields.get(name, "0").lower()
        if text not in YES:
            raise ServiceRefused("invalid_parameter", f"{name} must be 1 or 0, was {text[:40]!r}")
        return YES[text]


def read_timeframe(text: str) -> DataTimeframe:
    """Return a timeframe. Raises `ServiceRefused` (400)."""
    spelled = ALSO_SPELLED.get(text, text)
    if spelled not in TIMEFRAMES:
        raise ServiceRefused("invalid_parameter", f"timeframe must be one of {named(TIMEFRAMES)}, was {text[:40]!r}")
    return spelled


def read_time(name: str, text: str) -> datetime:
    """Return an instant; a day alone is its midnight in UTC. Raises `ServiceRefused` (400), also without a zone."""
    if LOST_PLUS.fullmatch(text):
        raise ServiceRefused(
            "invalid_parameter", f"{name}: a + in a query must be written %2B, or use Z, was {text[:40]!r}"
        )
    try:
        found = datetime.fromisoformat(text.upper()) if ISO.fullmatch(text) else None
    except ValueError:
        found = None
    if found is None:
        raise ServiceRefused("invalid_parameter", f"{name} must be like 2026-11-20T14:30:00Z, was {text[:40]!r}")
    if found.tzinfo is None:
        if len(text) > len("2026-11-20"):
            raise ServiceRefused("invalid_parameter", f"{name} needs its time zone, as Z for UTC, was {text[:40]!r}")
        found = found.replace(tzinfo=UTC)
    if not EARLIEST <= found <= LATEST:
        raise ServiceRefused(
            "invalid_parameter", f"{name} must be from {EARLIEST.year} to {LATEST.year}, was {text[:40]!r}"
        )
    return found.astimezone(UTC)


async def read_body(request: Request, shape: type[Shape], needs: str) -> Shape:
    """Read a body as `shape`; `needs` says what it must be. Raises `ServiceRefused`: 400, or 413 for a long one."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            raise ServiceRefused("body_too_large", f"the body may have {LONGEST_BODY} bytes")
    try:
        return msgspec.json.decode(bytes(body), type=shape)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ServiceRefused("invalid_body", f"the body must be {needs}: {error}") from error


def known_symbol(text: str, known: Collection[str]) -> str:
    """Return the symbol that a spelling names: ``ES`` for ``CME_MINI:ES1!``. Raises `ServiceRefused` (404)."""
    found = resolve_asset(text.strip(), known)
    if found is None:
        raise ServiceRefused("unknown_symbol", f"{text.strip()[:40]!r} is no symbol of this service: {named(known)}")
    return found


def named(symbols: Iterable[str]) -> str:
    """Return symbols as a sentence lists them."""
    return ", ".join(symbols)
