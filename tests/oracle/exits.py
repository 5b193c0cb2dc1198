"""Exits, read from SPEC 7: the rules in their precedence, and how an exit is pursued until the asset is flat."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.oracle.facts import AGAINST, Book, Due, Position, Ticket, opened
from tests.oracle.window import flat_time

if TYPE_CHECKING:
    from tests.oracle.model import Oracle

BACKOFF = (1, 2, 5, 10)
BY_HAND = ("manual", "exit_all")


class Cause:
    """Why the rules are looked at, and when: a brick (its size and colour), a touched level, or a price."""

    def __init__(self, kind: str, size: float = 0, color: str = "neutral") -> None:
        self.kind, self.size, self.color = kind, size, color
        self.at: datetime | None = None

    def opposes(self, trade: Position, size: float) -> bool:
        return self.kind == "brick" and self.size == size and self.color == AGAINST[trade.side]


IsDue = Callable[["Oracle", Book, Position, Cause], bool]


def _points_tp(oracle: Oracle, book: Book, trade: Position, cause: Cause) -> bool:
    points = book.points
    return bool(trade.armed["points_tp_enabled"]) and points is not None and points >= trade.armed["points_tp_target"]


def _protect(oracle: Oracle, book: Book, trade: Position, cause: Cause) -> bool:
    points, threshold = book.points, trade.armed["protect_threshold_points"]
    return bool(trade.armed["protect_enabled"]) and points is not None and points <= threshold


def _signal_tp(oracle: Oracle, book: Book, trade: Position, cause: Cause) -> bool:
    """The one automatic exit that the initial exit lock holds back (5.3)."""
    armed = trade.armed
    return bool(armed["tp_armed"]) and armed["tp_count"] >= armed["tp_target"] and not trade.is_locked


RULES: tuple[tuple[str, IsDue], ...] = (  # SPEC 7.1, in this order
    ("daily_stop", lambda oracle, book, trade, cause: oracle.day.is_stopped),
    (
        "flat_by",
        lambda oracle, book, trade, cause: cause.at is not None and flat_time(oracle, cause.at),
    ),
    ("level", lambda oracle, book, trade, cause: cause.kind == "level"),
    ("points_tp", _points_tp),
    ("protect", _protect),
    (
        "four_pt_invalidation",
        lambda oracle, book, trade, cause: trade.armed["four_pt_invalidation_enabled"] and cause.opposes(trade, 4),
    ),
    ("signal_tp", _signal_tp),
    ("main_flip", lambda oracle, book, trade, cause: trade.armed["main_flip_exit_enabled"] and cause.opposes(trade, 6)),
    (
        "high_next_bar",
        lambda oracle, book, trade, cause: (
            trade.armed["high_next_bar_exit_enabled"] and cause.kind == "brick" and cause.size == 8
        ),
    ),
    ("structure", lambda oracle, book, trade, cause: cause.opposes(trade, 8)),
)
RANK = {name: rank for rank, name in enumerate(("exit_all", *(name for name, _ in RULES), "manual"))}


def looks(oracle: Oracle, book: Book, cause: Cause, now: datetime) -> None:
    """Let the first rule that is due demand an exit; also of the trade that an entry on its way would make (7.2)."""
    trade = book.trade
    if trade is None and book.entering is not None:
        price, target = book.price or oracle.assumed, Decimal(oracle.rules["points_tp_target"])
        trade = opened(book.entering, book.entering.qty, price, now, target)
    if trade is None:
        return
    cause.at = now
    for name, is_due in RULES:
        if is_due(oracle, book, trade, cause):
            demands(oracle, book, name, now)
            return


def demands(oracle: Oracle, book: Book, source: str, now: datetime) -> None:
    """Make an exit due. The one of higher precedence counts; a click ends the wait after a refusal."""
    if book.leaving is not None and book.leaving.source == source:
        return
    known = book.due
    if known is None:
        book.due = Due(source)
    else:
        if source in BY_HAND:
            known.retry_at = None
        if RANK[source] < RANK[known.source]:
            known.source = source
    before = book.leaving
    pursues(oracle, book, now)
    if book.leaving is not None and book.leaving is not before and book.leaving.source != source:
        book.due = Due(source)


def pursues(oracle: Oracle, book: Book, now: datetime) -> None:
    """Create the exit that is due, unless an order stands in its way. An unclaimed entry is cancelled at once."""
    due = book.due
    if due is None:
        return
    if book.entering is not None and book.entering.state == "PENDING":
        oracle.ends(book, book.entering, now)
    if book.entering is not None or book.leaving is not None:
        return
    if book.trade is None:
        book.due = None
        return
    if due.retry_at is not None and now < due.retry_at:
        return
    book.due = None
    side = "SELL" if book.trade.side == "BUY" else "BUY"
    book.leaving = Ticket("EXIT", side, book.trade.qty, due.source, now, book.trade.sheet, attempt=due.attempt)


def is_refused(oracle: Oracle, book: Book, order: Ticket, status: str, now: datetime) -> None:
    """7.3: a REJECTED exit of any source is tried again, one CANCELLED by the broker of an automatic source alone."""
    if book.trade is None or book.due is not None:
        return
    if order.source != "manual" or status == "REJECTED":
        wait = BACKOFF[min(order.attempt, len(BACKOFF) - 1)]
        book.due = Due(order.source, now + timedelta(seconds=wait), order.attempt + 1)
