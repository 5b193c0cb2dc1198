"""The base of all events."""

from __future__ import annotations

from services.engine.model.tagged import Tagged


class Event(Tagged, frozen=True, omit_defaults=True):
    """The base of all events."""
