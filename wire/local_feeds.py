"""What the local feeds send: consensus (8080), telemetry (8081), journal (8082).

Contract: docs/reference/contracts/local-feeds.md. Times are RFC 3339 UTC, prices plain numbers in the contract's price.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Struct

from wire.journal import GatesRow
from wire.types import AwareTime, Color, Env, OrderKind, OrderStatus, Points, Price, Side, TradeMode, Usd, says

Decision = Literal["BUY", "SELL", "HOLD"]
Regime = Literal["trend", "transition", "unknown"]
Momentum = Literal["up", "down", "flat", "unknown"]
MarkerKind = Literal["ENTRY", "SCALE_IN", "EXIT", "RESIZE", "STOP", "LIQUIDATION"]
PriceSource = Literal["ticks", "heartbeat"]


class ConsensusComponent(Struct, frozen=True, kw_only=True):
    """The vote of one brick size."""

    size: Annotated[Points, says("points of a brick")]
    color: Annotated[Color | None, says("null when it is unknown or too old: then it counts as nothing")]
    weight: Annotated[int, says("its share of the vote")]
    age_s: Annotated[Decimal | None, says("seconds since its last brick closed; null before the first")]


class ConsensusMessage(Struct, frozen=True, kw_only=True):
    """The only message of 8080: the weighted vote of an asset's brick colours. It is arithmetic, not advice."""

    decision: Annotated[Decision, says("HOLD below a score of 20, without a zone, and while the desk is away")]
    conviction_score: Annotated[int, says("0 to 100: how far the vote leans to one side")]
    regime: Annotated[Regime, says("trend: 8pt and 12pt agree; transition: they do not; unknown: one is unknown")]
    confluences: Annotated[tuple[str, ...], says("the sizes that support the side, such as `R8 green`, and `trend`")]
    symbol: Annotated[str | None, says("the operator's symbol; null while the desk was never heard")]
    momentum: Annotated[Momentum, says("what 2.5pt and 4pt say together; flat: they differ; unknown: one is unknown")]
    components: tuple[ConsensusComponent, ...]
    blocked_by: Annotated[tuple[str, ...], says("closed gates, in the order in which they are asked")]
    degraded: Annotated[bool, says("the desk is away; nothing here is fresh")]
    ts: AwareTime


# -- telemetry ------------------------------------------------------------------------------------------------------


class TelemetryBrick(Struct, frozen=True, kw_only=True):
    """A brick of the chart. ``open`` and ``close`` are null when TradingView sent no price."""

    n: Annotated[int, says("counts the bricks of one size; a gap means that the snapshot must be read again")]
    ts: AwareTime
    color: Color
    open: Price | None
    close: Price | None


class BrickSeries(Struct, frozen=True, kw_only=True):
    """The last bricks of one size, oldest first."""

    size: Annotated[Points, says("points of a brick")]
    bricks: tuple[TelemetryBrick, ...]


class TelemetryOrder(Struct, frozen=True, kw_only=True):
    """An open order."""

    id: str
    contract: str
    side: Side
    qty: Annotated[int, says("contracts ordered")]
    filled_qty: int
    kind: OrderKind
    status: OrderStatus


class TelemetryLevels(Struct, frozen=True, kw_only=True):
    """The levels of the open position; all of them are null while the asset is flat."""

    position: Annotated[int | None, says("signed contracts; null when unknown")]
    entry: Price | None
    stop_loss: Annotated[Price | None, says("the planned price of the protective stop")]
    target: Annotated[Price | None, says("the take-profit; null when it is off")]


class TelemetrySnapshot(Struct, frozen=True, kw_only=True, tag_field="type", tag="snapshot"):
    """What a chart of one asset begins with; sent again when the desk went or came, or bricks were missed."""

    symbol: str
    ts: AwareTime
    degraded: Annotated[bool, says("the desk is away; what is shown was true when it was last heard")]
    complete: Annotated[bool, says("false while the past is still being read: the snapshot comes again")]
    series: tuple[BrickSeries, ...]
    orders: Annotated[tuple[TelemetryOrder, ...], says("open orders")]
    levels: TelemetryLevels
    last_price: Price | None
    simulated: Annotated[bool | None, says("null when unknown")]


class TickMessage(Struct, frozen=True, kw_only=True, tag_field="type", tag="tick"):
    """A price of an asset. Of ticks that a reader is too slow for, the newest is sent."""

    symbol: str
    ts: AwareTime
    price: Price
    size: Annotated[int | None, says("contracts traded; null when unknown")]
    bid: Price | None
    ask: Price | None
    source: PriceSource
    simulated: Annotated[bool | None, says("null when unknown")]


class BrickMessage(Struct, frozen=True, kw_only=True, tag_field="type", tag="brick"):
    """A brick has closed."""

    symbol: str
    size: Annotated[Points, says("points of a brick")]
    n: int
    ts: AwareTime
    color: Color
    open: Price | None
    close: Price | None


class MarkerMessage(Struct, frozen=True, kw_only=True, tag_field="type", tag="marker"):
    """Contracts were bought or sold: where to draw it. A marker that comes again has the same id."""

    id: Annotated[str, says("the event's id and the place of the fill in it")]
    symbol: str
    ts: AwareTime
    price: Annotated[Price | None, says("null when unknown")]
    kind: MarkerKind
    side: Side
    qty: Annotated[int, says("contracts")]


# -- journal --------------------------------------------------------------------------------------------------------


class TradeSetup(Struct, frozen=True, kw_only=True):
    """A row of ``GET :8082/api/journal``: a trade, open or closed."""

    symbol: Annotated[str, says("the operator's symbol")]
    entry: Annotated[Price, says("average price of what was entered")]
    target: Annotated[Price | None, says("take-profit; null for a RUNNER, when it is off, and when unknown")]
    stop_loss: Annotated[Price | None, says("protective stop; null when unknown")]
    side: Side
    qty: Annotated[int, says("contracts, at most at one time; held now while it is open")]
    opened_at: AwareTime
    closed_at: Annotated[AwareTime | None, says("null while it is open")]
    exit: Annotated[Price | None, says("average exit price; null while it is open")]
    exit_reason: Annotated[str | None, says("the exit rule or command; null while it is open")]
    pnl: Annotated[Usd | None, says("USD; of an open trade what it has now, null without a price")]
    pnl_points: Annotated[Points | None, says("points per contract")]
    r_multiple: Annotated[Decimal | None, says("pnl_points over the points to the stop; null when unknown or open")]
    mae: Annotated[Points | None, says("worst points while it was open")]
    mfe: Annotated[Points | None, says("best points while it was open")]
    env: Env
    mode: TradeMode
    zone: str
    contract: str
    gates: Annotated[GatesRow | None, says("the gates at the entry; null when they were not recorded, and while open")]
    override: bool
    estimated: Annotated[bool | None, says("a price was not told but estimated; null while it is open")]
    tags: tuple[str, ...]
    note: str
    trading_day: Annotated[str, says("YYYY-MM-DD")]
    id: str


class JournalFault(Struct, frozen=True):
    """The body of an error of 8082."""

    error: str
    ok: bool = False
