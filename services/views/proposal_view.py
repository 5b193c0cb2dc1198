"""A proposal as clients read it (``wire/proposals.py``)."""

from __future__ import annotations

from msgspec import structs

from services.engine.model.proposal import Proposal, ProposedSize
from services.projections.followed_proposals import KeptProposal
from wire.proposals import ProposalRow, ProposalTrace


def proposal_view(proposal: Proposal, size: ProposedSize) -> ProposalRow:
    """Return an open proposal with what the desk would enter."""
    return ProposalRow(
        id=proposal.id,
        asset=proposal.asset,
        direction=proposal.direction,
        entry=proposal.entry,
        stop=proposal.stop,
        target=proposal.target,
        contract=proposal.contract.symbol,
        quantity=size.quantity,
        stop_points=size.stop_points,
        risk_usd=size.risk_usd,
        desk_stop_points=size.desk_stop_points,
        desk_risk_usd=size.desk_risk_usd,
        valid_until=proposal.valid_until,
        source=proposal.source,
        reason=proposal.reason,
        status="OPEN",
        created_at=proposal.created_at,
        env=proposal.env,
        proposer=proposal.proposer,
    )


def ended_view(kept: KeptProposal) -> ProposalRow:
    """Return a proposal that has ended, with its size when it was opened."""
    row = proposal_view(kept.proposal, kept.size)
    return structs.replace(
        row,
        status=kept.status or "OPEN",
        ended_at=kept.ended_at,
        gate=kept.gate,
        order_id=kept.order_id,
        why=kept.why,
    )


def trace_view(kept: KeptProposal) -> ProposalTrace:
    """Return a proposal that has ended, and what would have become of it."""
    return ProposalTrace(
        proposal=ended_view(kept),
        simulated=kept.simulated,
        price=kept.price,
        outcome=kept.outcome,
        outcome_ts=kept.outcome_at,
        points=kept.points,
        usd=kept.usd,
        unfollowed=kept.unfollowed,
    )
