"""The desk recomputed from its journal: same commands, same times, same answers (DESIGN 1)."""

from __future__ import annotations

from collections.abc import Callable

from services.history.comparison import Comparison, Replay
from services.history.recomputing import decide_again
from services.history.source import History
from services.stores.codec import documents
from services.stores.store import Store, StoreUnreadable

__all__ = ["OnProgress", "Replay", "replay_history", "replay_store"]

TOLD_EVERY_ROWS = 1000

OnProgress = Callable[[int, int], None]  # the row just decided, the last one to come


def no_progress(row: int, last: int) -> None:
    """Tell nobody."""


def replay_store(store: Store) -> Replay:
    """Decide the whole kept journal again and compare with what is stored. Raises StoreError."""
    return replay_history(History(store))


def replay_history(history: History, day: str | None = None, on_progress: OnProgress = no_progress) -> Replay:
    """Decide the journal again, or a trading day (``2026-11-20``), and compare it field by field. Raises StoreError.

    What is stored is loaded first: of a desk that is running, the rows up to that moment are walked.
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
        if step.row.sequence % TOLD_EVERY_ROWS == 0:
            on_progress(step.row.sequence, head)
    if desk is None:
        raise StoreUnreadable("the journal was empty though a desk is stored")
    if not comparison.is_complete:
        comparison.compare_with_store(desk, current)
    return comparison.result()
