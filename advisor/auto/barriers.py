"""What became of a shadow trade: stop, target, or the end of its twelve bars, whichever came first. Pure.

It goes by minutes of bars that were over, and wholly recorded, when feeds was last asked, so that it does not depend on
when one looks, nor on how long feeds was away. Where stop
and target lie within one minute the stop came first: nobody knows, and the worse is assumed. A stop that the market
jumps over is filled at the open behind it; a target is never filled better than it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import takewhile

from msgspec import Struct
from msgspec.structs import replace

from advisor.auto.book import BAR_SECONDS, MINUTE, RATIO, SIGNS, TIMEFRAME, Trade
from advisor.ml.bars import Minute, series_of
from advisor.ml.labels import PRICE_DIGITS
from advisor.ml.numbers import ticks_of
from services.market.instruments import instrument_for
from wire.auto_trade import ShadowResult
from wire.types import Side

GIVES_UP_SECONDS = 3_600
"""How long after the end of a trade a minute may still be stored that belongs to it."""

GIVES_UP_BLIND_SECONDS = 86_400
"""The same while no later minute has come."""

SETTLES_SECONDS = 60
"""How long after a bar its last minute may still come."""


class End(Struct, frozen=True):
    """How a trade ended: at which price in ticks, at the end of which minute."""

    result: ShadowResult
    price: int | None
    at: int | None


def followed(trade: Trade, minutes: Sequence[Minute], known_until: float, now: int) -> Trade:
    """Return the trade as these minutes show it. What has been found before stays, also when minutes are corrected.

    ``known_until`` is when the minutes were asked for. Raises ``BarsRefused`` for minutes that cannot be true.
    """
    bars = range(trade.entry_from // BAR_SECONDS * BAR_SECONDS, trade.until, BAR_SECONDS)
    inside = minutes[bisect_left(minutes, bars[0], key=_start) : bisect_left(minutes, trade.until, key=_start)]
    whole = _whole_bars(trade.symbol, inside, known_until)
    given_up = _is_given_up(trade.until, minutes, now)
    unbroken = list(takewhile(whole.__contains__, bars))
    seen_until = unbroken[-1] + BAR_SECONDS if unbroken else trade.entry_from
    seen = [minute for minute in inside if trade.entry_from <= minute.t < seen_until]
    is_over = len(unbroken) == len(bars)
    entry = trade.entry
    if entry is None and seen:
        entry = ticks_of(trade.symbol, seen[0].o)
    trade = replace(trade, entry=entry)
    end = _end(trade, trade.side, seen, is_over, given_up) if trade.result == "pending" else None
    if end is not None:
        trade = replace(trade, result=end.result, exit_price=end.price, exit_at=end.at)
    coin = _end(trade, trade.coin_side, seen, is_over, given_up) if trade.coin_result == "pending" else None
    if coin is not None:
        trade = replace(trade, coin_result=coin.result, coin_exit=coin.price, coin_exit_at=coin.at)
    if is_over or given_up:
        is_known = trade.entry is not None and "unknown" not in (trade.result, trade.coin_result)
        trade = replace(trade, counted=int(is_over and is_known))
    return trade


def _whole_bars(symbol: str, inside: Sequence[Minute], known_until: float) -> frozenset[int]:
    """Return the starts of the bars that are over and wholly recorded."""
    over = [minute for minute in inside if _bar_of(minute) + BAR_SECONDS + SETTLES_SECONDS <= known_until]
    if not over:
        return frozenset()
    newest_end = datetime.fromtimestamp(_bar_of(over[-1]) + BAR_SECONDS, UTC)
    return frozenset(series_of(symbol, TIMEFRAME, over, newest_end).starts)


def _start(minute: Minute) -> int:
    return minute.t


def _bar_of(minute: Minute) -> int:
    return minute.t // BAR_SECONDS * BAR_SECONDS


def _end(trade: Trade, side: Side, seen: Sequence[Minute], is_over: bool, given_up: bool) -> End | None:
    """Return how a trade of this side ended, None while that is open."""
    if trade.entry is not None:
        met = _met(trade.symbol, side, trade.entry, trade.risk, seen)
        if met is not None:
            return met
        if is_over and seen:
            return End("timeout", ticks_of(trade.symbol, seen[-1].c), trade.until)
    return End("unknown", None, None) if is_over or given_up else None


def _met(symbol: str, side: Side, entry: int, risk: int, seen: Iterable[Minute]) -> End | None:
    """Return the barrier that was met first."""
    sign = SIGNS[side]
    stop, target = entry - sign * risk, entry + sign * RATIO * risk
    tick = float(instrument_for(symbol).tick_size)
    stop_price, target_price = round(stop * tick, PRICE_DIGITS), round(target * tick, PRICE_DIGITS)
    for minute in seen:
        worst, best = (minute.l, minute.h) if side == "BUY" else (minute.h, minute.l)
        if sign * worst <= sign * stop_price:
            opens = ticks_of(symbol, minute.o)
            return End("sl", min(stop, opens) if side == "BUY" else max(stop, opens), minute.t + MINUTE)
        if sign * best >= sign * target_price:
            return End("tp", target, minute.t + MINUTE)
    return None


def _is_given_up(until: int, minutes: Sequence[Minute], now: int) -> bool:
    """Return whether what is missing of a trade will hardly come any more."""
    goes_on = bool(minutes) and minutes[-1].t >= until
    return now > until + (GIVES_UP_SECONDS if goes_on else GIVES_UP_BLIND_SECONDS)
