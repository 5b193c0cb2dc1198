"""From the desk's state to the bodies of the MT4 calls (pure)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from advisor.mt4.lots import LOTS
from services.market.instruments import contract_named, delivery_named
from wire.asset import AssetState
from wire.mt4 import AccountState, PositionRow
from wire.state import LiveDocument

SERVER = "Lockstep"


def state_of(document: LiveDocument) -> AccountState:
    """Return the account that the bridge names. What it did not tell is unknown."""
    desk = document.desk
    balance = None if desk.equity is None or desk.open_pnl is None else desk.equity - desk.open_pnl
    return AccountState(
        id="desk",
        login=desk.account,
        server=SERVER,
        platform="desk",
        balance=balance,
        equity=desk.equity,
        margin=None,
        free_margin=None,
        profit=desk.open_pnl,
        currency="USD",
        leverage=None,
        kind="desk",
        real=desk.env == "LIVE",
    )


def position_rows(document: LiveDocument) -> tuple[PositionRow, ...]:
    """Return what the desk holds, oldest first, then what has no known time. Nothing that is held is left out."""
    held = [asset for asset in document.assets.values() if asset.position]
    return tuple(_row(asset) for asset in sorted(held, key=_opened_at))


def _opened_at(asset: AssetState) -> tuple[bool, datetime]:
    return asset.trade is None, datetime.min.replace(tzinfo=UTC) if asset.trade is None else asset.trade.opened_at


def is_of_another_contract(symbol: str, asset: AssetState, on: date) -> bool:
    """Return whether a spelling names a delivery, and the desk's contract of the asset is another one or unknown."""
    if delivery_named(symbol.strip(), asset.symbol, on) is None:
        return False
    named = contract_named(symbol, on)
    own = contract_named(asset.contract, on)
    return named is None or own is None or named.delivery != own.delivery


def lots_of(asset: AssetState) -> Decimal:
    """Return what the desk holds as lots of MetaTrader: 5 micro contracts are half a lot of the full one."""
    contracts = Decimal(abs(asset.position))
    return contracts * asset.point_value / LOTS[asset.symbol].usd_per_price


def position_id_of(asset: AssetState) -> str:
    """Return a position's id: its trade's, so that a close that is repeated means no later one."""
    return asset.symbol if asset.trade is None else asset.trade.id


def _row(asset: AssetState) -> PositionRow:
    return PositionRow(
        id=position_id_of(asset),
        symbol=asset.symbol,
        type="BUY" if asset.position > 0 else "SELL",
        volume=lots_of(asset),
        open_price=asset.avg_price,
        current_price=asset.last_price,
        stop_loss=asset.resting_stop.price if asset.resting_stop is not None else None,
        take_profit=None,
        profit=asset.pnl,
        swap=None,
        open_time=None if asset.trade is None else asset.trade.opened_at,
        comment="",
        contract_size=LOTS[asset.symbol].usd_per_price,
        simulated=asset.simulated,
    )
