"""The arithmetic of one contract in the paper account: pure functions, exact to the cent.

Costs and results are sums of price times contracts. They are converted to USD only when read, so that intermediate
steps round nothing.
"""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from msgspec import Struct
from msgspec.structs import replace

from bridge.brokers.broker import ContractPosition, ProtectiveStop
from wire.bridge import OrderTicket
from wire.types import Side

COST_STEP = Decimal("0.00000001")
"""The cost removed by a partial close is rounded to this; the last contract removes the remainder."""

CENT = Decimal("0.01")


class Holding(Struct, frozen=True, kw_only=True):
    """One contract of the account.

    `position` is signed contracts, `cost` the signed sum of price times contracts of what is open, `result` the
    same of what was closed, `commission` USD paid, `mark` the last known price, `stop_points` the distance of the
    protective stop from the average price (None: no stop), `stop_price` where the stop rests. `unit` is one point in
    price, `point_value` USD per `point_size` of price, which is 1. Books of earlier bridges have no `stop_price`: their
    stop rests at that distance from the average; and no `unit`: there `point_size` is one point in price.
    """

    contract: str
    tick_size: Decimal
    point_size: Decimal
    point_value: Decimal
    position: int = 0
    cost: Decimal = Decimal(0)
    result: Decimal = Decimal(0)
    commission: Decimal = Decimal(0)
    stop_points: Decimal | None = None
    stop_price: Decimal | None = None
    mark: Decimal | None = None
    last_fill_price: Decimal | None = None
    last_fill_at: datetime | None = None
    unit: Decimal | None = None

    @property
    def point(self) -> Decimal:
        """The price of one point."""
        return self.point_size if self.unit is None else self.unit

    @property
    def average_price(self) -> Decimal | None:
        """The weighted average entry price, None when flat."""
        return self.cost / self.position if self.position else None

    @property
    def realized(self) -> Decimal:
        """The realised PnL in USD, gross of commission."""
        return self._usd(self.result)

    @property
    def open_pnl(self) -> Decimal:
        """The PnL of the open position in USD at the last known price.

        It is the whole result less the realised part, so that the two always add up to the cent.
        """
        if not self.position or self.mark is None:
            return Decimal(0)
        return self._usd(self.result + self.mark * self.position - self.cost) - self.realized

    @property
    def protective_stop(self) -> ProtectiveStop | None:
        """The stop that rests for the whole position (SPEC 6.7), None without one."""
        price = self.planned_stop_price if self.stop_price is None else self.stop_price
        if price is None or not self.position:
            return None
        return ProtectiveStop(contract=self.contract, side=self.closing_side, qty=abs(self.position), price=price)

    @property
    def planned_stop_price(self) -> Decimal | None:
        """The price at `stop_points` from the average, None when flat or without that distance."""
        average = self.average_price
        if average is None or self.stop_points is None:
            return None
        against = -1 if self.position > 0 else 1
        return to_tick(average + against * self.stop_points * self.point, self.tick_size)

    @property
    def closing_side(self) -> Side:
        """The side that reduces the position."""
        return "SELL" if self.position > 0 else "BUY"

    def contract_position(self) -> ContractPosition:
        """Return the holding as the broker port's Struct."""
        average = self.average_price
        return ContractPosition(
            contract=self.contract,
            position=self.position,
            avg_price=average.quantize(COST_STEP) if average is not None else None,
            last_fill_price=self.last_fill_price,
            open_pnl=self.open_pnl,
        )

    def _usd(self, price_times_contracts: Decimal) -> Decimal:
        usd = price_times_contracts / self.point_size * self.point_value
        return usd.quantize(CENT, ROUND_HALF_UP)


def point_of(ticket: OrderTicket) -> Decimal:
    """Return the price of one point of the ticket's contract."""
    return ticket.point_size if ticket.unit is None else ticket.unit


