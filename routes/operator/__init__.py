"""The operator's calls: orders, controls, limits, journal. A session opens them."""

from __future__ import annotations

from flask import Blueprint

from routes.http.guards import GuardedCalls


def operator_calls(name: str, import_name: str) -> Blueprint:
    """Make a blueprint whose views are guarded as ``operator``, unless one declares another guard."""
    return GuardedCalls(name, import_name, "operator")
