"""Builds Lockstep's web application from its services and routes.

``gunicorn app:app`` serves it; tests call ``create_app(config)``.
"""

from __future__ import annotations

import atexit
import sys
import threading
from collections.abc import Callable
from typing import Any, get_args

import msgspec
import structlog
from flask import Flask, Response, request
from flask.json.provider import JSONProvider
from werkzeug.middleware.proxy_fix import ProxyFix

from routes.bridge.connection import bridge
from routes.bridge.fills import fills as bridge_fills
from routes.bridge.orders import orders as bridge_orders
from routes.bridge.ticks import ticks as bridge_ticks
from routes.http import callers, cors, errors, guards, later, proxy_signs, request_ids, session_cookie
from routes.http.bodies import BODY_LIMIT
from routes.http.replies import AppServices
from routes.operator.account import account
from routes.operator.advisor_watch import advisor_watch
from routes.operator.broker import broker
from routes.operator.candles import candles
from routes.operator.controls import controls
from routes.operator.dead_letters import dead_letters
from routes.operator.feeds import feeds
from routes.operator.journal_notes import journal_notes
from routes.operator.keys import keys
from routes.operator.limits import limits
from routes.operator.lockout import lockout
from routes.operator.orders import orders
from routes.operator.portfolio import portfolio_notes
from routes.operator.setup import setup
from routes.operator.status import status
from routes.operator.waiting import waiting
from routes.pages import assets
from routes.pages.api_docs import api_docs
from routes.pages.auth import auth
from routes.pages.health import health
from routes.pages.pages import pages
from routes.pages.setup import setup_page
from routes.readers.advisor import advisor
from routes.readers.auto_trade import auto_trade
from routes.readers.bricks import bricks
from routes.readers.chat import chat
from routes.readers.events import events
from routes.readers.journal import journal
from routes.readers.journal_bricks import journal_bricks
from routes.readers.journal_proposals import journal_proposals
from routes.readers.metrics import metrics
from routes.readers.portfolio import portfolio
from routes.readers.state import state
from routes.readers.stream import stream
from routes.readers.what_if import what_if
from routes.services.key_check import key_check
from routes.services.proposals import proposals
from routes.tradingview.bars import bars
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
from services.live.programs_heard import ProgramsHeard
from services.live.stream_places import StreamPlaces
from services.live.ticks import TickBook
from services.notifications.delivery import NoticeCounter, NoticeSenders, WrongTarget, open_targets
from services.ops import watchdog
from services.ops.advisor_calls import Addresses, AdvisorCalls
from services.ops.advisor_watch import AdvisorWatch
from services.ops.clock_jobs import start_clock_jobs
from services.ops.config import EARLIER_DATABASE, ENV_FILE, Config, ConfigError, supervisor
from services.ops.dotenv_file import secrets_that_change
from services.ops.feeds_candles import FeedsCandles
from services.ops.feeds_watch import FeedsWatch
from services.ops.logs import secrets_of, set_up_logs, warn_of_quotes
from services.ops.market_facts import SessionsAfter, sessions_after
from services.ops.metrics import Metrics
from services.ops.mt4_samples import Mt4Samples
from services.ops.opening import open_store
from services.ops.settings_table import SETTINGS
from services.ops.what_if_days import WhatIfDays
from services.stores.store import StoreError
from services.views.event_rows import EventViews
from services.views.limit_fields import LIMIT_FIELDS
from wire.candles import CandleTimeframe
from wire.encoding import encode
from wire.tradingview import JOURNALED, STREAMS
from wire.types import Instant

BLUEPRINTS = (
    account,
    broker,
    *(webhooks, bars),
    *(orders, waiting, controls, limits, lockout, journal_notes, setup, dead_letters, feeds, candles, keys, status),
    *(bridge, bridge_orders, bridge_fills, bridge_ticks),
    *(advisor, advisor_watch, auto_trade, chat),
    *(state, stream, events, bricks, journal, journal_bricks, journal_proposals, metrics, what_if),
    *(key_check, proposals),
    *(portfolio, portfolio_notes),
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


def create_app(
    config: Config | None = None,
    clock: Callable[[], Instant] | None = None,
    sessions: SessionsAfter = sessions_after,
) -> Flask:
    """Build web and start its desk: one writer, its clock jobs, its stream.

    ``clock`` (aware UTC) and ``sessions``, the markets' hours, are a test's; a desk that trades has neither.

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
    app.extensions["lockstep"] = services = open_services(config, Metrics(), clock)
    services.metrics.watch(services.manager, services.broadcaster)
    services.metrics.expect_webhooks(KINDS)
    install_calls(app, config, services)
    services.gatekeeper.sessions.start()
    clock_jobs = start_clock_jobs(services.manager, config, sessions)
    mt4_samples = Mt4Samples(services.manager, addresses_of(config))
    post = NoticeSenders(services.manager, targets, services.notice_counter)

    def close() -> None:
        atexit.unregister(close)
        services.end_streams()
        clock_jobs.stop()
        mt4_samples.stop()
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
    cors.install(app, config.cors_origins)  # before the guards: a preflight carries no key
    guards.install(app, services.gatekeeper)
    callers.install(app, services.programs, lambda: services.manager.now)
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
    advisor = addresses_of(config)
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
        programs=ProgramsHeard(manager.now),
        ticks=TickBook(),
        feeds=FeedsWatch(config.feeds_url, lambda: manager.now, lambda: manager.snapshot.writer),
        candles=FeedsCandles(config.feeds_url, config.service_secret),
        advisor=AdvisorCalls(advisor, manager.wake),
        advisor_watch=AdvisorWatch(advisor, lambda: manager.now),
        what_if=WhatIfDays(config.sqlite_path if config.store == "sqlite" else None, manager.wake),
    )


def addresses_of(config: Config) -> Addresses:
    """Return where the advisor is asked."""
    return Addresses(config.advisor_url, config.agent_url, config.service_secret)


def set_up_flask(app: Flask, config: Config) -> None:
    app.json = PlainJson(app)
    app.secret_key = config.flask_secret_key
    app.jinja_env.globals.update(
        streams=STREAMS,
        journaled_streams=JOURNALED,
        stream_sizes={row.stream: row.size for row in STREAMS},
        candle_timeframes=get_args(CandleTimeframe),
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


def served(sessions: SessionsAfter = sessions_after) -> Flask:
    """Build what gunicorn serves. A setting or a store that is wrong ends the process with a sentence."""
    try:
        built = create_app(sessions=sessions)
    except (ConfigError, StoreError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(GUNICORN_GIVES_UP)
    if (systemd := supervisor()) is not None:
        watchdog.start(systemd)
    return built


def __getattr__(name: str) -> Any:
    """Build ``app`` when gunicorn asks for it, so that importing this module starts nothing."""
    if name != "app":
        raise AttributeError(name)
    globals()["app"] = built = served()
    return built
