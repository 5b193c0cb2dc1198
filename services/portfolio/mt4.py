"""The MT4 account, as the agent port tells it: its positions, its fills and its equity. Pure.

Only what is needed of the answers is read, and an answer that says something else is not used at all. On the route
``desk`` MT4 shows the desk's own account: its positions are here already and are left out.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import Struct

from services.market.instruments import INSTRUMENTS, resolve_asset
from services.portfolio.groups import group_of
from services.portfolio.prices import cents
from services.portfolio.totals import AccountTold
from wire.portfolio import PortfolioFill, PortfolioPosition, PriceCode, RiskCode
from wire.types import AwareTime, Env, Instant, Price, Side, Usd

POSITIONS_PATH = "/api/v1/auto-trade/mt4/positions"
STATUS_PATH = "/api/v1/auto-trade/mt4/status"
DEALS_PATH = "/api/v1/auto-trade/mt4/deals?limit=500"
DOLLARS = "USD"
ANOTHER_ACCOUNT = "another account was connected meanwhile"
ZERO = Decimal(0)
USUAL_SIZES = (1, 2, 5, 10, 20, 50, 100, 1_000, 5_000, 10_000, 100_000)
MAY_BE_ROUNDED = Decimal("0.011")
"""By so many dollars a told profit may differ: it is told to the cent."""


class Account(Struct, frozen=True):
    """What is read of the connected account."""

    id: str
    equity: Usd | None
    currency: str
    real: bool
    kind: Literal["paper", "desk", "metaapi"]


class Status(Struct, frozen=True):
    """Whether an account is connected, and which."""

    connected: bool
    account: Account | None = None


class Held(Struct, frozen=True):
    """What is read of an open position. ``contract_size`` is what 1.00 of price is worth of one lot, in dollars."""

    id: str
    symbol: str
    type: Side
    volume: Decimal
    open_price: Price
    open_time: AwareTime
    current_price: Price | None = None
    stop_loss: Price | None = None
    profit: Decimal | None = None
    contract_size: Decimal | None = None
    simulated: bool = False


class Positions(Struct, frozen=True):
    """The open positions, and whose they are."""

    positions: tuple[Held, ...]
    account: str


class Deal(Struct, frozen=True):
    """What is read of a fill."""

    symbol: str
    side: Side
    entry: Literal["in", "out"]
    volume: Decimal
    price: Price
    time: AwareTime
    position_id: str | None = None
    profit: Decimal | None = None


class Deals(Struct, frozen=True):
    """The newest fills, and whose they are."""

    deals: tuple[Deal, ...]
    account: str


class Mt4Book(Struct, frozen=True):
    """The MT4 account and its positions; without an account nothing is connected, or it is the desk's own."""

    account: AccountTold | None = None
    positions: tuple[PortfolioPosition, ...] = ()
    is_connected: bool = False


class NotOneAccount(ValueError):
    """Status and positions are of two accounts: one was connected between the two questions."""


def book_of(status: bytes, positions: bytes | None) -> Mt4Book:
    """Return the account of two answers. Raises ValueError, which msgspec's errors are, when they cannot be used."""
    account = msgspec.json.decode(status, type=Status).account
    teller = told_by(account)
    if account is None or teller is None:
        return Mt4Book(is_connected=account is not None)
    told = msgspec.json.decode(positions or b"", type=Positions)
    if told.account != account.id:
        raise NotOneAccount(ANOTHER_ACCOUNT)
    rows = tuple(position_of(held, account.id, _env_of(account), account.currency) for held in told.positions)
    return Mt4Book(teller, rows, is_connected=True)


def told_by(account: Account | None) -> AccountTold | None:
    """Return whose equity an account tells; None without one, and for the desk's own."""
    if account is None or account.kind == "desk":
        return None
    equity = account.equity if account.currency == DOLLARS else None
    return AccountTold(account.id, _env_of(account), "mt4", equity)


