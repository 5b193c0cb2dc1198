"""What a seed makes of a world: who trades, what lies, how often, and when something happens to somebody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from tests.lying.channels import FAULT, FAULTS, Fault
from wire.types import Env

BEGINNING, LIES, END = 15.0, 120.0, 165.0
"""Seconds of a world: a true beginning (a fifth of the worlds has none), the lies, the healthy end."""

HOW_OFTEN = (0.05, 0.2, 0.5, 0.9)
MANNERS = ("reject", "cancel_rest", "partial", "slow")
LATEST_FALL = LIES + 50


@dataclass(frozen=True)
class Plan:
    """One world before it begins. ``chances`` say how often a message of the fault's channel is hit.

    ``manner`` is how the broker treats orders; ``incidents`` are the seconds at which a party's fault happens.
    """

    seed: int
    lies_from: float
    env: Env
    balance: Decimal
    manner: dict[str, float]
    is_ours: bool
    faults: tuple[Fault, ...]
    chances: dict[str, float]
    incidents: tuple[tuple[float, str], ...]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(fault.name for fault in self.faults)


def plan_of(seed: int, names: Iterable[str] | None = None) -> Plan:
    """Return the plan that the seed makes; with ``names`` these faults happen instead of those it would choose."""
    rng = Random(seed)
    lies_from = BEGINNING if rng.random() < 0.8 else 0.0
    env: Env = "LIVE" if rng.random() < 0.2 else "DEMO"
    balance = rng.choice([Decimal(50_000), Decimal(15_000)])
    manner = {what: rng.choice((0.0, 0.0, 0.2, 0.5)) for what in MANNERS}
    is_ours = rng.random() < 0.55
    faults = _chosen(rng) if names is None else tuple(FAULT[name] for name in names)
    chances = {fault.name: rng.choice(HOW_OFTEN) for fault in faults if fault.channel != "party"}
    incidents = _incidents(rng, faults, lies_from)
    return Plan(seed, lies_from, env, balance, manner, is_ours, faults, chances, incidents)


def _chosen(rng: Random) -> tuple[Fault, ...]:
    messages = [fault for fault in FAULTS if fault.channel != "party"]
    parties = [fault for fault in FAULTS if fault.channel == "party"]
    chosen = rng.sample(messages, rng.randint(1, 4))
    return tuple(chosen + rng.sample(parties, rng.choice([0, 1, 1, 2])))


def _incidents(rng: Random, faults: tuple[Fault, ...], lies_from: float) -> tuple[tuple[float, str], ...]:
    """Let each party's fault happen once or twice. The market also falls in the healthy end."""
    planned = []
    for fault in faults:
        for _ in range(rng.randint(1, 2) if fault.channel == "party" else 0):
            latest = LATEST_FALL if fault.name == "market_falls" else LIES - 15
            planned.append((lies_from + rng.uniform(5, latest), fault.name))
    return tuple(sorted(planned))
