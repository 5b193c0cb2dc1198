"""The day and its limits: use up a trade by hand, switch the environment, change limits (SPEC 5.5, 8.5)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import Field, model_validator

from routes.http.describing import answers
from routes.http.errors import led_answer, refused
from routes.http.parsing import AS_WRITTEN, Amount, OperatorBody, WholeNumber, accepts
from routes.http.replies import answer, app_services
from routes.operator import operator_calls
from services.engine.model.commands import ConsumeTrade, SetLimits, SwitchEnv
from services.engine.model.replies import RulesTaken
from services.engine.model.settings import RULE_SETTING
from services.engine.rules.limits import SMALLEST_STOP_TICKS, cap_name, limit_values, pending_from, smallest_stop
from services.engine.rules.refusals import refuse
from wire.answers import EnvAnswer, LimitsAnswer, TradeCountAnswer

limits = operator_calls("limits", __name__)


def _between(rule: str) -> Any:
    """Return the allowed range of a limit, that of the setting of the same name."""
    row = RULE_SETTING[rule]
    return Field(gt=row.low, le=row.high) if row.kind == "decimal" else Field(ge=row.low, le=row.high)


class NothingBody(OperatorBody):
    pass


class EnvBody(OperatorBody):
    env: Literal["DEMO", "LIVE"]


TimeOfDay = Annotated[str, Field(max_length=5, examples=["15:55"], description="New York time")]
HoursOfDay = Annotated[
    str, Field(max_length=200, examples=["09:30-11:30,14:00-16:00"], description="New York time; none: no hours")
]


class LimitsBody(OperatorBody):
    """One or more limits; each has the range of the setting of the same name."""

    max_trades_per_day: Annotated[WholeNumber, _between("max_trades_per_day")] | None = None
    daily_stop_limit_pct: Annotated[Amount, _between("daily_stop_limit_pct"), AS_WRITTEN] | None = None
    cooldown_seconds: Annotated[WholeNumber, _between("cooldown_seconds")] | None = None
    candle_seconds: Annotated[WholeNumber, _between("candle_seconds")] | None = None
    entry_ttl_seconds: Annotated[WholeNumber, _between("entry_ttl_seconds")] | None = None
    initial_lock_seconds: Annotated[WholeNumber, _between("initial_lock_seconds")] | None = None
    preorder_seconds: Annotated[WholeNumber, _between("preorder_seconds")] | None = None
    overrides_per_day: Annotated[WholeNumber, _between("overrides_per_day")] | None = None
    heartbeat_max_age_seconds: Annotated[WholeNumber, _between("heartbeat_max_age_seconds")] | None = None
    bridge_max_age_seconds: Annotated[WholeNumber, _between("bridge_max_age_seconds")] | None = None
    entry_qty_6pt: Annotated[WholeNumber, _between("entry_qty_6pt")] | None = None
    entry_qty_9pt: Annotated[WholeNumber, _between("entry_qty_9pt")] | None = None
    scale_in_qty: Annotated[WholeNumber, _between("scale_in_qty")] | None = None
    stop_points: Annotated[Amount, _between("stop_points"), AS_WRITTEN] | None = None
    two_half_filter: bool | None = None
    max_risk_per_order_pct: Annotated[Amount, _between("max_risk_per_order_pct"), AS_WRITTEN] | None = None
    max_contracts: Annotated[Amount, _between("max_contracts"), AS_WRITTEN] | None = None
    max_contracts_correlated: Annotated[Amount, _between("max_contracts_correlated"), AS_WRITTEN] | None = None
    max_contracts_by_asset: dict[str, Annotated[WholeNumber, Field(ge=0, le=10_000)] | None] | None = Field(
        default=None, description="the cap of each asset's own contracts; null takes it away", examples=[{"ES": 5}]
    )
    firm_buffer_pct: Annotated[Amount, _between("firm_buffer_pct"), AS_WRITTEN] | None = None
    trading_hours: HoursOfDay | None = None
    no_entry_after_open: Annotated[WholeNumber, _between("no_entry_after_open")] | None = None
    no_entry_before_close: Annotated[WholeNumber, _between("no_entry_before_close")] | None = None
    flat_by: TimeOfDay | None = None
    loss_streak: Annotated[WholeNumber, _between("loss_streak")] | None = None
    loss_pause_minutes: Annotated[WholeNumber, _between("loss_pause_minutes")] | None = None
    cooldown_after_loss: Annotated[WholeNumber, _between("cooldown_after_loss")] | None = None
    weekly_loss_pct: Annotated[Amount, _between("weekly_loss_pct"), AS_WRITTEN] | None = None
    weekly_loss_usd: Annotated[Amount, _between("weekly_loss_usd"), AS_WRITTEN] | None = None
    max_trades_per_week: Annotated[WholeNumber, _between("max_trades_per_week")] | None = None
    give_back_usd: Annotated[Amount, _between("give_back_usd"), AS_WRITTEN] | None = None
    profit_lock_usd: Annotated[Amount, _between("profit_lock_usd"), AS_WRITTEN] | None = None
    confirm: bool = Field(default=False, description="the button was held: the change may flatten what is held")

    @model_validator(mode="after")
    def makes_sense(self) -> LimitsBody:
        if not self.model_fields_set - {"confirm"}:
            raise ValueError("name at least one limit")
        if self.candle_seconds is not None and 3600 % self.candle_seconds:
            raise ValueError("candle_seconds must divide an hour")
        return self


@limits.post("/api/trade-limit/consume")
@answers(TradeCountAnswer, errors=(409,))
@accepts(NothingBody, may_be_empty=True)
def consume_trade(body: NothingBody) -> Response:
    """Use up one trade of the day's trade limit."""
    outcome = app_services().manager.submit(ConsumeTrade())
    day = outcome.desk.day
    rules = outcome.desk.rules
    left = max(0, rules.max_trades_per_day - day.trades_taken)
    count = TradeCountAnswer(version=outcome.version, trades_taken_today=day.trades_taken, trades_remaining_today=left)
    return answer(outcome, count)


