"""Positions of the broker in contracts that the desk does not trade (SPEC 7.3, 8.4)."""

from __future__ import annotations

from msgspec import UNSET
from msgspec.structs import replace

from services.engine.model.bridge_commands import AcceptPosition, BrokerPosition, TakeSnapshot
from services.engine.model.evidence import ForeignPosition
from services.engine.model.proof_events import ForeignPositionAccepted, ForeignPositionGone, ForeignPositionSeen
from services.engine.model.replies import Done, Refusal, Reply
from services.engine.rules.broker_word import BrokerWord, asset_of, is_foreign, is_proof, streak_after
from services.engine.rules.refusals import refuse
from services.engine.transition import Transition

FOREIGN_KEPT = 50
ABSENT = BrokerWord(0, explicit=False)


def note_foreign_positions(transition: Transition, snapshot: TakeSnapshot) -> None:
    """Keep the foreign positions of the snapshot, and raise an alert for each new or changed one."""
    known = {position.symbol: position for position in transition.desk.foreign}
    rows = [row for row in snapshot.positions if is_foreign(transition.desk, row)][:FOREIGN_KEPT]
    held = _summed(rows)
    seen = [_seen(transition, row, known.get(symbol)) for symbol, row in held.items()]
    missing = [position for symbol, position in known.items() if symbol not in held]
    kept = (*seen, *_not_gone(transition, missing))
    if kept != transition.desk.foreign:
        transition.change_desk(foreign=kept)


def _not_gone(transition: Transition, missing: list[ForeignPosition]) -> list[ForeignPosition]:
    """Return the positions that too few snapshots have left out: they may still be there (SPEC 8.4)."""
    before = transition.desk.live.foreign_missed
    streaks = {held.symbol: streak_after(before.get(held.symbol), ABSENT, transition.now) for held in missing}
    gone = {symbol for symbol, streak in streaks.items() if is_proof(transition.desk, streak, transition.now)}
    for symbol in gone:
        transition.record(ForeignPositionGone(symbol))
    missed = {symbol: streak for symbol, streak in streaks.items() if symbol not in gone}
    if missed != before:
        transition.change_desk(live=replace(transition.desk.live, foreign_missed=missed))
    return [held for held in missing if held.symbol not in gone]


def _summed(rows: list[BrokerPosition]) -> dict[str, BrokerPosition]:
    """Return one row per symbol; rows of one contract add up."""
    held: dict[str, BrokerPosition] = {}
    for row in rows:
        before = held[row.symbol].position if row.symbol in held else 0
        held[row.symbol] = replace(row, position=before + row.position)
    return {symbol: row for symbol, row in held.items() if row.position}


def _seen(transition: Transition, row: BrokerPosition, known: ForeignPosition | None) -> ForeignPosition:
    if known is not None and known.position == row.position:
        return known
    asset = asset_of(transition.desk, row)
    expired = row.expired is not UNSET and row.expired
    transition.record(ForeignPositionSeen(row.symbol, row.position, asset))
    what = "a contract that has expired" if expired else "a contract that the desk does not trade"
    facts = {"symbol": row.symbol, "position": row.position, "expired": expired}
    transition.alert("foreign_position", f"the broker holds {row.position} {row.symbol}, {what}", asset, facts)
    return ForeignPosition(row.symbol, row.position, transition.now, asset, expired)


def accept_position(transition: Transition, command: AcceptPosition) -> Reply | Refusal:
    """Accept a foreign position as it is now. It no longer closes ``reconcile`` until it changes."""
    known = next((held for held in transition.desk.foreign if held.symbol == command.symbol), None)
    if known is None or known.position != command.position:
        position = 0 if known is None else known.position
        detail = f"the broker holds {position} {command.symbol}, not {command.position}"
        return refuse("position_changed", detail, symbol=command.symbol, position=position, asked=command.position)
    if known.accepted:
        return Done(duplicate=True)
    accepted = replace(known, accepted=True)
    foreign = tuple(accepted if held is known else held for held in transition.desk.foreign)
    transition.change_desk(foreign=foreign)
    transition.record(ForeignPositionAccepted(known.symbol, known.position, command.reason))
    return Done()
