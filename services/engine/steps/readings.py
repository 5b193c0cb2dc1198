"""What a restart makes of single readings (SPEC 1)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.state import AssetLive
from services.engine.rules.feed_delivery import BASES
from services.engine.steps.build_bricks import hear_no_ticks
from services.engine.steps.feed_faults import find_faults
from services.engine.transition import Transition


def begin_readings_anew(transition: Transition) -> None:
    """Let no reading from before a restart be the first of two.

    What was read between it and the restart may be lost: readings are stored only with the next event. Bars may have
    been missed, too: the gate ``feed`` stays closed until one continues all chains.
    """
    for asset in list(transition.desk.assets.values()):
        transition.put_asset(replace(asset, live=_anew(asset.live)))
        if transition.desk.generation > 3 and asset.feed.source in BASES:
            find_faults(transition, asset.symbol, "restart")
        hear_no_ticks(transition, asset.symbol, "restart")
    transition.change_desk(live=replace(transition.desk.live, foreign_missed={}))


def _anew(live: AssetLive) -> AssetLive:
    streak = None if live.streak is None else replace(live.streak, count=0)
    ticks = None if live.ticks is None else replace(live.ticks, doubted=None)
    bars = replace(live.bars, watch=replace(live.bars.watch, suspect=None, suspect_at=None))
    watch = replace(live.watch, suspect=None, suspect_at=None)
    return replace(live, streak=streak, watch=watch, ticks=ticks, bars=bars)
