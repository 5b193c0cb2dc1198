"""Decide journal rows again with this version of the program."""

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
    """One row decided again: the desk after it, its events and changed orders, or the exception it raised."""

    row: JournalRow
    desk: Desk
    events: tuple[AnyEvent, ...]
    orders: tuple[Order, ...]
    fault: str | None = None

    @property
    def has_changed(self) -> bool:
        """Whether this program records other events than the row does."""
        return self.fault is not None or documents.write_events(self.events) != self.row.events


def decide_again(rows: Iterable[JournalRow], desk: Desk | None, id_key: str) -> Iterator[Recomputed]:
    """Decide rows again in order, on ``desk`` or from the first ConfigureDesk on. Raises StoreUnreadable.

    Values that a program of the row's schema did not record yet are removed from the new decision.
    """
    for row in rows:
        command = command_of(row)
        if desk is None:
            desk = opened_by(command, row, id_key)
        desk = with_observed(desk, row)
        try:
            decision = as_recorded(decide(desk, command, row.at), row.schema)
        except Exception as error:  # noqa: BLE001 - an exception is a result of the replay and does not end it
            desk = replace(desk, sequence=row.sequence)
            yield Recomputed(row, desk, (), (), f"{type(error).__name__}: {error}")
            continue
        desk = replace(decision.desk, sequence=row.sequence)
        yield Recomputed(row, desk, decision.events, decision.orders)


def opened_by(command: AnyCommand, row: JournalRow, id_key: str) -> Desk:
    """Return the desk on which the first row of all was decided. Raises StoreUnreadable."""
    if not isinstance(command, ConfigureDesk):
        raise StoreUnreadable(f"the journal began with {row.kind}, not with ConfigureDesk")
    return open_desk(id_key, command.rules, row.at)


def command_of(row: JournalRow) -> AnyCommand:
    """Return the row's command. Raises StoreUnreadable."""
    if row.schema > documents.SCHEMA:
        known = f"this program knows 1 to {documents.SCHEMA}"
        raise StoreUnreadable(f"row {row.sequence} ({row.kind}) has schema {row.schema}, {known}")
    try:
        return documents.read_command(row.command)
    except msgspec.MsgspecError as error:
        raise StoreUnreadable(f"row {row.sequence} ({row.kind}) could not be read: {error}") from error


def with_observed(desk: Desk, row: JournalRow) -> Desk:
    """Put the prices and ages that the writer saw before this row on the desk. Raises StoreUnreadable."""
    if row.observed is None:
        return desk
    try:
        return documents.with_observations(desk, documents.read_observed(row.observed))
    except msgspec.MsgspecError as error:
        raise StoreUnreadable(f"row {row.sequence}: what it saw could not be read: {error}") from error


def recorded_events(row: JournalRow) -> Sequence[AnyEvent]:
    """Return the row's events, none when they cannot be read; the comparison reports that."""
    try:
        return documents.read_events(row.events)
    except msgspec.MsgspecError:
        return ()
