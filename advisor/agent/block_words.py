"""Explains a block: what is closed, what opens first and last, when an entry is possible, what goes meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from advisor.agent.findings import BlockedEntry, Blocks, ClosedGate
from advisor.agent.statements import env_of, finding_of, said
from advisor.agent.wording import VERBS, counted, facts_of, lasting, listed, moment
from wire.asset import Facts
from wire.explain import Statement, ToolName, ToolResult

TOOL: ToolName = "explain_blocks"
GATE_NAMES = {
    "daily_stop": "daily stop",
    "trade_limit": "trade limit",
    "cooldown": "cooldown",
    "candle_lock": "candle lock",
    "pending_order": "open order",
    "position": "position",
    "heartbeat": "heartbeat",
    "tempo": "tempo token",
    "zone": "zone",
    "two_half_filter": "2.5pt filter",
    "reconcile": "reconciliation",
    "account": "account",
    "risk": "risk",
    "window": "window",
    "bridge": "bridge",
    "feed": "feed",
}
EVENTS = {  # what ends each gate, by its name
    "daily_stop": "the next trading day",
    "trade_limit": "the next trading day, or until an entry on its way ends unfilled",
    "candle_lock": "the next candle",
    "cooldown": "its countdown ends",
    "pending_order": "the order's last report",
    "position": "the position is flat",
    "heartbeat": "the next heartbeat",
    "tempo": "the next 6pt brick",
    "zone": "the next 8pt or 12pt brick",
    "two_half_filter": "the 2.5pt brick flips",
    "reconcile": "broker and desk agree",
    "account": "a fresh balance, or your confirmation",
    "risk": "a smaller size, or less open risk",
    "window": "what closes your window ends",
    "bridge": "the bridge is back",
    "feed": "the stream is whole again",
}
EVENTS_OF_CODES = {  # what ends one reason of a gate, where that is not what ends the gate's usual one
    "daily_stop_awaited": "a second reading decides",
    "risk_unknown": "a balance of this account comes",
    "firm_limit": "the firm's loss limits leave something again",
    "fate_unknown": "the order's fate is known",
    "foreign_position": "that position is gone, or you accept it",
    "balance_suspect": "a balance is explained again, or you confirm the transfer",
    "other_account": "a balance of this account comes",
    "balance_unknown": "a balance of this account comes",
    "bridge_offline": "the bridge is connected to the broker",
    "bridge_without_live": "a bridge that executes LIVE is heard",
    "kill_switch": "the bridge's switch is off",
    "stop_missing": "the bridge names a stop for it",
    "contract_expired": "the desk trades the next contract",
    "contract_ends": "the desk trades the next contract",
    "session_unknown": "the desk is told when the market trades",
    "news_unknown": "the news file can be read",
}
EXIT_WAITS = {
    "bridge_silent": "But an exit does not reach the broker before the bridge is back.",
    "bridge_offline": "But an exit does not reach the broker before the bridge is connected to it.",
    "bridge_without_live": "But whether an exit reaches the broker is not known until a bridge that executes LIVE is "
    "heard.",
}


def explain_block(result: ToolResult) -> tuple[Statement, ...]:
    """Return the statements of a block. For several assets each has its answer and its earliest entry only."""
    blocks = finding_of(result, Blocks)
    env = env_of(result)
    statements: list[Statement] = []
    for entry in blocks.entries:
        statements.append(_answer(entry, env) if blocks.takes_decisions else _nothing_taken(entry, blocks, env))
        if len(blocks.entries) == 1:
            statements += [_gate(gate, result.as_of) for gate in entry.closed]
            statements += _order_of_opening(entry)
        if not blocks.takes_decisions:
            statements += _exit_refused(entry, blocks)
            continue
        statements += _earliest(entry, result.as_of)
        if len(blocks.entries) == 1:
            statements += _meanwhile(entry)
    return tuple(statements)


def gate_name(gate: str) -> str:
    """Return a gate as a sentence names it."""
    return GATE_NAMES.get(gate, gate.replace("_", " "))


def event_words(gate: ClosedGate) -> str:
    """Return what ends a closed gate, as it follows ``until``."""
    unknown = gate.reopens or f"the {gate_name(gate.gate)} gate opens"  # of a gate that a later desk has
    return EVENTS_OF_CODES.get(gate.code or "") or EVENTS.get(gate.gate, unknown)


def _nothing_taken(entry: BlockedEntry, blocks: Blocks, env: str) -> Statement:
    """Say that this process takes nothing, whatever the gates say: it only reads, or nothing can be stored (SPEC 9)."""
    refused = f"You cannot {_what(entry)} now ({_where(entry, env)})"
    facts = _facts(entry, env) | facts_of(store=blocks.store)
    if blocks.role == "writer":
        return said("store_down", f"{refused}: the desk cannot store a decision, so it takes none.", facts, TOOL)
    writer = f"the writer is {blocks.writer}" if blocks.writer else "which process is the writer is not known"
    down = "; its store is down, too" if blocks.store == "down" else ""
    text = f"{refused}: the process that answers here is a standby, which only reads; {writer}{down}."
    return said("standby", text, facts | facts_of(role=blocks.role, writer=blocks.writer), TOOL)


def _exit_refused(entry: BlockedEntry, blocks: Blocks) -> Iterator[Statement]:
    """Say that a position cannot be left here either. A stop at the broker needs no desk."""
    if not entry.position:
        return
    facts = facts_of(asset=entry.asset, position=entry.position, stop_rests=entry.stop_rests, writer=blocks.writer)
    text = f"An exit of {entry.asset} is refused, too, until the store is back."
    if blocks.role == "standby":
        who = f"the writer, {blocks.writer}, takes it" if blocks.writer else "only the writer takes it"
        text = f"An exit of {entry.asset} is refused here, too: {who}."
    yield said("exit_refused", f"{text} {_stop_words(entry)}", facts, TOOL)


def _stop_words(entry: BlockedEntry) -> str:
    return {
        True: "As last told a stop rests at the broker, which needs no desk.",
        False: "As last told no stop rests at the broker.",
        None: "It is not known whether a stop rests at the broker.",
    }[entry.stop_rests]


def _facts(entry: BlockedEntry, env: str) -> Facts:
    return facts_of(
        asset=entry.asset,
        direction=entry.direction,
        env=env,
        closed=entry.closed_count,
        allowed=", ".join(entry.allowed),
        simulated=entry.simulated,
    )


def _what(entry: BlockedEntry) -> str:
    return f"{VERBS[entry.direction] if entry.direction else 'enter'} {entry.asset}"


def _where(entry: BlockedEntry, env: str) -> str:
    return f"in {env}" + (", in a simulated market" if entry.simulated else "")


def _answer(entry: BlockedEntry, env: str) -> Statement:
    facts = _facts(entry, env)
    what, where = _what(entry), _where(entry, env)
    if entry.closed:
        gates = listed(gate_name(gate.gate) for gate in entry.closed)
        text = f"You cannot {what} now ({where}): {counted(entry.closed_count, 'gate')} closed, {gates}."
        return said("blocked", text, facts, TOOL)
    if entry.unexplained:
        text = f"The desk refuses to {what} now ({where}), and its ladder does not say why."
        return said("unexplained", text, facts, TOOL)
    if entry.direction is None:
        sides = " or ".join(VERBS[side] for side in entry.allowed)
        text = f"You may {sides} {entry.asset} now ({where}): no gate is closed, and you choose the direction."
        return said("open", text, facts, TOOL)
    return said("open", f"You may {what} now ({where}): no gate is closed.", facts, TOOL)


def _gate(gate: ClosedGate, as_of: datetime) -> Statement:
    facts = facts_of(
        gate=gate.gate,
        code=gate.code,
        detail=gate.detail,
        reopens_at=gate.reopens_at,
        retry_after_s=gate.retry_after_s,
        reopens=gate.reopens,
    )
    name = gate_name(gate.gate)
    why = f": {gate.detail}" if gate.detail else ""
    if gate.reopens_at is not None and gate.retry_after_s is not None:
        ends = f"It opens in {lasting(gate.retry_after_s)}, at {moment(gate.reopens_at, as_of)}."
    elif gate.reopens:
        ends = f"It stays closed until {event_words(gate)}."
    else:
        ends = "Nobody knows when it opens."
    return said("gate_closed", f"The {name} gate is closed{why}. {ends}", {**gate.facts, **facts}, TOOL)


def _order_of_opening(entry: BlockedEntry) -> list[Statement]:
    """Say which gate opens first and which last, where time opens two or more."""
    times = {gate.gate: gate.retry_after_s for gate in entry.closed if gate.retry_after_s is not None}
    if len(times) < 2 or entry.opens_first is None or entry.opens_last is None:
        return []
    first, last = times[entry.opens_first], times[entry.opens_last]
    facts = facts_of(opens_first=entry.opens_first, first_s=first, opens_last=entry.opens_last, last_s=last)
    text = (
        f"By time the {gate_name(entry.opens_first)} gate opens first, in {lasting(first)}, "
        f"and the {gate_name(entry.opens_last)} gate last, in {lasting(last)}."
    )
    return [said("order_of_opening", text, facts, TOOL)]


def _earliest(entry: BlockedEntry, as_of: datetime) -> Iterator[Statement]:
    """Say from when an entry is possible if everything else stays as it is."""
    if not entry.closed:
        return
    facts = facts_of(
        asset=entry.asset,
        entry_from=entry.entry_from,
        entry_in_s=entry.entry_in_s,
        waits_for=", ".join(entry.waits_for) or None,
    )
    waits = [gate for gate in entry.closed if gate.gate in entry.waits_for]
    events = listed(f"until {event_words(gate)}" for gate in waits) if waits else ""
    if entry.entry_from is None or entry.entry_in_s is None:
        text = f"If everything else stays, {entry.asset} cannot be entered {events}: no clock ends that."
        yield said("waits_for_event", text, facts, TOOL)
        return
    at = f"{moment(entry.entry_from, as_of)}, in {lasting(entry.entry_in_s)}"
    if not events:
        text = f"If everything else stays, you may enter {entry.asset} from {at}."
        yield said("entry_from", text, facts, TOOL)
        return
    text = f"If everything else stays, you cannot enter {entry.asset} before {at}, and not {events}."
    yield said("entry_not_before", text, facts, TOOL)


def _exit_waits(entry: BlockedEntry) -> Iterator[Statement]:
    """Say what an exit waits for while its bridge cannot bring it to the broker: the desk takes it all the same."""
    code = next((gate.code for gate in entry.closed if gate.gate == "bridge"), None)
    if code not in EXIT_WAITS:
        return
    facts = facts_of(asset=entry.asset, code=code, stop_rests=entry.stop_rests)
    yield said("exit_waits", f"{EXIT_WAITS[code]} {_stop_words(entry)}", facts, TOOL)


def _meanwhile(entry: BlockedEntry) -> list[Statement]:
    """Say what is possible while the entry is refused. No gate ever stops an exit (SPEC 4)."""
    found = []
    if entry.position:
        facts = facts_of(position=entry.position, initial_exit_locked=entry.initial_exit_locked)
        if entry.initial_exit_locked:
            text = (
                "No gate stops an exit. The initial exit lock still holds: until its end a manual exit must be forced "
                "and is journaled as forced; stops and exit rules need no force."
            )
        else:
            text = "No gate stops an exit: the desk takes one at any time."
        found.append(said("exits_pass", text, facts, TOOL))
        found += _exit_waits(entry)
    if entry.closed and entry.preorder_possible and entry.direction is not None:
        text = (
            f"You may place a pre-order to {VERBS[entry.direction]} {entry.asset}: no closed gate stops that. The "
            "whole ladder is asked again when it fires."
        )
        facts = facts_of(asset=entry.asset, direction=entry.direction)
        found.append(said("preorder_possible", text, facts, TOOL))
    if entry.preorder_waits or entry.intent_waits:
        what = "A pre-order" if entry.preorder_waits else "An intent"
        facts = facts_of(preorder=entry.preorder_waits, intent=entry.intent_waits)
        found.append(said("entry_waits", f"{what} of {entry.asset} waits already.", facts, TOOL))
    return found
