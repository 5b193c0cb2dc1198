"""Watch whether every position has its protective stop at the broker (SPEC 6.7, 8.4)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.bridge_commands import TakeSnapshot
from services.engine.model.proof_events import StopFound, StopMissed
from services.engine.model.state import Asset
from services.engine.rules.broker_word import speaks_of_positions
from services.engine.rules.resting_stops import lacks_stop
from services.engine.transition import Transition


def note_stops(transition: Transition, snapshot: TakeSnapshot) -> None:
    """Keep the stops that the snapshot tells, unless it speaks of another account or environment."""
    if speaks_of_positions(transition.desk, snapshot, transition.now):
        read_at = transition.now if snapshot.as_of is None else min(snapshot.as_of, transition.now)
        told_at = read_at if snapshot.stops is not None else None
        live = replace(transition.desk.live, stops=snapshot.stops, stops_at=told_at)
        transition.change_desk(live=live)


def watch_stops(transition: Transition) -> None:
    """Raise an alert, once, for a position without a stop at the broker."""
    for asset in list(transition.desk.assets.values()):
        lacks = lacks_stop(transition.desk, asset, transition.now)
        if lacks is asset.lacks_stop:
            continue
        transition.put_asset(replace(asset, lacks_stop=lacks))
        if lacks:
            _warn(transition, asset)
        else:
            transition.record(StopFound(asset.symbol))


def _warn(transition: Transition, asset: Asset) -> None:
    symbol = asset.trade.contract.symbol if asset.trade is not None else asset.contract.symbol
    transition.record(StopMissed(asset.symbol))
    detail = f"no stop is known to rest at the broker for {asset.position} {symbol}"
    transition.alert("stop_missing", detail, asset.symbol, {"symbol": symbol, "position": asset.position})
