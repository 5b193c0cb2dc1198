"""Generation 1: apply a snapshot; every balance is believed and every snapshot speaks of all positions."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.earlier.reconcile import broker_position, compare_positions
from services.engine.model.bridge_commands import TakeSnapshot
from services.engine.model.events import DayEquityNoted
from services.engine.model.replies import Done, Reply
from services.engine.model.state import Asset
from services.engine.rules.exit_rules import Trigger
from services.engine.steps.day import check_daily_stop, warn_of_daily_stop
from services.engine.steps.exits import check_exits
from services.engine.steps.trades import track_excursion
from services.engine.transition import Transition
from wire.types import Usd


def take_snapshot(transition: Transition, command: TakeSnapshot) -> Reply:
    """Apply a snapshot: equity and the daily stop, then positions, open points, and the exits (SPEC 7.1)."""
    live = replace(
        transition.desk.live,
        equity=command.balance if command.balance is not None else transition.desk.live.equity,
        open_pnl=command.unrealized,
        realized_pnl=command.realized,
        snapshot_at=transition.now,
        bridge_heard_at=transition.now,
    )
    transition.change_desk(live=live)
    if command.balance is not None:
        _note_start(transition, command.balance)
        check_daily_stop(transition)
        warn_of_daily_stop(transition)
    compare_positions(transition, command)  # before open points: they count only for a position both agree on
    for asset in list(transition.desk.assets.values()):
        _mark_from_broker(transition, asset, command)
    for symbol in transition.desk.assets:
        check_exits(transition, symbol, Trigger("price"))
    return Done()


def _note_start(transition: Transition, balance: Usd) -> None:
    """Note the first positive balance of the day as its start."""
    day = transition.desk.day
    if day.start_equity is None and balance > 0:
        transition.change_desk(day=replace(day, start_equity=balance))
        transition.record(DayEquityNoted(balance))


def _mark_from_broker(transition: Transition, asset: Asset, command: TakeSnapshot) -> None:
    """Compute open points from the broker's open PnL when its position is the one the desk holds."""
    trade = asset.trade
    broker = broker_position(asset, command)
    if trade is None or broker.open_pnl is None or broker.position != asset.position:
        return
    points = trade.contract.points(trade.contract.distance_worth(broker.open_pnl, trade.quantity))
    live = replace(asset.live, open_points=points, open_points_at=transition.now)
    transition.put_asset(track_excursion(replace(asset, live=live), points))
