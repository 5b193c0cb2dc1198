"""The bridge's ticks: the command that tells them, and what is remembered of them (SPEC 3)."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from services.engine.model.command import Command, Origin
from services.engine.model.feed import FaultKind, MarketHours
from wire.types import Instant, Price


class ToldTick(Struct, frozen=True, array_like=True):
    """One trade of the market as a bridge told it. ``seq`` grows with each tick that one sender sends."""

    at: Instant
    price: Price
    seq: int


class HearTicks(Command, frozen=True, tag="HearTicks"):
    """A bridge tells ticks of one contract, oldest first (SPEC 3). ``contract`` is the contract's own name.

    ``instance`` names the run of the sender. ``gap``: it lost ticks before the first of these. ``stale_at`` is when a
    colour that a brick of them gives is too old. ``hours`` and ``silent_at`` are of the asset's calendar, as in
    ``CloseBar``.
    """

    origin: ClassVar[Origin] = "bridge"
    asset: str
    contract: str
    ticks: tuple[ToldTick, ...]
    instance: str | None = None
    simulated: bool = False
    gap: bool = False
    stale_at: Instant | None = None
    hours: MarketHours = MarketHours()
    silent_at: Instant | None = None


class HeardTicks(Struct, frozen=True):
    """Whose ticks are heard of an asset, and the newest of them that is believed.

    ``seq`` and ``newest`` are of the newest tick, believed or not: an earlier one is a repeated one. ``price`` and
    ``at`` are of the newest believed one, None before the first. ``heard_at`` is when the sender was last heard.
    ``doubted`` is the price of a tick while it is suspect, ``doubted_at`` its time. ``hole`` says why ticks may be
    missing behind the newest. ``skipped`` are the numbers, from and to, that the sender left out lately: a tick with
    one of them was overtaken by a later one.
    """

    contract: str
    instance: str | None
    seq: int
    newest: Instant
    heard_at: Instant
    price: Price | None = None
    at: Instant | None = None
    simulated: bool = False
    doubted: Price | None = None
    hole: FaultKind | None = None
    doubted_at: Instant | None = None
    skipped: tuple[tuple[int, int], ...] = ()
