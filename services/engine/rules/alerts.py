"""Whether what an alert tells of is over, and since when (pure; ``docs/reference/rules.md``, "When an alert is over").

The events that end it name the instant. They are remembered for as long as the process lives; what they do not tell,
the desk as it stands may, without the instant. An alert of something that does not last is never over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from services.engine.model.events import (
    AlertRaised,
    AnyEvent,
    DayRolled,
    FeedReturned,
    OrderClaimed,
    OrderEnded,
    PositionAgreed,
    TradeClosed,
)
from services.engine.model.state import Alert, Desk
from services.engine.model.trading_day import trading_day_of
from services.engine.rules.limits import pending_limits
from wire.types import Instant, OrderStatus

AlertKey = tuple[str, str | None, Instant]  # code, asset, raised at
Ends = Mapping[AlertKey, Instant]
NO_ENDS: Ends = MappingProxyType({})
ENDING = FeedReturned | PositionAgreed | TradeClosed | OrderClaimed | OrderEnded | DayRolled
OF_THE_DAY = ("daily_warning", "daily_stop", "limits_pending")


def key_of(alert: Alert) -> AlertKey:
    return alert.code, alert.asset, alert.at


def still_listed(ends: Ends, desk: Desk) -> Ends:
    """Return the ends of the alerts that the desk still lists."""
    return {key: ends[key] for key in map(key_of, desk.alerts) if key in ends}


def ends_after(known: Ends, desk: Desk, told: Iterable[tuple[Instant, AnyEvent]]) -> Ends:
    """Return when alerts of the desk ended: what was known, and what these events tell, oldest first.

    Their order counts, not their instants: what one decision does all happens at once. But a disagreement that the
    desk settles by following the broker is told when it is over already.
    """
    told = list(told)
    ends = dict(still_listed(known, desk))
    to_come = {key_of(event.alert) for _, event in told if isinstance(event, AlertRaised)}
    for at, event in told:
        if isinstance(event, AlertRaised):
            to_come.discard(key_of(event.alert))
        ended = _ended_by(event, desk)
        for alert in desk.alerts if ended else ():
            is_raised = key_of(alert) not in to_come or (alert.code == "reconcile" and alert.at == at)
            if is_raised and (alert.code, alert.asset) in ended and not _is_still_flattening(alert, desk):
                ends.setdefault(key_of(alert), at)
    return ends


def _ended_by(event: AnyEvent, desk: Desk) -> tuple[tuple[str, str | None], ...]:
    """Return the codes and assets of the alerts that an event ends."""
    match event:
        case FeedReturned(asset=asset):
            return (("bridge_silent" if asset is None else "tradingview_silent", asset),)
        case PositionAgreed(asset=asset):
            return (("reconcile", asset),)
        case TradeClosed(asset=asset):
            return (("exit_refused", asset),)
        case OrderEnded(asset=asset, kind="EXIT"):
            return (("exit_unclaimed", asset),)
        case OrderClaimed(order_id=order_id):
            order = desk.orders.get(order_id)
            return (("exit_unclaimed", order.asset),) if order is not None and order.kind == "EXIT" else ()
        case DayRolled():
            return tuple((code, None) for code in OF_THE_DAY)
        case _:
            return ()


def is_over(alert: Alert, desk: Desk, ends: Ends) -> bool | None:
    """Tell whether what the alert is about has ended; None when it does not last, or nobody can tell."""
    if key_of(alert) in ends:
        return True
    match alert.code:
        case "bridge_silent":
            return not (desk.bridge_is_silent and _is_newest(alert, desk))
        case "exit_unclaimed":
            return not _waits_unclaimed(alert, desk)
        case "limits_pending":
            return _is_of_an_earlier_day(alert, desk) or not pending_limits(desk)
        case "daily_warning" | "daily_stop":
            return _is_of_an_earlier_day(alert, desk) and not _is_still_flattening(alert, desk)
        case "tradingview_silent" | "exit_refused" | "reconcile":
            return _is_over_for_its_asset(alert, desk)
        case _:
            return None


def _is_over_for_its_asset(alert: Alert, desk: Desk) -> bool | None:
    asset = desk.assets.get(alert.asset or "")
    if asset is None:
        return None
    if alert.code == "tradingview_silent":
        return not (asset.is_silent and _is_newest(alert, desk))
    if alert.code == "exit_refused":
        return asset.trade is None or asset.trade.opened_at > alert.at
    if asset.disagreement is None:
        return True
    return False if asset.disagreement.since == alert.at else None  # this one's, or one of before: not to be told


def _is_newest(alert: Alert, desk: Desk) -> bool:
    """Silence is told once each time it begins, so an older alert's has ended."""
    alike = (other for other in desk.alerts if (other.code, other.asset) == (alert.code, alert.asset))
    return all(other.at <= alert.at for other in alike)


def _waits_unclaimed(alert: Alert, desk: Desk) -> bool:
    return any(
        order.kind == "EXIT" and order.status is OrderStatus.PENDING and order.created_at <= alert.at
        for order in desk.orders.values()
        if order.asset == alert.asset
    )


def _is_still_flattening(alert: Alert, desk: Desk) -> bool:
    """Tell whether a trade stands that a daily stop said it would take out (SPEC 7.3)."""
    trades = (asset.trade for asset in desk.assets.values() if asset.trade is not None)
    return alert.code == "daily_stop" and any(trade.opened_at <= alert.at for trade in trades)


def _is_of_an_earlier_day(alert: Alert, desk: Desk) -> bool:
    return trading_day_of(alert.at, desk.rules.day_roll) < desk.day.trading_day
