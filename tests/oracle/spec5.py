"""The rules that limit risk in dollars and shut side doors (SPEC 4, 5.3, 5.6-5.10, 6.2, 7.5): one function a rule.

Each stands in ``RULES`` under its name. While a name is in ``PENDING`` the engine does not decide so yet and the oracle
compares with ``EARLIER``, the rule of before; a name that leaves ``PENDING`` is compared from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.oracle.facts import ZERO, Book, Position

if TYPE_CHECKING:
    from tests.oracle.gates import Ask
    from tests.oracle.model import Oracle

INITIAL_LOCK = timedelta(minutes=10)
PREORDER_AGE = timedelta(minutes=30)
RESTORED_WITHIN = timedelta(seconds=60)
LOOSENED_AFTER = timedelta(hours=8)
INDICES = ("ES", "NQ", "YM", "RTY")


# -- dollars (5.9) -------------------------------------------------------------------------------------------------


def round_turn(oracle: Oracle, qty: int) -> Decimal:
    return oracle.commission * 2 * qty


def open_risk(oracle: Oracle, book: Book) -> Decimal:
    """From the last price to where the stop rests, never below 0."""
    if book.trade is None or book.price is None:
        return ZERO
    distance = (book.price - book.trade.stop(book.sheet)) * book.trade.sign
    return max(ZERO, distance) * book.trade.qty * book.sheet.usd


def risk_on_its_way(oracle: Oracle, book: Book) -> Decimal:
    """What the unfilled rest of a working entry will risk."""
    order = book.entering
    if order is None:
        return ZERO
    if order.kind == "SCALE_IN" and book.trade is not None and book.price is not None:
        distance = max(ZERO, (book.price - book.trade.stop(book.sheet)) * book.trade.sign)
    else:
        distance = order.stop_points * book.sheet.unit
    return distance * order.rest * book.sheet.usd + round_turn(oracle, order.rest)


def risk_of(oracle: Oracle, ask: Ask, qty: int) -> Decimal:
    """What this order would lose at its stop, its commission in and out with it."""
    book = ask.book
    if ask.adds and book.trade is not None and book.price is not None:
        distance = max(ZERO, (book.price - book.trade.stop(book.sheet)) * book.trade.sign)
    else:
        distance = oracle.rules["stop_points"] * book.sheet.unit
    return distance * qty * book.sheet.usd + round_turn(oracle, qty)


def left_of_day(oracle: Oracle) -> Decimal:
    return oracle.limit + oracle.result


def fits(oracle: Oracle, ask: Ask, qty: int) -> bool:
    """Whether an order of that size passes: by itself, beside all open risk, and within the contract caps."""
    risk = risk_of(oracle, ask, qty)
    pct = oracle.rules.get("max_risk_per_order_pct")
    if pct is not None and risk > oracle.start * pct / 100:
        return False
    open_now = sum((open_risk(oracle, book) + risk_on_its_way(oracle, book) for book in oracle.books.values()), ZERO)
    return open_now + risk <= left_of_day(oracle) and within_caps(oracle, ask, qty)


def contracts(oracle: Oracle, book: Book) -> Decimal:
    """Positions and working orders, in full contracts: a micro is a tenth."""
    held = (book.trade.qty if book.trade else 0) + (book.entering.rest if book.entering else 0)
    return Decimal(held) / (10 if book.sheet.is_micro else 1)


def within_caps(oracle: Oracle, ask: Ask, qty: int) -> bool:
    more = Decimal(qty) / (10 if ask.book.sheet.is_micro else 1)
    by_name = {name: contracts(oracle, book) for name, book in oracle.books.items()}
    mine = next(name for name, book in oracle.books.items() if book is ask.book)
    over_all, indices = oracle.rules.get("max_contracts"), oracle.rules.get("max_contracts_correlated")
    if over_all is not None and sum(by_name.values(), more) > over_all:
        return False
    of_group = sum((by_name[name] for name in INDICES if name in by_name), more)
    return indices is None or mine not in INDICES or of_group <= indices


def largest_that_fits(oracle: Oracle, ask: Ask, qty: int) -> int:
    """Return the largest size up to ``qty`` that the gate would let pass; 0 when none."""
    return next((size for size in range(qty, 0, -1) if fits(oracle, ask, size)), 0)


def risk(oracle: Oracle, ask: Ask, now: datetime) -> bool:
    return ask.qty is not None and not fits(oracle, ask, ask.qty)


# -- the window (5.9): its causes, any of which closes -------------------------------------------------------------


def is_locked_out(oracle: Oracle, now: datetime) -> bool:
    return oracle.locked_out_until is not None and now < oracle.locked_out_until


def lost_the_week(oracle: Oracle, now: datetime) -> bool:
    limit = oracle.rules.get("week_loss_limit_usd")
    return limit is not None and oracle.week_result <= -limit


def gave_back(oracle: Oracle, now: datetime) -> bool:
    most = oracle.rules.get("give_back_usd")
    return most is not None and oracle.best_result - oracle.result >= most


def streak_pauses(oracle: Oracle, now: datetime) -> bool:
    return oracle.streak_until is not None and now < oracle.streak_until


WINDOW_CAUSES: tuple[Callable[[Oracle, datetime], bool], ...] = (is_locked_out, lost_the_week, gave_back, streak_pauses)


def window(oracle: Oracle, ask: Ask, now: datetime) -> bool:
    return any(cause(oracle, now) for cause in WINDOW_CAUSES)


# -- side doors ----------------------------------------------------------------------------------------------------


def override_budget(oracle: Oracle, has_reason: bool) -> str | None:
    """5.10: two a day, and one a day without a written reason."""
    if oracle.day.overrides >= oracle.rules.get("overrides_per_day", 2):
        return "override_budget"
    return "override_budget" if not has_reason and oracle.day.without_reason >= 1 else None


def scale_in_is_refused(oracle: Oracle, book: Book) -> bool:
    """4: never added to a loser, nor where nobody knows whether it is one."""
    return book.points is None or book.points < 0


def scale_in_qty(oracle: Oracle, trade: Position) -> int:
    return int(min(oracle.rules["scale_in_qty"], trade.entry_qty))


def initial_lock_ends(oracle: Oracle, trade: Position, now: datetime) -> bool:
    return now >= trade.opened_at + INITIAL_LOCK


def token_at_flat(oracle: Oracle, book: Book) -> None:
    """5.7: becoming flat spends the token: the brick that took a trade out does not pay for the next."""
    book.token = False


def preorder_is_over(oracle: Oracle, book: Book, now: datetime) -> bool:
    return book.preorder is not None and now >= book.preorder.placed_at + PREORDER_AGE


def may_change(oracle: Oracle, book: Book, name: str, on: bool, value: Decimal | None, now: datetime) -> bool:
    """6.2: while management is locked only what loosens is refused; tightening is always allowed."""
    trade = book.trade
    if trade is None or not oracle.is_managed(book):
        return True
    was_on, was = trade.armed[f"{name}_enabled"], trade.armed[SETTING_OF[name]]
    if not was_on or (not on and _was_just_switched_on(trade, f"{name}_enabled", now)):
        return True
    further = value is not None and (value < was if name == "protect" else value > was)
    return on and not further


def may_switch(oracle: Oracle, book: Book, name: str, now: datetime) -> bool:
    """6.2: what is on may be switched off only unlocked and not losing; within 60 s what the operator switched on."""
    trade = book.trade
    if trade is None or not trade.armed[name]:
        return may_arm(oracle, book, name)
    if name == "main_flip_exit_enabled" and trade.zone == "FREE":
        return False
    if _was_just_switched_on(trade, name, now):
        return True
    return not oracle.is_managed(book) and book.points is not None and book.points >= 0


def may_arm(oracle: Oracle, book: Book, name: str) -> bool:
    """The state's ``next_bar_exit_allowed``: the 8pt next-bar exit and the signals are armed early, or unlocked."""
    trade = book.trade
    fresh = {"high_next_bar_exit_enabled": "fresh_eight", "tp_armed": "fresh_six"}.get(name)
    return trade is None or fresh is None or getattr(trade, fresh) == 0 or not oracle.is_managed(book)


