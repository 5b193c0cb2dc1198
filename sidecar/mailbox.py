"""What waits for one slow reader: bounded, in order. Quotes and states give way to newer ones, alerts never."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable

from msgspec import Struct

ROOM = 256


class Letter(Struct, frozen=True):
    """One event for one socket: its type, its encoded data, and what a newer letter may replace it by.

    A letter without a ``subject`` is never dropped.
    """

    type: str
    body: bytes
    subject: Hashable = None


class MailboxFull(Exception):
    """Only letters that must not be dropped are waiting, and there is no room for another."""


class Mailbox:
    """The letters of one socket, oldest first."""

    def __init__(self, room: int = ROOM) -> None:
        """Make room for so many letters."""
        self._room = room
        self._waiting: deque[Letter] = deque()
        self.conflated = 0
        """Letters that a newer one of the same subject replaced."""

    def __len__(self) -> int:
        """Return how many letters wait."""
        return len(self._waiting)

    def put(self, letter: Letter) -> None:
        """Add a letter. Raises `MailboxFull`."""
        if len(self._waiting) >= self._room:
            self._conflate(letter.subject)
        if len(self._waiting) >= self._room:
            raise MailboxFull
        self._waiting.append(letter)

    def take(self) -> Letter:
        """Take the oldest letter. Raises IndexError when there is none."""
        return self._waiting.popleft()

    def keep(self, is_wanted: Callable[[Letter], bool]) -> None:
        """Drop the letters that are no longer wanted."""
        self._waiting = deque(letter for letter in self._waiting if is_wanted(letter))

    def _conflate(self, arriving: Hashable) -> None:
        """Keep only the newest letter of each subject; none of the one that is arriving."""
        seen = {arriving} - {None}
        kept: list[Letter] = []
        for letter in reversed(self._waiting):
            if letter.subject is None or letter.subject not in seen:
                kept.append(letter)
                seen.add(letter.subject)
        self.conflated += len(self._waiting) - len(kept)
        self._waiting = deque(reversed(kept))
