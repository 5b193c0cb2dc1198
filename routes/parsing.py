"""The door: JSON becomes a command or ``InvalidRequest``; no dict goes further in (DESIGN 4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import wraps
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from flask import request
from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from routes.errors import InvalidRequest
from services.engine.words import Color

Body = TypeVar("Body", bound=BaseModel)
Returned = TypeVar("Returned")

BODY_LIMIT = 64 * 1024
LONGEST_SYMBOL = 40
HIGHEST_PRICE = Decimal(10) ** 9
MOST_CONTRACTS = 1_000_000
SECRET_IN_TEXT = re.compile(rb'"secret"\s*:\s*"((?:[^"\\]|\\.){1,512})"')
MILLISECONDS_FROM = 100_000_000_000  # as seconds this would be the year 5138
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


class BodyUnreadable(Exception):
    """The body is not a JSON object; the sentence says what it was."""


def read_object(raw: bytes) -> dict[str, Any]:
    """Read a JSON object strictly: no NaN, no infinity, no comments, nothing behind it."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyUnreadable(f"not valid JSON ({error})" if raw else "empty, it must be a JSON object") from None
    if not isinstance(value, dict):
        raise BodyUnreadable(f"a JSON {type(value).__name__}, it must be an object")
    return value


def secret_within(raw: bytes) -> str | None:
    """Return the secret that stands in a body which is no valid JSON, such as one with a bare NaN."""
    found = SECRET_IN_TEXT.search(raw)
    if found is None:
        return None
    try:
        secret: str = msgspec.json.decode(b'"' + found[1] + b'"', type=str)
    except msgspec.DecodeError:
        return None
    return secret


def accepts(
    model: type[Body], *, may_be_empty: bool = False
) -> Callable[[Callable[..., Returned]], Callable[..., Returned]]:
    """Give the view its body, read and checked, as first argument; an empty one is ``{}`` where that may be."""

    def decorate(view: Callable[..., Returned]) -> Callable[..., Returned]:
        @wraps(view)
        def read_first(*args: Any, **kwargs: Any) -> Returned:
            raw = request.get_data(cache=True)
            return view(read_body(model, raw if raw or not may_be_empty else b"{}"), *args, **kwargs)

        read_first.__body__ = model  # type: ignore[attr-defined]
        return read_first

    return decorate


def read_body(model: type[Body], raw: bytes) -> Body:
    """Read a body into its model. Raises InvalidRequest that names the first wrong field."""
    try:
        read_object(raw)
        return model.model_validate_json(raw, strict=True)
    except BodyUnreadable as error:
        raise InvalidRequest("", f"the body was {error}") from None
    except ValidationError as error:
        raise InvalidRequest(*first_fault(error)) from None


def first_fault(error: ValidationError) -> tuple[str, str]:
    """Return the field and the reason of the first thing wrong."""
    fault = error.errors(include_url=False, include_context=False)[0]
    field = ".".join(str(part) for part in fault["loc"])
    tells_input = bool(fault["loc"]) and fault["type"] != "missing"
    was = f", was {repr(fault['input'])[:60]}" if tells_input else ""
    return field, f"{fault['msg'].removeprefix('Value error, ')}{was}"


# -- words of the wire ------------------------------------------------------------------------------------------


def _instant(value: object) -> object:
    """Read ISO 8601 or epoch seconds or milliseconds; without a zone it is UTC."""
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value.strip()):
        value = float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = _from_epoch(value)
    elif isinstance(value, str):
        value = _from_iso(value)
    if isinstance(value, datetime) and not EARLIEST <= value < LATEST:
        raise ValueError("must be a time between 2000 and 2100")
    return value


def _from_epoch(number: float) -> datetime:
    seconds = number / 1000 if abs(number) >= MILLISECONDS_FROM else number
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise ValueError("must be epoch seconds or milliseconds") from None


def _from_iso(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be ISO 8601 or epoch seconds or milliseconds") from None


COLOR_WORDS: dict[str, Color] = {
    **dict.fromkeys(("green", "up", "1", "buy"), "green"),
    **dict.fromkeys(("red", "down", "-1", "sell"), "red"),
    "neutral": "neutral",
}


def _color(value: object) -> object:
    word = str(value).strip().lower() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if word not in COLOR_WORDS:
        raise ValueError("must be green, red or neutral (or up/down, 1/-1, buy/sell)")
    return COLOR_WORDS[word]


def _whole_number(value: object) -> object:
    """JSON knows one kind of number: 5.0 is 5."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _brick_id(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Moment = Annotated[datetime, BeforeValidator(_instant)]
ColorWord = Annotated[Literal["green", "red", "neutral"], BeforeValidator(_color)]
Money = Annotated[Decimal, Field(ge=-HIGHEST_PRICE, le=HIGHEST_PRICE, decimal_places=15, allow_inf_nan=False)]
WholeNumber = Annotated[int, BeforeValidator(_whole_number)]
Quantity = Annotated[WholeNumber, Field(ge=0, le=MOST_CONTRACTS)]
Symbol = Annotated[str, Field(min_length=1, max_length=LONGEST_SYMBOL)]
Words = Annotated[str, Field(max_length=500)]
BrickId = Annotated[str, BeforeValidator(_brick_id), Field(min_length=1, max_length=200)]


class OperatorBody(BaseModel):
    """What the page and scripts send: nothing unknown is let through."""

    model_config = ConfigDict(strict=True, extra="forbid")


class AssetBody(OperatorBody):
    """A control that needs no more than the asset."""

    asset: Annotated[Symbol, AfterValidator(str.upper)]


class BridgeBody(BaseModel):
    """What a bridge sends: it may say more than we read, and name the secret in the body."""

    model_config = ConfigDict(strict=True, extra="ignore", populate_by_name=True)


class WebhookBody(BaseModel):
    """What TradingView sends: alerts carry fields of their own, types are still strict."""

    model_config = ConfigDict(strict=True, extra="ignore")

    symbol: Symbol = Field(validation_alias=AliasChoices("asset", "symbol", "ticker"))
    source: Words | None = None


def asked_whole_number(name: str, default: int, low: int, high: int) -> int:
    """Read a whole number from the query."""
    raw = request.args.get(name, str(default))
    if not re.fullmatch(r"-?\d{1,9}", raw) or not low <= int(raw) <= high:
        raise InvalidRequest(name, f"must be a whole number from {low} to {high}, was {raw[:40]!r}")
    return int(raw)


def asked_text(name: str, default: str, longest: int) -> str:
    """Read a short text from the query."""
    text = request.args.get(name, default)
    if not 1 <= len(text) <= longest:
        raise InvalidRequest(name, f"must be 1 to {longest} characters")
    return text
