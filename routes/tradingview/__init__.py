"""TradingView's webhooks. TV_WEBHOOK_SECRET in the body opens them."""

from __future__ import annotations

from flask import Blueprint

from routes.http.guards import GuardedCalls


def tradingview_calls(name: str, import_name: str) -> Blueprint:
    """Make a blueprint whose views are guarded as ``tradingview``, unless one declares another guard."""
    return GuardedCalls(name, import_name, "tradingview")
