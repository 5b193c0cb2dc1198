"""Watch the account that a firm judges: its highest balances, and its best day (SPEC 5.9)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.account import Beliefs
from services.engine.model.events import ObservationsKept
from services.engine.model.firm import FirmMark
from services.engine.model.state import Desk
from services.engine.rules.beliefs import result_that_counts
from services.engine.rules.firm_floor import account_named, mark_key
from services.engine.transition import Transition
from wire.types import Env, Usd

KEPT_STEPS = 100


def watches_firm(desk: Desk) -> bool:
    """Return whether a firm's rules are kept now or from a later trading day on, or ever were: it may come back."""
    kept = desk.rules.firm is not None or desk.wanted.firm is not None or bool(desk.live.firm_marks)
    return desk.generation > 4 and kept


def watch_account(transition: Transition) -> None:
    """Note the believed balance, moved by what the desk's books say since, where it is a new highest one.

    Before the first believed balance nothing is known of the account.
    """
    desk = transition.desk
    equity = equity_now(desk) if watches_firm(desk) else None
    if equity is None:
        return
    key = mark_key(desk.env, account_named(desk))
    known = desk.live.firm_marks.get(key) or desk.live.firm_marks.get(mark_key(desk.env, None))
    if known is None:
        mark = FirmMark(desk.day.trading_day, equity, equity, equity, equity, equity)
    else:
        mark = replace(known, highest=max(known.highest, equity), highest_today=max(known.highest_today, equity))
    if desk.live.firm_marks.get(key) != mark:
        _forget(transition, mark_key(desk.env, None))  # the account has a name now
        _put(transition, key, mark)
    if known is not None and _is_far_above(desk, known.highest, mark.highest):
        transition.record(ObservationsKept())  # a process that is killed must not forget it


def _is_far_above(desk: Desk, before: Usd, now: Usd) -> bool:
    """Return whether the highest balance passed one more hundredth of what a firm's real-time drawdown allows."""
    drawdown = None if desk.rules.firm is None else desk.rules.firm.drawdown
    if drawdown is None or drawdown.follows != "real_time":
        return False
    step = drawdown.amount / KEPT_STEPS
    return now // step > before // step


def equity_now(desk: Desk) -> Usd | None:
    """Return the account's equity: the last believed balance and what the books have moved since; None before it."""
    believed = desk.live.beliefs.believed
    return None if believed is None else believed.balance + result_that_counts(desk) - believed.books


def end_day_of_firm(transition: Transition) -> None:
    """Close the day of both environments' accounts: their last balance is that of the end of the day.

    Call it before the books of the new day begin.
    """
    desk = transition.desk
    if not watches_firm(desk):
        return
    other: Env = "DEMO" if desk.env == "LIVE" else "LIVE"
    books = desk.day.other_books
    _end_day(transition, desk.env, desk.live.beliefs, result_that_counts(desk))
    _end_day(transition, other, desk.live.other_beliefs, books.closed - books.opening)


def _end_day(transition: Transition, env: Env, beliefs: Beliefs, books: Usd) -> None:
    believed = beliefs.believed
    if believed is None:
        return
    key = mark_key(env, believed.account)
    mark = transition.desk.live.firm_marks.get(key)
    if mark is None:
        return
    closed = believed.balance + books - believed.books
    ended = replace(
        mark,
        day_ends=max(mark.day_ends, closed),
        highest_today=closed,
        closed=closed,
        best_day=max(mark.best_day, closed - mark.closed),
    )
    _put(transition, key, ended)


def _put(transition: Transition, key: str, mark: FirmMark) -> None:
    live = transition.desk.live
    transition.change_desk(live=replace(live, firm_marks={**live.firm_marks, key: mark}))


def _forget(transition: Transition, key: str) -> None:
    live = transition.desk.live
    if key in live.firm_marks:
        marks = {name: mark for name, mark in live.firm_marks.items() if name != key}
        transition.change_desk(live=replace(live, firm_marks=marks))
