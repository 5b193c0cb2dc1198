"""Change limits. At once they only tighten; a looser value waits for a trading day that is 8 h away (SPEC 5)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from services.engine.model.commands import ConsumeTrade, SetLimits
from services.engine.model.events import LimitsChanged, TradeConsumed
from services.engine.model.locks import Locks
from services.engine.model.replies import Done, Refusal, Reply, RulesTaken
from services.engine.model.rule_setting import RuleSetting
from services.engine.model.settings import RULE_SETTING, Rules
from services.engine.model.times import candle_end, candle_start
from services.engine.rules.day_clock import clock_fault, hours_fault
from services.engine.rules.flattening import would_flatten
from services.engine.rules.limits import (
    LIMIT_NAMES,
    cap_name,
    due_rules,
    is_limit,
    limit_values,
    pending_limits,
    tightened,
    wanted_from,
)
from services.engine.rules.refusals import refuse
from services.engine.steps.day import check_daily_stop
from services.engine.transition import Transition


def set_limits(transition: Transition, command: SetLimits) -> Reply | Refusal:
    """Apply tighter limits at once, looser ones from a later trading day on."""
    asked: dict[str, Decimal | str | None] = {**command.limits, **command.words}
    desk = transition.desk
    assets = {cap_name(asset): asset for asset in desk.wanted.contracts}
    caps = {assets[name]: value for name, value in command.limits.items() if name in assets}
    refusal = _refusal_of({name: value for name, value in asked.items() if name not in assets}, is_one_named=bool(caps))
    if refusal is not None:
        return refusal
    limits = {n: _in_type_of(RULE_SETTING[n], value) for n, value in asked.items() if n not in assets}
    known = desk.wanted.max_contracts_by_asset
    wanted = replace(desk.wanted, max_contracts_by_asset=_capped(known, caps), **limits)
    is_new = desk.generation > 4
    in_force = tightened(desk.rules, wanted, desk.generation)
    if is_new and not command.confirm and would_flatten(desk, in_force, transition.now):
        return refuse("confirm_needed", "this flattens what is held within a minute; hold the button to confirm it")
    put_rules(transition, wanted)
    check_daily_stop(transition)
    return RulesTaken(_texts(pending_limits(transition.desk)))


def _capped(known: Mapping[str, int], asked: Mapping[str, Decimal | int | None]) -> dict[str, int]:
    """Return the caps by asset with those that were asked for; None takes one away."""
    both: dict[str, Decimal | int | None] = {**known, **asked}
    return {asset: int(most) for asset, most in both.items() if most is not None}


def _refusal_of(asked: dict[str, Decimal | str | None], *, is_one_named: bool) -> Refusal | None:
    unknown = sorted(set(asked) - LIMIT_NAMES)
    if unknown or not (asked or is_one_named):
        called = ", ".join(unknown) or "nothing"
        return refuse("setting_invalid", f"no limit is called {called}", field="limits", was=called)
    needed = sorted(n for n, value in asked.items() if value is None and not RULE_SETTING[n].may_be_off)
    if needed:
        return refuse("setting_invalid", f"{', '.join(needed)} cannot be off", field=needed[0], was=None)
    for name, value in asked.items():
        fault = _fault_of(RULE_SETTING[name], value)
        if fault is not None:
            return refuse("setting_invalid", f"{name} was {value}: {fault}", field=name, was=str(value))
    return None


def _fault_of(row: RuleSetting, value: Decimal | str | None) -> str | None:
    """Return what is wrong with a value: a text where a number belongs, or no time of day."""
    if value is None:
        return None
    if not row.is_text:
        return "it must be a number" if isinstance(value, str) else None
    return hours_fault(str(value)) if row.kind == "hours" else clock_fault(str(value))


def _in_type_of(row: RuleSetting, value: Decimal | str | None) -> object:
    """Return the value in the type of the rule; None turns it off."""
    if value is None or isinstance(value, str) or row.kind == "decimal":
        return value
    return bool(value) if row.kind == "flag" else int(value)


def put_rules(transition: Transition, wanted: Rules) -> None:
    """Set the wanted rules: tighter values hold now, the rest from a later trading day on."""
    before = transition.desk
    rules = tightened(before.rules, wanted, before.generation)
    transition.desk = replace(before, rules=rules, wanted=wanted, locks=_stretched(before.locks, rules))
    if before.generation > 4:
        transition.change_desk(wanted_from=wanted_from(before, wanted, rules, transition.now))
    if (rules, wanted) == (before.rules, before.wanted):
        return
    now, was = limit_values(rules), limit_values(before.rules)
    changed = {n: now.get(n) for n in {*now, *was} if is_limit(n) and now.get(n) != was.get(n)}
    if rules.firm != before.rules.firm and rules.firm is not None:
        changed["firm"] = rules.firm.title
    if rules.commissions != before.rules.commissions:
        changed["commissions"] = rules.commissions
    transition.record(LimitsChanged(_texts(changed), _texts(pending_limits(transition.desk))))


def loosen_limits(transition: Transition) -> None:
    """Put the looser values in force whose trading day has come."""
    desk = transition.desk
    due = due_rules(desk, transition.now)
    if not due:
        return
    waiting = {name: at for name, at in desk.wanted_from.items() if name not in due}
    rules = replace(desk.rules, **due)
    transition.change_desk(rules=rules, wanted_from=waiting)
    now, was = limit_values(rules), limit_values(desk.rules)
    changed = {n: now.get(n) for n in {*now, *was} if now.get(n) != was.get(n)}
    if "firm" in changed:
        changed["firm"] = rules.firm.title if rules.firm else "none"
    transition.record(LimitsChanged(_texts(changed), _texts(pending_limits(transition.desk))))


def begin_waits(transition: Transition) -> None:
    """Give every looser value that an earlier program left waiting the day on which it comes into force."""
    desk = transition.desk
    waits = {**wanted_from(desk, desk.wanted, desk.rules, transition.now), **desk.wanted_from}
    transition.change_desk(wanted_from=waits)


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
    wanted = transition.desk.wanted
    before, after = known.max_contracts_by_asset, configured.max_contracts_by_asset
    caps = {asset: after.get(asset) for asset in {*before, *after} if after.get(asset) != before.get(asset)}
    changed["max_contracts_by_asset"] = _capped(wanted.max_contracts_by_asset, caps)
    transition.change_desk(configured=configured)
    put_rules(transition, replace(wanted, **changed))
    waiting = sorted({*changed, *map(cap_name, caps)} & set(pending_limits(transition.desk)))
    if waiting:
        settings = ", ".join(waiting)
        until = "the next trading day that is 8 h away" if transition.desk.generation > 4 else "the trading day rolls"
        detail = f"{settings}: today's stay in force until {until}"
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
