"""What a view says about itself for the API's document: its answers and the headers it reads.

The decorators only leave a note on the view; ``routes/http/openapi.py`` reads it. Guard, body and query are noted by
``guarded_by``, ``accepts`` and ``asks``, which also act on them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct

View = TypeVar("View", bound=Callable[..., Any])

JSON_MEDIA = "application/json"


class Answers(Struct, frozen=True):
    """The good answer of a view, and the errors that do not follow from its guard, body and query."""

    model: type[Struct] | None
    status: int
    errors: tuple[int, ...]
    media: str


class Header(Struct, frozen=True):
    """A header that a view reads, what for, and how long it may be."""

    name: str
    says: str
    longest: int | None


def answers(
    model: type[Struct] | None, status: int = 200, *, errors: tuple[int, ...] = (), media: str = JSON_MEDIA
) -> Callable[[View], View]:
    """Declare what the view answers; without a model it is text, or the body of an error."""

    def declare(view: View) -> View:
        view.__answers__ = Answers(model, status, errors, media)  # type: ignore[attr-defined]
        return view

    return declare


def takes_header(name: str, says: str, longest: int | None = None) -> Callable[[View], View]:
    """Declare a header that the view reads."""

    def declare(view: View) -> View:
        view.__headers__ = (*getattr(view, "__headers__", ()), Header(name, says, longest))  # type: ignore[attr-defined]
        return view

    return declare
