"""The price of a point changes by a restart with another setting, or with a newer program (SPEC 2)."""

from __future__ import annotations

from msgspec.structs import replace

from services.engine.model.bricks import BrickStream, Stack
from services.engine.model.events import UnitChanged
from services.engine.model.feed import Feed, FeedPulse
from services.engine.model.state import Asset, Tempo
from services.engine.transition import Transition
from wire.types import Contract


def with_contract(asset: Asset, contract: Contract) -> Asset:
    """Return the asset with the contract of the settings. With another unit its bricks are not those of before.

    No brick of the new unit was heard, so there is no colour, no zone and no tempo token. An open trade keeps the
    contract, and so the unit, that it was opened with.
    """
    known = replace(asset, contract=contract)
    if contract.point == asset.contract.point:
        return known
    live = replace(asset.live, one=BrickStream(), feed=FeedPulse())
    return replace(known, stack=Stack(), tempo=Tempo(), feed=Feed(), live=live)


def report_changed_units(transition: Transition, before: dict[str, Asset]) -> None:
    """Record and alert each asset whose unit is another than it was."""
    for symbol, asset in transition.desk.assets.items():
        was = before[symbol].contract.point if symbol in before else asset.contract.point
        now = asset.contract.point
        if was == now:
            continue
        transition.record(UnitChanged(symbol, was, now))
        detail = f"A point of {symbol} is {now:f} of price, it was {was:f}: stop, target and bricks are counted anew"
        if asset.trade is not None:
            detail += "; the open trade keeps what it was opened with"
        transition.alert("unit_changed", detail, symbol, {"was": was, "now": now})
