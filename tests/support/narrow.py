"""A test's way to a value of the type it expects. A value of another type fails the test there."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def known(value: T | None) -> T:
    """Return a value that must exist.

    Raises:
        AssertionError: it is None.
    """
    assert value is not None, "there is none"
    return value


def of_type(kind: type[T], value: object) -> T:
    """Return a value that must be of a type: the reply to a command, an event, a node of a syntax tree.

    Raises:
        AssertionError: it is of another type.
    """
    assert isinstance(value, kind), f"no {kind.__name__}: {value!r}"
    return value
