"""What the load knows: every command it ever sent, and what it was answered."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class Note:
    """One command. ``name`` is what is unique about it: a bar id, a key, an exec id, a value.

    ``status`` is of the final answer and None while there is none. ``lost`` counts tries that left and got no answer
    (or 503): each may have happened or not, the first of them was given up at ``lost_at``.
    """

    kind: str
    name: str
    asset: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    status: int | None = None
    answer: dict[str, Any] = field(default_factory=dict)
    lost: int = 0
    lost_at: datetime | None = None

    @property
    def is_acknowledged(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def may_have_happened(self) -> bool:
        """It was sent, and nobody knows (yet) what became of it."""
        return self.status is None and self.lost > 0

    def is_lost_at(self, now: datetime) -> None:
        """Note that a try got no answer."""
        self.lost += 1
        self.lost_at = self.lost_at or now

    @property
    def order(self) -> dict[str, Any] | None:
        order: dict[str, Any] | None = self.answer.get("order")
        return order


class Books:
    """All notes of a campaign, and what surprised the load."""

    def __init__(self) -> None:
        self._notes: list[Note] = []
        self._lock = threading.Lock()
        self._numbers: Counter[str] = Counter()
        self.surprises: list[str] = []
        self.newest_version = 0
        self.handed_over: dict[str, str] = {}  # order id -> client order id, as a bridge heard it

    def open(self, kind: str, name: str, asset: str = "", **facts: Any) -> Note:
        note = Note(kind, name, asset, facts)
        with self._lock:
            self._notes.append(note)
        return note

    def number(self, of: str) -> int:
        """Return 1, 2, 3 ... for each kind of thing."""
        with self._lock:
            self._numbers[of] += 1
            return self._numbers[of]

    def close(self, note: Note, status: int, answer: dict[str, Any]) -> None:
        """Write an answer down; its version must never be older than what was known before the note was opened."""
        note.answer, note.status = answer, status
        version = answer.get("version")
        if note.is_acknowledged and isinstance(version, int):
            with self._lock:
                self.newest_version = max(self.newest_version, version)

    def surprise(self, sentence: str) -> None:
        with self._lock:
            self.surprises.append(sentence)

    def notes(self, *kinds: str) -> list[Note]:
        with self._lock:
            return [note for note in self._notes if note.kind in kinds or not kinds]

    def acknowledged(self, *kinds: str) -> list[Note]:
        return [note for note in self.notes(*kinds) if note.is_acknowledged]

    def doubtful(self, *kinds: str) -> list[Note]:
        return [note for note in self.notes(*kinds) if note.may_have_happened]


def names(notes: Iterable[Note]) -> Counter[str]:
    return Counter(note.name for note in notes)