def holding_for(ticket: OrderTicket, held: Holding | None) -> Holding:
    """Return the holding that `ticket` trades; while it is flat, with the ticket's tick, unit and point value."""
    if held is not None and held.position:
        return held
    fresh = Holding(
        contract=ticket.contract,
        tick_size=ticket.tick_size,
        point_size=Decimal(1),
        point_value=_usd_per_price(ticket),
        unit=point_of(ticket),
    )
    return fresh if held is None else _with_terms_of(held, fresh)


def after_fill(held: Holding, signed_qty: int, price: Decimal, at: datetime, commission: Decimal) -> Holding:
    """Return the holding after `signed_qty` contracts traded at `price`, at `commission` USD per contract.

    Contracts against the position close it at its average price; any beyond it open a position on the other side.
    """
    closed = _closed_by(signed_qty, held.position)
    released = _released_cost(held, closed)
    position = held.position + signed_qty
    return replace(
        held,
        position=position,
        cost=held.cost - released + (signed_qty + closed) * price,
        result=held.result + closed * price - released,
        commission=held.commission + commission * abs(signed_qty),
        stop_points=held.stop_points if position * held.position > 0 else None,
        stop_price=_stop_after(held, position),
        mark=held.mark if held.mark is not None else price,
        last_fill_price=price,
        last_fill_at=at,
    )


def with_stop(held: Holding, stop_points: Decimal, point: Decimal) -> Holding:
    """Return the holding after an entry's fill: its stop rests at `stop_points` of `point` each from the average.

    A stop that rests already moves only in the trade's favour, never away (SPEC 6.7).
    """
    rested = held.stop_price
    held = replace(held, stop_points=stop_points, unit=point)
    planned = held.planned_stop_price
    if rested is not None and planned is not None:
        planned = max(rested, planned) if held.position > 0 else min(rested, planned)
    return replace(held, stop_price=planned)


def stop_fill_price(stop: ProtectiveStop, traded: Decimal, slippage: Decimal) -> Decimal | None:
    """Return the price at which `stop` fills when `traded` trades, None when it does not trigger.

    A gap fills at the traded price, which is worse than the stop; `slippage` (price units) makes it worse again.
    """
    if stop.side == "SELL":
        return min(stop.price, traded) - slippage if traded <= stop.price else None
    return max(stop.price, traded) + slippage if traded >= stop.price else None


def to_tick(price: Decimal, tick_size: Decimal) -> Decimal:
    """Round `price` to the nearest tick, halves away from zero."""
    return (price / tick_size).quantize(Decimal(1), ROUND_HALF_UP) * tick_size


def _usd_per_price(ticket: OrderTicket) -> Decimal:
    return ticket.point_value / ticket.point_size if ticket.unit is None else ticket.point_value


def _with_terms_of(held: Holding, fresh: Holding) -> Holding:
    """Return a flat holding that goes on with other terms; what it has won stays the same in USD."""
    earlier, now = held.point_value / held.point_size, fresh.point_value
    result = held.result if earlier == now else (held.result * earlier / now).quantize(COST_STEP)
    return replace(
        held,
        tick_size=fresh.tick_size,
        point_size=fresh.point_size,
        point_value=now,
        unit=fresh.unit,
        result=result,
    )


def _stop_after(held: Holding, position: int) -> Decimal | None:
    """Return where the stop rests after a fill: where it did, until the position is flat or on the other side."""
    if position * held.position <= 0:
        return None
    return held.protective_stop.price if held.protective_stop is not None else None


def _closed_by(signed_qty: int, position: int) -> int:
    """Return how many contracts of `position` a fill closes, with the sign of the position."""
    if signed_qty * position >= 0:
        return 0
    return max(position, -signed_qty) if position < 0 else min(position, -signed_qty)


def _released_cost(held: Holding, closed: int) -> Decimal:
    if closed == held.position:
        return held.cost
    return (held.cost * closed / held.position).quantize(COST_STEP)
