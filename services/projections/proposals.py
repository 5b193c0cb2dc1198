"""Proposals that have ended: how, and what would have become of each (``followed_proposals.py``)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from services.engine.model.proposal_events import ProposalEnded
from services.engine.rules.proposals import size_of
from services.projections.followed_proposals import KeptProposal, followed_after, followed_before, is_about_proposals
from services.projections.projection import Decided, Projection, decoded
from services.stores.records import FAR_AHEAD, LONG_AGO, Kind, Record
from services.stores.store import Store
from wire.types import Instant

PROPOSALS = Kind("proposals", is_replaced=True)


def proposal_records(decided: Decided) -> Iterator[Record]:
    """Yield the proposals that ended in a decision, and those that had ended and whose outcome it told."""
    if not is_about_proposals(decided):
        return
    before = {kept.proposal.id: kept for kept in followed_before(decided)}
    after = followed_after(decided)
    yield from (_record(kept) for kept in after if kept.status is not None and kept != before.get(kept.proposal.id))
    followed = {kept.proposal.id for kept in after}
    for event in decided.decision.events:
        if isinstance(event, ProposalEnded) and event.proposal not in followed:
            yield from _unfollowed(decided, event)


def _unfollowed(decided: Decided, event: ProposalEnded) -> Iterator[Record]:
    """Yield a proposal whose end is known and whose course is not."""
    before = decided.before
    proposal = before.assets[event.asset].proposal if event.asset in before.assets else None
    if proposal is not None and proposal.id == event.proposal:
        kept = KeptProposal(proposal, size_of(proposal, before.rules), unfollowed="not_followed")
        yield _record(kept.ends(event, decided.now))


# -- as stored ------------------------------------------------------------------------------------------------------


def _record(kept: KeptProposal) -> Record:
    """Return the record of a proposal that has ended. Its time is that of its opening."""
    return Record(PROPOSALS, kept.proposal.id, kept.proposal.created_at, msgspec.json.encode(kept))


def ended_proposals(
    store: Store, limit: int, since: Instant = LONG_AGO, until: Instant = FAR_AHEAD
) -> list[KeptProposal]:
    """Return the proposals opened from ``since`` on and before ``until`` that have ended, newest first.

    Raises StoreDown, StoreUnreadable.
    """
    found = store.newest_records(PROPOSALS, limit, since, until)
    return [decoded(record, KeptProposal, f"the proposal {record.id}") for record in found]


PROJECTION = Projection(PROPOSALS, proposal_records)
