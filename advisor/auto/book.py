"""Decisions and shadow trades as they are stored. Times are seconds of the epoch, prices whole ticks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from msgspec import Struct

from advisor.ml.bars import SECONDS
from advisor.ml.labels import BARRIER_HORIZON, RR
from wire.auto_trade import Action, AutoMode, Result, ShadowResult, WhyDecided
from wire.ml_engine import MlTimeframe, RrConfig
from wire.types import Env, Side

TIMEFRAME: MlTimeframe = "15m"
RR_CONFIG: RrConfig = "rr_2_1"
BAR_SECONDS = SECONDS[TIMEFRAME]
RATIO = RR[RR_CONFIG]
HORIZON_SECONDS = BARRIER_HORIZON * BAR_SECONDS
MINUTE = 60
SIGNS: Mapping[Side, int] = MappingProxyType({"BUY": 1, "SELL": -1})
TAKES_A_PLACE: frozenset[Result] = frozenset(
    {"awaiting", "proposing", "pending", "tp", "sl", "timeout", "unknown", "proposed"}
)
"""Results of decisions that take one of the day's trades."""


class Decision(Struct, frozen=True, kw_only=True):
    """What was decided of one bar. ``bar`` is its start, ``day`` the ordinal of its trade date.

    ``risk`` and ``quantity`` are those of the trade that it would be, None for a HOLD.
    """

    id: str
    symbol: str
    bar: int
    decided_at: int
    action: Action
    confidence: str | None
    reason: WhyDecided
    reasoning: str
    signal: str | None
    blocked_by: str | None
    mode: AutoMode
    env: Env | None
    day: int
    result: Result | None
    confirm_until: int | None
    proposal: str | None = None
    risk: int | None = None
    quantity: int | None = None

    @property
    def ends_at(self) -> int:
        """When its bar ended."""
        return self.bar + BAR_SECONDS


class Trade(Struct, frozen=True, kw_only=True):
    """A trade of the shadow book and the coin's beside it: entered at the same price, at the same risk.

    ``entry`` is None until its minute is over. ``counted`` is None until all bars of the trade are over.
    """

    decision: str
    symbol: str
    side: Side
    coin_side: Side
    risk: int
    quantity: int
    entry_from: int
    until: int
    entry: int | None = None
    result: ShadowResult = "pending"
    exit_price: int | None = None
    exit_at: int | None = None
    coin_result: ShadowResult = "pending"
    coin_exit: int | None = None
    coin_exit_at: int | None = None
    counted: int | None = None


def id_of(symbol: str, bar: int) -> str:
    """Return the id of the decision of a bar. It is the same whoever reckons it, and whenever."""
    return "dec-" + hashlib.sha256(f"{symbol} {TIMEFRAME} {bar}".encode()).hexdigest()[:16]


def coin_of(decision: str) -> Side:
    """Return the side that a coin takes: heads when the first byte of the id's sha256 is even."""
    return "BUY" if hashlib.sha256(decision.encode()).digest()[0] % 2 == 0 else "SELL"


def next_minute(second: int) -> int:
    """Return the start of the first minute whose open is still to come."""
    return (second // MINUTE + 1) * MINUTE


def opened(decision: Decision, side: Side, entry_from: int) -> Trade:
    """Return the shadow trade of a decision, entered at the open of the first minute from ``entry_from`` on.

    It lasts at most twelve bars, that of its entry included.
    """
    if decision.risk is None or decision.quantity is None:
        raise ValueError(f"{decision.id} was no trade")
    first_bar = entry_from // BAR_SECONDS * BAR_SECONDS
    return Trade(
        decision=decision.id,
        symbol=decision.symbol,
        side=side,
        coin_side=coin_of(decision.id),
        risk=decision.risk,
        quantity=decision.quantity,
        entry_from=entry_from,
        until=first_bar + HORIZON_SECONDS,
    )


def in_r(side: Side, entry: int | None, exit_price: int | None, risk: int) -> Decimal | None:
    """Return a result in its risk, None while it is unknown."""
    if entry is None or exit_price is None:
        return None
    return Decimal(SIGNS[side] * (exit_price - entry)) / risk
