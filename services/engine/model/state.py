"""The desk as it stands: frozen parts, changed only by ``replace``.

Prices and money are ``Decimal``, times are aware UTC instants, quantities are contracts. A *point* is the unit
in which bricks, stops and targets are counted; one point is ``Contract.point_size`` in price. Everything here
is stored and journaled as it is written, so a new field needs a default (an upgrade reads old documents).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field

from services.engine.model.order import Order
from services.engine.model.settings import Rules
from services.engine.model.trade import Trade
from services.engine.model.wording import Explanation, Facts
from wire.types import (
    Color,
    Contract,
    Env,
    Instant,
    IntentStatus,
    PreOrderStatus,
    Price,
    Side,
    SizeMode,
    Stream,
    TradeMode,
    Usd,
)

APPLIED_BRICKS_KEPT = 256  # SPEC 3: a duplicate is one of the last 256 applied
ALERTS_KEPT = 30


class BrickStream(Struct, frozen=True):
    """The latest brick of one size and what is needed to know a duplicate or a late one.

    ``at`` is when the brick was applied, ``newest_bar_at`` the newest bar time seen, ``applied`` the digests of
    the last 256 applied bricks that named a ``bar_id`` (never stored for the 1pt stream, SPEC 3).
    """

    color: Color = "neutral"
    at: Instant | None = None
    bar_id: str | None = None
    close: Price | None = None
    newest_bar_at: Instant | None = None
    applied: tuple[str, ...] = ()


class Stack(Struct, frozen=True):
    """An asset's latest brick per durable size (SPEC 2); the 1pt brick is live only."""

    two_half: BrickStream = BrickStream()
    four: BrickStream = BrickStream()
    main: BrickStream = BrickStream()
    high: BrickStream = BrickStream()
    macro: BrickStream = BrickStream()

    def of(self, stream: Stream) -> BrickStream:
        latest: BrickStream = getattr(self, stream.value)
        return latest

    def colors(self) -> dict[str, Color]:
        return {name: getattr(self, name).color for name in self.__struct_fields__}


class Tempo(Struct, frozen=True):
    """The right to one entry per 6pt brick (SPEC 5.7).

    ``flip_may_rearm`` is true while flat after a trade that saw at least one fresh 6pt brick.
    """

    ready: bool = False
    color: Color = "neutral"
    armed_at: Instant | None = None
    flip_may_rearm: bool = False


class Intent(Struct, frozen=True):
    """The operator's wish to enter after the next 6pt brick (SPEC 4): that brick makes it READY, the one after
    EXPIRED. It orders nothing by itself."""

    status: IntentStatus
    since: Instant

    @property
    def is_active(self) -> bool:
        return self.status in ("WAITING", "READY")


class PreOrder(Struct, frozen=True):
    """An entry that waits for the next 6pt brick (SPEC 4). ``reason`` says why it was cancelled.

    ``refusal`` explains a reason that was the desk's refusal; nothing stored before schema 3 has it.
    """

    status: PreOrderStatus
    direction: Side
    trade_mode: TradeMode
    size_mode: SizeMode
    override: bool
    placed_at: Instant
    reason: str | None = None
    override_reason: str | None = None
    refusal: Explanation | UnsetType = UNSET

    @property
    def is_active(self) -> bool:
        return self.status == "WAITING"


class DueExit(Struct, frozen=True):
    """An exit that came due and is not yet an order (SPEC 7.2, 7.3).

    It waits for the open order of the asset to become final, or until ``retry_at`` after the broker refused.
    """

    source: str
    since: Instant
    attempt: int = 0
    retry_at: Instant | None = None
    forced: bool = False


class Disagreement(Struct, frozen=True):
    """The broker reported another position than the desk holds (SPEC 8.4)."""

    broker_position: int
    since: Instant


class AssetLive(Struct, frozen=True):
    """What changes with every price: shown at once, stored with the next event (docs/explanation/architecture.md)."""

    last_price: Price | None = None
    price_at: Instant | None = None
    last_heartbeat_at: Instant | None = None
    heartbeat_flagged: bool = False
    simulated: bool = False
    one: BrickStream = BrickStream()
    open_points: Decimal | None = None
    open_points_at: Instant | None = None
    best_points: Decimal | None = None
    worst_points: Decimal | None = None


