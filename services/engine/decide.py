"""Decide one command: ``decide(desk, command, now)`` is a pure function.

The same desk, command and instant always give the same decision. What the clock alone causes (an expiry, the roll of
the day) is done before the command, so a decision does not depend on how often the desk was polled (SPEC 5.8).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from services.engine.earlier import account as earlier_account
from services.engine.earlier import prices as earlier_prices
from services.engine.earlier import reports as earlier_reports
from services.engine.model.bar_commands import CloseBar, NoteDelayedQuotes
from services.engine.model.bridge_commands import (
    AcceptPosition,
    BookFills,
    ClaimOrders,
    ConfirmTransfer,
    HearBridge,
    NoteClock,
    NoteTwoBridges,
    NoteUnreadable,
    ReportExecution,
    ResolveOrder,
    TakeOverBridge,
    TakeSnapshot,
)
from services.engine.model.commands import (
    AnyCommand,
    CancelIntent,
    CancelPreOrder,
    CloseBrick,
    ConfigureDesk,
    ConsumeTrade,
    EnterMarket,
    ExitAll,
    ExitPosition,
    KeepDeadLetter,
    KeepObservations,
    NotePrice,
    NoteTrade,
    PlaceIntent,
    PlacePreOrder,
    ScaleIn,
    SetLimits,
    SetPointsTarget,
    SetProtect,
    SetSignalTarget,
    SwitchEnv,
    TakeOver,
    TickClock,
    ToggleExit,
    TouchLevel,
)
from services.engine.model.events import AnyEvent, DeadLetterKept, DeskConfigured, DeskTakenOver, ObservationsKept
from services.engine.model.order import Order
from services.engine.model.proposal_commands import DismissProposal, OpenProposal, WithdrawProposal
from services.engine.model.replies import Done, Refusal, Reply
from services.engine.model.settings import Rules
from services.engine.model.state import Day, Desk
from services.engine.model.store_doubts import ConfirmStore, NoteStore
from services.engine.model.ticks import HearTicks
from services.engine.model.trading_day import trading_day_of
from services.engine.model.window_commands import LockOut, NoteSessions
from services.engine.rules.beliefs import opening_books
from services.engine.rules.larger_contracts import in_force_today
from services.engine.rules.refusals import refuse
from services.engine.steps.account import hear_bridge, take_snapshot
from services.engine.steps.beliefs import confirm_transfer
from services.engine.steps.bricks import age_earlier_colors, close_brick
from services.engine.steps.broker_fills import book_fills
from services.engine.steps.build_bricks import begin_with_builders
from services.engine.steps.clocks import note_clock
from services.engine.steps.close_bar import close_bar
from services.engine.steps.contract_watch import watch_contracts
from services.engine.steps.contracts_waiting import (
    assets_with,
    bring_in_contracts,
    busy_without,
    tell_of_waiting_contracts,
)
from services.engine.steps.day import check_daily_stop, roll_day
from services.engine.steps.doubts import end_doubts_in_time
from services.engine.steps.entries import enter_market
from services.engine.steps.environment import switch_env
from services.engine.steps.exit_commands import exit_all, exit_position, touch_level
from services.engine.steps.exits import flatten_when_stopped, pursue_exit
from services.engine.steps.fates import watch_fates
from services.engine.steps.feed_silence import note_delayed_quotes
from services.engine.steps.feed_watch import watch_feeds
from services.engine.steps.foreign_positions import accept_position
from services.engine.steps.initial_lock import release_initial_locks
from services.engine.steps.limits import begin_waits, configure_rules, consume_trade, loosen_limits, set_limits
from services.engine.steps.notes import note_trade
from services.engine.steps.orders import (
    claim_orders,
    expire_entries,
    warn_of_unclaimed_exits,
)
from services.engine.steps.owner_fence import forget_refused_bridge, note_two_bridges, take_over_bridge
from services.engine.steps.pending_entries import (
    cancel_intent,
    cancel_preorder,
    expire_preorders,
    place_intent,
    place_preorder,
)
from services.engine.steps.prices import note_price
from services.engine.steps.proposals import (
    dismiss_proposal,
    expire_proposals,
    open_proposal,
    withdraw_proposal,
    withdraw_without_contract,
)
from services.engine.steps.protections import set_points_target, set_protect, set_signal_target, toggle_exit
from services.engine.steps.readings import begin_readings_anew
from services.engine.steps.reports import report_execution
from services.engine.steps.resolving import resolve_order
from services.engine.steps.resting_stops import watch_stops
from services.engine.steps.scale_in import scale_in
from services.engine.steps.store_doubt import confirm_store, note_store
from services.engine.steps.ticks import hear_ticks
from services.engine.steps.units import report_changed_units
from services.engine.steps.unreadable import note_unreadable
from services.engine.steps.window import flatten_in_time, lock_out, note_best_result, note_sessions
from services.engine.transition import Transition
from wire.types import Instant


class Decision(Struct, frozen=True):
    """The result of a command: the desk after it, the events, and the answer.

    ``orders`` are those that changed. A decision without events changed only prices and ages; it is not committed.
    """

    desk: Desk
    answer: Reply | Refusal
    events: tuple[AnyEvent, ...] = ()
    orders: tuple[Order, ...] = ()

    @property
    def is_durable(self) -> bool:
        return bool(self.events)


def open_desk(id_key: str, rules: Rules, now: Instant) -> Desk:
    """Return a new desk without assets, positions or orders. ``id_key`` is 32 secret random bytes in hex."""
    today = trading_day_of(now, rules.day_roll)
    return Desk(id_key=id_key, rules=rules, day=Day(trading_day=today), wanted=rules, configured=rules)


def decide(desk: Desk, command: AnyCommand, now: Instant) -> Decision:
    """Apply what the clock alone causes, then decide one command.

    A refusal is a return value; an exception means a bug in the program.
    """
    passed = pass_time(desk, now)
    decision = decide_now(passed.desk, command, now)
    orders = {order.id: order for order in (*passed.orders, *decision.orders)}
    return replace(decision, events=(*passed.events, *decision.events), orders=tuple(orders.values()))


def pass_time(desk: Desk, now: Instant) -> Decision:
    """Apply what the clock alone causes. A second call at the same instant changes nothing."""
    transition = Transition(desk, now)
    let_time_pass(transition)
    return _decision(transition, Done())


def decide_now(desk: Desk, command: AnyCommand, now: Instant) -> Decision:
    """Decide one command on a desk that ``pass_time`` has already brought to ``now``."""
    transition = Transition(desk, now)
    answer = _unknown_asset(transition, command) or _decider(desk, command)(transition, command)
    if desk.generation > 1 and not isinstance(answer, Refusal):
        stop_when_lost(transition)
    if desk.generation > 4:
        note_best_result(transition)
    return _decision(transition, answer)


def _decider(desk: Desk, command: AnyCommand) -> Decider:
    """Return the function that decides the command by the desk's generation of the rules."""
    kind = type(command)
    return EARLIER_DECIDERS[kind] if desk.generation == 1 and kind in EARLIER_DECIDERS else DECIDERS[kind]


