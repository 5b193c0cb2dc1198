"""Check callers: the operator by password, bridge, TradingView and services by secret, readers by key.

Deny by default.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_login import UserMixin
from werkzeug.security import check_password_hash

from services.access.keys import KeyRing
from services.access.passwords import PasswordChecks, Verdict
from services.access.proxies import ProxySigns
from services.access.sessions import Session, Sessions, read_session
from wire.hosts import is_private

LONGEST_PASSWORD = 1024


class Credentials(Protocol):
    """The settings that hold secrets."""

    @property
    def tv_webhook_secret(self) -> str: ...

    @property
    def tv_webhook_secret_previous(self) -> str | None: ...

    @property
    def bridge_secret(self) -> str: ...

    @property
    def bridge_secret_previous(self) -> str | None: ...

    @property
    def service_secret(self) -> str | None: ...

    @property
    def service_secret_previous(self) -> str | None: ...

    @property
    def flask_secret_key(self) -> str: ...

    @property
    def dashboard_password(self) -> str | None: ...

    @property
    def dashboard_password_hash(self) -> str | None: ...

    @property
    def metrics_token(self) -> str | None: ...

    @property
    def trusted_proxies(self) -> int: ...

    @property
    def allowed_hosts(self) -> tuple[str, ...]: ...

    @property
    def is_open(self) -> bool: ...


class Operator(UserMixin):  # type: ignore[misc]
    """The operator within one session. There is only one operator.

    ``id`` is stored in the signed cookie: the operator's id and the session. The operator's id depends on the password,
    so a new password ends every older session.
    """

    def __init__(self, operator_id: str, session: Session) -> None:
        self.id = f"{operator_id}.{session}"
        self.session = session


class SharedSecret:
    """A secret that programs send. While it is being changed the previous one is accepted too."""

    def __init__(self, secret: str | None, previous: str | None) -> None:
        """Keep the secret; None opens to nobody."""
        self._secret = secret
        self._previous = previous
        self.previous_used_at: datetime | None = None

    @property
    def has_previous(self) -> bool:
        return self._previous is not None

    def opens_to(self, shown: str | None) -> bool:
        """Return whether the secret is right. Note the time when the previous one was used."""
        if shown is None:
            return False
        is_present = self._secret is not None and _same(shown, self._secret)
        if self._previous is not None and _same(shown, self._previous):
            self.previous_used_at = datetime.now(UTC)
            return True
        return is_present


class Gatekeeper:
    """Checks secrets and passwords in constant time, and limits the tries of passwords.

    ``keys`` holds the API keys, ``sessions`` the ended sessions, ``proxies`` what requests say about TRUSTED_PROXIES.
    """

    def __init__(self, config: Credentials, keys: KeyRing, sessions: Sessions) -> None:
        self.keys = keys
        self.sessions = sessions
        self.proxies = ProxySigns(config.trusted_proxies)
        self._config = config
        self.tradingview = SharedSecret(config.tv_webhook_secret, config.tv_webhook_secret_previous)
        self.bridge = SharedSecret(config.bridge_secret, config.bridge_secret_previous)
        previous = config.service_secret_previous if config.service_secret is not None else None
        self.service = SharedSecret(config.service_secret, previous)
        self._hasher = PasswordHasher()
        self._passwords = PasswordChecks(self._is_right)
        credentials = f"{config.dashboard_password or ''}\n{config.dashboard_password_hash or ''}"
        key = config.flask_secret_key.encode()[:64]
        self.operator_id = blake2b(credentials.encode(), key=key, digest_size=16).hexdigest()

    @property
    def is_open(self) -> bool:
        return self._config.is_open

    def answers_to(self, host: str) -> bool:
        """Return whether the desk may be called by this host, without a port. With a password any name will do.

        Without one, a page of a stranger who gave this address a name could call the desk as its own origin.
        """
        return not self.is_open or is_private(host) or host in self._config.allowed_hosts

    def new_operator(self) -> Operator:
        """Return the operator in a session that begins now."""
        return Operator(self.operator_id, self.sessions.begin())

    def operator(self, shown: str) -> Operator | None:
        """Return the operator of a session, None when it was ended, has expired, or is of another password."""
        operator_id, _, written = shown.partition(".")
        session = read_session(written)
        if session is None or not _same(operator_id, self.operator_id) or not self.sessions.holds(session):
            return None
        return Operator(operator_id, session)

    def close(self) -> None:
        """Stop using the store, so that it may be closed."""
        self.keys.close()
        self.sessions.close()

    def is_bridge(self, secret: str | None) -> bool:
        return self.bridge.opens_to(secret)

    def is_service(self, secret: str | None) -> bool:
        """Return whether a program beside web shows SERVICE_SECRET. Without that setting none is admitted."""
        return self.service.opens_to(secret)

    def is_tradingview(self, secret: str | None) -> bool:
        return self.tradingview.opens_to(secret)

    def is_scraper(self, token: str) -> bool:
        """Return whether the token allows reading the metrics. Without METRICS_TOKEN no token does."""
        expected = self._config.metrics_token
        return expected is not None and _same(token, expected)

    def check_password(self, password: str, address: str) -> Verdict:
        """Return whether the password is right, or how long its address must wait. Without a password all are right."""
        return "right" if self.is_open else self._passwords.check(password, address)

    def _is_right(self, password: str) -> bool:
        if len(password) > LONGEST_PASSWORD:
            return False
        hashed = self._config.dashboard_password_hash
        plain = self._config.dashboard_password
        if hashed is None:
            return plain is not None and _same(password, plain)
        if not hashed.startswith("$argon2"):
            return check_password_hash(hashed, password)
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False


def _same(one: str, other: str) -> bool:
    """Compare in constant time. The texts are encoded, because ``compare_digest`` raises for text beyond ASCII."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
