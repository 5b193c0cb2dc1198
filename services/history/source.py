"""Read the journal from archive and store as one sequence of rows: none twice, none missing."""

from __future__ import annotations

from collections.abc import Iterator

from services.engine.model.state import Desk
from services.history.archive import Archive
from services.stores.codec import documents
from services.stores.store import DeskSnapshot, Head, JournalRow, SnapshotMark, Store, Stored, StoreUnreadable


class History:
    """The readable past. With an archive, its rows come before those that the store still keeps."""

    def __init__(self, store: Store, archive: Archive | None = None) -> None:
        self._store = store
        self._archive = archive

    @property
    def store(self) -> Store:
        return self._store

    def first_sequence(self) -> int | None:
        """Return the sequence of the first readable row, None without one. Raises StoreError."""
        if self._archive is not None and self._archive.parts:
            return self._archive.parts[0].first
        first = next(self._store.journal(), None)
        return None if first is None else first.sequence

    def rows(self, after: int, through: int | None = None) -> Iterator[JournalRow]:
        """Yield the rows after ``after``, up to ``through``. Raises StoreUnreadable where one is missing."""
        expected = after + 1
        for row in self._unchecked(after):
            if through is not None and row.sequence > through:
                break
            if row.sequence != expected:
                raise StoreUnreadable(f"row {_span(expected, row.sequence - 1)} missing: row {row.sequence} comes next")
            yield row
            expected += 1
        if through is not None and expected <= through:
            raise StoreUnreadable(f"row {_span(expected, through)} missing at the end of the journal")

    def _unchecked(self, after: int) -> Iterator[JournalRow]:
        if self._archive is not None:
            for row in self._archive.rows(after):
                after = row.sequence
                yield row
        yield from self._store.journal(after)

    def marks(self, through: int) -> list[SnapshotMark]:
        """Return the positions of the stored snapshots up to a row, oldest first."""
        return [mark for mark in self._store.snapshot_marks() if mark.sequence <= through]

    def desk_at(self, mark: SnapshotMark) -> Desk:
        """Return the desk of that snapshot. Raises StoreUnreadable."""
        snapshot = self._store.snapshot(mark.sequence)
        if snapshot is None:
            raise StoreUnreadable(f"the snapshot behind row {mark.sequence} is gone")
        return desk_of(snapshot)

    def beginning(self, through: int, before_day: str | None = None) -> SnapshotMark | None:
        """Return the snapshot at which replay begins, None for the first row of all. Raises StoreUnreadable.

        That is the oldest snapshot whose following rows all exist, or with ``before_day`` the newest one of an earlier
        trading day.
        """
        first = self.first_sequence()
        marks = [mark for mark in self.marks(through) if first is None or mark.sequence >= first - 1]
        if before_day is not None:
            marks = [mark for mark in marks if mark.trading_day < before_day]
            if marks or first == 1:
                return marks[-1] if marks else None
            raise StoreUnreadable(f"the rows before {before_day} and a snapshot of that time are no longer kept")
        if first == 1:
            return None
        if not marks:
            where = "no row is kept" if first is None else f"the kept journal begins at row {first}"
            raise StoreUnreadable(f"{where}, and there is no snapshot before it to begin at (archived? --archive DIR)")
        return marks[0] if first is not None else marks[-1]


def desk_of(snapshot: DeskSnapshot) -> Desk:
    """Build the desk of a snapshot. Raises StoreUnreadable."""
    head = Head(snapshot.mark.sequence, 0, 0, "", "")
    return documents.read_desk(Stored(head, snapshot.documents, snapshot.open_orders))


def _span(first: int, last: int) -> str:
    return f"{first} is" if first == last else f"{first} to {last} are"