def _decision(transition: Transition, answer: Reply | Refusal) -> Decision:
    return Decision(transition.desk, answer, tuple(transition.events), tuple(transition.orders.values()))


def _unknown_asset(transition: Transition, command: AnyCommand) -> Refusal | None:
    """Refuse a command that names an asset this desk does not trade, whoever sent it."""
    symbol = getattr(command, "asset", None)
    if symbol is None or symbol in transition.desk.assets:
        return None
    return refuse("unknown_asset", f"asset {symbol} is not traded on this desk", asset=symbol)


def let_time_pass(transition: Transition) -> None:
    """Apply what the clock alone causes: roll the day, expire entries, warn, retry exits."""
    roll_day(transition)  # first: the steps below use the limits of the new day
    if transition.desk.generation > 4:
        loosen_limits(transition)
        bring_in_contracts(transition)
    expire_entries(transition)
    expire_proposals(transition)
    release_initial_locks(transition)
    expire_preorders(transition)
    warn_of_unclaimed_exits(transition)
    watch_feeds(transition)
    if transition.desk.generation > 3:
        watch_contracts(transition)
    if transition.desk.generation > 1:
        watch_fates(transition)
        end_doubts_in_time(transition)
        forget_refused_bridge(transition)
        watch_stops(transition)
        check_daily_stop(transition)  # balances grow old by the clock alone, and what they deny with them
    flatten_when_stopped(transition)
    flatten_in_time(transition)
    for symbol, asset in transition.desk.assets.items():
        if asset.due_exit is not None:
            pursue_exit(transition, symbol)


def stop_when_lost(transition: Transition) -> None:
    """Let the prices and fills of the command stop the day: with a silent bridge no snapshot does (SPEC 5.6)."""
    was_stopped = transition.desk.day.is_stopped
    check_daily_stop(transition)
    if transition.desk.day.is_stopped and not was_stopped:
        flatten_when_stopped(transition)


