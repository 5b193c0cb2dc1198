"""Watch the feeds: TradingView's heartbeats of each asset, and the bridge. Record each loss and each return once."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.events import FeedLost, FeedReturned
from services.engine.model.times import is_younger
from services.engine.rules.ticks import price_heard_at
from services.engine.steps.feed_silence import watch_silence
from services.engine.transition import Transition

BRIDGE_SEEN_SECONDS = 60  # SPEC 10


def watch_feeds(transition: Transition) -> None:
    """Raise an alert for a feed that sent before and is silent now. A feed that never sent raises none."""
    for symbol, asset in transition.desk.assets.items():
        heard_at = price_heard_at(transition.desk, asset)
        silent = heard_at is not None and not is_younger(
            heard_at, transition.desk.rules.heartbeat_max_age_seconds, transition.now
        )
        if silent is not asset.is_silent:
            transition.put_asset(replace(asset, is_silent=silent))
            _record_change(transition, silent, symbol)
    if transition.desk.generation > 3:
        watch_silence(transition)
    heard_at = transition.desk.live.bridge_heard_at
    silent = heard_at is not None and not is_younger(heard_at, BRIDGE_SEEN_SECONDS, transition.now)
    if silent is not transition.desk.bridge_is_silent:
        transition.change_desk(bridge_is_silent=silent)
        _record_change(transition, silent, None)


def _record_change(transition: Transition, silent: bool, asset: str | None) -> None:
    if not silent:
        transition.record(FeedReturned(asset))
        return
    transition.record(FeedLost(asset))
    if asset is not None:
        max_age = transition.desk.rules.heartbeat_max_age_seconds
        transition.alert("tradingview_silent", f"no heartbeat for {asset}", asset, {"max_age_seconds": max_age})
    else:
        detail = f"not heard for {BRIDGE_SEEN_SECONDS} s"
        transition.alert("bridge_silent", detail, facts={"max_age_seconds": BRIDGE_SEEN_SECONDS})
