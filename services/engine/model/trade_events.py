"""Events of a trade and of its protections (SPEC 6, 7)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from services.engine.model.event import Event
from wire.types import (
    EntryZone,
    Env,
    FillKind,
    Instant,
    Price,
    Side,
    TradeMode,
    Usd,
)


class ProtectionChanged(Event, frozen=True, tag="ProtectionChanged"):
    """The operator changed a protection of the open trade. ``setting`` is the field, ``value`` its text."""

    asset: str
    setting: str
    value: str


class SignalCounted(Event, frozen=True, tag="SignalCounted"):
    """An opposite 6pt brick was counted for the signal take-profit."""

    asset: str
    count: int
    target: int


class TradeRepriced(Event, frozen=True, tag="TradeRepriced"):
    """The broker's average replaced an entry price that nobody had told (SPEC 8.3)."""

    asset: str
    trade_id: str
    price: Price


class CommissionTold(Event, frozen=True, tag="CommissionTold"):
    """A commission of the open trade was told after its fill. ``commission`` is all that the trade has cost, in USD."""

    asset: str
    trade_id: str
    commission: Usd


class TradeOpened(Event, frozen=True, tag="TradeOpened"):
    asset: str
    trade_id: str
    side: Side
    qty: int
    price: Price
    adopted: bool = False


class TradeResized(Event, frozen=True, tag="TradeResized"):
    """The desk took over the broker's quantity, which differed from its own (SPEC 8.4)."""

    asset: str
    quantity: int


class PositionFollowed(Event, frozen=True, tag="PositionFollowed"):
    """The desk took over from the broker's position what no fill had told (SPEC 8.4).

    ``qty`` contracts of ``symbol`` were bought or sold at ``price``; ``estimated`` when nobody told that price.
    """

    asset: str
    symbol: str
    side: Side
    qty: int
    price: Price
    kind: FillKind
    trade_id: str
    estimated: bool = False


class TradeClosed(Event, frozen=True, tag="TradeClosed"):
    """A trade reached flat (SPEC 7.5, SPEC 11 ``history``).

    ``unit`` is the price of its points; None in trades of earlier programs (``services.market.instruments``).
    ``exit_by`` is ``service`` when a program beside web asked for the exit, with ``forced_exit`` when it forced it.
    ``pnl_usd`` is gross. ``commission_usd`` is what its fills have cost; what is not known counts 0, and
    ``commission_known`` is false then. ``risk_usd`` is the risk at entry with the round turn, ``r`` the net result over
    it, ``mae_usd`` and ``mfe_usd`` the worst and the best gross result while it was open. All of these are None in
    trades of earlier programs.
    """

    id: str
    asset: str
    contract: str
    side: Side
    size: int
    entry_price: Price
    exit_price: Price
    entry_ts: Instant
    exit_ts: Instant
    pnl_points: Decimal
    pnl_usd: Usd
    mae_points: Decimal
    mfe_points: Decimal
    mode: TradeMode
    zone: EntryZone
    reason: str
    env: Env
    override: bool = False
    forced_exit: bool = False
    estimated: bool = False
    unit: Price | None = None
    exit_by: str | None = None
    commission_usd: Usd | None = None
    commission_known: bool = False
    pnl_net_usd: Usd | None = None
    risk_usd: Usd | None = None
    r: Decimal | None = None
    mae_usd: Usd | None = None
    mfe_usd: Usd | None = None

    @property
    def result_usd(self) -> Usd:
        """The result in USD: net, in trades of earlier programs gross (``commission_known`` is false there)."""
        return self.pnl_usd if self.pnl_net_usd is None else self.pnl_net_usd

    @property
    def is_forced_by_operator(self) -> bool:
        """Whether the operator broke the initial exit lock. What a program forced is no rule of his that was broken."""
        return self.forced_exit and self.exit_by is None


class TradeCorrected(Event, frozen=True, tag="TradeCorrected"):
    """A fill that was told later gave a trade its true exit, which the desk had closed by the broker's position.

    ``trade`` replaces the closed trade of that id (SPEC 8.3, 8.4).
    """

    asset: str
    trade: TradeClosed


class TradeNoted(Event, frozen=True, tag="TradeNoted"):
    """The operator wrote a note for a closed trade; it replaces the earlier one."""

    trade_id: str
    note: str
    tags: tuple[str, ...] = ()


class ScaleInUnlocked(Event, frozen=True, tag="ScaleInUnlocked"):
    asset: str
    by: str


class ScaleInReturned(Event, frozen=True, tag="ScaleInReturned"):
    """A scale-in ended unfilled and may be requested again."""

    asset: str
    order_id: str


OfTrades = (
    TradeOpened
    | TradeResized
    | PositionFollowed
    | TradeClosed
    | TradeCorrected
    | TradeNoted
    | ProtectionChanged
    | SignalCounted
    | TradeRepriced
    | CommissionTold
    | ScaleInUnlocked
    | ScaleInReturned
)


def closed_trades(events: Iterable[Event]) -> list[TradeClosed]:
    """Return the closed trades that events tell of, oldest first; one that was corrected comes again."""
    told = (event.trade if isinstance(event, TradeCorrected) else event for event in events)
    return [event for event in told if isinstance(event, TradeClosed)]
