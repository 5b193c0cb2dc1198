"""The answers of the trader's journal: trades, figures, days, notes, the bricks of a trade.

Names in ``_s`` are seconds, in ``_usd`` US dollars, in ``_points`` points.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from msgspec import Struct

from wire.answers import BrickRow, OkAnswer, VersionAnswer
from wire.state import TradeRow
from wire.types import AwareTime, Env, FillKind, Side, TempoArmer, WayIn, WithOrAgainst, says


class GatesRow(Struct, frozen=True, kw_only=True):
    """The margins of the gates when the entry was accepted."""

    trade_of_day: Annotated[int, says("the slot of the day's trade limit that was next, from 1")]
    daily_stop_used_pct: Annotated[
        Decimal | None,
        says("percent of the daily stop used, below zero while the day had won; null when unknown"),
    ]
    since_cooldown_s: Annotated[
        Decimal | None,
        says("seconds since the last cooldown ended; null when that day had none before it"),
    ]
    candle_second: Annotated[Decimal, says("seconds since the candle began whose lock it took")]
    tempo_age_s: Annotated[Decimal | None, says("seconds since the tempo token was armed or renewed")]
    tempo_armed_by: Annotated[TempoArmer | None, says("null when unknown")]
    two_half: Annotated[WithOrAgainst, says("the 2.5pt colour beside the direction")]
    entered_by: WayIn


class FillRow(Struct, frozen=True, kw_only=True):
    """One fill of the trade."""

    at: AwareTime
    kind: Annotated[FillKind, says("RESIZE: the broker held another size, and the desk followed")]
    side: Side
    quantity: Annotated[int, says("contracts")]
    price: Decimal
    order_id: Annotated[str | None, says("null where the desk followed the broker's position without an order")]


class JournalTradeRow(TradeRow, frozen=True, kw_only=True):
    """A closed trade with its note."""

    trading_day: date
    stop_points: Annotated[Decimal | None, says("points to the stop it was entered with, null when unknown")]
    target_points: Annotated[
        Decimal | None, says("points to the take-profit when it closed; null when it was off, or unknown")
    ]
    r: Annotated[
        Decimal | None,
        says("net over risk_usd; of older trades pnl_points over stop_points; null when unknown"),
    ]
    held_s: Decimal
    note: str
    tags: tuple[str, ...]
    noted_at: AwareTime | None
    gates_at_entry: Annotated[GatesRow | None, says("null for older trades and those adopted from the broker")]


class TradesAnswer(OkAnswer, frozen=True, kw_only=True):
    """A page of trades, newest first. ``next`` is the ``before`` of the next page, null after the last page."""

    trades: tuple[JournalTradeRow, ...]
    next: str | None


class FiguresRow(Struct, frozen=True, kw_only=True):
    """The figures of a set of trades. A figure is null when there is nothing to divide by."""

    trades: int
    wins: int
    losses: int
    commission_unknown: Annotated[int, says("trades of which a commission is not known: it counts 0 in usd")]
    commission_usd: Annotated[Decimal, says("what is known of it")]
    gross_usd: Decimal
    points: Annotated[Decimal | None, says("null for trades of several assets, as all points here")]
    usd: Annotated[Decimal, says("net of the commissions that are known, as all USD here but gross_usd")]
    win_rate: Annotated[Decimal | None, says("0 to 1; a trade at exactly zero USD is neither won nor lost")]
    expectancy_points: Decimal | None
    expectancy_usd: Decimal | None
    expectancy_r: Annotated[Decimal | None, says("mean of the trades' r, where it is known")]
    trades_with_r: int
    deviation_usd: Annotated[Decimal | None, says("standard deviation of single trades; null below two")]
    deviation_r: Annotated[Decimal | None, says("the same of their R, where the stop is known")]
    profit_factor: Annotated[Decimal | None, says("USD won over USD lost")]
    average_win_points: Decimal | None
    average_loss_points: Decimal | None
    average_hold_s: Decimal | None
    average_mae_points: Decimal | None
    average_mfe_points: Decimal | None


class GroupRow(FiguresRow, frozen=True, kw_only=True):
    """The figures of one group of trades."""

    name: str


class CurveRow(Struct, frozen=True, kw_only=True):
    """The total result when a trade closed, including that trade."""

    at: AwareTime
    trade_id: str
    usd: Annotated[Decimal, says("net of the commissions that are known")]
    points: Annotated[Decimal | None, says("null for trades of several assets")]


class StatisticsAnswer(OkAnswer, frozen=True, kw_only=True):
    """The figures of the selected trades, at most the newest 5,000. ``truncated`` is true when there are more."""

    env: Annotated[Env, says("of whose trades: the one traded now when none was named")]
    truncated: bool
    figures: FiguresRow
    deepest_fall_usd: Decimal | None
    curve: tuple[CurveRow, ...]
    groups: Annotated[dict[str, tuple[GroupRow, ...]], says("by hour (New York), zone, trade_of_day, … in order")]
    blocked_by_gate: Annotated[dict[str, int], says("tries of the selected days, of every asset and environment")]


class CalendarRow(Struct, frozen=True, kw_only=True):
    """A trading day with trades or attempts."""

    day: date
    trades: int
    wins: int
    commission_unknown: Annotated[int, says("trades of which a commission is not known: it counts 0 in usd")]
    points: Annotated[Decimal | None, says("null for trades of several assets")]
    usd: Annotated[Decimal, says("net of the commissions that are known")]
    blocked: int
    overrides: int
    forced_exits: int


class CalendarAnswer(OkAnswer, frozen=True, kw_only=True):
    """A month of trading days. ``truncated`` is true when it has more than 5,000 trades or attempts."""

    env: Annotated[Env, says("of whose trades: the one traded now when none was named")]
    month: str
    days: tuple[CalendarRow, ...]
    truncated: bool


class SampleRow(Struct, frozen=True, kw_only=True):
    """The account at an instant, in USD."""

    at: AwareTime
    env: Env
    equity: Decimal
    realized_pnl: Decimal | None
    open_pnl: Decimal | None


class BlockedRow(Struct, frozen=True, kw_only=True):
    """An entry that a gate refused."""

    at: AwareTime
    asset: str
    direction: Side | None
    price: Decimal | None
    gate: str
    sentence: str
    override: bool


class OverrideRow(Struct, frozen=True, kw_only=True):
    """An entry that skipped the zone gate, or an attempt to. ``gate`` is the gate that refused the attempt."""

    at: AwareTime
    asset: str
    direction: Side | None
    reason: str | None
    gate: str | None
    order_id: str | None


class DayAnswer(OkAnswer, frozen=True, kw_only=True):
    """One trading day. Lists come newest first, with the newest 200 attempts of each kind."""

    env: Annotated[Env, says("of whose trades: the one traded now when none was named")]
    day: date
    figures: FiguresRow
    samples: tuple[SampleRow, ...]
    blocked_by_gate: dict[str, int]
    blocked: tuple[BlockedRow, ...]
    overrides: tuple[OverrideRow, ...]
    forced_exits: tuple[JournalTradeRow, ...]


class GapRow(Struct, frozen=True, kw_only=True):
    """A place where bricks of a long trade are left out."""

    after: Annotated[int, says("the `n` of the brick behind which they are missing")]
    left_out: Annotated[int | None, says("how many, null when nobody counted them")]


class TradeBricksAnswer(OkAnswer, frozen=True, kw_only=True):
    """The bricks around a trade, oldest first: up to 40 before, 540 between, 20 after; ``n`` counts them from 1."""

    trade_id: str
    asset: str
    size: Annotated[Decimal, says("in points")]
    point_size: Annotated[Decimal, says("a point of the trade, in price")]
    bricks: tuple[BrickRow, ...]
    between: Annotated[int, says("how many of them closed while the trade was open")]
    gap: GapRow | None
    absence: Annotated[str | None, says("a sentence that says why there are none")]
    fills: Annotated[tuple[FillRow, ...], says("as they happened; of an older trade what the journal remembers")]
    fills_are_whole: Annotated[bool, says("false when some are not known")]


class NoteAnswer(VersionAnswer, frozen=True, kw_only=True):
    """The note is durable. ``trade`` includes it."""

    trade: JournalTradeRow
