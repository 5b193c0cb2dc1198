"""Which contracts of new settings would risk more than those in force, and so wait (SPEC 5.9).

A contract of larger point value, a larger unit, and an asset that the desk does not trade yet wait for the next trading
day. Another month of the same product does not.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.engine.model.state import Desk
from wire.types import Contract


def is_larger(contract: Contract, known: Contract) -> bool:
    """Return whether one contract of it, or one point of it, is worth more."""
    return contract.usd_per_price > known.usd_per_price or contract.point > known.point


def in_force_today(desk: Desk, wanted: Mapping[str, Contract]) -> dict[str, Contract]:
    """Return the wanted contracts with those that wait replaced by today's, and without the assets that wait.

    A desk that trades nothing yet takes all of them, and so did the generations up to 4. Where every asset is new,
    today's stay: a desk without any would trade nothing and show nothing.
    """
    known = desk.assets
    if not known or desk.generation < 5:
        return dict(wanted)
    kept = {
        symbol: known[symbol].contract if is_larger(contract, known[symbol].contract) else contract
        for symbol, contract in wanted.items()
        if symbol in known
    }
    return kept or {symbol: known[symbol].contract for symbol in sorted(known)}


def waiting_contracts(desk: Desk) -> dict[str, Contract]:
    """Return the contracts that come into force on the next trading day, by asset."""
    wanted, rules = desk.wanted.contracts, desk.rules.contracts
    return {symbol: contract for symbol, contract in wanted.items() if rules.get(symbol) != contract}
