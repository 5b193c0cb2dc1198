"""Keep which clocks differ from the desk's, and raise an alert for each (SPEC 5.8)."""

from __future__ import annotations

from services.engine.model.alert import AlertLevel
from services.engine.model.bridge_commands import NoteClock
from services.engine.model.proof_events import ClockAgreed, ClockDiffered
from services.engine.model.replies import Done, Reply
from services.engine.transition import Transition

CRITICAL_SECONDS = 30
"""An entry lives no longer (SPEC 4): a clock that differs by more kills every one, or lets an old one live."""


def note_clock(transition: Transition, command: NoteClock) -> Reply:
    """Record that a clock differs or agrees again; what is known already changes nothing."""
    known = transition.desk.clocks_off
    if (command.whose in known) is not command.agrees:
        return Done()
    if command.agrees:
        transition.change_desk(clocks_off=tuple([whose for whose in known if whose != command.whose]))
        transition.record(ClockAgreed(command.whose))
        return Done()
    transition.change_desk(clocks_off=(*known, command.whose))
    transition.record(ClockDiffered(command.whose, command.ahead_seconds))
    facts = {"whose": command.whose, "ahead_seconds": command.ahead_seconds}
    level: AlertLevel = "critical" if abs(command.ahead_seconds) >= CRITICAL_SECONDS else "warning"
    transition.alert("clock", command.detail, facts=facts, level=level)
    return Done()
