"""The settings of providers: nothing is asked of anybody unless it was set, and a key is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from feeds.config import FeedsConfig
from feeds.providers.settings import ProviderSettings, providers_of
from sidecar.settings import SettingsInvalid

KEY = "a-key-that-nobody-may-read"
PLAIN = {"FEEDS_PATH": "feeds.sqlite"}


def test_without_settings_only_the_shipped_tapes_are_read() -> None:
    settings = FeedsConfig.from_env(PLAIN).providers
    assert {one.name: one.status().status for one in providers_of(settings)} == {
        "folder": "off",
        "massive": "off",
        "crypto": "off",
        "tapes": "ok",
    }


def test_what_is_set_is_used(tmp_path: Path) -> None:
    chosen = {"DATA_FOLDER": str(tmp_path), "MASSIVE_API_KEY": KEY, "CRYPTO_SPOT": "Coinbase"}
    providers = providers_of(FeedsConfig.from_env({**PLAIN, **chosen}).providers)
    assert [one.status().status for one in providers] == ["ok"] * 4
    assert [one.name for one in providers if one.covers("BTCUSD")] == ["massive", "crypto"]


def test_a_key_is_in_no_picture_of_the_settings() -> None:
    config = FeedsConfig.from_env({**PLAIN, "MASSIVE_API_KEY": KEY})
    assert config.providers.massive_key == KEY
    assert (
        KEY not in f"{config!r} {config.providers!r} {[repr(one.status()) for one in providers_of(config.providers)]}"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MASSIVE_API_KEY", "short"),
        ("MASSIVE_API_KEY", "with a space in it"),
        ("MASSIVE_API_KEY", "schlüssel-schlüssel"),
        ("MASSIVE_URL", "http://api.massive.com"),
        ("MASSIVE_URL", "https://api.massive.com/?apiKey=x"),
        ("MASSIVE_URL", "https://user:word@api.massive.com"),
        ("MASSIVE_URL", "api.massive.com"),
        ("CRYPTO_URL", "ftp://exchange.example"),
        ("CRYPTO_SPOT", "binance"),
    ],
)
def test_a_wrong_setting_prevents_the_start_and_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsInvalid, match=name) as refused:
        FeedsConfig.from_env({**PLAIN, name: value})
    if name == "MASSIVE_API_KEY":
        assert value not in str(refused.value)


def test_the_folder_of_home_is_found() -> None:
    settings = ProviderSettings.from_env({"DATA_FOLDER": "~/prices"})
    assert settings.folder == Path.home() / "prices"
