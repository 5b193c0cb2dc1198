"""Who has fallen silent: TradingView for an asset, or the bridge. Told once, and again when it is back."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.events import FeedLost, FeedReturned
from services.engine.model.times import is_younger
from services.engine.transition import Turn

BRIDGE_SEEN_SECONDS = 60  # SPEC 10


def watch_feeds(turn: Turn) -> None:
    """Raise an alert for a feed that was heard before and is silent now."""
    for symbol, asset in turn.desk.assets.items():
        heard_at = asset.live.last_heartbeat_at
        silent = heard_at is not None and not is_younger(heard_at, turn.desk.rules.heartbeat_max_age_seconds, turn.now)
        if silent is not asset.is_silent:
            turn.put_asset(replace(asset, is_silent=silent))
            _tell(turn, silent, symbol)
    heard_at = turn.desk.live.bridge_heard_at
    silent = heard_at is not None and not is_younger(heard_at, BRIDGE_SEEN_SECONDS, turn.now)
    if silent is not turn.desk.bridge_is_silent:
        turn.desk = replace(turn.desk, bridge_is_silent=silent)
        _tell(turn, silent, None)


def _tell(turn: Turn, silent: bool, asset: str | None) -> None:
    if not silent:
        turn.tell(FeedReturned(asset))
        return
    turn.tell(FeedLost(asset))
    if asset is not None:
        turn.alert("tradingview_silent", "warning", f"TRADINGVIEW SILENT — no heartbeat for {asset}", asset)
    else:
        turn.alert("bridge_silent", "critical", f"BRIDGE SILENT — not heard for {BRIDGE_SEEN_SECONDS} s")
