"""From MetaApi's models to the bodies of the MT4 calls (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from advisor.mt4.metaapi_models import Id, MetaAccount, MetaCandle, MetaDeal, MetaOrder, MetaPosition, MetaPrice
from wire.mt4 import (
    AccountState,
    DealReason,
    DealRow,
    Mt4Action,
    Mt4Candle,
    Mt4Tick,
    Mt4Timeframe,
    OrderRow,
    PositionRow,
)
from wire.types import Side

NO_REAL_MONEY = frozenset({"ACCOUNT_TRADE_MODE_DEMO", "ACCOUNT_TRADE_MODE_CONTEST"})
MT4 = "mt4"
ACTIONS: Mapping[str, Mt4Action] = MappingProxyType(
    {
        "ORDER_TYPE_BUY_LIMIT": "BUY_LIMIT",
        "ORDER_TYPE_SELL_LIMIT": "SELL_LIMIT",
        "ORDER_TYPE_BUY_STOP": "BUY_STOP",
        "ORDER_TYPE_SELL_STOP": "SELL_STOP",
    }
)
SIDES: Mapping[str, Side] = MappingProxyType({"DEAL_TYPE_BUY": "BUY", "DEAL_TYPE_SELL": "SELL"})
REASONS: Mapping[str, DealReason] = MappingProxyType({"DEAL_REASON_SL": "stop_loss", "DEAL_REASON_TP": "take_profit"})
ENTRY_IN, ENTRY_OUT = "DEAL_ENTRY_IN", "DEAL_ENTRY_OUT"
LASTS: Mapping[Mt4Timeframe, timedelta] = MappingProxyType(
    {
        "1m": timedelta(minutes=1),
        "5m": timedelta(minutes=5),
        "15m": timedelta(minutes=15),
        "30m": timedelta(minutes=30),
        "1h": timedelta(hours=1),
        "4h": timedelta(hours=4),
        "1d": timedelta(days=1),
        "1w": timedelta(weeks=1),
    }
)


def text_of(number: Id | None) -> str | None:
    """Return an id as a text."""
    return None if number is None else str(number)


def is_real(account: MetaAccount) -> bool:
    """Return whether real money is at stake: every type but a demo or a contest is taken for that."""
    return account.type not in NO_REAL_MONEY


def open_profit(account: MetaAccount) -> Decimal | None:
    """Return the open profit. Equity counts the broker's credit, which is none: without it nobody knows the profit."""
    return None if account.credit is None else account.equity - account.balance - account.credit


def state_of(account_id: str, account: MetaAccount) -> AccountState:
    """Return the account."""
    return AccountState(
        id=account_id,
        login=str(account.login),
        server=account.server,
        platform="mt4",
        balance=account.balance,
        equity=account.equity,
        margin=account.margin,
        free_margin=account.free_margin,
        profit=open_profit(account),
        currency=account.currency,
        leverage=int(account.leverage),
        kind="metaapi",
        real=is_real(account),
    )


def position_row(position: MetaPosition) -> PositionRow:
    """Return an open position."""
    return PositionRow(
        id=str(position.id),
        symbol=position.symbol,
        type="BUY" if position.type == "POSITION_TYPE_BUY" else "SELL",
        volume=position.volume,
        open_price=position.open_price,
        current_price=position.current_price,
        stop_loss=position.stop_loss or None,
        take_profit=position.take_profit or None,
        profit=position.unrealized_profit,
        swap=position.swap,
        open_time=position.time,
        comment=position.comment,
        contract_size=None,
        simulated=False,
    )


def order_rows(orders: Iterable[MetaOrder]) -> tuple[OrderRow, ...]:
    """Return the resting orders of the four kinds that MetaTrader 4 has, oldest first."""
    return tuple(
        OrderRow(
            id=str(one.id),
            symbol=one.symbol,
            action=ACTIONS[one.type],
            volume=volume,
            price=one.open_price,
            stop_loss=one.stop_loss or None,
            take_profit=one.take_profit or None,
            placed_at=one.time,
            comment=one.comment,
            simulated=False,
        )
        for one in sorted(orders, key=lambda order: order.time)
        if one.type in ACTIONS
        and one.open_price is not None
        and (volume := one.current_volume if one.current_volume is not None else one.volume) is not None
    )


def deal_rows(deals: Iterable[MetaDeal], limit: int) -> tuple[DealRow, ...]:
    """Return the newest fills, oldest of them first; balance operations are none."""
    rows = [
        DealRow(
            id=str(one.id),
            position_id=text_of(one.position_id),
            symbol=one.symbol,
            side=SIDES[one.type],
            entry="in" if one.entry_type == ENTRY_IN else "out",
            volume=one.volume,
            price=one.price,
            profit=one.profit,
            reason=REASONS.get(one.reason or "", "other"),
            time=one.time,
            simulated=False,
        )
        for one in sorted(deals, key=lambda deal: deal.time)
        if one.type in SIDES and one.symbol is not None and one.volume is not None and one.price is not None
    ]
    return tuple(rows[-limit:])


def tick_of(price: MetaPrice) -> Mt4Tick:
    """Return the newest price."""
    return Mt4Tick(
        symbol=price.symbol,
        bid=price.bid,
        ask=price.ask,
        spread=price.ask - price.bid,
        timestamp=price.time,
        last=None,
        simulated=False,
    )


def candles_of(
    candles: Iterable[MetaCandle], timeframe: Mt4Timeframe, limit: int, now: datetime
) -> tuple[Mt4Candle, ...]:
    """Return the newest candles that have closed, oldest first."""
    rows = [
        Mt4Candle(time=one.time, open=one.open, high=one.high, low=one.low, close=one.close, volume=one.tick_volume)
        for one in sorted(candles, key=lambda candle: candle.time)
        if one.time + LASTS[timeframe] <= now
    ]
    return tuple(rows[-limit:])
