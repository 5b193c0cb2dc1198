"""Side doors that are shut, read from SPEC 4, 5.3, 5.7, 5.10 and 6.2: one function a rule."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.oracle.facts import Book, Position

if TYPE_CHECKING:
    from tests.oracle.model import Oracle

RESTORED_WITHIN = timedelta(seconds=60)
SETTING_OF = {"protect": "protect_threshold_points", "points_tp": "points_tp_target"}
LOCKED, KEPT = "management_locked", "protection_kept"


def override_refused(oracle: Oracle, has_reason: bool) -> str | None:
    """5.10: a budget a day, and one a day without a written reason."""
    if oracle.day.overrides >= oracle.rules["overrides_per_day"]:
        return "override_budget"
    return "override_unexplained" if not has_reason and oracle.day.without_reason >= 1 else None


def may_be_added(book: Book) -> bool:
    """4: never to a loser, nor where nobody knows whether it is one."""
    return book.points is not None and book.points >= 0


def scale_in_qty(oracle: Oracle, trade: Position) -> int:
    return int(min(oracle.rules["scale_in_qty"], trade.entry_qty))


def initial_lock_ends(oracle: Oracle, trade: Position, now: datetime) -> bool:
    return now >= trade.opened_at + timedelta(seconds=oracle.rules["initial_lock_seconds"])


def preorder_is_over(oracle: Oracle, book: Book, now: datetime) -> bool:
    waits = timedelta(seconds=oracle.rules["preorder_seconds"])
    return book.preorder is not None and now >= book.preorder.placed_at + waits


def change_refused(oracle: Oracle, book: Book, name: str, on: bool, value: Decimal | None, now: datetime) -> str | None:
    """6.2: while management is locked only what loosens is refused; tightening is always allowed."""
    trade = book.trade
    if trade is None or not oracle.is_managed(book):
        return None
    was_on, was = trade.armed[f"{name}_enabled"], trade.armed[SETTING_OF[name]]
    further = value is not None and (value < was if name == "protect" else value > was)
    if not was_on or (not on and _was_just_switched_on(trade, f"{name}_enabled", now)):
        return None
    return None if on and not further else LOCKED


def switch_refused(oracle: Oracle, book: Book, name: str, now: datetime) -> str | None:
    """6.2: what is on may be switched off only unlocked and not losing; within 60 s what the operator switched on."""
    trade = book.trade
    if trade is None or not trade.armed[name]:
        return None if may_arm(oracle, book, name) else LOCKED
    if name == "main_flip_exit_enabled" and trade.zone == "FREE":
        return KEPT
    if _was_just_switched_on(trade, name, now):
        return None
    if oracle.is_managed(book):
        return LOCKED
    return None if book.points is not None and book.points >= 0 else KEPT


def may_arm(oracle: Oracle, book: Book, name: str) -> bool:
    """The 8pt next-bar exit and the signals are armed before a fresh brick of their size, or unlocked."""
    trade = book.trade
    fresh = {"high_next_bar_exit_enabled": "fresh_eight", "tp_armed": "fresh_six"}.get(name)
    return trade is None or fresh is None or getattr(trade, fresh) == 0 or not oracle.is_managed(book)


def _was_just_switched_on(trade: Position, name: str, now: datetime) -> bool:
    """What the operator switched on may be switched off again within 60 s: that only restores what was."""
    switched = trade.switched_on.get(name)
    return switched is not None and now <= switched + RESTORED_WITHIN
