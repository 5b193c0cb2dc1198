"""Guards decide who may call a route. A route without a declared guard answers 401 (DESIGN 10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from flask import Blueprint, Flask, current_app, g, request
from flask_login import current_user

from routes.http.bodies import BODY_LIMIT, SentBody, Unreadable, secret_within
from routes.http.errors import AccessDenied, Busy, InvalidRequest
from routes.http.later import name_caller
from routes.http.origins import (
    UNSAFE,
    comes_from_elsewhere,
    refuse_foreign_host,
    refuse_foreign_origin,
    refuse_other_sites,
)
from services.access.gatekeeper import Gatekeeper
from services.access.keys import ApiKey, KeysUnknown
from wire.keys import KEY_PREFIX, SERVICE_HEADER, Scope

ReaderGuard = Literal[
    "state_reader",
    "stream_reader",
    "events_reader",
    "bricks_reader",
    "journal_reader",
    "portfolio_reader",
    "auto_trade_reader",
    "proposals_reader",
]
KeyDoor = Literal["signals_door", "chat_door"]
Guard = (
    Literal["public", "operator", "bridge", "service", "metrics_reader", "tradingview", "what_if_reader"]
    | Literal["proposer", "exit_door"]
    | ReaderGuard
    | KeyDoor
)
OPENED_BY: Mapping[Guard, tuple[Scope, ...]] = MappingProxyType(
    {
        "state_reader": ("state:read",),
        "stream_reader": ("state:read",),
        "events_reader": ("events:read", "state:read"),
        "bricks_reader": ("candles:read", "state:read"),
        "journal_reader": ("journal:read",),
        "portfolio_reader": ("state:read",),
        "auto_trade_reader": ("agent:trade", "signals:read"),
        "proposals_reader": ("state:read", "agent:trade"),
        "metrics_reader": ("metrics:read",),
        "signals_door": ("signals:read",),
        "chat_door": ("agent:chat",),
        "proposer": ("agent:trade",),
    }
)
"""What an API key opens, and the scopes of which one suffices."""

POSTED_BY_KEYS: frozenset[Guard] = frozenset({"signals_door", "chat_door", "proposer"})
"""The only guards at which a key may do more than GET: two ask the advisor, one proposes. None enters or exits."""

FRONT_END_DOORS: frozenset[Guard] = frozenset({"signals_door", "chat_door", "auto_trade_reader", "portfolio_reader"})
"""What a page of another origin may call with a key, where ``CORS_ORIGINS`` names it. No session counts for it."""

View = TypeVar("View", bound=Callable[..., Any])
KEY_HEADER = "X-API-Key"
PORTFOLIO = "/api/portfolio"
"""Of the platform's contract, the operator's calls included: its errors tell their time."""

ASK_AGAIN_SECONDS = 2


def guarded_by(guard: Guard) -> Callable[[View], View]:
    """Declare the view's guard: who may call it."""

    def declare(view: View) -> View:
        view.__guard__ = guard  # type: ignore[attr-defined]
        return view

    return declare


