"""Proposals: entries that programs suggest. Only the operator's click makes one of them an order (SPEC 4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Struct

from wire.types import AwareTime, Env, Points, Price, ProposalEnd, Proposer, Side, Usd, WhyWithdrawn, says

ProposalStatus = Literal["OPEN"] | ProposalEnd
ProposalOutcome = Literal["target", "stop", "day_end"]
WhyUnfollowed = Literal["no_price", "past_its_levels", "no_prices_after", "contract_changed", "not_followed"]


class ProposalRow(Struct, frozen=True, kw_only=True):
    """A proposal. Its click is ``POST /api/orders`` with ``Idempotency-Key: proposal-<id>``, and meets every gate.

    An open one is counted by the rules in force, one that has ended by those of the moment it was opened. When it was
    opened, the desk's own stop was no nearer than its own; a tighter ``STOP_POINTS`` since then may be.
    """

    id: str
    asset: str
    direction: Side
    entry: Annotated[Price, says("the price it was made for; the click buys or sells at the market")]
    stop: Annotated[Price, says("its stop; at the broker rests the desk's own, see `desk_stop_points`")]
    target: Annotated[Price | None, says("null without one")]
    contract: Annotated[str, says("the broker's symbol whose prices these are")]
    quantity: Annotated[int, says("contracts that the desk enters by its own rule, with the size mode 6pt")]
    stop_points: Annotated[Points, says("points from entry to stop")]
    risk_usd: Annotated[Usd, says("quantity × stop distance × point value + commission in and out")]
    desk_stop_points: Annotated[Points, says("points to the desk's own stop")]
    desk_risk_usd: Annotated[Usd, says("the same with the desk's own stop, which is what rests at the broker")]
    valid_until: AwareTime
    source: Annotated[str, says("the name that the program gives itself")]
    reason: Annotated[str, says("why, in the words of the program")]
    status: ProposalStatus
    created_at: AwareTime
    env: Env
    proposer: Annotated[Proposer, says("who opened it: a program beside the desk, or one with an API key")]
    ended_at: Annotated[AwareTime | None, says("null while it is open")] = None
    gate: Annotated[str | None, says("REFUSED: the gate that refused the click")] = None
    order_id: Annotated[str | None, says("TAKEN: the order of the click")] = None
    why: Annotated[
        WhyWithdrawn | None,
        says("WITHDRAWN: by its program, or because environment, list of assets or contract changed"),
    ] = None


class ProposalTrace(Struct, frozen=True, kw_only=True):
    """A proposal that has ended, and what would have become of it: it would have been entered when it was opened.

    Entered at the last price of that moment, with its own stop and target, without slippage or commission; followed on
    the prices that the journal keeps.
    """

    proposal: ProposalRow
    simulated: Annotated[bool, says("whether any price of its course was one of a simulated market")]
    price: Annotated[Price | None, says("the price at which it would have been entered; null when none was fresh")]
    outcome: Annotated[
        ProposalOutcome | None,
        says("which came first of target, stop and the end of the trading day; null while unknown: `unfollowed`"),
    ]
    outcome_ts: Annotated[AwareTime | None, says("when that was")]
    points: Annotated[Points | None, says("what it would have made per contract; null without an outcome")]
    usd: Annotated[Decimal | None, says("the same for its contracts; null without an outcome")]
    unfollowed: Annotated[
        WhyUnfollowed | None,
        says(
            "why nobody knows: no fresh price when it was opened, the price had passed its stop or target then, no "
            "price came after it, the contract changed, or it was not followed (50 at once are, 10 of one source); "
            "null with an outcome, and while target, stop and the end of the day are all still ahead"
        ),
    ]
