"""The desk recomputed from its journal: same commands, same times, same answers (DESIGN 1)."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from services import documents
from services.engine.commands import ConfigureDesk
from services.engine.decide import decide, open_desk
from services.engine.state import Desk
from services.stores.store import JournalRow, Store, StoreUnreadable


class Replay(Struct, frozen=True):
    """What came out: how many rows were decided again, and where journal or store say something else.

    ``unequal_rows`` are sequences whose events differ, ``unequal_documents`` the names of stored documents.
    """

    rows: int
    unequal_rows: tuple[int, ...]
    unequal_documents: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        return not self.unequal_rows and not self.unequal_documents


def replay_store(store: Store) -> Replay:
    """Decide the whole journal again and compare with what is stored. Raises StoreError."""
    stored = store.load()
    if stored is None:
        return Replay(0, (), ())
    current = documents.read_desk(stored)
    desk, rows, unequal = replay_rows(store.journal(), current.id_key)
    if desk is None:
        raise StoreUnreadable("the journal was empty though a desk is stored")
    again, orders = documents.desk_documents(desk), [documents.write_order(order) for order in desk.orders.values()]
    differing = documents.differing_documents(again, stored.documents)
    if sorted(orders) != sorted(stored.open_orders):
        differing.append("orders")
    return Replay(rows, tuple(unequal), tuple(differing))


def replay_rows(rows: Iterable[JournalRow], id_key: str) -> tuple[Desk | None, int, list[int]]:
    """Decide the rows again in order. Returns the desk after them, their number, and the rows that differ."""
    desk: Desk | None = None
    count, unequal = 0, []
    for row in rows:
        command = documents.read_command(row.command)
        if desk is None:
            if not isinstance(command, ConfigureDesk):
                raise StoreUnreadable(f"the journal began with {row.kind}, not with ConfigureDesk")
            desk = open_desk(id_key, command.rules, row.at)
        if row.observed is not None:
            desk = documents.with_observations(desk, documents.read_observed(row.observed))
        decision = decide(desk, command, row.at)
        desk = replace(decision.desk, sequence=row.sequence)
        if documents.write_events(decision.events) != row.events:
            unequal.append(row.sequence)
        count += 1
    return desk, count, unequal
