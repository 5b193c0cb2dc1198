"""The settings of feeds: what is wrong is named, and nothing secret is shown."""

from __future__ import annotations

import pytest

from feeds.assembly import market_hosts, ports_of
from feeds.config import FeedsConfig
from sidecar.settings import SettingsInvalid

PLAIN: dict[str, str] = {"FEEDS_PATH": "feeds.sqlite"}


def test_without_settings_the_ports_are_those_of_the_contracts() -> None:
    config = FeedsConfig.from_env(PLAIN)
    assert ports_of(config) == {
        "market": 8765,
        "consensus": 8080,
        "telemetry": 8081,
        "journal": 8082,
        "signals": 52_000,
        "data": 8001,
    }
    assert market_hosts(config) == ("127.0.0.1", "::1")
    assert config.service_secret is None
    assert config.ping_seconds == 20


def test_nought_switches_a_port_off() -> None:
    off = dict.fromkeys(("CONSENSUS_PORT", "FEEDS_PORT", "ENGINE_PORT", "DATA_PORT"), "0")
    config = FeedsConfig.from_env({**PLAIN, **off})
    assert [name for name, port in ports_of(config).items() if port] == ["telemetry", "journal"]


def test_on_a_host_with_one_port_only_the_market_feed_is_served() -> None:
    config = FeedsConfig.from_env({**PLAIN, "ONE_PORT": "8080", "FEEDS_HOST": "10.0.0.5"})
    assert ports_of(config) == {"market": 8080, "consensus": 0, "telemetry": 0, "journal": 0, "signals": 0, "data": 0}
    assert market_hosts(config) == ("10.0.0.5",)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("LOCKSTEP_URL", "ftp://desk"),
        ("LOCKSTEP_URL", "http://desk.example.com"),
        ("SERVICE_SECRET", "short"),
        ("SERVICE_SECRET", "changeme"),
        ("SERVICE_SECRET", " with spaces around "),
        ("METRICS_TOKEN", "default"),
        ("FEEDS_HOST", "everywhere"),
        ("FEEDS_PORT", "65536"),
        ("FEEDS_PORT", "-1"),
        ("FEEDS_PORT", "²"),
        ("TELEMETRY_PORT", "8765"),
        ("ENGINE_PORT", "no"),
        ("DATA_PORT", "8765"),
        ("DATA_PORT", "65536"),
        ("DATA_FILL", "tapes,yahoo"),
        ("ONE_PORT", "x"),
        ("FEEDS_PING_SECONDS", "0"),
        ("LOCAL_FEEDS_REQUIRE_KEY", "maybe"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://charts.example/page"),
        ("CORS_ORIGINS", "charts.example"),
    ],
)
def test_a_wrong_setting_prevents_the_start_and_is_named(setting: str, value: str) -> None:
    with pytest.raises(SettingsInvalid, match=setting):
        FeedsConfig.from_env({**PLAIN, setting: value})


def test_no_secret_is_shown() -> None:
    config = FeedsConfig.from_env(
        {**PLAIN, "SERVICE_SECRET": "a-secret-of-web", "METRICS_TOKEN": "a-secret-of-metrics"}
    )
    assert "secret" not in f"{config!r} {config}"


def test_origins_are_spelled_one_way() -> None:
    config = FeedsConfig.from_env({**PLAIN, "CORS_ORIGINS": "HTTP://Localhost:5173/, https://charts.example"})
    assert config.cors_origins == {"http://localhost:5173", "https://charts.example"}
