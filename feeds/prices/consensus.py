"""The consensus: a weighted vote of the brick colours. It is arithmetic on colours and no forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal, get_args

from msgspec import Struct

from wire.types import Color

Decision = Literal["BUY", "SELL", "HOLD"]
Regime = Literal["trend", "transition", "unknown"]
Momentum = Literal["up", "down", "flat", "unknown"]
COLORS = get_args(Color)

WEIGHTS: dict[Decimal, int] = {
    Decimal(1): 0,
    Decimal("2.5"): 1,
    Decimal(4): 2,
    Decimal(6): 3,
    Decimal(8): 4,
    Decimal(12): 5,
}
LEAST_CONVICTION = 20
"""Below it the decision is HOLD."""
FAST_SIZES = (Decimal("2.5"), Decimal(4))
"""The sizes whose colours make the momentum. The 1pt size has no weight."""


class StackColor(Struct, frozen=True):
    """The colour of one brick size and its age in seconds; None is unknown. ``is_stale``: the desk calls it too old."""

    color: Color | None
    age_s: float | None = None
    is_stale: bool = False


class Component(Struct, frozen=True, kw_only=True):
    """One size in the vote. ``color`` is null when it is unknown or too old: then it counts as nothing."""

    size: Decimal
    color: Color | None
    weight: int
    age_s: float | None


class ConsensusView(Struct, frozen=True, kw_only=True):
    """The vote for one asset. ``degraded``: the desk is away, and nothing is known now."""

    symbol: str
    decision: Decision
    conviction_score: int
    regime: Regime
    momentum: Momentum
    confluences: tuple[str, ...]
    components: tuple[Component, ...]
    blocked_by: tuple[str, ...]
    degraded: bool


def consensus_of(
    asset: str, stacks: Mapping[Decimal, StackColor], zone: str | None, blocked_by: Sequence[str], is_up: bool
) -> ConsensusView:
    """Return the consensus for an asset. ``zone`` is the desk's ``NORMAL``, ``FREE``, or ``NONE``, also as None."""
    components = tuple(_component(size, stacks.get(size), is_up) for size in WEIGHTS)
    vote = sum(part.weight * _sign(part.color) for part in components)
    conviction = round(100 * abs(vote) / sum(WEIGHTS.values()))
    regime = _regime(zone) if is_up else "unknown"
    return ConsensusView(
        symbol=asset,
        decision=_decision(vote, conviction, regime),
        conviction_score=conviction,
        regime=regime,
        momentum=_momentum(components),
        confluences=_confluences(components, vote, regime),
        components=components,
        blocked_by=tuple(blocked_by),
        degraded=not is_up,
    )


def _component(size: Decimal, stack: StackColor | None, is_up: bool) -> Component:
    counts = stack is not None and is_up and not stack.is_stale and stack.color in COLORS
    return Component(
        size=size,
        color=stack.color if stack is not None and counts else None,
        weight=WEIGHTS[size],
        age_s=None if stack is None else stack.age_s,
    )


def _sign(color: Color | None) -> int:
    return {"green": 1, "red": -1}.get(color or "neutral", 0)


def _regime(zone: str | None) -> Regime:
    if zone == "NORMAL":
        return "trend"
    return "transition" if zone == "FREE" else "unknown"


def _decision(vote: int, conviction: int, regime: Regime) -> Decision:
    if regime == "unknown" or conviction < LEAST_CONVICTION:
        return "HOLD"
    return "BUY" if vote > 0 else "SELL"


def _momentum(components: Sequence[Component]) -> Momentum:
    """Return what the two fast sizes say together; the 1pt size has no weight, here neither."""
    fast = [part.color for part in components if part.size in FAST_SIZES]
    if any(color not in ("green", "red") for color in fast):
        return "unknown"
    if len(set(fast)) > 1:
        return "flat"
    return "up" if fast[0] == "green" else "down"


def _confluences(components: Sequence[Component], vote: int, regime: Regime) -> tuple[str, ...]:
    """Return what supports the vote's direction: the sizes of its colour by weight, and the trend."""
    if vote == 0:
        return ()
    color = "green" if vote > 0 else "red"
    sizes = [f"R{part.size:f} {color}" for part in reversed(components) if part.weight and part.color == color]
    return (*sizes, *(("trend",) if regime == "trend" else ()))