class Asset(Struct, frozen=True):
    """All the desk knows of one symbol."""

    symbol: str
    contract: Contract
    stack: Stack = Stack()
    tempo: Tempo = Tempo()
    trade: Trade | None = None
    intent: Intent | None = None
    preorder: PreOrder | None = None
    due_exit: DueExit | None = None
    disagreement: Disagreement | None = None
    is_silent: bool = False
    live: AssetLive = AssetLive()

    def stream(self, stream: Stream) -> BrickStream:
        """Return the latest brick of a size, the live 1pt one included."""
        return self.live.one if stream is Stream.ONE else self.stack.of(stream)

    @property
    def position(self) -> int:
        """Signed contracts held: long positive, short negative, flat 0."""
        return self.trade.sign * self.trade.quantity if self.trade else 0


class Day(Struct, frozen=True):
    """The trading day: its start equity, its counters, its stop (SPEC 5.5, 5.6).

    ``start_equity`` is of the account of the desk's environment; ``other_start_equity`` waits for the other one.
    ``warned_pct`` is the highest mark of the daily stop that was passed and told, 0 before the first.
    """

    trading_day: date
    start_equity: Usd | None = None
    other_start_equity: Usd | None = None
    trades_taken: int = 0
    daily_stop_at: Instant | None = None
    daily_stop_reason: str | None = None
    warned_pct: int = 0

    @property
    def is_stopped(self) -> bool:
        return self.daily_stop_at is not None


class Locks(Struct, frozen=True):
    """The desk-wide locks as stored instants; whether they hold is a comparison with now (SPEC 5.8).

    ``candle_used`` is the start of the candle an entry took, ``candle_until`` the end of its lock: it stays where
    it is, or moves later, when the length of candles is changed.
    """

    candle_used: Instant | None = None
    candle_until: Instant | None = None
    cooldown_until: Instant | None = None


AlertLevel = Literal["info", "warning", "critical"]


class Alert(Struct, frozen=True):
    """Something a person must know: shown in the page, kept in the journal; ``rules/alerts.py`` has its row.

    Title and detail are stored as the sentence they make. What was stored before schema 3 has no facts.
    """

    at: Instant
    code: str
    level: AlertLevel
    sentence: str
    asset: str | None = None
    facts: Facts | UnsetType = UNSET


class DeskLive(Struct, frozen=True):
    """Account and bridge as last heard. Published at once, committed with the next event."""

    equity: Usd | None = None
    open_pnl: Usd | None = None
    realized_pnl: Usd | None = None
    snapshot_at: Instant | None = None
    bridge_heard_at: Instant | None = None
    bridge_heartbeat_at: Instant | None = None
    ts_connected: bool = False
    md_connected: bool = False
    repo_ok: bool = False
    account: str | None = None
    trade_route: str | None = None
    last_rapi_event_at: Instant | None = None


class Desk(Struct, frozen=True):
    """The whole: rules, day, locks, assets and open orders.

    ``rules`` are in force; ``wanted`` will be from the next trading day on, and are ``rules`` while nothing is
    pending; ``configured`` is what the environment said last, so that a restart shows what it changed.
    ``sequence`` counts journal rows, ``issued`` the ids handed out under the secret ``id_key`` (SPEC 8.1).
    ``last_stamp`` is the milliseconds and counter of the newest id, None while a program decides that counts none.
    """

    id_key: str
    rules: Rules
    day: Day
    wanted: Rules
    configured: Rules
    sequence: int = 0
    issued: int = 0
    last_stamp: int | None = None
    env: Env = "DEMO"
    locks: Locks = Locks()
    assets: dict[str, Asset] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    alerts: tuple[Alert, ...] = ()
    bridge_is_silent: bool = False
    live: DeskLive = DeskLive()

    def open_order(self, symbol: str) -> Order | None:
        """Return the asset's order that is not yet final; there is never more than one."""
        return next((order for order in self.orders.values() if order.asset == symbol), None)
