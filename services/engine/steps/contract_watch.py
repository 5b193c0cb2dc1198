"""Watch the contract of each asset: warn before its roll, and forget prices that were those of another (SPEC 2, 3)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.events import ContractChanged
from services.engine.model.evidence import RollWarned
from services.engine.model.price_readings import PriceWatch
from services.engine.model.state import Asset
from services.engine.rules.contract_life import is_later, stage_of
from services.engine.rules.roll_week import delivery_of, watched
from services.engine.transition import Transition
from wire.types import Contract


def watch_contracts(transition: Transition) -> None:
    """Record a change of the contract whose price counts, and warn once of each stage before and after its roll."""
    for symbol in list(transition.desk.assets):
        asset = transition.asset(symbol)
        contract = watched(asset)
        known = asset.live.contract
        if known is None:
            transition.put_asset(replace(asset, live=replace(asset.live, contract=contract.symbol)))
        elif known != contract.symbol:
            _change(transition, asset, known, contract)
        _warn(transition, transition.asset(symbol), contract)


def _change(transition: Transition, asset: Asset, before: str, contract: Contract) -> None:
    """Begin the prices of another contract. A micro contract has the prices of its full-size sister."""
    live = replace(asset.live, contract=contract.symbol)
    if delivery_of(before) != delivery_of(contract.symbol):
        live = replace(live, last_price=None, price_at=None, price_simulated=None)
        live = replace(live, watch=PriceWatch(), own=None, difference=None)
    transition.put_asset(replace(asset, live=live))
    transition.record(ContractChanged(asset.symbol, before, contract.symbol))


def _warn(transition: Transition, asset: Asset, contract: Contract) -> None:
    stage = stage_of(contract, transition.now)
    dates = contract.dates
    warned = asset.roll_warned
    told = warned.stage if warned is not None and warned.contract == contract.symbol else None
    if stage is None or dates is None or not is_later(stage, told):
        return
    transition.put_asset(replace(asset, roll_warned=RollWarned(contract.symbol, stage)))
    held = f"; {abs(asset.position)} held, closed in {contract.symbol}" if asset.position else ""
    ends = f"{dates.last_trade:%Y-%m-%d}"
    rolls = f"{contract.symbol} rolls to {dates.next_contract}"
    facts = {
        "contract": contract.symbol,
        "rolls_on": dates.rolls_on,
        "last_trade": dates.last_trade,
        "next_contract": dates.next_contract,
        "position": asset.position,
    }
    if stage == "soon":
        detail = f"{rolls} on {dates.rolls_on}, it ends on {ends}{held}"
        transition.alert("contract_rolls_soon", detail, asset.symbol, facts)
    elif stage == "today":
        transition.alert("contract_rolls", f"{rolls}, it ends on {ends}{held}", asset.symbol, facts)
    else:
        detail = f"trading in {contract.symbol} ended on {ends}, no entry{held}"
        transition.alert("contract_expired", detail, asset.symbol, facts)
