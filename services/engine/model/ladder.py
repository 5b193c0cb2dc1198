"""The current state of one gate of the ladder (SPEC 4)."""

from __future__ import annotations

from msgspec import Struct

from services.engine.model.wording import Facts
from wire.types import Instant


class Rung(Struct, frozen=True, omit_defaults=True):
    """The current state of one gate. ``reopens`` names the event that opens it when no instant is known.

    A closed gate has ``code``, ``title``, ``detail`` and ``facts``, and the ``sentence`` composed of them.
    """

    gate: str
    is_open: bool
    sentence: str | None = None
    reopens_at: Instant | None = None
    reopens: str | None = None
    code: str | None = None
    title: str | None = None
    detail: str | None = None
    facts: Facts = {}
