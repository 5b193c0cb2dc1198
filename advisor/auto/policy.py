"""What is decided of a closed bar: BUY, SELL or HOLD, and what keeps a trade from being opened. Pure.

The signal says whether there is a trade at all; the desk's ladder and the limits of the configuration say whether it
may be one. Unknown is never allowed: without the desk's word nothing is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR
from types import MappingProxyType

from msgspec import Struct

from advisor.agent.find_blocks import blocked_entry
from advisor.auto.book import HORIZON_SECONDS, TIMEFRAME
from advisor.ml.numbers import price_at, ticks_of
from services.market.instruments import instrument_for
from sidecar.problems import ServiceRefused
from wire.auto_trade import Action, AutoMode, AutoTradeConfig, WhyDecided
from wire.ml_engine import SignalResponse
from wire.service_problem import ServiceFault
from wire.state import LiveDocument
from wire.types import Price, Side, Usd

FRESH = timedelta(seconds=120)
"""How old the price may be against which a proposal is asked for, as of an MT4 trade (docs/reference/mt4.md)."""

SILENT: Mapping[ServiceFault, WhyDecided] = MappingProxyType({"not_trained": "not_trained", "internal_error": "fault"})


class Situation(Struct, frozen=True, kw_only=True):
    """What the limits ask about: the end of the bar, whether a trade of the symbol is open, the day's trades.

    ``entry_bar`` is the start of the bar in which it would be entered.
    """

    symbol: str
    ends_at: int
    entry_bar: int
    config: AutoTradeConfig
    holds_one: bool
    taken: int


class Considered(Struct, frozen=True, kw_only=True):
    """All that a decision is made of. ``signal`` is a signal, or why there is none; ``desk`` is None while it is away.

    A bar is late when it was seen more than a minute after its end.
    """

    situation: Situation
    is_late: bool
    signal: SignalResponse | ServiceRefused
    desk: LiveDocument | None


class Verdict(Struct, frozen=True, kw_only=True):
    """The decision. ``risk`` is the distance of the stop in ticks; neither it nor a quantity is there for a HOLD."""

    action: Action
    reason: WhyDecided
    reasoning: str
    blocked_by: str | None = None
    risk: int | None = None
    quantity: int | None = None


class Limits(Struct, frozen=True, kw_only=True):
    """What the desk and the configuration say of one trade."""

    blocked_by: str | None
    quantity: int


def mode_of(config: AutoTradeConfig) -> AutoMode:
    """Return whether decisions become shadow trades or proposals."""
    return "paper" if config.paper_trading else "proposals"


def decide(considered: Considered) -> Verdict:
    """Decide upon a bar."""
    signal, situation = considered.signal, considered.situation
    if considered.is_late:
        said = "The bar came more than a minute late: the market has gone on since."
        return _hold("late_bar", said, "late_bar")
    if isinstance(signal, ServiceRefused):
        return _hold(SILENT.get(signal.code, "no_bars"), f"There is no signal: {signal}.")
    if not signal.actionable:
        return _hold("no_skill", no_skill_said(signal))
    said = signal_said(signal)
    if signal.confidence_score < situation.config.min_confidence:
        return _hold("low_confidence", f"{said} That is below the confidence of {situation.config.min_confidence}.")
    if considered.desk is None:
        return _hold("desk_away", f"{said} The desk did not answer whether it may be.", "desk_away")
    frozen = frozen_by(considered.desk)
    if frozen is not None:
        return _hold(frozen, f"{said} The desk takes no decision now.", frozen)
    side: Side = "BUY" if signal.direction == "long" else "SELL"
    risk = risk_of(signal)
    limits = limits_of(situation, considered.desk, side, risk)
    if limits.blocked_by is not None:
        said = f"{said} {limits.blocked_by} keeps it from being a trade."
    return Verdict(
        action=side,
        reason="signal",
        reasoning=said,
        blocked_by=limits.blocked_by,
        risk=risk,
        quantity=limits.quantity,
    )


def limits_of(situation: Situation, desk: LiveDocument, side: Side, risk: int) -> Limits:
    """Return the first of desk and limits that refuses, and how many contracts the risk allows."""
    config, symbol = situation.config, situation.symbol
    gate = closed_gate(desk, symbol, side)
    if gate is not None:
        return Limits(blocked_by=gate, quantity=0)
    if not config.paper_trading and desk.desk.env != "LIVE":
        return Limits(blocked_by="not_live", quantity=0)
    if crosses_a_close(symbol, situation.entry_bar):
        return Limits(blocked_by="session_ends", quantity=0)
    if situation.holds_one:
        return Limits(blocked_by="position_open", quantity=0)
    if situation.taken >= config.max_daily_trades:
        return Limits(blocked_by="daily_trades", quantity=0)
    return _sized(desk, symbol, risk, config)


def _sized(desk: LiveDocument, symbol: str, risk: int, config: AutoTradeConfig) -> Limits:
    """Return how many contracts may be risked.

    What a proposal risks is the desk's own: its number of contracts, and its stop, which is never nearer than the
    signal's and the one that rests at the broker (SPEC 6.7).
    """
    equity = equity_of(desk)
    if equity is None:
        return Limits(blocked_by="equity_unknown", quantity=0)
    asset, own = desk.assets[symbol], desk.desk.limits
    distance = price_at(symbol, risk) if config.paper_trading else own.stop_points * asset.point_size
    of_one = distance * asset.point_value
    allowed = int((equity * config.max_risk_per_trade / of_one).to_integral_value(ROUND_FLOOR))
    wanted = 1 if config.paper_trading else max(own.entry_qty_6pt, own.entry_qty_9pt)
    if allowed < wanted:
        return Limits(blocked_by="risk_too_large", quantity=0)
    return Limits(blocked_by=None, quantity=allowed if config.paper_trading else wanted)


def closed_gate(desk: LiveDocument, symbol: str, side: Side) -> str | None:
    """Return the first gate that refuses an entry, None when none does. It is the desk's word of this moment."""
    asset = desk.assets.get(symbol)
    if asset is None:
        return "not_traded"
    entry = blocked_entry(desk, asset, side)
    if entry.closed:
        return entry.closed[0].gate
    return None if side in asset.may_enter else "unexplained"


