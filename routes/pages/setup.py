"""The set-up page: texts to paste into TradingView and on the bridge's machine, and whether messages arrive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask_login import current_user
from msgspec import to_builtins
from werkzeug.wrappers import Response as AnyResponse

from routes.http.guards import guarded_by
from routes.http.replies import app_services
from routes.pages.feed_rows import feed_rows
from routes.pages.pages import page_of
from services.access.gatekeeper import SharedSecret
from services.ops.config import PROJECT
from wire.keys import SCOPES
from wire.tradingview import (
    BAR_PATH,
    BRICK_INDICATOR,
    BRICK_MESSAGE,
    HEARTBEAT_MESSAGE,
    HEARTBEAT_PATH,
    LEVEL_MESSAGE,
    LEVEL_PATH,
    STREAMS,
)
from wire.types import Instant

setup_page = Blueprint("setup_page", __name__)

SCRIPT = PROJECT / "tradingview" / "lockstep.pine"
LEVEL_HOOK = {
    "path": LEVEL_PATH,
    "title": "Level exit",
    "use": "exits the asset when a drawn line is touched",
    "when": "an alert on a drawn line, once, beside the one above",
    "message": LEVEL_MESSAGE,
    "ts": "level_exit_ts",
}


@setup_page.get("/setup")
@guarded_by("public")
def show_setup() -> AnyResponse:
    """Show the set-up page; without a session redirect to the login."""
    is_open = app_services().gatekeeper.is_open
    if not (is_open or current_user.is_authenticated):
        return redirect(url_for("pages.show_login"), 303)
    origin = request.host_url.rstrip("/")
    facts = {"origin": origin, "secrets_in_use": secrets_in_use(), **tradingview_facts()}
    more = {"proxies": proxies(), "key_scopes": SCOPES, **feeds_facts(origin)}
    return page_of("pages/setup.html", open_mode=is_open, **facts, **more)


def tradingview_facts() -> dict[str, object]:
    """Return what is pasted into TradingView, for each asset its unit and who builds its bricks."""
    desk = app_services().manager.snapshot.desk
    assets = desk.assets
    return {
        "script": SCRIPT.read_text("utf-8"),
        "bar_path": BAR_PATH,
        "units": {symbol: f"{asset.contract.point.normalize():f}" for symbol, asset in assets.items()},
        "built_by": {symbol: "desk" if symbol in desk.rules.bricks_by_desk else "tradingview" for symbol in assets},
        "sizes": {row.state_name: row.size for row in STREAMS},
        "level_hook": LEVEL_HOOK,
        "hooks": hooks(),
        "indicator": BRICK_INDICATOR,
    }


def feeds_facts(origin: str) -> dict[str, object]:
    """Return what is known of feeds, and its rows. Behind a proxy the market feed has the desk's own address."""
    answer = app_services().feeds.look()
    config = app_services().config
    rows = feed_rows(origin if config.trusted_proxies > 0 else None, config.assets[0], answer)
    return {"feeds_answer": to_builtins(answer), "feed_rows": rows}


def proxies() -> str:
    """Return what does not fit TRUSTED_PROXIES and how long ago it was seen, an empty text when all fits."""
    sign = app_services().gatekeeper.proxies.last
    if sign is None:
        return ""
    return f"{sign.sentence}. Last seen {_minutes(datetime.now(UTC) - sign.at)} min ago."


def secrets_in_use() -> list[tuple[str, str]]:
    """Return each previous secret's setting and whether it is still in use, so that it can be removed."""
    gatekeeper = app_services().gatekeeper
    now = app_services().manager.now
    secrets = (
        ("TV_WEBHOOK_SECRET_PREVIOUS", gatekeeper.tradingview),
        ("BRIDGE_HEARTBEAT_SECRET_PREVIOUS", gatekeeper.bridge),
        ("SERVICE_SECRET_PREVIOUS", gatekeeper.service),
    )
    return [(name, _previous_use(secret, now)) for name, secret in secrets]


def _previous_use(secret: SharedSecret, now: Instant) -> str:
    if not secret.has_previous:
        return "not set"
    if secret.previous_used_at is None:
        return "not used since web was started: it can go when every program has called"
    return f"still in use, {_minutes(now - secret.previous_used_at)} min ago"


def _minutes(passed: timedelta) -> int:
    return max(0, int(passed.total_seconds() // 60))


def hooks() -> list[dict[str, Any]]:
    """Return the webhooks of thirteen alerts and their messages. The page puts asset, colour and secret in."""
    bricks = [
        {
            "path": row.path,
            "title": f"{row.size}pt bricks",
            "use": row.use,
            "when": f"Renko chart, box size {row.size} × unit, once per bar close; one alert for up, one for down",
            "message": BRICK_MESSAGE,
            "ts": f"{row.state_name}_ts",
        }
        for row in sorted(STREAMS, key=lambda row: row.set_up_place)
    ]
    every_minute = {
        "path": HEARTBEAT_PATH,
        "title": "Heartbeat",
        "use": "last price; without one for ten minutes no entry is taken",
        "when": "normal chart, every bar close (1 minute)",
        "message": HEARTBEAT_MESSAGE,
        "ts": "last_heartbeat_ts",
    }
    return [every_minute, *bricks]
