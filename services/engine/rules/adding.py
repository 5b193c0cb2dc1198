"""When contracts may be added to a trade (SPEC 4, scale-in). All functions are pure."""

from __future__ import annotations

from services.engine.model.replies import Refusal
from services.engine.model.state import Asset, Desk
from services.engine.model.trade import Trade
from services.engine.rules.gates import first_closed_for, ladder
from services.engine.rules.refusals import refuse
from services.engine.rules.verdicts import EntryRequest
from wire.types import Instant


def scale_in_passes(desk: Desk, asset: Asset, now: Instant) -> bool:
    """Return whether a scale-in would be accepted now; before generation 5, whether a brick has unlocked it."""
    trade = asset.trade
    if trade is None or refusal_of_scale_in(desk, asset, trade) is not None:
        return False
    rungs = ladder(desk, EntryRequest(asset, trade.side, is_scale_in=True), now)
    return desk.generation < 5 or first_closed_for("scale_in", rungs) is None


def refusal_of_scale_in(desk: Desk, asset: Asset, trade: Trade) -> Refusal | None:
    """Refuse to add a second time, before a brick has unlocked it, and to a trade that loses or may lose."""
    if trade.scale_in_used:
        return refuse("scale_in_unavailable", "once per trade", "SCALE-IN USED", used=True)
    if not trade.scale_in_available:
        detail = "wait for a 6pt continuation brick or a 4pt pullback flip"
        return refuse("scale_in_unavailable", detail, "SCALE-IN LOCKED", used=False)
    return _refusal_of_loss(asset) if desk.generation > 4 else None


def _refusal_of_loss(asset: Asset) -> Refusal | None:
    """Refuse while open points are below 0 or not known: adding to a loser is what the desk exists to prevent."""
    points = asset.live.open_points
    if points is None:
        return refuse("scale_in_unavailable", "no price since the last fill", "OPEN POINTS UNKNOWN", used=False)
    if points < 0:
        detail = f"the trade is at {points:.2f} points, nothing is added to a loser"
        return refuse("scale_in_unavailable", detail, "SCALE-IN INTO A LOSS", used=False, open_points=points)
    return None
