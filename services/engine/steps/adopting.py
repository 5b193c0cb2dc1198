"""What becomes of a position that the desk adopts (SPEC 8.4): kept, or taken out while the day forbids entries."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from services.engine.model.state import Desk
from services.engine.rules.gates import cooldown_is_over, daily_stop_is_untouched, trades_are_left
from services.engine.rules.limits import adopting
from services.engine.rules.verdicts import EntryRequest, Verdict
from services.engine.rules.window_gate import window_is_open
from services.engine.steps.exits import demand_exit
from services.engine.steps.unfilled import is_late_fill
from services.engine.transition import Transition
from wire.types import Instant

SOURCE = "adopted"
NOT_KNOWN = frozenset({"session_unknown", "news_unknown", "daily_stop_awaited"})
"""Codes by which a gate is closed because something is unknown, or read once: they take nothing out (SPEC 1)."""
GATES: tuple[tuple[str, Callable[[Desk, EntryRequest, Instant], Verdict]], ...] = (
    ("daily_stop", daily_stop_is_untouched),
    ("trade_limit", trades_are_left),
    ("cooldown", cooldown_is_over),
    ("window", window_is_open),
)


def gate_against(transition: Transition, symbol: str, contract: str, position: int) -> str | None:
    """Return the closed gate because of which a position that appears now is taken out; None when it is kept.

    Ask before the position is booked: it takes a slot itself, and what it replaces starts the cooldown.
    """
    if not position or adopting(transition.desk) == "keep" or is_late_fill(transition, symbol, contract, position):
        return None
    request = EntryRequest(transition.asset(symbol), "BUY" if position > 0 else "SELL")
    verdicts = ((name, is_shut(transition.desk, request, transition.now).why) for name, is_shut in GATES)
    told = transition.desk.generation > 4
    return next((name for name, why in verdicts if why is not None and not (told and why.code in NOT_KNOWN)), None)


def take_out(transition: Transition, symbol: str, gate: str) -> None:
    """Take the adopted position out, and raise an alert."""
    asset = transition.asset(symbol)
    held = asset.position
    contract = asset.contract.symbol if asset.trade is None else asset.trade.contract.symbol
    detail = f"the broker opened {held} {contract} while {gate} is closed (ADOPT=flatten)"
    facts = {"position": held, "symbol": contract, "gate": gate}
    transition.alert("adopted_taken_out", detail, symbol, facts)
    demand_exit(transition, symbol, SOURCE)


def take_out_later(transition: Transition, symbol: str, gate: str) -> None:
    """Mark the position that a single fill has opened: one reading takes nothing out, the next snapshot decides."""
    asset = transition.asset(symbol)
    if asset.trade is not None:
        transition.put_asset(replace(asset, trade=replace(asset.trade, opened_against=gate)))


def take_out_proven(transition: Transition, symbol: str) -> None:
    """Take out what a fill opened against a closed gate, now that a snapshot shows it, too."""
    asset = transition.asset(symbol)
    if asset.trade is None or asset.trade.opened_against is None:
        return
    gate = asset.trade.opened_against
    transition.put_asset(replace(asset, trade=replace(asset.trade, opened_against=None)))
    take_out(transition, symbol, gate)
