"""Which pages and hosts may use the operator's session: those of the desk's own address."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import current_app, request

from routes.http.errors import AccessDenied
from services.access.gatekeeper import Gatekeeper

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
LONGEST_ORIGIN = 200


def refuse_foreign_host(gatekeeper: Gatekeeper) -> None:
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


def refuse_foreign_origin() -> None:
    """Refuse a changing call that a page of another site made with the operator's session."""
    if request.method not in UNSAFE:
        return
    origin = request.headers.get("Origin")
    if origin is None:
        refuse_other_sites()
    elif is_foreign(origin):
        raise AccessDenied(_foreign_origin(origin, _own_origin()), 403)


def refuse_other_sites() -> None:
    """Refuse what a browser calls for a page of another site, also an image: it could read nothing, and would cost."""
    if _is_of_another_site():
        raise AccessDenied("this call came from another origin", 403)


def is_foreign(origin: str | None) -> bool:
    """Return whether this is the origin of a page that is not the desk's own. None is no page's."""
    return origin is not None and origin != _own_origin()


def comes_from_elsewhere() -> bool:
    """Return whether a page that is not the desk's own makes this call, also by an image that names no origin."""
    return is_foreign(request.headers.get("Origin")) or _is_of_another_site()


def _is_of_another_site() -> bool:
    return request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")


def _own_origin() -> str:
    return f"{request.scheme}://{request.host}"


def _foreign_origin(origin: str, own: str) -> str:
    """Say whose call it was, and what cures it when only a proxy stands between the page and its own desk."""
    said = f"this call came from another origin: from {origin[:LONGEST_ORIGIN]}, and this desk answers as {own}"
    proxies = current_app.extensions["lockstep"].config.trusted_proxies
    return (
        f"{said}; if that is its own page behind a proxy, set TRUSTED_PROXIES to the number of proxies ({proxies} now)"
    )
