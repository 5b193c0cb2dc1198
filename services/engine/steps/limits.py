"""Change limits. During a trading day they only tighten; a looser value waits for the next day (SPEC 5)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from services.engine.model.commands import ConsumeTrade, SetLimits
from services.engine.model.events import LimitsChanged, TradeConsumed
from services.engine.model.replies import Done, Refusal, Reply, RulesTaken
from services.engine.model.settings import RULE_SETTING, Rules, RuleSetting
from services.engine.model.state import Locks
from services.engine.model.times import candle_end, candle_start
from services.engine.rules.limits import LIMIT_NAMES, pending_limits, tightened
from services.engine.rules.refusals import refuse
from services.engine.steps.day import check_daily_stop
from services.engine.transition import Transition


def set_limits(transition: Transition, command: SetLimits) -> Reply | Refusal:
    """Apply tighter limits at once, looser ones from the next trading day on."""
    unknown = sorted(set(command.limits) - LIMIT_NAMES)
    if unknown or not command.limits:
        called = ", ".join(unknown) or "nothing"
        return refuse("setting_invalid", f"no limit is called {called}", field="limits", was=called)
    needed = sorted(n for n, value in command.limits.items() if value is None and not RULE_SETTING[n].may_be_off)
    if needed:
        return refuse("setting_invalid", f"{', '.join(needed)} cannot be off", field=needed[0], was=None)
    limits = {name: _in_type_of(RULE_SETTING[name], value) for name, value in command.limits.items()}
    put_rules(transition, replace(transition.desk.wanted, **limits))
    check_daily_stop(transition)
    return RulesTaken(_texts(pending_limits(transition.desk)))


def _in_type_of(row: RuleSetting, value: Decimal | None) -> object:
    """Return the value in the type of the rule; None turns it off."""
    if value is None or row.kind == "decimal":
        return value
    return bool(value) if row.kind == "flag" else int(value)


def put_rules(transition: Transition, wanted: Rules) -> None:
    """Set the wanted rules: tighter values hold now, the rest from the next trading day on."""
    before = transition.desk
    rules = tightened(transition.desk.rules, wanted)
    transition.desk = replace(before, rules=rules, wanted=wanted, locks=_stretched(before.locks, rules))
    if (rules, wanted) == (before.rules, before.wanted):
        return
    changed = {n: getattr(rules, n) for n in LIMIT_NAMES if getattr(rules, n) != getattr(before.rules, n)}
    if rules.commissions != before.rules.commissions:
        changed["commissions"] = rules.commissions
    transition.record(LimitsChanged(_texts(changed), _texts(pending_limits(transition.desk))))


def _stretched(locks: Locks, rules: Rules) -> Locks:
    """Extend a candle lock to the end of a longer candle. A shorter candle length never ends it earlier."""
    if locks.candle_used is None or locks.candle_until is None:
        return locks
    longer = candle_end(candle_start(locks.candle_used, rules.candle_seconds), rules.candle_seconds)
    return replace(locks, candle_until=max(locks.candle_until, longer))


def configure_rules(transition: Transition, configured: Rules) -> None:
    """Apply the environment's settings. Those that changed since the last start tighten now or wait, like any other.

    Settings that did not change in the environment keep what the operator has set since.
    """
    names = Rules.__struct_fields__
    known = transition.desk.configured
    changed = {name: getattr(configured, name) for name in names if getattr(configured, name) != getattr(known, name)}
    transition.change_desk(configured=configured)
    put_rules(transition, replace(transition.desk.wanted, **changed))
    waiting = sorted(set(changed) & set(pending_limits(transition.desk)))
    if waiting:
        settings = ", ".join(waiting)
        detail = f"{settings}: today's stay in force until the trading day rolls"
        transition.alert("limits_pending", detail, facts={"settings": settings})


def consume_trade(transition: Transition, command: ConsumeTrade) -> Reply | Refusal:
    """Take one slot of the day's trade limit by hand (SPEC 5.5)."""
    day = transition.desk.day
    limit = transition.desk.rules.max_trades_per_day
    if day.trades_taken >= limit:
        detail = f"{day.trades_taken} of {limit} trades taken today"
        return refuse("no_trade_left", detail, taken=day.trades_taken, limit=limit)
    transition.change_desk(day=replace(day, trades_taken=day.trades_taken + 1))
    transition.record(TradeConsumed(day.trades_taken + 1))
    return Done()


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {name: _text(values[name]) for name in sorted(values)}


def _text(value: Any) -> str:
    """Return a value as text; commissions as ``MES 0.62, MNQ 0.62``."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {value[name]}" for name in sorted(value)) or "none"
    return str(value)
