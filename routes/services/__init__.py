"""Calls of the programs beside web. SERVICE_SECRET opens them."""

from __future__ import annotations

from flask import Blueprint

from routes.http.guards import GuardedCalls


def service_calls(name: str, import_name: str) -> Blueprint:
    """Make a blueprint whose views are guarded as ``service``, unless one declares another guard."""
    return GuardedCalls(name, import_name, "service")
