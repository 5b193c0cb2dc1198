"""Whether this store is the one in which the day was traded so far: what was found, noted and confirmed (SPEC 5.9)."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from msgspec import Struct

from services.engine.model.command import Command, Origin
from services.engine.model.event import Event
from wire.types import Instant

StoreDoubtCode = Literal["newer_store", "older_copy", "unreadable"]


class StoreDoubt(Struct, frozen=True):
    """Why this store may not know the whole day. It is over with the day, or when the operator has confirmed.

    ``newer_store``: this machine had opened another store for this account today. ``older_copy``: it had opened a later
    state of this store today. ``unreadable``: what it had opened cannot be read. ``about`` names what was found.
    """

    code: StoreDoubtCode
    about: str
    detail: str
    trading_day: date
    since: Instant
    confirmed: bool = False


class NoteStore(Command, frozen=True, tag="NoteStore"):
    """Something was found that this store may not know of."""

    code: StoreDoubtCode
    about: str
    detail: str


class ConfirmStore(Command, frozen=True, tag="ConfirmStore"):
    """The operator says that the day goes on in this store."""

    origin: ClassVar[Origin] = "operator"
    reason: str


class StoreDoubted(Event, frozen=True, tag="StoreDoubted"):
    """This store may not know the whole day."""

    code: StoreDoubtCode
    about: str
    detail: str


class StoreConfirmed(Event, frozen=True, tag="StoreConfirmed"):
    """The operator goes on with this store."""

    about: str
    reason: str


OfTheStore = StoreDoubted | StoreConfirmed
