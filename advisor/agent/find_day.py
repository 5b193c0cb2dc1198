"""A trading day: its trades, the entries that gates refused, and what those would have become."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from advisor.agent.asked import day_named
from advisor.agent.findings import (
    Attempt,
    Attempts,
    Day,
    DayNow,
    GateCount,
    OtherDay,
    OverrideMade,
    TradeMade,
    Unmade,
)
from advisor.agent.foreign_names import without_foreign_names
from advisor.agent.sources import Sources
from advisor.agent.tool import Found
from advisor.agent.wording import WEEKDAYS
from sidecar.web import DeskAway
from wire.journal import BlockedRow, DayAnswer, JournalTradeRow, OverrideRow, TradesAnswer
from wire.state import LiveDocument
from wire.types import Env, Usd
from wire.what_if import RefusedEntry, WhatIfDay

SHOWN = 20
INITIAL_EXIT_GATE = "initial_exit_lock"
"""The journal counts locked exits beside the gates of entries, under this name."""

DayText = Annotated[
    Annotated[str, Meta(max_length=20)] | None,
    Meta(description="today, yesterday, a weekday, or a date like 2026-11-17; null is today"),
]


class AskedDay(Struct, frozen=True, forbid_unknown_fields=True):
    """Which trading day, and of which environment; the desk's own by itself."""

    day: DayText = None
    env: Env | None = None


class AskedAttempts(Struct, frozen=True, forbid_unknown_fields=True):
    """Which trading day. Attempts are those of both environments."""

    day: DayText = None


# -- trades ---------------------------------------------------------------------------------------------------------


async def find_day(sources: Sources, asked: AskedDay) -> Found:
    """Read the day's figures and its trades."""
    state = await sources.state()
    day = day_named(asked.day, state.desk.trading_day)
    env = asked.env or state.desk.env
    answer, page = await asyncio.gather(sources.desk.day(day, env), sources.desk.trades(day, env))
    return Found(env, state.now, day_of(answer, page, _now(state, day, env)))


def day_of(answer: DayAnswer, page: TradesAnswer, now: DayNow | None) -> Day:
    """Return one day. Points are added for one asset alone: a point of another one is another length (SPEC 2)."""
    figures = answer.figures
    trades = page.trades
    missing = _why_no_points(page)
    dollars = [_result(trade) for trade in trades] if page.next is None else []
    overrides = [_override(row) for row in answer.overrides]
    return Day(
        day=answer.day,
        weekday=WEEKDAYS[answer.day.weekday()],
        trades=figures.trades,
        wins=figures.wins,
        losses=figures.losses,
        result_usd=figures.usd,
        result_points=None if missing else figures.points,
        points_missing=missing,
        best_usd=max(dollars, default=None),
        worst_usd=min(dollars, default=None),
        overrides=sum(made.gate is None for made in overrides),
        overrides_refused=sum(made.gate is not None for made in overrides),
        forced_exits=len(answer.forced_exits),
        estimated=sum(trade.estimated for trade in trades),
        shown=tuple(_trade(trade) for trade in trades[:SHOWN]),
        made_overrides=tuple(overrides[:SHOWN]),
        now=now,
    )


def _result(row: JournalTradeRow) -> Usd:
    """Return the trade's result, net of its commission where that is known."""
    return row.pnl_usd if row.pnl_net_usd is None else row.pnl_net_usd


def _why_no_points(page: TradesAnswer) -> Literal["no_trades", "several_assets", "too_many_trades"] | None:
    """Return why the points of a day are not added up: of trades that are not on the page nobody knows the asset."""
    if page.next is not None:
        return "too_many_trades"
    assets = {trade.asset for trade in page.trades}
    return None if len(assets) == 1 else "several_assets" if assets else "no_trades"


def _now(state: LiveDocument, day: date, env: Env) -> DayNow | None:
    """Return how the running day stands; None for another day, and for the environment that is not traded now."""
    desk = state.desk
    if day != desk.trading_day or env != desk.env:
        return None
    on_their_way = sum(order.kind == "ENTRY" and not order.filled_qty for order in state.orders)
    left = max(0, desk.trades_remaining_today - on_their_way)
    return DayNow(
        trades_left=None if desk.daily_stop_triggered else left,
        on_their_way=on_their_way,
        trades_limit=desk.max_trades_per_day,
        stopped=desk.daily_stop_triggered,
        result_usd=desk.daily_pnl_usd,
        result_pct=None if desk.daily_pnl_pct is None else round(desk.daily_pnl_pct, 2),
        stop_limit_pct=desk.daily_stop_limit_pct,
    )


