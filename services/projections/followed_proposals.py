"""Proposals that are followed: what would have become of each, whether it has ended or not.

Nobody knows how an entry would have filled that was never made. It is taken at the last price of the moment the
proposal was opened, with its own stop and target, without slippage or commission, and followed on the prices that the
journal keeps until the trading day ends. All are followed alike, those that were taken too: their real result is the
trade's. One record holds all of them, and the next one is built on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.events import DayRolled
from services.engine.model.proposal import Proposal, ProposedSize
from services.engine.model.proposal_events import OfProposals, ProposalEnded, ProposalOpened
from services.engine.model.state import Desk
from services.engine.rules.proposals import size_of, source_of
from services.engine.rules.roll_week import watched
from services.projections.projection import Decided, Projection
from services.stores.records import Kind, Record
from services.stores.store import Store
from wire.proposals import ProposalOutcome, WhyUnfollowed
from wire.types import Instant, Price, ProposalEnd, Usd, WhyWithdrawn

FOLLOWED = Kind("proposals_followed", is_replaced=True)
ALL_FOLLOWED = "all"
log = structlog.get_logger(__name__)
FOLLOWED_AT_MOST = 50
FOLLOWED_OF_A_SOURCE = 10  # one that proposes all day leaves places to the others


class KeptProposal(Struct, frozen=True, omit_defaults=True):
    """A proposal, its size when it was opened, how it ended, and what would have become of it.

    ``price`` is the one at which it would have been entered. ``outcome`` and ``unfollowed`` are both None while it is
    followed. ``points`` are per contract.
    """

    proposal: Proposal
    size: ProposedSize
    price: Price | None = None
    simulated: bool = False
    status: ProposalEnd | None = None
    ended_at: Instant | None = None
    gate: str | None = None
    order_id: str | None = None
    why: WhyWithdrawn | None = None
    outcome: ProposalOutcome | None = None
    outcome_at: Instant | None = None
    points: Decimal | None = None
    unfollowed: WhyUnfollowed | None = None

    @property
    def is_followed(self) -> bool:
        return self.outcome is None and self.unfollowed is None

    @property
    def usd(self) -> Usd | None:
        """What it would have made with its contracts, in USD."""
        if self.points is None:
            return None
        contract = self.proposal.contract
        return contract.usd(self.points * contract.point) * self.size.quantity

    def comes_out(self, outcome: ProposalOutcome, at_price: Price, at: Instant) -> KeptProposal:
        """Return it with its outcome, left at that price."""
        if self.price is None:
            return self
        won = (at_price - self.price) * self.proposal.sign
        return replace(self, outcome=outcome, outcome_at=at, points=self.proposal.contract.points(won))

    def ends(self, event: ProposalEnded, now: Instant) -> KeptProposal:
        """Return it with its end."""
        return replace(self, status=event.status, ended_at=now, gate=event.gate, order_id=event.order_id, why=event.why)


class Heard(Struct, frozen=True):
    """A price, and when it was."""

    price: Price
    at: Instant
    simulated: bool


# -- following ------------------------------------------------------------------------------------------------------


def followed_after(decided: Decided) -> tuple[KeptProposal, ...]:
    """Return the followed proposals after a decision, those that came to their end in it included."""
    followed = followed_before(decided)
    events = decided.decision.events
    if any(isinstance(event, DayRolled) for event in events):
        followed = tuple(_close(kept, decided.before) for kept in followed)
    followed = tuple(_hear(kept, decided.decision.desk) for kept in followed)
    for event in events:
        if isinstance(event, ProposalOpened):
            followed = (*followed, _begin(decided, event, followed))
        elif isinstance(event, ProposalEnded):
            followed = tuple(_ended(kept, event, decided.now) for kept in followed)
    return followed


def followed_before(decided: Decided) -> tuple[KeptProposal, ...]:
    """Return those that are followed, without what the last record still held of those that came to their end."""
    record = decided.carried.get(FOLLOWED.name)
    if record is None:
        return ()
    return tuple(kept for kept in _read_followed(record.body) if not _is_over(kept))


def _is_over(kept: KeptProposal) -> bool:
    return kept.status is not None and not kept.is_followed


def _begin(decided: Decided, event: ProposalOpened, others: Sequence[KeptProposal]) -> KeptProposal:
    desk = decided.decision.desk
    asset = desk.assets[event.asset]
    proposal = asset.proposal
    if proposal is None:
        raise ValueError(f"the proposal {event.proposal} was opened and is not on the desk")
    kept = KeptProposal(proposal, size_of(proposal, desk.rules), event.price, asset.live.is_price_simulated)
    why: WhyUnfollowed | None = None
    if len(others) >= FOLLOWED_AT_MOST or _of_its_source(proposal, others) >= FOLLOWED_OF_A_SOURCE:
        why = "not_followed"
    elif kept.price is None:
        why = "no_price"
    elif _level_reached(kept, kept.price) is not None:
        why = "past_its_levels"
    return replace(kept, unfollowed=why)


def _of_its_source(proposal: Proposal, others: Sequence[KeptProposal]) -> int:
    whose = source_of(proposal)
    return sum(source_of(one.proposal) == whose for one in others if one.is_followed)


def _hear(kept: KeptProposal, desk: Desk) -> KeptProposal:
    """Follow a proposal by the asset's last price, when that is of its contract and newer than the proposal."""
    heard = _heard_after(kept, desk)
    if heard is None or not kept.is_followed:
        return kept
    if heard.simulated and not kept.simulated:  # one such price on its way, and it is no real outcome
        kept = replace(kept, simulated=True)
    reached = _level_reached(kept, heard.price)
    if reached is None:
        return kept
    level = kept.proposal.target if reached == "target" else kept.proposal.stop
    return kept.comes_out(reached, heard.price if level is None else level, heard.at)


