"""The trading day: its roll, the warnings on the way to the daily stop, and the stop itself (SPEC 5.5, 5.6)."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from services.engine.model.account import Awaited, Beliefs, Reading
from services.engine.model.events import DailyStopTriggered, DayRolled, DayWarned
from services.engine.model.proof_events import DailyStopAwaited, DailyStopNotConfirmed
from services.engine.model.state import Day
from services.engine.model.trading_day import WARNING_MARKS, drawdown_pct, trading_day_of
from services.engine.rules.beliefs import (
    books_read_at,
    books_result,
    is_second,
    limit_reached,
    opening_books,
    start_of,
)
from services.engine.rules.firm_floor import LimitReached
from services.engine.steps.firm import end_day_of_firm, watch_account
from services.engine.steps.suspect_fills import forget_excess
from services.engine.transition import Transition
from wire.types import Usd

ZERO = Decimal(0)
FIRM_LIMITS = {"daily_loss": "daily loss limit", "trailing_drawdown": "trailing drawdown"}


def roll_day(transition: Transition) -> None:
    """Begin the new trading day when it is due; never go back to an earlier day."""
    today = trading_day_of(transition.now, transition.desk.rules.day_roll)
    if today <= transition.desk.day.trading_day:
        return
    end_day_of_firm(transition)
    if transition.desk.generation > 1:
        _carry_over(transition)
    forget_excess(transition)
    books = opening_books(transition.desk) if transition.desk.generation > 1 else transition.desk.day.books
    transition.change_desk(day=Day(trading_day=today, books=books))
    if transition.desk.generation > 4:
        nothing_won = replace(transition.desk.live, best_result=ZERO, other_best_result=ZERO)
        transition.change_desk(live=nothing_won)
    else:
        transition.change_desk(rules=transition.desk.wanted)
    transition.record(DayRolled(today))
    for asset in transition.desk.assets.values():  # prices are judged by their own trading day, the first by the last
        before = asset.live.watch.price if transition.desk.generation > 1 else None
        watch = replace(asset.live.watch, low=before, high=before)
        if watch != asset.live.watch:
            asset = transition.put_asset(replace(asset, live=replace(asset.live, watch=watch)))
        bars = replace(asset.live.bars.watch, low=asset.live.bars.watch.price, high=asset.live.bars.watch.price)
        if bars != asset.live.bars.watch:
            live = replace(asset.live, bars=replace(asset.live.bars, watch=bars))
            asset = transition.put_asset(replace(asset, live=live))
        if asset.doubt is not None and asset.doubt.withheld:  # it was that of the day before
            transition.put_asset(replace(asset, doubt=replace(asset.doubt, withheld=ZERO)))


def _carry_over(transition: Transition) -> None:
    """Keep the last believed balances, counted from the new day's books. A suspect balance is the new day's first."""
    desk = transition.desk
    suspicion = desk.live.beliefs.suspicion
    if suspicion is not None:
        balance = suspicion.reading.balance
        detail = f"{balance:.2f} USD was not explained before the day rolled; the new day begins with it"
        transition.alert("balance_adopted", detail, facts={"balance": balance, "unexplained": suspicion.unexplained})
    beliefs = _of_the_new_day(desk.live.beliefs, books_result(desk))
    other = _of_the_new_day(desk.live.other_beliefs, desk.day.other_books.closed - desk.day.other_books.opening)
    transition.change_desk(live=replace(desk.live, beliefs=beliefs, other_beliefs=other))


def _of_the_new_day(beliefs: Beliefs, result: Usd) -> Beliefs:
    reading = beliefs.believed if beliefs.suspicion is None else beliefs.suspicion.reading
    return Beliefs(believed=None if reading is None else _counted_from(reading, result))


def _counted_from(reading: Reading, result: Usd) -> Reading:
    return replace(reading, books=reading.books - result, marked=reading.marked - result)


def warn_of_daily_stop(transition: Transition) -> None:
    """Raise an alert when the drawdown passes 50, 70 and 85 percent of the daily stop, each once a day."""
    drawdown = drawdown_pct(transition.desk)
    day = transition.desk.day
    limit = transition.desk.rules.daily_stop_limit_pct
    if drawdown is None or day.is_stopped or drawdown >= limit:
        return
    passed = max((mark for mark in WARNING_MARKS if drawdown * 100 >= limit * mark), default=0)
    if passed <= day.warned_pct:
        return
    transition.change_desk(day=replace(day, warned_pct=passed))
    transition.record(DayWarned(passed, drawdown))
    detail = f"drawdown {drawdown:.2f}% of {limit.normalize():f}%"
    transition.alert("daily_warning", detail, facts={"mark_pct": passed, **_facts(drawdown, limit)})


def check_daily_stop(transition: Transition) -> None:
    """Judge the day's result: a first reading at the limit is awaited to be confirmed, a second one ends the day.

    The limit is the nearest of the daily stop's and the firm's (SPEC 5.9): all are proven alike.
    """
    watch_account(transition)
    if transition.desk.day.is_stopped:
        return
    if transition.desk.generation == 1:
        _end_day_on_one_balance(transition)
        return
    reached = limit_reached(transition.desk, transition.now)
    if _is_confirmed(transition, reached):
        _end_day(transition, reached)
    else:
        _await_second(transition, reached)


def _is_confirmed(transition: Transition, reached: LimitReached) -> bool:
    """Note the first readings at the limit, and return whether this is an independent second one (SPEC 5.6).

    A balance that nothing agrees with proves nothing; it does not take back the first reading either.
    """
    live = transition.desk.live
    beliefs = live.beliefs
    books_at = books_read_at(transition.desk, transition.now)
    balance_at = None if beliefs.last is None else beliefs.last.at
    if reached.is_proven and balance_at is not None and is_second(beliefs.balance_at_limit, balance_at):
        return True
    if reached.by_books and is_second(beliefs.books_at_limit, books_at):
        return True
    first_balance = beliefs.balance_at_limit if reached.by_balance else None
    if reached.is_proven:
        first_balance = first_balance or balance_at
    first_books = (beliefs.books_at_limit or books_at) if reached.by_books else None
    noted = replace(beliefs, balance_at_limit=first_balance, books_at_limit=first_books)
    if noted != beliefs:
        transition.change_desk(live=replace(live, beliefs=noted))
    return False


def _await_second(transition: Transition, reached: LimitReached) -> None:
    day = transition.desk.day
    awaited = day.books.awaited
    if (reached.by_balance or reached.by_books) and awaited is None:
        awaited = Awaited(transition.now, reached.loss)
        transition.change_desk(day=replace(day, books=replace(day.books, awaited=awaited)))
        transition.record(DailyStopAwaited(reached.loss))
    elif not (reached.by_balance or reached.by_books) and awaited is not None and not awaited.is_final:
        transition.change_desk(day=replace(day, books=replace(day.books, awaited=None)))
        transition.record(DailyStopNotConfirmed())


def _end_day_on_one_balance(transition: Transition) -> None:
    """Trigger the daily stop as generation 1 did: on the first balance at the limit."""
    drawdown = drawdown_pct(transition.desk)
    limit = transition.desk.rules.daily_stop_limit_pct
    if drawdown is not None and drawdown >= limit:
        _trigger(transition, _reason(drawdown, limit), _facts(drawdown, limit))


def _end_day(transition: Transition, reached: LimitReached) -> None:
    """End the day, and say whose limit was reached."""
    desk = transition.desk
    limit = desk.rules.daily_stop_limit_pct
    loss = reached.loss
    drawdown = loss / (start_of(desk) or loss) * 100 if loss else loss
    facts: dict[str, object] = {**_facts(drawdown, limit)}
    if desk.rules.firm is None or reached.limit is None or reached.limit.of == "daily_stop":
        _trigger(transition, _reason(drawdown, limit), facts)
        return
    rule = FIRM_LIMITS[reached.limit.of]
    buffer = desk.rules.firm_buffer_pct.normalize()
    amount = f"{reached.limit.usd:.2f} USD (less the buffer of {buffer:f}%)"
    since = " from the day's highest" if reached.limit.high else ""
    reason = f"{loss:.2f} USD lost{since}, what {desk.rules.firm.title} leaves by its {rule} is {amount}"
    told = {"firm": desk.rules.firm.title, "of": reached.limit.of, "loss_usd": loss, "limit_usd": reached.limit.usd}
    _trigger(transition, reason, {**facts, **told})


def _reason(drawdown: Decimal, limit: Decimal) -> str:
    return f"drawdown {drawdown:.2f}% reached the {limit.normalize():f}% limit"


def _trigger(transition: Transition, reason: str, facts: dict[str, object]) -> None:
    """Trigger the daily stop. It then holds until the day rolls."""
    day = transition.desk.day
    transition.change_desk(day=replace(day, daily_stop_at=transition.now, daily_stop_reason=reason))
    transition.record(DailyStopTriggered(reason))
    transition.alert("daily_stop", f"{reason}; flattening, no entries until the day rolls", facts=facts)


def _facts(drawdown: Decimal, limit: Decimal) -> dict[str, object]:
    return {"drawdown_pct": round(drawdown, 2), "limit_pct": limit}