def _trade(row: JournalTradeRow) -> TradeMade:
    return TradeMade(
        asset=row.asset,
        side=row.side,
        size=row.size,
        entry_at=row.entry_ts,
        exit_at=row.exit_ts,
        entry_price=row.entry_price,
        exit_price=row.exit_price,
        pnl_points=row.pnl_points,
        pnl_usd=_result(row),
        pnl_r=None if row.r is None else round(row.r, 4),
        held_s=int(row.held_s),
        reason=row.reason,
        override=row.override,
        forced_exit=row.forced_exit,
        estimated=row.estimated,
        trader_wrote=row.note or None,
    )


def _override(row: OverrideRow) -> OverrideMade:
    return OverrideMade(
        at=row.at, asset=row.asset, direction=row.direction, gate=row.gate, trader_wrote=row.reason or None
    )


# -- attempts -------------------------------------------------------------------------------------------------------


async def find_attempts(sources: Sources, asked: AskedAttempts) -> Found:
    """Read which entries the gates refused."""
    state = await sources.state()
    day = day_named(asked.day, state.desk.trading_day)
    return Found(state.desk.env, state.now, attempts_of(await sources.desk.day(day, state.desk.env)))


def attempts_of(answer: DayAnswer) -> Attempts:
    """Return the refused entries of a day, and apart from them the exits that the initial exit lock refused."""
    by_gate = counts_of(answer.blocked_by_gate)
    return Attempts(
        day=answer.day,
        refused=sum(row.count for row in by_gate),
        locked_exits=answer.blocked_by_gate.get(INITIAL_EXIT_GATE, 0),
        by_gate=by_gate,
        newest=tuple(_attempt(row) for row in answer.blocked[:SHOWN]),
    )


def counts_of(blocked_by_gate: dict[str, int]) -> tuple[GateCount, ...]:
    """Return how many entries each gate refused, in the order of the journal: the most frequent first."""
    counts = blocked_by_gate.items()
    return tuple(GateCount(gate=gate, count=count) for gate, count in counts if gate != INITIAL_EXIT_GATE)


def _attempt(row: BlockedRow) -> Attempt:
    return Attempt(
        at=row.at,
        asset=row.asset,
        direction=row.direction,
        price=row.price,
        gate=row.gate,
        sentence=without_foreign_names(row.sentence),
        override=row.override,
    )


# -- what would have become of them ---------------------------------------------------------------------------------


async def find_other_day(sources: Sources, asked: AskedDay) -> Found:
    """Ask web to decide the day again."""
    state = await sources.state()
    day = day_named(asked.day, state.desk.trading_day)
    env = asked.env or state.desk.env
    try:
        answer = await sources.desk.what_if(day)
    except DeskAway as error:  # busy, a day that it does not keep, or not this store: the rest of the day is known
        return Found(env, state.now, {"why": error.why}, missing="not_decided")
    return Found(env, state.now, other_day_of(answer, env))


def other_day_of(answer: WhatIfDay, env: Env) -> OtherDay:
    """Return the refused entries of one environment. What a cut answer leaves out is counted nowhere: it says so."""
    rows = [row for row in answer.refused if row.env == env]
    judged = [row for row in rows if row.outcome is not None]
    amounts = [row.usd for row in judged if row.usd is not None]
    return OtherDay(
        day=answer.day,
        refused=len(rows),
        judged=len(judged),
        unknown=len(rows) - len(judged),
        targets=sum(row.outcome == "target" for row in judged),
        stops=sum(row.outcome == "stop" for row in judged),
        day_ends=sum(row.outcome == "day_end" for row in judged),
        would_have_made_usd=sum(amounts, Decimal(0)) if judged and len(amounts) == len(judged) else None,
        simulated=sum(row.simulated for row in rows),
        replay_equal=answer.replay_equal,
        unequal_rows=answer.unequal_rows,
        truncated=answer.truncated,
        shown=tuple(_unmade(row) for row in rows[-SHOWN:]),
    )


def _unmade(row: RefusedEntry) -> Unmade:
    return Unmade(
        at=row.at,
        asset=row.asset,
        direction=row.direction,
        price=row.price,
        gate=row.gate,
        outcome=row.outcome,
        points=row.points,
        usd=row.usd,
        why=row.why,
        simulated=row.simulated,
    )
