"""The market feed: its envelope, the bodies of its events and the answers of its REST half (market-feed.md)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Struct

from wire.types import AwareTime, Price, Side, Usd, says

MarketChannelName = Literal["quotes", "states", "alerts.in_force", "alerts.simultaneous_breaks"]
MarketErrorCode = Literal[
    "not_json",
    "not_an_object",
    "unknown_op",
    "topics_invalid",
    "too_many_topics",
    "binary_frame",
]
MarketProblemCode = Literal[
    "invalid_query",
    "missing_api_key",
    "invalid_api_key",
    "missing_scope",
    "foreign_origin",
    "service_only",
    "unknown_symbol",
    "not_found",
    "method_not_allowed",
    "rate_limit_exceeded",
    "internal_error",
    "keys_unknown",
    "desk_unknown",
    "too_many_sockets",
    "bars_unknown",
]


class MarketQuote(Struct, frozen=True, kw_only=True):
    """Data of ``quote``: a price of one symbol. Null is unknown, never 0."""

    symbol: str
    price: Price
    volume: Annotated[int | None, says("contracts heard in this trade date; null when unknown")]
    bid: Price | None
    ask: Price | None
    ts: Annotated[AwareTime, says("when the price was")]
    source: Literal["ticks", "heartbeat"]
    simulated: bool
    contract: str


class MarketPrice(Struct, frozen=True, kw_only=True):
    """The price of a state."""

    price: Price
    volume: int | None


class MarketSetup(Struct, frozen=True, kw_only=True):
    """One setup of TheStrat: ``trigger`` must be exceeded, ``stop`` is the other side of the candle."""

    timeframe: str
    name: str
    direction: Literal["up", "down"]
    trigger: Price
    stop: Price
    candle_start: AwareTime
    is_in_force: bool


class MarketSetupOf(MarketSetup, frozen=True, kw_only=True):
    """A setup in ``setups/current``."""

    symbol: str


class MarketZone(Struct, frozen=True, kw_only=True):
    """What the desk's 8pt and 12pt bricks make; null while they are unknown."""

    type: str | None
    direction: Side | None


class MarketState(Struct, frozen=True, kw_only=True):
    """Data of ``state``: everything that TheStrat and the desk say of one symbol."""

    symbol: str
    price: MarketPrice | None
    tfc: dict[str, str | None]
    scenarios: dict[str, str | None]
    setups: tuple[MarketSetup, ...]
    zone: MarketZone
    tempo_ready: bool | None
    simulated: bool | None


class MarketInForce(Struct, frozen=True, kw_only=True):
    """Data of ``alert.in_force``."""

    id: int
    symbol: str
    timeframe: str
    candle_start: AwareTime
    direction: Literal["up", "down"]
    scenario: str | None
    trigger: Price
    price: Price
    at: AwareTime
    contract: str | None
    simulated: bool


class MarketBreakMember(Struct, frozen=True, kw_only=True):
    """One break of a simultaneous break."""

    symbol: str
    timeframe: str
    trigger: Price | None
    at: AwareTime


class MarketBreak(Struct, frozen=True, kw_only=True):
    """Data of ``alert.simultaneous_break``."""

    id: int
    cohort: str
    direction: Literal["up", "down"]
    window_s: int
    members: tuple[MarketBreakMember, ...]
    at: AwareTime
    simulated: bool | None


class Acknowledged(Struct, frozen=True, kw_only=True):
    """Data of ``subscribed`` and ``unsubscribed``: what of the request was taken."""

    channels: tuple[MarketChannelName, ...]
    symbols: dict[str, tuple[str, ...]]


class MarketError(Struct, frozen=True, kw_only=True):
    """Data of ``error``."""

    code: MarketErrorCode
    message: str


# -- the REST half ---------------------------------------------------------------------------------------------------


class MarketInstrument(Struct, frozen=True, kw_only=True):
    """One symbol that the desk trades."""

    symbol: str
    contract: str | None
    exchange: str | None
    title: str | None
    tick_size: Price | None
    point_size: Price | None
    point_value: Usd | None
    simulated: bool | None


class InstrumentsAnswer(Struct, frozen=True, kw_only=True):
    """The symbols that the desk trades."""

    instruments: tuple[MarketInstrument, ...]


class PricesAnswer(Struct, frozen=True, kw_only=True):
    """The newest prices, and the symbols without one."""

    prices: tuple[MarketQuote, ...]
    missing: tuple[str, ...]


class MarketCandle(Struct, frozen=True, kw_only=True):
    """One candle, ``start`` included, ``end`` not."""

    start: AwareTime
    end: AwareTime
    open: Price
    high: Price
    low: Price
    close: Price
    volume: int | None
    source: Literal["ticks", "heartbeat"]
    simulated: bool
    is_closed: bool
    is_partial: bool
    has_open: bool
    scenario: str | None
    contract: str


class CandlesAnswer(Struct, frozen=True, kw_only=True):
    """Candles, oldest first. ``partial``: only what feeds heard themselves."""

    symbol: str
    timeframe: str
    partial: bool
    candles: tuple[MarketCandle, ...]


class SetupsAnswer(Struct, frozen=True, kw_only=True):
    """The setups that wait or are in force."""

    setups: tuple[MarketSetupOf, ...]


class InForceAnswer(Struct, frozen=True, kw_only=True):
    """Alerts, oldest first; ``next`` is the ``since_id`` of the next call."""

    alerts: tuple[MarketInForce, ...]
    next: int


class BreaksAnswer(Struct, frozen=True, kw_only=True):
    """Simultaneous breaks, oldest first; ``next`` is the ``since_id`` of the next call."""

    alerts: tuple[MarketBreak, ...]
    next: int


class OneMarketStatus(Struct, frozen=True, kw_only=True):
    """Whether one symbol's market is open, by its own calendar."""

    symbol: str
    calendar: Annotated[str, says("`cme_equity` `cme_energy` `cme_metals` `fx` `index_cfd` `spot_metals` `crypto`")]
    is_open: bool
    trade_date: date
    opens_at: Annotated[AwareTime | None, says("when it opens next; null for a market that never closes")]
    closes_at: Annotated[AwareTime | None, says("when it closes next; null for a market that never closes")]
    is_thin: bool
    reason: Annotated[str | None, says("why it is thin; null on a usual day")]


class MarketStatus(Struct, frozen=True, kw_only=True):
    """Whether the CME's equity index futures are open, each symbol's own market, and whether its prices are heard."""

    is_open: bool
    trade_date: date
    is_thin: bool
    reason: Annotated[str | None, says("why it is thin; null on a usual day")]
    calendar: Literal["CME"]
    web_is_up: bool
    web_since: AwareTime
    simulated: bool | None
    as_of: AwareTime
    markets: Annotated[tuple[OneMarketStatus, ...], says("every symbol of the desk; none while it was never heard")]


class MarketProblemBody(Struct, frozen=True, kw_only=True):
    """Why a call failed."""

    code: MarketProblemCode
    message: str


class MarketProblem(Struct, frozen=True, kw_only=True):
    """Every error of the REST half and of a refused upgrade."""

    error: MarketProblemBody
