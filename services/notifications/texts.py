"""The texts of the notices: one builder per event, short and in the trader's language.

A builder gets an event and the scene and returns headline, body and level, or None for no notice. The texts hold
assets, money and the broker's reasons, never a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from services.engine.model.events import (
    AlertRaised,
    CooldownStarted,
    DailyStopTriggered,
    DayRolled,
    DayWarned,
    EntryAccepted,
    EntryBlocked,
    EnvSwitched,
    ExitBlocked,
    FeedLost,
    FeedReturned,
    InitialExitLockReleased,
    OrderEnded,
    OrderQueued,
    TradeConsumed,
)
from services.engine.model.feed_events import FeedFaultEnded
from services.engine.model.order import Order
from services.engine.model.state import Desk
from services.engine.model.trade_events import TradeClosed, TradeOpened
from services.engine.model.trading_day import NEW_YORK, day_end
from services.engine.rules.alerts import ALERTS, explanation_of
from wire.types import Instant, Price, Side, Usd

Level = Literal["info", "success", "warning", "critical"]
CENT = Decimal("0.01")
MENDS_ITSELF = timedelta(seconds=60)
OTHER_ALERTS = "alert"
SENT_BY_OTHER_KINDS = frozenset(rule.code for rule in ALERTS.values() if rule.notice != OTHER_ALERTS)


class Scene(Struct, frozen=True):
    """The input of a builder: the desk before and after the decision, the orders that changed, the time."""

    before: Desk
    desk: Desk
    orders: Mapping[str, Order]
    now: Instant


Text = tuple[str, str, Level]  # headline, body, level
TextBuilder = Callable[[Any, Scene], Text | None]


# -- fills -------------------------------------------------------------------------------------------------------


def entry_ended(event: OrderEnded, scene: Scene) -> Text | None:
    """Report the filled quantity of an entry or a scale-in, once, when its order is final."""
    order = scene.orders.get(event.order_id)
    if event.kind == "EXIT" or not event.filled_qty or order is None:
        return None
    price = _price(scene, event.asset, order.filled_notional / order.filled_qty)
    added = "+" if event.kind == "SCALE_IN" else ""
    parts = [] if order.remaining == 0 else [f"{order.filled_qty} of {order.qty} filled."]
    trade = scene.desk.assets[event.asset].trade
    if trade is not None:
        stop = trade.contract.usd(trade.stop_distance * trade.quantity)
        parts += [
            _holding(scene, event.asset),
            f"Stop {_price(scene, event.asset, trade.stop_price)} risks ${stop:,.2f}.",
        ]
    return f"{event.asset} {_way(order.side)} {added}{order.filled_qty} @ {price}", " ".join(parts), "info"


def trade_closed(event: TradeClosed, scene: Scene) -> Text:
    prices = f"{_price(scene, event.asset, event.entry_price)} → {_price(scene, event.asset, event.exit_price)}"
    used = f"{scene.desk.day.trades_taken} of {scene.desk.rules.max_trades_per_day} entries used."
    held = f"{_way(event.side).capitalize()} {event.size} {event.contract}"
    body = f"{held}, {prices}, {event.pnl_points:+.2f} pts by {event.reason}. {used}"
    return f"{event.asset} closed {_money(event.result_usd)}", body, "success" if event.result_usd >= 0 else "warning"


# -- gates and locks ---------------------------------------------------------------------------------------------


def entry_blocked(event: EntryBlocked, scene: Scene) -> Text:
    way = f" {_way(event.direction)}" if event.direction else ""
    return f"{event.asset}{way} blocked: {event.gate}", event.sentence, "info"


def exit_blocked(event: ExitBlocked, scene: Scene) -> Text:
    return f"{event.asset} exit blocked", f"The initial exit lock holds. {_holding(scene, event.asset)}", "info"


def cooldown_started(event: CooldownStarted, scene: Scene) -> Text | None:
    if event.until <= scene.now:
        return None
    return f"Cooldown until {clock(event.until)}", "No entries in any asset until then.", "info"


def candle_taken(event: EntryAccepted, scene: Scene) -> Text | None:
    ends_at = lock_ends(scene.desk).get("candle")
    return (f"Candle used until {clock(ends_at)}", "One entry per candle, any asset.", "info") if ends_at else None


def exit_locked(event: TradeOpened, scene: Scene) -> Text | None:
    if event.adopted:
        return None
    left = scene.desk.rules.max_trades_per_day - scene.desk.day.trades_taken
    more = "" if left > 0 else " That was the last entry of the day."
    return f"{event.asset} exit locked", f"Until the next 6pt brick.{more}", "info"


def slot_consumed(event: TradeConsumed, scene: Scene) -> Text | None:
    limit = scene.desk.rules.max_trades_per_day
    return (
        ("Trade limit reached", f"{event.taken} of {limit} entries used today.", "info")
        if event.taken >= limit
        else None
    )


def exit_unlocked(event: InitialExitLockReleased, scene: Scene) -> Text:
    return f"{event.asset} exit unlocked", f"A 6pt brick closed. {_holding(scene, event.asset)}".strip(), "info"


def day_opened(event: DayRolled, scene: Scene) -> Text | None:
    """Report that a lock of the day is over, if one held."""
    day = scene.before.day
    rules = scene.before.rules
    ended = ["daily stop"] * day.is_stopped + ["trade limit"] * (day.trades_taken >= rules.max_trades_per_day)
    if not ended:
        return None
    return f"New trading day: {' and '.join(ended)} over", f"Trading day {event.trading_day} has begun.", "info"


def lock_ends(desk: Desk) -> dict[str, Instant]:
    """Return the instant at which each timed lock ends or ended."""
    ends = {"cooldown": desk.locks.cooldown_until, "candle": desk.locks.candle_until}
    return {slot: at for slot, at in ends.items() if at is not None}


# -- the day -----------------------------------------------------------------------------------------------------


def day_warned(event: DayWarned, scene: Scene) -> Text:
    limit = scene.desk.rules.daily_stop_limit_pct
    body = f"{_day_result(scene)}drawdown {event.drawdown_pct:.2f}% of {limit.normalize():f}%."
    return f"{event.mark_pct}% of the daily stop used", body, "warning"


def day_stopped(event: DailyStopTriggered, scene: Scene) -> Text:
    rolls_at = clock(day_end(scene.desk.day.trading_day, scene.desk.rules.day_roll))
    body = f"{_day_result(scene)}{event.reason}. Flattening; no entries until {rolls_at} New York."
    return "DAILY STOP", body, "critical"


# -- orders, feeds, the broker -----------------------------------------------------------------------------------


def alert_raised(event: AlertRaised, scene: Scene, *, kind: str) -> Text | None:
    """Report an alert whose row names this kind."""
    rule = ALERTS.get(event.alert.code)
    return _alert_text(event, scene) if rule is not None and rule.notice == kind else None


def other_alert(event: AlertRaised, scene: Scene) -> Text | None:
    """Report every alert that no other kind sends, so that a new alert of the engine is never without a notice."""
    alert = event.alert
    return None if alert.level == "info" or alert.code in SENT_BY_OTHER_KINDS else _alert_text(event, scene)


def _alert_text(event: AlertRaised, scene: Scene) -> Text:
    alert = event.alert
    why = explanation_of(alert)
    head = f"{alert.asset} {why.title.lower()}" if alert.asset else why.title.capitalize()
    held = _holding(scene, alert.asset) if alert.asset else ""
    return head, f"{why.detail[:1].upper()}{why.detail[1:]}. {held}".strip(), alert.level


def override_taken(event: EntryAccepted, scene: Scene) -> Text | None:
    if not event.override:
        return None
    return (
        f"{event.asset} {_way(event.direction)}: override used",
        "Entered past the zone gate, on the record.",
        "warning",
    )


def exit_forced(event: OrderQueued, scene: Scene) -> Text | None:
    """Report an exit that broke the lock, and a program's as the program's: once, not with each further try."""
    order = scene.orders.get(event.order_id)
    if not event.forced or (event.by is not None and order is not None and order.attempt > 0):
        return None
    if event.by is not None:
        body = f"A program beside the desk asked for it; the lock held. {_holding(scene, event.asset)}"
        return f"{event.asset} exit by a program", body, "warning"
    return f"{event.asset} exit forced", f"The initial exit lock was broken. {_holding(scene, event.asset)}", "warning"


def tradingview_lost(event: FeedLost, scene: Scene) -> Text | None:
    if event.asset is None:
        return None
    minutes = scene.desk.rules.heartbeat_max_age_seconds / 60
    body = f"No heartbeat for {minutes:g} min: no entries. {_holding(scene, event.asset)}"
    return f"{event.asset} TradingView silent", body.strip(), "warning"


def tradingview_back(event: FeedReturned, scene: Scene) -> Text | None:
    return (f"{event.asset} TradingView is back", "Heartbeats arrive again.", "info") if event.asset else None


def feed_whole_again(event: FeedFaultEnded, scene: Scene) -> Text | None:
    """Report that a feed is whole again, once, when it had not been for a minute: short gaps mend themselves."""
    before, after = scene.before.assets.get(event.asset), scene.desk.assets.get(event.asset)
    if before is None or after is None or after.feed.faults or not before.feed.faults:
        return None
    oldest, newest = min(before.feed.faults, key=lambda fault: fault.since), before.feed.faults[-1]
    is_last = (event.kind, event.stream) == (newest.kind, newest.stream)
    if not is_last or scene.now < oldest.since + MENDS_ITSELF:
        return None
    return f"{event.asset} stream whole again", "Entries are possible again as far as this goes.", "info"


def bridge_lost(event: FeedLost, scene: Scene) -> Text | None:
    if event.asset is not None:
        return None
    held = " ".join(filter(None, (_holding(scene, symbol) for symbol in scene.desk.assets)))
    return "Bridge silent", f"Orders are not executed. {held or 'All flat.'}", "critical"


def bridge_back(event: FeedReturned, scene: Scene) -> Text | None:
    return ("Bridge is back", "Orders are executed again.", "info") if event.asset is None else None


def env_switched(event: EnvSwitched, scene: Scene) -> Text:
    return f"The desk trades {event.env} now", "Switched by the operator.", "warning"


# -- parts -------------------------------------------------------------------------------------------------------


def _way(side: Side) -> str:
    return "long" if side == "BUY" else "short"


def _money(usd: Usd) -> str:
    return f"{'-' if usd < 0 else '+'}${abs(usd):,.2f}"


def clock(at: Instant) -> str:
    return f"{at.astimezone(NEW_YORK):%H:%M:%S}"


def _price(scene: Scene, symbol: str, price: Price) -> str:
    """Format a price with the decimals of the contract's tick."""
    asset = scene.desk.assets.get(symbol)
    tick = asset.contract.tick_size if asset is not None else CENT
    return f"{price.quantize(tick if tick < 1 else Decimal(1)):f}"


def _holding(scene: Scene, symbol: str) -> str:
    """Return a sentence with the asset's position and its open PnL, empty when flat."""
    asset = scene.desk.assets.get(symbol)
    trade = asset.trade if asset is not None else None
    if asset is None or trade is None:
        return ""
    held = f"Holding {_way(trade.side)} {trade.quantity} {trade.contract.symbol} from "
    held += _price(scene, symbol, trade.entry_price)
    points = asset.live.open_points
    if points is None:
        return f"{held}."
    return f"{held}, open {_money(trade.contract.usd(points * trade.contract.point * trade.quantity))}."


def _day_result(scene: Scene) -> str:
    start = scene.desk.day.start_equity
    equity = scene.desk.live.equity
    return "" if start is None or equity is None else f"Day {_money(equity - start)}, "
