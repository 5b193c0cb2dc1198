"""Calls that only read: state, stream, bricks, metrics. A session or an API key with `state:read` opens them."""

from __future__ import annotations

from flask import Blueprint

from routes.http.guards import GuardedCalls


def reader_calls(name: str, import_name: str) -> Blueprint:
    """Make a blueprint whose views are guarded as ``state_reader``, unless one declares another guard."""
    return GuardedCalls(name, import_name, "state_reader")
