"""The messages of TradingView's alerts, read as far as they can be read (SPEC 3).

A brick needs only asset, colour and secret. Every other field is decoration: one that cannot be read is dropped and
named, and the brick is applied without it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

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

INDISPENSABLE = frozenset({"secret", "color", "asset", "symbol", "ticker"})
NO_ID = frozenset({"", "nan", "null", "none", "na", "n/a", "undefined", "…", "..."})
NUMBER = re.compile(rb"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,2})?")
WORDS = frozenset({b"true", b"false", b"null"})
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|\{\{[^{}"]*\}\}|[^\s,:"\[\]{}]+')


class HeartbeatBody(WebhookBody):
    """A price and its time."""

    price: Money | None = Field(default=None, validation_alias=AliasChoices("price", "close"))
    timestamp: Moment | None = Field(default=None, validation_alias=AliasChoices("timestamp", "time"))


class LevelBody(WebhookBody):
    """A level of the chart was touched: the asset is exited."""


def _id(value: object) -> object:
    """Refuse a text that identifies nothing: a placeholder that nobody replaced, or a word for nothing."""
    if isinstance(value, str) and ("{{" in value or "}}" in value or value.strip().lower() in NO_ID):
        raise ValueError("is no id")
    return value


def _decoration(what: str) -> Described:
    return Described({"description": f"{what}; dropped and flagged when it cannot be read"})


class BrickBody(WebhookBody):
    """One closed brick; the path gives its size."""

    color: ColorWord
    source: Annotated[str | None, Field(max_length=500), _decoration("what sends the brick")] = None
    bar_id: Annotated[BrickId | None, BeforeValidator(_id), _decoration("what identifies the brick, a text")] = None
    bar_ts: Annotated[Moment | None, _decoration("its time, ISO 8601 or epoch seconds or milliseconds")] = Field(
        default=None, validation_alias=AliasChoices("bar_ts", "time")
    )
    close: Annotated[Money | None, _decoration("the price it closed at")] = Field(
        default=None, validation_alias=AliasChoices("close", "price")
    )
    _unread: tuple[str, ...] = PrivateAttr(default=())

    @property
    def unread(self) -> tuple[str, ...]:
        """The fields that could not be read, sorted by name."""
        return self._unread

    @model_validator(mode="wrap")
    @classmethod
    def drop_decoration(cls, data: Any, read: ModelWrapValidatorHandler[BrickBody]) -> BrickBody:
        """Read the brick without the decoration that is wrong; an indispensable field that is wrong stays an error."""
        unread: set[str] = set()
        while True:
            try:
                brick = read({name: value for name, value in data.items() if name not in unread} if unread else data)
            except ValidationError as error:
                wrong = {str(fault["loc"][0]) for fault in error.errors() if fault["loc"]}
                if not wrong or wrong & INDISPENSABLE or not wrong - unread or not isinstance(data, dict):
                    raise
                unread |= wrong
            else:
                brick._unread = tuple(sorted(unread))  # noqa: SLF001 - its own class
                return brick


def as_far_as_readable(sent: SentBody) -> SentBody:
    """Return the body, with words that are no JSON put into quotes: ``NaN``, ``{{close}}``, ``1e400``.

    So only the fields with such a word are unreadable. A body that is no JSON object even so is returned as it was.
    """
    if not isinstance(sent.decoded, Unreadable):
        return sent
    mended = SentBody(TOKEN.sub(_in_quotes, sent.raw))
    return sent if isinstance(mended.decoded, Unreadable) else mended


def _in_quotes(token: re.Match[bytes]) -> bytes:
    text = token[0]
    if text.startswith(b'"') or text in WORDS or NUMBER.fullmatch(text):
        return text
    return b'"' + text.replace(b"\\", b"\\\\") + b'"'
