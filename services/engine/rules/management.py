"""When the protections of a trade may not be changed: the 2.5pt brick decides (SPEC 6.2, 6.5)."""

from __future__ import annotations

from services.engine.model.state import Asset
from services.engine.model.trade import Trade
from wire.types import color_against


def is_management_locked(asset: Asset, trade: Trade) -> bool:
    """Return whether the protections are locked: the 2.5pt brick is with the trade or neutral (SPEC 6.2)."""
    return asset.stack.two_half.color != color_against(trade.side)


def may_arm_high_next_bar(asset: Asset, trade: Trade) -> bool:
    """Return whether the 8pt next-bar exit may be armed: no fresh 8pt brick yet, or unlocked (SPEC 6.5)."""
    return trade.fresh_high_bricks == 0 or not is_management_locked(asset, trade)


def may_arm_signal_target(asset: Asset, trade: Trade) -> bool:
    """Return whether the signal take-profit may be armed: no fresh 6pt brick yet, or unlocked (SPEC 6.5)."""
    return trade.fresh_main_bricks == 0 or not is_management_locked(asset, trade)
