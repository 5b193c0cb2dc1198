"""The bridge's calls. BRIDGE_HEARTBEAT_SECRET opens them."""

from __future__ import annotations

from flask import Blueprint

from routes.http.guards import GuardedCalls


def bridge_calls(name: str, import_name: str) -> Blueprint:
    """Make a blueprint whose views are guarded as ``bridge``, unless one declares another guard."""
    return GuardedCalls(name, import_name, "bridge")