def fills_of(status: bytes, deals: bytes | None, since: Instant, until: Instant) -> tuple[PortfolioFill, ...]:
    """Return the fills of the account in a span, oldest first. Raises ValueError when the answers cannot be used."""
    account = msgspec.json.decode(status, type=Status).account
    if account is None or told_by(account) is None:
        return ()
    told = msgspec.json.decode(deals or b"", type=Deals)
    if told.account != account.id:
        raise NotOneAccount(ANOTHER_ACCOUNT)
    in_it = (deal for deal in told.deals if since <= deal.time < until)
    return tuple(sorted((_fill_of(deal, account) for deal in in_it), key=lambda fill: fill.at))


def _env_of(account: Account) -> Env:
    return "LIVE" if account.real else "DEMO"


def _market_of(symbol: str) -> str:
    return resolve_asset(symbol, tuple(INSTRUMENTS)) or symbol.upper()


def _fill_of(deal: Deal, account: Account) -> PortfolioFill:
    is_known = deal.entry == "out" and deal.profit is not None and account.currency == DOLLARS
    return PortfolioFill(
        at=deal.time,
        account=account.id,
        env=_env_of(account),
        source="mt4",
        symbol=_market_of(deal.symbol),
        contract=deal.symbol,
        side=deal.side,
        qty=deal.volume,
        price=deal.price,
        kind="ENTRY" if deal.entry == "in" else "EXIT",
        trade_id=deal.position_id,
        order_id=None,
        amount_usd=None,
        realized_usd=cents(deal.profit) if is_known and deal.profit is not None else None,
    )


def position_of(held: Held, account: str, env: Env, currency: str) -> PortfolioPosition:
    """Return a position of the account."""
    symbol = _market_of(held.symbol)
    size, code = _size_of(held, currency)
    pnl = cents(held.profit) if held.profit is not None and currency == DOLLARS else None
    price = held.current_price
    value = None if size is None or price is None else cents(abs(price) * held.volume * size)
    risk, risk_code = _risk_of(held, size, code)
    return PortfolioPosition(
        id=held.id,
        account=account,
        env=env,
        source="mt4",
        symbol=symbol,
        contract=held.symbol,
        group=group_of(symbol),
        side="long" if held.type == "BUY" else "short",
        qty=held.volume,
        avg_price=held.open_price,
        price=price,
        price_ts=None,
        price_code=_why_unpriced(price, pnl, code),
        point_value=size,
        value_usd=value,
        open_pnl_usd=pnl,
        stop_price=held.stop_loss,
        risk_usd=risk,
        risk_code=risk_code,
        opened_ts=held.open_time,
        note="",
        simulated=held.simulated,
        uncounted=None,
        broker_position=None,
    )


def _why_unpriced(price: Price | None, pnl: Usd | None, size_code: PriceCode | None) -> PriceCode | None:
    if price is None:
        return "no_price"
    return size_code if size_code is not None else ("no_price" if pnl is None else None)


def _risk_of(held: Held, size: Usd | None, code: PriceCode | None) -> tuple[Usd | None, RiskCode | None]:
    """Return what the stop risks from the open price. A stop beyond it risks nothing."""
    if not held.stop_loss:
        return None, "no_stop"
    if size is None:
        return None, "other_currency" if code == "other_currency" else "unknown_size"
    sign = 1 if held.type == "BUY" else -1
    return cents(max(ZERO, (held.open_price - held.stop_loss) * sign * held.volume * size)), None


def _size_of(held: Held, currency: str) -> tuple[Usd | None, PriceCode | None]:
    """Return what 1.00 of price of one lot is worth, as it was told or as the position's own profit proves it.

    No answer of MT4 needs to tell how large a lot is, and brokers differ. Of the usual sizes the one counts that alone
    explains the profit that was told.
    """
    if currency != DOLLARS:
        return None, "other_currency"
    if held.contract_size is not None:
        return held.contract_size, None
    if held.current_price is None or held.profit is None:
        return None, "unknown_size"
    sign = 1 if held.type == "BUY" else -1
    moved = (held.current_price - held.open_price) * sign * held.volume
    fitting = [size for size in USUAL_SIZES if moved and _explains(moved * size, held.profit)]
    return (Decimal(fitting[0]), None) if len(fitting) == 1 else (None, "unknown_size")


def _explains(computed: Decimal, profit: Decimal) -> bool:
    return abs(computed - profit) <= MAY_BE_ROUNDED
