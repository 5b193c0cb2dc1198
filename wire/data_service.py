"""What the data service says (port 8001): stored bars, snapshots, symbols, syncs, and the messages of its stream.

Contract: docs/reference/contracts/platform-services.md; every field is explained in docs/reference/data-service.md.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from wire.candles import BarSource
from wire.types import AwareTime, Price, says

DataTimeframe = Literal["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"]
DataChannel = Literal["ticker", "candles", "orderbook"]
StreamFault = Literal[
    "not_json", "binary_frame", "unknown_action", "invalid_request", "unknown_channel", "unknown_symbol", "too_many"
]
JobStatus = Literal["completed", "running", "failed"]

Simulated = Annotated[bool, says("a simulated market made it, no real price")]
Volume = Annotated[Decimal | None, says("null when it is unknown, never 0 for that")]


# -- health --------------------------------------------------------------------------------------------------------


class DataProvider(Struct, frozen=True, kw_only=True):
    """One place that bars can be synced from."""

    name: str
    status: Annotated[Literal["ok", "off", "error"], says("off: it needs a setting that is not there")]
    last_ts: Annotated[AwareTime | None, says("its newest bar; null when unknown")]
    reason: Annotated[str | None, says("a code: why it is off or fails; null when it is well")]


class DataHealth(Struct, frozen=True, kw_only=True):
    """How the data service is. It answers 200 also when it is degraded."""

    status: Annotated[Literal["healthy", "degraded"], says("degraded: web is away, or the bars cannot be read")]
    providers: tuple[DataProvider, ...]
    uptime: Annotated[int, Meta(ge=0, description="seconds")]
    web: Annotated[bool, says("the desk is heard: prices are fresh")]
    bars: Annotated[bool, says("the stored bars can be read")]
    jobs: Annotated[int, Meta(ge=0, description="syncs that run or wait")]


# -- bars ----------------------------------------------------------------------------------------------------------


class OhlcvBar(Struct, frozen=True, kw_only=True):
    """One closed candle. `timestamp` is its start."""

    timestamp: AwareTime
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Volume
    source: Annotated[BarSource, says("the least certain one of its minutes")]


class OhlcvAnswer(Struct, frozen=True, kw_only=True):
    """Stored candles, oldest first. Nothing is filled: a gap is a gap."""

    bars: tuple[OhlcvBar, ...]
    symbol: str
    timeframe: DataTimeframe
    count: int
    simulated: Simulated
    next: Annotated[AwareTime | None, says("the `start` of the next page; null when this one is the last")]


class SymbolsAnswer(Struct, frozen=True, kw_only=True):
    """The symbols of the desk, then those of which bars are stored."""

    symbols: tuple[str, ...]


class SnapshotAnswer(Struct, frozen=True, kw_only=True):
    """The newest price of a symbol."""

    symbol: str
    bid: Annotated[Price | None, says("null when nobody tells it")]
    ask: Annotated[Price | None, says("null when nobody tells it")]
    last_price: Price
    timestamp: Annotated[AwareTime, says("when the price was; of a stored bar the start of its minute")]
    daily_change: Annotated[Decimal | None, says("against the close of the session before; null when unknown")]
    daily_change_pct: Annotated[Decimal | None, says("the same in percent of that close")]
    source: Annotated[Literal["ticks", "heartbeat", "bar"], says("bar: none was heard, the newest stored close")]
    simulated: Simulated


# -- syncs ---------------------------------------------------------------------------------------------------------


class SyncAnswer(Struct, frozen=True, kw_only=True):
    """A sync. With 202 it is `running`: ask again at `/api/sync/jobs/{job_id}`."""

    status: JobStatus
    rows_synced: Annotated[int, Meta(ge=0, description="minutes added or changed so far; a second sync has 0")]
    job_id: str
    symbol: str
    start: AwareTime
    end: AwareTime
    problems: Annotated[tuple[str, ...], says("what a provider could not do; empty when all went well")]


# -- the stream ----------------------------------------------------------------------------------------------------


class TickerData(Struct, frozen=True, kw_only=True):
    """A price. At most ten times a second for a symbol; of more the newest is sent."""

    symbol: str
    price: Price
    timestamp: AwareTime
    bid: Price | None
    ask: Price | None
    source: Literal["ticks", "heartbeat"]
    simulated: Simulated


class CandleData(Struct, frozen=True, kw_only=True):
    """A candle that has just closed."""

    symbol: str
    ohlcv: OhlcvBar
    timeframe: DataTimeframe
    simulated: Simulated


class BookLevel(Struct, frozen=True, kw_only=True):
    """One price of an order book."""

    price: Price
    size: Annotated[int | None, says("null when nobody tells it")]


class OrderbookData(Struct, frozen=True, kw_only=True):
    """The best bid and the best ask: depth 1, and only where the bridge tells them."""

    symbol: str
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    timestamp: AwareTime
    simulated: Simulated


class StreamSubscription(Struct, frozen=True, kw_only=True):
    """What a connection hears after its request."""

    channels: tuple[DataChannel, ...]
    symbols: tuple[str, ...]
    timeframes: Annotated[tuple[DataTimeframe, ...], says("of `candles`")]


class StreamProblem(Struct, frozen=True, kw_only=True):
    """A request that could not be obeyed; nothing was changed by it."""

    code: StreamFault
    message: str


class TickerMessage(Struct, frozen=True, kw_only=True, tag_field="type", tag="ticker"):
    """The newest price."""

    data: TickerData


class CandleMessage(Struct, frozen=True, kw_only=True, tag_field="type", tag="candle"):
    """A candle at its close."""

    data: CandleData


class OrderbookMessage(Struct, frozen=True, kw_only=True, tag_field="type", tag="orderbook"):
    """The best bid and ask."""

    data: OrderbookData


class SubscribedMessage(Struct, frozen=True, kw_only=True, tag_field="type", tag="subscribed"):
    """The answer to `subscribe` and `unsubscribe`."""

    data: StreamSubscription


class StreamErrorMessage(Struct, frozen=True, kw_only=True, tag_field="type", tag="error"):
    """The answer to a request that is wrong."""

    data: StreamProblem


class SyncRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of ``POST /api/sync/{symbol}``.

    Without `end_date` it is now, without `provider` all that have the symbol are asked.
    """

    start_date: str
    end_date: str | None = None
    provider: str | None = None
