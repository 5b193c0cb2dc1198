"""Apply the bridge's heartbeats and account snapshots (SPEC 5.6, 6.6, 8.4)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.bridge_commands import HearBridge, TakeSnapshot
from services.engine.model.price_readings import OwnPrice
from services.engine.model.replies import Done, Reply
from services.engine.model.state import Asset
from services.engine.rules.broker_word import speaks_of_positions, word_of
from services.engine.rules.exit_rules import Trigger
from services.engine.rules.prices import judged
from services.engine.rules.suspect_fills import entry_is_suspect
from services.engine.steps.beliefs import take_balance
from services.engine.steps.build_bricks import hear_no_ticks
from services.engine.steps.day import check_daily_stop
from services.engine.steps.exits import check_exits
from services.engine.steps.owner_fence import note_heard
from services.engine.steps.reconcile import compare_positions
from services.engine.steps.resting_stops import note_stops
from services.engine.steps.trades import track_excursion
from services.engine.transition import Transition


def hear_bridge(transition: Transition, command: HearBridge) -> Reply:
    """Store the bridge's heartbeat and its connections. That of a process that may not claim says nothing of them.

    A heartbeat that names no account keeps the last named one.
    """
    if not note_heard(transition, command.instance):
        return Done()
    known = transition.desk.live
    last_named = None if transition.desk.generation == 1 else known.account
    reconnected = command.ts_connected and not known.ts_connected
    live = replace(
        known,
        bridge_heard_at=transition.now,
        bridge_heartbeat_at=transition.now,
        ts_connected=command.ts_connected,
        md_connected=command.md_connected,
        repo_ok=command.repo_ok,
        account=command.account or last_named,
        trade_route=command.trade_route,
        last_rapi_event_at=command.last_rapi_event_at,
        connected_at=transition.now if reconnected else known.connected_at,
        instance=command.instance,
        env=command.env,
        envs=command.envs,
        kill_switch=command.kill_switch,
    )
    transition.change_desk(live=live)
    if known.md_connected and not command.md_connected:
        for symbol in transition.desk.rules.bricks_by_desk:
            hear_no_ticks(transition, symbol, "missed_bar")
    return Done()


def take_snapshot(transition: Transition, command: TakeSnapshot) -> Reply:
    """Apply a snapshot: balance and the daily stop, then positions, open points, and the exits (SPEC 7.1).

    What it says of another environment's account is not this desk's money. One that a newer snapshot has overtaken
    says nothing.
    """
    note_heard(transition, command.instance)
    is_ours = command.env in (None, transition.desk.env)
    if is_ours and _is_overtaken(transition, command):
        transition.change_desk(live=replace(transition.desk.live, bridge_heard_at=transition.now))
        return Done()
    live = replace(transition.desk.live, snapshot_at=transition.now, bridge_heard_at=transition.now)
    if is_ours:
        live = replace(live, open_pnl=command.unrealized, realized_pnl=command.realized)
    transition.change_desk(live=live)
    if is_ours:
        note_stops(transition, command)
    take_balance(transition, command)
    check_daily_stop(transition)
    compare_positions(transition, command)  # before open points: they count only for a position both agree on
    for asset in list(transition.desk.assets.values()):
        _mark_from_broker(transition, asset, command)
    for symbol in transition.desk.assets:
        check_exits(transition, symbol, Trigger("price"))
    return Done()


def _is_overtaken(transition: Transition, command: TakeSnapshot) -> bool:
    """Return whether data that were read later are known already; remember when these were read."""
    live = transition.desk.live
    is_of_another = None not in (command.account, live.account) and command.account != live.account
    if command.as_of is None or is_of_another:
        return False
    read_at = min(command.as_of, transition.now)
    if live.read_at is not None and read_at < live.read_at:
        return True
    transition.change_desk(live=replace(live, read_at=read_at))
    return False


def _mark_from_broker(transition: Transition, asset: Asset, command: TakeSnapshot) -> None:
    """Compute open points from the broker's open PnL when its position is the one the desk holds.

    The price within it is judged like any other: a suspect one changes nothing (SPEC 3). There is none while the price
    of the entry is not proven (SPEC 8.3).
    """
    trade = asset.trade
    if trade is None or entry_is_suspect(asset) or not speaks_of_positions(transition.desk, command, transition.now):
        return
    broker = word_of(trade.contract, command)
    if broker.open_pnl is None or broker.position != asset.position:
        return
    won = trade.contract.distance_worth(broker.open_pnl, trade.quantity)
    points = trade.contract.points(won)
    price = trade.entry_price + won * trade.sign
    judgement = judged(asset, price, transition.now)
    asset = replace(asset, live=replace(asset.live, watch=judgement.watch))
    if not judgement.is_good:
        transition.put_asset(asset)
        return
    own = OwnPrice(trade.contract.symbol, price, transition.now)
    live = replace(asset.live, open_points=points, open_points_at=transition.now, own=own)
    transition.put_asset(track_excursion(replace(asset, live=live), points))
