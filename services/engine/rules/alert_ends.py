"""What ends an alert: the events that do, and whether it is over by the current desk. All functions are pure."""

from __future__ import annotations

from typing import Any

from msgspec import UnsetType

from services.engine.model.alert import Alert
from services.engine.model.events import (
    AnyEvent,
    ContractChanged,
    DayRolled,
    DeskConfigured,
    OrderClaimed,
    OrderEnded,
    OrderReported,
)
from services.engine.model.feed_events import FeedFaultEnded
from services.engine.model.proof_events import (
    BridgeRefusalEnded,
    ClockAgreed,
    FillPriceProven,
    ForeignPositionAccepted,
    ForeignPositionGone,
)
from services.engine.model.state import Desk
from services.engine.model.trading_day import trading_day_of
from services.engine.rules.larger_contracts import waiting_contracts
from services.engine.rules.limits import pending_limits
from services.engine.rules.roll_week import watched
from services.engine.rules.store_doubt import open_store_doubt
from wire.types import OrderStatus


def never(alert: Alert, desk: Desk) -> bool | None:
    """Return None: an alert of a momentary fact never ends."""
    return None


def is_of_its_asset(alert: Alert, event: Any, desk: Desk) -> bool:
    return bool(event.asset == alert.asset)


def is_its_exit(alert: Alert, event: OrderEnded, desk: Desk) -> bool:
    return event.kind == "EXIT" and event.asset == alert.asset


def takes_its_exit(alert: Alert, event: OrderClaimed, desk: Desk) -> bool:
    """Return whether a bridge claimed the exit of the alert's asset."""
    order = desk.orders.get(event.order_id)
    return order is not None and order.kind == "EXIT" and order.asset == alert.asset


def always(alert: Alert, event: AnyEvent, desk: Desk) -> bool:
    return True


def nothing_is_pending(alert: Alert, event: AnyEvent, desk: Desk) -> bool:
    """Return whether no looser value waits any more."""
    return not pending_limits(desk)


def everything_is_flat(alert: Alert, event: DayRolled, desk: Desk) -> bool:
    return not _is_still_flattening(alert, desk)


def is_its_order(alert: Alert, event: OrderReported | OrderEnded, desk: Desk) -> bool:
    return _fact(alert, "order_id") == event.order_id


def is_its_symbol(alert: Alert, event: ForeignPositionGone | ForeignPositionAccepted, desk: Desk) -> bool:
    return _fact(alert, "symbol") == event.symbol


def is_its_instance(alert: Alert, event: BridgeRefusalEnded, desk: Desk) -> bool:
    return _fact(alert, "instance") == event.instance


def is_its_clock(alert: Alert, event: ClockAgreed, desk: Desk) -> bool:
    return _fact(alert, "whose") == event.whose


def is_its_contract(alert: Alert, event: ContractChanged, desk: Desk) -> bool:
    return alert.asset == event.asset and _fact(alert, "contract") == event.before


def contract_is_gone(alert: Alert, desk: Desk) -> bool | None:
    """Return whether another contract's price counts for the asset now, None for an asset that is not traded."""
    asset = desk.assets.get(alert.asset or "")
    return None if asset is None else watched(asset).symbol != _fact(alert, "contract")


def _fact(alert: Alert, name: str) -> object:
    """Return a fact of the alert; None for an alert stored before schema 3."""
    return None if isinstance(alert.facts, UnsetType) else alert.facts.get(name)


def feed_is_back(alert: Alert, desk: Desk) -> bool | None:
    """Return whether heartbeats of the asset arrive again, None for an asset that is not traded any more."""
    asset = desk.assets.get(alert.asset or "")
    return None if asset is None else not (asset.is_silent and _is_newest(alert, desk))


def is_its_fault(alert: Alert, event: FeedFaultEnded, desk: Desk) -> bool:
    """Return whether the feed's fault ended for every size."""
    return alert.asset == event.asset and _fact(alert, "fault") == event.kind and bool(feed_is_whole_again(alert, desk))


def feed_is_whole_again(alert: Alert, desk: Desk) -> bool | None:
    """Return whether the fault is over, None for an asset that is not traded any more."""
    asset = desk.assets.get(alert.asset or "")
    if asset is None:
        return None
    stands = any(fault.kind == _fact(alert, "fault") for fault in asset.feed.faults)
    return not (stands and _is_newest_about(alert, desk))


def _is_newest_about(alert: Alert, desk: Desk) -> bool:
    """Return whether no later alert tells of the same fault of the same asset."""
    about = _fact(alert, "about")
    alike = (other for other in desk.alerts if other.code == alert.code and _fact(other, "about") == about)
    return all(other.at <= alert.at for other in alike)


def bridge_is_back(alert: Alert, desk: Desk) -> bool:
    return not (desk.bridge_is_silent and _is_newest(alert, desk))


def trade_is_closed(alert: Alert, desk: Desk) -> bool | None:
    """Return whether the trade of that time is closed, None for an asset that is not traded any more."""
    asset = desk.assets.get(alert.asset or "")
    return None if asset is None else asset.trade is None or asset.trade.opened_at > alert.at


