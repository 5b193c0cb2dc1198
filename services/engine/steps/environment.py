"""Switch between DEMO and LIVE, and check when that is allowed (SPEC 8.5)."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from services.engine.model.commands import SwitchEnv
from services.engine.model.events import EnvSwitched
from services.engine.model.replies import Done, Refusal, Reply
from services.engine.model.state import Day, Desk, DeskLive
from services.engine.model.times import is_younger
from services.engine.rules.refusals import refuse
from services.engine.steps.build_bricks import forget_simulated
from services.engine.steps.proposals import withdraw_all
from services.engine.transition import Transition


def switch_env(transition: Transition, command: SwitchEnv) -> Reply | Refusal:
    """Change the environment when everything is flat and nothing waits. LIVE needs a fresh, connected bridge."""
    desk = transition.desk
    if command.env == desk.env:
        return Done()
    busy = _what_is_open(desk)
    if busy is not None:
        detail = f"{busy.what}; switch when everything is flat and nothing waits"
        return refuse("not_flat", detail, asset=busy.asset, open=busy.kind)
    is_fresh = is_younger(desk.live.bridge_heartbeat_at, desk.rules.bridge_max_age_seconds, transition.now)
    if command.env == "LIVE" and not (is_fresh and desk.live.ts_connected):
        return refuse("bridge_down", "LIVE needs a bridge that is heard and connected to the broker")
    is_blind = desk.live.envs is not None and "LIVE" not in desk.live.envs
    if command.env == "LIVE" and is_blind and desk.generation > 1:
        return refuse("bridge_down", "the bridge that is heard does not execute LIVE orders", "BRIDGE WITHOUT LIVE")
    transition.desk = replace(desk, env=command.env, day=_other_account(desk.day), live=_other_beliefs(desk.live))
    transition.record(EnvSwitched(command.env))
    withdraw_all(transition, "env_switched")
    if command.env == "LIVE":
        forget_simulated(transition)
    return Done()


def _other_account(day: Day) -> Day:
    """Swap the start equities and books of the two accounts. A daily stop stays in force.

    Each account keeps its own, so switching back and forth never resets the drawdown.
    """
    return replace(
        day,
        start_equity=day.other_start_equity,
        other_start_equity=day.start_equity,
        books=day.other_books,
        other_books=day.books,
    )


def _other_beliefs(live: DeskLive) -> DeskLive:
    """Swap what is believed of the two accounts. Nobody has heard the other one's balance yet."""
    return replace(
        live,
        equity=None,
        beliefs=live.other_beliefs,
        other_beliefs=live.beliefs,
        best_result=live.other_best_result,
        other_best_result=live.best_result,
    )


class Busy(Struct, frozen=True):
    """Something open that prevents the switch: its asset, its kind, and a sentence."""

    asset: str
    kind: Literal["position", "order", "disagreement", "entry"]
    what: str


def _what_is_open(desk: Desk) -> Busy | None:
    for symbol, asset in desk.assets.items():
        if asset.trade is not None:
            return Busy(symbol, "position", f"{symbol} has a position")
        if desk.open_order(symbol) is not None:
            return Busy(symbol, "order", f"{symbol} has an open order")
        if asset.disagreement is not None:
            return Busy(symbol, "disagreement", f"broker and desk disagree on {symbol}")
        if (asset.preorder and asset.preorder.is_active) or (asset.intent and asset.intent.is_active):
            return Busy(symbol, "entry", f"an entry waits in {symbol}")
    return None
