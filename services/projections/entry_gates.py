"""How the gates stood when an entry was accepted: what the journal asks to see which of them lose money.

Written beside the commit that accepts the entry, of the desk before and behind that decision alone; nothing in the
engine knows it, so a replay stays equal. Entries accepted before version 5 of the store or by an older program, and
positions adopted from the broker, have none.
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
from wire.types import Instant, Side, TempoArmer, WayIn, WithOrAgainst, color_with

GATES_AT_ENTRY = Kind("gates_at_entry")
HUNDREDTH = Decimal("0.01")


class GatesAtEntry(Struct, frozen=True):
    """The gates' margins at an entry. Seconds and percent have two places, cut off: a mark that shows was reached.

    ``trade_of_day`` is the slot of the day's trade limit that was next when the entry was accepted, from 1. A slot
    taken by hand before the fill lets that take a later one (SPEC 5.5).
    ``daily_stop_used_pct`` is the day's drawdown in percent of its limit, below zero while the day has won; None while
    the desk knows no equity (SPEC 5.6).
    ``since_cooldown_s`` counts seconds since the cooldown behind the last exit of any asset ended; None when no
    position was closed in this trading day, as far as the desk can tell (SPEC 5.2, ``_since_cooldown``).
    ``candle_second`` counts seconds since the candle began whose lock the entry takes (SPEC 5.1).
    ``tempo_age_s`` counts seconds since a brick armed the token that it spends, or renewed it last, and
    ``tempo_armed_by`` names that brick; None where the desk does not know (SPEC 5.7).
    ``two_half`` is the 2.5pt colour beside the direction (SPEC 4, gate ``two_half_filter``).
    ``entered_by`` tells a pre-order that fired from a click while the intent was READY and any other click (SPEC 4).
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
    """Yield how the gates stood for each entry that a decision accepted."""
    for event in decided.decision.events:
        if isinstance(event, EntryAccepted):
            gates = gates_at_entry(decided.before, decided.decision, event, decided.now)
            yield gates_record(event.order_id, gates, decided.now)


def gates_at_entry(before: Desk, decision: Decision, entry: EntryAccepted, now: Instant) -> GatesAtEntry:
    """Return how the gates stood for an entry that the decision accepted; ``before`` is the desk it was asked of.

    The token is read behind the decision: the 6pt brick that fires a pre-order arms it in that very step, and who
    spends it leaves its time standing.
    """
    asset = decision.desk.assets[entry.asset]
    return GatesAtEntry(
        trade_of_day=before.day.trades_taken + 1,
        daily_stop_used_pct=_daily_stop_used(before),
        since_cooldown_s=_since_cooldown(before, now),
        candle_second=_seconds(candle_start(now, before.rules.candle_seconds), now),
        tempo_age_s=None if asset.tempo.armed_at is None else _seconds(asset.tempo.armed_at, now),
        tempo_armed_by=_armer_of(asset),
        two_half=_beside(entry.direction, entry),
        entered_by=_way_in(before, decision, entry),
    )


def _daily_stop_used(desk: Desk) -> Decimal | None:
    drawdown, limit = drawdown_pct(desk), desk.rules.daily_stop_limit_pct
    return None if drawdown is None else (drawdown / limit * 100).quantize(HUNDREDTH, ROUND_FLOOR)


def _since_cooldown(desk: Desk, now: Instant) -> Decimal | None:
    """None, too, for an exit of the day before whose cooldown ended in this one.

    The desk keeps when the cooldown ends and not the exit before it, which is reckoned back by the cooldown in force.
    Was that changed since the exit, one closer to the roll than the change may be counted to the other day.
    """
    ended_at, rules = desk.locks.cooldown_until, desk.rules
    if ended_at is None:
        return None
    closed_at = ended_at - timedelta(seconds=rules.cooldown_seconds)
    return None if trading_day_of(closed_at, rules.day_roll) < desk.day.trading_day else _seconds(ended_at, now)


def _seconds(since: Instant, now: Instant) -> Decimal:
    return Decimal(str((now - since).total_seconds())).quantize(HUNDREDTH, ROUND_FLOOR)


def _armer_of(asset: Asset) -> TempoArmer | None:
    """Tell which brick armed the token: every coloured 6pt brick does, so what came behind the last was a 4pt flip.

    A colourless 6pt brick behind the token hides which it was.
    """
    armed_at, main_at = asset.tempo.armed_at, asset.stack.main.at
    if armed_at is None or main_at is None or armed_at < main_at:
        return None
    return "6pt brick" if armed_at == main_at else "4pt flip"


def _beside(direction: Side, entry: EntryAccepted) -> WithOrAgainst:
    color = entry.stack["two_half"]
    if color == "neutral":
        return "neutral"
    return "with" if color == color_with(direction) else "against"


def _way_in(before: Desk, decision: Decision, entry: EntryAccepted) -> WayIn:
    fired = (event for event in decision.events if isinstance(event, PreOrderEnded) and event.fired)
    if any(event.asset == entry.asset for event in fired):
        return "pre-order"
    intent = before.assets[entry.asset].intent
    return "ready intent" if intent is not None and intent.status == "READY" else "click"


# -- as stored ------------------------------------------------------------------------------------------------------


def gates_record(trade_id: str, gates: GatesAtEntry, at: Instant) -> Record:
    """Return the gates at an entry as they are stored; the entry's order has the trade's id.

    An entry that never filled leaves a record, too: nothing is read of it.
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
