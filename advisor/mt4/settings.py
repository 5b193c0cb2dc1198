"""The settings of the MT4 account. No default opens an account at MetaApi."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import get_args

from msgspec import Struct

from sidecar.settings import SettingsInvalid, flag_in, url_in
from wire.mt4 import LONGEST_TOKEN, Mt4Route

ROUTES: tuple[Mt4Route, ...] = get_args(Mt4Route)
REGION = "new-york"
TRADING = "https://mt-client-api-v1.{region}.agiliumtrade.ai"
CANDLES = "https://mt-market-data-client-api-v1.{region}.agiliumtrade.ai"
"""MetaApi serves candles at a host of their own."""

REGION_SHAPE = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
ACCOUNT_SHAPE = re.compile(r"[A-Za-z0-9_-]{1,64}")
TOKEN_SHAPE = re.compile(rf"[!-~]{{1,{LONGEST_TOKEN}}}")


class Mt4Settings(Struct, frozen=True, kw_only=True):
    """Where trades go, and what opens an account at MetaApi.

    ``token`` opens ``account`` alone when that is set. The two addresses are MetaApi's own of the region unless they
    are set, for a test or a relay.
    """

    route: Mt4Route = "paper"
    token: str | None = None
    account: str | None = None
    allow_real: bool = False
    url: str = TRADING.format(region=REGION)
    candles_url: str = CANDLES.format(region=REGION)

    def __repr__(self) -> str:
        """Leave out the token, so that no log shows it."""
        return f"Mt4Settings({self.route}, {self.account})"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Mt4Settings:
        """Read the settings. Raises `SettingsInvalid`, which names the wrong one and never its secret."""
        region = _shaped(environ, "METAAPI_REGION", REGION_SHAPE, "a region such as new-york or london") or REGION
        return cls(
            route=route_in(environ),
            token=token_in(environ),
            account=_shaped(environ, "METAAPI_ACCOUNT", ACCOUNT_SHAPE, "the id of an account at MetaApi"),
            allow_real=flag_in(environ, "MT4_ALLOW_REAL"),
            url=url_in(environ, "METAAPI_URL", TRADING.format(region=region)),
            candles_url=url_in(environ, "METAAPI_CANDLES_URL", CANDLES.format(region=region)),
        )


def route_in(environ: Mapping[str, str]) -> Mt4Route:
    """Return where trades go: the paper account unless it is set."""
    text = (environ.get("MT4_ROUTE") or "paper").strip().lower()
    for route in ROUTES:
        if text == route:
            return route
    raise SettingsInvalid(f"MT4_ROUTE must be one of {', '.join(ROUTES)}, was {text[:40]!r}.")


def token_in(environ: Mapping[str, str]) -> str | None:
    """Return the token of MetaApi, None when it is not set."""
    text = environ.get("METAAPI_TOKEN") or ""
    if text and TOKEN_SHAPE.fullmatch(text) is None:
        raise SettingsInvalid("METAAPI_TOKEN must be printable ASCII characters without a space.")
    return text or None


def _shaped(environ: Mapping[str, str], name: str, shape: re.Pattern[str], must_be: str) -> str | None:
    text = (environ.get(name) or "").strip()
    if text and shape.fullmatch(text) is None:
        raise SettingsInvalid(f"{name} must be {must_be}, was {text[:40]!r}.")
    return text or None
