"""What the shadow trades are worth, beside two baselines: always flat, and a coin under the same barriers. Pure.

Trades count once all of their bars are over: losses, whose barrier is nearer, are known sooner than wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from advisor.agent.intervals import Moments, mean_interval
from advisor.auto.book import Trade, in_r
from wire.auto_trade import AutoResults, Compared, MeanR

FEWEST = 20
"""With fewer trades no mean is told: Student's interval needs about so many."""

UNKNOWN = MeanR(mean=None, low=None, high=None)
DIGITS = Decimal("0.0001")


class Outcome(Struct, frozen=True):
    """A trade that counts: its result in R, and the coin's."""

    trade: Trade
    r: Decimal
    coin_r: Decimal


def outcome_of(trade: Trade) -> Outcome | None:
    """Return what a trade became, None for one that does not count."""
    r = in_r(trade.side, trade.entry, trade.exit_price, trade.risk)
    coin_r = in_r(trade.coin_side, trade.entry, trade.coin_exit, trade.risk)
    if not trade.counted or r is None or coin_r is None:
        return None
    return Outcome(trade, r, coin_r)


def results_of(trades: Sequence[Trade]) -> AutoResults:
    """Return the figures of all trades of the book."""
    outcomes = [outcome for trade in trades if (outcome := outcome_of(trade)) is not None]
    own = [outcome.r for outcome in outcomes]
    coin = [outcome.coin_r for outcome in outcomes]
    results = [outcome.trade.result for outcome in outcomes]
    coin_mean = mean_of(coin)
    return AutoResults(
        n=len(outcomes),
        won=results.count("tp"),
        lost=results.count("sl"),
        timed_out=results.count("timeout"),
        not_counted=sum(trade.counted is not None for trade in trades) - len(outcomes),
        open=sum(trade.counted is None for trade in trades),
        r=mean_of(own),
        always_flat=Compared(mean=Decimal(0), better_by=mean_of(own)),
        coin_flip=Compared(mean=coin_mean.mean, better_by=mean_of([a - b for a, b in zip(own, coin, strict=True)])),
    )


def mean_of(values: Sequence[Decimal]) -> MeanR:
    """Return a mean with its 95 % interval, nothing below 20 values."""
    n = len(values)
    if n < FEWEST:
        return UNKNOWN
    mean = sum(values, Decimal(0)) / n
    deviation = (sum(((value - mean) ** 2 for value in values), Decimal(0)) / (n - 1)).sqrt()
    found = mean_interval(Moments(n, mean, deviation))
    return MeanR(mean=rounded(found.value), low=rounded(found.low), high=rounded(found.high))


def rounded(value: Decimal) -> Decimal:
    """Return a value with four decimals."""
    return value.quantize(DIGITS).normalize() + 0
