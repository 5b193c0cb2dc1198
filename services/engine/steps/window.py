"""The window around entries: facts of markets and news, the lockout, the time to be flat (SPEC 5.9)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.events import ObservationsKept
from services.engine.model.replies import Done, LockoutTaken, Reply
from services.engine.model.times import countdown
from services.engine.model.trading_day import next_day_start
from services.engine.model.window import Lockout, MarketFacts, NewsTime
from services.engine.model.window_commands import LockOut, NoteSessions
from services.engine.model.window_events import LockedOut, SessionsNoted
from services.engine.rules.beliefs import result_that_counts
from services.engine.rules.flat_time import WARNED_BEFORE, must_be_flat, next_flat_time
from services.engine.rules.session import AHEAD, lockout_end
from services.engine.steps.exits import demand_exit
from services.engine.steps.order_queue import end_order
from services.engine.steps.pending_entries import drop_intent, drop_preorder
from services.engine.transition import Transition
from wire.types import OrderStatus

FLAT_BY = "flat_by"


def note_sessions(transition: Transition, command: NoteSessions) -> Reply:
    """Take note of sessions and news times. What is known already changes nothing.

    A news time that is no longer told stays while it begins before a looser setting would come into force: a line
    deleted under stress opens nothing.
    """
    desk = transition.desk
    loosens_at = next_day_start(transition.now, desk.rules.day_roll, AHEAD)
    kept = [n for n in desk.facts.news if transition.now < n.ends and n.begins < loosens_at and n not in command.news]
    news = tuple(sorted([*command.news, *kept], key=_by_time))
    facts = MarketFacts(command.sessions, news, command.news_fault)
    if facts == desk.facts:
        return Done()
    transition.change_desk(facts=facts)
    transition.record(SessionsNoted(tuple(command.sessions), len(news), command.news_fault))
    return Done()


def _by_time(news: NewsTime) -> tuple[object, ...]:
    return news.begins, news.ends, news.title


def lock_out(transition: Transition, command: LockOut) -> Reply:
    """Lock all entries until the end that is asked for. A running lockout is never shortened.

    Pre-orders, intents and entries that no bridge has claimed are dropped; exits work on.
    """
    desk = transition.desk
    ends_at = lockout_end(desk, command.until, transition.now)
    standing = desk.lockout
    if standing is not None and standing.ends_at >= ends_at:
        return LockoutTaken(standing)
    since = standing.since if standing is not None and transition.now < standing.ends_at else transition.now
    lockout = Lockout(command.until, since, ends_at)
    transition.change_desk(lockout=lockout)
    transition.record(LockedOut(lockout.until, lockout.ends_at))
    for symbol in desk.assets:
        drop_preorder(transition, symbol, "entries were locked")
        drop_intent(transition, symbol)
        entering = transition.desk.open_entry(symbol)
        if entering is not None and entering.status is OrderStatus.PENDING:
            end_order(transition, entering, OrderStatus.CANCELLED, "entries were locked")
    return LockoutTaken(lockout)


def flatten_in_time(transition: Transition) -> None:
    """From ``FLAT_BY`` until the session's end demand an exit of every position and every open entry."""
    if transition.desk.generation < 5:
        return
    _warn_of_flat_time(transition)
    for symbol, asset in transition.desk.assets.items():
        entering = any(order.kind != "EXIT" for order in transition.desk.open_orders(symbol))
        if (asset.trade is not None or entering) and must_be_flat(transition.desk, symbol, transition.now):
            demand_exit(transition, symbol, FLAT_BY)


def _warn_of_flat_time(transition: Transition) -> None:
    """Raise an alert 5 min before the time to be flat, once a trading day."""
    desk, now = transition.desk, transition.now
    flat_time = next_flat_time(desk, now)
    if flat_time is None or desk.day.flat_warned or now < flat_time.begins - WARNED_BEFORE:
        return
    transition.change_desk(day=replace(desk.day, flat_warned=True))
    left = "now" if now >= flat_time.begins else f"in {countdown(flat_time.begins - now)}"
    detail = f"{left} everything is flattened, and no entry passes until the session ends"
    facts = {"flat_by": desk.rules.flat_by, "begins_at": flat_time.begins, "ends_at": flat_time.ends}
    transition.alert("flat_time", detail, facts=facts)


def note_best_result(transition: Transition) -> None:
    """Keep the most that the day's books have shown; in a row of the journal once it closes entries.

    What is only observed is stored with the next event, and a process that is killed before that forgets it: it must
    not forget what gate ``window`` goes by (SPEC 5.8).
    """
    live, rules = transition.desk.live, transition.desk.rules
    result = result_that_counts(transition.desk)
    best = max(result, live.best_result)
    if best > live.best_result:
        transition.change_desk(live=replace(live, best_result=best))
    locks = rules.profit_lock_usd is not None and live.best_result < rules.profit_lock_usd <= best
    gives_back = rules.give_back_usd is not None and best - result >= rules.give_back_usd
    if locks or (gives_back and not transition.desk.day.best_kept):
        transition.change_desk(day=replace(transition.desk.day, best_kept=True))
        transition.record(ObservationsKept())
