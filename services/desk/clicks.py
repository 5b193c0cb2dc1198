"""Refuse a click of the operator that arrives too late (SPEC 4: a stale market order must never execute)."""

from __future__ import annotations

from datetime import timedelta

from services.engine.model.replies import Refusal
from services.engine.rules.refusals import refuse
from wire.types import Instant

CLICK_LIVES = timedelta(seconds=5)  # by then the page has given up the click and shown that to the operator


def refusal_of_stale(clicked_at: Instant | None, now: Instant) -> Refusal | None:
    """Return a refusal for a click more than five seconds old, None when it may be decided.

    Without ``clicked_at`` a command is never stale. An instant in the future counts as now, because clocks differ.
    """
    if clicked_at is None or now - clicked_at <= CLICK_LIVES:
        return None
    age = int((now - clicked_at).total_seconds())
    detail = f"sent {age} s ago and not carried out: look again and click again"
    return refuse("stale_click", detail, age_s=age, clicked_at=clicked_at)