class GuardedCalls(Blueprint):
    """The blueprint of one folder: a view without a guard of its own gets the folder's."""

    def __init__(self, name: str, import_name: str, guard: Guard) -> None:
        super().__init__(name, import_name)
        self._guard = guard

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Give the view a guard, then add the rule as Flask does."""
        if view_func is not None and not hasattr(view_func, "__guard__"):
            guarded_by(self._guard)(view_func)
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **options)


def guard_of(endpoint: str | None) -> Guard | None:
    """Return the declared guard of an endpoint, None without one."""
    if endpoint == "static":
        return "public"
    return getattr(current_app.view_functions.get(endpoint or ""), "__guard__", None)


def _takes_body(endpoint: str | None) -> bool:
    return hasattr(current_app.view_functions.get(endpoint or ""), "__body__")


def install(app: Flask, gatekeeper: Gatekeeper) -> None:
    """Ask the guard before every request that matched a route, then hand the body on to a view that takes one."""

    @app.before_request
    def ask_guard() -> None:
        if request.url_rule is None:
            return  # nothing there: the router's own 404 or 405 answers
        guard = guard_of(request.endpoint)
        g.tells_time = guard in FRONT_END_DOORS or request.path.startswith(PORTFOLIO)
        sent = _read_whole_body()
        if guard is None:
            raise AccessDenied("this route is closed")
        CHECKS[guard](gatekeeper, sent)
        _name_caller(guard, gatekeeper)
        if _takes_body(request.endpoint):
            request.view_args = {**(request.view_args or {}), "sent": sent}
        g.shows_version = guard in ("operator", "exit_door", "journal_reader")


def caller_is_service() -> bool:
    """Return whether the guard has admitted this request by the service secret."""
    return bool(g.get("is_service", False))


def caller_key() -> ApiKey | None:
    """Return the API key that the guard has admitted this request by, None without one."""
    key: ApiKey | None = g.get("api_key")
    return key


def _name_caller(guard: Guard, gatekeeper: Gatekeeper) -> None:
    """Say to the front whom the guard has admitted. Nobody is known where anybody may call."""
    if guard == "tradingview":
        name_caller("webhook")
    elif guard == "bridge" or g.get("is_bridge", False):
        name_caller("bridge")
    elif caller_is_service():
        name_caller("service")
    elif guard == "metrics_reader" or caller_key() is not None:
        name_caller("reader")
    elif guard != "public" and not gatekeeper.is_open and current_user.is_authenticated:
        name_caller("operator")


def _admit_anyone(gatekeeper: Gatekeeper, sent: SentBody) -> None:
    refuse_foreign_host(gatekeeper)
    refuse_foreign_origin()


def _admit_operator(gatekeeper: Gatekeeper, sent: SentBody) -> None:
    """Admit the session, or anybody where no password is set. A key that is shown to a changing call is judged."""
    if request.method in UNSAFE:
        _admit_key(gatekeeper, "operator")
    if not (gatekeeper.is_open or current_user.is_authenticated):
        raise AccessDenied("log in first")
    if gatekeeper.is_open and request.path.startswith("/api/"):
        refuse_other_sites()
    _admit_anyone(gatekeeper, sent)


def _admit_bridge(gatekeeper: Gatekeeper, sent: SentBody) -> None:
    if not gatekeeper.is_bridge(_bridge_secret(sent)):
        raise AccessDenied("the bridge secret is missing or wrong")


def _admit_service(gatekeeper: Gatekeeper, sent: SentBody) -> None:
    if not _admit_shown_service(gatekeeper):
        raise AccessDenied("the service secret is missing")


def _admit_shown_service(gatekeeper: Gatekeeper) -> bool:
    """Check the service secret of the request; return False when there is none. It is judged before all others."""
    shown = request.headers.get(SERVICE_HEADER)
    g.is_service = gatekeeper.is_service(shown)
    if shown is not None and not g.is_service:
        raise AccessDenied("the service secret is wrong")
    return bool(g.is_service)


def _admit_reader(guard: ReaderGuard, gatekeeper: Gatekeeper, sent: SentBody) -> None:
    """Admit a program beside web, a key with a scope of this guard, and the operator."""
    if not _admit_shown_service(gatekeeper):
        _admit_key_or_operator(guard, gatekeeper, sent)


def _admit_key_or_operator(guard: Guard, gatekeeper: Gatekeeper, sent: SentBody) -> None:
    """Admit a key with a scope of this guard, and the operator; a page of another origin needs the key."""
    if _admit_key(gatekeeper, guard):
        return
    if guard in FRONT_END_DOORS and comes_from_elsewhere():
        raise AccessDenied("a page of another origin needs an API key: no session counts for it")
    _admit_operator(gatekeeper, sent)


def _admit_proposer(gatekeeper: Gatekeeper, sent: SentBody) -> None:
    """Admit a program beside web, and a key that may propose. Not the operator, who clicks."""
    if not _admit_shown_service(gatekeeper) and not _admit_key(gatekeeper, "proposer"):
        raise AccessDenied("this call needs the service secret, or an API key with the scope agent:trade")


def _admit_exit(gatekeeper: Gatekeeper, sent: SentBody) -> None:
    """Admit the operator, and a program beside web to a forced exit of one asset and to nothing else."""
    if not _admit_shown_service(gatekeeper):
        _admit_operator(gatekeeper, sent)
    elif not _is_forced_exit(sent):
        raise AccessDenied('the service secret opens only {"asset", "force": true}, and "trade", here', 403)


def _is_forced_exit(sent: SentBody) -> bool:
    asked = sent.decoded
    if isinstance(asked, Unreadable) or asked.get("force") is not True:
        return False
    return set(asked) in ({"asset", "force"}, {"asset", "force", "trade"})


def _admit_what_if_reader(gatekeeper: Gatekeeper, sent: SentBody) -> None:
    """Admit a program beside web, and the operator. No key: a day that is decided again is much work."""
    if not _admit_shown_service(gatekeeper):
        _admit_operator(gatekeeper, sent)


def _admit_stream_reader(gatekeeper: Gatekeeper, sent: SentBody) -> None:
    """Admit the bridge to its quotes, everybody else who may read the state to all of it."""
    g.is_bridge = gatekeeper.is_bridge(_bridge_secret(sent))
    if not g.is_bridge:
        _admit_reader("stream_reader", gatekeeper, sent)


def _admit_metrics_reader(gatekeeper: Gatekeeper, sent: SentBody) -> None:
    """Admit whoever collects metrics, by METRICS_TOKEN or by a key; both open nothing else."""
    if not gatekeeper.is_scraper(_bearer()) and not _admit_key(gatekeeper, "metrics_reader"):
        _admit_operator(gatekeeper, sent)


def _admit_key(gatekeeper: Gatekeeper, guard: Guard) -> bool:
    """Check the API key of the request; return False when there is none. A key takes precedence over a session."""
    if request.query_string and any(text.startswith(KEY_PREFIX) for _, text in request.args.items(multi=True)):
        raise AccessDenied("an API key in a URL is refused: send it in a header, and revoke this one")
    bearer = _bearer()
    token = bearer if bearer.startswith(KEY_PREFIX) else request.headers.get(KEY_HEADER)
    if not token:
        return False
    try:
        key = gatekeeper.keys.find(token.strip())
    except KeysUnknown as error:
        raise Busy(str(error), ASK_AGAIN_SECONDS, "store_down") from error
    if key is None:
        raise AccessDenied("the API key is wrong or was revoked")
    if request.method in UNSAFE and guard not in POSTED_BY_KEYS:
        raise AccessDenied("an API key changes nothing here", 403)
    scopes = OPENED_BY[guard]
    if not key.opens_any(scopes):
        raise AccessDenied(f"this call needs an API key with the scope {' or '.join(scopes)}", 403)
    g.api_key = key
    return True


def _bearer() -> str:
    """Return the token after ``Authorization: Bearer``, or an empty text."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _admit_tradingview(gatekeeper: Gatekeeper, sent: SentBody) -> None:
    """Find the secret even in a body that cannot be read, so that the body can be kept (SPEC 3)."""
    if isinstance(sent.decoded, Unreadable):
        secret = secret_within(sent.raw)
        if secret is None:
            raise InvalidRequest("", f"the body was {sent.decoded.reason}")
    else:
        secret = sent.decoded.get("secret")
    if not gatekeeper.is_tradingview(secret if isinstance(secret, str) else None):
        raise AccessDenied("the webhook secret is missing or wrong")