def exit_is_taken(alert: Alert, desk: Desk) -> bool:
    return not any(
        order.kind == "EXIT" and order.status is OrderStatus.PENDING and order.created_at <= alert.at
        for order in desk.orders.values()
        if order.asset == alert.asset
    )


def order_has_moved(alert: Alert, desk: Desk) -> bool:
    """Return whether a report of the order has come, or it has ended."""
    order = desk.orders.get(str(_fact(alert, "order_id")))
    return order is None or order.reported_at is not None


def order_has_ended(alert: Alert, desk: Desk) -> bool:
    """Return whether the fate of the order is known, or it has ended."""
    order = desk.orders.get(str(_fact(alert, "order_id")))
    return order is None or order.fate_unknown_at is None


def is_its_price(alert: Alert, event: FillPriceProven, desk: Desk) -> bool:
    return alert.asset == event.asset and _fact(alert, "price") == float(event.price)


def fill_price_is_settled(alert: Alert, event: DayRolled, desk: Desk) -> bool:
    return fill_price_is_proven(alert, desk)


def fill_price_is_proven(alert: Alert, desk: Desk) -> bool:
    """Return whether the price of the fill is no longer doubted."""
    asset = desk.assets.get(alert.asset or "")
    doubted = () if asset is None else asset.suspect_fills
    return not any(float(fill.price) == _fact(alert, "price") and fill.at == alert.at for fill in doubted)


def foreign_position_is_gone(alert: Alert, desk: Desk) -> bool:
    """Return whether the position is gone, or the operator has accepted it."""
    symbol = _fact(alert, "symbol")
    return not any(held.symbol == symbol and not held.accepted for held in desk.foreign)


def second_bridge_is_gone(alert: Alert, desk: Desk) -> bool:
    return desk.refused_bridge != _fact(alert, "instance")


def clock_agrees(alert: Alert, desk: Desk) -> bool:
    return not (_fact(alert, "whose") in desk.clocks_off and _is_newest_of_clock(alert, desk))


def _is_newest_of_clock(alert: Alert, desk: Desk) -> bool:
    """Return whether no later alert tells of the same clock."""
    whose = _fact(alert, "whose")
    alike = (other for other in desk.alerts if other.code == alert.code and _fact(other, "whose") == whose)
    return all(other.at <= alert.at for other in alike)


def stop_is_found(alert: Alert, desk: Desk) -> bool | None:
    """Return whether the position has a stop again, None for an asset that is not traded any more."""
    asset = desk.assets.get(alert.asset or "")
    return None if asset is None else not (asset.lacks_stop and _is_newest(alert, desk))


def positions_agree(alert: Alert, desk: Desk) -> bool | None:
    """Return whether broker and desk agree, None when another disagreement than the alert's is open."""
    asset = desk.assets.get(alert.asset or "")
    if asset is None:
        return None
    if asset.disagreement is None:
        return True
    return False if asset.disagreement.since == alert.at else None


def balance_is_explained(alert: Alert, desk: Desk) -> bool:
    """Return whether the balance of the alert is no longer suspect."""
    suspicions = (desk.live.beliefs.suspicion, desk.live.other_beliefs.suspicion)
    return not any(suspicion is not None and suspicion.since == alert.at for suspicion in suspicions)


def nothing_waits(alert: Alert, desk: Desk) -> bool:
    return _is_of_an_earlier_day(alert, desk) or not pending_limits(desk)


def store_is_confirmed(alert: Alert, desk: Desk) -> bool:
    """Return whether the doubt of the alert is over."""
    doubt = open_store_doubt(desk)
    return doubt is None or doubt.since != alert.at


def no_contract_waits(alert: Alert, desk: Desk) -> bool:
    return _is_of_an_earlier_day(alert, desk) or not waiting_contracts(desk)


def no_contract_waits_now(alert: Alert, event: DeskConfigured, desk: Desk) -> bool:
    return not waiting_contracts(desk)


def day_is_over(alert: Alert, desk: Desk) -> bool:
    return _is_of_an_earlier_day(alert, desk)


def stopped_day_is_over(alert: Alert, desk: Desk) -> bool:
    return _is_of_an_earlier_day(alert, desk) and not _is_still_flattening(alert, desk)


def _is_newest(alert: Alert, desk: Desk) -> bool:
    """Return whether no newer alert has this code and asset. A silence raises one alert, so an older one has ended."""
    alike = (other for other in desk.alerts if (other.code, other.asset) == (alert.code, alert.asset))
    return all(other.at <= alert.at for other in alike)


def _is_still_flattening(alert: Alert, desk: Desk) -> bool:
    """Return whether a trade is still open that the daily stop has to flatten (SPEC 7.3)."""
    trades = (asset.trade for asset in desk.assets.values() if asset.trade is not None)
    return any(trade.opened_at <= alert.at for trade in trades)


def _is_of_an_earlier_day(alert: Alert, desk: Desk) -> bool:
    return trading_day_of(alert.at, desk.rules.day_roll) < desk.day.trading_day
