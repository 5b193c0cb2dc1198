"""Which gates refuse an entry of an asset in a direction, and what would end that (SPEC 4).

The ladder of the state names no direction. The gates that ask for one are judged again for the direction that is asked
about: ``zone`` and ``two_half_filter``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from advisor.agent.asked import asset_of_desk
from advisor.agent.findings import BlockedEntry, Blocks, ClosedGate
from advisor.agent.foreign_names import told_gate
from advisor.agent.sources import Sources
from advisor.agent.tool import Found
from wire.asset import Act, AssetState, Facts, Rung
from wire.state import LimitsState, LiveDocument
from wire.types import Color, Side

OPPOSING: dict[Side, Color] = {"BUY": "red", "SELL": "green"}
SIDES: tuple[Side, ...] = ("BUY", "SELL")


class AskedBlocks(Struct, frozen=True, forbid_unknown_fields=True):
    """Why an entry is refused now. Without `asset` every asset of the desk is looked at."""

    asset: str | None = None
    direction: Literal["BUY", "SELL"] | None = None


async def find_blocks(sources: Sources, asked: AskedBlocks) -> Found:
    """Look at the ladder of the state."""
    state = await sources.state()
    named = tuple(state.assets) if asked.asset is None else (asset_of_desk(asked.asset, state.assets),)
    entries = tuple(blocked_entry(state, state.assets[symbol], asked.direction) for symbol in named)
    desk, is_taken = state.desk, takes_decisions(state)
    blocked = sum(not is_taken or bool(entry.closed_count) or entry.unexplained for entry in entries)
    found = Blocks(
        store=desk.store,
        role=desk.role,
        writer=desk.writer or None if desk.role == "standby" else None,
        takes_decisions=is_taken,
        entries=entries,
        blocked_count=blocked,
    )
    return Found(desk.env, state.now, found)


def takes_decisions(state: LiveDocument) -> bool:
    """Return whether the process takes any command: with its store down, and on a standby, each gets 503 (SPEC 9)."""
    return state.desk.store == "up" and state.desk.role == "writer"


def blocked_entry(state: LiveDocument, asset: AssetState, direction: Side | None) -> BlockedEntry:
    """Return what refuses a market entry. A direction that nobody named is the structure's."""
    meant = direction or asset.zone_direction
    rungs = [rung for rung in _rungs_for(asset, meant, state.desk.limits) if rung.state == "closed"]
    closed = tuple(_closed(rung) for rung in rungs if "market" in rung.binds)
    timed = sorted((gate for gate in closed if gate.reopens_at is not None), key=_opens)
    is_taken = takes_decisions(state)
    latest = timed[-1] if timed and is_taken else None
    is_allowed = bool(asset.may_enter) if meant is None else meant in asset.may_enter
    waits = asset.preorder_active or asset.intent_active
    return BlockedEntry(
        asset=asset.symbol,
        direction=meant,
        allowed=asset.may_enter if is_taken else (),
        zone=asset.zone_type,
        zone_direction=asset.zone_direction,
        closed=closed,
        closed_count=len(closed),
        unexplained=is_allowed == bool(closed),
        opens_first=timed[0].gate if timed else None,
        opens_last=timed[-1].gate if timed else None,
        entry_from=latest.reopens_at if latest else None,
        entry_in_s=latest.retry_after_s if latest else None,
        waits_for=tuple(gate.gate for gate in closed if gate.reopens_at is None),
        preorder_possible=is_taken and meant is not None and not waits and not _binds(rungs, "preorder"),
        preorder_waits=asset.preorder_active,
        intent_waits=asset.intent_active,
        position=asset.position,
        initial_exit_locked=asset.initial_exit_lock_active,
        stop_rests=asset.stop_resting,
        simulated=asset.simulated,
    )


def _rungs_for(asset: AssetState, direction: Side | None, limits: LimitsState) -> tuple[Rung, ...]:
    return tuple(_rung_for(rung, asset, direction, limits) for rung in asset.ladder)


def _rung_for(rung: Rung, asset: AssetState, direction: Side | None, limits: LimitsState) -> Rung:
    """Return one rung as it stands for the direction."""
    if direction is None or (rung.gate == "zone" and rung.state == "closed"):
        return rung  # without a zone no direction passes, whatever it is
    if rung.gate == "zone" and asset.zone_type == "NORMAL" and direction != asset.zone_direction:
        said = f"8pt and 12pt say {asset.zone_direction}"
        facts: Facts = {"zone_direction": asset.zone_direction} if asset.zone_direction else {}
        return _shut(rung, "against_structure", "AGAINST STRUCTURE", said, "8pt or 12pt brick", facts)
    if rung.gate == "two_half_filter":
        opposing = OPPOSING[direction]
        if not limits.two_half_filter or asset.two_half_renko_color != opposing:
            return Rung(rung.gate, "open", None, None, None, None, None, None, None, {}, rung.binds)
        said = f"the last 2.5pt brick is {opposing}"
        return _shut(rung, "two_half_filter", "2.5PT FILTER", said, "2.5pt flip", {"color": opposing})
    return rung


def _shut(rung: Rung, code: str, title: str, detail: str, reopens: str, facts: Facts) -> Rung:
    said = f"{title} — {detail}"
    return Rung(rung.gate, "closed", said, None, None, reopens, code, title, detail, facts, rung.binds)


def _closed(rung: Rung) -> ClosedGate:
    detail, facts = told_gate(rung.code, rung.detail or None, rung.facts)
    return ClosedGate(
        gate=rung.gate,
        code=rung.code,
        title=rung.title,
        detail=detail,
        facts=facts,
        reopens_at=rung.reopens_at,
        retry_after_s=rung.retry_after_s,
        reopens=None if rung.reopens_at is not None else rung.reopens,
    )


def _opens(gate: ClosedGate) -> float:
    return gate.reopens_at.timestamp() if gate.reopens_at else 0.0


def _binds(closed: Iterable[Rung], act: Act) -> bool:
    return any(act in rung.binds for rung in closed)
