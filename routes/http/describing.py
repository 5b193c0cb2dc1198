"""Decorators that describe a view for the API's document: its answers and the headers it reads.

They only set attributes on the view, which ``routes/http/openapi.py`` reads. ``guarded_by``, ``accepts`` and ``asks``
describe guard, body and query, and also enforce them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct

View = TypeVar("View", bound=Callable[..., Any])

JSON_MEDIA = "application/json"


class Answers(Struct, frozen=True):
    """The successful answer of a view, and the errors that do not follow from its guard, body and query.

    ``also`` is a kind of text that the answer may be instead.
    """

    model: type[Struct] | None
    status: int
    errors: tuple[int, ...]
    media: str
    also: str | None


class Header(Struct, frozen=True):
    """A header that a view reads: its meaning and its greatest length."""

    name: str
    says: str
    longest: int | None


def answers(
    model: type[Struct] | None,
    status: int = 200,
    *,
    errors: tuple[int, ...] = (),
    media: str = JSON_MEDIA,
    also: str | None = None,
) -> Callable[[View], View]:
    """Declare the view's answer; without a model it is text, or the body of an error.

    ``also`` is a kind of text that it may be instead.
    """

    def declare(view: View) -> View:
        view.__answers__ = Answers(model, status, errors, media, also)  # type: ignore[attr-defined]
        return view

    return declare


def takes_header(name: str, says: str, longest: int | None = None) -> Callable[[View], View]:
    """Declare a header that the view reads."""

    def declare(view: View) -> View:
        view.__headers__ = (*getattr(view, "__headers__", ()), Header(name, says, longest))  # type: ignore[attr-defined]
        return view

    return declare
