"""The cookie that holds the operator's session: out of reach of scripts, of other sites and of other desks."""

from __future__ import annotations

from hashlib import blake2b

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_login import LoginManager

from services.access.gatekeeper import Gatekeeper
from services.access.sessions import SESSION_LASTS
from services.ops.config import Config

OVER_HTTPS = "__Host-"  # with this in its name a browser takes the cookie from this host over https alone


def install(app: Flask, config: Config, gatekeeper: Gatekeeper) -> None:
    """Keep sessions in a cookie that https alone carries once it was used."""
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
    """Return a name of the desk's own: browsers do not tell ports apart, and two desks may share a host.

    It is made of the store and the secret key, so that a desk's standby reads the cookie, too.
    """
    place = config.sqlite_path.resolve() if config.store == "sqlite" else config.google_cloud_project
    key = config.flask_secret_key.encode()[:64]
    return f"lockstep-{blake2b(f'session cookie of {place}'.encode(), key=key, digest_size=4).hexdigest()}"


class SecureBehindHttps(SecureCookieSessionInterface):
    """Marks the session cookie Secure, in its name too, whenever the request came over https."""

    def get_cookie_name(self, app: Flask) -> str:
        name = super().get_cookie_name(app)
        return f"{OVER_HTTPS}{name}" if request.is_secure else name

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Save nothing behind an asset: it would be another one for each cookie, and kept for no other."""
        if request.endpoint != "static":
            super().save_session(app, session, response)
