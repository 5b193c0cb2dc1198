"""What the oracle makes of each command: None when it is taken, else the gate or code that refuses (SPEC 3 to 8)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from services.engine.model.commands import (
    CancelIntent,
    CancelPreOrder,
    CloseBrick,
    ConsumeTrade,
    EnterMarket,
    ExitAll,
    ExitPosition,
    NotePrice,
    PlaceIntent,
    PlacePreOrder,
    ScaleIn,
    SetLimits,
    SetPointsTarget,
    SetProtect,
    SetSignalTarget,
    TickClock,
    ToggleExit,
    TouchLevel,
)
from services.engine.model.window_commands import LockOut, NoteSessions
from tests.oracle import doors, exits
from tests.oracle.exits import Cause
from tests.oracle.facts import AGAINST, STREAMS, WITH, Book, Position, Ticket, Waiting
from tests.oracle.gates import Ask, refusing, zone_of
from tests.oracle.model import Oracle
from tests.oracle.week import minutes, next_day
from tests.oracle.window import lockout_ends


def enters(oracle: Oracle, command: EnterMarket, now: datetime) -> str | None:
    book = oracle.books[command.asset]
    if size_refused(oracle, command):
        return "setting_invalid"
    if command.override and command.direction is None:
        return "direction_required"
    return _enters(oracle, book, command, has_reason(command), now)


def has_reason(command: EnterMarket | PlacePreOrder) -> bool:
    return bool((command.override_reason or "").strip())


def size_of(oracle: Oracle, mode: str) -> int:
    return int(oracle.rules["entry_qty_6pt" if mode == "6pt" else "entry_qty_9pt"])


def size_refused(oracle: Oracle, command: EnterMarket | PlacePreOrder) -> bool:
    return command.qty is not None and not 1 <= command.qty <= size_of(oracle, command.size_mode)


def takes_override(oracle: Oracle, is_explained: bool) -> str | None:
    """Use one override of the day, where its budget leaves one."""
    if refused := doors.override_refused(oracle, is_explained):
        return refused
    oracle.day.overrides += 1
    oracle.day.without_reason += not is_explained
    return None


def _enters(
    oracle: Oracle, book: Book, entry: Any, is_explained: bool, now: datetime, is_paid: bool = False
) -> str | None:
    kind, of_zone = zone_of(book, now)
    side = entry.direction or of_zone
    size = entry.qty or size_of(oracle, entry.size_mode)
    gate = refusing(oracle, "market", Ask(book, side, entry.override, size), now)
    if gate is not None:
        return gate
    if entry.override and not is_paid and (refused := takes_override(oracle, is_explained)):
        return refused
    candle = oracle.takes_candle(now)
    book.token = book.flip_right = False
    if book.intent in ("WAITING", "READY"):
        book.intent = "USED"
    book.preorder = None
    book.entering = Ticket(
        "ENTRY",
        side or "",
        size,
        "entry",
        now,
        book.sheet,
        candle,
        entry.trade_mode,
        kind,
        Decimal(oracle.rules["stop_points"]),
        ttl=timedelta(seconds=oracle.rules["entry_ttl_seconds"]),
    )
    return None


def places_preorder(oracle: Oracle, command: PlacePreOrder, now: datetime) -> str | None:
    book = oracle.books[command.asset]
    if size_refused(oracle, command):
        return "setting_invalid"
    side = command.direction or (None if command.override else zone_of(book, now)[1])
    if side is None:
        return "direction_required"
    if gate := refusing(oracle, "preorder", Ask(book, side, command.override), now):
        return gate
    if waits(book):
        return "already_waiting"
    is_explained = has_reason(command)
    if command.override and (refused := takes_override(oracle, is_explained)):
        return refused
    terms = (command.trade_mode, command.size_mode, command.override, now, is_explained, command.qty)
    book.preorder = Waiting(side, *terms)
    return None


def waits(book: Book) -> bool:
    return book.preorder is not None or book.intent in ("WAITING", "READY")


def places_intent(oracle: Oracle, command: PlaceIntent, now: datetime) -> str | None:
    book = oracle.books[command.asset]
    if gate := refusing(oracle, "intent", Ask(book), now):
        return gate
    if waits(book):
        return "already_waiting"
    book.intent = "WAITING"
    return None


def cancels_preorder(oracle: Oracle, command: CancelPreOrder, now: datetime) -> str | None:
    book = oracle.books[command.asset]
    if book.preorder is None:
        return "nothing_waiting"
    book.preorder = None
    return None


def cancels_intent(oracle: Oracle, command: CancelIntent, now: datetime) -> str | None:
    book = oracle.books[command.asset]
    if book.intent not in ("WAITING", "READY"):
        return "nothing_waiting"
    book.intent = "CANCELLED"
    return None


def scales_in(oracle: Oracle, command: ScaleIn, now: datetime) -> str | None:
    book = oracle.books[command.asset]
    trade = book.trade
    if trade is None:
        return "nothing_to_manage"
    qty = doors.scale_in_qty(oracle, trade)
    may_be_added = trade.scale_in == "available" and doors.may_be_added(book)
    gate = refusing(oracle, "scale_in", Ask(book, trade.side, qty=qty, adds=True), now)
    if gate is not None and (gate != "risk" or may_be_added):
        return gate
    if not may_be_added:
        return "scale_in_unavailable"
    trade.scale_in = "used"
    ttl = timedelta(seconds=oracle.rules["entry_ttl_seconds"])
    terms = (qty, "scale_in", now, trade.sheet)
    book.entering = Ticket("SCALE_IN", trade.side, *terms, stop_points=trade.stop_points, ttl=ttl)
    return None


def asks_for(oracle: Oracle, command: Any) -> Ask:
    """Return what an entry or a scale-in asks for."""
    book = oracle.books[command.asset]
    if isinstance(command, ScaleIn) and book.trade is not None:
        return Ask(book, book.trade.side, qty=doors.scale_in_qty(oracle, book.trade), adds=True)
    return Ask(book, command.direction, command.override, command.qty or size_of(oracle, command.size_mode))


# -- bricks, prices, levels ----------------------------------------------------------------------------------------


def brick_closes(oracle: Oracle, command: CloseBrick, now: datetime) -> str | None:
    """In the order of SPEC 3: colour, token, locks, intent, scale-in, exits, pre-order."""
    book, size, color = oracle.books[command.asset], STREAMS[command.stream.value], command.color
    before = book.colors.get(size, "neutral")
    book.colors[size], book.stale_at[size] = color, command.stale_at
    if size == 1:
        return None
    flipped = before not in ("neutral", color)
    if size == 6 or (size == 4 and flipped and book.flip_right and book.trade is None):
        book.token = True
    if book.trade is not None:
        _counts(book.trade, size, color, flipped)
    if size == 6 and book.intent in ("WAITING", "READY"):
        book.intent = "READY" if book.intent == "WAITING" else "EXPIRED"
    exits.looks(oracle, book, Cause("brick", size, color), now)
    if size == 6 and book.preorder is not None:
        _fires(oracle, book, book.preorder, color, now)
    return None


def _counts(trade: Position, size: float, color: str, flipped: bool) -> None:
    if size == 8:
        trade.fresh_eight += 1
    if size == 6:
        trade.fresh_six += 1
        trade.is_locked = False
        if trade.armed["tp_armed"] and color == AGAINST[trade.side]:
            trade.armed["tp_count"] += 1
    continues = size == 6 and color == WITH[trade.side]
    pulls_back = size == 4 and flipped and color == AGAINST[trade.side]
    if trade.scale_in == "locked" and (continues or pulls_back):
        trade.scale_in = "available"


def _fires(oracle: Oracle, book: Book, waiting: Waiting, color: str, now: datetime) -> None:
    book.preorder = None
    if color != WITH[waiting.side]:
        return
    qty = None if waiting.qty is None else min(waiting.qty, size_of(oracle, waiting.size))
    terms: dict[str, Any] = {"trade_mode": waiting.mode, "size_mode": waiting.size, "direction": waiting.side}
    entry = EnterMarket("", **terms, override=waiting.override, qty=qty)
    _enters(oracle, book, entry, waiting.has_reason, now, is_paid=True)  # it was paid for when it was placed


def price_is_heard(oracle: Oracle, command: NotePrice, now: datetime) -> str | None:
    book = oracle.books[command.asset]
    book.heard_at = now
    if command.price is not None:
        book.price = book.marked = command.price
        book.price_at = now
        exits.looks(oracle, book, Cause("price"), now)
    return None


def level_is_touched(oracle: Oracle, command: TouchLevel, now: datetime) -> str | None:
    exits.looks(oracle, oracle.books[command.asset], Cause("level"), now)
    return None


# -- the operator's exits and controls -----------------------------------------------------------------------------


def _is_locked(book: Book) -> bool:
    """5.3; an entry that a bridge has claimed will be locked as soon as it is filled."""
    if book.trade is not None:
        return book.trade.is_locked
    order = book.entering
    return order is not None and order.kind == "ENTRY" and order.state != "PENDING"


def exits_one(oracle: Oracle, command: ExitPosition, now: datetime) -> str | None:
    book = oracle.books[command.asset]
    if book.trade is None and book.entering is None:
        return "nothing_to_exit"
    if _is_locked(book) and not command.force:
        return "exit_locked"
    if book.leaving is None:
        exits.demands(oracle, book, "manual", now)
    return None


def exits_all(oracle: Oracle, command: ExitAll, now: datetime) -> str | None:
    for book in oracle.books.values():
        book.preorder = None
        if (book.trade is None and book.entering is None) or (_is_locked(book) and not command.force):
            continue
        exits.demands(oracle, book, "exit_all", now)
    return None


def protects(oracle: Oracle, command: SetProtect, now: datetime) -> str | None:
    book = oracle.books[command.asset]
    if book.trade is None:
        return "nothing_to_manage"
    if command.threshold is not None and command.threshold not in (Decimal(-2), Decimal("0.5")):
        return "setting_invalid"
    return _sets(oracle, book, book.trade, "protect", command.enabled, command.threshold, now)


def targets(oracle: Oracle, command: SetPointsTarget, now: datetime) -> str | None:
    book = oracle.books[command.asset]
    if book.trade is None:
        return "nothing_to_manage"
    if command.target is not None and not 0 < command.target <= 200:
        return "setting_invalid"
    return _sets(oracle, book, book.trade, "points_tp", command.enabled, command.target, now)


WHOLE = ("_seconds", "_minutes", "_per_day", "_per_week", "_open", "_close", "_streak", "_loss", "_filter")
SETTINGS = {"protect": "protect_threshold_points", "points_tp": "points_tp_target"}


def _sets(
    oracle: Oracle, book: Book, trade: Position, name: str, on: bool, value: Decimal | None, now: datetime
) -> str | None:
    if refused := doors.change_refused(oracle, book, name, on, value, now):
        return refused
    if on and not trade.armed[f"{name}_enabled"]:
        trade.switched_on[f"{name}_enabled"] = now
    trade.armed[f"{name}_enabled"] = on
    if value is not None:
        trade.armed[SETTINGS[name]] = value
    return None


def counts_signals(oracle: Oracle, command: SetSignalTarget, now: datetime) -> str | None:
    trade = oracle.books[command.asset].trade
    if trade is None:
        return "nothing_to_manage"
    if command.target is not None and not 1 <= command.target <= 50:
        return "setting_invalid"
    arms = command.toggle and not trade.armed["tp_armed"]
    if arms and not doors.may_arm(oracle, oracle.books[command.asset], "tp_armed"):
        return "management_locked"
    trade.armed["tp_armed"] ^= command.toggle
    trade.armed["tp_target"] = command.target or trade.armed["tp_target"]
    if arms or command.reset:
        trade.armed["tp_count"] = 0
    return None


def switches(oracle: Oracle, command: ToggleExit, now: datetime) -> str | None:
    book = oracle.books[command.asset]
    if book.trade is None:
        return "nothing_to_manage"
    if refused := doors.switch_refused(oracle, book, command.exit, now):
        return refused
    armed = book.trade.armed
    armed[command.exit] = not armed[command.exit]
    if armed[command.exit]:
        book.trade.switched_on[command.exit] = now
    return None


def consumes(oracle: Oracle, command: ConsumeTrade, now: datetime) -> str | None:
    if oracle.day.taken >= oracle.rules["max_trades_per_day"]:
        return "no_trade_left"
    oracle.day.taken += 1
    return None


def limits(oracle: Oracle, command: SetLimits, now: datetime) -> str | None:
    asked = read_limits({**command.limits, **command.words})
    if not command.confirm and oracle.would_flatten(asked, now):
        return "confirm_needed"
    oracle.wants(asked, now)
    return None


def read_limits(told: dict[str, Any]) -> dict[str, Any]:
    """Hours as the minutes that lie in them, whole numbers as such."""
    return {name: _limit(name, value) for name, value in told.items()}


def _limit(name: str, value: Any) -> Any:
    if name == "trading_hours":
        return minutes(value)
    is_whole = isinstance(value, Decimal) and name.endswith(WHOLE)
    return int(value) if is_whole else value


def locks_out(oracle: Oracle, command: LockOut, now: datetime) -> str | None:
    """A second one may lengthen it only. It drops what waits."""
    ends = lockout_ends(oracle, command.until, now)
    if oracle.locked_out_until is not None and oracle.locked_out_until >= ends:
        return None
    oracle.locked_out_until = ends
    for book in oracle.books.values():
        book.preorder = None
        book.intent = "CANCELLED" if book.intent in ("WAITING", "READY") else book.intent
    return None


def hears_of_markets(oracle: Oracle, command: NoteSessions, now: datetime) -> str | None:
    """A news time that is taken out stays while a looser setting would still wait."""
    oracle.knows_sessions = bool(command.sessions)
    told = [(news.begins, news.ends) for news in command.news]
    kept = [(begins, ends) for begins, ends in oracle.news if now < ends and begins < next_day(now)]
    oracle.news = [*told, *(news for news in kept if news not in told)]
    return None


ACTS: dict[type, Callable[[Oracle, Any, datetime], str | None]] = {
    EnterMarket: enters,
    PlacePreOrder: places_preorder,
    PlaceIntent: places_intent,
    CancelPreOrder: cancels_preorder,
    CancelIntent: cancels_intent,
    ScaleIn: scales_in,
    CloseBrick: brick_closes,
    NotePrice: price_is_heard,
    TouchLevel: level_is_touched,
    ExitPosition: exits_one,
    ExitAll: exits_all,
    SetProtect: protects,
    SetPointsTarget: targets,
    SetSignalTarget: counts_signals,
    ToggleExit: switches,
    ConsumeTrade: consumes,
    SetLimits: limits,
    LockOut: locks_out,
    NoteSessions: hears_of_markets,
    TickClock: lambda oracle, command, now: None,
}


def hears(oracle: Oracle, command: Any, now: datetime) -> str | None:
    """Let time pass, then decide the command as SPEC says."""
    oracle.passes(now)
    refused = ACTS[type(command)](oracle, command, now)
    if refused is None:
        was_stopped = oracle.day.is_stopped
        oracle.weighs(now)
        if oracle.day.is_stopped and not was_stopped:
            oracle.flattens(now)
    oracle.notes_best()
    return refused


def claimed(order: Ticket) -> None:
    order.state = "CLAIMED"


def reported(
    oracle: Oracle,
    name: str,
    order: Ticket,
    status: str,
    qty: int,
    price: Decimal,
    now: datetime,
    told: Decimal | None = None,
) -> None:
    """The bridge reports a fill of ``qty`` and perhaps its commission, or how the order ended."""
    oracle.passes(now)
    book = oracle.books[name]
    if qty:
        oracle.fills(name, order, qty, price, now, told)
        order.state = "PARTIALLY_FILLED"
    elif status == "WORKING" and not order.filled:
        order.state = "WORKING"
    if status in ("FILLED", "REJECTED", "CANCELLED"):
        oracle.ends(book, order, now)
        if order.kind == "EXIT" and order.rest:
            exits.is_refused(oracle, book, order, status, now)
        exits.pursues(oracle, book, now)
    oracle.weighs(now)
    oracle.flattens(now)
    oracle.notes_best()


def stopped_out(oracle: Oracle, name: str, stop: Ticket, price: Decimal, now: datetime) -> None:
    """The resting stop is filled at the broker: the trade is closed, whatever the desk had asked for (8.3)."""
    oracle.passes(now)
    oracle.fills(name, stop, stop.qty, price, now)
    oracle.weighs(now)
    oracle.flattens(now)
    oracle.notes_best()


def snapshot_taken(
    oracle: Oracle, equity: Decimal, prices: dict[str, Decimal], positions: dict[str, int], is_true: bool, now: datetime
) -> None:
    """A snapshot tells the balance, the open PnL at these prices, and the positions."""
    oracle.passes(now)
    oracle.market_at = now
    for name, book in oracle.books.items():
        if book.trade is not None and positions[name] == _held(book):
            book.marked = prices[name]
    oracle.last_balance_is_true = is_true
    oracle.balance_is_suspect = not is_true
    if is_true:
        if oracle.day.start is None:
            oracle.day.start = equity - oracle.result
        oracle.equity = equity
    oracle.weighs(now)
    for name, book in oracle.books.items():
        book.disagrees = positions[name] != _held(book)
    for book in oracle.books.values():
        exits.looks(oracle, book, Cause("price"), now)
    oracle.notes_best()


def _held(book: Book) -> int:
    return book.trade.qty * book.trade.sign if book.trade is not None else 0
