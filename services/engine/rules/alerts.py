"""The table of all alerts: title, level, what ends each, and which notice sends it. All functions are pure.

An event that ends an alert gives the instant of the end. These instants are kept in memory only. When they are
missing, the state of the desk may still show that an alert is over, but not since when. An alert of a momentary fact
never ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct, UnsetType

from services.engine.model.events import (
    AlertRaised,
    AnyEvent,
    BalanceExplained,
    BridgeRefusalEnded,
    DayRolled,
    FeedReturned,
    ForeignPositionAccepted,
    ForeignPositionGone,
    OrderClaimed,
    OrderEnded,
    OrderReported,
    PositionAgreed,
    StopFound,
    TradeClosed,
)
from services.engine.model.state import Alert, AlertLevel, Desk
from services.engine.model.trading_day import trading_day_of
from services.engine.model.wording import Explanation, Facts, parts_of, sentence_of
from services.engine.rules.limits import pending_limits
from wire.types import Instant, OrderStatus

Ending = Callable[[Alert, Any, Desk], bool]  # does this event end the alert?
IsOver = Callable[[Alert, Desk], bool | None]  # None: unknown


def _never(alert: Alert, desk: Desk) -> bool | None:
    """Return None: an alert of a momentary fact never ends."""
    return None


# -- what ends an alert --------------------------------------------------------------------------------------------


def _is_of_its_asset(alert: Alert, event: Any, desk: Desk) -> bool:
    return bool(event.asset == alert.asset)


def _is_its_exit(alert: Alert, event: OrderEnded, desk: Desk) -> bool:
    return event.kind == "EXIT" and event.asset == alert.asset


def _takes_its_exit(alert: Alert, event: OrderClaimed, desk: Desk) -> bool:
    order = desk.orders.get(event.order_id)
    return order is not None and order.kind == "EXIT" and order.asset == alert.asset


def _always(alert: Alert, event: AnyEvent, desk: Desk) -> bool:
    return True


def _everything_is_flat(alert: Alert, event: DayRolled, desk: Desk) -> bool:
    return not _is_still_flattening(alert, desk)


def _is_its_order(alert: Alert, event: OrderReported | OrderEnded, desk: Desk) -> bool:
    return _fact(alert, "order_id") == event.order_id


def _is_its_symbol(alert: Alert, event: ForeignPositionGone | ForeignPositionAccepted, desk: Desk) -> bool:
    return _fact(alert, "symbol") == event.symbol


def _is_its_instance(alert: Alert, event: BridgeRefusalEnded, desk: Desk) -> bool:
    return _fact(alert, "instance") == event.instance


def _fact(alert: Alert, name: str) -> object:
    """Return a fact of the alert; None for an alert stored before schema 3."""
    return None if isinstance(alert.facts, UnsetType) else alert.facts.get(name)


# -- whether an alert is over, judged by the current desk ----------------------------------------------------------


def _feed_is_back(alert: Alert, desk: Desk) -> bool | None:
    asset = desk.assets.get(alert.asset or "")
    return None if asset is None else not (asset.is_silent and _is_newest(alert, desk))


def _bridge_is_back(alert: Alert, desk: Desk) -> bool:
    return not (desk.bridge_is_silent and _is_newest(alert, desk))


def _trade_is_closed(alert: Alert, desk: Desk) -> bool | None:
    asset = desk.assets.get(alert.asset or "")
    return None if asset is None else asset.trade is None or asset.trade.opened_at > alert.at


def _exit_is_taken(alert: Alert, desk: Desk) -> bool:
    return not any(
        order.kind == "EXIT" and order.status is OrderStatus.PENDING and order.created_at <= alert.at
        for order in desk.orders.values()
        if order.asset == alert.asset
    )


def _order_has_moved(alert: Alert, desk: Desk) -> bool:
    order = desk.orders.get(str(_fact(alert, "order_id")))
    return order is None or order.reported_at is not None


def _order_has_ended(alert: Alert, desk: Desk) -> bool:
    order = desk.orders.get(str(_fact(alert, "order_id")))
    return order is None or order.fate_unknown_at is None


def _foreign_position_is_gone(alert: Alert, desk: Desk) -> bool:
    symbol = _fact(alert, "symbol")
    return not any(held.symbol == symbol and not held.accepted for held in desk.foreign)


def _second_bridge_is_gone(alert: Alert, desk: Desk) -> bool:
    return desk.refused_bridge != _fact(alert, "instance")


def _stop_is_found(alert: Alert, desk: Desk) -> bool | None:
    asset = desk.assets.get(alert.asset or "")
    return None if asset is None else not (asset.lacks_stop and _is_newest(alert, desk))


def _positions_agree(alert: Alert, desk: Desk) -> bool | None:
    """Return whether broker and desk agree, None when another disagreement than the alert's is open."""
    asset = desk.assets.get(alert.asset or "")
    if asset is None:
        return None
    if asset.disagreement is None:
        return True
    return False if asset.disagreement.since == alert.at else None


