"""A proposal: an entry that a program suggests and only the operator's click can make (SPEC 4)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import Struct, field

from wire.types import Contract, Env, Instant, Price, Proposer, Side, Usd


class Proposal(Struct, frozen=True):
    """An entry that ``source`` suggests, while it is open. It ends at ``valid_until`` at the latest.

    ``entry``, ``stop`` and ``target`` are prices of ``contract``. ``proposer`` is the kind of caller that opened it,
    ``key`` the id of its API key.
    The click buys at the market: ``entry`` orders nothing, and the stop that rests at the broker is the desk's own.
    """

    id: str
    asset: str
    direction: Side
    entry: Price
    stop: Price
    target: Price | None
    contract: Contract
    env: Env
    valid_until: Instant
    source: str
    reason: str
    proposer: Proposer
    created_at: Instant
    key: str | None = None

    @property
    def sign(self) -> int:
        return 1 if self.direction == "BUY" else -1

    @property
    def stop_distance(self) -> Price:
        """Return how far the proposed stop is from the proposed entry, in price."""
        return (self.entry - self.stop) * self.sign


class Proposed(Struct, frozen=True):
    """How many proposals were opened on a trading day, and of whom in the hour that began at ``hour``.

    ``by_keys`` of the day's came with API keys. ``of_sources`` counts by ``services.engine.rules.proposals.source_of``.
    """

    trading_day: date
    count: int
    hour: Instant | None = None
    of_sources: dict[str, int] = field(default_factory=dict)
    by_keys: int = 0


class ProposedSize(Struct, frozen=True):
    """What the desk would enter, and what that loses at the proposed stop and at the desk's own, in USD.

    The desk's own stop is the one that rests at the broker. Commission in and out is counted where it is set.
    """

    quantity: int
    stop_points: Decimal
    risk_usd: Usd
    desk_stop_points: Decimal
    desk_risk_usd: Usd
