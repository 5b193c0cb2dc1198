"""Prune the journal: write old rows to the archive, read them back, and only then delete them from the store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

from msgspec import Struct

from services.engine.model.trading_day import trading_day_of
from services.history.archive import Archive, Part, checked_rows, write_part
from services.history.source import History
from services.projections.table import PRUNED_KINDS
from services.stores.codec import documents
from services.stores.store import JournalRow, SnapshotMark, Store, StoreUnreadable


class NothingToPrune(Exception):
    """No snapshot is old enough, or no row is left before it. Nothing was deleted."""


class Pruned(Struct, frozen=True):
    """The archived and deleted rows: up to ``through``, in these files."""

    through: int
    rows: int
    parts: tuple[Part, ...]


def prune(store: Store, folder: Path, keep_days: int, now: datetime) -> Pruned:
    """Archive and delete the rows older than ``keep_days`` days, up to a snapshot at which replay can then begin.

    Every row is read back from the archive and compared with the store before anything is deleted. A prune that was
    interrupted can simply be run again. Raises NothingToPrune, FileAlreadyExists, OSError, StoreError.
    """
    mark = _mark_to_prune_to(store, keep_days, now)
    folder.mkdir(parents=True, exist_ok=True)
    archive = Archive(folder)
    first = next(store.journal(), None)
    if first is None or first.sequence > mark.sequence:
        raise NothingToPrune(f"the rows up to {mark.sequence} are no longer in the store")
    _refuse_gap(archive, first.sequence)
    roll = _roll(store)
    rows = History(store).rows(first.sequence - 1, mark.sequence)
    archived = archive.parts[-1].last if archive.parts else 0
    missing = (row for row in rows if row.sequence > archived)
    days = groupby(missing, key=lambda row: trading_day_of(row.at, roll).isoformat())
    parts = tuple(write_part(folder, day, of_the_day) for day, of_the_day in days)
    _compare(Archive(folder), store, first.sequence, mark.sequence)
    return Pruned(mark.sequence, store.prune_journal(mark.sequence, PRUNED_KINDS), parts)


def _mark_to_prune_to(store: Store, keep_days: int, now: datetime) -> SnapshotMark:
    horizon = now - timedelta(days=keep_days)
    marks = [mark for mark in store.snapshot_marks() if mark.at <= horizon]
    if not marks:
        raise NothingToPrune(f"no snapshot is older than {keep_days} days: replay could not begin behind the rows kept")
    mark = marks[-1]
    History(store).desk_at(mark)  # an unreadable snapshot would leave no place where replay can begin
    return mark


def _roll(store: Store) -> str:
    stored = store.load()
    if stored is None:
        raise StoreUnreadable("nothing is stored")
    return documents.read_desk(stored).rules.day_roll


def _refuse_gap(archive: Archive, first: int) -> None:
    """Refuse an archive that ends before these rows: adding them would leave a gap."""
    last = archive.parts[-1].last if archive.parts else None
    if last is not None and last < first - 1:
        raise StoreUnreadable(f"the archive ends at row {last}, the store begins at row {first}: another archive?")


def _compare(archive: Archive, store: Store, first: int, through: int) -> None:
    """Read the archive again and compare it with the store, row by row. Raises StoreUnreadable."""
    kept = store.journal(first - 1)
    for row in _archived(archive, first, through):
        if row != next(kept, None):
            raise StoreUnreadable(f"row {row.sequence} is not in the archive as it is in the store: nothing deleted")


def _archived(archive: Archive, first: int, through: int) -> Iterator[JournalRow]:
    expected = first
    for part in archive.parts:
        if part.last < first or part.first > through:
            continue
        for row in checked_rows(part):
            if first <= row.sequence <= through:
                yield row
                expected += 1
    if expected != through + 1:
        raise StoreUnreadable(f"the archive ends before row {through}: nothing deleted")