def _balance_is_explained(alert: Alert, desk: Desk) -> bool:
    suspicions = (desk.live.beliefs.suspicion, desk.live.other_beliefs.suspicion)
    return not any(suspicion is not None and suspicion.since == alert.at for suspicion in suspicions)


def _nothing_waits(alert: Alert, desk: Desk) -> bool:
    return _is_of_an_earlier_day(alert, desk) or not pending_limits(desk)


def _day_is_over(alert: Alert, desk: Desk) -> bool:
    return _is_of_an_earlier_day(alert, desk)


def _stopped_day_is_over(alert: Alert, desk: Desk) -> bool:
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


# -- the table -----------------------------------------------------------------------------------------------------


class AlertRule(Struct, frozen=True):
    """One alert: its title (a format of its facts), its possible levels, the usual one first, and how it ends.

    ``notice`` is the kind of notice that sends it to a person, None for an alert that is only shown. ``is_led`` is
    true when the sentence begins with the title. ``may_end_first`` is true when the event that ends it may come before
    the alert in the same decision.
    """

    code: str
    title: str
    levels: tuple[AlertLevel, ...]
    notice: str | None
    ends: str = "it does not last"
    ended_by: Mapping[type[AnyEvent], Ending] = MappingProxyType({})
    is_over: IsOver = _never
    is_led: bool = True
    may_end_first: bool = False


TABLE = (
    AlertRule(
        code="daily_stop",
        title="DAILY STOP",
        levels=("critical",),
        notice="daily_stop",
        ends="the trading day has rolled, and every trade it had to flatten is closed",
        ended_by={DayRolled: _everything_is_flat},
        is_over=_stopped_day_is_over,
    ),
    AlertRule(
        code="daily_warning",
        title="{mark_pct} % OF THE DAILY STOP",
        levels=("warning",),
        notice="daily_warning",
        ends="the trading day rolls",
        ended_by={DayRolled: _always},
        is_over=_day_is_over,
    ),
    AlertRule(
        code="exit_refused",
        title="EXIT REFUSED",
        levels=("critical",),
        notice="exit_refused",
        ends="the trade that was to be left is closed",
        ended_by={TradeClosed: _is_of_its_asset},
        is_over=_trade_is_closed,
    ),
    AlertRule(
        code="exit_unclaimed",
        title="EXIT UNCLAIMED",
        levels=("critical",),
        notice="exit_unclaimed",
        ends="a bridge took the exit, or it ended",
        ended_by={OrderClaimed: _takes_its_exit, OrderEnded: _is_its_exit},
        is_over=_exit_is_taken,
    ),
    AlertRule(
        code="bridge_silent",
        title="BRIDGE SILENT",
        levels=("critical",),
        notice="bridge_silent",
        ends="the bridge is heard again",
        ended_by={FeedReturned: _is_of_its_asset},
        is_over=_bridge_is_back,
    ),
    AlertRule(
        code="tradingview_silent",
        title="TRADINGVIEW SILENT",
        levels=("warning",),
        notice="tradingview_silent",
        ends="heartbeats of the asset arrive again",
        ended_by={FeedReturned: _is_of_its_asset},
        is_over=_feed_is_back,
    ),
    AlertRule(
        code="reconcile",
        title="RECONCILE",
        levels=("critical", "warning"),
        notice="reconciliation",
        ends="broker and desk hold the same; at once where the desk followed the broker",
        ended_by={PositionAgreed: _is_of_its_asset},
        is_over=_positions_agree,
        may_end_first=True,
    ),
    AlertRule(
        code="limits_pending",
        title="LOOSER SETTINGS WAIT",
        levels=("info",),
        notice=None,
        ends="the trading day rolls, or nothing waits any more",
        ended_by={DayRolled: _always},
        is_over=_nothing_waits,
    ),
    AlertRule(
        code="order_unreported",
        title="ORDER UNREPORTED",
        levels=("critical",),
        notice="alert",
        ends="a report came, or the order ended",
        ended_by={OrderReported: _is_its_order, OrderEnded: _is_its_order},
        is_over=_order_has_moved,
    ),
    AlertRule(
        code="order_fate_unknown",
        title="ORDER OF UNKNOWN FATE",
        levels=("critical",),
        notice="alert",
        ends="a report came, the broker's position or the operator decided",
        ended_by={OrderReported: _is_its_order, OrderEnded: _is_its_order},
        is_over=_order_has_ended,
    ),
    AlertRule(
        code="foreign_position",
        title="FOREIGN POSITION",
        levels=("critical",),
        notice="alert",
        ends="the broker no longer holds it, or the operator accepted it",
        ended_by={ForeignPositionGone: _is_its_symbol, ForeignPositionAccepted: _is_its_symbol},
        is_over=_foreign_position_is_gone,
    ),
    AlertRule(
        code="owner_taken",
        title="SECOND BRIDGE",
        levels=("critical",),
        notice="alert",
        ends="the second bridge claims now, or it has not asked for 60 s",
        ended_by={BridgeRefusalEnded: _is_its_instance},
        is_over=_second_bridge_is_gone,
    ),
    AlertRule(
        code="stop_missing",
        title="NO STOP AT THE BROKER",
        levels=("critical",),
        notice="alert",
        ends="the bridge says that a stop rests, or the position is closed",
        ended_by={StopFound: _is_of_its_asset},
        is_over=_stop_is_found,
    ),
    AlertRule("two_bridges", "TWO BRIDGES", ("critical",), "alert"),
    AlertRule(
        code="balance_suspect",
        title="BALANCE SUSPECT",
        levels=("critical",),
        notice="alert",
        ends="a later balance is explained, the operator confirmed a transfer, or the trading day rolls",
        ended_by={BalanceExplained: _always, DayRolled: _always},
        is_over=_balance_is_explained,
    ),
    AlertRule("balance_adopted", "BALANCE NOT EXPLAINED", ("warning",), "alert"),
    AlertRule("order_rejected", "ORDER REJECTED", ("warning",), "order_rejected"),
    AlertRule("entry_expired", "{order} EXPIRED", ("warning",), "entry_expired"),
    AlertRule("overfill", "OVERFILL", ("critical",), "alert"),
    AlertRule("late_fill", "LATE FILL", ("critical",), "alert"),
    AlertRule("wrong_symbol", "REPORT OF ANOTHER CONTRACT", ("critical",), "alert"),
    AlertRule("wrong_side", "REPORT OF ANOTHER SIDE", ("critical",), "alert"),
    AlertRule("report_refused", "REPORT REFUSED", ("warning",), "alert"),
    AlertRule("broker_fill", "FILL AT THE BROKER", ("critical",), "alert"),
    AlertRule("fill_refused", "FILL REFUSED", ("critical",), "alert"),
    AlertRule("fill_without_price", "FILL WITHOUT A PRICE", ("critical",), "alert"),
    AlertRule("report_conflict", "CONFLICTING REPORT", ("critical",), "alert"),
    AlertRule("writer_lost", "WRITER LOST", ("warning",), "alert", is_led=False),
)
ALERTS: Mapping[str, AlertRule] = MappingProxyType({rule.code: rule for rule in TABLE})


