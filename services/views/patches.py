"""What changed between two state documents, as a JSON merge patch (RFC 7396) without the clock's noise."""

from __future__ import annotations

from functools import cache
from typing import Any

from msgspec import Struct

Patch = dict[str, Any]
NOISE = ("now", "version")


def changes(before: Struct, after: Struct) -> Patch:
    """Return the smallest patch that turns ``before`` into ``after``; lists are replaced whole.

    Left out are values that only count seconds (names ending in ``_s``, ``now``, ``version``) and a sentence
    whose countdown a client makes itself from ``reopens_at``. A key that is gone is ``None``.
    """
    patch: Patch = {}
    counts_down = getattr(after, "reopens_at", None) is not None
    for name, on_the_wire in _compared_fields(type(after)):
        if not (counts_down and name == "sentence"):
            _note(patch, on_the_wire, getattr(before, name), getattr(after, name))
    return patch


def _note(patch: Patch, name: str, earlier: Any, value: Any) -> None:
    """Put a value into the patch if it changed, of an object only what changed in it."""
    if value is earlier or value == earlier:
        return
    if isinstance(value, Struct) and isinstance(earlier, Struct):
        if inner := changes(earlier, value):
            patch[name] = inner
    elif isinstance(value, dict) and isinstance(earlier, dict):
        if inner := _changes_by_key(earlier, value):
            patch[name] = inner
    elif not _same(earlier, value):
        patch[name] = value


def _changes_by_key(before: dict[str, Any], after: dict[str, Any]) -> Patch:
    patch: Patch = {}
    for key, value in after.items():
        if _only_counts(key):
            continue
        if key in before:
            _note(patch, key, before[key], value)
        else:
            patch[key] = value
    patch.update({key: None for key in before if key not in after})
    return patch


@cache
def _compared_fields(kind: type[Struct]) -> tuple[tuple[str, str], ...]:
    """Return the fields of a Struct that may be news: the name here and the name on the wire."""
    names = zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True)
    return tuple((name, on_the_wire) for name, on_the_wire in names if not _only_counts(on_the_wire))


def _only_counts(name: str) -> bool:
    return name.endswith("_s") or name in NOISE


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Struct) and isinstance(other, Struct):
        return not changes(one, other)
    if isinstance(one, dict) and isinstance(other, dict):
        return not _changes_by_key(one, other)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
