"""Count the week and the losing trades as trades close (SPEC 5.9)."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from services.engine.model.settings import Rules
from services.engine.model.trade import Trade
from services.engine.model.trade_events import TradeClosed
from services.engine.model.window import LossRun
from services.engine.rules.beliefs import start_of
from services.engine.rules.week import ZERO, week_of
from services.engine.transition import Transition
from wire.types import Env, Instant, Usd


def count_entry(transition: Transition) -> None:
    """Count an entry in the running week."""
    if transition.desk.generation > 4:
        week = week_of(transition.desk, transition.now)
        transition.change_desk(week=replace(week, entries=week.entries + 1))


def count_closed(transition: Transition, trade: Trade, net: Usd) -> None:
    """Count a closed trade: its net result in the week, and whether it was one more losing trade in a row."""
    desk = transition.desk
    if desk.generation < 5:
        return
    week, env = week_of(desk, transition.now), trade.env
    started_with = dict(week.started_with)
    start = start_of(desk)
    if env == desk.env and start is not None:
        started_with.setdefault(env, start)
    net_usd = {**week.net_usd, env: week.net_usd.get(env, ZERO) + net}
    week = replace(week, net_usd=net_usd, started_with=started_with)
    transition.change_desk(week=week, losses=_counted(desk.losses, desk.rules, net, env, transition.now))


def correct_week(transition: Transition, closed: TradeClosed, more: Usd) -> None:
    """Add what a correction has changed to the week's results, if the trade closed in it; a run of losses stays."""
    week = transition.desk.week
    if transition.desk.generation > 4 and week.begins is not None and closed.exit_ts >= week.begins:
        net_usd = {**week.net_usd, closed.env: week.net_usd.get(closed.env, ZERO) + more}
        transition.change_desk(week=replace(week, net_usd=net_usd))


def _counted(losses: LossRun, rules: Rules, net: Usd, env: Env, now: Instant) -> LossRun:
    """A trade without a result neither ends a run of losses nor lengthens it. No winner ends a pause early.

    A winner in DEMO, where nothing is at stake, ends no run that a loss in LIVE is part of.
    """
    if net == 0 or (net > 0 and losses.in_live and env == "DEMO"):
        return losses
    if net > 0:
        return replace(losses, count=0, last_at=None, in_live=False)
    counted = replace(losses, count=losses.count + 1, last_at=now, in_live=losses.in_live or env == "LIVE")
    if rules.cooldown_after_loss is not None:
        counted = replace(counted, cooldown_until=now + timedelta(seconds=rules.cooldown_after_loss))
    if rules.loss_streak is not None and counted.count >= rules.loss_streak:
        counted = replace(counted, streak_until=now + timedelta(minutes=rules.loss_pause_minutes))
    return counted
