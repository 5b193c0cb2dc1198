"""From the paper account's rows to the bodies of its calls (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from advisor.mt4.lots import LEVERAGE, LOTS
from advisor.mt4.paper_book import Deal, PaperOrder, PaperPosition
from wire.mt4 import AccountState, CloseAnswer, DealRow, OrderRow, PositionRow, TradeAnswer

SERVER = "Lockstep-Paper"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOTHING = Decimal(0)


class PositionWorth(Protocol):
    """An open position and what it makes or loses now."""

    @property
    def position(self) -> PaperPosition:
        """The position."""

    @property
    def profit(self) -> Decimal | None:
        """In USD; None when no price is known."""


def instant(microseconds: int) -> datetime:
    """Return an instant of the file."""
    return EPOCH + timedelta(microseconds=microseconds)


def state_of(account: str, balance: Decimal, worths: Sequence[PositionWorth]) -> AccountState:
    """Return the account; without a price of one position the open profit is unknown, and what follows from it."""
    margin = sum(
        (LOTS[one.position.symbol].margin(one.position.open_price, one.position.volume) for one in worths), NOTHING
    )
    profits = [one.profit for one in worths if one.profit is not None]
    profit = sum(profits, NOTHING) if len(profits) == len(worths) else None
    equity = None if profit is None else balance + profit
    return AccountState(
        id=account,
        login=account,
        server=SERVER,
        platform="mt4",
        balance=balance,
        equity=equity,
        margin=margin,
        free_margin=None if equity is None else equity - margin,
        profit=profit,
        currency="USD",
        leverage=LEVERAGE,
        kind="paper",
        real=False,
    )


def position_row(position: PaperPosition, price: Decimal | None, profit: Decimal | None) -> PositionRow:
    """Return an open position. The paper account charges no swap."""
    return PositionRow(
        id=str(position.ticket),
        symbol=position.symbol,
        type=position.side,
        volume=position.volume,
        open_price=position.open_price,
        current_price=price,
        stop_loss=position.stop_loss,
        take_profit=position.take_profit,
        profit=profit,
        swap=NOTHING,
        open_time=instant(position.opened_at),
        comment=position.comment,
        contract_size=LOTS[position.symbol].usd_per_price,
        simulated=position.simulated,
    )


def order_row(order: PaperOrder) -> OrderRow:
    """Return a resting order."""
    return OrderRow(
        id=str(order.ticket),
        symbol=order.symbol,
        action=order.action,
        volume=order.volume,
        price=order.price,
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        placed_at=instant(order.placed_at),
        comment=order.comment,
        simulated=order.simulated,
    )


def deal_row(number: int, deal: Deal) -> DealRow:
    """Return a fill."""
    return DealRow(
        id=str(number),
        position_id=str(deal.position),
        symbol=deal.symbol,
        side=deal.side,
        entry="in" if deal.entry == "in" else "out",
        volume=deal.volume,
        price=deal.price,
        profit=deal.profit,
        reason=deal.reason,
        time=instant(deal.at),
        simulated=deal.simulated,
    )


def answer_of(order: PaperOrder, *, is_filled: bool) -> TradeAnswer:
    """Return the answer to an order."""
    return TradeAnswer(
        success=True,
        order_id=str(order.ticket),
        position_id=str(order.ticket) if is_filled else None,
        price=order.price if is_filled else None,
        proposal=None,
    )


def closing_of(position: PaperPosition, volume: Decimal, price: Decimal) -> CloseAnswer:
    """Return the answer to a closing; the position has what is left."""
    return CloseAnswer(
        success=True,
        position_id=str(position.ticket),
        closed_volume=volume,
        remaining_volume=position.volume,
        price=price,
    )
