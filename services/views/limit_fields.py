"""The form that tightens limits: its fields, with name, range and step from the table of rules (SPEC 5)."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from services.engine.model.rule_setting import RuleSetting
from services.engine.model.settings import RULE_SETTING

RULES_IN_THE_FORM = (
    "max_trades_per_day",
    "daily_stop_limit_pct",
    "max_risk_per_order_pct",
    "max_contracts",
    "cooldown_seconds",
    "cooldown_after_loss",
    "loss_streak",
    "weekly_loss_usd",
    "max_trades_per_week",
    "give_back_usd",
    "profit_lock_usd",
    "flat_by",
    "trading_hours",
)


class LimitField(Struct, frozen=True):
    """One field of the form: the rule that it sets, its label with the unit, and the numbers that it takes.

    The page shows ``low`` and ``high`` as the ends of the field's arrows; what was typed is refused by the desk. A
    field ``is_text`` takes a time of day or hours; one that ``may_be_off`` is off while it is empty.
    """

    rule: str
    label: str
    low: int
    high: int
    step: Decimal
    is_text: bool
    may_be_off: bool


def _field_of(row: RuleSetting) -> LimitField:
    label = f"{row.title}, {row.unit}" if row.unit else row.title
    return LimitField(row.rule, label, row.low, row.high, row.step, row.is_text, row.may_be_off)


LIMIT_FIELDS = tuple(_field_of(RULE_SETTING[rule]) for rule in RULES_IN_THE_FORM)
