"""When the contract of an asset is due to be rolled, and when it has ended (SPEC 4 row 16). All functions are pure."""

from __future__ import annotations

from services.engine.model.evidence import RollStage
from services.engine.model.trading_day import trade_date
from services.engine.rules.verdicts import Verdict, closed
from wire.types import Contract, Instant

STAGES: tuple[RollStage, ...] = ("soon", "today", "expired")  # in the order in which a contract passes them
WARNED_DAYS_BEFORE = 3


def days_to_roll(contract: Contract, now: Instant) -> int | None:
    """Return the calendar days from the trade date of ``now`` to the roll: 0 on that day, negative after it.

    None for a contract without dates.
    """
    return None if contract.dates is None else (contract.dates.rolls_on - trade_date(now)).days


def has_ended(contract: Contract, now: Instant) -> bool:
    """Return whether trading in the contract has ended; never for one without dates."""
    return contract.dates is not None and now >= contract.dates.last_trade


def ends_in_this_session(contract: Contract, now: Instant) -> bool:
    """Return whether this trade date's session is the contract's last: what is bought now must be sold before it ends.

    Never for a contract without dates.
    """
    dates = contract.dates
    return dates is not None and now < dates.last_trade and trade_date(now) >= trade_date(dates.last_trade)


def stage_of(contract: Contract, now: Instant) -> RollStage | None:
    """Return how near the contract is to its roll or end; None more than 3 calendar days before its roll."""
    days = days_to_roll(contract, now)
    if has_ended(contract, now):
        return "expired"
    if days is None or days > WARNED_DAYS_BEFORE:
        return None
    return "soon" if days > 0 else "today"


def is_later(stage: RollStage, warned: RollStage | None) -> bool:
    """Return whether a stage comes after the one that was warned of last."""
    return warned is None or STAGES.index(stage) > STAGES.index(warned)


def contract_has_ended(contract: Contract) -> Verdict:
    """Return the closed verdict about a contract in which trading has ended."""
    dates = contract.dates
    return closed(
        "contract_expired",
        f"trading in {contract.symbol} ended" + (f" on {dates.last_trade:%Y-%m-%d}" if dates else ""),
        contract=contract.symbol,
        last_trade=dates.last_trade if dates else None,
        next_contract=dates.next_contract if dates else None,
    )


def contract_ends_soon(contract: Contract) -> Verdict:
    """Return the closed verdict about a contract in which this session is the last."""
    dates = contract.dates
    return closed(
        "contract_ends",
        f"trading in {contract.symbol} ends in this session" + (f", {dates.next_contract} follows" if dates else ""),
        contract=contract.symbol,
        last_trade=dates.last_trade if dates else None,
        next_contract=dates.next_contract if dates else None,
    )
