"""What the MT4 calls say, in two views of one account: those of the agent (8003) and those of the data service (8001).

Contract: docs/reference/contracts/platform-services.md; every field is explained in docs/reference/mt4.md. Volumes are
lots, prices the symbol's own, money the account's currency. What nobody knows is null, never 0.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

from wire.types import AwareTime, Price, Side, says

Mt4Action = Literal["BUY", "SELL", "BUY_LIMIT", "SELL_LIMIT", "BUY_STOP", "SELL_STOP"]
Mt4Route = Literal["paper", "desk"]
AccountKind = Literal["paper", "desk", "metaapi"]
Mt4Timeframe = Literal["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"]
DealReason = Literal["market", "limit", "stop", "stop_loss", "take_profit", "close", "other"]
ACTIONS: tuple[Mt4Action, ...] = get_args(Mt4Action)
TIMEFRAMES: tuple[Mt4Timeframe, ...] = get_args(Mt4Timeframe)

LONGEST_TOKEN = 8_192
LONGEST_COMMENT = 31
LONGEST_SYMBOL = 40
Number = int | float
AccountId = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+$")]
Token = Annotated[str, Meta(min_length=1, max_length=LONGEST_TOKEN, pattern="^[!-~]+$")]
Ticket = Annotated[str, Meta(min_length=1, max_length=40, pattern="^[A-Za-z0-9_-]+$")]
Lots = Annotated[Decimal, says("lots")]
Money = Annotated[Decimal | None, says("in the account's currency; null when nobody knows it")]


# -- bodies --------------------------------------------------------------------------------------------------------


class ConnectBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which account to connect. Without `account_id` it is the account of the route."""

    account_id: AccountId | None = None
    token: Token | None = None

    def __repr__(self) -> str:
        """Leave out the token, so that no log shows it."""
        return f"ConnectBody({self.account_id!r})"


class TradeBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order. A market order has no price, the four others need one."""

    symbol: Annotated[str, Meta(min_length=1, max_length=LONGEST_SYMBOL)]
    action: Mt4Action
    volume: Number
    price: Number | None = None
    stop_loss: Number | None = None
    take_profit: Number | None = None
    comment: Annotated[str, Meta(max_length=LONGEST_COMMENT)] | None = None


class CloseBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which position to close, and how much of it; null closes all of it."""

    position_id: Ticket
    volume: Number | None = None


class CancelBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which resting order to take out."""

    order_id: Ticket


# -- the account ---------------------------------------------------------------------------------------------------


class AccountBrief(Struct, frozen=True, kw_only=True):
    """The account that was connected."""

    login: Annotated[str | None, says("null when nobody names it")]
    server: str
    balance: Money
    currency: str
    leverage: Annotated[int | None, says("null when unknown")]


class AccountState(Struct, frozen=True, kw_only=True):
    """The connected account."""

    id: str
    login: Annotated[str | None, says("null when nobody names it")]
    server: str
    platform: Annotated[Literal["mt4", "desk"], says("desk: the desk's own account, no MetaTrader")]
    balance: Money
    equity: Money
    margin: Money
    free_margin: Money
    profit: Annotated[Decimal | None, says("open profit; null when a price is unknown")]
    currency: str
    leverage: Annotated[int | None, says("null when unknown")]
    kind: AccountKind
    real: Annotated[bool, says("real money: anything that its broker does not call a demo or a contest")]


class ConnectedAnswer(Struct, frozen=True, kw_only=True):
    """The account is connected."""

    success: Literal[True]
    connected: Literal[True]
    account: AccountBrief


class DataConnectedAnswer(Struct, frozen=True, kw_only=True):
    """The same as the data service tells it."""

    connected: Literal[True]
    account_id: str
    login: Annotated[str | None, says("null when nobody names it")]
    server: str
    platform: Literal["mt4", "desk"]
    balance: Money
    currency: str


class UnknownClosing(Struct, frozen=True, kw_only=True):
    """A closing that was sent and that nobody knows the outcome of."""

    position_id: str
    volume: Annotated[Decimal | None, says("lots; null for all of it")]
    sent_at: AwareTime


class StatusAnswer(Struct, frozen=True, kw_only=True):
    """Whether an account is connected, and which."""

    connected: bool
    account: Annotated[AccountState | None, says("null while none is connected")]
    route: Annotated[Mt4Route, says("where a trade goes: `MT4_ROUTE`")]
    unknown: Annotated[
        tuple[UnknownClosing, ...] | None,
        says("closings that nobody knows the outcome of, oldest first; null while the file of them cannot be read"),
    ] = ()


class DisconnectedAnswer(Struct, frozen=True, kw_only=True):
    """No account is connected any more."""

    success: Literal[True]
    connected: Literal[False]


# -- what it holds -------------------------------------------------------------------------------------------------


class PositionRow(Struct, frozen=True, kw_only=True):
    """An open position."""

    id: str
    symbol: str
    type: Side
    volume: Lots
    open_price: Annotated[Price | None, says("null when nobody told it: a position of the desk that it did not open")]
    current_price: Annotated[Price | None, says("the newest known one; null when none is known")]
    stop_loss: Annotated[Price | None, says("null without one; of the desk: what rests at its broker")]
    take_profit: Annotated[Price | None, says("null without one")]
    profit: Annotated[Decimal | None, says("open profit of what is still held; null without a price")]
    swap: Money
    open_time: Annotated[AwareTime | None, says("null when nobody told it")]
    comment: str
    contract_size: Annotated[Decimal | None, says("what 1.00 of price is worth of one lot, in USD; null when unknown")]
    simulated: Annotated[bool, says("opened at the prices of a simulated market")]


class PositionsAnswer(Struct, frozen=True, kw_only=True):
    """The open positions of the connected account, oldest first."""

    success: Literal[True]
    positions: tuple[PositionRow, ...]
    account: Annotated[str, says("the account's id")]
    kind: AccountKind


class OrderRow(Struct, frozen=True, kw_only=True):
    """A resting order."""

    id: str
    symbol: str
    action: Mt4Action
    volume: Lots
    price: Price
    stop_loss: Annotated[Price | None, says("null without one")]
    take_profit: Annotated[Price | None, says("null without one")]
    placed_at: AwareTime
    comment: str
    simulated: Annotated[bool, says("waits for prices of a simulated market")]


class OrdersAnswer(Struct, frozen=True, kw_only=True):
    """The resting orders of the connected account, oldest first."""

    success: Literal[True]
    orders: tuple[OrderRow, ...]
    account: Annotated[str, says("the account's id")]
    kind: AccountKind


class DealRow(Struct, frozen=True, kw_only=True):
    """One fill: a position was opened, or some of it was closed."""

    id: str
    position_id: Annotated[str | None, says("null when nobody names it")]
    symbol: str
    side: Annotated[Side, says("what was traded: the other side than the position's when it was closed")]
    entry: Annotated[Literal["in", "out"], says("in: opens, out: closes")]
    volume: Lots
    price: Price
    profit: Annotated[Decimal | None, says("realised by this fill; null when unknown")]
    reason: DealReason
    time: AwareTime
    simulated: bool


class DealsAnswer(Struct, frozen=True, kw_only=True):
    """The newest fills of the connected account, oldest of them first."""

    success: Literal[True]
    deals: tuple[DealRow, ...]
    account: Annotated[str, says("the account's id")]
    kind: AccountKind


# -- prices --------------------------------------------------------------------------------------------------------


class Mt4Tick(Struct, frozen=True, kw_only=True):
    """The newest price of a symbol."""

    symbol: str
    bid: Annotated[Price | None, says("null when nobody tells it")]
    ask: Annotated[Price | None, says("null when nobody tells it")]
    spread: Annotated[Decimal | None, says("ask less bid; null when one of them is unknown")]
    timestamp: AwareTime
    last: Annotated[Price | None, says("the last traded price; null where the broker tells bid and ask alone")]
    simulated: Annotated[bool, says("a simulated market made it, no real price")]


class Mt4Candle(Struct, frozen=True, kw_only=True):
    """One closed candle."""

    time: Annotated[AwareTime, says("when it begins")]
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Annotated[Decimal | None, says("ticks at MetaTrader, contracts else; null when unknown")]


# -- orders --------------------------------------------------------------------------------------------------------


class ProposalBrief(Struct, frozen=True, kw_only=True):
    """The proposal that a trade has become on the desk's route: the operator decides."""

    id: str
    status: str
    asset: str
    direction: Side
    quantity: Annotated[int, says("contracts that the desk itself would enter: the volume of the order is not obeyed")]
    valid_until: AwareTime


class TradeAnswer(Struct, frozen=True, kw_only=True):
    """What became of an order. With 202 it is a proposal, and nothing is traded yet."""

    success: Annotated[bool, says("an order rests or a position is open; false with 202")]
    order_id: Annotated[str | None, says("null with 202")]
    position_id: Annotated[str | None, says("null while the order rests, and with 202")]
    price: Annotated[Price | None, says("at which a market order was filled; null for any other")]
    proposal: Annotated[ProposalBrief | None, says("null on the paper route")]


class CloseAnswer(Struct, frozen=True, kw_only=True):
    """What was closed."""

    success: Literal[True]
    position_id: str
    closed_volume: Annotated[Decimal | None, says("lots; null when the account does not tell it")]
    remaining_volume: Annotated[Decimal | None, says("lots still held; null when the account does not tell it")]
    price: Annotated[Price | None, says("null when the account does not tell it")]


class CancelAnswer(Struct, frozen=True, kw_only=True):
    """A resting order was taken out."""

    success: Literal[True]
    order_id: str
