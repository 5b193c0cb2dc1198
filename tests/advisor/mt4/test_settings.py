"""The settings of MT4: paper by itself, and no wrong one that opens anything."""

from __future__ import annotations

import pytest

from advisor.config import AdvisorConfig
from advisor.mt4.settings import Mt4Settings
from feeds.config import FeedsConfig
from sidecar.settings import SettingsInvalid

TOKEN = "metaapi-token-of-nobody-0000"


def test_by_itself_it_is_paper_money_and_nothing_is_opened() -> None:
    settings = Mt4Settings.from_env({})
    assert (settings.route, settings.token, settings.account, settings.allow_real) == ("paper", None, None, False)
    assert settings.url == "https://mt-client-api-v1.new-york.agiliumtrade.ai"
    assert settings.candles_url == "https://mt-market-data-client-api-v1.new-york.agiliumtrade.ai"
    assert AdvisorConfig.from_env({"MT4_ROUTE": "", "METAAPI_URL": ""}).mt4 == settings


def test_the_region_is_that_of_both_hosts() -> None:
    settings = Mt4Settings.from_env({"METAAPI_REGION": "london"})
    assert ".london." in settings.url
    assert ".london." in settings.candles_url


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MT4_ROUTE", "live"),
        ("MT4_ROUTE", "metaapi"),
        ("MT4_ALLOW_REAL", "maybe"),
        ("METAAPI_REGION", "evil.example/x"),
        ("METAAPI_REGION", "-london"),
        ("METAAPI_REGION", "LONDON"),
        ("METAAPI_ACCOUNT", "../../me"),
        ("METAAPI_URL", "ftp://here"),
        ("METAAPI_URL", "http://metaapi.example"),  # everybody on the way would read the token
        ("METAAPI_CANDLES_URL", "http://metaapi.example"),
    ],
)
def test_a_wrong_setting_prevents_the_start_and_is_named(name: str, text: str) -> None:
    with pytest.raises(SettingsInvalid, match=name):
        Mt4Settings.from_env({name: text})


@pytest.mark.parametrize("token", [f"{TOKEN} ", f"{TOKEN}\n", f"two {TOKEN}", "töken"])
def test_a_token_that_no_header_can_carry_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(SettingsInvalid, match="METAAPI_TOKEN") as refused:
        Mt4Settings.from_env({"METAAPI_TOKEN": token})
    assert token.strip() not in str(refused.value)


def test_no_log_shows_the_token() -> None:
    environ = {"METAAPI_TOKEN": TOKEN, "METAAPI_ACCOUNT": "mine"}
    assert TOKEN not in repr(Mt4Settings.from_env(environ)) + repr(AdvisorConfig.from_env(environ))


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://127.0.0.1:8003"),
        ({"AGENT_PORT": "9003"}, "http://127.0.0.1:9003"),
        ({"AGENT_PORT": "0"}, None),
        ({"AGENT_URL": "off"}, None),
        ({"AGENT_URL": "http://advisor:8003/"}, "http://advisor:8003"),
    ],
)
def test_feeds_know_where_the_agent_is(environ: dict[str, str], url: str | None) -> None:
    assert FeedsConfig.from_env(environ).agent_url == url
