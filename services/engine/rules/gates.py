"""The ladder: the gates that an entry must pass, in order of precedence (SPEC 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from msgspec import Struct

from services.engine.model.ladder import Rung
from services.engine.model.state import Asset, Desk
from services.engine.model.times import is_younger, seconds_until
from services.engine.model.trading_day import day_end
from services.engine.model.zone import uncertain_structure, zone_of
from services.engine.rules.broker_gates import balance_is_believed, bridge_is_connected, positions_agree
from services.engine.rules.feed_gate import feed_is_whole
from services.engine.rules.firm_limits import firm_has_room
from services.engine.rules.risk_gate import risk_fits
from services.engine.rules.ticks import price_heard_at
from services.engine.rules.verdicts import OPEN, EntryRequest, Verdict, closed
from services.engine.rules.window_gate import window_is_open
from wire.types import Instant, color_against

Act = Literal["market", "preorder", "intent", "scale_in"]


class Gate(Struct, frozen=True):
    """One gate of the ladder. Its name is the same in the journal, the API and the page.

    ``binds`` are the acts that it can refuse (SPEC 4): a market entry, placing a pre-order or an intent, a scale-in.
    """

    name: str
    check: Callable[[Desk, EntryRequest, Instant], Verdict]
    binds: tuple[Act, ...]
    reopens: str
    why: str


def daily_stop_is_untouched(desk: Desk, entry: EntryRequest, now: Instant) -> Verdict:
    """Close for the rest of the trading day once the drawdown reached its limit; a first reading awaits a second.

    It also closes while the loss limits of the trader's firm leave nothing (SPEC 5.9).
    """
    if not desk.day.is_stopped:
        awaited = _second_reading(desk)
        return firm_has_room(desk, now) if awaited.is_open else awaited
    ends_at = day_end(desk.day.trading_day, desk.rules.day_roll)
    return closed(
        "daily_stop",
        desk.day.daily_stop_reason or "",
        ends_at,
        lock="DAILY STOP",
        stopped_at=desk.day.daily_stop_at,
        limit_pct=desk.rules.daily_stop_limit_pct,
    )


def _second_reading(desk: Desk) -> Verdict:
    awaited = desk.day.books.awaited
    if awaited is None:
        return OPEN
    detail = f"a first reading shows a loss of {awaited.loss:.2f} USD, at the limit; a second reading is awaited"
    return closed("daily_stop_awaited", detail, loss=awaited.loss, since=awaited.since)


def trades_are_left(desk: Desk, entry: EntryRequest, now: Instant) -> Verdict:
    """Close for the rest of the trading day once its entries are used up. One on its way counts as used (SPEC 4).

    Generation 1 counted an entry from its first fill on.
    """
    taken = desk.day.trades_taken
    limit = desk.rules.max_trades_per_day
    if taken >= limit:
        ends_at = day_end(desk.day.trading_day, desk.rules.day_roll)
        return closed("trade_limit", f"{taken} of {limit} trades taken today", ends_at, taken=taken, limit=limit)
    on_their_way = sum(order.kind == "ENTRY" and not order.filled_qty for order in desk.orders.values())
    if desk.generation == 1 or taken + on_their_way < limit:
        return OPEN
    detail = f"{taken} of {limit} trades taken today, {on_their_way} on the way"
    return closed("trade_limit", detail, taken=taken, limit=limit, on_their_way=on_their_way)


def cooldown_is_over(desk: Desk, entry: EntryRequest, now: Instant) -> Verdict:
    """Close the desk for 180 s after any position closes."""
    ends_at = desk.locks.cooldown_until
    if ends_at is None or now >= ends_at:
        return OPEN
    return closed("cooldown", "", ends_at, lock="POST-EXIT COOLDOWN", remaining_s=seconds_until(ends_at, now))


def candle_is_unused(desk: Desk, entry: EntryRequest, now: Instant) -> Verdict:
    """Close for the rest of the 5-minute candle in which an entry was ordered."""
    length = desk.rules.candle_seconds
    ends_at = desk.locks.candle_until
    if ends_at is None or now >= ends_at:
        return OPEN
    name = f"{length // 60} MIN" if length % 60 == 0 else f"{length} S"
    return closed(
        "candle_lock",
        "one trade already used this candle",
        ends_at,
        lock=f"{name} LOCK",
        candle_seconds=length,
        remaining_s=seconds_until(ends_at, now),
    )


def no_order_is_open(desk: Desk, entry: EntryRequest, now: Instant) -> Verdict:
    """Close while an order of the asset is not yet final."""
    order = desk.open_order(entry.asset.symbol)
    if order is None:
        return OPEN
    return closed(
        "order_open",
        f"{order.kind} {order.side} {order.qty} {order.contract.symbol} is {order.status}",
        order_id=order.id,
        kind=order.kind,
        side=order.side,
        qty=order.qty,
        symbol=order.contract.symbol,
        status=order.status,
    )


def asset_is_flat(desk: Desk, entry: EntryRequest, now: Instant) -> Verdict:
    """Close while the asset has a position: no pyramiding."""
    position = entry.asset.position
    if position == 0:
        return OPEN
    side = "long" if position > 0 else "short"
    symbol = entry.asset.contract.symbol
    detail = f"{side} {abs(position)} {symbol}, no pyramiding"
    return closed("position_open", detail, position=position, symbol=symbol)


def heartbeat_is_fresh(desk: Desk, entry: EntryRequest, now: Instant) -> Verdict:
    """Close when TradingView has not been heard for the asset within 10 minutes; where the desk builds, no price."""
    heard_at = price_heard_at(desk, entry.asset)
    max_age = desk.rules.heartbeat_max_age_seconds
    if is_younger(heard_at, max_age, now):
        return OPEN
    asset = entry.asset.symbol
    if heard_at is None:
        return closed("tradingview_silent", f"no heartbeat for {asset} yet", asset=asset, max_age_seconds=max_age)
    return closed(
        "tradingview_silent",
        f"no heartbeat for {asset} within {max_age / 60:g} min",
        asset=asset,
        max_age_seconds=max_age,
        heard_at=heard_at,
    )


def tempo_token_is_ready(desk: Desk, entry: EntryRequest, now: Instant) -> Verdict:
    """Close until a 6pt brick arrives after the last entry: one entry per brick."""
    if entry.asset.tempo.ready:
        return OPEN
    if entry.asset.stack.main.at is None:
        return closed("no_tempo_token", "no 6pt brick seen yet")
    return closed("tempo_token_spent", "wait for the next 6pt brick")


def structure_agrees(desk: Desk, entry: EntryRequest, now: Instant) -> Verdict:
    """Close without a zone, against the structure, and in a free zone without a direction (SPEC 4)."""
    if entry.override:
        return OPEN
    zone = zone_of(entry.asset, now)
    if zone.kind == "NONE":
        return _without_zone(entry.asset, now)
    if zone.kind == "NORMAL" and entry.direction not in (None, zone.direction):
        return closed("against_structure", f"8pt and 12pt say {zone.direction}", zone_direction=zone.direction)
    if zone.kind == "FREE" and entry.is_attempt and entry.direction is None:
        return closed("direction_required", "8pt and 12pt disagree, choose BUY or SELL")
    return OPEN


def _without_zone(asset: Asset, now: Instant) -> Verdict:
    structure = {"8pt": asset.stack.high, "12pt": asset.stack.macro}
    missing = " and ".join(size for size, brick in structure.items() if brick.color == "neutral")
    stale = " and ".join(size for size, brick in structure.items() if brick.is_stale(now))
    if missing and stale:
        return closed(
            "no_zone", f"waiting for the first {missing} brick, {stale} is stale", missing=missing, stale=stale
        )
    if missing:
        return closed("no_zone", f"waiting for the first {missing} brick", missing=missing)
    if not stale:
        unsettled = " and ".join(uncertain_structure(asset))
        return closed("no_zone", f"the desk's {unsettled} bricks are not certain yet", unsettled=unsettled)
    return closed("no_zone", f"{stale} not renewed for too long: stale until the next brick", stale=stale)


def two_half_agrees(desk: Desk, entry: EntryRequest, now: Instant) -> Verdict:
    """Close while the 2.5pt brick opposes the direction, when that filter is switched on."""
    direction = entry.direction or zone_of(entry.asset, now).direction
    opposing = color_against(direction) if direction else None
    if desk.rules.two_half_filter and entry.asset.stack.two_half.color == opposing:
        return closed("two_half_filter", f"the last 2.5pt brick is {opposing}", color=opposing)
    return OPEN


EVERY_ACT: tuple[Act, ...] = ("market", "preorder", "intent", "scale_in")
EVERY_ENTRY: tuple[Act, ...] = ("market", "preorder", "intent")

ENTRY_GATES = (  # order = precedence; the name is what the trader reads
    Gate(
        "daily_stop",
        daily_stop_is_untouched,
        EVERY_ACT,
        "next trading day",
        "A lost day is over: revenge is not a plan.",
    ),
    Gate(
        "trade_limit",
        trades_are_left,
        EVERY_ENTRY,
        "next trading day, or an entry on its way ends unfilled",
        "More trades than planned are worse trades.",
    ),
    Gate(
        "cooldown", cooldown_is_over, EVERY_ENTRY, "countdown", "The minutes after an exit are the angriest of the day."
    ),
    Gate(
        "candle_lock",
        candle_is_unused,
        ("market", "preorder"),
        "next candle",
        "One decision a candle leaves time to make it.",
    ),
    Gate("pending_order", no_order_is_open, EVERY_ACT, "report", "An unanswered order is a position nobody knows yet."),
    Gate(
        "position", asset_is_flat, EVERY_ENTRY, "flat", "Adding is what scale-in is for; a second entry is pyramiding."
    ),
    Gate(
        "heartbeat", heartbeat_is_fresh, EVERY_ACT, "heartbeat", "Nobody should trade on a market they no longer see."
    ),
    Gate(
        "tempo", tempo_token_is_ready, ("market",), "next 6pt brick", "The market must move before it is traded again."
    ),
    Gate(
        "zone",
        structure_agrees,
        ("market",),
        "8pt or 12pt brick",
        "Trades go with the structure the trader committed to.",
    ),
    Gate(
        "two_half_filter", two_half_agrees, ("market",), "2.5pt flip", "A brick against the trade is a reason to wait."
    ),
    Gate(
        "reconcile",
        positions_agree,
        ("market", "scale_in"),
        "agreement",
        "A position that is not certain must not grow.",
    ),
    Gate(
        "account",
        balance_is_believed,
        ("market", "scale_in"),
        "fresh balance, confirmation",
        "A loss nobody can measure cannot be limited.",
    ),
    Gate(
        "risk",
        risk_fits,
        ("market", "scale_in"),
        "smaller size, less open risk",
        "A stop says how much a trade may cost; this says that it may.",
    ),
    Gate(
        "window",
        window_is_open,
        ("market", "preorder", "scale_in"),
        "its end",
        "The hours, the pause and the week were chosen with a cool head.",
    ),
    Gate(
        "bridge",
        bridge_is_connected,
        ("market", "scale_in"),
        "bridge back",
        "Real money needs somebody at the other end.",
    ),
    Gate(
        "feed",
        feed_is_whole,
        ("market", "scale_in"),
        "stream whole again",
        "A brick that never came may be the one that says no.",
    ),
)


GATES_BY_NAME = {gate.name: gate for gate in ENTRY_GATES}


def first_closed_for(act: Act, rungs: Iterable[Rung]) -> Rung | None:
    """Return the first closed rung among those that bind the act, None when all of them are open."""
    return next((rung for rung in rungs if not rung.is_open and act in GATES_BY_NAME[rung.gate].binds), None)


def first_closed(desk: Desk, entry: EntryRequest, now: Instant) -> Rung | None:
    """Return the first gate that refuses the entry, None when all are open."""
    rungs = (_rung(gate, gate.check(desk, entry, now)) for gate in ENTRY_GATES)
    return next((rung for rung in rungs if not rung.is_open), None)


def ladder(desk: Desk, entry: EntryRequest, now: Instant) -> tuple[Rung, ...]:
    """Return the current state of every gate, in order."""
    return tuple(_rung(gate, gate.check(desk, entry, now)) for gate in ENTRY_GATES)


def rung_of(name: str, verdict: Verdict) -> Rung:
    """Return the state that a verdict gives one gate."""
    return _rung(GATES_BY_NAME[name], verdict)


def _rung(gate: Gate, verdict: Verdict) -> Rung:
    why = verdict.why
    if why is None:
        return Rung(gate.name, is_open=True)
    return Rung(
        gate=gate.name,
        is_open=False,
        sentence=why.sentence,
        reopens_at=verdict.reopens_at,
        reopens=gate.reopens,
        code=why.code,
        title=why.title,
        detail=why.detail,
        facts=why.facts,
    )
