"""Roll rules: when the desk changes from one futures contract to the next.

TradingView rolls ``ES1!`` by volume and every broker on its own date, so the desk has its own rule: a *roll day* per
delivery month, the first day on which the following contract is used. Each rule rolls while the old contract can still
be traded and well before a delivery notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, time, timedelta

from msgspec import Struct

from services.market.holidays import FRIDAY, business_days_before, is_business_day, nth_weekday

MONTH_LETTERS = "FGHJKMNQUVXZ"  # January to December
CRUDE_ROLL_BUSINESS_DAYS = 3
GOLD_ROLL_BUSINESS_DAYS = 2


class RollRule(Struct, frozen=True):
    """Delivery months (1 to 12), and the day on which each is replaced by the next: ``roll_day(year, month)``.

    ``last_day(year, month)`` is its last trading day, ``last_hour`` the New York time at which it ends on that day, and
    ``micro_ends_before`` the number of business days by which the micro contract ends before the full one.
    """

    months: tuple[int, ...]
    roll_day: Callable[[int, int], date]
    last_day: Callable[[int, int], date]
    last_hour: time
    micro_ends_before: int = 0

    def front_month(self, on: date) -> str:
        """Return the month code of the contract to trade on a date: ``Z6`` for December 2026."""
        year, month = self.front_delivery(on)
        return f"{MONTH_LETTERS[month - 1]}{year % 10}"

    def front_delivery(self, on: date) -> tuple[int, int]:
        """Return year and month of the first delivery that is still used on a date."""
        return next(delivery for delivery in self.deliveries_from(on) if on < self.roll_day(*delivery))

    def deliveries_from(self, on: date) -> Iterator[tuple[int, int]]:
        """Yield this rule's delivery months from the date's month to the end of the following year."""
        months = ((year, month) for year in (on.year, on.year + 1) for month in self.months)
        return (delivery for delivery in months if delivery >= (on.year, on.month))


def index_roll_day(year: int, month: int) -> date:
    """Return the Monday of expiry week: four days before the third Friday (CME's customary index roll)."""
    return nth_weekday(year, month, FRIDAY, 3) - timedelta(days=4)


def index_last_trading_day(year: int, month: int) -> date:
    """Return the third Friday, or the business day before when shares do not open on it (CME rulebook, chapter 358).

    In June 2026 that is the 18th: the third Friday is Juneteenth.
    """
    third_friday = nth_weekday(year, month, FRIDAY, 3)
    return third_friday if is_business_day(third_friday) else business_days_before(third_friday, 1)


def crude_roll_day(year: int, month: int) -> date:
    """Return the third business day before the last trading day of crude oil for this delivery month.

    By then volume has moved on, and the micro contract, which ends one business day earlier, is still open.
    """
    return business_days_before(crude_last_trading_day(year, month), CRUDE_ROLL_BUSINESS_DAYS)


def crude_last_trading_day(year: int, month: int) -> date:
    """Return the last trading day of a crude oil contract (NYMEX rulebook, chapter 200).

    Three business days before the 25th of the month preceding delivery; four when the 25th is not one itself.
    """
    before_delivery = date(year, month, 1) - timedelta(days=1)
    the_25th = before_delivery.replace(day=25)
    return business_days_before(the_25th, 3 if is_business_day(the_25th) else 4)


def gold_roll_day(year: int, month: int) -> date:
    """Return the second business day before first notice, so that no position can be called for delivery.

    First notice is the last business day of the month preceding delivery (COMEX rulebook, chapter 113).
    """
    first_notice = business_days_before(date(year, month, 1), 1)
    return business_days_before(first_notice, GOLD_ROLL_BUSINESS_DAYS)


def gold_last_trading_day(year: int, month: int) -> date:
    """Return the third last business day of the delivery month (COMEX rulebook, chapter 113).

    A position must be gone well before: the roll day comes a month earlier.
    """
    following = date(year + month // 12, month % 12 + 1, 1)
    return business_days_before(following, 3)


INDEX_ENDS = time(9, 30)  # final settlement is computed from the opening of the shares
CRUDE_ENDS = time(17, 0)
GOLD_ENDS = time(13, 30)

INDEX_ROLL = RollRule((3, 6, 9, 12), index_roll_day, index_last_trading_day, INDEX_ENDS)
CRUDE_ROLL = RollRule(tuple(range(1, 13)), crude_roll_day, crude_last_trading_day, CRUDE_ENDS, micro_ends_before=1)
# G J M Q Z, the months that are liquid in gold; October is listed too, but thinly traded: no month to hold
GOLD_ROLL = RollRule((2, 4, 6, 8, 12), gold_roll_day, gold_last_trading_day, GOLD_ENDS)