def configure_desk(transition: Transition, command: ConfigureDesk) -> Reply:
    """Put the rules in force. Keep an asset with a position or an open order even when it is no longer listed."""
    known = transition.desk.assets
    rules = command.rules
    contracts = in_force_today(transition.desk, rules.contracts)
    assets = {**busy_without(transition.desk, contracts), **assets_with(known, contracts)}
    if rules == transition.desk.configured and assets == known:
        return Done()
    before = transition.desk
    transition.change_desk(assets=assets, rules=replace(before.rules, contracts=contracts))
    withdraw_without_contract(transition, known, contracts)
    configure_rules(transition, rules)
    tell_of_waiting_contracts(transition)
    begin_with_builders(transition, before)
    transition.record(DeskConfigured(tuple(assets)))
    report_changed_units(transition, known)
    check_daily_stop(transition)
    return Done()


def take_over(transition: Transition, command: TakeOver) -> Reply:
    """Record which process decides from here on; raise an alert when the previous one ended without releasing."""
    last_stamp = (transition.desk.last_stamp or 0) if command.counts_ids else None
    if transition.desk.generation == 1 and command.generation > 1:  # the day's books begin here
        transition.change_desk(day=replace(transition.desk.day, books=opening_books(transition.desk)))
        age_earlier_colors(transition)
    transition.change_desk(last_stamp=last_stamp, generation=command.generation)
    if command.generation > 1:
        begin_readings_anew(transition)
    if command.generation > 3:
        watch_contracts(transition)  # here, so that no later tick changes what nobody sees
    if command.generation > 4:
        begin_waits(transition)
    transition.record(DeskTakenOver(command.writer, command.epoch, command.program))
    if command.after_loss is not None:
        detail = f"The process {command.after_loss} was lost; {command.writer} holds the desk now"
        transition.alert("writer_lost", detail, facts={"lost": command.after_loss, "writer": command.writer})
    return Done()


def tick_clock(transition: Transition, command: TickClock) -> Reply:
    """Do nothing more: ``decide`` has applied the passing of time already."""
    return Done()


def keep_dead_letter(transition: Transition, command: KeepDeadLetter) -> Reply:
    """Record a message that could not be read. The desk does not change."""
    transition.record(DeadLetterKept(command.path, command.reason, command.body))
    return Done()


def keep_observations(transition: Transition, command: KeepObservations) -> Reply:
    """Record an event so that prices and ages are committed."""
    transition.record(ObservationsKept())
    return Done()


Decider = Callable[[Transition, Any], Reply | Refusal]
EARLIER_DECIDERS: dict[type[AnyCommand], Decider] = {
    NotePrice: earlier_prices.note_price,
    TakeSnapshot: earlier_account.take_snapshot,
    ReportExecution: earlier_reports.report_execution,
}
DECIDERS: dict[type[AnyCommand], Decider] = {
    ConfigureDesk: configure_desk,
    TakeOver: take_over,
    NotePrice: note_price,
    CloseBrick: close_brick,
    CloseBar: close_bar,
    NoteDelayedQuotes: note_delayed_quotes,
    TouchLevel: touch_level,
    EnterMarket: enter_market,
    ExitPosition: exit_position,
    ExitAll: exit_all,
    ScaleIn: scale_in,
    PlacePreOrder: place_preorder,
    CancelPreOrder: cancel_preorder,
    PlaceIntent: place_intent,
    CancelIntent: cancel_intent,
    SetProtect: set_protect,
    SetPointsTarget: set_points_target,
    SetSignalTarget: set_signal_target,
    ToggleExit: toggle_exit,
    ConsumeTrade: consume_trade,
    SwitchEnv: switch_env,
    SetLimits: set_limits,
    NoteTrade: note_trade,
    NoteSessions: note_sessions,
    LockOut: lock_out,
    OpenProposal: open_proposal,
    WithdrawProposal: withdraw_proposal,
    DismissProposal: dismiss_proposal,
    ClaimOrders: claim_orders,
    ReportExecution: report_execution,
    BookFills: book_fills,
    ResolveOrder: resolve_order,
    AcceptPosition: accept_position,
    ConfirmTransfer: confirm_transfer,
    HearBridge: hear_bridge,
    TakeOverBridge: take_over_bridge,
    NoteTwoBridges: note_two_bridges,
    NoteUnreadable: note_unreadable,
    NoteClock: note_clock,
    NoteStore: note_store,
    ConfirmStore: confirm_store,
    HearTicks: hear_ticks,
    TakeSnapshot: take_snapshot,
    KeepDeadLetter: keep_dead_letter,
    KeepObservations: keep_observations,
    TickClock: tick_clock,
}
