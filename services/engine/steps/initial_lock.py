"""End the initial exit lock of a trade that has seen no 6pt brick for 10 minutes (SPEC 5.3)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.events import InitialExitLockReleased
from services.engine.rules.initial_lock import is_initially_locked
from services.engine.transition import Transition


def release_initial_locks(transition: Transition) -> None:
    """Release the locks whose time is over. What the operator armed inside is no longer a forced exit from then on."""
    for symbol in transition.desk.assets:
        asset = transition.asset(symbol)
        trade = asset.trade
        if trade is None or not trade.initial_exit_locked:
            continue
        if not is_initially_locked(transition.desk, trade, transition.now):
            transition.put_asset(replace(asset, trade=replace(trade, initial_exit_locked=False)))
            transition.record(InitialExitLockReleased(symbol))
