"""Web's database and the bridge's ledger lie where `git clean` does not reach, and earlier ones are still found."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bridge import config as bridge_config
from bridge.config import SettingsInvalid, settings_from
from services.ops import config as web_config
from services.ops.config import Config, ConfigError
from tests.support.desk_process import SETTINGS
from wire.places import state_folder

WEB = {name: value for name, value in SETTINGS.items() if value}
BRIDGE = {"BRIDGE_HEARTBEAT_SECRET": "a-secret-of-the-desk"}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own, in which web and bridge run with the default places."""
    checkout = tmp_path / "checkout"
    (checkout / "var").mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", str(checkout)], check=True)
    monkeypatch.setattr(web_config, "PROJECT", checkout)
    monkeypatch.setattr(web_config, "EARLIER_DATABASE", checkout / "var" / "lockstep.sqlite")
    monkeypatch.setattr(bridge_config, "CHECKOUT", checkout)
    monkeypatch.chdir(checkout)
    return checkout


def places(state_home: str) -> list[Path]:
    web = Config.from_env({**WEB, "XDG_STATE_HOME": state_home})
    return [web.sqlite_path, settings_from([], {**BRIDGE, "XDG_STATE_HOME": state_home}).ledger_path]


def test_git_clean_leaves_the_default_files_alone(checkout: Path, tmp_path: Path) -> None:
    files = places(str(tmp_path / "state"))
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    subprocess.run(["git", "-C", str(checkout), "clean", "-xfdfq"], check=True)
    assert not (checkout / "var").exists()
    assert [file.name for file in files if file.exists()] == ["lockstep.sqlite", "bridge.sqlite"]


def test_files_at_the_earlier_places_are_used(checkout: Path, tmp_path: Path) -> None:
    (checkout / "var" / "lockstep.sqlite").touch()
    (checkout / "var" / "bridge.sqlite").touch()
    database, ledger = places(str(tmp_path / "state"))
    assert database == checkout / "var" / "lockstep.sqlite"
    assert ledger.resolve() == checkout / "var" / "bridge.sqlite"


def test_of_two_files_the_operator_must_name_one(checkout: Path, tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    for file in (*places(state), checkout / "var" / "lockstep.sqlite", checkout / "var" / "bridge.sqlite"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    with pytest.raises(ConfigError, match="SQLITE_PATH is not set, and there are two files"):
        Config.from_env({**WEB, "XDG_STATE_HOME": state})
    with pytest.raises(SettingsInvalid, match="BRIDGE_LEDGER_PATH is not set, and there are two files"):
        settings_from([], {**BRIDGE, "XDG_STATE_HOME": state})
    named = Config.from_env({**WEB, "XDG_STATE_HOME": state, "SQLITE_PATH": "var/lockstep.sqlite"})
    assert named.sqlite_path == Path("var/lockstep.sqlite")


def test_two_checkouts_share_no_folder_and_a_relative_setting_is_ignored(tmp_path: Path) -> None:
    one, other = (state_folder(tmp_path / name, "") for name in ("one", "other"))
    assert one != other
    assert one.parent == other.parent == Path.home() / ".local" / "state" / "lockstep"
    assert state_folder(tmp_path / "one", "state") == one
    assert state_folder(tmp_path / "one", "/data").parent == Path("/data/lockstep")
