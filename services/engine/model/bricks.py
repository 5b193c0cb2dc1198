"""Bricks as an asset keeps them: the latest of each size, and what detects a duplicate or late one (SPEC 3)."""

from __future__ import annotations

from msgspec import Struct

from wire.types import (
    Color,
    Instant,
    Price,
    Stream,
)

APPLIED_BRICKS_KEPT = 256  # SPEC 3: a duplicate is one of the last 256 applied


class BaseBar(Struct, frozen=True):
    """The base bar of the newest brick: several bricks may close within it (SPEC 3).

    ``at`` is its time. ``name`` and ``number`` are the two parts of an id of the form ``…|k``. ``closed`` holds the
    digests and colours of its bricks that told their close.
    """

    at: Instant | None = None
    name: str | None = None
    number: int = 0
    closed: dict[str, Color] = {}


class BrickStream(Struct, frozen=True):
    """The latest brick of one size, and what detects a duplicate or late brick.

    ``at`` is when the brick was applied, ``newest_bar_at`` the newest bar time seen. ``applied`` holds the digests of
    the last 256 applied bricks that had a ``bar_id`` or a bar time, ``bar`` the base bar of the newest; the digests of
    the 1pt stream are not stored (SPEC 3). From ``stale_at`` on the colour is too old; None for one that never ages.
    ``simulated``: a simulated market made it; earlier generations did not remember that.
    """

    color: Color = "neutral"
    at: Instant | None = None
    bar_id: str | None = None
    close: Price | None = None
    newest_bar_at: Instant | None = None
    applied: tuple[str, ...] = ()
    bar: BaseBar | None = None
    stale_at: Instant | None = None
    simulated: bool = False

    def is_stale(self, now: Instant) -> bool:
        """Return whether the colour has not been renewed for so long that it says nothing any more (SPEC 3)."""
        return self.color != "neutral" and self.stale_at is not None and now >= self.stale_at


class Stack(Struct, frozen=True):
    """An asset's latest brick of each stored size (SPEC 2). The 1pt brick is in ``AssetLive``."""

    two_half: BrickStream = BrickStream()
    four: BrickStream = BrickStream()
    main: BrickStream = BrickStream()
    high: BrickStream = BrickStream()
    macro: BrickStream = BrickStream()

    def of(self, stream: Stream) -> BrickStream:
        latest: BrickStream = getattr(self, stream.value)
        return latest

    def colors(self) -> dict[str, Color]:
        return {name: getattr(self, name).color for name in self.__struct_fields__}
