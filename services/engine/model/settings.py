"""The operator's trading rules, and the table of each rule's range and help text (SPEC 4 to 6)."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct, field
from msgspec.structs import fields, replace

from services.engine.model.firm import Firm
from services.engine.model.rule_setting import RuleSetting
from services.engine.model.window_settings import WINDOW_SETTINGS
from wire.types import Adopting, Contract, SizeMode, Usd


class Rules(Struct, frozen=True):
    """The operator's trading rules. Names follow SPEC 4 to 6.

    ``adopt`` is what becomes of an adopted position (SPEC 8.4); None is ``flatten`` in LIVE and ``keep`` in DEMO.
    ``bricks_by_desk`` names the assets whose bricks the desk builds of prices itself (``BRICKS``). ``commissions`` are
    USD per contract and side, by product (``MES``); a product that is not in it has no known commission (SPEC 7.5).

    ``max_contracts`` and ``max_contracts_correlated`` count in full-size contracts, of which a micro is a tenth.
    ``max_contracts_by_asset`` counts an asset's own contracts, whatever their size; an asset that is not in it has no
    cap (SPEC 5.9).
    ``firm`` are the rules of a trading firm that the desk keeps, None without one (``FIRM``, SPEC 5.9).
    ``trading_hours`` and ``flat_by`` are New York time, ``09:30-16:00`` and ``15:55`` (``rules/day_clock.py``).
    """

    contracts: dict[str, Contract]
    cooldown_seconds: int = 180
    candle_seconds: int = 300
    entry_ttl_seconds: int = 30
    fate_seconds: int = 60
    exit_beside_seconds: int = 5
    initial_lock_seconds: int = 600
    preorder_seconds: int = 1800
    heartbeat_max_age_seconds: int = 600
    bridge_max_age_seconds: int = 30
    max_trades_per_day: int = 6
    overrides_per_day: int = 2
    daily_stop_limit_pct: Decimal = Decimal(2)
    entry_qty_6pt: int = 5
    entry_qty_9pt: int = 3
    scale_in_qty: int = 5
    stop_points: Decimal = Decimal(15)
    points_tp_target: Decimal = Decimal(15)
    two_half_filter: bool = False
    day_roll: str = "18:00"
    demo_equity: Decimal = Decimal(50_000)
    old_bridge_live: bool = False
    brick_max_age_hours: int = 23
    adopt: Adopting | None = None
    bricks_by_desk: tuple[str, ...] = ()
    commissions: dict[str, Usd] = field(default_factory=dict)
    max_risk_per_order_pct: Decimal = Decimal("1.5")
    max_contracts: Decimal | None = None
    max_contracts_correlated: Decimal | None = None
    max_contracts_by_asset: dict[str, int] = field(default_factory=dict)
    firm: Firm | None = None
    firm_buffer_pct: Decimal = Decimal(5)
    trading_hours: str | None = None
    no_entry_after_open: int | None = None
    no_entry_before_close: int | None = None
    flat_by: str | None = None
    loss_streak: int | None = None
    loss_pause_minutes: int = 60
    cooldown_after_loss: int | None = None
    weekly_loss_pct: Decimal | None = None
    weekly_loss_usd: Usd | None = None
    max_trades_per_week: int | None = None
    give_back_usd: Usd | None = None
    profit_lock_usd: Usd | None = None

    def entry_qty(self, size_mode: SizeMode) -> int:
        return self.entry_qty_6pt if size_mode == "6pt" else self.entry_qty_9pt


ROWS = (
    RuleSetting(
        rule="candle_seconds",
        variable="CANDLE_SECONDS",
        kind="whole",
        title="Candle",
        help="one entry per candle; divides an hour",
        unit="s",
        low=1,
        high=3600,
        tighter="higher",
    ),
    RuleSetting(
        rule="cooldown_seconds",
        variable="COOLDOWN_SECONDS",
        kind="whole",
        title="Cooldown",
        help="pause after an exit",
        unit="s",
        low=0,
        high=86_400,
        step=Decimal(10),
        tighter="higher",
    ),
    RuleSetting(
        rule="entry_ttl_seconds",
        variable="ENTRY_TTL_SECONDS",
        kind="whole",
        title="Entry waits for the bridge",
        help="an entry that no bridge has claimed by then expires",
        unit="s",
        low=1,
        high=600,
        tighter="lower",
    ),
    RuleSetting(
        rule="fate_seconds",
        variable="ORDER_FATE_SECONDS",
        kind="whole",
        title="An order waits for its report",
        help="a claimed order without fill or change of status for so long has an unknown fate",
        unit="s",
        low=15,
        high=600,
        tighter="lower",
    ),
    RuleSetting(
        rule="exit_beside_seconds",
        variable="EXIT_BESIDE_SECONDS",
        kind="whole",
        title="An exit waits for a claimed entry",
        help="an automatic or forced exit waits at most so long for an entry that a bridge has claimed",
        unit="s",
        low=1,
        high=60,
        tighter="lower",
    ),
    RuleSetting(
        rule="initial_lock_seconds",
        variable="INITIAL_LOCK_SECONDS",
        kind="whole",
        title="Your own exit is locked for",
        help="the initial exit lock ends so long after the entry, or with the first 6pt brick",
        unit="s",
        low=0,
        high=3600,
        step=Decimal(60),
        tighter="higher",
    ),
    RuleSetting(
        rule="preorder_seconds",
        variable="PREORDER_SECONDS",
        kind="whole",
        title="A pre-order waits for",
        help="a pre-order without a 6pt brick by then is cancelled",
        unit="s",
        low=1,
        high=14_400,
        step=Decimal(60),
        tighter="lower",
    ),
    RuleSetting(
        rule="heartbeat_max_age_seconds",
        variable="HEARTBEAT_MAX_AGE_SECONDS",
        kind="whole",
        title="TradingView may be silent",
        help="how long TradingView may be silent",
        unit="s",
        low=1,
        high=86_400,
        tighter="lower",
    ),
    RuleSetting(
        rule="bridge_max_age_seconds",
        variable=None,
        kind="whole",
        title="Bridge may be silent",
        help="how long the bridge may be silent in LIVE",
        unit="s",
        low=1,
        high=600,
        tighter="lower",
    ),
    RuleSetting(
        rule="brick_max_age_hours",
        variable="BRICK_MAX_AGE",
        kind="whole",
        title="A colour holds for",
        help="hours of session time after which a brick's colour is stale unless it was renewed",
        unit="h",
        low=1,
        high=230,
        tighter="lower",
    ),
    RuleSetting(
        rule="max_trades_per_day",
        variable="MAX_TRADES_PER_DAY",
        kind="whole",
        title="Trades a day",
        help="entries of a trading day",
        low=1,
        high=10_000,
        tighter="lower",
    ),
    RuleSetting(
        rule="overrides_per_day",
        variable="OVERRIDES_PER_DAY",
        kind="whole",
        title="Overrides a day",
        help="entries and pre-orders of a trading day against the zone",
        low=0,
        high=100,
        tighter="lower",
    ),
    RuleSetting(
        rule="daily_stop_limit_pct",
        variable="DAILY_STOP_LIMIT_PCT",
        kind="decimal",
        title="Daily stop",
        help="the day's drawdown that ends it, of the day's start equity",
        unit="%",
        low=0,
        high=100,
        step=Decimal("0.1"),
        tighter="lower",
    ),
    RuleSetting(
        rule="entry_qty_6pt",
        variable="ENTRY_QTY_6PT",
        kind="whole",
        title="Contracts, small size",
        help="contracts of an entry by 6pt",
        unit="contracts",
        low=1,
        high=1_000,
        tighter="lower",
    ),
    RuleSetting(
        rule="entry_qty_9pt",
        variable="ENTRY_QTY_9PT",
        kind="whole",
        title="Contracts, large size",
        help="contracts of an entry by 9pt",
        unit="contracts",
        low=1,
        high=1_000,
        tighter="lower",
    ),
    RuleSetting(
        rule="scale_in_qty",
        variable="SCALE_IN_QTY",
        kind="whole",
        title="Scale-in contracts",
        help="contracts of a scale-in",
        unit="contracts",
        low=1,
        high=1_000,
        tighter="lower",
    ),
    RuleSetting(
        rule="stop_points",
        variable="STOP_POINTS",
        kind="decimal",
        title="Stop",
        help="distance of the protective stop at the broker, 4 ticks of every asset or more",
        unit="points",
        low=0,
        high=1_000,
        tighter="lower",
    ),
    RuleSetting(
        rule="max_risk_per_order_pct",
        variable="MAX_RISK_PER_ORDER_PCT",
        kind="decimal",
        title="Risk of an order",
        help="what one entry or scale-in may lose at its stop, of the day's start equity",
        unit="%",
        low=0,
        high=100,
        step=Decimal("0.1"),
        tighter="lower",
    ),
    RuleSetting(
        rule="max_contracts",
        variable="MAX_CONTRACTS",
        kind="decimal",
        title="Contracts at once",
        help="positions and working orders of all assets; a micro counts a tenth",
        unit="full-size contracts",
        low=0,
        high=10_000,
        step=Decimal("0.1"),
        tighter="lower",
    ),
    RuleSetting(
        rule="max_contracts_correlated",
        variable="MAX_CONTRACTS_CORRELATED",
        kind="decimal",
        title="Index contracts at once",
        help="the same of ES, NQ, YM and RTY together, which move as one; a micro counts a tenth",
        unit="full-size contracts",
        low=0,
        high=10_000,
        step=Decimal("0.1"),
        tighter="lower",
    ),
    RuleSetting(
        rule="points_tp_target",
        variable="POINTS_TP_TARGET",
        kind="decimal",
        title="Points target",
        help="points take-profit of a SCALP",
        unit="points",
        low=0,
        high=200,
    ),
    RuleSetting(
        rule="two_half_filter",
        variable="TWO_HALF_FILTER",
        kind="flag",
        title="2.5pt filter",
        help="close the gate while the 2.5pt brick is against the entry",
        tighter="higher",
    ),
    RuleSetting(
        rule="day_roll",
        variable="TRADING_DAY_ROLL",
        kind="clock",
        title="Day rolls at",
        help="when the trading day begins, New York time, not between 01:00 and 03:00",
    ),
    RuleSetting(
        rule="demo_equity",
        variable="DEMO_EQUITY",
        kind="decimal",
        title="Equity in DEMO",
        help="what the daily stop reckons with in DEMO until the first balance is heard",
        unit="USD",
        low=0,
        high=1_000_000_000,
    ),
    RuleSetting(
        rule="old_bridge_live",
        variable="OLD_BRIDGE_LIVE",
        kind="flag",
        title="LIVE with an old bridge",
        help="let a bridge trade LIVE that does not say in which environments it executes",
    ),
    RuleSetting(
        rule="adopt",
        variable="ADOPT",
        kind="choice",
        title="A position that the desk adopts",
        help="flatten: taken out while daily stop, trade limit or cooldown hold; unset: flatten in LIVE, keep in DEMO",
        choices=("flatten", "keep"),
    ),
    RuleSetting(
        rule="firm_buffer_pct",
        variable="FIRM_BUFFER",
        kind="decimal",
        title="Before the firm's limit",
        help="how much of a firm's loss limit is kept back: the desk ends the day before the firm would",
        unit="%",
        low=0,
        high=50,
        tighter="higher",
    ),
)
DEFAULTS = {row.name: row.default for row in fields(Rules)}
RULE_SETTINGS = tuple(replace(row, default=DEFAULTS[row.rule]) for row in (*ROWS, *WINDOW_SETTINGS))
RULE_SETTING = {row.rule: row for row in RULE_SETTINGS}
