"""The budget of overrides, and the reason that each needs (SPEC 5.10)."""

from __future__ import annotations

from services.engine.model.replies import Refusal
from services.engine.model.state import Desk
from services.engine.model.trading_day import day_end
from services.engine.rules.refusals import refuse

NO_REASON = "no reason given"
"""What the journal says of an override whose caller gave no reason."""

UNEXPLAINED_PER_DAY = 1  # the contract allows a call without a reason


def overrides_left(desk: Desk) -> int:
    """Return how many overrides this trading day still allows."""
    return max(0, desk.rules.overrides_per_day - desk.day.overrides_taken)


def reason_given(desk: Desk, override: bool, reason: str | None) -> str | None:
    """Return the reason to journal; None for an entry that overrides nothing.

    Up to generation 4 an override without a reason was journaled without one.
    """
    if not override:
        return None
    if desk.generation < 5:
        return reason
    return (reason or "").strip() or NO_REASON


def refusal_of_override(desk: Desk, reason: str | None) -> Refusal | None:
    """Refuse an override beyond the day's budget, and a second one of the day without a reason."""
    taken, limit = desk.day.overrides_taken, desk.rules.overrides_per_day
    if taken >= limit:
        ends_at = day_end(desk.day.trading_day, desk.rules.day_roll)
        detail = f"{taken} of {limit} overrides taken today"
        return refuse("override_budget", detail, taken=taken, limit=limit, reopens_at=ends_at)
    if reason == NO_REASON and desk.day.overrides_unexplained >= UNEXPLAINED_PER_DAY:
        return refuse("override_unexplained", "one without a reason was taken today; write override_reason")
    return None
