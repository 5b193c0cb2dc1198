"""Settings: what is missing or wrong is said in one sentence, and the secret in none."""

from decimal import Decimal
from pathlib import Path

import pytest

from bridge.config import SettingsInvalid, settings_from

ENOUGH = {"BRIDGE_HEARTBEAT_SECRET": "s3cret-of-the-desk"}


def test_defaults_are_a_paper_bridge_to_the_local_desk() -> None:
    settings = settings_from([], ENOUGH)
    assert (settings.broker, settings.desk_url, settings.owner) == (
        "paper",
        "http://127.0.0.1:8000",
        "bridge",
    )
    assert settings.ledger_path.name == "bridge.sqlite"
    assert settings.paper.start_balance == Decimal(50_000)
    assert (settings.limits.max_order_qty, settings.limits.max_position) == (20, 20)
    assert settings.limits.max_orders_per_minute == 30


def test_flags_go_before_the_environment() -> None:
    environ = ENOUGH | {"LOCKSTEP_URL": "http://desk:1", "BRIDGE_OWNER": "from-environment"}
    settings = settings_from(["--owner", "from-flag"], environ)
    assert (settings.desk_url, settings.owner) == ("http://desk:1", "from-flag")


@pytest.mark.parametrize(
    "url", ["http://web:8000", "http://192.168.1.5:8000", "http://[::1]:8000", "https://example.com"]
)
def test_the_secret_goes_over_http_within_a_private_network_only(url: str) -> None:
    assert settings_from([], ENOUGH | {"LOCKSTEP_URL": url}).desk_url == url
    assert settings_from(["--desk-url", url], ENOUGH).desk_url == url


def test_dotenv_file_fills_what_the_environment_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("BRIDGE_HEARTBEAT_SECRET=s3cret-of-the-file\nBRIDGE_OWNER=from-file\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BRIDGE_OWNER", "from-environment")
    monkeypatch.delenv("BRIDGE_HEARTBEAT_SECRET", raising=False)
    settings = settings_from([])
    assert (settings.secret, settings.owner) == ("s3cret-of-the-file", "from-environment")


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "BRIDGE_HEARTBEAT_SECRET is not set"),
        ({"BRIDGE_HEARTBEAT_SECRET": "changeme"}, "still the placeholder"),
        ({"BRIDGE_HEARTBEAT_SECRET": "short"}, "8 or more printable"),
        ({"BRIDGE_HEARTBEAT_SECRET": "two\nlines of it"}, "8 or more printable"),
        (ENOUGH | {"LOCKSTEP_URL": "desk:8000"}, "LOCKSTEP_URL must be"),
        (ENOUGH | {"LOCKSTEP_URL": "http://desk.example.com"}, "LOCKSTEP_URL must be https for desk.example.com"),
        (ENOUGH | {"LOCKSTEP_URL": "http://127.0.0.1@8.8.8.8:8000/"}, "LOCKSTEP_URL must be https for 8.8.8.8"),
        (ENOUGH | {"PAPER_SLIPPAGE_TICKS": "-1"}, "PAPER_SLIPPAGE_TICKS must be"),
        (ENOUGH | {"PAPER_COMMISSION": "NaN"}, "PAPER_COMMISSION must be"),
        (ENOUGH | {"PAPER_START_BALANCE": "much"}, "PAPER_START_BALANCE must be"),
        (ENOUGH | {"BRIDGE_MAX_ORDER_QTY": "0"}, "BRIDGE_MAX_ORDER_QTY must be"),
    ],
)
def test_wrong_setting_is_named_in_one_sentence(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsInvalid, match=sentence) as refusal:
        settings_from([], environ)
    assert "\n" not in str(refusal.value)
    assert "two" not in str(refusal.value)


def test_missing_tape_is_named() -> None:
    with pytest.raises(SettingsInvalid, match=r"nowhere\.jsonl is not a file"):
        settings_from(["--tape", "nowhere.jsonl"], ENOUGH)


def test_secret_shows_in_no_repr() -> None:
    assert "s3cret" not in repr(settings_from([], ENOUGH))
