"""Larger contracts and more assets of new settings come with a trading day that is 8 h away (SPEC 5.8, 5.9)."""

from __future__ import annotations

from collections.abc import Container, Mapping

from services.engine.model.events import DeskConfigured
from services.engine.model.state import Asset, Desk
from services.engine.rules.larger_contracts import waiting_contracts
from services.engine.steps.proposals import withdraw_without_contract
from services.engine.steps.units import report_changed_units, with_contract
from services.engine.transition import Transition
from wire.types import Contract


def busy_without(desk: Desk, listed: Container[str]) -> dict[str, Asset]:
    """Return the assets that are kept although they are not listed any more.

    Those with a position or an open order; since generation 5 also those of which something awaits proof: what they
    withhold from the day's books must not become money because the asset is gone.
    """
    return {s: a for s, a in desk.assets.items() if s not in listed and _is_busy(desk, a)}


def _is_busy(desk: Desk, asset: Asset) -> bool:
    if asset.trade is not None or desk.open_order(asset.symbol) is not None:
        return True
    awaits = asset.doubt is not None or asset.disagreement is not None or bool(asset.suspect_fills or asset.unfilled)
    return desk.generation > 4 and awaits


def assets_with(known: Mapping[str, Asset], contracts: Mapping[str, Contract]) -> dict[str, Asset]:
    """Return the assets with these contracts; those that the desk does not know begin without bricks and position."""
    return {
        symbol: with_contract(known[symbol], contract) if symbol in known else Asset(symbol, contract)
        for symbol, contract in contracts.items()
    }


def tell_of_waiting_contracts(transition: Transition) -> None:
    """Raise an alert that names what waits."""
    waiting = waiting_contracts(transition.desk)
    if not waiting:
        return
    known = transition.desk.assets
    names = [
        f"{symbol} {contract.symbol}, today {known[symbol].contract.symbol}" if symbol in known else f"{symbol}, new"
        for symbol, contract in waiting.items()
    ]
    detail = f"{'; '.join(names)}: from the next trading day on that is 8 h away"
    transition.alert("contracts_pending", detail, facts={"assets": ", ".join(waiting)})


def bring_in_contracts(transition: Transition) -> None:
    """Give the assets the contracts of the rules that have come into force. A trade keeps its own."""
    known = transition.desk.assets
    contracts = transition.desk.rules.contracts
    if not known or all(symbol in known and known[symbol].contract == one for symbol, one in contracts.items()):
        return
    busy = busy_without(transition.desk, contracts)
    assets = {**busy, **assets_with(known, contracts)}
    transition.change_desk(assets=assets)
    withdraw_without_contract(transition, known, contracts)
    transition.record(DeskConfigured(tuple(assets)))
    report_changed_units(transition, known)
