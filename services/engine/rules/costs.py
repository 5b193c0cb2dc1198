"""What a trade costs beside its result: commission by contract and side (SPEC 5.9, 7.5). All functions are pure."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.settings import Rules
from services.engine.model.trade import Trade, UntoldCommission
from services.engine.model.trade_events import TradeClosed
from wire.types import Contract, Usd

ZERO = Decimal(0)
SIDES = 2  # a round turn: in and out


class FillCost(Struct, frozen=True):
    """What a fill was told to cost in USD, None when nobody told it, and how the fill is named."""

    told: Usd | None = None
    order_id: str | None = None
    exec_id: str | None = None

    def share(self, part: int, whole: int) -> FillCost:
        """Return the cost of ``part`` of the fill's ``whole`` contracts."""
        return self if self.told is None or part == whole else replace(self, told=self.told * part / whole)


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


# -- one trade -----------------------------------------------------------------------------------------------------


def charged(rules: Rules, trade: Trade, quantity: int, cost: FillCost) -> Trade:
    """Return the trade with the commission of a fill: told, else as the operator set it, else unknown (counts 0)."""
    if cost.told is not None:
        return replace(trade, costs=trade.costs + cost.told)
    each = per_side(rules, trade.contract)
    part = UntoldCommission(quantity, each, cost.order_id, cost.exec_id)
    return replace(trade, costs=trade.costs + (each or ZERO) * quantity, untold=(*trade.untold, part))


def with_risk(rules: Rules, trade: Trade, quantity: int) -> Trade:
    """Return the trade with the risk of ``quantity`` contracts that it has just entered (SPEC 2)."""
    if trade.risk_usd is None and trade.entered_quantity != quantity:
        return trade  # an earlier program began it: its risk at entry is not known
    at_stop = trade.contract.usd(trade.stop_distance * quantity)
    added = at_stop + round_turn(rules, trade.contract, quantity)
    return replace(trade, risk_usd=(trade.risk_usd or ZERO) + added)


def told_late(trade: Trade, quantity: int, cost: FillCost, *, by_name: bool) -> tuple[Trade, int]:
    """Return the trade with a commission that is told after its fill, and the contracts that were not of this trade.

    What stood in for it is taken back. ``quantity`` contracts cost ``cost.told``. ``by_name`` allows only contracts of
    the very execution; else those of its order that nothing names, too.
    """
    if cost.told is None:
        return trade, quantity
    left, costs, kept = quantity, trade.costs, []
    for part in trade.untold:
        taken = min(part.qty, left) if _is_fill_of(part, cost, by_name=by_name) else 0
        costs += cost.told * taken / quantity - (part.each or ZERO) * taken if taken else ZERO
        left -= taken
        if taken < part.qty:
            kept.append(replace(part, qty=part.qty - taken))
    return replace(trade, costs=costs, untold=tuple(kept)), left


def _is_fill_of(part: UntoldCommission, cost: FillCost, *, by_name: bool) -> bool:
    if part.exec_id is not None or by_name:
        return cost.exec_id is not None and part.exec_id == cost.exec_id
    return part.order_id in (None, cost.order_id)


def with_costs(closed: TradeClosed, trade: Trade) -> TradeClosed:
    """Return the closed trade with its commission, its net result, and that over its risk at entry (SPEC 7.5)."""
    net = closed.pnl_usd - trade.costs
    return replace(
        closed,
        commission_usd=trade.costs,
        commission_known=trade.commission_known,
        pnl_net_usd=net,
        risk_usd=trade.risk_usd,
        r=net / trade.risk_usd if trade.risk_usd else None,
    )
