"""Decisions and shadow trades as they travel. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from advisor.auto.book import RATIO, RR_CONFIG, SIGNS, TIMEFRAME, Decision, Trade, in_r
from advisor.auto.results import rounded
from advisor.ml.numbers import price_at
from wire.auto_trade import DecisionRow, LastDecision, ShadowTrade
from wire.ml_engine import SignalResponse
from wire.types import Instant, Price


def row_of(decision: Decision, trade: Trade | None) -> DecisionRow:
    """Return a decision with its shadow trade."""
    return DecisionRow(
        id=decision.id,
        symbol=decision.symbol,
        action=decision.action,
        confidence=None if decision.confidence is None else Decimal(decision.confidence),
        reasoning=decision.reasoning,
        ml_signal=None if decision.signal is None else signal_in(decision.signal),
        executed=trade is not None,
        result=decision.result,
        timestamp=instant_of(decision.decided_at),
        timeframe=TIMEFRAME,
        rr_config=RR_CONFIG,
        bar_start=instant_of(decision.bar),
        reason=decision.reason,
        blocked_by=decision.blocked_by,
        mode=decision.mode,
        env=decision.env,
        confirm_until=None if decision.confirm_until is None else instant_of(decision.confirm_until),
        shadow=None if trade is None else shadow_of(trade),
        proposal_id=decision.proposal,
    )


def last_of(decision: Decision) -> LastDecision:
    """Return a decision in short."""
    return LastDecision(
        symbol=decision.symbol,
        action=decision.action,
        timestamp=instant_of(decision.decided_at),
        reasoning=decision.reasoning,
        id=decision.id,
        result=decision.result,
        blocked_by=decision.blocked_by,
    )


def shadow_of(trade: Trade) -> ShadowTrade:
    """Return a shadow trade in prices."""
    sign = SIGNS[trade.side]
    entered = trade.entry is not None
    entry = trade.entry or 0
    r = in_r(trade.side, trade.entry, trade.exit_price, trade.risk)
    coin_r = in_r(trade.coin_side, trade.entry, trade.coin_exit, trade.risk)
    return ShadowTrade(
        quantity=trade.quantity,
        entry_from=instant_of(trade.entry_from),
        until=instant_of(trade.until),
        entry=_price(trade, trade.entry),
        stop=_price(trade, entry - sign * trade.risk if entered else None),
        target=_price(trade, entry + sign * RATIO * trade.risk if entered else None),
        exit=_price(trade, trade.exit_price),
        exit_at=None if trade.exit_at is None else instant_of(trade.exit_at),
        r=None if r is None else rounded(r),
        counted=None if trade.counted is None else bool(trade.counted),
        coin_side=trade.coin_side,
        coin_result=trade.coin_result,
        coin_r=None if coin_r is None else rounded(coin_r),
    )


def signal_in(text: str) -> SignalResponse:
    """Return a signal as it was stored."""
    return msgspec.json.decode(text, type=SignalResponse)


def instant_of(seconds: int) -> Instant:
    """Return an instant."""
    return datetime.fromtimestamp(seconds, UTC)


def _price(trade: Trade, ticks: int | None) -> Price | None:
    return None if ticks is None else price_at(trade.symbol, ticks)
