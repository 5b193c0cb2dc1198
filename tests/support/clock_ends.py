"""Keeps the ends of the wall clock's candles and trading days out of a story that is about one of them.

A real desk reads the machine's clock: a lock ends with its candle, and what was counted today begins anew with the day.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day

from services.engine.model.trading_day import CME_ROLL, NEW_YORK

CANDLE_SECONDS = 300
A_MOMENT = 0.05


def a_candle_lasts(seconds: float, length: int = CANDLE_SECONDS) -> None:
    """Return in a candle that lasts so much longer; one that ends sooner is waited out. Both in seconds."""
    left = length - time.time() % length
    if left < seconds:
        time.sleep(left + A_MOMENT)


def a_day_lasts(seconds: float) -> None:
    """Return in a trading day that lasts so many seconds more; one that ends sooner is waited out."""
    left = seconds_of_the_day(datetime.now(UTC))
    if left < seconds:
        time.sleep(left + A_MOMENT)


def seconds_of_the_day(now: datetime) -> float:
    """Return how many seconds the clock in New York has until trading days roll."""
    local = now.astimezone(NEW_YORK)
    rolls_at = datetime.combine(local.date(), time_of_day.fromisoformat(CME_ROLL), NEW_YORK)
    if rolls_at <= local:
        rolls_at = datetime.combine(local.date() + timedelta(days=1), time_of_day.fromisoformat(CME_ROLL), NEW_YORK)
    return (rolls_at.astimezone(UTC) - now).total_seconds()
