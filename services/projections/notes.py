"""What the operator wrote about a trade, as it is stored."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from services.engine.model.events import TradeNoted
from services.stores.store import StoreUnreadable
from wire.types import Instant


class Note(Struct, frozen=True):
    """What the operator wrote about a trade last."""

    text: str = ""
    tags: tuple[str, ...] = ()
    at: Instant | None = None


class NoteBody(Struct, frozen=True):
    """A note as stored."""

    text: str
    tags: tuple[str, ...]


def write_note(event: TradeNoted) -> bytes:
    return msgspec.json.encode(NoteBody(event.note, event.tags))


def read_note(body: bytes, at: Instant) -> Note:
    """Read a stored note. Raises StoreUnreadable."""
    try:
        kept = msgspec.json.decode(body, type=NoteBody)
    except msgspec.MsgspecError as error:
        raise StoreUnreadable(f"a note could not be read: {error}") from error
    return Note(kept.text, kept.tags, at)
