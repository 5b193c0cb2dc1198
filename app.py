"""Builds Lockstep's web application from its services and routes.

``gunicorn app:app`` serves it; tests call ``create_app(config)``.
"""

from __future__ import annotations

import atexit
import sys
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from flask import Flask, Response, request
from flask.json.provider import JSONProvider
from werkzeug.middleware.proxy_fix import ProxyFix

from routes.bridge.connection import bridge
from routes.bridge.fills import fills as bridge_fills
from routes.bridge.orders import orders as bridge_orders
from routes.http import errors, guards, later, proxy_signs, request_ids, session_cookie
from routes.http.bodies import BODY_LIMIT
from routes.http.replies import AppServices
from routes.operator.account import account
from routes.operator.broker import broker
from routes.operator.controls import controls
from routes.operator.dead_letters import dead_letters
from routes.operator.journal import journal
from routes.operator.journal_bricks import journal_bricks
from routes.operator.limits import limits
from routes.operator.orders import orders
from routes.operator.setup import setup
from routes.operator.waiting import waiting
from routes.pages import assets
from routes.pages.api_docs import api_docs
from routes.pages.auth import auth
from routes.pages.health import health
from routes.pages.pages import pages
from routes.pages.setup import setup_page
from routes.readers.bricks import bricks
from routes.readers.events import events
from routes.readers.metrics import metrics
from routes.readers.state import state
from routes.readers.stream import stream
from routes.tradingview.webhooks import KINDS, webhooks
from services.access.gatekeeper import Gatekeeper
from services.access.keys import KeyRing
from services.access.sessions import Sessions
from services.desk.manager import StateManager
from services.engine.model.settings import RULE_SETTINGS
from services.live.activity import ActivityLog
from services.live.bricks import BrickStore
from services.live.bridge_callers import BridgeCallers
from services.live.broadcast import Broadcaster
from services.live.clock_watch import ClockWatch
from services.live.event_feed import EventFeed
from services.live.stream_places import StreamPlaces
from services.notifications.delivery import NoticeCounter, NoticeSenders, WrongTarget, open_targets
from services.ops import watchdog
from services.ops.clock_jobs import start_clock_jobs
from services.ops.config import EARLIER_DATABASE, ENV_FILE, Config, ConfigError, supervisor
from services.ops.dotenv_file import secrets_that_change
from services.ops.logs import secrets_of, set_up_logs, warn_of_quotes
from services.ops.metrics import Metrics
from services.ops.opening import open_store
from services.ops.settings_table import SETTINGS
from services.stores.store import StoreError
from services.views.event_rows import EventViews
from services.views.limit_fields import LIMIT_FIELDS
from wire.encoding import encode
from wire.tradingview import JOURNALED, STREAMS
from wire.types import Instant

BLUEPRINTS = (
    account,
    broker,
    webhooks,
    *(orders, waiting, controls, limits, journal, journal_bricks, setup, dead_letters),
    *(bridge, bridge_orders, bridge_fills),
    *(state, stream, events, bricks, metrics),
    *(auth, pages, setup_page, health, api_docs),
)
log = structlog.get_logger(__name__)
GUNICORN_GIVES_UP = 4  # gunicorn's APP_LOAD_ERROR; after any other status the master restarts the worker forever
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)

ONLY_HTTPS = "max-age=31536000"  # a browser that came over https once comes over nothing else for a year


def create_app(config: Config | None = None, clock: Callable[[], Instant] | None = None) -> Flask:
    """Build web and start its desk: one writer, its clock jobs, its stream. ``clock`` is a test's (aware UTC).

    Raises ConfigError when a setting is missing, StoreError when the store cannot be opened.
    """
    reads_env_file = config is None
    config = config or Config.from_env()
    set_up_logs(config.log_level, secrets_of(config))
    warn_of_secrets(config, reads_env_file)
    name_the_database(config)
    app = Flask(__name__, static_folder=None)  # routes/pages/assets.py serves it
    set_up_flask(app, config)
    try:
        targets = open_targets(config.notify_urls)
    except WrongTarget as error:
        raise ConfigError(str(error)) from error
    services = open_services(config, Metrics(), clock)
    services.metrics.watch(services.manager, services.broadcaster)
    services.metrics.expect_webhooks(KINDS)
    app.extensions["lockstep"] = services
    install_calls(app, config, services)
    services.gatekeeper.sessions.start()
    clock_jobs = start_clock_jobs(services.manager, config)
    post = NoticeSenders(services.manager, targets, services.notice_counter)

    def close() -> None:
        atexit.unregister(close)
        services.end_streams()
        clock_jobs.stop()
        post.stop()
        services.bricks.stop()
        services.manager.finish()  # first, so that a standby takes over before the waits below
        services.gatekeeper.close()
        services.manager.stop()

    app.extensions["lockstep.close"] = close
    atexit.register(close)
    return app


