"""The table of all locks: what each stops, whether it holds now, and what ends it (SPEC 5, 6)."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from services.engine.model.lock_names import INITIAL_EXIT
from services.engine.model.state import Asset, Desk
from services.engine.rules.gates import candle_is_unused, cooldown_is_over, daily_stop_is_untouched
from services.engine.rules.initial_lock import initial_lock_ends_at, is_initially_locked
from services.engine.rules.management import is_management_locked, may_arm_high_next_bar, may_arm_signal_target
from services.engine.rules.verdicts import EntryRequest, Verdict
from wire.types import Instant


class Held(Struct, frozen=True):
    """Whether a lock holds. ``until`` is the instant of its end when time alone ends it."""

    is_held: bool
    until: Instant | None = None


class Lock(Struct, frozen=True):
    """One lock: its name, what it stops, what ends it, and why it exists."""

    name: str
    look: Callable[[Desk, Asset, Instant], Held]
    stops: str
    ends: str
    why: str


def _as_held(verdict: Verdict) -> Held:
    return Held(not verdict.is_open, verdict.reopens_at)


def candle_lock(desk: Desk, asset: Asset, now: Instant) -> Held:
    """An entry was ordered in this 5-minute candle, in any asset (SPEC 5.1)."""
    return _as_held(candle_is_unused(desk, EntryRequest(asset), now))


def cooldown(desk: Desk, asset: Asset, now: Instant) -> Held:
    """A position was closed less than 180 s ago, in any asset (SPEC 5.2)."""
    return _as_held(cooldown_is_over(desk, EntryRequest(asset), now))


def initial_exit(desk: Desk, asset: Asset, now: Instant) -> Held:
    """No 6pt brick has been applied since the entry filled, 10 min ago at most (SPEC 5.3)."""
    if asset.trade is None or not is_initially_locked(desk, asset.trade, now):
        return Held(False)
    return Held(True, initial_lock_ends_at(desk, asset.trade))


def management(desk: Desk, asset: Asset, now: Instant) -> Held:
    """The 2.5pt brick is with the trade, or neutral (SPEC 6.2)."""
    return Held(asset.trade is not None and is_management_locked(asset, asset.trade))


def high_bar_arming(desk: Desk, asset: Asset, now: Instant) -> Held:
    """An 8pt brick has come since entry and the management lock holds (SPEC 6.5)."""
    return Held(asset.trade is not None and not may_arm_high_next_bar(asset, asset.trade))


def signal_arming(desk: Desk, asset: Asset, now: Instant) -> Held:
    """A 6pt brick has come since entry and the management lock holds (SPEC 6.5)."""
    return Held(asset.trade is not None and not may_arm_signal_target(asset, asset.trade))


def daily_stop(desk: Desk, asset: Asset, now: Instant) -> Held:
    """The day's drawdown reached its limit (SPEC 5.6)."""
    return _as_held(daily_stop_is_untouched(desk, EntryRequest(asset), now))


NEXT_DAY = "next trading day"
TURNED_BRICK = "2.5pt brick against the trade"

LOCKS = (
    Lock("candle", candle_lock, "entries", "next candle", "One decision a candle leaves time to make it."),
    Lock("cooldown", cooldown, "entries", "countdown", "The minutes after an exit are the angriest of the day."),
    Lock(
        INITIAL_EXIT,
        initial_exit,
        "your own exit, unless forced",
        "6pt brick, or countdown",
        "A trade gets a chance to work.",
    ),
    Lock("management", management, "loosened protections", TURNED_BRICK, "What works is not fiddled with."),
    Lock("high_bar_arming", high_bar_arming, "arming the 8pt next-bar exit", TURNED_BRICK, "No way out by a detour."),
    Lock("signal_arming", signal_arming, "arming the signal take-profit", TURNED_BRICK, "No way out by a detour."),
    Lock("daily_stop", daily_stop, "entries; everything is flattened", NEXT_DAY, "A lost day is over."),
)