CHECKS: dict[Guard, Callable[[Gatekeeper, SentBody], None]] = {
    "public": _admit_anyone,
    "operator": _admit_operator,
    "bridge": _admit_bridge,
    "service": _admit_service,
    "state_reader": partial(_admit_reader, "state_reader"),
    "stream_reader": _admit_stream_reader,
    "events_reader": partial(_admit_reader, "events_reader"),
    "bricks_reader": partial(_admit_reader, "bricks_reader"),
    "journal_reader": partial(_admit_reader, "journal_reader"),
    "portfolio_reader": partial(_admit_reader, "portfolio_reader"),
    "auto_trade_reader": partial(_admit_reader, "auto_trade_reader"),
    "proposals_reader": partial(_admit_reader, "proposals_reader"),
    "signals_door": partial(_admit_key_or_operator, "signals_door"),
    "chat_door": partial(_admit_key_or_operator, "chat_door"),
    "proposer": _admit_proposer,
    "exit_door": _admit_exit,
    "metrics_reader": _admit_metrics_reader,
    "what_if_reader": _admit_what_if_reader,
    "tradingview": _admit_tradingview,
}


def _read_whole_body() -> SentBody:
    """Read the body, whoever will look at it: one left unread would end the connection.

    A body without a length was cut when it reached the limit; it is refused, since its rest is missing.
    """
    if request.method not in UNSAFE:
        return SentBody(b"")
    raw = request.get_data()
    if request.content_length is None and len(raw) >= BODY_LIMIT:
        raise InvalidRequest("", f"the body was longer than {BODY_LIMIT} bytes", 413)
    return SentBody(raw)


def _bridge_secret(sent: SentBody) -> str | None:
    """Return the bridge's secret from the header, the query or the body, also from one that is no JSON (SPEC 8.3)."""
    given = request.headers.get("X-Bridge-Secret") or _secret_in_query()
    if given is not None or request.method not in UNSAFE:
        return given
    if isinstance(sent.decoded, Unreadable):
        return secret_within(sent.raw)
    in_body = sent.decoded.get("secret")
    return in_body if isinstance(in_body, str) else None


def _secret_in_query() -> str | None:
    secrets = request.args.getlist("secret")
    if len(secrets) > 1:
        raise InvalidRequest("secret", f"was given {len(secrets)} times, must be given once")
    return secrets[0] if secrets else None