def new_alert(at: Instant, code: str, detail: str, asset: str | None, facts: Facts, level: AlertLevel | None) -> Alert:
    """Build an alert from its row, with the usual level unless ``level`` is given. Raises KeyError without a row."""
    rule = ALERTS[code]
    sentence = sentence_of(rule.title.format_map(facts) if rule.is_led else "", detail)
    return Alert(at, code, level or rule.levels[0], sentence, asset, facts)


def explanation_of(alert: Alert) -> Explanation:
    """Return an alert's title, detail and facts. An alert stored before schema 3 has no facts."""
    facts = {} if isinstance(alert.facts, UnsetType) else alert.facts
    rule = ALERTS.get(alert.code)
    is_led = rule is None or rule.is_led
    title, detail = parts_of(alert.sentence) if rule is None or is_led else (rule.title, alert.sentence)
    return Explanation(alert.code, title, detail, facts)


# -- when alerts ended, as far as this process has seen --------------------------------------------------------------

AlertKey = tuple[str, str | None, Instant]  # code, asset, raised at
Ends = Mapping[AlertKey, Instant]
NO_ENDS: Ends = MappingProxyType({})
ENDING = tuple({kind for rule in TABLE for kind in rule.ended_by})


def key_of(alert: Alert) -> AlertKey:
    return alert.code, alert.asset, alert.at


def still_listed(ends: Ends, desk: Desk) -> Ends:
    """Return the ends of the alerts that the desk still lists."""
    return {key: ends[key] for key in map(key_of, desk.alerts) if key in ends}


def ends_after(known: Ends, desk: Desk, events: Iterable[tuple[Instant, AnyEvent]]) -> Ends:
    """Return when the desk's alerts ended: the known ends, and those that ``events`` add, oldest first.

    The order of the events counts, not their instants: all events of one decision have the same instant.
    """
    events = list(events)
    ends = dict(still_listed(known, desk))
    to_come = {key_of(event.alert) for _, event in events if isinstance(event, AlertRaised)}
    for at, event in events:
        if isinstance(event, AlertRaised):
            to_come.discard(key_of(event.alert))
        for alert in desk.alerts if isinstance(event, ENDING) else ():
            if _ends(event, alert, desk) and (key_of(alert) not in to_come or _ended_first(alert, at)):
                ends.setdefault(key_of(alert), at)
    return ends


def _ends(event: AnyEvent, alert: Alert, desk: Desk) -> bool:
    rule = ALERTS.get(alert.code)
    ending = None if rule is None else rule.ended_by.get(type(event))
    return ending is not None and ending(alert, event, desk)


def _ended_first(alert: Alert, at: Instant) -> bool:
    """Return whether the alert ended in the decision that raised it, before it was raised.

    This is a disagreement that the desk settled by following the broker.
    """
    return ALERTS[alert.code].may_end_first and alert.at == at


def is_over(alert: Alert, desk: Desk, ends: Ends) -> bool | None:
    """Return whether the alert is over, None when it never ends or when this is unknown."""
    if key_of(alert) in ends:
        return True
    rule = ALERTS.get(alert.code)
    return None if rule is None else rule.is_over(alert, desk)
