"""Build the journal's answers (``wire/journal.py``) from trades and attempts."""

from __future__ import annotations

from msgspec import structs

from services.engine.model.events import EntryBlocked
from services.journal.trades import JournalTrade
from services.views.rows import trade_facts
from wire.journal import BlockedRow, GatesRow, JournalTradeRow
from wire.types import Instant


def journal_row(entry: JournalTrade) -> JournalTradeRow:
    """Return the row of a closed trade, with its note and the gates at its entry."""
    return JournalTradeRow(
        **{**trade_facts(entry.trade), "r": entry.r},
        trading_day=entry.trading_day,
        stop_points=entry.stop_points,
        target_points=entry.target_points,
        held_s=entry.held_seconds,
        note=entry.note.text,
        tags=entry.note.tags,
        noted_at=entry.note.at,
        gates_at_entry=None if entry.gates is None else GatesRow(**structs.asdict(entry.gates)),
    )


def blocked_row(at: Instant, event: EntryBlocked) -> BlockedRow:
    """Return the row of an entry that a gate refused."""
    return BlockedRow(
        at=at,
        asset=event.asset,
        direction=event.direction,
        price=event.price,
        gate=event.gate,
        sentence=event.sentence,
        override=event.override,
    )
