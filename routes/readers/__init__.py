"""Calls that only read: state, stream, events, bricks, journal, metrics.

A session opens them, a key with one of the guard's scopes (``routes/http/guards.py``), and all but the metrics a
program beside web.
"""

from __future__ import annotations

from flask import Blueprint

from routes.http.guards import GuardedCalls


def reader_calls(name: str, import_name: str) -> Blueprint:
    """Make a blueprint whose views are guarded as ``state_reader``, unless one declares another guard."""
    return GuardedCalls(name, import_name, "state_reader")
