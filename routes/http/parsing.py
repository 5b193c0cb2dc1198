"""Parsing of requests: JSON becomes a typed body, or ``InvalidRequest``; no dict reaches a service (DESIGN 4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import wraps
from typing import Annotated, Any, Literal, TypeVar

from flask import request
from msgspec import Struct
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from routes.http.bodies import Body, SentBody
from routes.http.errors import InvalidRequest
from routes.http.faults import first_fault
from wire.types import Color

Returned = TypeVar("Returned")

LONGEST_SYMBOL = 40
LONGEST_NAME = 60  # of a field that an error repeats
HIGHEST_PRICE = Decimal(10) ** 9
MOST_CONTRACTS = 1_000_000
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
MILLISECONDS_FROM = 100_000_000_000  # as seconds this would be the year 5138
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
LAST_INSTANT = datetime.max.replace(tzinfo=UTC)


def accepts(
    model: type[Body], *, may_be_empty: bool = False
) -> Callable[[Callable[..., Returned]], Callable[..., Returned]]:
    """Pass the parsed body to the view as first argument; an empty body is ``{}`` if no field is required."""

    def decorate(view: Callable[..., Returned]) -> Callable[..., Returned]:
        @wraps(view)
        def read_first(*args: Any, sent: SentBody, **kwargs: Any) -> Returned:
            given = sent if sent.raw or not may_be_empty else SentBody(b"{}")
            return view(given.read_as(model), *args, **kwargs)

        read_first.__body__ = model  # type: ignore[attr-defined]
        read_first.__body_may_be_empty__ = may_be_empty  # type: ignore[attr-defined]
        return read_first

    return decorate


def asks(model: type[Body]) -> Callable[[Callable[..., Returned]], Callable[..., Returned]]:
    """Pass the parsed query to the view as first argument; unknown names are ignored, a repeated one is refused."""

    def decorate(view: Callable[..., Returned]) -> Callable[..., Returned]:
        @wraps(view)
        def read_first(*args: Any, **kwargs: Any) -> Returned:
            refuse_repeated_names()
            try:
                query = model.model_validate(request.args.to_dict())
            except ValidationError as error:
                raise InvalidRequest(*first_fault(error)) from None
            return view(query, *args, **kwargs)

        read_first.__query__ = model  # type: ignore[attr-defined]
        return read_first

    return decorate


def refuse_repeated_names() -> None:
    """Raise InvalidRequest where the query has one name twice: a program before this one may have read the other."""
    for name, values in request.args.lists():
        if len(values) > 1:
            raise InvalidRequest(name[:LONGEST_NAME], f"was given {len(values)} times, must be given once")


def reads(model: type[BaseModel] | type[Struct]) -> Callable[[Callable[..., Returned]], Callable[..., Returned]]:
    """Name the body of a view that checks it itself: it is given as ``sent``."""

    def declare(view: Callable[..., Returned]) -> Callable[..., Returned]:
        view.__body__ = model  # type: ignore[attr-defined]
        return view

    return declare


# -- words of the wire ------------------------------------------------------------------------------------------


def _instant(value: object) -> object:
    """Read ISO 8601, or epoch seconds or milliseconds; a time without a zone is UTC."""
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value.strip()):
        value = float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = _from_epoch(value)
    elif isinstance(value, str):
        value = _from_iso(value)
    if isinstance(value, datetime) and not EARLIEST <= value < LATEST:
        raise ValueError("must be a time between 2000 and 2100")
    return value


def _rfc3339(value: object) -> object:
    """Read an RFC 3339 instant: date, time and zone are all required."""
    if isinstance(value, str) and RFC_3339.fullmatch(value):
        with suppress(ValueError):
            return _in_utc(datetime.fromisoformat(value.upper()))
    raise ValueError("must be an RFC 3339 instant such as 2026-01-15T14:30:00.250Z")


def _in_utc(moment: datetime) -> datetime:
    """Return the instant in UTC; one whose zone takes it off the calendar is the calendar's first or last."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return FIRST_INSTANT if moment.year == 1 else LAST_INSTANT


