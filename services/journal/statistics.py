"""Statistics of trades: figures, groups and the equity curve. Pure functions.

Sums are exact Decimals; a mean or a share is one division of exact sums, and None for an empty set. USD are
net of the commissions that are known (SPEC 7.5). A trade is won above zero USD, lost below, and neither at zero. Points
of different assets are never added.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec import Struct

from services.engine.model.events import EntryAccepted, EntryBlocked, ExitBlocked
from services.engine.model.lock_names import INITIAL_EXIT_GATE
from services.engine.model.trade_events import TradeClosed
from services.journal.gate_groups import GATE_GROUPINGS
from services.journal.trades import JournalTrade
from services.market.units import earlier_point
from services.projections.attempts import Attempt
from wire.types import Instant, Usd

NEW_YORK = ZoneInfo("America/New_York")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ZERO = Decimal(0)


class Figures(Struct, frozen=True):
    """The figures of a set of trades. A figure is None when there is nothing to divide by.

    ``commission_unknown`` counts the trades of which a commission is not known; it counts 0. ``points`` and all means
    of points are None for trades of several assets. ``expectancy_r`` counts only the ``trades_with_r``, whose risk at
    entry or initial stop is known. ``profit_factor`` is USD won divided by USD lost. ``deviation_usd`` and
    ``deviation_r`` are how far single trades lie from their mean (n - 1): with them a reader can say how certain a
    mean is.
    """

    trades: int
    wins: int
    losses: int
    commission_unknown: int
    commission_usd: Usd
    gross_usd: Usd
    points: Decimal | None
    usd: Usd
    win_rate: Decimal | None
    expectancy_points: Decimal | None
    expectancy_usd: Usd | None
    expectancy_r: Decimal | None
    trades_with_r: int
    deviation_usd: Usd | None
    deviation_r: Decimal | None
    profit_factor: Decimal | None
    average_win_points: Decimal | None
    average_loss_points: Decimal | None
    average_hold_s: Decimal | None
    average_mae_points: Decimal | None
    average_mfe_points: Decimal | None


class Group(Struct, frozen=True):
    """The figures of one group of trades."""

    name: str
    figures: Figures


class CurvePoint(Struct, frozen=True):
    """The total result when a trade closed, including that trade."""

    at: Instant
    trade_id: str
    usd: Usd
    points: Decimal | None


class CalendarDay(Struct, frozen=True):
    """One trading day: its trades, and the attempts against the rules."""

    day: date
    trades: int
    wins: int
    commission_unknown: int
    points: Decimal | None
    usd: Usd
    blocked: int
    overrides: int
    forced_exits: int


def figures_of(trades: Sequence[JournalTrade]) -> Figures:
    """Return the figures of these trades."""
    dollars = [entry.trade.result_usd for entry in trades]
    won = [entry for entry in trades if entry.trade.result_usd > 0]
    lost = [entry for entry in trades if entry.trade.result_usd < 0]
    gross = sum((entry.trade.pnl_usd for entry in trades), ZERO)
    multiples = [entry.r for entry in trades if entry.r is not None]
    return Figures(
        trades=len(trades),
        wins=len(won),
        losses=len(lost),
        commission_unknown=unknown_commissions(trades),
        commission_usd=gross - sum(dollars, ZERO),
        gross_usd=gross,
        points=added_points(trades),
        usd=sum(dollars, ZERO),
        win_rate=share(Decimal(len(won)), Decimal(len(trades))),
        expectancy_points=mean_points(trades, lambda trade: trade.pnl_points),
        expectancy_usd=mean(dollars),
        expectancy_r=mean(multiples),
        trades_with_r=len(multiples),
        deviation_usd=deviation(dollars),
        deviation_r=deviation(multiples),
        profit_factor=share(sum((d for d in dollars if d > 0), ZERO), -sum((d for d in dollars if d < 0), ZERO)),
        average_win_points=mean_points(won, lambda trade: trade.pnl_points),
        average_loss_points=mean_points(lost, lambda trade: trade.pnl_points),
        average_hold_s=mean([entry.held_seconds for entry in trades]),
        average_mae_points=mean_points(trades, lambda trade: trade.mae_points),
        average_mfe_points=mean_points(trades, lambda trade: trade.mfe_points),
    )


def unknown_commissions(trades: Iterable[JournalTrade]) -> int:
    """Count the trades of which a commission is not known, those of earlier programs included."""
    return sum(not entry.trade.commission_known for entry in trades)


def added_points(trades: Sequence[JournalTrade]) -> Decimal | None:
    """Return the sum of the trades' points, None for several assets: their points are not the same thing (SPEC 7.5)."""
    return sum((entry.trade.pnl_points for entry in trades), ZERO) if _is_of_one_asset(trades) else None


def mean_points(trades: Sequence[JournalTrade], points_of: Callable[[TradeClosed], Decimal]) -> Decimal | None:
    """Return a mean of points, None for several assets and for no trade."""
    return mean([points_of(entry.trade) for entry in trades]) if _is_of_one_asset(trades) else None


def _is_of_one_asset(trades: Iterable[JournalTrade]) -> bool:
    """Return whether all points are of one length: one asset, and the same unit of it."""
    told = {(entry.trade.asset, entry.trade.unit or earlier_point(entry.trade.asset)) for entry in trades}
    return len(told) <= 1


