"""Lets the stored minutes of feeds pass over the paper account."""

from __future__ import annotations

from advisor.mt4.fills import MINUTE
from advisor.mt4.lots import LOTS
from advisor.mt4.paper_book import MinutesPassed, PaperOrder, PaperPosition
from advisor.mt4.paper_store import PaperStore
from advisor.mt4.prices import FeedsPrices
from wire.minutes import MinuteRow

SETTLES_SECONDS = 60
"""After this long the better sources of a minute have told it, or are late."""


async def let_minutes_pass(store: PaperStore, prices: FeedsPrices, now: float) -> set[int]:
    """Let every stored minute pass that was not looked at, and return the orders that are as good as filled.

    From the first minute that may still be improved on only what is certain counts. `now` is in seconds of the epoch.
    Raises `ServiceRefused` while feeds is away.
    """
    held: list[PaperOrder | PaperPosition] = [*store.orders(), *store.positions()]
    touched: set[int] = set()
    for symbol, simulated in sorted({(one.symbol, one.simulated) for one in held}):
        touched |= await _pass(store, prices, now, symbol, simulated=simulated)
    return touched


async def _pass(store: PaperStore, prices: FeedsPrices, now: float, symbol: str, *, simulated: bool) -> set[int]:
    orders = store.orders(symbol, simulated)
    passed = MinutesPassed(orders, store.positions(symbol, simulated), LOTS[symbol])
    after = min([one.next_minute for one in orders] + [one.next_minute for one in passed.positions]) - 1
    is_new, all_stand = False, True
    async for page in prices.minutes(symbol, after, simulated=simulated):
        for minute in page:
            all_stand = all_stand and _has_settled(minute, now)
            if all_stand:
                passed.passes(minute)
                is_new = True
            else:
                passed.touches(minute)
    if is_new or passed.deals:
        with store.changing() as change:
            change.passed(passed, orders)
    return passed.touched


def _has_settled(minute: MinuteRow, now: float) -> bool:
    """Return whether a minute stands. One that was put together from samples may still be improved."""
    return minute.source != "sampled" or minute.t + MINUTE + SETTLES_SECONDS <= now
