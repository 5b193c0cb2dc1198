"""The state of the desk: frozen structs, changed only by ``replace``.

Prices and money are ``Decimal``, times are aware UTC instants, quantities are contracts. A *point* is the unit of
bricks, stops and targets; one point is ``Contract.point`` in price. These structs are stored under their field
names, so a new field needs a default: old documents lack it.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import UNSET, Struct, UnsetType, field

from services.engine.model.account import Beliefs, DayBooks
from services.engine.model.alert import Alert
from services.engine.model.bricks import BrickStream, Stack
from services.engine.model.evidence import (
    BridgeFence,
    ClosedUncharged,
    ClosedUntold,
    Disagreement,
    Doubt,
    Followed,
    ForeignPosition,
    RestingStop,
    RollWarned,
    Streak,
    SuspectFill,
    UnfilledOrder,
)
from services.engine.model.feed import BarsHeard, Feed, FeedPulse
from services.engine.model.firm import FirmMark
from services.engine.model.locks import Locks
from services.engine.model.order import Order
from services.engine.model.price_readings import FeedDifference, OwnPrice, PriceWatch
from services.engine.model.proposal import Proposal, Proposed
from services.engine.model.settings import Rules
from services.engine.model.store_doubts import StoreDoubt
from services.engine.model.ticks import HeardTicks
from services.engine.model.trade import Trade
from services.engine.model.window import Lockout, LossRun, MarketFacts, Week
from services.engine.model.wording import Explanation
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
    Whose,
)

ALERTS_KEPT = 30
NOTHING_WON: Usd = Decimal(0)
GENERATION = 5  # of the rules that this program decides by; see Desk


class Tempo(Struct, frozen=True):
    """The tempo token: the right to one entry per 6pt brick (SPEC 5.7).

    ``flip_may_rearm`` is true while flat after a trade that saw at least one fresh 6pt brick: then a 4pt flip arms the
    token again.
    """

    ready: bool = False
    color: Color = "neutral"
    armed_at: Instant | None = None
    flip_may_rearm: bool = False


class Intent(Struct, frozen=True):
    """The operator's intent to enter after the next 6pt brick (SPEC 4).

    That brick makes it READY, the following one EXPIRED. It places no order.
    """

    status: IntentStatus
    since: Instant

    @property
    def is_active(self) -> bool:
        return self.status in ("WAITING", "READY")


class PreOrder(Struct, frozen=True):
    """An entry that waits for the next 6pt brick (SPEC 4). ``reason`` says why it was cancelled.

    ``refusal`` is set when the desk refused the entry; documents stored before schema 3 lack it. ``qty`` are fewer
    contracts than those of the size, None for all of them.
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
    qty: int | None = None

    @property
    def is_active(self) -> bool:
        return self.status == "WAITING"


class DueExit(Struct, frozen=True):
    """An exit that is due but not yet an order (SPEC 7.2, 7.3).

    It waits until the asset's open order is final, or until ``retry_at`` after the broker refused it. ``by`` is who
    asked for it, None for the operator and the rules.
    """

    source: str
    since: Instant
    attempt: int = 0
    retry_at: Instant | None = None
    forced: bool = False
    by: str | None = None


class AssetLive(Struct, frozen=True):
    """Values that change with every price of ``contract``. They are shown at once and stored with the next event.

    See docs/explanation/architecture.md. ``simulated`` is the mark of the last message, which need not have told a
    price; ``price_simulated`` is the mark of ``last_price`` where it is another one.
    """

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
    best_usd: Usd | None = None
    worst_usd: Usd | None = None
    streak: Streak | None = None
    watch: PriceWatch = PriceWatch()
    own: OwnPrice | None = None
    difference: FeedDifference | None = None
    contract: str | None = None
    feed: FeedPulse = FeedPulse()
    bars: BarsHeard = BarsHeard()
    ticks: HeardTicks | None = None
    price_simulated: bool | None = None

    @property
    def is_price_simulated(self) -> bool:
        """Whether the last price is one of a simulated market."""
        return self.simulated if self.price_simulated is None else self.price_simulated

    @property
    def is_simulated(self) -> bool:
        """Whether the last message or the last price is of a simulated market."""
        return self.simulated or self.is_price_simulated


