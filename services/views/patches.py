"""What changed between two state documents, as a JSON merge patch (RFC 7396) without the clock's noise."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def changes(before: Json, after: Json) -> Json:
    """Return the smallest patch that turns ``before`` into ``after``; lists are replaced whole.

    Left out are values that only count seconds (names ending in ``_s``, ``now``, ``version``) and a sentence
    whose countdown a client makes itself from ``reopens_at``. A key that is gone is ``None``.
    """
    patch: Json = {}
    for name, value in after.items():
        if _is_noise(name, after):
            continue
        earlier = before.get(name)
        if isinstance(value, dict) and isinstance(earlier, dict):
            if inner := changes(earlier, value):
                patch[name] = inner
        elif name not in before or not _same(earlier, value):
            patch[name] = value
    patch.update({name: None for name in before if name not in after})
    return patch


def _is_noise(name: str, holder: Json) -> bool:
    counts_down = name == "sentence" and holder.get("reopens_at") is not None
    return name.endswith("_s") or name in ("now", "version") or counts_down


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return not changes(one, other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