def _was_just_switched_on(trade: Position, name: str, now: datetime) -> bool:
    """What the operator switched on may be switched off again within 60 s: that only restores what was."""
    switched = trade.switched_on.get(name)
    return switched is not None and now <= switched + RESTORED_WITHIN


def loosened_from(asked_at: datetime, day_begins_at: datetime) -> bool:
    """5.8: a loosened setting holds from the next trading day that is at least 8 h away."""
    return asked_at + LOOSENED_AFTER <= day_begins_at


SETTING_OF = {"protect": "protect_threshold_points", "points_tp": "points_tp_target"}


# -- what stands today ---------------------------------------------------------------------------------------------


def _may_change_before(oracle: Oracle, book: Book, name: str, on: bool, value: Decimal | None, now: datetime) -> bool:
    return not oracle.is_managed(book)


def _may_switch_before(oracle: Oracle, book: Book, name: str, now: datetime) -> bool:
    """Whatever is on could be switched off."""
    return bool(book.trade and book.trade.armed[name]) or may_arm(oracle, book, name)


RULES: dict[str, Callable[..., Any]] = {
    "risk": risk,
    "window": window,
    "override_budget": override_budget,
    "scale_in_is_refused": scale_in_is_refused,
    "scale_in_qty": scale_in_qty,
    "initial_lock_ends": initial_lock_ends,
    "token_at_flat": token_at_flat,
    "preorder_is_over": preorder_is_over,
    "may_change": may_change,
    "may_switch": may_switch,
    "loosened_from": loosened_from,
}
EARLIER: dict[str, Callable[..., Any]] = {
    "risk": lambda oracle, ask, now: False,
    "window": lambda oracle, ask, now: False,
    "override_budget": lambda oracle, has_reason: None,
    "scale_in_is_refused": lambda oracle, book: False,
    "scale_in_qty": lambda oracle, trade: oracle.rules["scale_in_qty"],
    "initial_lock_ends": lambda oracle, trade, now: False,
    "token_at_flat": lambda oracle, book: None,
    "preorder_is_over": lambda oracle, book, now: False,
    "may_change": _may_change_before,
    "may_switch": _may_switch_before,
    "loosened_from": lambda asked_at, day_begins_at: True,
}
PENDING = set(EARLIER)
