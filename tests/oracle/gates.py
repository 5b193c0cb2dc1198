"""The ladder, read from SPEC 4: one function a gate, in the order of precedence. True means closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tests.oracle.dollars import fits
from tests.oracle.facts import AGAINST, Book
from tests.oracle.window import window

if TYPE_CHECKING:
    from tests.oracle.model import Oracle


@dataclass(frozen=True)
class Ask:
    """Who wants what. ``qty`` is None where no size is asked for: an intent, a pre-order that is placed."""

    book: Book
    side: str | None = None
    override: bool = False
    qty: int | None = None
    adds: bool = False


def zone_of(book: Book, now: datetime) -> tuple[str, str | None]:
    """Return the zone and the direction that it gives (SPEC 2): none while a colour is neutral or stale."""
    high, macro = book.colors.get(8, "neutral"), book.colors.get(12, "neutral")
    for size in (8, 12):
        ends = book.stale_at.get(size)
        if ends is not None and now >= ends:
            return "NONE", None
    if "neutral" in (high, macro):
        return "NONE", None
    return ("NORMAL", {"green": "BUY", "red": "SELL"}[high]) if high == macro else ("FREE", None)


def daily_stop(oracle: Oracle, ask: Ask, now: datetime) -> bool:
    is_spent = oracle.firm_limit is not None and oracle.firm_limit + oracle.worst_result <= 0
    return oracle.day.is_stopped or oracle.day.is_awaited or is_spent


def trade_limit(oracle: Oracle, ask: Ask, now: datetime) -> bool:
    """Open first entries count as used."""
    return oracle.day.taken + oracle.on_their_way >= int(oracle.rules["max_trades_per_day"])


def cooldown(oracle: Oracle, ask: Ask, now: datetime) -> bool:
    return oracle.cooldown_until is not None and now < oracle.cooldown_until


def candle_lock(oracle: Oracle, ask: Ask, now: datetime) -> bool:
    return oracle.candle_until is not None and now < oracle.candle_until


def pending_order(oracle: Oracle, ask: Ask, now: datetime) -> bool:
    return ask.book.entering is not None or ask.book.leaving is not None


def position(oracle: Oracle, ask: Ask, now: datetime) -> bool:
    return ask.book.trade is not None


def heartbeat(oracle: Oracle, ask: Ask, now: datetime) -> bool:
    age = timedelta(seconds=oracle.rules["heartbeat_max_age_seconds"])
    return ask.book.heard_at is None or now - ask.book.heard_at >= age


def tempo(oracle: Oracle, ask: Ask, now: datetime) -> bool:
    return not ask.book.token


def zone(oracle: Oracle, ask: Ask, now: datetime) -> bool:
    if ask.override:
        return False
    kind, side = zone_of(ask.book, now)
    return kind == "NONE" or (kind == "NORMAL" and ask.side != side) or (kind == "FREE" and ask.side is None)


def two_half_filter(oracle: Oracle, ask: Ask, now: datetime) -> bool:
    return bool(oracle.rules["two_half_filter"]) and ask.book.colors.get(2.5) == AGAINST.get(ask.side or "")


def reconcile(oracle: Oracle, ask: Ask, now: datetime) -> bool:
    return ask.book.disagrees


def account(oracle: Oracle, ask: Ask, now: datetime) -> bool:
    return oracle.balance_is_suspect


def risk(oracle: Oracle, ask: Ask, now: datetime) -> bool:
    return ask.qty is not None and not fits(oracle, ask, ask.qty)


Closes = Callable[["Oracle", Ask, datetime], bool]
EVERY, ENTRIES = ("market", "preorder", "intent", "scale_in"), ("market", "preorder", "intent")
LADDER: tuple[tuple[str, Closes, tuple[str, ...]], ...] = (  # order = precedence; whom each can refuse
    ("daily_stop", daily_stop, EVERY),
    ("trade_limit", trade_limit, ENTRIES),
    ("cooldown", cooldown, ENTRIES),
    ("candle_lock", candle_lock, ("market", "preorder")),
    ("pending_order", pending_order, EVERY),
    ("position", position, ENTRIES),
    ("heartbeat", heartbeat, EVERY),
    ("tempo", tempo, ("market",)),
    ("zone", zone, ("market",)),
    ("two_half_filter", two_half_filter, ("market",)),
    ("reconcile", reconcile, ("market", "scale_in")),
    ("account", account, ("market", "scale_in")),
    ("risk", risk, ("market", "scale_in")),
    ("window", window, ("market", "preorder", "scale_in")),
)


def refusing(oracle: Oracle, act: str, ask: Ask, now: datetime) -> str | None:
    """Return the first closed gate among those that bind the act."""
    return next((name for name, closes, binds in LADDER if act in binds and closes(oracle, ask, now)), None)
