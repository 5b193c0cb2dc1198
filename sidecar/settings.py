"""Reads settings of the programs beside web; a wrong one prevents the start and is named."""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from dotenv import dotenv_values

from wire.hosts import is_read_on_the_way
from wire.origins import NoOrigin, origins_of

SHORTEST_SECRET = 8
PLACEHOLDERS = frozenset(
    {"changeme", "change-me", "change_me", "secret", "password", "default", "example", "placeholder", "your-secret"}
)
HIGHEST_PORT = 65_535


class SettingsInvalid(Exception):
    """A setting is wrong; the message is one sentence that names it and the reason."""


def environment() -> Mapping[str, str]:
    """Return the process's environment, over what ``.env`` says."""
    stored = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    return {**stored, **os.environ}


def url_in(environ: Mapping[str, str], name: str, default: str) -> str:
    """Return the address of another program, without a slash at its end."""
    text = environ.get(name) or default
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsInvalid(f"{name} must be an http or https address, was {text!r}.")
    if is_read_on_the_way(text):
        raise SettingsInvalid(
            f"{name} must be https for {parts.hostname}: over http everybody on the way reads the secret."
        )
    return text.rstrip("/")


def secret_in(environ: Mapping[str, str], name: str) -> str | None:
    """Return a secret, None when it is not set."""
    text = environ.get(name, "")
    if not text:
        return None
    if text.lower() in PLACEHOLDERS:
        raise SettingsInvalid(f"{name} is still the placeholder: put the desk's secret there.")
    if len(text) < SHORTEST_SECRET or not text.isascii() or not text.isprintable() or text != text.strip():
        raise SettingsInvalid(
            f"{name} must be {SHORTEST_SECRET} or more printable ASCII characters without spaces around them."
        )
    return text


def host_in(environ: Mapping[str, str], name: str) -> str:
    """Return the address to listen on: an IP address, or ``localhost`` for both loopbacks; unset it is loopback."""
    text = environ.get(name) or "127.0.0.1"
    if text == "localhost":
        return text
    try:
        ip_address(text)
    except ValueError:
        raise SettingsInvalid(f"{name} must be an IP address or localhost, was {text!r}.") from None
    return text


def port_in(environ: Mapping[str, str], name: str, default: int) -> int:
    """Return a port, 0 for none."""
    text = (environ.get(name) or str(default)).strip()
    if not (text.isascii() and text.isdigit() and int(text) <= HIGHEST_PORT):
        raise SettingsInvalid(f"{name} must be a port from 1 to {HIGHEST_PORT}, or 0 for none, was {text!r}.")
    return int(text)


def whole_in(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """Return a whole number from `low` to `high`."""
    text = (environ.get(name) or str(default)).strip()
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise SettingsInvalid(f"{name} must be a whole number from {low} to {high}, was {text!r}.")
    return int(text)


def flag_in(environ: Mapping[str, str], name: str, *, unset: bool = False) -> bool:
    """Return whether a switch is on; one that is not set is `unset`."""
    text = (environ.get(name) or ("1" if unset else "0")).strip().lower()
    if text not in {"0", "1", "true", "false", "yes", "no"}:
        raise SettingsInvalid(f"{name} must be 1 or 0, was {text!r}.")
    return text in {"1", "true", "yes"}


def origins_in(environ: Mapping[str, str]) -> frozenset[str]:
    """Return the origins whose pages may use local ports: ``https://name:port``, separated by commas."""
    try:
        return origins_of(environ.get("CORS_ORIGINS") or "")
    except NoOrigin as error:
        raise SettingsInvalid(f"{error}.") from None


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of a list with commas, each once, in small letters."""
    return tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
