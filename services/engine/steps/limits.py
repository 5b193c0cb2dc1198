"""Change limits. During a trading day they only tighten; a looser value waits for the next day (SPEC 5)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from services.engine.model.commands import ConsumeTrade, SetLimits
from services.engine.model.events import LimitsChanged, TradeConsumed
from services.engine.model.replies import Done, Refusal, Reply, RulesTaken
from services.engine.model.settings import RULE_SETTING, Rules, RuleSetting
from services.engine.model.state import Locks
from services.engine.model.times import candle_end, candle_start
from services.engine.rules.limits import LIMIT_NAMES, cap_name, is_limit, limit_values, pending_limits, tightened
from services.engine.rules.refusals import refuse
from services.engine.steps.day import check_daily_stop
from services.engine.transition import Transition


def set_limits(transition: Transition, command: SetLimits) -> Reply | Refusal:
    """Apply tighter limits at once, looser ones from the next trading day on."""
    caps = {cap_name(asset): asset for asset in transition.desk.wanted.contracts}
    unknown = sorted(set(command.limits) - LIMIT_NAMES - set(caps))
    if unknown or not command.limits:
        called = ", ".join(unknown) or "nothing"
        return refuse("setting_invalid", f"no limit is called {called}", field="limits", was=called)
    needed = sorted(name for name, value in command.limits.items() if value is None and not _may_be_off(name))
    if needed:
        return refuse("setting_invalid", f"{', '.join(needed)} cannot be off", field=needed[0], was=None)
    limits = {n: _in_type_of(RULE_SETTING[n], value) for n, value in command.limits.items() if n not in caps}
    by_asset = {caps[name]: value for name, value in command.limits.items() if name in caps}
    wanted = replace(transition.desk.wanted, **limits)
    put_rules(transition, replace(wanted, max_contracts_by_asset=_capped(wanted.max_contracts_by_asset, by_asset)))
    check_daily_stop(transition)
    return RulesTaken(_texts(pending_limits(transition.desk)))


def _may_be_off(name: str) -> bool:
    return name not in RULE_SETTING or RULE_SETTING[name].may_be_off


def _capped(known: Mapping[str, int], asked: Mapping[str, Decimal | int | None]) -> dict[str, int]:
    """Return the caps by asset with those that were asked for; None takes one away."""
    both: dict[str, Decimal | int | None] = {**known, **asked}
    return {asset: int(most) for asset, most in both.items() if most is not None}


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
    now, was = limit_values(rules), limit_values(before.rules)
    changed = {n: now.get(n) for n in {*now, *was} if is_limit(n) and now.get(n) != was.get(n)}
    if rules.firm != before.rules.firm and rules.firm is not None:
        changed["firm"] = rules.firm.title
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
    wanted = transition.desk.wanted
    before, after = known.max_contracts_by_asset, configured.max_contracts_by_asset
    caps = {asset: after.get(asset) for asset in {*before, *after} if after.get(asset) != before.get(asset)}
    changed["max_contracts_by_asset"] = _capped(wanted.max_contracts_by_asset, caps)
    transition.change_desk(configured=configured)
    put_rules(transition, replace(wanted, **changed))
    waiting = sorted({*changed, *map(cap_name, caps)} & set(pending_limits(transition.desk)))
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
    return {name: str(values[name]) for name in sorted(values)}
