"""The operator's trading rules, and the table of each rule's range and help text (SPEC 4 to 6)."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct, field
from msgspec.structs import fields, replace

from services.engine.model.firm import Firm
from services.engine.model.usual_settings import USUAL_SETTINGS
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


DEFAULTS = {row.name: row.default for row in fields(Rules)}
RULE_SETTINGS = tuple(replace(row, default=DEFAULTS[row.rule]) for row in (*USUAL_SETTINGS, *WINDOW_SETTINGS))
RULE_SETTING = {row.rule: row for row in RULE_SETTINGS}
