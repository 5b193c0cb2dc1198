"""What a firm's rules leave now: the loss, the contracts, the time (SPEC 5.9). All functions are pure.

A firm's rules only ever tighten. What its profile does not say is not limited here, and shown as unknown.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal

from services.engine.model.firm import Firm
from services.engine.model.state import Asset, Desk
from services.engine.model.trading_day import CME_ROLL, NEW_YORK
from services.engine.rules.beliefs import books_toward, day_result, start_of
from services.engine.rules.firm_floor import LossLimit, firm_in_force, firm_limits
from services.engine.rules.verdicts import OPEN, Verdict, closed
from wire.types import Instant, Usd

FRIDAY, SATURDAY, SUNDAY = 4, 5, 6


def worst_result(desk: Desk, limit: LossLimit | None = None) -> Usd:
    """Return the day's result by the way that shows the least, of those that are known, as the limit counts it."""
    result = day_result(desk)
    books = result.books if limit is None else books_toward(desk, limit, result.books)
    return min(way for way in (result.balance, result.figures, books) if way is not None)


def left_of_firm(desk: Desk, now: Instant) -> Usd | None:
    """Return what the account may still lose before a loss limit of the firm, less the buffer, ends the day.

    None when no firm limits a loss, and while the day's start is unknown (LIVE only; then ``account`` refuses). Zero or
    less: nothing is left.
    """
    start = start_of(desk)
    if start is None:
        return None
    return min((left_of(desk, limit) for limit in firm_limits(desk, start)), default=None)


def left_of(desk: Desk, limit: LossLimit) -> Usd:
    """Return what may still be lost before one limit ends the day."""
    return worst_result(desk, limit) - limit.result


def firm_has_room(desk: Desk, now: Instant) -> Verdict:
    """Close while the firm's loss limits leave nothing: also for an account that began the day below the floor."""
    left = left_of_firm(desk, now)
    firm = firm_in_force(desk)
    if firm is None or left is None or left > 0:
        return OPEN
    detail = f"{firm.title} leaves {left:.2f} USD of its loss limits less the buffer; ask the firm what it counts"
    return closed("firm_limit", detail, firm=firm.title, left_usd=left)


# -- contracts -----------------------------------------------------------------------------------------------------


def firm_contracts(desk: Desk, now: Instant) -> Decimal | None:
    """Return the most contracts that the firm allows at once, as the firm counts them: ``micros_are_whole``.

    None when no firm limits them.
    """
    firm = firm_in_force(desk)
    return None if firm is None else allowed_lots(desk, firm)


def micros_are_whole(desk: Desk) -> bool:
    """Return whether the firm counts a micro as a whole contract; else it is a tenth of one."""
    firm = firm_in_force(desk)
    return firm is not None and firm.micros_count_full


def allowed_lots(desk: Desk, firm: Firm) -> Decimal | None:
    """Return the number of the scaling plan, as the firm counts; the plan's first one while the profit is unknown.

    The profit is that of the day's start or of now, whichever is less: a plan that is read at the end of a day and one
    that is read at every moment are both kept.
    """
    if not firm.scaling:
        return None
    profit = scaling_profit(desk, firm)
    reached = [step for step in firm.scaling if profit is not None and profit > step.profit]
    return (reached[-1] if reached else firm.scaling[0]).contracts


def scaling_profit(desk: Desk, firm: Firm) -> Usd | None:
    """Return the profit over the start balance, None while no balance of the day is believed."""
    start = desk.day.start_equity
    if start is None or firm.start_balance is None:
        return None
    return start - firm.start_balance + min(worst_result(desk), Decimal(0))


# -- the flat time -------------------------------------------------------------------------------------------------


def firm_is_open(desk: Desk, asset: Asset | None, now: Instant) -> Verdict:
    """Close from the firm's flat time until it opens again; the weekend lies between Friday's and Sunday's."""
    firm = firm_in_force(desk)
    if firm is None or firm.flat_by is None:
        return OPEN
    opens = opens_after(firm, now)
    if opens is None:
        return OPEN
    detail = f"{firm.title} wants to be flat by {firm.flat_by} New York"
    return closed("firm_flat_time", detail, opens, firm=firm.title, flat_by=firm.flat_by, opens_at=opens)


def opens_after(firm: Firm, now: Instant) -> Instant | None:
    """Return when entries are open again, None while they are. A firm that does not say it opens with the CME day."""
    if firm.flat_by is None:
        return None
    local = now.astimezone(NEW_YORK)
    flat, opens = time.fromisoformat(firm.flat_by), time.fromisoformat(firm.opens_at or CME_ROLL)
    day, clock = local.date(), local.time()
    if _is_weekend(day.weekday(), clock, flat, opens):
        while day.weekday() != (SUNDAY if opens > flat else 0):
            day += timedelta(days=1)
    elif (opens > flat and not flat <= clock < opens) or (opens <= flat and opens <= clock < flat):
        return None
    elif opens <= flat <= clock:
        day += timedelta(days=1)
    return datetime.combine(day, opens, NEW_YORK).astimezone(now.tzinfo)


def _is_weekend(weekday: int, clock: time, flat: time, opens: time) -> bool:
    """Return whether nothing opens before Sunday's evening, or Monday's morning where a day opens in the morning."""
    if weekday == FRIDAY:
        return clock >= flat
    return weekday == SATURDAY or (weekday == SUNDAY and (opens <= flat or clock < opens))


def flat_after(firm: Firm, now: Instant) -> Instant | None:
    """Return the next instant at which the firm wants everything flat, None when it does not say."""
    if firm.flat_by is None:
        return None
    local = now.astimezone(NEW_YORK)
    day, flat = local.date(), time.fromisoformat(firm.flat_by)
    while day.weekday() > FRIDAY or (day == local.date() and local.time() >= flat):
        day += timedelta(days=1)
    return datetime.combine(day, flat, NEW_YORK).astimezone(now.tzinfo)