def install_calls(app: Flask, config: Config, services: AppServices) -> None:
    """Install what stands around every call, and the blueprints."""
    later.install(app, services.manager)
    session_cookie.install(app, config, services.gatekeeper)
    errors.install(app)
    assets.install(app)
    request_ids.install(app, logs_all=config.log_level == "DEBUG")
    proxy_signs.install(app, services.gatekeeper.proxies)
    guards.install(app, services.gatekeeper)
    app.after_request(add_security_headers)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)


def warn_of_secrets(config: Config, reads_env_file: bool) -> None:
    """Log every secret with quotes around it, and each of `.env` that the file's syntax cuts or changes.

    Nothing else would say why such a secret is wrong.
    """
    warn_of_quotes(config)
    if not reads_env_file:
        return
    names = {row.name for row in SETTINGS if row.is_secret}
    for sentence in secrets_that_change(ENV_FILE, names):
        log.warning("a secret of .env is not what stands there", detail=sentence)


def name_the_database(config: Config) -> None:
    """Log where the desk is kept; warn when that is within the checkout, as it was by default before."""
    if config.store != "sqlite":
        return
    log.info("the desk is kept in a file", path=str(config.sqlite_path))
    if config.sqlite_path == EARLIER_DATABASE:
        log.warning("`git clean` deletes this file: stop web and move it to another place", setting="SQLITE_PATH")


def open_services(config: Config, metrics: Metrics, clock: Callable[[], Instant] | None = None) -> AppServices:
    """Open the store and start the writer and the broadcaster on it."""
    store = open_store(config)
    activity = ActivityLog()
    bricks = BrickStore()
    notice_counter = NoticeCounter()
    event_views = EventViews(store)
    feed = EventFeed(event_views)
    try:
        manager = StateManager(
            store,
            config.rules_at,
            clock,
            notifying=config.notifying,
            subscribers=(bricks, activity, feed, metrics, notice_counter),
            timer=metrics,
        )
    except BaseException:
        store.close()
        raise
    bricks.remember(store, manager.snapshot.desk.sequence)
    activity.remember(store)
    return AppServices(
        config=config,
        manager=manager,
        broadcaster=Broadcaster(manager, activity, bricks, feed),
        activity=activity,
        gatekeeper=Gatekeeper(config, KeyRing(store.api_keys), Sessions(store, lambda: manager.now)),
        stopping=threading.Event(),
        metrics=metrics,
        bricks=bricks,
        notice_counter=notice_counter,
        event_views=event_views,
        bridge_callers=BridgeCallers(),
        clock_watch=ClockWatch(),
        stream_places=StreamPlaces(),
    )


def set_up_flask(app: Flask, config: Config) -> None:
    app.json = PlainJson(app)
    app.secret_key = config.flask_secret_key
    app.jinja_env.globals.update(
        streams=STREAMS,
        journaled_streams=JOURNALED,
        stream_sizes={row.stream: row.size for row in STREAMS},
        limit_fields=LIMIT_FIELDS,
        limit_titles={row.rule: row.title for row in RULE_SETTINGS},
    )
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    app.url_map.merge_slashes = False  # a redirect would lose the body of a webhook
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


class PlainJson(JSONProvider):
    """JSON with plain numbers for prices and RFC 3339 for times."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return encode(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return msgspec.json.decode(s)


def add_security_headers(response: Response) -> Response:
    """Let nobody store an answer, and forbid browsers what the pages do not need. None reads that to a webhook."""
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"  # answers hold money and sessions; only files are kept
    if request.blueprint == webhooks.name:
        return response
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", ONLY_HTTPS)
    return response


def __getattr__(name: str) -> Any:
    """Build ``app`` when gunicorn asks for it, so that importing this module starts nothing."""
    if name != "app":
        raise AttributeError(name)
    try:
        built = create_app()
    except (ConfigError, StoreError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(GUNICORN_GIVES_UP)
    if (systemd := supervisor()) is not None:
        watchdog.start(systemd)
    globals()["app"] = built
    return built