def _from_epoch(number: float) -> datetime:
    try:
        seconds = number / 1000 if abs(number) >= MILLISECONDS_FROM else number
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
    """Read 5.0 as 5: JSON has one kind of number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _number(value: object, read: ValidatorFunctionWrapHandler) -> Decimal:
    """Read a number or digits in a text as they are written; the number 5250.0 is 5250."""
    number: Decimal = read(value)
    return number.to_integral_value() if isinstance(value, float) and value.is_integer() else number


def _brick_id(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _asked_number(value: object) -> object:
    """Read a number of the query: a text of plain digits."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value, re.ASCII) else value


def _schema(*either: dict[str, Any], **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": list(either), **more})


MOMENT_WORDS = {"type": "string", "description": "ISO 8601, or epoch seconds or milliseconds in digits"}
MOMENT_NUMBER = {"type": "number", "description": "epoch seconds or milliseconds"}
COLORS = {"enum": [*COLOR_WORDS, 1, -1], "description": "capitals and spaces around do not matter"}

Moment = Annotated[
    datetime, BeforeValidator(_instant), _schema(MOMENT_WORDS, MOMENT_NUMBER, examples=["2026-01-15T14:30:00Z"])
]
ExactMoment = Annotated[datetime, BeforeValidator(_rfc3339), WithJsonSchema({"type": "string", "format": "date-time"})]
ColorWord = Annotated[Literal["green", "red", "neutral"], BeforeValidator(_color), WithJsonSchema(COLORS)]
Amount = Annotated[
    Decimal, Field(strict=False, ge=-HIGHEST_PRICE, le=HIGHEST_PRICE, decimal_places=15, allow_inf_nan=False)
]
AS_WRITTEN = WrapValidator(_number)  # the last part of an annotation: bounds behind it would be checked apart
Money = Annotated[Amount, AS_WRITTEN]
WholeNumber = Annotated[int, BeforeValidator(_whole_number)]
Quantity = Annotated[WholeNumber, Field(ge=0, le=MOST_CONTRACTS)]
AskedNumber = Annotated[int, BeforeValidator(_asked_number), Field(strict=True)]
Symbol = Annotated[str, Field(min_length=1, max_length=LONGEST_SYMBOL)]
Words = Annotated[str, Field(max_length=500)]
Instance = Annotated[str, Field(min_length=1, max_length=64)]
BrickId = Annotated[
    str,
    BeforeValidator(_brick_id),
    Field(min_length=1, max_length=200),
    _schema({"type": "string", "minLength": 1, "maxLength": 200}, {"type": "integer"}),
]


class OperatorBody(BaseModel):
    """A body from the page or a script: unknown fields are refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


class AssetBody(OperatorBody):
    """The body of a control that needs only the asset."""

    asset: Annotated[Symbol, AfterValidator(str.upper), Field(examples=["ES"])]


class ClickBody(AssetBody):
    """A click that leads to an entry now or later: it may carry its time, and a stale one is refused."""

    clicked_at: ExactMoment | None = Field(
        default=None,
        description="when it was clicked, RFC 3339, by the desk's clock as its `now` tells it; "
        "more than 5 s ago is refused with 409, an instant ahead counts as now",
    )


class BridgeBody(BaseModel):
    """A body from a bridge: unknown fields are ignored, and it may hold the secret."""

    model_config = ConfigDict(strict=True, extra="ignore", populate_by_name=True)


def _name_aliases(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """List every name that an alert may use for a field in the schema; the first name present counts."""
    properties = schema["properties"]
    required = schema["required"]
    for field in model.model_fields.values():
        if not isinstance(field.validation_alias, AliasChoices):
            continue
        first, *others = [str(name) for name in field.validation_alias.choices]
        says = {"description": f"another name of {first}, read where that is missing", "x-alias-of": first}
        properties.update(dict.fromkeys(others, says))
        if first in required:
            required.remove(first)
            named = [{"required": [name], "properties": {name: properties[first]}} for name in others]
            schema["anyOf"] = [{"required": [first]}, *named]


class WebhookBody(BaseModel):
    """A body from TradingView: alerts may carry unknown fields, known fields have strict types."""

    model_config = ConfigDict(strict=True, extra="ignore", json_schema_extra=_name_aliases)

    secret: str = Field(description="TV_WEBHOOK_SECRET; the guard has looked at it before", examples=["…"])
    symbol: Symbol = Field(validation_alias=AliasChoices("asset", "symbol", "ticker"), examples=["ES"])
    source: Words | None = None
