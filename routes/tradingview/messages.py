"""The messages of TradingView's alerts, read as far as they can be read (SPEC 3).

A brick needs only asset, colour and secret, a level only asset and secret; a heartbeat is its price and its time, too.
Every other field is decoration: one that cannot be read is dropped and named, and the message is applied without it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    model_validator,
)
from pydantic import WithJsonSchema as Described

from routes.http.bodies import SentBody, Unreadable
from routes.http.parsing import BrickId, ColorWord, Moment, Money, WebhookBody

SYMBOL_FIELDS = frozenset({"asset", "symbol", "ticker"})
NUMBER_BEHIND = re.compile(r"\|\d{1,9}$", re.ASCII)
NO_ID = frozenset({"", "nan", "null", "none", "na", "n/a", "undefined", "…", "..."})
NUMBER = re.compile(rb"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,2})?")
WORDS = frozenset({b"true", b"false", b"null"})
TOKEN = re.compile(
    rb'(?P<text>"(?:[^"\\]|\\.)*")|(?P<no_value>:\s*(?=[,}]))|(?P<no_more>,\s*(?=[}\]]))|'
    rb'(?P<word>\{\{[^{}"]*\}\}|[^\s,:"\[\]{}]+)',
    re.DOTALL,
)
CONTROL = re.compile(rb"[\x00-\x1f]")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def _decoration(what: str) -> Described:
    return Described({"description": f"{what}; dropped and flagged when it cannot be read"})


class AlertBody(WebhookBody):
    """A message of which all but the ``indispensable`` fields are decoration."""

    indispensable: ClassVar[frozenset[str]] = SYMBOL_FIELDS | {"secret"}
    source: Annotated[str | None, Field(max_length=500), _decoration("what sends the alert")] = None
    _unread: tuple[str, ...] = PrivateAttr(default=())

    @property
    def unread(self) -> tuple[str, ...]:
        """The fields that could not be read, sorted by name."""
        return self._unread

    @model_validator(mode="wrap")
    @classmethod
    def drop_decoration(cls, data: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        """Read the message without the decoration that is wrong; an indispensable field that is wrong is an error."""
        unread: set[str] = set()
        while True:
            try:
                alert = read({name: value for name, value in data.items() if name not in unread} if unread else data)
            except ValidationError as error:
                wrong = {str(fault["loc"][0]) for fault in error.errors() if fault["loc"]}
                is_hopeless = not wrong or wrong & cls.indispensable or not wrong - unread
                if is_hopeless or not isinstance(data, dict):
                    raise
                unread |= wrong
            else:
                alert._unread = tuple(sorted(unread))  # noqa: SLF001 - its own class
                return alert


class HeartbeatBody(AlertBody):
    """A price and its time."""

    indispensable: ClassVar[frozenset[str]] = AlertBody.indispensable | {"price", "close", "timestamp", "time"}
    price: Money | None = Field(default=None, validation_alias=AliasChoices("price", "close"))
    timestamp: Moment | None = Field(default=None, validation_alias=AliasChoices("timestamp", "time"))


class LevelBody(AlertBody):
    """A level of the chart was touched: the asset is exited."""


def _id(value: object) -> object:
    """Refuse a text that identifies nothing: a placeholder that nobody replaced, or a word for nothing.

    A number or a close behind it makes no id of it: ``NaN|1`` and ``NaN/5250.25`` come with every base bar.
    """
    if not isinstance(value, str):
        return value
    parts = (value, NUMBER_BEHIND.sub("", value), value.partition("/")[0] or value)
    if "{{" in value or "}}" in value or any(part.strip().lower() in NO_ID for part in parts):
        raise ValueError("is no id")
    return value


class BrickBody(AlertBody):
    """One closed brick; the path gives its size."""

    indispensable: ClassVar[frozenset[str]] = AlertBody.indispensable | {"color"}
    color: ColorWord
    bar_id: Annotated[BrickId | None, BeforeValidator(_id), _decoration("what identifies the brick, a text")] = None
    bar_ts: Annotated[Moment | None, _decoration("its time, ISO 8601 or epoch seconds or milliseconds")] = Field(
        default=None, validation_alias=AliasChoices("bar_ts", "time")
    )
    close: Annotated[Money | None, _decoration("the price it closed at")] = Field(
        default=None, validation_alias=AliasChoices("close", "price")
    )


def as_far_as_readable(sent: SentBody) -> SentBody:
    """Return the body, with words that are no JSON put into quotes: ``NaN``, ``{{close}}``, ``1e400``.

    So only the fields with such a word are unreadable; so is one without any value. A comma too many, a line break
    within a text and a byte order mark cost nothing. A body that is no JSON object even so is returned as it was.
    """
    if not isinstance(sent.decoded, Unreadable):
        return sent
    mended = SentBody(TOKEN.sub(_mended, sent.raw.removeprefix(BYTE_ORDER_MARK)))
    return sent if isinstance(mended.decoded, Unreadable) else mended


def _mended(token: re.Match[bytes]) -> bytes:
    text = token[0]
    match token.lastgroup:
        case "text":
            return CONTROL.sub(lambda found: b"\\u%04x" % found[0][0], text)
        case "no_value":
            return b':""'
        case "no_more":
            return b""
        case _:
            return text if text in WORDS or NUMBER.fullmatch(text) else b'"' + text.replace(b"\\", b"\\\\") + b'"'
