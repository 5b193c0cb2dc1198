"""Replay: decide the journal again and compare the result with what is stored (DESIGN 1)."""

from __future__ import annotations

from collections.abc import Callable

from services.history.comparison import Comparison, Replay
from services.history.recomputing import decide_again
from services.history.source import History
from services.stores.codec import documents
from services.stores.store import Store, StoreUnreadable

__all__ = ["OnProgress", "Replay", "replay_history", "replay_store"]

PROGRESS_EVERY_ROWS = 1000

OnProgress = Callable[[int, int], None]  # the row just decided, the last row


def no_progress(row: int, last: int) -> None:
    """Report no progress."""


def replay_store(store: Store) -> Replay:
    """Decide the whole journal of the store again and compare it with what is stored. Raises StoreError."""
    return replay_history(History(store))


def replay_history(history: History, day: str | None = None, on_progress: OnProgress = no_progress) -> Replay:
    """Decide the journal again, or a trading day (``2026-11-20``), and compare it field by field. Raises StoreError.

    The stored desk is loaded first. If the desk is running, only the rows up to that head are replayed.
    """
    stored = history.store.load()
    if stored is None:
        return Replay(0, (), (), reached_store=False)
    current = documents.read_desk(stored)
    head = stored.head.sequence
    mark = history.beginning(head, day)
    desk = None if mark is None else history.desk_at(mark)
    comparison = Comparison(history, mark, head, day)
    for step in decide_again(history.rows(0 if mark is None else mark.sequence, head), desk, current.id_key):
        desk = step.desk
        comparison.take(step)
        if comparison.is_complete:
            break
        if step.row.sequence % PROGRESS_EVERY_ROWS == 0:
            on_progress(step.row.sequence, head)
    if desk is None:
        raise StoreUnreadable("the journal was empty though a desk is stored")
    if not comparison.is_complete:
        comparison.compare_with_store(desk, current)
    return comparison.result()
