"""Proposals: open, take, withdraw, dismiss, expire (SPEC 4). None of it moves a gate, a lock, a slot or a token."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from services.engine.model.commands import EnterMarket
from services.engine.model.proposal import Proposal
from services.engine.model.proposal_commands import DismissProposal, OpenProposal, WithdrawProposal
from services.engine.model.proposal_events import ProposalEnded, ProposalOpened
from services.engine.model.replies import Done, OrderTaken, ProposalTaken, Refusal, Reply
from services.engine.model.state import Asset
from services.engine.rules.proposals import (
    counted,
    fault_of,
    fresh_price,
    open_proposal_named,
    refusal_of_many,
    refusal_of_second,
    refusal_of_width,
    refuse_over,
    size_of,
)
from services.engine.rules.refusals import refuse
from services.engine.transition import Transition
from wire.types import Contract, ProposalEnd, WhyWithdrawn


def open_proposal(transition: Transition, command: OpenProposal) -> Reply | Refusal:
    """Show the operator an entry that a program suggests. No gate is asked: all of them are, at the click."""
    asset = transition.asset(command.asset)
    refusal = (
        fault_of(command, asset.contract, transition.now)
        or refusal_of_second(asset)
        or refusal_of_width(command, asset.contract, transition.desk.rules)
        or refusal_of_many(transition.desk, command, transition.now)
    )
    if refusal is not None:
        return refusal
    proposal = Proposal(
        id=transition.new_proposal_id(),
        asset=asset.symbol,
        direction=command.direction,
        entry=command.entry,
        stop=command.stop,
        target=command.target,
        contract=asset.contract,
        env=transition.desk.env,
        valid_until=command.valid_until,
        source=command.source,
        reason=command.reason,
        proposer=command.proposer,
        created_at=transition.now,
        key=command.key,
    )
    transition.put_asset(replace(asset, proposal=proposal))
    transition.change_desk(proposed=counted(transition.desk, command, transition.now))
    size = size_of(proposal, transition.desk.rules)
    transition.record(_opened(transition, asset, proposal, size.quantity))
    return ProposalTaken(proposal, size)


def _opened(transition: Transition, asset: Asset, proposal: Proposal, quantity: int) -> ProposalOpened:
    return ProposalOpened(
        asset=proposal.asset,
        proposal=proposal.id,
        direction=proposal.direction,
        entry=proposal.entry,
        stop=proposal.stop,
        target=proposal.target,
        valid_until=proposal.valid_until,
        source=proposal.source,
        reason=proposal.reason,
        proposer=proposal.proposer,
        contract=proposal.contract.symbol,
        quantity=quantity,
        price=fresh_price(asset, transition.desk.rules, transition.now),
    )


def refusal_of_click(transition: Transition, command: EnterMarket) -> Refusal | None:
    """Refuse a click on a proposal that is over, or is another entry than the one that was clicked."""
    if command.proposal is None:
        return None
    proposal = open_proposal_named(transition.desk, command.proposal)
    if proposal is None:
        return refuse_over(command.proposal)
    if (proposal.asset, proposal.direction) == (command.asset, command.direction):
        return None
    detail = f"it proposes {proposal.direction} {proposal.asset}"
    return refuse("proposal_other", detail, proposal=proposal.id, asset=proposal.asset, direction=proposal.direction)


def end_clicked(transition: Transition, command: EnterMarket, answer: Reply | Refusal) -> None:
    """End the proposal that was clicked, by what became of the click. One click, one answer."""
    if command.proposal is None:
        return
    if isinstance(answer, Refusal):
        _end(transition, command.asset, "REFUSED", gate=answer.gate)
    elif isinstance(answer, OrderTaken) and answer.order is not None:
        _end(transition, command.asset, "TAKEN", order_id=answer.order.id)


def dismiss_proposal(transition: Transition, command: DismissProposal) -> Reply | Refusal:
    """Put a proposal aside."""
    proposal = open_proposal_named(transition.desk, command.proposal)
    if proposal is None:
        return refuse_over(command.proposal)
    _end(transition, proposal.asset, "DISMISSED")
    return Done()


def withdraw_proposal(transition: Transition, command: WithdrawProposal) -> Reply | Refusal:
    """Take a proposal back: only the kind of caller and the source that opened it may."""
    proposal = open_proposal_named(transition.desk, command.proposal)
    if proposal is None:
        return refuse_over(command.proposal)
    if (proposal.proposer, proposal.source) != (command.proposer, command.source):
        return refuse("proposal_other", "another program opened it", proposal=proposal.id)
    _end(transition, proposal.asset, "WITHDRAWN", why="proposer")
    return Done()


def expire_proposals(transition: Transition) -> None:
    """End the proposals whose time is over: what was worth a trade then need not be worth one now."""
    for symbol, asset in transition.desk.assets.items():
        if asset.proposal is not None and transition.now >= asset.proposal.valid_until:
            _end(transition, symbol, "EXPIRED")


def withdraw_all(transition: Transition, why: WhyWithdrawn) -> None:
    """Withdraw every open proposal."""
    for symbol, asset in transition.desk.assets.items():
        if asset.proposal is not None:
            _end(transition, symbol, "WITHDRAWN", why=why)


def withdraw_without_contract(
    transition: Transition, before: Mapping[str, Asset], contracts: Mapping[str, Contract]
) -> None:
    """Withdraw the proposals of assets that are no longer listed, and those with prices of another contract."""
    for symbol, asset in before.items():
        proposal = asset.proposal
        if proposal is None:
            continue
        if symbol not in contracts:
            _end(transition, symbol, "WITHDRAWN", why="asset_gone", proposal=proposal)
        elif replace(contracts[symbol], dates=None) != replace(proposal.contract, dates=None):
            _end(transition, symbol, "WITHDRAWN", why="contract_changed")


def _end(
    transition: Transition,
    symbol: str,
    status: ProposalEnd,
    *,
    gate: str | None = None,
    order_id: str | None = None,
    why: WhyWithdrawn | None = None,
    proposal: Proposal | None = None,
) -> None:
    """End the asset's open proposal. ``proposal`` names it where the asset itself may be gone already."""
    asset = transition.desk.assets.get(symbol)
    ended = proposal if proposal is not None or asset is None else asset.proposal
    if ended is None:
        return
    if asset is not None:
        transition.put_asset(replace(asset, proposal=None))
    transition.record(ProposalEnded(symbol, ended.id, status, gate=gate, order_id=order_id, why=why))
