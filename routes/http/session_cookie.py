"""The cookie of the operator's session: closed to scripts and other sites, and separate for each desk."""

from __future__ import annotations

from hashlib import blake2b

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_login import LoginManager

from services.access.gatekeeper import Gatekeeper
from services.access.sessions import SESSION_LASTS
from services.ops.config import Config

WITHOUT_SESSION = "/tv_"
OVER_HTTPS = "__Host-"  # a browser accepts a cookie with this prefix only over https and only from this host


def install(app: Flask, config: Config, gatekeeper: Gatekeeper) -> None:
    """Keep sessions in a cookie; one set over https is sent over https only."""
    app.session_interface = SecureBehindHttps()
    app.config.update(
        SESSION_COOKIE_NAME=cookie_name(config),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        PERMANENT_SESSION_LIFETIME=SESSION_LASTS,
    )
    logins = LoginManager(app)
    logins.user_loader(gatekeeper.operator)


def cookie_name(config: Config) -> str:
    """Return a cookie name of this desk: browsers share cookies between ports, and two desks may share a host.

    It is derived from the store and the secret key, so that the desk's standby uses the same name.
    """
    place = config.sqlite_path.resolve() if config.store == "sqlite" else config.google_cloud_project
    key = config.flask_secret_key.encode()[:64]
    return f"lockstep-{blake2b(f'session cookie of {place}'.encode(), key=key, digest_size=4).hexdigest()}"


class SecureBehindHttps(SecureCookieSessionInterface):
    """Marks the session cookie Secure, by attribute and by name, when the request came over https."""

    def get_cookie_name(self, app: Flask) -> str:
        name = super().get_cookie_name(app)
        return f"{OVER_HTTPS}{name}" if request.is_secure else name

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Open none for a webhook: it has no cookie, and neither reading nor writing one costs it anything."""
        return None if request.path.startswith(WITHOUT_SESSION) else super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set no cookie with a static file: caches would then keep one copy for each cookie."""
        if request.endpoint != "static":
            super().save_session(app, session, response)
