"""One gate of the ladder as it stands (SPEC 4)."""

from __future__ import annotations

from msgspec import Struct

from wire.types import Instant


class Rung(Struct, frozen=True):
    """One gate as it stands now. ``reopens`` names the event that opens it when no instant is known."""

    gate: str
    is_open: bool
    sentence: str | None = None
    reopens_at: Instant | None = None
    reopens: str | None = None
