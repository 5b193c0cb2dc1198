"""Compare two desks field by field; each difference is a sentence that names the field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from services.engine.model.order import Order
from services.engine.model.state import Desk
from services.engine.model.trade_events import TradeClosed
from services.stores.codec import documents

ABSENT = object()
LONGEST_VALUE = 80


def desk_differences(journal: Desk, other: Desk, source: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each differing document and a sentence. ``journal`` is the desk recomputed from the rows.

    ``source`` names where ``other`` comes from: ``the store``, ``the snapshot behind row 900``.
    """
    ours = plain_desk(journal)
    theirs = plain_desk(other)
    for name in sorted({*ours, *theirs}):
        yield from document_differences(name, ours.get(name, ABSENT), theirs.get(name, ABSENT), source)


def document_differences(name: str, ours: Any, theirs: Any, source: str) -> Iterator[tuple[str, str]]:
    """Yield the document's name and a sentence for each of its fields that differs."""
    for place, one, another in field_differences(ours, theirs, name):
        yield name, f"{place}: the journal says {_shown(one)}, {source} says {_shown(another)}"


def event_differences(decided: bytes, recorded: bytes) -> list[str]:
    """Return a sentence for each field in which the newly decided events differ from the recorded ones of a row."""
    ours = msgspec.json.decode(decided)
    try:
        theirs = msgspec.json.decode(recorded)
    except msgspec.MsgspecError as error:
        return [f"its events could not be read: {error}"]
    if [_kind(event) for event in ours] != [_kind(event) for event in _listed(theirs)]:
        return [f"decided again it gives {_kinds(ours)}, the journal recorded {_kinds(_listed(theirs))}"]
    return [
        f"{place}: decided again it is {_shown(one)}, the journal recorded {_shown(another)}"
        for one, another, kind in zip(ours, theirs, map(_kind, ours), strict=True)
        for place, one, another in field_differences(one, another, kind)
    ]


def plain_desk(desk: Desk) -> dict[str, Any]:
    """Return the desk as plain values by document: ``_global``, one per asset, ``order <id>``."""
    plain = {name: _inner(msgspec.json.decode(body)) for name, body in documents.desk_documents(desk).items()}
    return {**plain, **{f"order {order.id}": plain_order(order) for order in desk.orders.values()}}


def plain_order(order: Order) -> Any:
    return msgspec.json.decode(documents.write_order(order))


def plain_trade(trade: TradeClosed) -> Any:
    return msgspec.json.decode(documents.write_trade(trade))


def field_differences(one: Any, other: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield each difference of two plain values: the path, the first value, the second value."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted({*one, *other}):
            yield from field_differences(one.get(name, ABSENT), other.get(name, ABSENT), f"{place}.{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (first, second) in enumerate(zip(one, other, strict=True)):
            yield from field_differences(first, second, f"{place}.{number}")
    elif one != other:
        yield place, one, other


def _inner(document: Any) -> Any:
    """Return the desk or asset inside a stored document."""
    return document.get("desk", document.get("asset", document))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _kind(event: Any) -> str:
    return str(event.get("type", "an event without type")) if isinstance(event, dict) else "no event"


def _kinds(events: list[Any]) -> str:
    return ", ".join(map(_kind, events)) or "nothing"


def _shown(value: Any) -> str:
    if value is ABSENT:
        return "nothing"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
