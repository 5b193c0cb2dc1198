"""What is kept of trades for the trader's journal: rows that are written with the commit they belong to."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class StoredTrade(Struct, frozen=True):
    """A closed trade. ``stop_points`` is the distance of the stop it was entered with, None when unknown."""

    id: str
    asset: str
    closed_at: datetime
    body: bytes
    stop_points: str | None = None


class StoredNote(Struct, frozen=True):
    """What the operator wrote about a trade last (``services/journal/trades.py``)."""

    trade_id: str
    at: datetime
    body: bytes


class StoredAttempt(Struct, frozen=True):
    """A try against the rules: an entry that was blocked or overrode, an exit that was locked; the event is ``body``.

    ``id`` is made of the journal row and the place in it.
    """

    id: str
    at: datetime
    body: bytes


class StoredGates(Struct, frozen=True):
    """How the gates stood when an entry was accepted (``services/projections/entry_gates.py``).

    Its order has the trade's id.

    An entry that never filled leaves one, too: nothing is read of it.
    """

    trade_id: str
    at: datetime
    body: bytes


class StoredFill(Struct, frozen=True):
    """Contracts of a trade that changed hands (``services/projections/trade_fills.py``).

    ``id`` is made of the journal row and the place in it, so that ids sort as fills happened.
    """

    trade_id: str
    id: str
    at: datetime
    body: bytes
