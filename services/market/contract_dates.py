"""When a contract is replaced by the next one, and when it ends. All functions are pure.

A contract is given by its symbol, in any spelling that names one; a year of one digit is read as of the date asked. A
CFD has neither date.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from msgspec import Struct

from services.market.calendars import NEW_YORK
from services.market.holidays import business_days_before
from services.market.instruments import (
    ContractSize,
    Instrument,
    NamedContract,
    contract_for,
    contract_named,
    instrument_for,
)
from wire.types import ContractDates, Instant


class NotItsContract(LookupError):
    """A symbol names no contract of the asset. A retry does not help: the caller asks about something else."""

    def __init__(self, asset: str, contract: str) -> None:
        super().__init__(f"{contract[:40]!r} names no contract of {asset}")


def roll_date(asset: str, contract: str, on: date) -> date | None:
    """Return the first trade date on which the desk uses the contract after this one, None for a CFD.

    Raises UnknownInstrument for an unknown asset, and NotItsContract when the symbol names no contract of it.
    """
    instrument, named = _contract(asset, contract, on)
    return None if instrument.roll is None else instrument.roll.roll_day(*named.delivery)


def days_to_roll(asset: str, contract: str, on: date) -> int | None:
    """Return how many calendar days lie between a trade date and the contract's roll date, None for a CFD.

    0 on the roll date itself, negative after it. Raises as ``roll_date``.
    """
    rolls_on = roll_date(asset, contract, on)
    return None if rolls_on is None else (rolls_on - on).days


def last_trade(asset: str, contract: str, on: date) -> Instant | None:
    """Return when trading in the contract ends for good, None for a CFD. Raises as ``roll_date``."""
    instrument, named = _contract(asset, contract, on)
    if instrument.roll is None:
        return None
    last_day = instrument.roll.last_day(*named.delivery)
    if instrument.micro is not None and named.symbol.startswith(instrument.micro.root):
        last_day = business_days_before(last_day, instrument.roll.micro_ends_before)
    return datetime.combine(last_day, instrument.roll.last_hour, NEW_YORK).astimezone(UTC)


def dates_of(asset: str, contract: str, on: date) -> ContractDates | None:
    """Return roll date, end and follower of a contract, None for a CFD. Raises as ``roll_date``.

    The follower is the next contract that this desk's roll rule uses, of the same size.
    """
    instrument, named = _contract(asset, contract, on)
    ends = last_trade(asset, contract, on)
    if instrument.roll is None or ends is None:
        return None
    rolls_on = instrument.roll.roll_day(*named.delivery)
    root = next(root for root in reversed(instrument.roots) if named.symbol.startswith(root))
    return ContractDates(rolls_on, ends, root + instrument.roll.front_month(rolls_on))


class ComingRoll(Struct, frozen=True):
    """A contract that the desk trades on a date or later, the first trade date of its follower, and its own end."""

    contract: str
    rolls_on: date
    last_trade: Instant
    next_contract: str


def coming_rolls(asset: str, on: date, size: ContractSize = "micro", count: int = 4) -> list[ComingRoll]:
    """Return the next rolls from a trade date on, soonest first; none for a CFD.

    Raises UnknownInstrument for an unknown asset, and DataOnly for one that is not traded.
    """
    rolls: list[ComingRoll] = []
    contract = contract_for(asset, on, size).symbol
    while len(rolls) < count:
        dates = dates_of(asset, contract, on)
        if dates is None:
            break
        rolls.append(ComingRoll(contract, dates.rolls_on, dates.last_trade, dates.next_contract))
        contract, on = dates.next_contract, dates.rolls_on
    return rolls


def is_expired(asset: str, contract: str, at: Instant) -> bool:
    """Return whether trading in the contract has ended by an aware instant; a CFD never ends.

    Raises as ``roll_date``, and ValueError for a naive time.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} was not an aware instant")
    ends = last_trade(asset, contract, at.astimezone(NEW_YORK).date())
    return ends is not None and at >= ends


def _contract(asset: str, contract: str, on: date) -> tuple[Instrument, NamedContract]:
    instrument = instrument_for(asset)
    named = contract_named(contract, on)
    if named is None or named.asset != asset:
        raise NotItsContract(asset, contract)
    return instrument, named
