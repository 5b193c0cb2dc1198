"""The events of proposals (SPEC 4)."""

from __future__ import annotations

from services.engine.model.event import Event
from wire.types import Instant, Price, ProposalEnd, Proposer, Side, WhyWithdrawn


class ProposalOpened(Event, frozen=True, tag="ProposalOpened"):
    """A program suggests an entry. ``quantity`` is what the desk would enter, ``contract`` the broker's symbol.

    ``price`` is the last price of that moment, None when the desk knew none that is fresh.
    """

    asset: str
    proposal: str
    direction: Side
    entry: Price
    stop: Price
    valid_until: Instant
    source: str
    reason: str
    proposer: Proposer
    contract: str
    quantity: int
    target: Price | None = None
    price: Price | None = None


class ProposalEnded(Event, frozen=True, tag="ProposalEnded"):
    """A proposal ended: TAKEN by ``order_id``, REFUSED by ``gate``, or WITHDRAWN, which has a ``why``."""

    asset: str
    proposal: str
    status: ProposalEnd
    gate: str | None = None
    order_id: str | None = None
    why: WhyWithdrawn | None = None


OfProposals = ProposalOpened | ProposalEnded
