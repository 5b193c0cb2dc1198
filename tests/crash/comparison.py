"""Before and after: what a kill must not have changed when nobody asked for anything in between."""

from __future__ import annotations

from datetime import datetime
from typing import Any

RETRIED = "pending_order_id"  # the clock tries a refused exit again: the one thing that happens in a held moment
TRADE = ("position", "avg_price", "trade_mode", "trade", "stop_loss_price", "scale_in_available", "scale_in_used")
LOCKS = ("zone_type", "tempo_ready", "tempo_color", "initial_exit_lock_active", "two_half_tp_lock_enabled")
WAYS_OUT = ("points_tp_enabled", "points_tp_target", "protect_enabled", "tp_armed", "tp_count")
BRICK_EXITS = ("high_next_bar_exit_enabled", "main_flip_exit_enabled", "four_pt_invalidation_enabled")
WAITING = ("intent_active", "preorder_active", "preorder_direction")
COLORS = ("two_half_renko_color", "renko_color", "main_renko_color", "high_renko_color", "macro_renko_color")
KEPT = (*TRADE, *LOCKS, *WAYS_OUT, *BRICK_EXITS, *WAITING, *COLORS)


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return what of locks, counters, tokens and trades is not as it was when nobody asked for anything between."""
    now, found = datetime.fromisoformat(after["now"]), []
    for name, was in before["global"].items():
        kept = name.startswith(("daily_stop", "daily_start", "trades_", "max_trades", "limits", "env", "trading_day"))
        if kept and after["global"][name] != was:
            found.append(f"{name} was {was} and is {after['global'][name]}")
    for name in ("post_exit_lock_expires_ts", "five_min_trade_lock_expires_ts"):
        was = before["global"][name]
        expected = was if was is not None and datetime.fromisoformat(was) > now else None
        if after["global"][name] != expected:
            found.append(f"{name} was {was} and is {after['global'][name]} at {now}")
    for symbol, asset in before["assets"].items():
        later = after["assets"][symbol]
        kept = (*KEPT, RETRIED) if asset["due_exit"] is None else KEPT
        found += [f"{symbol} {name} was {asset[name]}, is {later[name]}" for name in kept if asset[name] != later[name]]
    retried = {symbol for symbol, asset in before["assets"].items() if asset["due_exit"] is not None}
    orders = [[o for o in state["orders"] if o["asset"] not in retried] for state in (before, after)]
    for name, was, now_is in (("orders", *orders), ("history", before["history"], after["history"])):
        if was != now_is:
            found.append(f"{name} were {was} and are {now_is}")
    return [f"as_if_nothing_had_happened: {sentence}" for sentence in found]
