"""The locks of the whole desk (SPEC 5.1, 5.2)."""

from __future__ import annotations

from msgspec import Struct

from wire.types import Instant


class Locks(Struct, frozen=True):
    """The desk-wide locks as stored instants. A lock holds while now is before its instant (SPEC 5.8).

    ``candle_used`` is the start of the candle that an entry used, ``candle_until`` the end of its lock. A change of the
    candle length may move ``candle_until`` later, never earlier.
    """

    candle_used: Instant | None = None
    candle_until: Instant | None = None
    cooldown_until: Instant | None = None
