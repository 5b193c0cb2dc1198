"""Alert what a bridge sent and nobody can read: it may have told of a position that nobody knows (SPEC 8.3)."""

from __future__ import annotations

from datetime import timedelta

from msgspec import UNSET

from services.engine.model.bridge_commands import NoteUnreadable
from services.engine.model.replies import Done, Reply
from services.engine.transition import Transition

TOLD_AGAIN_AFTER = timedelta(minutes=10)


def note_unreadable(transition: Transition, command: NoteUnreadable) -> Reply:
    """Raise an alert. An unreadable execution counts in it each time, other messages are told again after 10 min."""
    order = None if command.order_id is None else transition.desk.orders.get(command.order_id)
    asset = None if order is None else order.asset
    detail = f"{command.path}: {command.reason}"
    facts = {"path": command.path, "reason": command.reason, "order_id": command.order_id}
    if command.tells_fills:
        transition.alert_again("bridge_unreadable", detail, asset, facts, "path")
    elif not _was_told(transition, command.path):
        transition.alert("bridge_unreadable", detail, asset, facts, "warning")
    return Done()


def _was_told(transition: Transition, path: str) -> bool:
    since = transition.now - TOLD_AGAIN_AFTER
    recent = (alert for alert in transition.desk.alerts if alert.code == "bridge_unreadable" and alert.at > since)
    return any(alert.facts is not UNSET and alert.facts.get("path") == path for alert in recent)
