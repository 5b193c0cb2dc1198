"""Which providers there are, and the settings that they need. `feeds.config` reads them with the others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from feeds.providers.crypto import DEFAULT_URL as COINBASE_URL
from feeds.providers.crypto import CryptoProvider
from feeds.providers.files import FileProvider
from feeds.providers.massive import DEFAULT_URL as MASSIVE_URL
from feeds.providers.massive import MassiveProvider
from feeds.providers.provider import Provider
from wire.hosts import is_read_on_the_way

SHIPPED = Path(__file__).resolve().parents[2] / "tests" / "fixtures"
SHIPPED_PATTERN = "*_ticks_*.csv.gz"
EXCHANGES = ("coinbase",)
SHORTEST_KEY = 8


class ProviderSettingInvalid(ValueError):
    """A setting is wrong; the message is one sentence that names it and the reason, and shows no key."""


class ProviderSettings(Struct, frozen=True, kw_only=True):
    """The settings of all providers. None switches one off; ``tapes`` is the folder of the shipped recordings."""

    tapes: Path | None = None
    folder: Path | None = None
    massive_key: str | None = None
    massive_url: str = MASSIVE_URL
    crypto: bool = False
    crypto_url: str = COINBASE_URL

    def __repr__(self) -> str:
        """Leave out the key, so that no log shows it."""
        return f"ProviderSettings(folder={self.folder}, massive={self.massive_key is not None}, crypto={self.crypto})"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> ProviderSettings:
        """Read ``DATA_FOLDER``, ``MASSIVE_API_KEY``, ``MASSIVE_URL``, ``CRYPTO_SPOT`` and ``CRYPTO_URL``.

        Raises `ProviderSettingInvalid`.
        """
        folder = environ.get("DATA_FOLDER", "").strip()
        return cls(
            tapes=SHIPPED if SHIPPED.is_dir() else None,
            folder=Path(folder).expanduser() if folder else None,
            massive_key=_key(environ.get("MASSIVE_API_KEY", "")),
            massive_url=_url("MASSIVE_URL", environ.get("MASSIVE_URL") or MASSIVE_URL),
            crypto=_exchange(environ.get("CRYPTO_SPOT", "")) is not None,
            crypto_url=_url("CRYPTO_URL", environ.get("CRYPTO_URL") or COINBASE_URL),
        )


def providers_of(settings: ProviderSettings) -> tuple[Provider, ...]:
    """Return all providers, those that are off included, in the order in which a sync asks them.

    The user's own files come first: they are asked nothing and cost nothing. The shipped recordings come last.
    """
    return (
        FileProvider("folder", settings.folder),
        MassiveProvider(settings.massive_key, settings.massive_url),
        CryptoProvider(settings.crypto, settings.crypto_url),
        FileProvider("tapes", settings.tapes, SHIPPED_PATTERN),
    )


def _key(text: str) -> str | None:
    text = text.strip()
    if not text:
        return None
    if len(text) < SHORTEST_KEY or not text.isascii() or not text.isprintable() or " " in text:
        raise ProviderSettingInvalid(f"MASSIVE_API_KEY must be {SHORTEST_KEY} or more printable ASCII characters.")
    return text


def _exchange(text: str) -> str | None:
    name = text.strip().lower()
    if name and name not in EXCHANGES:
        raise ProviderSettingInvalid(f"CRYPTO_SPOT must be {' or '.join(EXCHANGES)}, or nothing, was {text!r}.")
    return name or None


def _url(name: str, text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise ProviderSettingInvalid(f"{name} must be an http or https address without a query.")
    if is_read_on_the_way(text):
        raise ProviderSettingInvalid(f"{name} must be https: over http everybody on the way reads what is asked.")
    return text.rstrip("/")
