"""What orders would lose, and what is left to lose: the parts of the state document about dollars (SPEC 5.9, 11)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Struct

from wire.types import Points, Price, Usd, says


class Distance(Struct, frozen=True):
    """One distance from the average: in the asset's points, in price, and what it is worth."""

    points: Points
    price: Price
    usd: Annotated[Usd, says("of all contracts that it is about, without commission")]


class DeskRisk(Struct, frozen=True, kw_only=True):
    """What may still be lost today, and what bounds an order."""

    start_equity_usd: Annotated[Usd | None, says("against what the day is measured; null while that is not known")]
    limit_usd: Annotated[Usd | None, says("the loss that ends the day; null while the start is not known")]
    left_usd: Annotated[Usd | None, says("what may still be lost, 0 or less: nothing; null while it is not known")]
    left_by: Annotated[str, says("the limit that leaves least: day, week, firm")]
    open_risk_usd: Annotated[Usd, says("what positions and working entries lose at their stops")]
    per_order_usd: Annotated[Usd | None, says("what one order may risk; null while the start is not known")]
    contracts: Annotated[Decimal, says("positions and working entries in full-size contracts, a micro is a tenth")]
    max_contracts: Annotated[Decimal | None, says("their cap; null: off")]
    correlated: Annotated[Decimal, says("the same of ES, NQ, YM and RTY")]
    max_correlated: Annotated[Decimal | None, says("their cap; null: off")]