class Asset(Struct, frozen=True):
    """The state of one asset. ``fills_seen`` are the digests of its last executions that were told (SPEC 8.3).

    ``unfilled`` are the orders of the last 10 min that ended without all their contracts (SPEC 8.4).
    ``lacks_stop``: its position should have a stop at the broker and none is told. ``feed`` says where its chains of
    bricks stand and what is wrong with them. ``proposal`` is the open one; no gate and no lock looks at it.
    """

    symbol: str
    contract: Contract
    stack: Stack = Stack()
    tempo: Tempo = Tempo()
    trade: Trade | None = None
    intent: Intent | None = None
    preorder: PreOrder | None = None
    due_exit: DueExit | None = None
    disagreement: Disagreement | None = None
    doubt: Doubt | None = None
    last_fill_at: Instant | None = None
    followed: Followed | None = None
    closed_untold: ClosedUntold | None = None
    closed_uncharged: ClosedUncharged | None = None
    fills_seen: tuple[str, ...] = ()
    unfilled: tuple[UnfilledOrder, ...] = ()
    suspect_fills: tuple[SuspectFill, ...] = ()
    is_silent: bool = False
    lacks_stop: bool = False
    roll_warned: RollWarned | None = None
    proposal: Proposal | None = None
    feed: Feed = Feed()
    live: AssetLive = AssetLive()

    def stream(self, stream: Stream) -> BrickStream:
        """Return the latest brick of a size, the live 1pt one included."""
        return self.live.one if stream is Stream.ONE else self.stack.of(stream)

    @property
    def position(self) -> int:
        """Return the contracts held: positive for long, negative for short, 0 for flat."""
        return self.trade.sign * self.trade.quantity if self.trade else 0


class Day(Struct, frozen=True):
    """The trading day: its start equity, its counters, its daily stop (SPEC 5.5, 5.6).

    ``start_equity`` belongs to the account of the current environment, ``other_start_equity`` to the other
    environment's account; ``books`` and ``other_books`` alike. ``warned_pct`` is the highest warning mark passed so
    far, 0 before the first. ``overrides_unexplained`` of the ``overrides_taken`` came without a reason.
    ``flat_warned``: the alert before the time to be flat was raised. ``best_kept``: the day's best closed entries.
    """

    trading_day: date
    start_equity: Usd | None = None
    other_start_equity: Usd | None = None
    trades_taken: int = 0
    daily_stop_at: Instant | None = None
    daily_stop_reason: str | None = None
    warned_pct: int = 0
    overrides_taken: int = 0
    overrides_unexplained: int = 0
    flat_warned: bool = False
    best_kept: bool = False
    books: DayBooks = DayBooks()
    other_books: DayBooks = DayBooks()

    @property
    def is_stopped(self) -> bool:
        return self.daily_stop_at is not None


class DeskLive(Struct, frozen=True):
    """Account and bridge as last reported. Published at once, committed with the next event.

    ``connected_at`` is when the bridge last said that it is connected to the broker after it had not been. ``env``,
    ``envs``, ``kill_switch``, ``instance`` and ``stops`` are None until a bridge tells them (SPEC 8.2, 8.5).
    ``foreign_missed`` counts by symbol the snapshots that left a foreign position out.
    ``read_at`` is when the broker's data of the newest snapshot were read, by its ``as_of``.
    ``refused_heard_at`` is when the process that may not claim last asked. ``equity`` is the last balance that was
    believed. ``beliefs`` are those of the account of the current environment, ``other_beliefs`` those of the other
    environment's (SPEC 5.6). ``firm_marks`` are what was seen of each account whose firm's rules are kept, by
    environment and name (SPEC 5.9). ``best_result`` is the most that the day's books have
    shown, USD, alike by environment.
    """

    equity: Usd | None = None
    open_pnl: Usd | None = None
    realized_pnl: Usd | None = None
    snapshot_at: Instant | None = None
    read_at: Instant | None = None
    bridge_heard_at: Instant | None = None
    bridge_heartbeat_at: Instant | None = None
    ts_connected: bool = False
    md_connected: bool = False
    repo_ok: bool = False
    account: str | None = None
    trade_route: str | None = None
    last_rapi_event_at: Instant | None = None
    connected_at: Instant | None = None
    env: Env | None = None
    envs: tuple[Env, ...] | None = None
    kill_switch: bool | None = None
    instance: str | None = None
    stops: tuple[RestingStop, ...] | None = None
    stops_at: Instant | None = None
    fence: BridgeFence | None = None
    refused_heard_at: Instant | None = None
    foreign_missed: dict[str, Streak] = field(default_factory=dict)
    beliefs: Beliefs = Beliefs()
    other_beliefs: Beliefs = Beliefs()
    firm_marks: dict[str, FirmMark] = field(default_factory=dict)
    best_result: Usd = NOTHING_WON
    other_best_result: Usd = NOTHING_WON


