"""What a trade costs beside its result: commission by contract and side (SPEC 5.9, 7.5)."""

from __future__ import annotations

from decimal import Decimal

from services.engine.model.settings import Rules
from wire.types import Contract, Usd

ZERO = Decimal(0)
SIDES = 2  # a round turn: in and out


def per_side(rules: Rules, contract: Contract) -> Usd | None:
    """Return what one contract costs to buy or to sell, as the operator set it; None where nobody did."""
    symbol = contract.symbol
    return rules.commissions.get(next((root for root in rules.commissions if _is_of(symbol, root)), symbol))


def round_turn(rules: Rules, contract: Contract, quantity: int) -> Usd:
    """Return what so many contracts cost in and out; 0 where nobody said what one costs."""
    return (per_side(rules, contract) or ZERO) * quantity * SIDES


def _is_of(symbol: str, root: str) -> bool:
    """Return whether the contract is of the product: ``MESZ6`` is of ``MES``, a CFD is its own product."""
    month = symbol.removeprefix(root)
    return symbol.startswith(root) and (not month or (month[0].isalpha() and month[1:].isdigit()))
