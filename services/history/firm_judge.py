"""Would this week have passed? The account's stored course and trades, judged by a firm's rules (SPEC 5.9). Pure.

A firm's own numbers are judged, without the desk's buffer. The course has one sample a minute: what lay between two
samples nobody knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from services.engine.model.firm import Firm, FirmRule
from services.engine.model.trade_events import TradeClosed
from services.engine.model.trading_day import NEW_YORK, trading_day_of
from services.engine.rules.contract_caps import MICRO
from services.engine.rules.firm_limits import opens_after
from services.market.instruments import INSTRUMENTS
from services.projections.equity import PnlSample
from wire.types import Instant, Usd

ZERO = Decimal(0)
Outcome = Literal["passed", "broken", "not met", "unknown", "no limit"]


class Day(Struct, frozen=True):
    """The samples of one trading day, oldest first, of one account; at least one."""

    day: date
    samples: tuple[PnlSample, ...]

    @property
    def first(self) -> Usd:
        return self.samples[0].equity

    @property
    def last(self) -> Usd:
        return self.samples[-1].equity


class Judged(Struct, frozen=True):
    """What became of one rule: when it was first broken, and a sentence that says by how much.

    A share that is *not met* ends no account: further days may bring it.
    """

    rule: FirmRule
    outcome: Outcome
    detail: str
    at: Instant | None = None


def judge(firm: Firm, days: Sequence[Day], trades: Sequence[TradeClosed], roll: str) -> list[Judged]:
    """Judge each rule of the firm. ``trades`` are the closed ones of the same span and account, in any order."""
    by_entry = sorted(trades, key=lambda trade: trade.entry_ts)
    return [
        _daily_loss(firm, days),
        _drawdown(firm, days),
        _contracts(firm, days, by_entry, roll),
        _flat_time(firm, by_entry),
        _consistency(firm, days),
    ]


def _unsaid(firm: Firm, rule: FirmRule) -> Judged:
    if rule in firm.unlimited:
        return Judged(rule, "no limit", "the firm's pages say that there is none")
    return Judged(rule, "unknown", "no page says it: ask the firm")


def _daily_loss(firm: Firm, days: Sequence[Day]) -> Judged:
    limit = firm.daily_loss
    if limit is None:
        return _unsaid(firm, "daily_loss")
    if not days:
        return Judged("daily_loss", "unknown", "no balance of this account is stored for these days")
    worst = max(days, key=lambda day: day.first - min(sample.equity for sample in day.samples))
    for day in days:
        broken = next((sample for sample in day.samples if day.first - sample.equity >= limit), None)
        if broken is not None:
            loss = day.first - min(sample.equity for sample in day.samples)
            return Judged("daily_loss", "broken", f"{loss:.2f} USD lost, {limit:.2f} end the day", broken.at)
    loss = max(worst.first - min(sample.equity for sample in worst.samples), ZERO)
    return Judged("daily_loss", "passed", f"at most {loss:.2f} of {limit:.2f} USD lost, on {worst.day}")


def _drawdown(firm: Firm, days: Sequence[Day]) -> Judged:
    rule, begins = firm.drawdown, firm.start_balance
    if rule is None or begins is None:
        return _unsaid(firm, "trailing_drawdown")
    if not days:
        return Judged("trailing_drawdown", "unknown", "no balance of this account is stored for these days")
    highest = max(begins, days[0].first)
    nearest: Usd | None = None
    floor = ZERO
    for day in days:
        for sample in day.samples:
            if rule.follows == "real_time":
                highest = max(highest, sample.equity)
            floor = highest - rule.amount
            floor = floor if rule.stops_at is None else min(floor, begins + rule.stops_at)
            if sample.equity <= floor:
                detail = f"{sample.equity:.2f} USD at a floor of {floor:.2f}, {floor - sample.equity:.2f} below it"
                return Judged("trailing_drawdown", "broken", detail, sample.at)
            room = sample.equity - floor
            nearest = room if nearest is None else min(nearest, room)
        highest = max(highest, day.last)
    return Judged("trailing_drawdown", "passed", f"at least {nearest:.2f} USD above the floor, now {floor:.2f}")


# -- contracts -----------------------------------------------------------------------------------------------------


def _contracts(firm: Firm, days: Sequence[Day], trades: Sequence[TradeClosed], roll: str) -> Judged:
    if not firm.scaling:
        return _unsaid(firm, "contracts")
    starts = {day.day: day.first for day in days}
    most = ZERO
    for trade in trades:
        held = sum((_lots(other, firm) for other in trades if other.entry_ts <= trade.entry_ts < other.exit_ts), ZERO)
        allowed = _allowed(firm, starts.get(trading_day_of(trade.entry_ts, roll)))
        if held > allowed:
            return Judged("contracts", "broken", f"{held:f} held, {allowed:f} allowed", trade.entry_ts)
        most = max(most, held)
    return Judged("contracts", "passed", f"at most {most:f} held")


def _lots(trade: TradeClosed, firm: Firm) -> Decimal:
    """Return the most contracts of the trade, as the firm counts them."""
    micro = INSTRUMENTS[trade.asset].micro if trade.asset in INSTRUMENTS else None
    is_micro = micro is not None and trade.contract.startswith(micro.root)
    return (trade.size * MICRO).normalize() if is_micro and not firm.micros_count_full else Decimal(trade.size)


def _allowed(firm: Firm, start: Usd | None) -> Decimal:
    """Return what the plan allows on a day that began with this equity; its first step while that is unknown."""
    profit = None if start is None or firm.start_balance is None else start - firm.start_balance
    reached = [step for step in firm.scaling if profit is not None and profit > step.profit]
    return (reached[-1] if reached else firm.scaling[0]).contracts


# -- time and shares -----------------------------------------------------------------------------------------------


def _flat_time(firm: Firm, trades: Sequence[TradeClosed]) -> Judged:
    if firm.flat_by is None:
        return _unsaid(firm, "flat_time")
    for trade in trades:
        flat = _first_flat(firm.flat_by, trade.entry_ts)
        if opens_after(firm, trade.entry_ts) is not None:
            return Judged(
                "flat_time", "broken", f"{trade.contract} entered after {firm.flat_by} New York", trade.entry_ts
            )
        if trade.exit_ts > flat:
            late = int((trade.exit_ts - flat).total_seconds())
            detail = f"{trade.contract} held {late} s after {firm.flat_by} New York"
            return Judged("flat_time", "broken", detail, flat)
    return Judged("flat_time", "passed", f"flat by {firm.flat_by} New York on every day")


def _first_flat(flat_by: str, at: Instant) -> Instant:
    """Return the first flat time at or after an instant, of any day."""
    local = at.astimezone(NEW_YORK)
    clock = time.fromisoformat(flat_by)
    day = local.date() if local.time() <= clock else local.date() + timedelta(days=1)
    return datetime.combine(day, clock, NEW_YORK).astimezone(at.tzinfo)


def _consistency(firm: Firm, days: Sequence[Day]) -> Judged:
    limit = firm.consistency_pct
    if limit is None:
        return _unsaid(firm, "consistency")
    if not days:
        return Judged("consistency", "unknown", "no balance of this account is stored for these days")
    profit = days[-1].last - days[0].first
    best = max(days, key=lambda day: day.last - day.first)
    won = best.last - best.first
    if profit <= 0:
        return Judged("consistency", "unknown", f"{profit:.2f} USD won in these days: a share of it says nothing")
    share = won / profit * 100
    detail = (
        f"the best day, {best.day}, won {won:.2f} of {profit:.2f} USD, {share:.1f} of {limit.normalize():f} percent"
    )
    return Judged("consistency", "not met" if share > limit else "passed", detail)