class Desk(Struct, frozen=True):
    """The whole state: rules, day, locks, assets and open orders.

    ``rules`` are in force now. ``wanted`` come into force on the next trading day and equal ``rules`` when nothing is
    pending. ``configured`` are the last settings from the environment; a restart compares with them to find changes.
    ``sequence`` counts journal rows, ``issued`` the ids made with the secret ``id_key`` (SPEC 8.1). ``last_stamp`` is
    the milliseconds and counter of the newest id, None while the deciding program uses no counter; ``last_proposal`` is
    that of the newest proposal; ``proposed`` counts those of the day. ``generation`` is of the rules that decide: 1
    believes single readings, 2 asks for proof (SPEC 1), 3 says of each fill whether its price was told, 4 judges
    whether a feed is whole, 5 limits risk in dollars. The rows of a journal are decided again by the generation that
    decided them first; only ``TakeOver`` changes it. ``refused_bridge`` is the instance of the bridge whose claims are
    refused because another one claims (SPEC 8.2). ``clocks_off`` are those that differ from the desk's (SPEC 5.8).
    ``store_doubt`` is why another store may know more of the day (SPEC 5.9). ``wanted_from`` says by name when a wanted
    rule comes into force. ``facts`` are the markets' hours and the news; ``week``, ``losses`` and ``lockout`` are what
    the gate ``window`` counts.
    """

    id_key: str
    rules: Rules
    day: Day
    wanted: Rules
    configured: Rules
    sequence: int = 0
    issued: int = 0
    last_stamp: int | None = None
    last_proposal: int = 0
    proposed: Proposed | None = None
    generation: int = 1
    env: Env = "DEMO"
    locks: Locks = Locks()
    assets: dict[str, Asset] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    alerts: tuple[Alert, ...] = ()
    bridge_is_silent: bool = False
    foreign: tuple[ForeignPosition, ...] = ()
    refused_bridge: str | None = None
    clocks_off: tuple[Whose, ...] = ()
    store_doubt: StoreDoubt | None = None
    wanted_from: dict[str, Instant] = field(default_factory=dict)
    facts: MarketFacts = MarketFacts()
    week: Week = Week()
    losses: LossRun = LossRun()
    lockout: Lockout | None = None
    live: DeskLive = DeskLive()

    def open_order(self, symbol: str) -> Order | None:
        """Return the asset's oldest order that is not yet final.

        There is at most one, except that an exit may stand beside an entry that a bridge holds (SPEC 7.2).
        """
        return next((order for order in self.orders.values() if order.asset == symbol), None)

    def open_orders(self, symbol: str) -> list[Order]:
        """Return the asset's orders that are not yet final, oldest first."""
        return [order for order in self.orders.values() if order.asset == symbol]

    def open_entry(self, symbol: str) -> Order | None:
        """Return the asset's ENTRY or SCALE_IN that is not yet final; there is never more than one."""
        return next((order for order in self.open_orders(symbol) if order.kind != "EXIT"), None)

    def open_exit(self, symbol: str) -> Order | None:
        """Return the asset's EXIT that is not yet final; there is never more than one (SPEC 7.1)."""
        return next((order for order in self.open_orders(symbol) if order.kind == "EXIT"), None)
