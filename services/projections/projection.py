"""A projection is a pure function that computes the records of one kind from each decision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct

from services.engine.decide import Decision
from services.engine.model.state import Desk
from services.notifications.kinds import Notifying
from services.stores.records import Kind, Record
from services.stores.store import Store, StoreUnreadable
from wire.types import Instant

T = TypeVar("T")


class Decided(Struct, frozen=True):
    """A decision that is committed as journal row ``sequence`` at ``now``. ``before`` is the desk before it.

    ``carried`` holds the last record of each kind that this process knows, by the kind's name. ``notifying`` is which
    notices are made, None for no target.
    """

    before: Desk
    decision: Decision
    sequence: int
    now: Instant
    carried: Mapping[str, Record]
    notifying: Notifying | None = None


class Projection(Struct, frozen=True):
    """One kind of stored fact.

    ``records`` is pure. When it fails, the failure is logged and the decision is committed without the record; if
    ``must_not_be_lost`` is true, the decision fails instead. ``carry`` reads the record on which the next one is built,
    when a process becomes the writer.
    """

    kind: Kind
    records: Callable[[Decided], Iterable[Record]]
    must_not_be_lost: bool = False
    carry: Callable[[Store, Desk], Record | None] | None = None


def decoded(record: Record, shape: type[T], name: str) -> T:
    """Decode a record's JSON body. Raises StoreUnreadable; its text calls the record ``name``."""
    try:
        return msgspec.json.decode(record.body, type=shape)
    except msgspec.MsgspecError as error:
        raise StoreUnreadable(f"{name} could not be read: {error}") from error
