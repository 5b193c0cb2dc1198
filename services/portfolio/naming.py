"""Which contract a symbol of the portfolio names, and what 1.00 of its price is worth. Pure.

A symbol of the desk, such as ``ES``, names the contract that the desk would buy. ``MES`` and ``MESZ6`` name the micro,
``ESZ6`` the full contract. What was understood is told in every answer: contract and point value.
"""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from services.engine.model.state import Desk
from services.market.instruments import INSTRUMENTS, Instrument, contract_named, resolve_asset
from services.market.spelling import CONTINUOUS, spelled
from wire.types import Usd


class UnknownMarket(ValueError):
    """The symbol names no contract for certain, or one that nobody can hold. The sentence says so."""


class Named(Struct, frozen=True):
    """A contract: the market's symbol, the contract's own, USD per 1.00 of price, and whether parts can be held."""

    symbol: str
    contract: str
    point_value: Usd
    is_divisible: bool


def market_named(text: str, desk: Desk, on: date) -> Named:
    """Return what a symbol names on a trade date. Raises UnknownMarket."""
    asset = desk.assets.get(text.strip().upper())
    if asset is not None:
        row = INSTRUMENTS.get(asset.symbol)
        contract = asset.contract
        return Named(asset.symbol, contract.symbol, contract.usd_per_price, row is not None and row.roll is None)
    with_month = contract_named(text, on)
    if with_month is not None and resolve_asset(text.strip(), (with_month.asset,)) is not None:
        if with_month.has_expired(on):
            raise UnknownMarket(f"{with_month.symbol} has expired")
        if contract_named(with_month.symbol, on) != with_month:  # a year of one digit: Z9 is 2029, never 2099
            raise UnknownMarket(f"{text!r:.60} is too far ahead: {with_month.symbol} names a nearer contract")
        return _of(INSTRUMENTS[with_month.asset], with_month.symbol)
    without_month = _root_named(text)
    if without_month is not None:
        instrument, root = without_month
        return _of(instrument, root + instrument.roll.front_month(on) if instrument.roll else root)
    known = ", ".join(root for row in INSTRUMENTS.values() for root in row.roots)
    raise UnknownMarket(f"{text!r:.60} names no known market; these and their contracts are: {known}")


def point_value_of(contract: str, on: date) -> Usd | None:
    """Return what 1.00 of price of a contract is worth, None for a contract that nobody knows."""
    named = contract_named(contract, on)
    return None if named is None else _of(INSTRUMENTS[named.asset], named.symbol).point_value


def _of(instrument: Instrument, contract: str) -> Named:
    micro = instrument.micro
    is_micro = micro is not None and contract.startswith(micro.root)
    value = micro.point_value if micro is not None and is_micro else instrument.point_value
    return Named(instrument.symbol, contract, value, instrument.roll is None)


def _root_named(text: str) -> tuple[Instrument, str] | None:
    """Return the instrument and the root of a symbol without a month: ``MES``, ``MES1!``, ``/MES``, ``MES=F``."""
    read = spelled(text.strip())
    if read is None:
        return None
    for instrument in INSTRUMENTS.values():
        for root in instrument.roots:
            if read.name in (root, root + CONTINUOUS) and instrument.means(read):
                return instrument, root
    return None
