"""Generation 1: compare positions; a contract that a snapshot does not list is flat."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from services.engine.model.bridge_commands import BrokerPosition, TakeSnapshot
from services.engine.model.events import PositionAgreed, PositionDisagreed
from services.engine.model.evidence import Disagreement
from services.engine.model.state import Asset
from services.engine.model.trade_events import TradeResized
from services.engine.steps.trades import adopt, mark_to_market, reduce_position
from services.engine.transition import Transition
from wire.types import Price

PERSISTS_FOR = timedelta(seconds=2)


def compare_positions(transition: Transition, snapshot: TakeSnapshot) -> None:
    """Compare every asset. A contract that the broker does not list is flat.

    While an order is open, a difference proves nothing: a fill may not be reported yet. It only restarts a disagreement
    that is known already. So the two snapshots that decide are consecutive ones without an open order.
    """
    for symbol, asset in transition.desk.assets.items():
        broker = broker_position(asset, snapshot)
        if broker.position == asset.position:
            _agree(transition, asset)
        elif transition.desk.open_order(symbol) is None:
            _disagree(transition, asset, broker)
        elif asset.disagreement is not None:
            _note_disagreement(transition, asset, broker)


def broker_position(asset: Asset, snapshot: TakeSnapshot) -> BrokerPosition:
    """Return the broker's position in the open trade's contract, or in the current contract without a trade."""
    contract = asset.trade.contract if asset.trade else asset.contract
    listed = (position for position in snapshot.positions if position.symbol == contract.symbol)
    return next(listed, BrokerPosition(contract.symbol, 0))


def _agree(transition: Transition, asset: Asset) -> None:
    if asset.disagreement is not None:
        transition.put_asset(replace(asset, disagreement=None))
        transition.record(PositionAgreed(asset.symbol))


def _disagree(transition: Transition, asset: Asset, broker: BrokerPosition) -> None:
    known = asset.disagreement
    if known is None or known.broker_position != broker.position:
        _note_disagreement(transition, asset, broker)
    elif transition.now >= known.since + PERSISTS_FOR:
        _follow_broker(transition, replace(asset, disagreement=None), broker)


def _note_disagreement(transition: Transition, asset: Asset, broker: BrokerPosition) -> None:
    transition.put_asset(replace(asset, disagreement=Disagreement(broker.position, transition.now)))
    transition.record(PositionDisagreed(asset.symbol, broker.position, asset.position))


def _follow_broker(transition: Transition, asset: Asset, broker: BrokerPosition) -> None:
    """Change the desk's position to the broker's, and raise an alert."""
    transition.put_asset(asset)
    held = asset.position
    price = _last_known_price(asset, broker)
    if price is None:
        detail = f"the broker holds {broker.position} {broker.symbol}, no price is known to book it"
        _note_disagreement(transition, asset, broker)
        transition.alert("reconcile", detail, asset.symbol, _facts(asset, broker, followed=False))
        return
    transition.record(PositionAgreed(asset.symbol))
    if held and held * broker.position <= 0:  # the broker is flat or on the other side: close the trade first
        reduce_position(transition, asset, abs(held), price, "BROKER_FLAT")
        held = 0
    if broker.position and held:
        _resize(transition, asset, abs(broker.position), price)
    elif broker.position:
        adopt(transition, transition.asset(asset.symbol), broker.position, broker.avg_price or price)
    transition.alert(
        "reconcile",
        f"the desk held {asset.position} {broker.symbol}, the broker {broker.position}: followed the broker",
        asset.symbol,
        _facts(asset, broker, followed=True),
        None if broker.position else "warning",
    )


def _facts(asset: Asset, broker: BrokerPosition, *, followed: bool) -> dict[str, str | int]:
    """Return the facts of the alert: both positions as they were before the desk followed."""
    positions = {"desk_position": asset.position, "broker_position": broker.position}
    return {**positions, "symbol": broker.symbol, "followed": followed}


def _last_known_price(asset: Asset, broker: BrokerPosition) -> Price | None:
    entry_price = asset.trade.entry_price if asset.trade else None
    return broker.last_fill_price or asset.live.last_price or broker.avg_price or entry_price


def _resize(transition: Transition, asset: Asset, quantity: int, price: Price) -> None:
    trade = asset.trade
    if trade is None:
        return
    change = quantity - trade.quantity
    if change < 0:
        reduce_position(transition, asset, -change, price, "BROKER_FLAT")
    else:
        grown = replace(
            trade,
            quantity=quantity,
            entered_quantity=trade.entered_quantity + change,
            entry_notional=trade.entry_notional + price * change,
        )
        transition.put_asset(mark_to_market(replace(asset, trade=grown)))
    transition.record(TradeResized(asset.symbol, quantity))
