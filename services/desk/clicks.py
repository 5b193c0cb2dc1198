"""A click of the operator that comes too late is not carried out (SPEC 4: a stale market order must never execute)."""

from __future__ import annotations

from datetime import timedelta

from services.engine.model.replies import Refusal
from services.engine.rules.refusals import refuse
from wire.types import Instant

CLICK_LIVES = timedelta(seconds=5)  # a page has given its click up by then and told the operator so


def refusal_of_stale(clicked_at: Instant | None, now: Instant) -> Refusal | None:
    """Refuse what was clicked more than five seconds before it is decided; None when it may be decided.

    One that names no instant never grows old here. An instant that lies ahead counts as now: clocks differ.
    """
    if clicked_at is None or now - clicked_at <= CLICK_LIVES:
        return None
    age = int((now - clicked_at).total_seconds())
    detail = f"sent {age} s ago and not carried out: look again and click again"
    return refuse("stale_click", detail, age_s=age, clicked_at=clicked_at)
