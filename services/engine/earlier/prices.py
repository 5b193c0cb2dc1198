"""Generation 1: apply a heartbeat; every finite number is a price."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.commands import NotePrice
from services.engine.model.replies import PriceNoted, Reply
from services.engine.model.state import Asset
from services.engine.model.times import AHEAD_TOLERANCE
from services.engine.rules.exit_rules import Trigger
from services.engine.steps.exits import check_exits
from services.engine.steps.trades import track_excursion
from services.engine.transition import Transition
from wire.types import Instant, Price


def note_price(transition: Transition, command: NotePrice) -> Reply:
    """Apply a heartbeat: its time, the last price, and the exits that a price can trigger (SPEC 3, 6.6)."""
    asset = transition.asset(command.asset)
    flagged = command.sent_at is not None and command.sent_at > transition.now + AHEAD_TOLERANCE
    heard_at = transition.now if flagged or command.sent_at is None else command.sent_at
    live = asset.live
    if live.last_heartbeat_at is None or heard_at >= live.last_heartbeat_at:
        live = replace(live, last_heartbeat_at=heard_at, heartbeat_flagged=flagged, simulated=command.simulated)
    asset = transition.put_asset(replace(asset, live=live))
    is_newest = live.price_at is None or heard_at >= live.price_at
    if command.price is not None and is_newest:
        _mark_to_market(transition, asset, command.price, heard_at)
        check_exits(transition, asset.symbol, Trigger("price"))
    return PriceNoted(flagged)


def _mark_to_market(transition: Transition, asset: Asset, price: Price, at: Instant) -> None:
    """Store the newest price, and compute open points from it unless the broker's are newer."""
    live = replace(asset.live, last_price=price, price_at=at, price_simulated=None)
    asset = replace(asset, live=live)
    is_newer = live.open_points_at is None or at >= live.open_points_at
    if asset.trade is not None and is_newer and at >= asset.trade.opened_at:
        points = asset.trade.open_points(price)
        asset = replace(asset, live=replace(live, open_points=points, open_points_at=at))
        asset = track_excursion(asset, points)
    transition.put_asset(asset)
