"""Who asks for orders without an instance: two bridges of the contract are seen by their turns (SPEC 8.2).

Such a caller is known by its owner name and its address. Two bridges of one name at one address cannot be told apart.
The list is kept in memory: after a restart two bridges are noticed anew.
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime, timedelta

FORGOTTEN_AFTER = timedelta(seconds=60)
TURNS_THAT_TELL = 4
"""A bridge that moves to another address changes once; only two that both go on asking change back and forth."""


class BridgeCallers:
    """The last turns of the callers; safe for threads."""

    def __init__(self) -> None:
        self._turns: deque[str] = deque(maxlen=TURNS_THAT_TELL)
        self._heard_at: dict[str, datetime] = {}
        self._told: frozenset[str] = frozenset()
        self._lock = threading.Lock()

    def note(self, caller: str, now: datetime) -> str | None:
        """Record that ``caller`` asks. Return the other caller when the two asked in turns and nobody was told yet."""
        with self._lock:
            self._forget(now)
            self._heard_at[caller] = now
            if self._turns and self._turns[-1] == caller:
                return None
            self._turns.append(caller)
            pair = frozenset(self._turns)
            if len(self._turns) < TURNS_THAT_TELL or len(pair) != 2 or pair == self._told:
                return None
            self._told = pair
            return next(iter(pair - {caller}))

    def _forget(self, now: datetime) -> None:
        """Forget the callers that have not asked for 60 s: one of them alone is no second bridge."""
        gone = {caller for caller, at in self._heard_at.items() if now - at >= FORGOTTEN_AFTER}
        if gone:
            self._heard_at = {caller: at for caller, at in self._heard_at.items() if caller not in gone}
            self._turns = deque([turn for turn in self._turns if turn not in gone][-1:], TURNS_THAT_TELL)
            self._told = self._told if not self._told & gone else frozenset()
