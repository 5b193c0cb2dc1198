"""The log of web: one JSON object per line on stderr, for its own lines and those of gunicorn and libraries.

No secret is logged: web's own lines contain none, and a secret in a text from elsewhere (an exception's message, a
request line that gunicorn could not parse) is replaced by ``***`` before the line is written.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Iterable
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from services.access.secret_mask import SecretMask
from services.ops.config import Config

QUOTES = "\"'`\u201c\u201d\u201e\u2018\u2019"
SHORTEST_PART = 16  # characters: shorter parts of a notification URL are hosts and words, not tokens

log = structlog.get_logger(__name__)


class Blackout(SecretMask):
    """The last step of every line; the routes ask it, too, before they keep a text that a caller sent."""

    def __call__(self, logger: WrappedLogger, method: str, line: Any) -> Any:
        return self.masked(line)


blackout = Blackout()


def parts_of_url(url: str) -> list[str]:
    """Return the parts of a notification URL that may be tokens, and the URL itself."""
    return [url, *(part for part in re.split(r"[/:@?&=#,]+", url) if len(part) >= SHORTEST_PART)]


def secrets_of(config: Config) -> tuple[str, ...]:
    """Return every secret that no log line may show, with the tokens within notification URLs."""
    own = (config.tv_webhook_secret, config.bridge_secret, config.flask_secret_key, config.metrics_token)
    previous = (config.tv_webhook_secret_previous, config.bridge_secret_previous)
    services = (config.service_secret, config.service_secret_previous)
    passwords = (config.dashboard_password, config.dashboard_password_hash, config.google_cloud_credentials)
    parts = (part for url in config.notify_urls for part in parts_of_url(url))
    return tuple(filter(None, (*own, *previous, *services, *passwords, *parts)))


def warn_of_quotes(config: Config) -> None:
    """Log which secrets stand in quotes: the quotes are part of the secret then, and nobody sends them."""
    secrets = {
        "TV_WEBHOOK_SECRET": config.tv_webhook_secret,
        "TV_WEBHOOK_SECRET_PREVIOUS": config.tv_webhook_secret_previous,
        "BRIDGE_HEARTBEAT_SECRET": config.bridge_secret,
        "BRIDGE_HEARTBEAT_SECRET_PREVIOUS": config.bridge_secret_previous,
        "FLASK_SECRET_KEY": config.flask_secret_key,
        "SERVICE_SECRET": config.service_secret,
        "SERVICE_SECRET_PREVIOUS": config.service_secret_previous,
        "METRICS_TOKEN": config.metrics_token,
        "DASHBOARD_PASSWORD": config.dashboard_password,
    }
    for name, secret in secrets.items():
        if secret and (secret[0] in QUOTES or secret[-1] in QUOTES):
            log.warning("the quotes around a secret are part of it", setting=name)


def set_up_logs(level: str, secrets: Iterable[str] = ()) -> None:
    """Configure web's own log: lines of this level and above, without these secrets."""
    blackout.learn(secrets)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *_facts(), *_rendering()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )


def for_libraries() -> dict[str, Any]:
    """Return the logging configuration that gives lines of gunicorn and libraries the same form."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": _library_formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "lines"}},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {"gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False}},
    }


def take_over_the_process() -> None:
    """Log warnings of Python and exceptions that end a thread."""
    logging.captureWarnings(True)
    threading.excepthook = _thread_ended


def _thread_ended(fault: threading.ExceptHookArgs) -> None:
    if fault.exc_value is None or isinstance(fault.exc_value, SystemExit):
        return
    log.critical("a thread ended by a fault", thread=fault.thread and fault.thread.name, exc_info=fault.exc_value)


def _library_formatter() -> logging.Formatter:
    before: list[Processor] = [structlog.contextvars.merge_contextvars, structlog.stdlib.add_logger_name, *_facts()]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering()],
    )


def _facts() -> list[Processor]:
    return [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]


def _rendering() -> list[Processor]:
    if sys.stderr.isatty():
        return [structlog.dev.ConsoleRenderer(), blackout]
    return [structlog.processors.format_exc_info, _as_json, blackout]


def _as_json(logger: WrappedLogger, method: str, event: EventDict) -> str:
    return json.dumps(event, ensure_ascii=False, default=repr)
