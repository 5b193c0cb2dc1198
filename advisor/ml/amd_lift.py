"""What a phase is worth: how much more often the target came first after it than after any bar."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from msgspec import Struct

from advisor.ml.bootstrap import lift
from advisor.ml.labels import RR, Barrier
from advisor.ml.numbers import share_of
from advisor.ml.walk import Session
from wire.ml_engine import AmdPhase, RrConfig, SignalDirection, TradingBias

MEASURED_LOOKBACK = 100
MEASURED_RR: RrConfig = "rr_2_1"
POINTING: tuple[AmdPhase, ...] = ("manipulation", "distribution")
"""Phases that point somewhere; an accumulation does not."""
FEWEST_ENTRIES = 100
NEUTRAL = TradingBias(direction="neutral", position_size=Decimal(0))


class Pointing(Protocol):
    """A phase as ``amd.Phase`` has it."""

    @property
    def phase(self) -> AmdPhase: ...
    @property
    def since(self) -> int: ...
    @property
    def direction(self) -> SignalDirection | None: ...


class PhaseLift(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The lift of one phase: a difference of shares with its 95 % interval, beside the share of all bars."""

    phase: AmdPhase
    value: float
    low: float
    high: float
    base_rate: float
    n: int

    @property
    def is_above_zero(self) -> bool:
        """Whether the phase was proven to be worth something: below 100 entries it never is."""
        return self.low > 0 and self.n >= FEWEST_ENTRIES


def lifts_of(
    found: Sequence[Pointing],
    sessions: Sequence[Session],
    long: Sequence[Barrier | None],
    short: Sequence[Barrier | None],
    bases: tuple[float, float],
) -> tuple[PhaseLift, ...]:
    """Return the lift of each phase that points somewhere: one entry where it begins, in its direction.

    ``bases`` are the shares of all bars, long and short. A phase that never began is left out.
    """
    labels = {"long": long, "short": short}
    base_of = dict(zip(("long", "short"), bases, strict=True))
    lifts: list[PhaseLift] = []
    for phase in POINTING:
        won, entries, expected = [], [], []
        for session in sessions:
            outcomes = _outcomes(found, session, phase, labels)
            won.append(float(sum(is_won for is_won, _ in outcomes)))
            entries.append(float(len(outcomes)))
            expected.append(sum(base_of[side] for _, side in outcomes))
        n = int(sum(entries))
        if n:
            measured = lift(won, entries, expected)
            lifts.append(
                PhaseLift(
                    phase=phase,
                    value=measured.value,
                    low=measured.low,
                    high=measured.high,
                    base_rate=sum(expected) / n,
                    n=n,
                )
            )
    return tuple(lifts)


def bias_of(direction: SignalDirection | None, measured: PhaseLift) -> TradingBias:
    """Return where a proven phase points; neutral and 0 for every other one.

    The size is Kelly's share at the lower end of the interval: what is left when the phase is worth the least.
    """
    if direction is None or not measured.is_above_zero:
        return NEUTRAL
    chance = measured.base_rate + measured.low
    size = chance - (1 - chance) / RR[MEASURED_RR]
    if size <= 0:
        return NEUTRAL
    return TradingBias(direction=direction, position_size=share_of(min(size, 1.0)))


def _outcomes(
    found: Sequence[Pointing], session: Session, phase: AmdPhase, labels: dict[str, Sequence[Barrier | None]]
) -> list[tuple[bool, SignalDirection]]:
    outcomes: list[tuple[bool, SignalDirection]] = []
    for index in range(session.begins, session.ends):
        own = found[index]
        if own.phase != phase or own.since != index or own.direction is None:
            continue
        label = labels[own.direction][index]
        if label is not None:
            outcomes.append((label.won, own.direction))
    return outcomes
