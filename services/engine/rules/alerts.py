"""The table of all alerts: title, level, what ends each, and which notice sends it. All functions are pure.

When they ended is the question of ``alert_times.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct, UnsetType

from services.engine.model.alert import Alert, AlertLevel
from services.engine.model.events import (
    AnyEvent,
    ContractChanged,
    DayRolled,
    DeskConfigured,
    FeedReturned,
    LimitsChanged,
    OrderClaimed,
    OrderEnded,
    OrderReported,
    PositionAgreed,
)
from services.engine.model.feed_events import FeedFaultEnded
from services.engine.model.proof_events import (
    BalanceExplained,
    BridgeRefusalEnded,
    ClockAgreed,
    FillPriceProven,
    ForeignPositionAccepted,
    ForeignPositionGone,
    StopFound,
)
from services.engine.model.state import Desk
from services.engine.model.store_doubts import StoreConfirmed
from services.engine.model.trade_events import TradeClosed
from services.engine.model.wording import Explanation, Facts, parts_of, sentence_of
from services.engine.rules.alert_ends import (
    always,
    balance_is_explained,
    bridge_is_back,
    clock_agrees,
    contract_is_gone,
    day_is_over,
    everything_is_flat,
    exit_is_taken,
    feed_is_back,
    feed_is_whole_again,
    fill_price_is_proven,
    fill_price_is_settled,
    foreign_position_is_gone,
    is_its_clock,
    is_its_contract,
    is_its_exit,
    is_its_fault,
    is_its_instance,
    is_its_order,
    is_its_price,
    is_its_symbol,
    is_of_its_asset,
    never,
    no_contract_waits,
    no_contract_waits_now,
    nothing_is_pending,
    nothing_waits,
    order_has_ended,
    order_has_moved,
    positions_agree,
    second_bridge_is_gone,
    stop_is_found,
    stopped_day_is_over,
    store_is_confirmed,
    takes_its_exit,
    trade_is_closed,
)
from wire.types import Instant

Ending = Callable[[Alert, Any, Desk], bool]  # does this event end the alert?
IsOver = Callable[[Alert, Desk], bool | None]  # None: unknown


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
    is_over: IsOver = never
    is_led: bool = True
    may_end_first: bool = False


def _of_contract(code: str, title: str, level: AlertLevel) -> AlertRule:
    ends = "the asset's price is that of another contract"
    return AlertRule(code, title, (level,), "alert", ends, {ContractChanged: is_its_contract}, contract_is_gone)


TABLE = (
    AlertRule(
        code="daily_stop",
        title="DAILY STOP",
        levels=("critical",),
        notice="daily_stop",
        ends="the trading day has rolled, and every trade it had to flatten is closed",
        ended_by={DayRolled: everything_is_flat},
        is_over=stopped_day_is_over,
    ),
    AlertRule(
        code="daily_warning",
        title="{mark_pct} % OF THE DAILY STOP",
        levels=("warning",),
        notice="daily_warning",
        ends="the trading day rolls",
        ended_by={DayRolled: always},
        is_over=day_is_over,
    ),
    AlertRule(
        code="exit_refused",
        title="EXIT REFUSED",
        levels=("critical",),
        notice="exit_refused",
        ends="the trade that was to be left is closed",
        ended_by={TradeClosed: is_of_its_asset},
        is_over=trade_is_closed,
    ),
    AlertRule(
        code="exit_unclaimed",
        title="EXIT UNCLAIMED",
        levels=("critical",),
        notice="exit_unclaimed",
        ends="a bridge took the exit, or it ended",
        ended_by={OrderClaimed: takes_its_exit, OrderEnded: is_its_exit},
        is_over=exit_is_taken,
    ),
    AlertRule(
        code="bridge_silent",
        title="BRIDGE SILENT",
        levels=("critical",),
        notice="bridge_silent",
        ends="the bridge is heard again",
        ended_by={FeedReturned: is_of_its_asset},
        is_over=bridge_is_back,
    ),
    AlertRule(
        code="tradingview_silent",
        title="TRADINGVIEW SILENT",
        levels=("warning",),
        notice="tradingview_silent",
        ends="heartbeats of the asset arrive again",
        ended_by={FeedReturned: is_of_its_asset},
        is_over=feed_is_back,
    ),
    AlertRule(
        code="reconcile",
        title="RECONCILE",
        levels=("critical", "warning"),
        notice="reconciliation",
        ends="broker and desk hold the same; at once where the desk followed the broker",
        ended_by={PositionAgreed: is_of_its_asset},
        is_over=positions_agree,
        may_end_first=True,
    ),
    AlertRule(
        code="limits_pending",
        title="LOOSER SETTINGS WAIT",
        levels=("info",),
        notice=None,
        ends="nothing waits any more: the looser values hold, or were taken back",
        ended_by={DayRolled: nothing_is_pending, LimitsChanged: nothing_is_pending},
        is_over=nothing_waits,
    ),
    AlertRule(
        code="contracts_pending",
        title="LARGER CONTRACTS WAIT",
        levels=("warning",),
        notice="alert",
        ends="they are traded, or nothing waits any more",
        ended_by={DeskConfigured: no_contract_waits_now},
        is_over=no_contract_waits,
    ),
    AlertRule(
        code="flat_time",
        title="FLAT BY {flat_by}",
        levels=("warning",),
        notice="alert",
        ends="the trading day rolls",
        ended_by={DayRolled: always},
        is_over=day_is_over,
    ),
    AlertRule(
        code="order_unreported",
        title="ORDER UNREPORTED",
        levels=("critical",),
        notice="alert",
        ends="a report came, or the order ended",
        ended_by={OrderReported: is_its_order, OrderEnded: is_its_order},
        is_over=order_has_moved,
    ),
    AlertRule(
        code="order_fate_unknown",
        title="ORDER OF UNKNOWN FATE",
        levels=("critical",),
        notice="alert",
        ends="a report came, the broker's position or the operator decided",
        ended_by={OrderReported: is_its_order, OrderEnded: is_its_order},
        is_over=order_has_ended,
    ),
    AlertRule(
        code="foreign_position",
        title="FOREIGN POSITION",
        levels=("critical",),
        notice="alert",
        ends="the broker no longer holds it, or the operator accepted it",
        ended_by={ForeignPositionGone: is_its_symbol, ForeignPositionAccepted: is_its_symbol},
        is_over=foreign_position_is_gone,
    ),
    AlertRule(
        code="owner_taken",
        title="SECOND BRIDGE",
        levels=("critical",),
        notice="alert",
        ends="the second bridge claims now, or it has not asked for 60 s",
        ended_by={BridgeRefusalEnded: is_its_instance},
        is_over=second_bridge_is_gone,
    ),
    AlertRule(
        code="stop_missing",
        title="NO STOP AT THE BROKER",
        levels=("critical",),
        notice="alert",
        ends="the bridge says that a stop rests, or the position is closed",
        ended_by={StopFound: is_of_its_asset},
        is_over=stop_is_found,
    ),
    AlertRule(
        code="clock",
        title="CLOCK",
        levels=("critical", "warning"),
        notice="alert",
        ends="the clock agrees with the desk's again",
        ended_by={ClockAgreed: is_its_clock},
        is_over=clock_agrees,
    ),
    AlertRule(
        code="feed",
        title="{headline}",
        levels=("warning",),
        notice="feed",
        ends="the stream is whole again",
        ended_by={FeedFaultEnded: is_its_fault},
        is_over=feed_is_whole_again,
    ),
    _of_contract("contract_rolls_soon", "CONTRACT ROLLS SOON", "warning"),
    _of_contract("contract_rolls", "CONTRACT ROLLS", "warning"),
    _of_contract("contract_expired", "CONTRACT EXPIRED", "critical"),
    AlertRule("two_bridges", "TWO BRIDGES", ("critical",), "alert"),
    AlertRule(
        code="balance_suspect",
        title="BALANCE SUSPECT",
        levels=("critical",),
        notice="alert",
        ends="a later balance is explained, the operator confirmed a transfer, or the trading day rolls",
        ended_by={BalanceExplained: always, DayRolled: always},
        is_over=balance_is_explained,
    ),
    AlertRule(
        code="store_doubtful",
        title="ANOTHER STORE",
        levels=("critical",),
        notice="alert",
        ends="the operator confirmed this store, or the trading day rolls",
        ended_by={StoreConfirmed: always, DayRolled: always},
        is_over=store_is_confirmed,
    ),
    AlertRule("balance_adopted", "BALANCE NOT EXPLAINED", ("warning",), "alert"),
    AlertRule("order_rejected", "ORDER REJECTED", ("warning",), "order_rejected"),
    AlertRule("entry_expired", "{order} EXPIRED", ("warning",), "entry_expired"),
    AlertRule("overfill", "OVERFILL", ("critical",), "alert"),
    AlertRule("late_fill", "LATE FILL", ("critical",), "alert"),
    AlertRule("wrong_symbol", "REPORT OF ANOTHER CONTRACT", ("critical",), "alert"),
    AlertRule("wrong_side", "REPORT OF ANOTHER SIDE", ("critical",), "alert"),
    AlertRule("report_refused", "REPORT REFUSED", ("warning",), "alert"),
    AlertRule("bridge_unreadable", "MESSAGE OF THE BRIDGE UNREADABLE", ("critical", "warning"), "alert"),
    AlertRule("adopted_taken_out", "ADOPTED POSITION TAKEN OUT", ("critical",), "alert"),
    AlertRule(
        code="fill_price_suspect",
        title="FILL PRICE SUSPECT",
        levels=("critical",),
        notice="alert",
        ends="a price, a snapshot or the operator agrees, the broker's average corrects it, or the trading day rolls",
        ended_by={FillPriceProven: is_its_price, DayRolled: fill_price_is_settled},
        is_over=fill_price_is_proven,
    ),
    AlertRule("override_unexplained", "OVERRIDE WITHOUT A REASON", ("warning",), "alert"),
    AlertRule("broker_fill", "FILL AT THE BROKER", ("critical",), "alert"),
    AlertRule("fill_refused", "FILL REFUSED", ("critical",), "alert"),
    AlertRule("fill_without_price", "FILL WITHOUT A PRICE", ("critical",), "alert"),
    AlertRule("report_repeated", "REPORT REPEATED", ("critical",), "alert"),
    AlertRule("report_conflict", "CONFLICTING REPORT", ("critical",), "alert"),
    AlertRule("unit_changed", "POINTS HAVE ANOTHER PRICE", ("warning",), "alert"),
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
