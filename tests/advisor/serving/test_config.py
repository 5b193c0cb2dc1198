"""The advisor's settings: what they are by themselves, and which are refused at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.config import AdvisorConfig
from sidecar.listen import LOOPBACKS
from sidecar.settings import SettingsInvalid

SECRET = "service-secret-of-a-desk"
PLACES = {"XDG_STATE_HOME": "/var/lib"}


def settings(**environ: str) -> AdvisorConfig:
    return AdvisorConfig.from_env({**PLACES, **environ})


def test_by_itself_it_serves_this_machine_and_reads_the_feeds_of_this_machine() -> None:
    config = settings()
    assert (config.ml_port, config.agent_port, config.hosts) == (8002, 8003, LOOPBACKS)
    assert (config.lockstep_url, config.feeds_url) == ("http://127.0.0.1:8000", "http://127.0.0.1:8765")
    assert (config.is_local, config.require_key, config.nightly) == (True, False, True)
    assert config.path.name == "advisor.sqlite"
    assert config.models_path == config.path.with_name("models")
    assert config.path.is_relative_to(Path("/var/lib/lockstep"))


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"FEEDS_PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"FEEDS_PORT": "0"}, None),
        ({"FEEDS_URL": "off"}, None),
        ({"FEEDS_URL": "https://feeds.example.com/"}, "https://feeds.example.com"),
    ],
    ids=str,
)
def test_it_asks_the_same_feeds_as_web(environ: dict[str, str], url: str | None) -> None:
    assert settings(**environ).feeds_url == url


def test_one_port_is_that_of_the_ml_engine_and_is_for_others() -> None:
    config = settings(ONE_PORT="9999", ADVISOR_HOST="127.0.0.1")
    assert (config.ml_port, config.agent_port, config.is_local) == (9999, 0, False)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"ML_PORT": "many"}, "ML_PORT must be a port"),
        ({"ML_PORT": "9000", "AGENT_PORT": "9000"}, "each needs a port of its own"),
        ({"FEEDS_URL": "http://feeds.example.com"}, "FEEDS_URL must be https"),
        ({"LOCKSTEP_URL": "desk"}, "LOCKSTEP_URL must be"),
        ({"ADVISOR_HOST": "everywhere"}, "ADVISOR_HOST must be an IP address"),
        ({"SERVICE_SECRET": "changeme"}, "SERVICE_SECRET is still the placeholder"),
        ({"MODELS_NIGHTLY": "sometimes"}, "MODELS_NIGHTLY must be 1 or 0"),
        ({"CORS_ORIGINS": "*"}, "CORS_ORIGINS must list origins"),
        ({"AGENT_PROVIDER": "oracle"}, "AGENT_PROVIDER must be one of"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_named(environ: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsInvalid, match=said):
        settings(**environ)


def test_no_secret_is_in_what_a_log_shows() -> None:
    assert SECRET not in repr(settings(SERVICE_SECRET=SECRET))
