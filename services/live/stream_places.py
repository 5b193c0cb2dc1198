"""How many streams may be open: of each kind of caller, and of one API key. No kind takes another's places."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Listens = Literal["operator", "bridge", "service", "key"]

PLACES: Mapping[Listens, int] = MappingProxyType({"operator": 600, "bridge": 16, "service": 16, "key": 128})
PLACES_OF_ONE_KEY = 16


class StreamPlaces:
    """The open streams. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[Listens] = Counter()
        self._of_key: Counter[str] = Counter()

    def take(self, kind: Listens, key_id: str | None = None) -> bool:
        """Take a place; return False when this kind, or this key, has as many as it may have."""
        with self._lock:
            if self._taken[kind] >= PLACES[kind] or (key_id is not None and self._of_key[key_id] >= PLACES_OF_ONE_KEY):
                return False
            self._taken[kind] += 1
            if key_id is not None:
                self._of_key[key_id] += 1
            return True

    def give_back(self, kind: Listens, key_id: str | None = None) -> None:
        """Give a place back."""
        with self._lock:
            self._taken[kind] -= 1
            if key_id is not None:
                self._of_key[key_id] -= 1
                if not self._of_key[key_id]:
                    del self._of_key[key_id]
