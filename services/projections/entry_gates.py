"""The margins of the gates when an entry was accepted. The journal groups trades by them to find losing habits.

The record is stored with the commit that accepts the entry and computed only from the desk before and after that
decision. The engine does not use it, so replay is not affected. Entries accepted before version 5 of the store or by
an older program, and positions adopted from the broker, have no record.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal

import msgspec
from msgspec import Struct

from services.engine.decide import Decision
from services.engine.model.events import EntryAccepted, PreOrderEnded
from services.engine.model.state import Asset, Desk
from services.engine.model.times import candle_start
from services.engine.model.trading_day import drawdown_pct, trading_day_of
from services.projections.projection import Decided, Projection, decoded
from services.stores.records import Kind, Record
from services.stores.store import Store
from wire.types import Instant, TempoArmer, WayIn, WithOrAgainst, color_with

GATES_AT_ENTRY = Kind("gates_at_entry")
HUNDREDTH = Decimal("0.01")


class GatesAtEntry(Struct, frozen=True):
    """The margins of the gates at an entry.

    Seconds and percent have two places and are rounded down, so that a value at a mark has really reached it.

    ``trade_of_day`` is the next slot of the day's trade limit when the entry was accepted, counted from 1. If the
    operator uses a slot by hand before the fill, the fill takes a later one (SPEC 5.5).
    ``daily_stop_used_pct`` is the day's drawdown in percent of its limit, negative on a winning day, None while the
    equity is unknown (SPEC 5.6).
    ``since_cooldown_s`` is the time since the end of the cooldown after the last exit of any asset. It is None when no
    position was closed in this trading day, as far as the desk knows (SPEC 5.2, ``_since_cooldown``).
    ``candle_second`` is the time since the start of the candle that the entry locks (SPEC 5.1).
    ``tempo_age_s`` is the time since a brick armed or last renewed the token that the entry spends, ``tempo_armed_by``
    that brick; both are None when unknown (SPEC 5.7).
    ``two_half`` compares the 2.5pt colour with the direction (SPEC 4, gate ``two_half_filter``).
    ``entered_by`` is a fired pre-order, a click while the intent was READY, or any other click (SPEC 4).
    """

    trade_of_day: int
    daily_stop_used_pct: Decimal | None
    since_cooldown_s: Decimal | None
    candle_second: Decimal
    tempo_age_s: Decimal | None
    tempo_armed_by: TempoArmer | None
    two_half: WithOrAgainst
    entered_by: WayIn


def gates_records(decided: Decided) -> Iterator[Record]:
    """Yield the margins of the gates for each entry that a decision accepted."""
    for event in decided.decision.events:
        if isinstance(event, EntryAccepted):
            gates = gates_at_entry(decided.before, decided.decision, event, decided.now)
            yield gates_record(event.order_id, gates, decided.now)


def gates_at_entry(before: Desk, decision: Decision, entry: EntryAccepted, now: Instant) -> GatesAtEntry:
    """Return the margins of the gates for an accepted entry. ``before`` is the desk before the decision.

    The tempo token is read from the desk after the decision. The 6pt brick that fires a pre-order arms the token in
    the same decision, and an entry that spends the token keeps its ``armed_at``.
    """
    asset = decision.desk.assets[entry.asset]
    return GatesAtEntry(
        trade_of_day=before.day.trades_taken + 1,
        daily_stop_used_pct=_daily_stop_used(before),
        since_cooldown_s=_since_cooldown(before, now),
        candle_second=_seconds(candle_start(now, before.rules.candle_seconds), now),
        tempo_age_s=None if asset.tempo.armed_at is None else _seconds(asset.tempo.armed_at, now),
        tempo_armed_by=_armer_of(asset),
        two_half=_two_half_of(entry),
        entered_by=_entered_by(before, decision, entry),
    )


def _daily_stop_used(desk: Desk) -> Decimal | None:
    drawdown = drawdown_pct(desk)
    limit = desk.rules.daily_stop_limit_pct
    return None if drawdown is None else (drawdown / limit * 100).quantize(HUNDREDTH, ROUND_FLOOR)


def _since_cooldown(desk: Desk, now: Instant) -> Decimal | None:
    """Return the seconds since the cooldown ended, None when the last exit was on an earlier trading day.

    The desk stores the end of the cooldown but not the exit itself. The exit is computed back with the cooldown in
    force. If the cooldown was changed since, an exit near the roll may be counted to the wrong day.
    """
    ended_at = desk.locks.cooldown_until
    rules = desk.rules
    if ended_at is None:
        return None
    closed_at = ended_at - timedelta(seconds=rules.cooldown_seconds)
    return None if trading_day_of(closed_at, rules.day_roll) < desk.day.trading_day else _seconds(ended_at, now)


def _seconds(since: Instant, now: Instant) -> Decimal:
    return Decimal(str((now - since).total_seconds())).quantize(HUNDREDTH, ROUND_FLOOR)


def _armer_of(asset: Asset) -> TempoArmer | None:
    """Return which brick armed the token. Every coloured 6pt brick does, so a later arming was by a 4pt flip.

    Return None when a neutral 6pt brick came after the token was armed: then the time of the last coloured one is
    unknown.
    """
    armed_at = asset.tempo.armed_at
    main_at = asset.stack.main.at
    if armed_at is None or main_at is None or armed_at < main_at:
        return None
    return "6pt brick" if armed_at == main_at else "4pt flip"


def _two_half_of(entry: EntryAccepted) -> WithOrAgainst:
    color = entry.stack["two_half"]
    if color == "neutral":
        return "neutral"
    return "with" if color == color_with(entry.direction) else "against"


def _entered_by(before: Desk, decision: Decision, entry: EntryAccepted) -> WayIn:
    fired = (event for event in decision.events if isinstance(event, PreOrderEnded) and event.fired)
    if any(event.asset == entry.asset for event in fired):
        return "pre-order"
    intent = before.assets[entry.asset].intent
    return "ready intent" if intent is not None and intent.status == "READY" else "click"


# -- as stored ------------------------------------------------------------------------------------------------------


def gates_record(trade_id: str, gates: GatesAtEntry, at: Instant) -> Record:
    """Return the record of the gates at an entry. The entry's order id is the trade's id.

    An entry that never filled has a record too; it is never read.
    """
    return Record(GATES_AT_ENTRY, trade_id, at, msgspec.json.encode(gates), {"trade_id": trade_id})


def gates_between(store: Store, first_id: str, last_id: str) -> dict[str, GatesAtEntry]:
    """Return, by trade, the gates at the entries of trades whose ids lie between these two, both included.

    Raises StoreDown, StoreUnreadable.
    """
    return {record.id: read_gates(record) for record in store.records_by_id(GATES_AT_ENTRY, first_id, last_id)}


def read_gates(record: Record) -> GatesAtEntry:
    """Read a stored record. Raises StoreUnreadable."""
    return decoded(record, GatesAtEntry, f"the gates at the entry of {record.id}")


PROJECTION = Projection(GATES_AT_ENTRY, gates_records)
