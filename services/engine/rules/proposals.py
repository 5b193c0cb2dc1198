"""What a proposal must be to be shown, and what it would risk (SPEC 4). All functions are pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from services.engine.model.proposal import Proposal, Proposed, ProposedSize
from services.engine.model.proposal_commands import OpenProposal
from services.engine.model.replies import Refusal
from services.engine.model.settings import Rules
from services.engine.model.state import Asset, Desk
from services.engine.model.times import is_younger
from services.engine.rules.costs import round_turn
from services.engine.rules.fill_prices import known_price
from services.engine.rules.refusals import refuse
from services.engine.rules.roll_week import watched
from wire.types import Contract, Instant, Price

LONGEST_VALID = timedelta(hours=4)
PROPOSALS_A_DAY = 1_000  # a program that runs wild fills no journal
PROPOSALS_BY_KEYS = 800  # a day: the rest is left to the desk's own programs
PROPOSALS_AN_HOUR = 100  # of one source: it leaves the day to the others
LONGEST_ID = 64  # of a foreign one that a refusal repeats


def size_of(proposal: Proposal, rules: Rules) -> ProposedSize:
    """Return the size of a proposal by the rules in force."""
    contract = proposal.contract
    quantity = rules.entry_qty("6pt")
    costs = round_turn(rules, contract, quantity)
    return ProposedSize(
        quantity=quantity,
        stop_points=contract.points(proposal.stop_distance),
        risk_usd=contract.usd(proposal.stop_distance) * quantity + costs,
        desk_stop_points=rules.stop_points,
        desk_risk_usd=contract.usd(rules.stop_points * contract.point) * quantity + costs,
    )


def fault_of(asked: OpenProposal, contract: Contract, now: Instant) -> Refusal | None:
    """Return the refusal of the first field that cannot be, None when all of them can."""
    sign = 1 if asked.direction == "BUY" else -1
    for field, price in (("entry", asked.entry), ("stop", asked.stop), ("target", asked.target)):
        why = None if price is None else _fault_of_price(price, contract)
        if why is not None:
            return _invalid(field, why)
    if (asked.entry - asked.stop) * sign <= 0:
        return _invalid("stop", f"must lie on the losing side of the entry {asked.entry:f} of a {asked.direction}")
    if asked.target is not None and (asked.target - asked.entry) * sign <= 0:
        return _invalid("target", f"must lie on the winning side of the entry {asked.entry:f} of a {asked.direction}")
    if asked.valid_until <= now:
        return _invalid("valid_until", "must lie ahead of the desk's time")
    if asked.valid_until > now + LONGEST_VALID:
        return _invalid("valid_until", "must be at most 4 h ahead of the desk's time")
    return None


def _fault_of_price(price: Price, contract: Contract) -> str | None:
    if known_price(price, contract.symbol) is None:
        return f"was {price:f}, at which {contract.symbol} cannot trade"
    if price % contract.tick_size != 0:
        return f"was {price:f}, {contract.symbol} trades in steps of {contract.tick_size:f}"
    return None


def _invalid(field: str, why: str) -> Refusal:
    return refuse("proposal_invalid", f"{field} {why}", field=field)


def refusal_of_width(asked: OpenProposal, contract: Contract, rules: Rules) -> Refusal | None:
    """Refuse a stop that is further away than the desk's own: that one is placed, whatever is proposed (SPEC 6.7)."""
    distance = abs(asked.entry - asked.stop)
    if distance <= rules.stop_points * contract.point:
        return None
    points = contract.points(distance)
    detail = f"{points.normalize():f} points, the desk's own stop is {rules.stop_points.normalize():f}"
    return refuse("stop_too_wide", detail, stop_points=points, desk_stop_points=rules.stop_points)


