"""The event of an override that was taken."""

from __future__ import annotations

from services.engine.model.event import Event


class OverrideTaken(Event, frozen=True, tag="OverrideTaken"):
    """An entry or a pre-order against the zone was accepted: the ``taken``-th of the day (SPEC 5.10)."""

    asset: str
    taken: int
    reason: str
