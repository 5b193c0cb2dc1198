"""Guards decide who may call a route. A route without a declared guard answers 401 (DESIGN 10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Flask, current_app, g, request
from flask_login import current_user

from routes.http.bodies import BODY_LIMIT, SentBody, Unreadable, secret_within
from routes.http.errors import AccessDenied, Busy, InvalidRequest
from routes.http.later import name_caller
from services.access.gatekeeper import Gatekeeper
from services.access.keys import PREFIX, KeysUnknown, Scope

Guard = Literal["public", "operator", "bridge", "state_reader", "stream_reader", "metrics_reader", "tradingview"]
View = TypeVar("View", bound=Callable[..., Any])
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
KEY_HEADER = "X-API-Key"
ASK_AGAIN_SECONDS = 2
LONGEST_ORIGIN = 200


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
        sent = _read_whole_body()
        guard = guard_of(request.endpoint)
        if guard is None:
            raise AccessDenied("this route is closed")
        CHECKS[guard](gatekeeper, sent)
        _name_caller(guard, gatekeeper)
        if _takes_body(request.endpoint):
            request.view_args = {**(request.view_args or {}), "sent": sent}
        g.shows_version = guard == "operator"


def _name_caller(guard: Guard, gatekeeper: Gatekeeper) -> None:
    """Say to the front whom the guard has admitted. Nobody is known where anybody may call."""
    if guard == "tradingview":
        name_caller("webhook")
    elif guard == "bridge" or g.get("is_bridge", False):
        name_caller("bridge")
    elif guard == "metrics_reader" or g.get("api_key") is not None:
        name_caller("reader")
    elif guard != "public" and not gatekeeper.is_open and current_user.is_authenticated:
        name_caller("operator")


def _admit_anyone(gatekeeper: Gatekeeper, sent: SentBody) -> None:
    _refuse_foreign_host(gatekeeper)
    _refuse_foreign_origin()


def _admit_operator(gatekeeper: Gatekeeper, sent: SentBody) -> None:
    if not (gatekeeper.is_open or current_user.is_authenticated):
        raise AccessDenied("log in first")
    _admit_anyone(gatekeeper, sent)


def _admit_bridge(gatekeeper: Gatekeeper, sent: SentBody) -> None:
    if not gatekeeper.is_bridge(_bridge_secret(sent)):
        raise AccessDenied("the bridge secret is missing or wrong")


def _admit_state_reader(gatekeeper: Gatekeeper, sent: SentBody) -> None:
    if not _admit_key(gatekeeper, "state:read"):
        _admit_operator(gatekeeper, sent)


def _admit_stream_reader(gatekeeper: Gatekeeper, sent: SentBody) -> None:
    """Admit the bridge to its quotes, everybody else who may read the state to all of it."""
    g.is_bridge = gatekeeper.is_bridge(_bridge_secret(sent))
    if not g.is_bridge:
        _admit_state_reader(gatekeeper, sent)


def _admit_metrics_reader(gatekeeper: Gatekeeper, sent: SentBody) -> None:
    """Admit whoever collects metrics, by METRICS_TOKEN or by a key; both open nothing else."""
    if not gatekeeper.is_scraper(_bearer()) and not _admit_key(gatekeeper, "metrics:read"):
        _admit_operator(gatekeeper, sent)


def _admit_key(gatekeeper: Gatekeeper, scope: Scope) -> bool:
    """Check the API key of the request; return False when there is none. A key takes precedence over a session."""
    if request.query_string and any(text.startswith(PREFIX) for _, text in request.args.items(multi=True)):
        raise AccessDenied("an API key in a URL is refused: send it in a header, and revoke this one")
    bearer = _bearer()
    token = bearer if bearer.startswith(PREFIX) else request.headers.get(KEY_HEADER)
    if not token:
        return False
    try:
        key = gatekeeper.keys.find(token.strip())
    except KeysUnknown as error:
        raise Busy(str(error), ASK_AGAIN_SECONDS, "store_down") from error
    if key is None:
        raise AccessDenied("the API key is wrong or was revoked")
    if request.method in UNSAFE:
        raise AccessDenied("an API key changes nothing", 403)
    if scope not in key.scopes:
        raise AccessDenied(f"this call needs an API key with the scope {scope}", 403)
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
    "state_reader": _admit_state_reader,
    "stream_reader": _admit_stream_reader,
    "metrics_reader": _admit_metrics_reader,
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


def _refuse_foreign_host(gatekeeper: Gatekeeper) -> None:
    """Refuse a name that a stranger may have given to this address, where no password protects the desk."""
    if gatekeeper.is_open and not gatekeeper.answers_to(host := _host_asked()):
        raise AccessDenied(
            f"a desk without a password answers private hosts only, not {host[:LONGEST_ORIGIN]!r}: "
            "set DASHBOARD_PASSWORD, or name the host in ALLOWED_HOSTS",
            403,
        )


def _host_asked() -> str:
    """Return the host of the request in small letters, without its port; empty when it cannot be read."""
    try:
        return (urlsplit(f"//{request.host}").hostname or "").removesuffix(".")
    except ValueError:
        return ""


def _refuse_foreign_origin() -> None:
    """Refuse a changing call that a page of another site made with the operator's session."""
    if request.method not in UNSAFE:
        return
    origin = request.headers.get("Origin")
    own = f"{request.scheme}://{request.host}"
    if origin is None:
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise AccessDenied("this call came from another origin", 403)
    elif origin != own:
        raise AccessDenied(_foreign_origin(origin, own), 403)


def _foreign_origin(origin: str, own: str) -> str:
    """Say whose call it was, and what cures it when only a proxy stands between the page and its own desk."""
    said = f"this call came from another origin: from {origin[:LONGEST_ORIGIN]}, and this desk answers as {own}"
    proxies = current_app.extensions["lockstep"].config.trusted_proxies
    return (
        f"{said}; if that is its own page behind a proxy, set TRUSTED_PROXIES to the number of proxies ({proxies} now)"
    )
