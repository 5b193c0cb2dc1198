"""External positions: what the operator noted of other accounts. They are valued, never traded, and no gate sees them.

They are records of a kind of their own, as API keys are: no journal row and no decision knows them. The writer keeps
them, so they are durable in both stores and outlive a restart. One that was taken out stays as a record with the
instant at which it went, so that the past can be told.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from services.projections.projection import decoded
from services.stores.records import FAR_AHEAD, LONG_AGO, Kind, Record
from services.stores.store import Store
from wire.portfolio import PositionSide
from wire.types import Instant, Price, Usd

EXTERNAL = Kind("external_positions", found_by="is_held", is_replaced=True)
MOST_HELD = 200
ID_PREFIX = "ext-"
ID_DIGITS = 24


class Noted(Struct, frozen=True):
    """What the operator said: contract, side, quantity, mean price, whose it is, a note.

    ``symbol`` is the market's own, ``point_value`` USD per 1.00 of price, as they were understood at that moment.
    """

    symbol: str
    contract: str
    point_value: Usd
    side: PositionSide
    qty: Decimal
    avg_price: Price
    account: str | None = None
    note: str = ""


class External(Struct, frozen=True):
    """A stored external position. ``removed_at`` is None while it is held. ``schema`` counts the forms of this record.

    ``asked`` is the body of the call that noted it: the same key with another body is another request.
    """

    id: str
    noted: Noted
    added_at: Instant
    asked: str
    removed_at: Instant | None = None
    schema: int = 1


def id_of(key: str) -> str:
    """Return the id that a key of the caller, or random text, gives: the same key never makes a second position."""
    return ID_PREFIX + sha256(key.encode()).hexdigest()[:ID_DIGITS]


def taken_out(held: External, at: Instant) -> External:
    """Return the position as it is once it is no longer held."""
    return replace(held, removed_at=at)


# -- as stored ------------------------------------------------------------------------------------------------------


def external_record(position: External) -> Record:
    """Return the record of a position. Its time is that of its last change."""
    at = position.removed_at or position.added_at
    return Record(EXTERNAL, position.id, at, msgspec.json.encode(position), {"is_held": position.removed_at is None})


def external_of(store: Store, position_id: str) -> External | None:
    """Return a position, also one that was taken out; None when unknown. This and the next two raise StoreError."""
    record = store.record(EXTERNAL, position_id)
    return None if record is None else _read(record)


def held_external(store: Store) -> list[External]:
    """Return what is held, oldest first."""
    held = [_read(record) for record in store.records_with(EXTERNAL, True)]
    return sorted(held, key=lambda one: (one.added_at, one.id))


def changed_external(store: Store, limit: int, since: Instant = LONG_AGO, until: Instant = FAR_AHEAD) -> list[External]:
    """Return the positions whose last change lies between two instants, newest first."""
    return [_read(record) for record in store.newest_records(EXTERNAL, limit, since, until)]


def _read(record: Record) -> External:
    return decoded(record, External, f"the external position {record.id}")
