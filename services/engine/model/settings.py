"""The operator's settings that decide what is allowed."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from wire.types import Contract, SizeMode


class Rules(Struct, frozen=True):
    """The operator's settings that decide what is allowed. Names follow SPEC 4 to 6."""

    contracts: dict[str, Contract]
    cooldown_seconds: int = 180
    candle_seconds: int = 300
    entry_ttl_seconds: int = 30
    heartbeat_max_age_seconds: int = 600
    bridge_max_age_seconds: int = 30
    max_trades_per_day: int = 6
    daily_stop_limit_pct: Decimal = Decimal(2)
    entry_qty_6pt: int = 5
    entry_qty_9pt: int = 3
    scale_in_qty: int = 5
    stop_points: Decimal = Decimal(15)
    points_tp_target: Decimal = Decimal(15)
    two_half_filter: bool = False
    day_roll: str = "18:00"

    def entry_qty(self, size_mode: SizeMode) -> int:
        return self.entry_qty_6pt if size_mode == "6pt" else self.entry_qty_9pt
