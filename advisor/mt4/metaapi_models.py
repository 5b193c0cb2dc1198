"""MetaApi's documented models, as far as they are read (https://metaapi.cloud/docs/client/models/).

Fields that are not named here are ignored. Ids and logins are numbers there, and sometimes texts: both are read.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct, field

from wire.types import AwareTime

Id = int | str


class MetaAccount(Struct, frozen=True, rename="camel"):
    """``metatraderAccountInformation``."""

    platform: str
    currency: str
    server: str
    balance: Decimal
    equity: Decimal
    margin: Decimal
    free_margin: Decimal
    leverage: int | float
    trade_allowed: bool
    login: Id
    type: str
    investor_mode: bool = False
    credit: Decimal | None = None


class MetaPosition(Struct, frozen=True, rename="camel"):
    """``metatraderPosition``."""

    id: Id
    type: Literal["POSITION_TYPE_BUY", "POSITION_TYPE_SELL"]
    symbol: str
    time: AwareTime
    open_price: Decimal
    volume: Decimal
    current_price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    unrealized_profit: Decimal | None = None
    swap: Decimal | None = None
    comment: str = ""
    client_id: str | None = None


class MetaOrder(Struct, frozen=True, rename="camel"):
    """``metatraderOrder``, one that rests or one of the history."""

    id: Id
    type: str
    state: str
    symbol: str
    time: AwareTime
    volume: Decimal | None = None
    current_volume: Decimal | None = None
    open_price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    position_id: Id | None = None
    comment: str = ""
    client_id: str | None = None


class MetaDeal(Struct, frozen=True, rename="camel"):
    """``metatraderDeal``."""

    id: Id
    type: str
    time: AwareTime
    symbol: str | None = None
    entry_type: str | None = None
    volume: Decimal | None = None
    price: Decimal | None = None
    profit: Decimal | None = None
    position_id: Id | None = None
    order_id: Id | None = None
    reason: str | None = None
    client_id: str | None = None


class MetaPrice(Struct, frozen=True, rename="camel"):
    """``metatraderSymbolPrice``."""

    symbol: str
    bid: Decimal
    ask: Decimal
    time: AwareTime


class MetaCandle(Struct, frozen=True, rename="camel"):
    """``metatraderCandle``."""

    time: AwareTime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    tick_volume: Decimal | None = None


class MetaTrade(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What is sent to ``/trade``."""

    action_type: str
    symbol: str | None = None
    volume: Decimal | None = None
    open_price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    position_id: str | None = None
    order_id: str | None = None
    comment: str | None = None
    client_id: str | None = None


class ClosingSent(MetaTrade, frozen=True, rename="camel", omit_defaults=True):
    """What is stored of a closing that is about to be sent.

    ``held_before`` is null when nobody knew it. ``asked`` is what the caller said, null for all of it; with so
    many lots held, ``volume`` is null.
    """

    held_before: Decimal | None = None
    asked: Decimal | None = None


class MetaTradeResponse(Struct, frozen=True, rename="camel"):
    """``metatraderTradeResponse``."""

    numeric_code: int
    string_code: str
    message: str = ""
    order_id: Id | None = None
    position_id: Id | None = None


class MetaRetry(Struct, frozen=True, rename="camel"):
    """The metadata of an error of too many requests."""

    recommended_retry_time: datetime | None = None


class MetaError(Struct, frozen=True, rename="camel"):
    """``error``: the body of a failed call. `error` is a name for programs."""

    error: str = ""
    message: str = ""
    details: Any = None
    metadata: MetaRetry = field(default_factory=MetaRetry)
