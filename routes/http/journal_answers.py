"""What the journal answers, as models for the API's document."""

from __future__ import annotations

from pydantic import BaseModel, Field

from routes.http.answers import BrickRow, OkAnswer, VersionAnswer
from routes.http.state_answers import TradeRow
from routes.http.words import Instant, Number, TradingDay
from services.projections.entry_gates import TempoArmer, WayIn, WithOrAgainst
from services.projections.trade_fills import FillKind
from wire.types import Env, Side


class GatesRow(BaseModel):
    """How the gates stood when the entry was accepted."""

    trade_of_day: int = Field(description="the slot of the day's trade limit that was next, from 1")
    daily_stop_used_pct: Number | None = Field(
        description="the day's drawdown in percent of its limit, below zero while the day had won; null when unknown"
    )
    since_cooldown_s: Number | None = Field(
        description="seconds since the cooldown behind the last exit ended, null when that day had none before it"
    )
    candle_second: Number = Field(description="seconds since the candle began whose lock it took")
    tempo_age_s: Number | None = Field(description="seconds since the tempo token was armed or renewed")
    tempo_armed_by: TempoArmer | None = Field(description="null when unknown")
    two_half: WithOrAgainst = Field(description="the 2.5pt colour beside the direction")
    entered_by: WayIn


class FillRow(BaseModel):
    """Contracts of the trade that changed hands."""

    at: Instant
    kind: FillKind = Field(description="RESIZE: the broker held another size, and the desk followed")
    side: Side
    quantity: int = Field(description="contracts")
    price: Number
    order_id: str | None = Field(description="null where the desk followed the broker's position without an order")


class JournalTradeRow(TradeRow):
    """A closed trade with what was written about it."""

    trading_day: TradingDay
    stop_points: Number | None = Field(description="points to the stop it was entered with, null when unknown")
    r: Number | None = Field(description="pnl_points over stop_points, null when unknown")
    held_s: Number
    note: str
    tags: list[str]
    noted_at: Instant | None
    gates_at_entry: GatesRow | None = Field(description="null for older trades and those adopted from the broker")


class TradesAnswer(OkAnswer):
    """A page of trades, newest first; ``next`` asks for the following one as ``before``, null behind the last."""

    trades: list[JournalTradeRow]
    next: str | None


class FiguresRow(BaseModel):
    """Trades in figures; null where there is nothing to divide by."""

    trades: int
    wins: int
    losses: int
    points: Number
    usd: Number
    win_rate: Number | None = Field(description="0 to 1; a trade at exactly zero points is neither won nor lost")
    expectancy_points: Number | None
    expectancy_usd: Number | None
    expectancy_r: Number | None = Field(description="mean of pnl_points over stop_points, where the stop is known")
    trades_with_r: int
    profit_factor: Number | None = Field(description="USD won over USD lost")
    average_win_points: Number | None
    average_loss_points: Number | None
    average_hold_s: Number | None
    average_mae_points: Number | None
    average_mfe_points: Number | None


class GroupRow(FiguresRow):
    """The figures of trades that have one thing in common."""

    name: str


class CurveRow(BaseModel):
    """What had been won when a trade closed, itself included."""

    at: Instant
    trade_id: str
    usd: Number
    points: Number


class StatisticsAnswer(OkAnswer):
    """The selected trades in figures, the newest 5,000 at most: ``truncated`` says that there are more."""

    truncated: bool
    figures: FiguresRow
    deepest_fall_usd: Number | None
    curve: list[CurveRow]
    groups: dict[str, list[GroupRow]] = Field(description="by hour (New York), zone, trade_of_day, ... in their order")
    blocked_by_gate: dict[str, int] = Field(description="tries of the selected days, of every asset and environment")


class CalendarRow(BaseModel):
    """A trading day on which anything was done or tried."""

    day: TradingDay
    trades: int
    wins: int
    points: Number
    usd: Number
    blocked: int
    overrides: int
    forced_exits: int


class CalendarAnswer(OkAnswer):
    """A month of trading days; ``truncated``: there was more than 5,000 trades or tries."""

    month: str
    days: list[CalendarRow]
    truncated: bool


class SampleRow(BaseModel):
    """The account at an instant, in USD."""

    at: Instant
    env: Env
    equity: Number
    realized_pnl: Number | None
    open_pnl: Number | None


class BlockedRow(BaseModel):
    """An entry that a gate refused."""

    at: Instant
    asset: str
    direction: Side | None
    price: Number | None
    gate: str
    sentence: str
    override: bool


class OverrideRow(BaseModel):
    """An entry that skipped the zone gate; ``gate`` refused it all the same."""

    at: Instant
    asset: str
    direction: Side | None
    reason: str | None
    gate: str | None
    order_id: str | None


class DayAnswer(OkAnswer):
    """All of one trading day; lists newest first, the newest 200 tries of each kind."""

    day: TradingDay
    figures: FiguresRow
    samples: list[SampleRow]
    blocked_by_gate: dict[str, int]
    blocked: list[BlockedRow]
    overrides: list[OverrideRow]
    forced_exits: list[JournalTradeRow]


class GapRow(BaseModel):
    """Where bricks of a long trade are left out."""

    after: int = Field(description="the `n` of the brick behind which they are missing")
    left_out: int | None = Field(description="how many, null when nobody counted them")


class TradeBricksAnswer(OkAnswer):
    """The bricks around a trade, oldest first: up to 40 before, 540 between, 20 after; ``n`` counts them from 1."""

    trade_id: str
    asset: str
    size: Number = Field(description="in points")
    point_size: Number = Field(description="a point, in price")
    bricks: list[BrickRow]
    between: int = Field(description="how many of them closed while the trade was open")
    gap: GapRow | None
    absence: str | None = Field(description="a sentence that says why there are none")
    fills: list[FillRow] = Field(description="as they happened; of an older trade what the journal remembers")
    fills_are_whole: bool = Field(description="false when some are not known")


class NoteAnswer(VersionAnswer):
    """The note is durable; ``trade`` shows it."""

    trade: JournalTradeRow
