"""A message for the operator, kept on the desk (SPEC 8)."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from services.engine.model.wording import Facts
from wire.types import Instant

AlertLevel = Literal["info", "warning", "critical"]


class Alert(Struct, frozen=True):
    """A message for the operator, shown on the page and kept in the journal. Its row is in ``rules/alerts.py``.

    Title and detail are stored as one sentence. Alerts stored before schema 3 have no facts.
    """

    at: Instant
    code: str
    level: AlertLevel
    sentence: str
    asset: str | None = None
    facts: Facts | UnsetType = UNSET
