"""Journal rows decided again by today's program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from services.engine.decide import decide, open_desk
from services.engine.model.commands import AnyCommand, ConfigureDesk
from services.engine.model.events import AnyEvent
from services.engine.model.order import Order
from services.engine.model.state import Desk
from services.history.earlier_schemas import as_recorded
from services.stores.codec import documents
from services.stores.store import JournalRow, StoreUnreadable


class Recomputed(Struct, frozen=True):
    """One row decided again: the desk after it, what happened, which orders moved; or the fault that it met."""

    row: JournalRow
    desk: Desk
    events: tuple[AnyEvent, ...]
    orders: tuple[Order, ...]
    fault: str | None = None

    @property
    def has_changed(self) -> bool:
        """Whether today's program tells anything else than the row does."""
        return self.fault is not None or documents.write_events(self.events) != self.row.events


def decide_again(rows: Iterable[JournalRow], desk: Desk | None, id_key: str) -> Iterator[Recomputed]:
    """Decide rows again in order, on a desk or from the first ConfigureDesk on. Raises StoreUnreadable.

    What the program of a row's schema did not record yet is left out of what is decided again.
    """
    for row in rows:
        command = command_of(row)
        if desk is None:
            desk = opened_by(command, row, id_key)
        desk = with_observed(desk, row)
        try:
            decision = as_recorded(decide(desk, command, row.at), row.schema)
        except Exception as error:  # noqa: BLE001 - a journal that makes the program fail is a finding, not an end
            desk = replace(desk, sequence=row.sequence)
            yield Recomputed(row, desk, (), (), f"{type(error).__name__}: {error}")
            continue
        desk = replace(decision.desk, sequence=row.sequence)
        yield Recomputed(row, desk, decision.events, decision.orders)


def opened_by(command: AnyCommand, row: JournalRow, id_key: str) -> Desk:
    """Open the desk on which the first row ever was decided. Raises StoreUnreadable."""
    if not isinstance(command, ConfigureDesk):
        raise StoreUnreadable(f"the journal began with {row.kind}, not with ConfigureDesk")
    return open_desk(id_key, command.rules, row.at)


def command_of(row: JournalRow) -> AnyCommand:
    """Read what was asked. Raises StoreUnreadable."""
    if row.schema > documents.SCHEMA:
        known = f"this program knows 1 to {documents.SCHEMA}"
        raise StoreUnreadable(f"row {row.sequence} ({row.kind}) has schema {row.schema}, {known}")
    try:
        return documents.read_command(row.command)
    except msgspec.MsgspecError as error:
        raise StoreUnreadable(f"row {row.sequence} ({row.kind}) could not be read: {error}") from error


def with_observed(desk: Desk, row: JournalRow) -> Desk:
    """Lay the prices and ages over the desk that the writer saw before this row. Raises StoreUnreadable."""
    if row.observed is None:
        return desk
    try:
        return documents.with_observations(desk, documents.read_observed(row.observed))
    except msgspec.MsgspecError as error:
        raise StoreUnreadable(f"row {row.sequence}: what it saw could not be read: {error}") from error


def told_events(row: JournalRow) -> Sequence[AnyEvent]:
    """Return what a row tells; nothing when that cannot be read, which the comparison says elsewhere."""
    try:
        return documents.read_events(row.events)
    except msgspec.MsgspecError:
        return ()
