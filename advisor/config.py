"""The advisor's settings: the environment, then ``.env``; a wrong one prevents the start and is named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from advisor.agent.settings import AgentSettings
from advisor.mt4.settings import Mt4Settings
from sidecar.listen import LOOPBACKS
from sidecar.settings import (
    SettingsInvalid,
    environment,
    flag_in,
    host_in,
    origins_in,
    port_in,
    secret_in,
    url_in,
)
from wire.places import NoPlace, state_folder

CHECKOUT = Path(__file__).resolve().parent.parent
OFF = "off"


class AdvisorConfig(Struct, frozen=True, kw_only=True):
    """All settings of the advisor. A port of 0 is switched off; `feeds_url` is None when there are no bars to read.

    With `one_port` the ML port serves the agent, too, and the agent has no port of its own.
    """

    lockstep_url: str
    feeds_url: str | None
    service_secret: str | None
    host: str
    ml_port: int
    agent_port: int
    one_port: int | None
    path: Path
    models_path: Path
    require_key: bool
    cors_origins: frozenset[str]
    nightly: bool
    agent: AgentSettings
    mt4: Mt4Settings

    def __repr__(self) -> str:
        """Leave out the secrets, so that no log shows them."""
        return f"AdvisorConfig({self.lockstep_url}, {self.host}:{self.ml_port})"

    @property
    def is_local(self) -> bool:
        """Whether only programs on this machine reach it."""
        return self.one_port is None and self.host in ("localhost", *LOOPBACKS)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The addresses to listen on: both loopbacks unless `host` names another address."""
        return LOOPBACKS if self.host in ("localhost", *LOOPBACKS) else (self.host,)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> AdvisorConfig:
        """Read the settings. Raises `SettingsInvalid`."""
        if environ is None:
            environ = environment()
        one_port = port_in(environ, "ONE_PORT", 0) or None
        config = cls(
            lockstep_url=url_in(environ, "LOCKSTEP_URL", "http://127.0.0.1:8000"),
            feeds_url=_feeds_url(environ),
            service_secret=secret_in(environ, "SERVICE_SECRET"),
            host=host_in(environ, "ADVISOR_HOST"),
            ml_port=one_port or port_in(environ, "ML_PORT", 8002),
            agent_port=port_in(environ, "AGENT_PORT", 8003) if one_port is None else 0,
            one_port=one_port,
            path=_place(environ, "ADVISOR_PATH", "advisor.sqlite"),
            models_path=_place(environ, "MODELS_PATH", "models"),
            require_key=flag_in(environ, "LOCAL_FEEDS_REQUIRE_KEY"),
            cors_origins=origins_in(environ),
            nightly=flag_in(environ, "MODELS_NIGHTLY", unset=True),
            agent=AgentSettings.from_env(environ),
            mt4=Mt4Settings.from_env(environ),
        )
        if config.ml_port and config.ml_port == config.agent_port:
            raise SettingsInvalid(f"ML_PORT and AGENT_PORT are both {config.ml_port}: each needs a port of its own.")
        return config


def _feeds_url(environ: Mapping[str, str]) -> str | None:
    """Read where feeds is, None when it is off."""
    port = port_in(environ, "FEEDS_PORT", 8765)
    usual = f"http://127.0.0.1:{port}" if port else OFF
    return None if (environ.get("FEEDS_URL") or usual) == OFF else url_in(environ, "FEEDS_URL", usual)


def _place(environ: Mapping[str, str], name: str, usual: str) -> Path:
    text = environ.get(name, "").strip()
    if text:
        return Path(text)
    try:
        return state_folder(CHECKOUT, environ.get("XDG_STATE_HOME", "")) / usual
    except NoPlace as error:
        raise SettingsInvalid(f"{name} is not set, and {error}.") from error