def _close(kept: KeptProposal, before: Desk) -> KeptProposal:
    """End a proposal with its trading day, at the day's last price unless that has reached a level."""
    kept = _hear(kept, before)
    if not kept.is_followed:
        return kept
    heard = _heard_after(kept, before)
    if heard is not None:
        return kept.comes_out("day_end", heard.price, heard.at)
    asset = before.assets.get(kept.proposal.asset)
    is_other = asset is None or watched(asset).symbol != kept.proposal.contract.symbol
    return replace(kept, unfollowed="contract_changed" if is_other else "no_prices_after")


def _heard_after(kept: KeptProposal, desk: Desk) -> Heard | None:
    """Return the asset's last price, None when it is of another contract or not newer than the proposal.

    While a trade is held, the price is that of its contract, which need not be the one proposed.
    """
    asset = desk.assets.get(kept.proposal.asset)
    if asset is None or watched(asset).symbol != kept.proposal.contract.symbol:
        return None
    price, at = asset.live.last_price, asset.live.price_at
    if price is None or at is None or at <= kept.proposal.created_at:
        return None
    return Heard(price, at, asset.live.is_price_simulated)


def _level_reached(kept: KeptProposal, price: Price) -> ProposalOutcome | None:
    """Return whether the price has reached the proposed stop or target."""
    proposal = kept.proposal
    if (price - proposal.stop) * proposal.sign <= 0:
        return "stop"
    has_won = proposal.target is not None and (price - proposal.target) * proposal.sign >= 0
    return "target" if has_won else None


def _ended(kept: KeptProposal, event: ProposalEnded, now: Instant) -> KeptProposal:
    return kept.ends(event, now) if kept.proposal.id == event.proposal else kept


# -- as stored ------------------------------------------------------------------------------------------------------


def followed_records(decided: Decided) -> Iterator[Record]:
    """Yield the record of all that are followed, when a decision changed it."""
    if not is_about_proposals(decided):
        return
    after = followed_after(decided)
    if after != followed_before(decided):
        yield Record(FOLLOWED, ALL_FOLLOWED, decided.now, msgspec.json.encode(after))


def is_about_proposals(decided: Decided) -> bool:
    """Return whether a proposal is followed, or the decision opened or ended one. Most decisions are not."""
    events = decided.decision.events
    return bool(followed_before(decided)) or any(isinstance(event, OfProposals) for event in events)


@lru_cache(maxsize=4)
def _read_followed(body: bytes) -> tuple[KeptProposal, ...]:
    """Read the followed proposals. The body is the same for many decisions: it is decoded once."""
    return msgspec.json.decode(body, type=tuple[KeptProposal, ...])


def _last_followed(store: Store, desk: Desk) -> Record | None:
    """Return the last record; None, and a warning, when this program cannot read it: the desk opens all the same."""
    record = store.record(FOLLOWED, ALL_FOLLOWED)
    if record is None:
        return None
    try:
        _read_followed(record.body)
    except msgspec.MsgspecError as error:
        log.warning("the followed proposals could not be read, none of them is followed further", error=str(error))
        return None
    return record


PROJECTION = Projection(FOLLOWED, followed_records, carry=_last_followed)
