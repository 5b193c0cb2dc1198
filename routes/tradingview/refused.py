"""A line in the log for every webhook call that did not get as far as the desk (SPEC 3).

TradingView shows its answer to nobody, so the log must say what went wrong: address, path, size and reason. The body
is never shown: whoever sent it had no good secret.
"""

from __future__ import annotations

import re

import structlog
from flask import Response, request

from routes.http.replies import app_services
from services.engine.model.wording import Explanation, facts_of
from services.live.activity import LogLine
from services.ops.logs import blackout
from wire.tradingview import WEBHOOK_PATHS

log = structlog.get_logger(__name__)

PATHS = frozenset(WEBHOOK_PATHS)
MEANT_FOR_A_WEBHOOK = re.compile(r"/*tv(?![a-z0-9])", re.ASCII | re.IGNORECASE)
NO_WEBHOOK = "tv_unknown"
LONGEST_PATH = 60
CURLY_QUOTES = ("\u201c".encode(), "\u201d".encode(), "\u201e".encode())
NO_OBJECT = 400
NOT_FOUND = 404


def is_of_webhook(path: str) -> bool:
    """Return whether the path is that of a webhook, or a misspelt one."""
    return MEANT_FOR_A_WEBHOOK.match(path) is not None


def note_refused(response: Response) -> None:
    """Add the line of a webhook call that was refused or failed. Equal ones within a minute are counted."""
    services = app_services()
    raw = request.get_data() if request.method == "POST" and response.status_code == NO_OBJECT else b""
    reason = blackout.masked(_reason(response, raw))
    facts = {"status": response.status_code, "address": request.remote_addr, "size": request.content_length or 0}
    is_known = request.path in PATHS
    where = "" if is_known else f", {blackout.masked(request.path)[:LONGEST_PATH]}"
    text = f"{facts['address']}, {facts['size']} bytes{where}: {reason}"
    why = Explanation("refused", detail=reason, facts=facts_of(facts))
    outcome = f"refused ({response.status_code})"
    line = LogLine(
        services.manager.now, request.path.strip("/") if is_known else NO_WEBHOOK, None, text, outcome, why=why
    )
    if services.activity.note_counted("tradingview", line):
        log.warning("webhook refused", path=request.path, reason=reason, **facts)


def _reason(response: Response, raw: bytes) -> str:
    """Return why the call was refused; for a body that is no JSON, what it looks like to a person."""
    if response.status_code == NOT_FOUND:
        return "no webhook has this path"
    if any(quote in raw for quote in CURLY_QUOTES):
        return "the body has curly quotes: JSON needs straight ones"
    if raw and not raw.lstrip().startswith((b"{", b"[")):
        is_form = b"=" in raw and b" " not in raw.strip()
        return "the body was form fields, it must be JSON" if is_form else "the body was plain text, it must be JSON"
    answered = response.get_json(silent=True)
    return str(answered.get("error")) if isinstance(answered, dict) else response.status