@limits.post("/api/env")
@answers(EnvAnswer, errors=(409,))
@accepts(EnvBody)
def switch_env(body: EnvBody) -> Response:
    """Switch between DEMO and LIVE while everything is flat; LIVE needs a password and a connected bridge."""
    if body.env == "LIVE" and app_services().gatekeeper.is_open:
        return led_answer("set DASHBOARD_PASSWORD first", 409, "password_needed")
    outcome = app_services().manager.submit(SwitchEnv(body.env))
    return answer(outcome, EnvAnswer(version=outcome.version, env=outcome.desk.env))


@limits.post("/api/limits")
@answers(LimitsAnswer, errors=(409,))
@accepts(LimitsBody)
def set_limits(body: LimitsBody) -> Response:
    """Change limits: a tighter value applies at once, a looser one from a trading day that is at least 8 h away."""
    least = smallest_stop(app_services().manager.snapshot.desk.rules.contracts.values())
    if body.stop_points is not None and body.stop_points < least:
        detail = f"the stop was {body.stop_points} points, it must be at least {least:f}: {SMALLEST_STOP_TICKS} ticks"
        refusal = refuse("setting_invalid", detail, field="stop_points", was=body.stop_points, lowest=least)
        return refused(refusal, app_services().manager)
    command = _command_of(body)
    outcome = app_services().manager.submit(command)
    pending = outcome.answer.pending if isinstance(outcome.answer, RulesTaken) else {}
    values = limit_values(outcome.desk.rules)
    in_force = {name: values.get(name) for name in (*command.limits, *command.words)}
    starts = pending_from(outcome.desk)
    return answer(outcome, LimitsAnswer(version=outcome.version, limits=in_force, pending=pending, pending_from=starts))


def _command_of(body: LimitsBody) -> SetLimits:
    """Return what was asked: numbers, and what is written as a time of day. Null turns off what may be off."""
    told = body.model_dump(exclude_unset=True, exclude={"confirm"})
    caps = told.pop("max_contracts_by_asset", None) or {}
    asked = {n: v for n, v in told.items() if v is not None or RULE_SETTING[n].may_be_off}
    words = {name: value for name, value in asked.items() if RULE_SETTING[name].is_text}
    plain = {**asked, **{cap_name(asset): most for asset, most in caps.items()}}
    numbers = {n: None if v is None else Decimal(v) for n, v in plain.items() if n not in words}
    return SetLimits(numbers, words, body.confirm)
