"""What a restart makes of single readings (SPEC 1)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.state import AssetLive
from services.engine.transition import Transition


def begin_readings_anew(transition: Transition) -> None:
    """Let no reading from before a restart be the first of two.

    What was read between it and the restart may be lost: readings are stored only with the next event.
    """
    for asset in list(transition.desk.assets.values()):
        transition.put_asset(replace(asset, live=_anew(asset.live)))
    transition.change_desk(live=replace(transition.desk.live, foreign_missed={}))


def _anew(live: AssetLive) -> AssetLive:
    streak = None if live.streak is None else replace(live.streak, count=0)
    return replace(live, streak=streak, watch=replace(live.watch, suspect=None, suspect_at=None))
