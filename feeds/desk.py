"""The desk as the stream tells it: the newest state document, kept current by merge patches (RFC 7396)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from wire.feeds_health import mark_of

Document = dict[str, Any]


def merged(document: Document, patch: Document) -> Document:
    """Return the document with a merge patch in it; neither of the two is changed.

    Lists are taken whole. A field that became null is gone afterwards (RFC 7396): read the document with ``get``.
    """
    result = dict(document)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            before = result.get(name)
            result[name] = merged(before if isinstance(before, dict) else {}, value)
        else:
            result[name] = value
    return result


class DeskPicture:
    """What feeds know of the desk. While web is away the last document stays, and ``is_up`` is false."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.document: Document | None = None
        self.is_up = False
        self.since = datetime.now(UTC)
        """Since when web has been up, or away."""

        self.why: str | None = "not_asked_yet"
        """Why web is away, a code; None while it is up."""

    # -- for the follower ---------------------------------------------------------------------------------------

    def take(self, document: Document) -> None:
        """Take a whole state."""
        self.document = document

    def patch(self, change: Document) -> bool:
        """Merge a change of the stream. Return False when there is no document to merge it with."""
        if self.document is None:
            return False
        patched = merged(self.document, change["patch"])
        self.document = {**patched, "version": change["version"], "now": change["now"]}
        return True

    def came(self) -> None:
        """Note that web is there."""
        if not self.is_up:
            self.is_up, self.since, self.why = True, datetime.now(UTC), None

    def went(self, why: str) -> None:
        """Note that web is away, and why: ``unreachable``, ``refused``, ``broke_off``, ``silent``, ``failing``."""
        if self.is_up:
            self.is_up, self.since = False, datetime.now(UTC)
        self.why = why

    # -- for the parts ------------------------------------------------------------------------------------------

    @property
    def version(self) -> int | None:
        """The version of the document, None before the first."""
        return None if self.document is None else self.document.get("version")

    @property
    def settings(self) -> Document:
        """The desk-wide part of the document (``global``), empty before the first."""
        return {} if self.document is None else self.document.get("global") or {}

    @property
    def mark(self) -> str | None:
        """What distinguishes this desk from others, None before its first document."""
        writer = self.settings.get("writer")
        return mark_of(writer) if isinstance(writer, str) else None

    @property
    def is_simulated(self) -> bool | None:
        """Whether a simulated market feeds the desk, None while unknown."""
        found = self.settings.get("simulated")
        return found if isinstance(found, bool) else None

    @property
    def trading_day(self) -> date | None:
        """The desk's trading day, None while unknown."""
        found = self.settings.get("trading_day")
        return date.fromisoformat(found) if isinstance(found, str) else None

    def assets(self) -> tuple[str, ...]:
        """Return the symbols that the desk trades, in its order."""
        return () if self.document is None else tuple(self.document.get("assets") or ())

    def contracts(self) -> dict[str, str | None]:
        """Return the symbols that the desk trades, each with its contract."""
        return {symbol: (self.asset(symbol) or {}).get("contract") for symbol in self.assets()}

    def asset(self, symbol: str) -> Document | None:
        """Return the state of one asset, None when the desk has none of this name."""
        if self.document is None:
            return None
        found = (self.document.get("assets") or {}).get(symbol)
        return found if isinstance(found, dict) else None

    def orders(self) -> tuple[Document, ...]:
        """Return the open orders."""
        return () if self.document is None else tuple(self.document.get("orders") or ())