def frozen_by(desk: LiveDocument) -> WhyDecided | None:
    """Return why the desk decides nothing: then its ladder and its env are no fresh knowledge."""
    if desk.desk.store != "up":
        return "store_down"
    return None if desk.desk.role == "writer" else "standby"


def equity_of(desk: LiveDocument) -> Usd | None:
    """Return what the risk is a share of, None while nobody knows it. DEMO reckons with its setting until a balance."""
    if desk.desk.equity is not None:
        return desk.desk.equity
    return desk.desk.limits.demo_equity if desk.desk.env == "DEMO" else None


def fresh_price(desk: LiveDocument, symbol: str) -> Price | None:
    """Return the desk's price of an asset, None when it is older than two minutes by the desk's clock."""
    asset = desk.assets.get(symbol)
    if asset is None or asset.price_ts is None or desk.now - asset.price_ts > FRESH:
        return None
    return asset.last_price


def is_over(signal: SignalResponse, price: Price) -> bool:
    """Return whether the market has reached the stop or the target of a signal: its entry is past."""
    sign = 1 if signal.direction == "long" else -1
    return not sign * signal.stop_loss < sign * price < sign * signal.take_profit


def crosses_a_close(symbol: str, begins: int) -> bool:
    """Return whether the market closes within twelve bars from an instant."""
    instant, length = datetime.fromtimestamp(begins, UTC), timedelta(seconds=HORIZON_SECONDS)
    calendar = instrument_for(symbol).calendar
    return not calendar.is_open(instant) or calendar.after_session_time(instant, length) != instant + length


def risk_of(signal: SignalResponse) -> int:
    """Return the distance of the stop in ticks, at least one."""
    symbol = signal.symbol
    return max(abs(ticks_of(symbol, float(signal.entry_price)) - ticks_of(symbol, float(signal.stop_loss))), 1)


def signal_said(signal: SignalResponse) -> str:
    """Return what the signal says, as a sentence."""
    return (
        f"The model gives {signal.symbol} {signal.direction} {signal.prob_tp_first} that the target comes before the "
        f"stop ({TIMEFRAME}, {signal.risk_reward_ratio} to 1); where it said such, {signal.confidence_score} did. "
        f"AMD phase is {signal.amd_phase}."
    )


def no_skill_said(signal: SignalResponse) -> str:
    """Return why a signal is no reason to trade, as a sentence."""
    if signal.prob_source == "base_rate":
        return (
            f"No model of {signal.symbol} has proven skill: the target came first in {signal.base_rate} of "
            f"{signal.n} bars. AMD phase is {signal.amd_phase}."
        )
    return f"The model gives {signal.prob_tp_first}, which does not pay at {signal.risk_reward_ratio} to 1."


def _hold(reason: WhyDecided, said: str, blocked_by: str | None = None) -> Verdict:
    return Verdict(action="HOLD", reason=reason, reasoning=said, blocked_by=blocked_by)