def mean(values: Sequence[Decimal]) -> Decimal | None:
    return share(sum(values, ZERO), Decimal(len(values)))


def deviation(values: Sequence[Decimal]) -> Decimal | None:
    """Return the standard deviation of a sample, None for fewer than two values."""
    middle = mean(values)
    if middle is None or len(values) < 2:
        return None
    return (sum(((value - middle) ** 2 for value in values), ZERO) / (len(values) - 1)).sqrt()


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    return part / whole if whole else None


# -- groups ---------------------------------------------------------------------------------------------------------


def hour_of_entry(entry: JournalTrade) -> list[str]:
    """Return the hour of the entry in New York: ``09``."""
    return [f"{entry.trade.entry_ts.astimezone(NEW_YORK).hour:02d}"]


def weekday_of(entry: JournalTrade) -> list[str]:
    return [WEEKDAYS[entry.trading_day.weekday()]]


def discipline_of(entry: JournalTrade) -> list[str]:
    """Return whether the trade kept the rules, used an override, had an exit that the operator forced, or both."""
    trade = entry.trade
    broken = [w for w, is_so in (("override", trade.override), ("forced exit", trade.is_forced_by_operator)) if is_so]
    return [" and ".join(broken) or "by the rules"]


GROUPINGS: dict[str, Callable[[JournalTrade], Iterable[str]]] = {
    "hour": hour_of_entry,
    "weekday": weekday_of,
    "zone": lambda entry: [entry.trade.zone],
    "discipline": discipline_of,
    "reason": lambda entry: [entry.trade.reason],
    "mode": lambda entry: [entry.trade.mode],
    "asset": lambda entry: [entry.trade.asset],
    "tag": lambda entry: entry.note.tags,
    **{name: grouping.names for name, grouping in GATE_GROUPINGS.items()},
}
NATURAL_ORDER: dict[str, Callable[[str], int]] = {
    "weekday": WEEKDAYS.index,
    **{name: grouping.place for name, grouping in GATE_GROUPINGS.items()},
}


def groups_of(trades: Sequence[JournalTrade], by: str) -> list[Group]:
    """Return the groups of one grouping, sorted in their natural order if they have one, else by name."""
    members: dict[str, list[JournalTrade]] = {}
    for entry in trades:
        for name in GROUPINGS[by](entry):
            members.setdefault(name, []).append(entry)
    return [Group(name, figures_of(members[name])) for name in sorted(members, key=NATURAL_ORDER.get(by))]


def curve_of(trades: Iterable[JournalTrade]) -> list[CurvePoint]:
    """Return the equity curve of closed trades, oldest first."""
    in_order = sorted(trades, key=lambda entry: (entry.trade.exit_ts, entry.trade.id))
    adds_points = _is_of_one_asset(in_order)
    usd = points = ZERO
    curve = []
    for entry in in_order:
        usd += entry.trade.result_usd
        points += entry.trade.pnl_points
        curve.append(CurvePoint(entry.trade.exit_ts, entry.trade.id, usd, points if adds_points else None))
    return curve


def deepest_fall(curve: Sequence[CurvePoint]) -> Usd | None:
    """Return the maximum drawdown: the largest loss from a peak of the curve, in USD. The start counts as a peak."""
    if not curve:
        return None
    peak = fall = ZERO
    for point in curve:
        peak = max(peak, point.usd)
        fall = max(fall, peak - point.usd)
    return fall


# -- attempts against the rules -------------------------------------------------------------------------------------


def blocked_by_gate(attempts: Iterable[Attempt]) -> dict[str, int]:
    """Count refused entries by gate and locked exits under ``initial_exit_lock``, the most frequent first."""
    gates: Counter[str] = Counter()
    for event in attempts:
        if isinstance(event, EntryBlocked):
            gates[event.gate] += 1
        elif isinstance(event, ExitBlocked):
            gates[INITIAL_EXIT_GATE] += 1
    return dict(sorted(gates.items(), key=lambda pair: (-pair[1], pair[0])))


def calendar_of(
    trades: Iterable[JournalTrade],
    attempts: Iterable[tuple[Instant, Attempt]],
    day_of: Callable[[Instant], date],
) -> list[CalendarDay]:
    """Return the trading days with trades or attempts, in order."""
    by_day: dict[date, list[JournalTrade]] = {}
    for entry in trades:
        by_day.setdefault(entry.trading_day, []).append(entry)
    blocked: Counter[date] = Counter()
    overrides: Counter[date] = Counter()
    for at, event in attempts:
        (overrides if isinstance(event, EntryAccepted) else blocked)[day_of(at)] += 1
    return [
        _calendar_day(day, by_day.get(day, []), blocked[day], overrides[day])
        for day in sorted({*by_day, *blocked, *overrides})
    ]


def _calendar_day(day: date, trades: Sequence[JournalTrade], blocked: int, overrides: int) -> CalendarDay:
    return CalendarDay(
        day=day,
        trades=len(trades),
        wins=sum(entry.trade.result_usd > 0 for entry in trades),
        commission_unknown=unknown_commissions(trades),
        points=added_points(trades),
        usd=sum((entry.trade.result_usd for entry in trades), ZERO),
        blocked=blocked,
        overrides=overrides,
        forced_exits=sum(entry.trade.is_forced_by_operator for entry in trades),
    )