def refusal_of_second(asset: Asset) -> Refusal | None:
    """Refuse a proposal for an asset that has an open one."""
    known = asset.proposal
    if known is None:
        return None
    detail = f"one of {known.source} is open for {asset.symbol}"
    return refuse("proposal_open", detail, proposal=known.id, valid_until=known.valid_until, asset=asset.symbol)


def proposed_today(desk: Desk) -> int:
    """Return how many proposals were opened on the running trading day."""
    proposed = desk.proposed
    return proposed.count if proposed is not None and proposed.trading_day == desk.day.trading_day else 0


def proposed_by_keys(desk: Desk) -> int:
    """Return how many of the trading day's proposals came with API keys."""
    proposed = desk.proposed
    return proposed.by_keys if proposed is not None and proposed.trading_day == desk.day.trading_day else 0


def source_of(asked: OpenProposal | Proposal) -> str:
    """Return under which name the proposals of a source are counted: a key is one source, whatever it calls itself."""
    return f"{asked.proposer} {asked.source}" if asked.key is None else f"key {asked.key}"


def proposed_this_hour(desk: Desk, now: Instant) -> Mapping[str, int]:
    """Return how many proposals each source has opened since the full hour."""
    proposed = desk.proposed
    return proposed.of_sources if proposed is not None and proposed.hour == hour_of(now) else {}


def hour_of(now: Instant) -> Instant:
    """Return the full hour in which an instant lies."""
    return now.replace(minute=0, second=0, microsecond=0)


def counted(desk: Desk, asked: OpenProposal, now: Instant) -> Proposed:
    """Return the counts with one more proposal."""
    of_sources = proposed_this_hour(desk, now)
    name = source_of(asked)
    of_sources = {**of_sources, name: of_sources.get(name, 0) + 1}
    by_keys = proposed_by_keys(desk) + (asked.proposer == "key")
    return Proposed(desk.day.trading_day, proposed_today(desk) + 1, hour_of(now), of_sources, by_keys)


def refusal_of_many(desk: Desk, asked: OpenProposal, now: Instant) -> Refusal | None:
    """Refuse a proposal when its day, or its source this hour, has opened as many as it may: each is a journal row."""
    if proposed_today(desk) >= PROPOSALS_A_DAY:
        return refuse("too_many_proposals", f"{PROPOSALS_A_DAY} were opened today", limit=PROPOSALS_A_DAY)
    if asked.proposer == "key" and proposed_by_keys(desk) >= PROPOSALS_BY_KEYS:
        detail = f"API keys have opened {PROPOSALS_BY_KEYS} today"
        return refuse("too_many_proposals", detail, limit=PROPOSALS_BY_KEYS)
    if proposed_this_hour(desk, now).get(source_of(asked), 0) >= PROPOSALS_AN_HOUR:
        whose = asked.source if asked.key is None else "this API key"
        detail = f"{whose} has opened {PROPOSALS_AN_HOUR} this hour"
        return refuse("too_many_proposals", detail, limit=PROPOSALS_AN_HOUR, source=asked.source)
    return None


def open_proposal_named(desk: Desk, proposal_id: str) -> Proposal | None:
    """Return the open proposal with that id, None when it is over or there never was one."""
    found = (asset.proposal for asset in desk.assets.values())
    return next((proposal for proposal in found if proposal is not None and proposal.id == proposal_id), None)


def refuse_over(proposal_id: str) -> Refusal:
    """Refuse what names a proposal that is not open."""
    return refuse("proposal_over", "it has ended, or there is none with this id", proposal=proposal_id[:LONGEST_ID])


def fresh_price(asset: Asset, rules: Rules, now: Instant) -> Price | None:
    """Return the asset's last price while it is as young as the ladder asks a market to be, else None.

    While a trade in another contract is held, the price is that contract's, and none of what an entry would buy.
    """
    live = asset.live
    if watched(asset).symbol != asset.contract.symbol:
        return None
    return live.last_price if is_younger(live.price_at, rules.heartbeat_max_age_seconds, now) else None
