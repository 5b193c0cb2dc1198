"""The feeds' settings: the environment, then ``.env``; a wrong one prevents the start and is named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from feeds.providers.settings import ProviderSettingInvalid, ProviderSettings, providers_of
from sidecar.settings import (
    SettingsInvalid,
    environment,
    flag_in,
    host_in,
    names_in,
    origins_in,
    port_in,
    secret_in,
    url_in,
    whole_in,
)
from wire.places import NoPlace, state_folder

CHECKOUT = Path(__file__).resolve().parent.parent
BARS_FILE = "bars.sqlite"
OFF = "off"
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - read from a setting, never a default


class FeedsConfig(Struct, frozen=True, kw_only=True):
    """All settings of feeds. A port of 0 is switched off.

    ``ping_seconds`` is how often a socket is asked for a sign of life. With ``one_port`` everything that may be served
    to the outside is served there, and the local feeds are off. ``agent_url`` is None when no program serves MT4.
    """

    lockstep_url: str
    service_secret: str | None
    metrics_token: str | None
    host: str
    market_port: int
    consensus_port: int
    telemetry_port: int
    journal_port: int
    engine_port: int
    one_port: int | None
    ping_seconds: int
    require_key: bool
    cors_origins: frozenset[str]
    path: Path
    bars_path: Path
    data_port: int
    data_fill: tuple[str, ...]
    providers: ProviderSettings
    agent_url: str | None

    def __repr__(self) -> str:
        """Leave out the secrets, so that no log shows them."""
        return f"FeedsConfig({self.lockstep_url}, {self.host}:{self.market_port})"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> FeedsConfig:
        """Read the settings. Raises `SettingsInvalid`."""
        if environ is None:
            environ = environment()
        one_port = port_in(environ, "ONE_PORT", 0) or None
        is_local = one_port is None
        path = _path(environ)
        config = cls(
            lockstep_url=url_in(environ, "LOCKSTEP_URL", "http://127.0.0.1:8000"),
            service_secret=secret_in(environ, "SERVICE_SECRET"),
            metrics_token=secret_in(environ, "METRICS_TOKEN"),
            host=host_in(environ, "FEEDS_HOST"),
            market_port=one_port or port_in(environ, "FEEDS_PORT", 8765),
            consensus_port=port_in(environ, "CONSENSUS_PORT", 8080) if is_local else 0,
            telemetry_port=port_in(environ, "TELEMETRY_PORT", 8081) if is_local else 0,
            journal_port=port_in(environ, "JOURNAL_PORT", 8082) if is_local else 0,
            engine_port=port_in(environ, "ENGINE_PORT", 52_000) if is_local else 0,
            one_port=one_port,
            ping_seconds=whole_in(environ, "FEEDS_PING_SECONDS", 20, 1, 120),
            require_key=flag_in(environ, "LOCAL_FEEDS_REQUIRE_KEY"),
            cors_origins=origins_in(environ),
            path=path,
            bars_path=Path(environ.get("BARS_PATH", "").strip() or path.with_name(BARS_FILE)),
            data_port=port_in(environ, "DATA_PORT", 8001) if is_local else 0,
            data_fill=names_in(environ.get("DATA_FILL") or ""),
            providers=_providers(environ),
            agent_url=_agent_url(environ),
        )
        _refuse_shared_ports(config)
        _refuse_unknown_fill(config)
        return config


def _providers(environ: Mapping[str, str]) -> ProviderSettings:
    try:
        return ProviderSettings.from_env(environ)
    except ProviderSettingInvalid as error:
        raise SettingsInvalid(str(error)) from error


def _agent_url(environ: Mapping[str, str]) -> str | None:
    """Read where the agent is, which serves the MT4 account; None when it is off."""
    port = port_in(environ, "AGENT_PORT", 8003)
    usual = f"http://127.0.0.1:{port}" if port else OFF
    return None if (environ.get("AGENT_URL") or usual) == OFF else url_in(environ, "AGENT_URL", usual)


def _refuse_unknown_fill(config: FeedsConfig) -> None:
    known = [provider.name for provider in providers_of(config.providers)]
    for name in config.data_fill:
        if name not in known:
            raise SettingsInvalid(f"DATA_FILL must list providers of bars ({', '.join(known)}), was {name!r}.")


def _refuse_shared_ports(config: FeedsConfig) -> None:
    named = {
        "FEEDS_PORT": config.market_port,
        "CONSENSUS_PORT": config.consensus_port,
        "TELEMETRY_PORT": config.telemetry_port,
        "JOURNAL_PORT": config.journal_port,
        "ENGINE_PORT": config.engine_port,
        "DATA_PORT": config.data_port,
    }
    taken: dict[int, str] = {}
    for name, port in named.items():
        if port and port in taken:
            raise SettingsInvalid(f"{name} and {taken[port]} are both {port}: each feed needs a port of its own.")
        taken[port] = name


def _path(environ: Mapping[str, str]) -> Path:
    text = environ.get("FEEDS_PATH", "").strip()
    if text:
        return Path(text)
    try:
        return state_folder(CHECKOUT, environ.get("XDG_STATE_HOME", "")) / "feeds.sqlite"
    except NoPlace as error:
        raise SettingsInvalid(f"FEEDS_PATH is not set, and {error}.") from error
