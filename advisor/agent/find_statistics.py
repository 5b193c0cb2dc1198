"""The figures of many days: how the trades of each group differ from all of them, with intervals, or silence.

A group below 20 trades tells its number only, also to a language model: what is not in the result cannot be said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from advisor.agent.asked import asset_named, day_named
from advisor.agent.find_day import counts_of
from advisor.agent.findings import LEAST_TRADES, Differs, GroupFound, Statistics
from advisor.agent.groups import PART_OF_DAY, PARTS, part_of, part_words, words_of
from advisor.agent.intervals import Interval, Moments, mean_interval, pooled, share_interval
from advisor.agent.sources import Sources
from advisor.agent.tool import Found
from wire.journal import FiguresRow, GroupRow, StatisticsAnswer
from wire.types import Env

By = Literal[
    "hour",
    "part_of_day",
    "weekday",
    "zone",
    "discipline",
    "mode",
    "asset",
    "daily_stop_used",
    "trade_of_day",
    "after_cooldown",
    "candle_minute",
    "tempo_age",
    "tempo_armed_by",
    "two_half",
    "entered_by",
]
DIGITS = Decimal("0.0001")
CENT = Decimal("0.01")
ERROR_SHARE = Decimal("0.05")
"""How often an interval of 95 % leaves the truth out by chance."""


EndText = Annotated[
    Annotated[str, Meta(max_length=20)] | None,
    Meta(description="a date like 2026-11-17, today, yesterday or a weekday; null is no limit"),
]


class AskedStatistics(Struct, frozen=True, forbid_unknown_fields=True):
    """Which trades: of one asset or all, up to a day, of the desk's environment or another; and which groups."""

    asset: str | None = None
    by: Annotated[By | None, Meta(description="only this grouping; null is every one")] = None
    first_day: EndText = None
    last_day: EndText = None
    env: Env | None = None


async def find_statistics(sources: Sources, asked: AskedStatistics) -> Found:
    """Read the journal's figures and compare the groups."""
    state = await sources.state()
    today = state.desk.trading_day
    first = None if asked.first_day is None else day_named(asked.first_day, today)
    last = None if asked.last_day is None else day_named(asked.last_day, today)
    asset = None if asked.asset is None else asset_named(asked.asset)
    env = asked.env or state.desk.env
    answer = await sources.desk.statistics(env, asset, first, last)
    return Found(env, state.now, statistics_of(answer, asset, first, last, asked.by))


def statistics_of(
    answer: StatisticsAnswer, asset: str | None, first: date | None, last: date | None, by: By | None = None
) -> Statistics:
    """Return the figures with their intervals. Pure."""
    figures = answer.figures
    speaks = figures.trades >= LEAST_TRADES
    share = share_interval(figures.wins, figures.trades) if speaks else None
    mean_usd = mean_interval(known) if speaks and (known := _of_usd(figures)) else None
    of_r = _of_r(figures)
    mean_r = mean_interval(of_r) if of_r is not None and of_r.n >= LEAST_TRADES else None
    found = _groups(answer.groups, by, mean_r)
    groups = tuple(group for group in found if group.trades < figures.trades)  # all of them are no group
    refused = counts_of(answer.blocked_by_gate)
    compared = sum(group.mean_r is not None for group in groups)
    return Statistics(
        asset=asset,
        first_day=first,
        last_day=last,
        trades=figures.trades,
        truncated=answer.truncated,
        missing=None if speaks else "under_20_trades",
        least_trades=LEAST_TRADES,
        wins=figures.wins,
        **_named("win_share", "win_low", "win_high", share, DIGITS),
        **_named("mean_usd", "mean_usd_low", "mean_usd_high", mean_usd, CENT),
        trades_with_r=figures.trades_with_r,
        **_named("mean_r", "mean_r_low", "mean_r_high", mean_r, DIGITS),
        compared=compared,
        differing=sum(group.differs is not None for group in groups),
        differing_by_chance=compared * ERROR_SHARE if compared else None,
        groups=groups,
        refused_count=sum(row.count for row in refused),
        refused=refused,
    )


def _of_usd(figures: FiguresRow) -> Moments | None:
    if figures.expectancy_usd is None or figures.deviation_usd is None:
        return None
    return Moments(figures.trades, figures.expectancy_usd, figures.deviation_usd)


def _of_r(figures: FiguresRow) -> Moments | None:
    """Return mean and deviation of the results in R. One trade alone deviates from nothing."""
    if figures.expectancy_r is None:
        return None
    return Moments(figures.trades_with_r, figures.expectancy_r, figures.deviation_r or Decimal(0))


def _named(value: str, low: str, high: str, found: Interval | None, digits: Decimal) -> dict[str, Decimal | None]:
    if found is None:
        return {value: None, low: None, high: None}
    return {
        value: found.value.quantize(digits),
        low: found.low.quantize(digits),
        high: found.high.quantize(digits),
    }


# -- groups ---------------------------------------------------------------------------------------------------------


def _groups(groups: Mapping[str, tuple[GroupRow, ...]], by: By | None, base: Interval | None) -> Iterator[GroupFound]:
    for grouping, rows in groups.items():
        if by in (None, grouping):
            yield from _rows_of(grouping, rows, base)
    if by in (None, PART_OF_DAY):
        yield from _parts_of_day(groups.get("hour", ()), base)


def _rows_of(by: str, rows: Iterable[GroupRow], base: Interval | None) -> Iterator[GroupFound]:
    for row in rows:
        words = words_of(by, row.name)
        if words is not None:
            yield _group(by, row.name, words, row.trades, row.wins, _of_r(row), base)


def _parts_of_day(hours: Iterable[GroupRow], base: Interval | None) -> Iterator[GroupFound]:
    """Put the hours of the journal together: mean and deviation of several groups follow from theirs."""
    of_part: dict[str, list[GroupRow]] = {}
    for row in hours:
        of_part.setdefault(part_of(row.name), []).append(row)
    for name in PARTS:
        rows = of_part.get(name, [])
        if rows:
            moments = pooled(known for row in rows if (known := _of_r(row)) is not None)
            trades, wins = sum(row.trades for row in rows), sum(row.wins for row in rows)
            yield _group(PART_OF_DAY, name, part_words(name), trades, wins, moments, base)


def _group(
    by: str, name: str, words: str, trades: int, wins: int, moments: Moments | None, base: Interval | None
) -> GroupFound:
    share = share_interval(wins, trades) if trades >= LEAST_TRADES else None
    speaks = share is not None and moments is not None and moments.n >= LEAST_TRADES
    mean = mean_interval(moments) if speaks and moments is not None else None
    return GroupFound(
        by=by,
        name=name,
        words=words,
        trades=trades,
        missing="under_20_trades" if share is None else None if speaks else "unknown_risk",
        **_named("win_share", "win_low", "win_high", share, DIGITS),
        trades_with_r=moments.n if speaks and moments is not None else None,
        **_named("mean_r", "mean_low", "mean_high", mean, DIGITS),
        differs=None if mean is None or base is None else _differs(mean, base.value),
    )


def _differs(mean: Interval, base: Decimal) -> Differs | None:
    if not mean.excludes(base):
        return None
    return "above" if mean.low > base else "below"
